/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench.c - machines and guests for the tests on the model.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define AMDVI	   .vendor = MODEL_AMDVI
#define VTD	   .vendor = MODEL_VTD
#define EPT	   .cpu = SP_CPU_EPT
#define NPT	   .cpu = SP_CPU_NPT
#define SHADOW	   .cpu = SP_CPU_SHADOW
#define SHARED	   .tables = SP_TABLES_SHARED
#define SEPARATE   .tables = SP_TABLES_SEPARATE
#define CACHING	   .caches_not_present = true

#define RESET_STEP 1000000u /* nanoseconds; a reset takes 100 ms, and nobody watches */

/* clang-format off */
const struct bench_mode bench_modes[] = {
	{ "NPT shared with AMD-Vi", AMDVI, NPT, SHARED },
	{ "NPT, AMD-Vi separate", AMDVI, NPT, SEPARATE },
	{ "NPT, AMD-Vi separate, NpCache", AMDVI, NPT, SEPARATE, CACHING },
	{ "EPT shared with VT-d", VTD, EPT, SHARED },
	{ "EPT, VT-d separate", VTD, EPT, SEPARATE },
	{ "NPT, VT-d separate, caching mode", VTD, NPT, SEPARATE, CACHING },
	/* The share option means nothing there (A1.6). */
	{ "shadow, AMD-Vi", AMDVI, SHADOW, SHARED },
	{ "shadow, VT-d, caching mode", VTD, SHADOW, SHARED, CACHING },
	{ "EPT, VT-d separate, write buffer", VTD, EPT, SEPARATE, .write_buffer = true },
	{ "EPT shared with VT-d, scalable", VTD, EPT, SHARED, .scalable = true },
	{ "NPT, VT-d separate, scalable, caching mode", VTD, NPT, SEPARATE, CACHING, .scalable = true },
};
/* clang-format on */
const uint32_t bench_mode_count = sizeof(bench_modes) / sizeof(bench_modes[0]);

/* ---- shadows, and an emulator ---- */

static bool find(void *argument, uint64_t gfn, struct model_found *found)
{
	static const uint8_t rights[SP_TYPE_COUNT] = {
		[SP_RAM] = MODEL_READ | MODEL_WRITE | MODEL_EXECUTE,
		[SP_RAM_READONLY] = MODEL_READ | MODEL_EXECUTE,
		[SP_MMIO] = MODEL_READ | MODEL_WRITE,
		[SP_RESERVED] = MODEL_READ | MODEL_WRITE,
		[SP_RAM_HELD] = MODEL_READ,
	};
	const struct bench_outsider *outsider = argument;
	struct sp_mapping mapping;

	if (!outsider->domain ||
	    sp_p2m_find(outsider->domain, (sp_gfn_t){ gfn }, &mapping) != SP_OK)
		return false;
	*found = (struct model_found){ .mfn = mapping.frame.mfn,
				       .rights = rights[mapping.type],
				       .memory = mapping.type == SP_MMIO ? 0 : 6,
				       .is_ram = mapping.type != SP_MMIO };
	return true;
}

static bool forget(void *argument, const struct sp_forget *what)
{
	const struct bench_outsider *outsider = argument;

	return model_outsider_forget(outsider->bench->model, outsider->number, what);
}

static void reached(void *argument, uint64_t number)
{
	const struct bench_outsider *outsider = argument;

	if (sp_observer_reached(outsider->observer, number) != SP_OK)
		bench_complain(outsider->bench, "an answer is not believed");
}

static bool serves(void *argument, uint32_t cpu)
{
	const struct bench_outsider *outsider = argument;

	return outsider->domain && outsider->bench->runs[cpu] == outsider->domain &&
	       !(outsider->bench->not_gated >> cpu & 1);
}

struct sp_observer_config bench_open_outsider(struct bench *bench, struct bench_outsider *outsider,
					      enum model_outsider_kind kind)
{
	const struct model_outsider_config config = { .kind = kind,
						      .answers = bench->config.outsiders,
						      .find = find,
						      .reached = reached,
						      .serves = kind == MODEL_EMULATOR ? serves
										       : NULL,
						      .argument = outsider };

