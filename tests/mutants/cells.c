/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/cells.c - section 7 mutated as data (A1.1).
 *
 *   nothing   each cell that is not empty
 *   leaves    each that forgets links
 *   all       each that forgets less than the whole domain
 *
 * Every one must be noticed by some trial in some mode that has its column.
 */
#include "mutants.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "lib/mutant.h"
#include "sync/domain.h"

static const char *const kind_names[KIND_COUNT] = {
	[KIND_MAP] = "MAP",
	[KIND_LINK] = "LINK",
	[KIND_UNMAP] = "UNMAP",
	[KIND_GRANT] = "GRANT",
	[KIND_REVOKE] = "REVOKE",
	[KIND_REPLACE] = "REPLACE",
	[KIND_SPLIT] = "SPLIT",
	[KIND_PUNCH] = "PUNCH",
	[KIND_MERGE] = "MERGE",
	[KIND_UNLINK] = "UNLINK",
	[KIND_ATTRIBUTE] = "ATTRIBUTE",
	[KIND_RELEASE] = "RELEASE",
	[KIND_HAND_OVER] = "HAND_OVER",
	[KIND_ASSIGN] = "ASSIGN",
};

static const struct column {
	enum observer_column column;
	const char *name;
} columns[] = {
	{ COLUMN_EPT, "EPT" },	    { COLUMN_NPT, "NPT" },
	{ COLUMN_VTD, "VT-d" },	    { COLUMN_VTD_CACHING, "VT-d-CM" },
	{ COLUMN_AMDVI, "AMD-Vi" }, { COLUMN_AMDVI_CACHING, "AMD-Vi-NpCache" },
};

#define TRIALS_ABOUT 2 /* at most so many trials are mainly about one kind of change */

struct cell {
	enum change_kind kind;
	const struct column *column;
	enum sp_mutant_cell becomes;
	char name[60]; /* "UNMAP/VT-d/nothing" */
};

static const char *const becomes_names[] = {
	[SP_MUT_CELL_NOTHING] = "nothing",
	[SP_MUT_CELL_LEAVES] = "leaves",
	[SP_MUT_CELL_ALL] = "all",
};

static bool mode_has(const struct bench_mode *mode, enum observer_column column)
{
	bool caching = mode->caches_not_present;

	if (column == (mode->cpu == SP_CPU_EPT ? COLUMN_EPT : COLUMN_NPT))
		return true;
	if (mode->vendor == MODEL_VTD)
		return column == (caching ? COLUMN_VTD_CACHING : COLUMN_VTD);
	return column == (caching ? COLUMN_AMDVI_CACHING : COLUMN_AMDVI);
}

/* Asked of the table itself: would the cell be another? */
static bool can_be_mutated(const struct cell *cell)
{
	const struct sp_host host = { .mutant = SP_MUT_NONE };
	struct debt debt = { .owed = false };
	bool owed = debt_add(&debt, &host, cell->column->column, cell->kind, (struct span){ 0, 1 });

	switch (cell->becomes) {
	case SP_MUT_CELL_NOTHING:
		return owed;
	case SP_MUT_CELL_LEAVES:
		return debt.range_count && debt.range[0].links;
	case SP_MUT_CELL_ALL:
		break;
	}
	return !debt.whole;
}

/* "cell | - | LINK/EPT/all: why" */
static const char *find_reason(const struct cell *cell, const struct row *rows, int count)
{
	for (int i = 0; i < count; i++) {
		char pattern[sizeof(rows[i].what)];
		size_t length = strcspn(rows[i].what, ":");

		if (strcmp(rows[i].statement, "cell") != 0)
			continue;
		memcpy(pattern, rows[i].what, length);
		pattern[length] = 0;
		if (fnmatch(pattern, cell->name, 0) == 0)
			return rows[i].what + length + 1;
	}
	return NULL;
}

/* What is told in vain harms nobody: only E can notice. For what is left out, R or A is looked for. */
static bool is_enough(const struct cell *cell, const struct ending *ending)
{
	return ending->kind == BROKEN || cell->becomes == SP_MUT_CELL_ALL ||
	       ending_oracle(ending) != ORACLE_E;
}

