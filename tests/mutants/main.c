/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/main.c - the mutation score of sections 1 to 6 of docs/acceptance.md (X4).
 *
 *   mutants      in the root of the tree
 *
 * Killed means: without the mutant the named test is content, with it the oracle objects that the table
 * expects. A Neg, or a part of one, without a row, another oracle, a crash or no end in time is an error.
 */
#include "mutants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mutant.h"

#define ACCEPTANCE "docs/acceptance.md"
#define TABLE	   "tests/mutants/table"
#define NAMES	   "lib/mutant.h"
#define ROWS	   200

/* Where section 7 is meant, every cell of it. */
static const char cells[] = "cells";

static bool refuse(const struct row *row, const char *why)
{
	printf("%-5s %s: %s\n", row->statement, row->mutant, why);
	return false;
}

/* What the table expects, by its letter. */
static const char *expected(const struct row *row, const struct ending *ending)
{
	const char *letter = row->oracle ? strchr(ORACLE_LETTERS, row->oracle) : NULL;

	return letter ? ending->said[letter - ORACLE_LETTERS] : "";
}

static bool judge(const struct row *row, const struct ending *without, const struct ending *with)
{
	const struct ending *ending = without->kind == CONTENT ? with : without;
	const char *trouble = NULL;
	char text[2 * LINE];

	if (without->kind != CONTENT)
		trouble = "NOT SOUND, objects without the mutant";
	else if (with->kind == BROKEN)
		trouble = "BROKEN";
	else if (with->kind == CONTENT)
		trouble = "SURVIVED";
	else if (!expected(row, with)[0])
		trouble = "killed, but NOT BY THE ORACLE that the table expects";
	if (!trouble) {
		printf("%-5s %s: %s, %s: killed by %c: %s\n", row->statement, row->words,
		       row->mutant, row->test, row->oracle, expected(row, with));
		return true;
	}
	snprintf(text, sizeof(text), "%s: %s: %s", row->test, trouble,
		 ending->said[ending_oracle(ending)]);
	return refuse(row, text);
}

static bool run_row(const struct row *row)
{
	uint32_t mutant = mutant_find(NAMES, row->mutant);
	struct ending without, with;
	struct trial trial;

	if (!mutant)
		return refuse(row, "ERROR: " NAMES " has no such mutant");
	if (!trial_find(row->test, &trial))
		return refuse(row, "ERROR: no test has the name in " TABLE);
	without = child_run(&trial, SP_MUT_NONE);
	with = child_run(&trial, mutant);
	return judge(row, &without, &with);
}

static void run_rows(struct score *score, const struct row *rows, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(rows[i].statement, "cell") == 0)
			continue;
		if (strcmp(rows[i].mutant, cells) == 0) {
			cells_run(score, rows, count);
		} else if (rows[i].is_out) {
			printf("not in scope yet: %s %s: %s\n", rows[i].statement, rows[i].words,
			       rows[i].why);
			score->out++;
		} else {
			score->all++;
			if (!run_row(&rows[i]))
				continue;
			score->killed++;
			score->by[strchr(ORACLE_LETTERS, rows[i].oracle) - ORACLE_LETTERS]++;
		}
	}
}

/* A statement for every row, and a row for every clause of its Negs. */
static int match(struct statement *statements, int statement_count, const struct row *rows,
		 int row_count)
{
	int errors = 0;

	for (int i = 0; i < row_count; i++) {
		bool known = strcmp(rows[i].statement, "cell") == 0;

		for (int s = 0; s < statement_count; s++)
			known |= strcmp(statements[s].name, rows[i].statement) == 0;
		if (known)
			continue;
		errors++;
		printf("%-5s ERROR: " TABLE " names it, but it has no Neg in sections 1 to 6 "
		       "of " ACCEPTANCE "\n",
		       rows[i].statement);
	}
	for (int s = 0; s < statement_count; s++)
		errors += statement_check(&statements[s], rows, row_count);
	return errors;
}

static int count_clauses(const struct statement *statements, int count)
{
	int clauses = 0;

	for (int i = 0; i < count; i++)
		clauses += statements[i].clauses;
	return clauses;
}

int main(void)
{
	static struct statement statements[64];
	static struct row rows[ROWS];
	int statement_count = statements_read(ACCEPTANCE, statements, 64);
	int row_count = rows_read(TABLE, rows, ROWS), errors;
	struct score score = { .killed = 0 };

	if (statement_count < 0 || row_count < 0)
		return 2;
	if (statement_count == 0) {
		fprintf(stderr, "mutants: no Neg is found in sections 1 to 6 of " ACCEPTANCE "\n");
		return 2;
	}
	errors = match(statements, statement_count, rows, row_count);
	run_rows(&score, rows, row_count);
	printf("statements with a Neg: %d, of %d clauses; killed by R %u, A %u, E %u, B %u, C %u; not in scope "
	       "yet: %u; no difference: %u\n",
	       statement_count, count_clauses(statements, statement_count), score.by[ORACLE_R],
	       score.by[ORACLE_A], score.by[ORACLE_E], score.by[ORACLE_B], score.by[ORACLE_C],
	       score.out, score.equal);
	printf("mutants: killed %u of %u\n", score.killed, score.all);
	return errors || score.killed != score.all;
}