	outsider->bench = bench;
	outsider->number = model_outsider_add(bench->model, &config);
	assert_in_range(outsider->number, 0, MODEL_MAX_OUTSIDERS - 1);
	return (struct sp_observer_config){ .forget = forget, .argument = outsider };
}

void bench_add_emulator(struct bench *bench)
{
	struct sp_observer_config config =
		bench_open_outsider(bench, &bench->emulator, MODEL_EMULATOR);

	assert_int_equal(sp_observer_add(bench->guest, &config, &bench->emulator.observer), SP_OK);
	bench->emulator.domain = bench->guest;
}

static void remove_emulator(struct bench *bench)
{
	if (!bench->emulator.domain)
		return;
	model_outsider_remove(bench->model, bench->emulator.number);
	sp_observer_remove(bench->emulator.observer);
	bench->emulator.domain = NULL;
}

static struct bench_outsider *shadows_of(struct bench *bench, const struct sp_domain *guest)
{
	return &bench->shadows[bench->shadows[1].domain == guest];
}

/* ---- the machine ---- */

/* A kick is answered by the exit; the guest that ran is the one the bench made first, or its other. */
static void exit_cpu(struct model *model, uint32_t cpu, void *argument)
{
	struct bench *bench = argument;

	model_cpu_leave(model, cpu);
	model_set_cpu(cpu);
	sp_cpu_leave(bench->guest, true);
	model_set_cpu(0);
}

static void on_take(struct model *model, void *argument)
{
	struct bench *bench = argument;

	(void)model;
	if (bench->meanwhile)
		bench->meanwhile(bench);
}

static void on_forgotten(struct model *model, const struct sp_forgotten *run, void *argument)
{
	struct bench *bench = argument;

	(void)model;
	if (bench->take_back)
		bench->take_back(bench, run);
}

static void start(struct bench *bench)
{
	static unsigned char table[8192];
	size_t bytes;

	sp_iommu_prefer_scalable(bench->host, bench->config.mode->scalable);
	if (bench->config.mode->vendor == MODEL_VTD) {
		bytes = model_dmar(bench->model, MODEL_TABLE_SOUND, table, sizeof(table));
		assert_int_equal(sp_iommu_discover_dmar(bench->host, table, bytes), SP_OK);
	} else {
		bytes = model_ivrs(bench->model, MODEL_TABLE_SOUND, table, sizeof(table));
		assert_int_equal(sp_iommu_discover_ivrs(bench->host, table, bytes), SP_OK);
	}
	assert_int_equal(sp_pci_scan(bench->host, 0), SP_OK);
	assert_int_equal(sp_iommu_start(bench->host), SP_OK);
}

struct sp_domain *bench_guest(struct bench *bench, uint32_t number)
{
	const struct bench_mode *mode = bench->config.mode;
	struct bench_outsider *shadows = &bench->shadows[bench->shadows[0].domain != NULL];
	struct sp_observer_config forgets;
	struct sp_domain_config config = {
		.number = number,
		.cpu = mode->cpu,
		.tables = mode->tables,
		.table_budget = 400,
		.cpu_large_pages = 6,
		.asid = mode->cpu == SP_CPU_NPT ? (uint16_t)++bench->asids : 0,
		.gate = bench->config.relaxed ? SP_GATE_ISSUER : SP_GATE_EVERY_CPU,
	};
	struct sp_domain *guest;

	if (mode->cpu == SP_CPU_SHADOW) {
		forgets = bench_open_outsider(bench, shadows, MODEL_SHADOWS);
		config.shadows = &forgets;
	}
	assert_int_equal(sp_domain_create(bench->host, &config, &guest), SP_OK);
	if (mode->cpu == SP_CPU_SHADOW) {
		shadows->domain = guest;
		shadows->observer = sp_domain_shadows(guest);
	}
	return guest;
}

static void assign(struct bench *bench, uint32_t sbdf)
{
	assert_int_equal(sp_device_assign(bench->guest, (sp_sbdf_t){ sbdf }), SP_OK);
	if (bench->config.ats)
		assert_int_equal(sp_device_set_ats(bench->host, (sp_sbdf_t){ sbdf }, true), SP_OK);
	assert_int_equal(sp_device_set_master(bench->host, (sp_sbdf_t){ sbdf }, true), SP_OK);
}