/* The best that any of the trials says: R or A before E. False where none objects. */
static bool find_killer(const struct cell *cell, uint32_t trials, struct trial *killer,
			struct ending *best)
{
	uint32_t mutant = SP_MUT_CELL(cell->kind, cell->column->column, cell->becomes);
	struct trial trial;

	best->kind = CONTENT;
	for (uint32_t index = 0; index < trials && trial_for_kind(cell->kind, 0, index, &trial);
	     index++) {
		for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
			struct ending ending;

			if (!mode_has(&bench_modes[mode], cell->column->column))
				continue;
			(void)trial_for_kind(cell->kind, mode, index, &trial);
			ending = child_run(&trial, mutant);
			if (ending.kind == CONTENT ||
			    (best->kind == OBJECTED && !is_enough(cell, &ending)))
				continue;
			*best = ending;
			*killer = trial;
			if (is_enough(cell, best))
				return true;
		}
		if (best->kind == OBJECTED && index + 1 >= TRIALS_ABOUT)
			break;
	}
	return best->kind != CONTENT;
}

/* True where it was killed; says by whom. */
static bool attack(struct score *score, const struct cell *cell)
{
	struct trial trial;
	struct ending ending;

	if (!find_killer(cell, UINT32_MAX, &trial, &ending)) {
		printf("A1.1  cell %-32s SURVIVED: no trial in any mode objects\n", cell->name);
		return false;
	}
	score->by[ending_oracle(&ending)]++;
	printf("A1.1  cell %-32s %s, %s: %s%s\n", cell->name, trial.name,
	       bench_modes[trial.mode].name, ending.kind == BROKEN ? "BROKEN: " : "killed by ",
	       ending.said[ending_oracle(&ending)]);
	return ending.kind == OBJECTED;
}

/* What is said to make no difference must make none to the trials that are about it. */
static void excuse(struct score *score, const struct cell *cell, const char *reason)
{
	struct trial trial;
	struct ending ending;

	if (find_killer(cell, TRIALS_ABOUT, &trial, &ending)) {
		score->all++;
		printf("A1.1  cell %-32s ERROR: the table excuses it, but %s objects: %s\n",
		       cell->name, trial.name, ending.said[ending_oracle(&ending)]);
		return;
	}
	score->equal++;
	printf("no difference: cell %s:%s\n", cell->name, reason);
}

static void run_cell(struct score *score, const struct cell *cell, const struct row *rows,
		     int row_count)
{
	const char *reason;

	if (!can_be_mutated(cell))
		return;
	reason = find_reason(cell, rows, row_count);
	if (reason) {
		excuse(score, cell, reason);
		return;
	}
	score->all++;
	score->killed += attack(score, cell);
}

/* With no cell changed every trial must be content, or its objections would mean nothing. */
static void run_sound(struct score *score)
{
	struct trial trial;
	uint32_t trials = 0, bad = 0;

	for (uint32_t mode = 0; mode < bench_mode_count; mode++) {
		for (uint32_t index = 0; trial_for_kind(KIND_MAP, mode, index, &trial); index++) {
			struct ending ending = child_run(&trial, SP_MUT_NONE);

			trials++;
			if (ending.kind == CONTENT)
				continue;
			bad++;
			printf("A1.1  NOT SOUND, without a mutant: %s, %s: %s\n", trial.name,
			       bench_modes[mode].name, ending.said[ending_oracle(&ending)]);
		}
	}
	printf("A1.1  the table as it is: %u of %u trials are content\n", trials - bad, trials);
	score->all += bad;
}

void cells_run(struct score *score, const struct row *rows, int row_count)
{
	run_sound(score);
	for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
		for (uint32_t i = 0; i < 3 * sizeof(columns) / sizeof(columns[0]); i++) {
			struct cell cell = { .kind = (enum change_kind)kind,
					     .column = &columns[i / 3],
					     .becomes = (enum sp_mutant_cell)(i % 3) };

			snprintf(cell.name, sizeof(cell.name), "%s/%s/%s", kind_names[kind],
				 cell.column->name, becomes_names[cell.becomes]);
			run_cell(score, &cell, rows, row_count);
		}
	}
}
