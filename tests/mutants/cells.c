/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/cells.c - section 7 mutated as data (A1.1).
 *
 *   weaker    nothing   each cell that is not empty
 *             leaves    each that forgets links
 *             domain    each that forgets a device's entry: its translations alone
 *             entry     ... the entry alone
 *   stronger  links     each that forgets leaves alone
 *             all       each that forgets less than the whole domain
 *
 * Every one must be noticed by some trial in some mode that has its column; and a cell that says
 * nothing where something is owed, by the oracle that A1.1 names.
 */
#include "mutants.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "lib/mutant.h"
#include "sync/domain.h"

static const char *const kind_names[KIND_COUNT] = {
	[KIND_MAP] = "MAP",	    [KIND_LINK] = "LINK",	    [KIND_UNMAP] = "UNMAP",
	[KIND_GRANT] = "GRANT",	    [KIND_REVOKE] = "REVOKE",	    [KIND_REPLACE] = "REPLACE",
	[KIND_SPLIT] = "SPLIT",	    [KIND_PUNCH] = "PUNCH",	    [KIND_MERGE] = "MERGE",
	[KIND_UNLINK] = "UNLINK",   [KIND_ATTRIBUTE] = "ATTRIBUTE", [KIND_ROOT] = "ROOT",
	[KIND_RELEASE] = "RELEASE", [KIND_HAND_OVER] = "HAND_OVER", [KIND_ASSIGN] = "ASSIGN",
};

static const struct column {
	enum observer_column column;
	const char *name;
} columns[] = {
	{ COLUMN_EPT, "EPT" },		 { COLUMN_NPT, "NPT" },
	{ COLUMN_VTD, "VT-d" },		 { COLUMN_VTD_CACHING, "VT-d-CM" },
	{ COLUMN_AMDVI, "AMD-Vi" },	 { COLUMN_AMDVI_CACHING, "AMD-Vi-NpCache" },
	{ COLUMN_ATC, "ATC" },		 { COLUMN_SHADOW, "shadow" },
	{ COLUMN_EMULATOR, "emulator" }, { COLUMN_VTD_BUFFER, "VT-d-RWBF" },
};

/* A1.1, by rows: R 3, 6, 8, 9, 11; A 1, 2, 4, 5, 10; either 13; and 7 by a later narrower change. */
static const char *const wanted[KIND_COUNT] = {
	[KIND_MAP] = "A",      [KIND_LINK] = "A",	[KIND_UNMAP] = "R",	[KIND_GRANT] = "A",
	[KIND_REVOKE] = "A",   [KIND_REPLACE] = "R",	[KIND_SPLIT] = "RA",	[KIND_PUNCH] = "R",
	[KIND_MERGE] = "R",    [KIND_UNLINK] = "R",	[KIND_ATTRIBUTE] = "A", [KIND_ROOT] = "R",
	[KIND_RELEASE] = "RA", [KIND_HAND_OVER] = "RA", [KIND_ASSIGN] = "RA",
};

#define TRIALS_ABOUT 2 /* at most so many trials are mainly about one kind of change */

struct cell {
	enum change_kind kind;
	const struct column *column;
	enum sp_mutant_cell becomes;
	char name[60]; /* "UNMAP/VT-d/nothing" */
};

static const char *const becomes_names[] = {
	[SP_MUT_CELL_NOTHING] = "nothing", [SP_MUT_CELL_LEAVES] = "leaves",
	[SP_MUT_CELL_LINKS] = "links",	   [SP_MUT_CELL_ALL] = "all",
	[SP_MUT_CELL_DOMAIN] = "domain",   [SP_MUT_CELL_ENTRY] = "entry",
};

static bool mode_has(const struct bench_mode *mode, enum observer_column column)
{
	bool caching = mode->caches_not_present;

	static const enum observer_column cpus[] = {
		[SP_CPU_EPT] = COLUMN_EPT, [SP_CPU_NPT] = COLUMN_NPT, [SP_CPU_SHADOW] = COLUMN_SHADOW
	};

	if (column == COLUMN_ATC || column == COLUMN_EMULATOR || column == cpus[mode->cpu])
		return true;
	if (mode->vendor == MODEL_VTD)
		return column == (caching	       ? COLUMN_VTD_CACHING
				  : mode->write_buffer ? COLUMN_VTD_BUFFER
						       : COLUMN_VTD);
	return column == (caching ? COLUMN_AMDVI_CACHING : COLUMN_AMDVI);
}

