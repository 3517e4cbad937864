/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/controls.c - the negative controls.
 *
 *   2-7    the same shot while nothing translates                arrives
 *   8-15   all rows, once without a defect, then with each       its own row leaks, and only that
 */
#include "platform/metal/controls.h"

#include "lib/mutant.h"
#include "platform/metal/console.h"
#include "platform/metal/machine.h"
#include "platform/metal/print.h"
#include "platform/metal/rows.h"

#define FIRST_DEFECT (ROW_LAST_ADDRESS + 1)

/* Rows beyond 7 in their order; lib/mutant.h numbers them so. */
static const enum sp_mutant mutant_of_row[ROW_COUNT + 1] = {
	[8] = SP_MUT_UNMAP_UNPAID,	[9] = SP_MUT_PUNCH_UNPAID,   [10] = SP_MUT_REVOKE_UNPAID,
	[11] = SP_MUT_REPLACE_UNPAID,	[12] = SP_MUT_UNLINK_UNPAID, [13] = SP_MUT_RELEASE_UNPAID,
	[14] = SP_MUT_HAND_OVER_UNPAID, [15] = SP_MUT_KICK_SKIPPED,
};

struct results {
	struct finding row[ROW_COUNT + 1];
};

static struct results usual, defective; /* CPU 0 alone; too large for its stack */

void controls_check(struct stage *stage)
{
	if (sp_mutant_choose(stage->host, SP_MUT_NONE) != SP_OK)
		machine_refuse("run=controls needs the image with mutants: start "
			       "sallyport-mutants.elf");
}

/* The row says "leaked"; with nothing translating that is what a control wants. */
static bool without_translation(struct stage *stage, unsigned int row)
{
	struct finding found, control;
	bool arrived;

	rows_run_one(stage, row, &found);
	arrived = found.result == ROW_LEAKED;
	report_find(&control, found.result, "%s with translation off: %s",
		    arrived ? "arrived" : "did not arrive", found.evidence);
	report_control(row, &control);
	return arrived;
}

/* Bus mastering is the device's only while it is aimed: no guest runs, so nobody else starts it. */
bool controls_without_translation(struct stage *stage)
{
	enum sp_status status = sp_device_set_master(stage->host, stage->function, true);
	bool good = true;

	if (status != SP_OK)
		machine_panic("edu's bus mastering: %s", sp_status_text(status));
	for (unsigned int row = ROW_FIRST_ADDRESS; row <= ROW_LAST_ADDRESS; row++)
		good = without_translation(stage, row) && good;
	status = sp_device_set_master(stage->host, stage->function, false);
	if (status != SP_OK)
		machine_panic("edu's bus mastering: %s", sp_status_text(status));
	return good;
}

/* Rows that are as they should be need no word. */
static void log_rows(const char *when, const struct results *results)
{
	char text[CONSOLE_LINE / 2] = "";
	size_t used = 0;

	for (unsigned int row = 1; row <= ROW_COUNT; row++) {
		if (results->row[row].result != ROW_CONTAINED)
			used += print(text + used, sizeof(text) - used, "row %u %s, ", row,
				      report_word(results->row[row].result));
	}
	console_log("rows", "%s: %sthe others contained", when, text);
}

static void run_all(struct stage *stage, struct results *results)
{
	for (unsigned int row = 1; row <= ROW_COUNT; row++)
		rows_run_one(stage, row, &results->row[row]);
}

/* The first row, but for `own`, that is not as without a defect; 0: none. */
static unsigned int find_other(unsigned int own)
{
	for (unsigned int row = 1; row <= ROW_COUNT; row++) {
		if (row != own && defective.row[row].result != usual.row[row].result)
			return row;
	}
	return 0;
}

/* A defect that more than its own row notices is no control for that row. */
static void judge(unsigned int own, struct finding *control)
{
	const struct finding *found = &defective.row[own];
	const unsigned int other = find_other(own);

	if (found->result != ROW_LEAKED)
		report_find(control, found->result, "with its guard left out too: %s",
			    found->evidence);
	else if (other != 0)
		report_find(control, ROW_UNOBSERVABLE,
			    "row %u is %s too, which it is not usually: %s", other,
			    report_word(defective.row[other].result),
			    defective.row[other].evidence);
	else
		*control = *found;
}

/* Whatever the defect left in the unit's caches goes with the device's release. */
static void clean_up(struct stage *stage)
{
	enum sp_status status = sp_mutant_choose(stage->host, SP_MUT_NONE);

	if (status == SP_OK)
		status = sp_device_release(stage->a.domain, stage->function);
	if (status == SP_OK)
		status = stage_give(stage, &stage->a);
	if (status != SP_OK)
		machine_panic("edu could not be released and given to A again: %s",
			      sp_status_text(status));
}

/* All rows, not only the one: a guard that others lean on would go unnoticed. */
static bool with_defect(struct stage *stage, unsigned int row)
{
	struct finding control;
	char when[48];

	if (sp_mutant_choose(stage->host, mutant_of_row[row]) != SP_OK)
		machine_panic("the library does not know mutant %u", mutant_of_row[row]);
	run_all(stage, &defective);
	clean_up(stage);
	print(when, sizeof(when), "the guard of row %u left out", row);
	log_rows(when, &defective);
	judge(row, &control);
	report_control(row, &control);
	return control.result == ROW_LEAKED;
}

bool controls_with_defects(struct stage *stage)
{
	bool good = true;

	run_all(stage, &usual);
	log_rows("as built", &usual);
	for (unsigned int row = FIRST_DEFECT; row <= ROW_COUNT; row++)
		good = with_defect(stage, row) && good;
	report_end_controls();
	return good;
}
