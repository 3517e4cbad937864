/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench_judge.c - what the oracles are asked after a change on the bench.
 *
 *   A   device and CPU, page by page: what the maps say, rights and memory type included
 *   E   units: the model's table; CPUs, whose only command is a kick: the same table
 *
 * R needs no asking: the model's own verdict says it.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sync/domain.h"

struct model_dma bench_dma(struct bench *bench, uint32_t sbdf, uint64_t gfn, bool write)
{
	char byte = 'x';

	return model_dma(bench->model, sbdf, gfn << 12, &byte, 1, write);
}

/* ---- A ---- */

static bool device_may(enum sp_type type, bool write)
{
	return type == SP_RAM || (type == SP_RAM_READONLY && !write);
}

static void agree_device(struct bench *bench, uint64_t gfn, bool mapped,
			 const struct sp_mapping *mapping)
{
	for (int write = 0; write < 2; write++) {
		struct model_dma done = bench_dma(bench, BENCH_DEVICE, gfn, write);
		bool may = mapped && device_may(mapping->type, write);

		if (done.fault == may)
			bench_complain(bench, "oracle A: DMA %s at dfn %#llx %s",
				       write ? "write" : "read", (unsigned long long)gfn,
				       may ? "is blocked" : "arrives");
		else if (may && done.maddr >> 12 != mapping->frame.mfn)
			bench_complain(bench,
				       "oracle A: DMA at dfn %#llx reaches mfn %#llx, not %#llx",
				       (unsigned long long)gfn,
				       (unsigned long long)done.maddr >> 12,
				       (unsigned long long)mapping->frame.mfn);
	}
}

static void agree_cpu(struct bench *bench, uint64_t gfn, bool mapped,
		      const struct sp_mapping *mapping)
{
	uint8_t memory = mapping->type == SP_MMIO ? 0 : 6;
	struct model_reach reach;

	bench_leave(bench, bench->guest);
	bench_enter(bench, bench->guest);
	reach = model_cpu_access(bench->model, 1, gfn, MODEL_READ);
	if (reach.ok != mapped || (mapped && reach.mfn != mapping->frame.mfn))
		bench_complain(bench, "oracle A: the CPU's read at gfn %#llx is wrong",
			       (unsigned long long)gfn);
	else if (mapped && reach.memory != memory)
		bench_complain(bench, "oracle A: the CPU at gfn %#llx uses memory type %u, not %u",
			       (unsigned long long)gfn, reach.memory, memory);
	if (mapped && mapping->type == SP_RAM_READONLY &&
	    model_cpu_access(bench->model, 1, gfn, MODEL_WRITE).ok)
		bench_complain(bench, "oracle A: the CPU's write at gfn %#llx arrives",
			       (unsigned long long)gfn);
}

/* It maps memory alone. */
static void agree_emulator(struct bench *bench, uint64_t gfn, bool mapped,
			   const struct sp_mapping *mapping)
{
	bool may = mapped && mapping->type == SP_RAM;
	struct model_reach reach;

	if (!bench->emulator.domain)
		return;
	reach = model_outsider_access(bench->model, bench->emulator.number, gfn, MODEL_WRITE);
	if (reach.ok != may)
		bench_complain(bench, "oracle A: an emulator's write at gfn %#llx %s",
			       (unsigned long long)gfn, may ? "is blocked" : "arrives");
	else if (may && reach.mfn != mapping->frame.mfn)
		bench_complain(bench,
			       "oracle A: an emulator at gfn %#llx reaches mfn %#llx, not %#llx",
			       (unsigned long long)gfn, (unsigned long long)reach.mfn,
			       (unsigned long long)mapping->frame.mfn);
}

void bench_agree(struct bench *bench, uint64_t gfn)
{
	struct sp_mapping mapping = { .type = SP_HOLE };
	bool mapped = sp_p2m_find(bench->guest, (sp_gfn_t){ gfn }, &mapping) == SP_OK;

	if (!bench->alone)
		agree_device(bench, gfn, mapped, &mapping);
	agree_cpu(bench, gfn, mapped, &mapping);
	agree_emulator(bench, gfn, mapped, &mapping);
}

/* ---- E ---- */

/* Of one unit: what it watches the guest as, and which of the bench's devices is behind it. */
static void compare_unit(struct bench *bench, const char *what, struct model_changed changed,
			 uint32_t unit)
{
	const char *difference;

	changed.unit = unit;
	changed.domain = bench->guest->watches[1 + unit].name;
	changed.requester = unit ? BENCH_SECOND : BENCH_DEVICE;
	changed.atc_count = bench->config.ats;
	changed.atc[0] = (uint16_t)changed.requester;
	difference = model_compare(bench->model, &changed);
	if (difference)
		bench_complain(bench, "oracle E: %s: %s", what, difference);
}