/* Asked of the table itself: would the cell be another? */
static bool can_be_mutated(const struct cell *cell)
{
	const struct sp_host host = { .mutant = SP_MUT_NONE };
	struct debt debt = { .owed = false };
	bool is_unit = cell->column->column >= COLUMN_VTD && cell->column->column < COLUMN_ATC;
	bool whole, owed;

	debt_add_entry(&debt, &host, cell->column->column, cell->kind, 1);
	owed = debt_add(&debt, &host, cell->column->column, cell->kind, (struct span){ 0, 1 });
	whole = is_unit || cell->column->column != COLUMN_ATC ? debt.whole : debt.atc_whole;
	switch (cell->becomes) {
	case SP_MUT_CELL_NOTHING:
		return owed;
	case SP_MUT_CELL_LEAVES:
		return debt.range_count && debt.range[0].links;
	case SP_MUT_CELL_LINKS:
		return is_unit && debt.range_count && !debt.range[0].links;
	case SP_MUT_CELL_DOMAIN:
	case SP_MUT_CELL_ENTRY:
		return debt.entry_count;
	case SP_MUT_CELL_ALL:
	case SP_MUT_CELL_COUNT:
		break;
	}
	return !whole;
}

/* "cell | - | LINK/EPT/all | why", or "cell | E | ... | why": only E can tell. */
static const char *find_reason(const struct cell *cell, const struct row *rows, int count,
			       const char *how)
{
	for (int i = 0; i < count; i++)
		if (strcmp(rows[i].statement, "cell") == 0 && strcmp(rows[i].mutant, how) == 0 &&
		    fnmatch(rows[i].words, cell->name, 0) == 0)
			return rows[i].why;
	return NULL;
}

/* What is told in vain harms nobody: only E can notice. */
static bool is_stronger(const struct cell *cell)
{
	return cell->becomes == SP_MUT_CELL_ALL || cell->becomes == SP_MUT_CELL_LINKS;
}

/* For what is left out, the oracle that A1.1 names is looked for; for a part of it, R or A. */
static bool is_enough(const struct cell *cell, const struct ending *ending)
{
	const char *oracles = cell->becomes == SP_MUT_CELL_NOTHING ? wanted[cell->kind] : "RA";

	if (ending->kind == BROKEN || is_stronger(cell))
		return true;
	for (; *oracles; oracles++)
		if (ending->said[strchr(ORACLE_LETTERS, *oracles) - ORACLE_LETTERS][0])
			return true;
	return false;
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
			/* A reset would do what a device's cache was not told. */
			trial.ats = trial.no_reset = cell->column->column == COLUMN_ATC;
			trial.emulator = cell->column->column == COLUMN_EMULATOR;
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

/* Of those that object, one that A1.1 names for this row. */
static enum oracle teller(const struct cell *cell, const struct ending *ending)
{
	const char *oracles = cell->becomes == SP_MUT_CELL_NOTHING ? wanted[cell->kind] : "RA";

	for (; !is_stronger(cell) && *oracles; oracles++) {
		enum oracle oracle =
			(enum oracle)(strchr(ORACLE_LETTERS, *oracles) - ORACLE_LETTERS);

		if (ending->said[oracle][0])
			return oracle;
	}
	return ending_oracle(ending);
}

/* True where it was killed; says by whom. `only_e`: why no other oracle can, or NULL. */
static bool attack(struct score *score, const struct cell *cell, const char *only_e)
{
	struct trial trial;
	struct ending ending;
	bool is_wrong;

	if (!find_killer(cell, UINT32_MAX, &trial, &ending)) {
		printf("A1.1  cell %-32s SURVIVED: no trial in any mode objects\n", cell->name);
		return false;
	}
	is_wrong = cell->becomes == SP_MUT_CELL_NOTHING && !is_enough(cell, &ending) && !only_e;
	score->by[teller(cell, &ending)]++;
	printf("A1.1  cell %-32s %s, %s: %s%s%s%s\n", cell->name, trial.name,
	       bench_modes[trial.mode].name, ending.kind == BROKEN ? "BROKEN: " : "killed by ",
	       ending.said[teller(cell, &ending)],
	       is_wrong ? ": NOT BY THE ORACLE that A1.1 names for its row" : "",
	       only_e && is_enough(cell, &ending) ? ": ERROR: the table says that only E can" : "");
	return ending.kind == OBJECTED && !is_wrong && !(only_e && is_enough(cell, &ending));
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
	printf("no difference: cell %s: %s\n", cell->name, reason);
}

static void run_cell(struct score *score, const struct cell *cell, const struct row *rows,
		     int row_count)
{
	const char *reason;

	if (!can_be_mutated(cell))
		return;
	reason = find_reason(cell, rows, row_count, "-");
	if (reason) {
		excuse(score, cell, reason);
		return;
	}
	score->all++;
	score->killed += attack(score, cell, find_reason(cell, rows, row_count, "E"));
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
		for (uint32_t i = 0; i < SP_MUT_CELL_COUNT * sizeof(columns) / sizeof(columns[0]);
		     i++) {
			struct cell cell = { .kind = (enum change_kind)kind,
					     .column = &columns[i / SP_MUT_CELL_COUNT],
					     .becomes =
						     (enum sp_mutant_cell)(i % SP_MUT_CELL_COUNT) };

			snprintf(cell.name, sizeof(cell.name), "%s/%s/%s", kind_names[kind],
				 cell.column->name, becomes_names[cell.becomes]);
			run_cell(score, &cell, rows, row_count);
		}
	}
}