static uint32_t unit_count(const struct bench_config *config)
{
	if (config->units)
		return config->units;
	return config->two_units ? 2 : 1;
}

static struct model_config machine_of(struct bench *bench)
{
	const struct bench_config *config = &bench->config;
	struct model_config machine = {
		.ram_frames = config->ram_frames ? config->ram_frames : 16384,
		.cpus = config->cpus ? config->cpus : 2,
		.unit_count = config->idle_unit ? 2 : unit_count(config),
		.device_count = config->units > 2 ? config->units : 2,
		.tick = config->command_ns ? 1 : 0,
		.kick_ns = config->kick_ns,
		.adversary = config->adversary,
		.seed = config->seed,
		.exit_cpu = exit_cpu,
		.on_take = on_take,
		.on_forgotten = on_forgotten,
		.argument = bench,
	};

	for (uint32_t i = 0; i < machine.unit_count; i++) {
		struct model_unit_config *unit = &machine.unit[i];

		*unit = config->unit;
		unit->vendor = config->mode->vendor;
		unit->answers = config->answers;
		unit->command_ns = config->command_ns;
		unit->not_coherent |= config->not_coherent;
		unit->caches_not_present |= config->mode->caches_not_present;
		unit->write_buffer |= config->mode->write_buffer;
		unit->scalable |= config->mode->scalable;
		unit->ats = config->ats;
	}
	for (uint32_t i = 0; i < machine.device_count; i++)
		machine.device[i] = (struct model_device_config){
			.sbdf = BENCH_DEVICE + BENCH_NEXT * i,
			.unit = i < machine.unit_count ? i : 0,
			.reset = MODEL_RESET_FLR,
			.ats = config->ats,
			.phantom = i ? 0 : config->phantom,
		};
	return machine;
}

struct bench *bench_make(const struct bench_config *config)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	const struct sp_limits limits = { .cpus = config->cpus ? config->cpus : 2,
					  .domains = 3,
					  .functions = 8 + 2 * config->units,
					  .limbo = config->limbo ? config->limbo : 4096 };
	size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;
	struct model_config machine;

	bench->config = *config;
	machine = machine_of(bench);
	bench->model = model_create(&machine);
	assert_non_null(bench->model);
	model_make_current(bench->model);
	bench->arena = aligned_alloc(64, bytes);
	bench->host = sp_host_create(bench->arena, bytes, &limits, bench->model);
	assert_non_null(bench->host);
	if (config->counted) {
		bench->frames = calloc(machine.ram_frames, sizeof(*bench->frames));
		sp_host_count_frames(bench->host, bench->frames, (sp_mfn_t){ MODEL_RAM_BASE >> 12 },
				     machine.ram_frames);
	}
	start(bench);
	bench->guest = bench_guest(bench, 1);
	for (uint32_t i = 0; i < unit_count(config); i++)
		assign(bench, BENCH_DEVICE + BENCH_NEXT * i);
	if (config->emulator)
		bench_add_emulator(bench);
	bench_settle(bench);
	return bench;
}

void bench_destroy(struct bench *bench, struct sp_domain *guest)
{
	struct bench_outsider *shadows = shadows_of(bench, guest);
	uint32_t tries = 0;

	shadows->domain = NULL;
	while (sp_domain_destroy(guest) == SP_PENDING && ++tries < 100000)
		bench_settle(bench);
	assert_in_range(tries, 0, 99999);
	if (bench->config.mode->cpu == SP_CPU_SHADOW)
		model_outsider_remove(bench->model, shadows->number);
}

/* Refused where the domain does not own it (any more). */
static void take_back(struct sp_domain *guest, uint32_t sbdf)
{
	assert_int_not_equal(sp_device_release(guest, (sp_sbdf_t){ sbdf }), SP_LOST);
}

