/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/pv_bench.c - guests with direct paging on the model, and the embedder's part of it.
 */
#include "pv_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void pv_complain(struct pv_bench *bench, const char *format, ...)
{
	va_list arguments;

	if (bench->complaint[0])
		return;
	va_start(arguments, format);
	vsnprintf(bench->complaint, sizeof(bench->complaint), format, arguments);
	va_end(arguments);
}

const char *pv_complaint(struct pv_bench *bench)
{
	const char *verdict = model_verdict(bench->model);

	return verdict ? verdict : bench->complaint;
}

/* ---- the embedder ---- */

static uint64_t *pointer(void *argument, sp_mfn_t frame)
{
	const struct pv_guest *guest = argument;

	return model_frame_bytes(guest->bench->model, frame.mfn);
}

static void linear_write(void *argument, uint64_t address, uint64_t value)
{
	const struct pv_guest *guest = argument;

	(void)model_linear_write(guest->bench->model, platform_self(guest->bench->model), address,
				 value);
}

static void load(void *argument, sp_mfn_t root)
{
	const struct pv_guest *guest = argument;

	model_linear_load(guest->bench->model, platform_self(guest->bench->model), root.mfn);
}

/* What another CPU does at an interrupt, it does as itself. */
static void handler_leave(void *argument, uint32_t cpu)
{
	struct pv_bench *bench = argument;
	uint32_t self = platform_self(bench->model);

	model_set_cpu(cpu);
	model_linear_leave(bench->model, cpu);
	sp_pv_leave(bench->running[cpu]->domain, true);
	model_set_cpu(self);
}

static void handler_enter(void *argument, uint32_t cpu)
{
	struct pv_bench *bench = argument;
	uint32_t self = platform_self(bench->model);

	model_set_cpu(cpu);
	model_linear_enter(bench->model, cpu, sp_pv_enter(bench->running[cpu]->domain));
	model_set_cpu(self);
}

static void flushed(struct pv_guest *guest, uint32_t cpu, uint64_t number)
{
	uint32_t self = platform_self(guest->bench->model);

	model_set_cpu(cpu);
	sp_pv_flushed(guest->domain, number);
	model_set_cpu(self);
}

static void first_flushed(void *argument, uint32_t cpu, uint64_t number)
{
	flushed(&((struct pv_bench *)argument)->guest[0], cpu, number);
}

static void second_flushed(void *argument, uint32_t cpu, uint64_t number)
{
	flushed(&((struct pv_bench *)argument)->guest[1], cpu, number);
}

static void flush(void *argument, const struct sp_cpu_set *cpus, uint64_t number, bool links)
{
	struct pv_guest *guest = argument;
	const struct model_handler handler = {
		handler_leave,
		guest == guest->bench->guest ? first_flushed : second_flushed,
		handler_enter,
		guest->bench,
	};

	model_linear_ask(guest->bench->model, cpus, number, links, &handler);
}

/* A kick: out, and in again. */
static void exit_cpu(struct model *model, uint32_t cpu, void *argument)
{
	(void)model;
	handler_leave(argument, cpu);
	handler_enter(argument, cpu);
}

/* ---- guests ---- */

uint64_t pv_frame(struct pv_guest *guest)
{
	assert_in_range(guest->next, guest->first, guest->first + PV_FRAMES - 1);
	return guest->next++;
}

void pv_put(struct pv_guest *guest, uint64_t table, uint32_t index, uint64_t entry)
{
	((uint64_t *)model_frame_bytes(guest->bench->model, table))[index] = entry;
}

uint64_t pv_look_at(const struct pv_guest *guest, uint64_t table, uint32_t index)
{
	return model_load(guest->bench->model, (table << 12) + 8ull * index);
}

uint32_t pv_index(uint32_t level)
{
	static const uint32_t path[] = { PV_L1, PV_L2, PV_L3, PV_L4 };

	return path[level];
}

static void build_tree(struct pv_guest *guest, uint64_t table[4], uint64_t *page)
{
	*page = pv_frame(guest);
	for (uint32_t level = 0; level < 4; level++) {
		table[level] = pv_frame(guest);
		pv_put(guest, table[level], pv_index(level),
		       pv_entry(level ? table[level - 1] : *page, PV_RW));
	}
}