/* A1.15: a unit without a device of the domain. */
static void compare_idle(struct bench *bench, const char *what, uint32_t first_idle)
{
	for (uint32_t i = 0; i < model_command_count(bench->model); i++) {
		struct model_command command = model_command(bench->model, i);
		char line[160];

		if (command.unit < first_idle || command.kind == MODEL_CMD_FORGET)
			continue;
		model_command_text(&command, line, sizeof(line));
		bench_complain(bench, "oracle E: %s: not owed: %s", what, line);
	}
}

void bench_compare(struct bench *bench, const char *what, enum model_change change, uint32_t order,
		   uint32_t at)
{
	const struct model_changed changed = { .change = change,
					       .first = BENCH_GFN + at,
					       .old_order = order,
					       .new_order = order,
					       .table_order = order };
	uint32_t units = bench->config.two_units ? 2 : 1;

	for (uint32_t unit = 0; unit < units; unit++)
		compare_unit(bench, what, changed, unit);
	compare_idle(bench, what, units);
}

bool bench_cpu_is_owed(const struct bench *bench, enum model_change change)
{
	switch (bench->config.mode->cpu) {
	case SP_CPU_EPT:
		return model_expect(change, MODEL_COLUMN_EPT).cpu;
	case SP_CPU_SHADOW: /* note n9: after the shadows, and with them alone */
		return model_expect(change, MODEL_COLUMN_SHADOW).span != MODEL_SPAN_NONE;
	case SP_CPU_NPT:
	case SP_CPU_PV: /* pv_bench.c */
	case SP_CPU_NONE:
		break;
	}
	return model_expect(change, MODEL_COLUMN_NPT).cpu;
}

static void compare_outsider(struct bench *bench, const char *what, uint32_t outsider,
			     const struct model_changed *changed)
{
	const char *difference = model_compare_outsider(bench->model, outsider, changed);

	if (difference)
		bench_complain(bench, "oracle E: %s: %s", what, difference);
}

void bench_judge_outsiders(struct bench *bench, const char *what,
			   const struct model_changed *changed, uint32_t width)
{
	struct model_changed wide = *changed;

	if (bench->shadows[0].domain)
		compare_outsider(bench, what, bench->shadows[0].number, changed);
	wide.old_order = width;
	if (bench->emulator.domain)
		compare_outsider(bench, what, bench->emulator.number, &wide);
}

void bench_judge_kicks(struct bench *bench, const char *what, bool owed)
{
	uint32_t kicks = model_cpu_kicks(bench->model, 1);

	if (bench->config.cpu_outside)
		return;
	if (owed && kicks == 0)
		bench_complain(bench, "oracle E: %s: owed but not told: the CPU in the guest",
			       what);
	if (!owed && kicks)
		bench_complain(bench, "oracle E: %s: not owed: a kick of the CPU in the guest",
			       what);
}

/* Note n2: what a unit cannot say in pages is said of the whole domain. */
static bool says(const struct bench *bench, const struct model_command *command, uint32_t order,
		 bool links)
{
	const struct model_unit_config *unit = &bench->config.unit;
	uint32_t widest = unit->max_mask ? unit->max_mask : 18;

	if (unit->no_psi || widest == MODEL_NO_MASK || order > widest)
		return command->kind == MODEL_CMD_IOTLB_DOMAIN;
	return command->kind == MODEL_CMD_IOTLB_PAGES && command->order == order &&
	       command->links == links;
}

static void judge_merge(struct bench *bench, const char *what, uint32_t order, uint32_t unit)
{
	const uint32_t orders[] = { order - 9, order };
	uint32_t pages = 0;

	for (uint32_t i = 0; i < model_command_count(bench->model); i++) {
		struct model_command command = model_command(bench->model, i);
		char line[160];

		if (command.kind == MODEL_CMD_WAIT || command.unit != unit)
			continue;
		if (pages < 2 && says(bench, &command, orders[pages], pages == 1)) {
			pages++;
			continue;
		}
		model_command_text(&command, line, sizeof(line));
		bench_complain(bench, "oracle E: %s: not owed: %s", what, line);
	}
	if (pages < 2)
		bench_complain(bench, "oracle E: %s: owed but not told: a page and its table",
			       what);
}

/* Where absence is remembered the last page of a run has a command of its own before the merge's. */
void bench_judge_merge(struct bench *bench, const char *what, uint32_t order)
{
	uint32_t units = bench->config.two_units ? 2 : 1;

	for (uint32_t unit = 0; unit < units; unit++)
		judge_merge(bench, what, order, unit);
	compare_idle(bench, what, units);
}