void bench_free(struct bench *bench)
{
	assert_int_equal(sp_mutant_choose(bench->host, SP_MUT_NONE), SP_OK);
	model_set_relax(bench->model, RESET_STEP);
	bench_leave(bench, bench->guest);
	remove_emulator(bench);
	for (uint32_t i = 0; i < 2 || i < bench->config.units; i++)
		take_back(bench->guest, BENCH_DEVICE + BENCH_NEXT * i);
	if (bench->other) {
		take_back(bench->other, BENCH_DEVICE);
		take_back(bench->other, BENCH_SECOND);
		bench_destroy(bench, bench->other);
	}
	bench_destroy(bench, bench->guest);
	sp_iommu_stop(bench->host);
	model_make_current(NULL);
	model_destroy(bench->model);
	free(bench->frames);
	free(bench->arena);
	free(bench);
}

void bench_complain(struct bench *bench, const char *format, ...)
{
	va_list arguments;

	if (bench->complaint[0])
		return;
	va_start(arguments, format);
	vsnprintf(bench->complaint, sizeof(bench->complaint), format, arguments);
	va_end(arguments);
}

const char *bench_complaint(struct bench *bench)
{
	if (model_verdict(bench->model))
		bench_complain(bench, "%s", model_verdict(bench->model));
	return bench->complaint[0] ? bench->complaint : NULL;
}

void bench_settle(struct bench *bench)
{
	for (uint32_t i = 0; i < 100000 && sp_progress(bench->host, 4096) != UINT64_MAX; i++)
		platform_relax(bench->model);
}

bool bench_try_enter(struct bench *bench, struct sp_domain *guest, uint32_t cpu)
{
	static const enum model_format formats[] = {
		[SP_CPU_EPT] = MODEL_EPT, [SP_CPU_NPT] = MODEL_NPT, [SP_CPU_SHADOW] = MODEL_ON_SHADOWS
	};
	enum model_format format = formats[bench->config.mode->cpu];
	struct sp_entry entry;
	enum sp_status status;

	bench->runs[cpu] = guest;
	model_set_cpu(cpu);
	status = sp_cpu_enter(guest, &entry);
	if (format == MODEL_ON_SHADOWS)
		entry.root.maddr = shadows_of(bench, guest)->number;
	if (status == SP_OK) {
		model_cpu_enter(bench->model, cpu, format, entry.root.maddr, entry.levels,
				entry.asid, entry.flush || bench->flush_next);
		bench->flush_next = false;
	}
	model_set_cpu(0);
	return status == SP_OK;
}

void bench_enter(struct bench *bench, struct sp_domain *guest)
{
	bool is_in = false;

	for (uint32_t i = 0; i < 1000 && !is_in; i++) {
		is_in = bench_try_enter(bench, guest, 1);
		if (!is_in)
			bench_settle(bench);
	}
	assert_true(is_in);
}

void bench_leave_cpu(struct bench *bench, struct sp_domain *guest, uint32_t cpu)
{
	if (!model_cpu_in_guest(bench->model, cpu))
		return;
	model_cpu_leave(bench->model, cpu);
	model_set_cpu(cpu);
	sp_cpu_leave(guest, true);
	model_set_cpu(0);
	model_drain(bench->model);
}

void bench_leave(struct bench *bench, struct sp_domain *guest)
{
	bench_leave_cpu(bench, guest, 1);
}

void bench_map(struct bench *bench, struct sp_domain *guest, uint64_t gfn, uint64_t mfn,
	       uint64_t count, enum sp_type type)
{
	while (count) {
		struct sp_result result;
		enum sp_status status = sp_p2m_map(guest, (sp_gfn_t){ gfn }, (sp_mfn_t){ mfn },
						   count, type, &result);

		if (status != SP_BUSY)
			assert_int_equal(status, SP_OK);
		assert_int_equal(sp_wait(bench->host, result.ticket), SP_OK);
		gfn += result.done;
		mfn += result.done;
		count -= result.done;
	}
}

struct sp_result bench_unmap(struct bench *bench, struct sp_domain *guest, uint64_t gfn,
			     uint64_t count)
{
	struct sp_result result;

	(void)bench;
	assert_int_equal(sp_p2m_unmap(guest, (sp_gfn_t){ gfn }, count, &result), SP_OK);
	assert_int_equal(result.done, count);
	return result;
}