static void make_guest(struct pv_bench *bench, uint32_t number)
{
	struct pv_guest *guest = &bench->guest[number];
	struct sp_pv_config pv = { .frames = PV_FRAMES,
				   .linear_slot = PV_SLOT,
				   .own_slots = PV_OWN,
				   .pointer = pointer,
				   .linear_write = linear_write,
				   .load = load,
				   .flush = flush,
				   .argument = guest };
	struct sp_domain_config config = { .number = number + 1,
					   .cpu = SP_CPU_PV,
					   .tables = SP_TABLES_SHARED,
					   .table_budget = 100,
					   .pv = &pv };
	struct sp_result result;

	guest->bench = bench;
	guest->first = guest->next = model_guest_frames(bench->model, 7);
	guest->memory = aligned_alloc(64, (sp_pv_size(PV_FRAMES) + 63) / 64 * 64);
	assert_non_null(guest->memory);
	pv.first = (sp_mfn_t){ guest->first };
	pv.memory = guest->memory;
	assert_int_equal(sp_domain_create(bench->host, &config, &guest->domain), SP_OK);
	assert_int_equal(sp_pv_add(guest->domain, (sp_mfn_t){ guest->first }, PV_FRAMES, &result),
			 SP_OK);
	assert_int_equal(result.done, PV_FRAMES);
	build_tree(guest, guest->table, &guest->page);
	build_tree(guest, guest->other, &guest->other_page);
	pv_must(guest, 0,
		(struct sp_pv_op[]){ { SP_PV_PIN, guest->table[3], SP_PV_L4 },
				     { SP_PV_PIN, guest->other[3], SP_PV_L4 } },
		2);
}

static void start(struct pv_bench *bench)
{
	static unsigned char table[4096];
	size_t bytes = model_ivrs(bench->model, MODEL_TABLE_SOUND, table, sizeof(table));

	assert_int_equal(sp_iommu_discover_ivrs(bench->host, table, bytes), SP_OK);
	assert_int_equal(sp_pci_scan(bench->host, 0), SP_OK);
	assert_int_equal(sp_iommu_start(bench->host), SP_OK);
	bench->started = true;
}

static void assign(struct pv_bench *bench)
{
	const sp_sbdf_t device = { PV_DEVICE };

	assert_int_equal(sp_device_assign(bench->guest[0].domain, device), SP_OK);
	assert_int_equal(sp_device_set_master(bench->host, device, true), SP_OK);
}

bool pv_dma(struct pv_bench *bench, uint64_t frame, bool write)
{
	char byte = 'd';

	return !model_dma(bench->model, PV_DEVICE, frame << 12, &byte, 1, write).fault;
}

struct pv_bench *pv_make(const struct pv_config *config, uint32_t mutant)
{
	const struct model_config machine = {
		.ram_frames = 2048,
		.cpus = PV_CPUS,
		.unit_count = config->device,
		.device_count = config->device,
		.unit = { { .vendor = MODEL_AMDVI, .answers = config->answers } },
		.device = { { .sbdf = PV_DEVICE, .reset = MODEL_RESET_FLR } },
		.adversary = config->adversary,
		.seed = config->seed,
		.tick = 1000000,
		.exit_cpu = exit_cpu,
	};
	const struct sp_limits limits = {
		.cpus = PV_CPUS, .domains = 2, .functions = 8, .units = 1
	};
	struct pv_bench *bench = calloc(1, sizeof(*bench));
	struct model_config mine = machine;

	assert_non_null(bench);
	mine.argument = bench;
	bench->model = model_create(&mine);
	assert_non_null(bench->model);
	model_make_current(bench->model);
	model_set_cpu(0);
	bench->arena = aligned_alloc(64, (sp_host_size(&limits) + 63) / 64 * 64);
	bench->host = sp_host_create(bench->arena, sp_host_size(&limits), &limits, bench->model);
	assert_non_null(bench->host);
	if (config->device)
		start(bench);
	model_linear_open(bench->model, PV_SLOT, PV_OWN);
	model_linear_watch(bench->model, PV_ADDRESS);
	model_linear_set_answers(bench->model, config->answers);
	make_guest(bench, 0);
	make_guest(bench, 1);
	if (config->device)
		assign(bench);
	assert_int_equal(sp_mutant_choose(bench->host, mutant), SP_OK);
	return bench;
}

