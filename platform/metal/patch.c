/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/patch.c - code is written over while two CPUs of a guest execute it: rows and controls. */
#include "platform/metal/patch.h"

#include "lib/mutant.h"
#include "platform/metal/aim.h"
#include "platform/metal/console.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/machine.h"
#include "platform/metal/patch_scene.h"
#include "platform/metal/time.h"

#define START_WITHIN (2 * NS_PER_S)

/* Somewhere in A's page of 2 MiB, across two of its pieces. */
#define IN_LARGE     (GUEST_LARGE + 0x84000u - 9u)

struct patch_row {
	patch_play *play;
	struct patch_code (*code)(uint32_t address);
	uint32_t address;
	uint32_t patches, check_every;
	bool is_large;
};

/* clang-format off */
static const struct patch_row rows[] = {
	{ patch_play_many, patch_code_of_eight, AIM_PAGE(PAGE_CODE_OF_EIGHT) + 0x40, 4000, 41, false },
	{ patch_play_many, patch_code_of_fifteen, AIM_PAGE(PAGE_CODE) + 0x125, 200, 7, false },
	{ patch_play_many, patch_code_of_fifteen, AIM_PAGE(PAGE_CODE_OF_TWO) + SP_FRAME_BYTES - 7, 200, 7, false },
	{ patch_play_many, patch_code_of_fifteen, IN_LARGE, 60, 7, true },
	{ patch_play_window, patch_code_of_fifteen, AIM_PAGE(PAGE_CODE) + 0x125, 1, 1, false },
};

/* A unit walks A's map, so that invalidating it as a whole is refused: what is left is no window at all. */
static const struct {
	uint32_t row; /* from 1 */
	enum sp_mutant mutant;
} controls[] = {
	{ 1, SP_MUT_PATCH_BYTEWISE },
	{ 2, SP_MUT_PATCH_AFTER_FLUSH },
	{ 2, SP_MUT_PATCH_AFTER_ZAP },
	{ 3, SP_MUT_PATCH_AFTER_FLUSH },
	{ 4, SP_MUT_PATCH_AFTER_FLUSH },
	{ 5, SP_MUT_PATCH_AFTER_FLUSH },
};
/* clang-format on */

static const char *const words[ROW_RESULT_COUNT] = {
	[ROW_ARRIVES] = "unobservable",
	[ROW_CONTAINED] = "good",
	[ROW_LEAKED] = "bad",
	[ROW_UNOBSERVABLE] = "unobservable",
};

static struct guest second; /* A's second CPU */

static enum row_result run_row(struct stage *stage, uint32_t number, bool is_control,
			       struct finding *finding)
{
	const struct patch_row *row = &rows[number - 1];
	struct patch_scene scene = { .crew = { stage, { &stage->a, &second } },
				     .code = row->code(row->address),
				     .patches = row->patches,
				     .check_every = row->check_every,
				     .is_large = row->is_large,
				     .is_control = is_control };

	report_find(finding, ROW_UNOBSERVABLE, "the library does not come to rest");
	if (stage_settle(stage))
		row->play(&scene, finding);
	return finding->result;
}

static bool run_rows(struct stage *stage)
{
	struct finding finding;
	bool good = true;

	for (uint32_t i = 1; i <= sizeof(rows) / sizeof(rows[0]); i++) {
		good &= run_row(stage, i, false, &finding) == ROW_CONTAINED;
		console_line("patch %u %s \"%s\"", i, words[finding.result], finding.evidence);
	}
	return good;
}

static bool run_controls(struct stage *stage)
{
	struct finding finding;
	bool good = true;

	for (uint32_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		if (sp_mutant_choose(stage->host, controls[i].mutant) != SP_OK)
			machine_panic("the library does not know mutant %u", controls[i].mutant);
		good &= run_row(stage, controls[i].row, true, &finding) == ROW_LEAKED;
		console_line("patch-control %u %s \"%s\"", i + 1, words[finding.result],
			     finding.evidence);
	}
	return sp_mutant_choose(stage->host, SP_MUT_NONE) == SP_OK && good;
}

/* B's CPU becomes A's second one. B answers first: a kick before it has begun would be for nobody. */
static void open(struct stage *stage)
{
	(void)guest_call(&stage->b, &(struct guest_command){ .verb = GUEST_PING }, START_WITHIN);
	if (!guest_park(&stage->b))
		machine_panic("guest B does not leave its CPU");
	if (!guest_add_cpu(&second, &stage->a))
		machine_refuse("not enough RAM for a second CPU of A's");
	guest_start(&second, stage->b.cpu);
}

bool patch_run(struct stage *stage)
{
	const bool has_mutants = sp_mutant_choose(stage->host, SP_MUT_NONE) == SP_OK;
	bool good;

	open(stage);
	good = has_mutants ? run_controls(stage) : run_rows(stage);
	console_line("end patch");
	if (!guest_park(&second))
		machine_panic("A's second CPU does not leave its guest");
	guest_take_cpu(&second);
	return good;
}