void pv_free(struct pv_bench *bench)
{
	model_linear_set_answers(bench->model, MODEL_AT_ONCE);
	for (uint32_t cpu = 0; cpu < PV_CPUS; cpu++) {
		(void)model_linear_step(bench->model, cpu);
		if (bench->running[cpu])
			pv_leave((struct pv_guest *)(uintptr_t)bench->running[cpu], cpu);
		model_set_cpu(cpu);
		model_linear_load(bench->model, cpu, 0);
		sp_pv_unload(bench->guest[0].domain);
		sp_pv_unload(bench->guest[1].domain);
	}
	model_set_cpu(0);
	for (uint32_t i = 0; i < 2; i++)
		free(bench->guest[i].memory);
	model_destroy(bench->model);
	free(bench->arena);
	free(bench);
}

/* ---- what a guest and its CPUs do ---- */

struct sp_pv_op pv_set(uint64_t table, uint32_t index, uint64_t entry)
{
	return (struct sp_pv_op){ SP_PV_SET, (table << 12) + 8ull * index, entry };
}

struct sp_pv_op pv_set_at(uint64_t address, uint64_t entry)
{
	return (struct sp_pv_op){ SP_PV_SET_AT, address, entry };
}

void pv_load(struct pv_guest *guest, uint32_t cpu, uint64_t root)
{
	struct pv_guest *neighbour = &guest->bench->guest[guest == guest->bench->guest];
	struct sp_result result;
	enum sp_status status;

	model_set_cpu(cpu);
	while ((status = sp_pv_load(guest->domain, (sp_mfn_t){ root }, &result)) == SP_BUSY)
		assert_int_equal(sp_wait(guest->bench->host, result.ticket), SP_OK);
	assert_int_equal(status, SP_OK);
	/* Whatever was loaded before is gone. */
	sp_pv_unload(neighbour->domain);
	model_set_cpu(0);
}

void pv_enter(struct pv_guest *guest, uint32_t cpu)
{
	guest->bench->running[cpu] = guest;
	handler_enter(guest->bench, cpu);
}

void pv_leave(struct pv_guest *guest, uint32_t cpu)
{
	handler_leave(guest->bench, cpu);
	guest->bench->running[cpu] = NULL;
	/* An exit takes its time. */
	model_drain(guest->bench->model);
}

enum sp_status pv_do(struct pv_guest *guest, uint32_t cpu, const struct sp_pv_op *ops,
		     uint64_t count, uint64_t *done)
{
	struct sp_result result;
	enum sp_status status;

	*done = 0;
	do {
		model_set_cpu(cpu);
		status = sp_pv_update(guest->domain, ops + *done, count - *done, &result);
		*done += result.done;
		if (status == SP_BUSY)
			assert_int_equal(sp_wait(guest->bench->host, result.ticket), SP_OK);
	} while (status == SP_BUSY);
	model_set_cpu(0);
	return status;
}

void pv_must(struct pv_guest *guest, uint32_t cpu, const struct sp_pv_op *ops, uint64_t count)
{
	uint64_t done;

	assert_int_equal(pv_do(guest, cpu, ops, count, &done), SP_OK);
	assert_int_equal(done, count);
}

void pv_settle(struct pv_bench *bench)
{
	for (int i = 0; i < 50; i++) {
		(void)sp_progress(bench->host, 4096);
		platform_relax(bench->model);
	}
	model_look(bench->model);
	model_linear_agree(bench->model);
}

void pv_count(struct pv_bench *bench, const char *what, const uint32_t flushes[PV_CPUS],
	      const uint32_t copies[PV_CPUS])
{
	for (uint32_t cpu = 0; cpu < PV_CPUS; cpu++) {
		uint32_t flushed_times = model_linear_flushes(bench->model, cpu);
		uint32_t copied = model_linear_resyncs(bench->model, cpu);

		if (flushed_times != flushes[cpu])
			pv_complain(bench, "oracle E: %s: cpu %u flushes %u times, not %u", what,
				    cpu, flushed_times, flushes[cpu]);
		if (copied != copies[cpu])
			pv_complain(bench, "oracle E: %s: cpu %u copies its root %u times, not %u",
				    what, cpu, copied, copies[cpu]);
	}
}

enum sp_status pv_give(struct pv_guest *guest, uint64_t frame)
{
	struct sp_result result;
	enum sp_status status;

	while ((status = sp_pv_remove(guest->domain, (sp_mfn_t){ frame }, 1, &result)) == SP_BUSY)
		assert_int_equal(sp_wait(guest->bench->host, result.ticket), SP_OK);
	return status;
}
