/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/statements.c - reads what must be shown, and by what.
 *
 *   docs/acceptance.md   - A1.4 rw->ro ... Neg: "same MFN => nothing to do".     sections 2 and 6
 *   tests/mutants/table  A1.4 | SAME_FRAME | test | A | what
 *   lib/mutant.h         the numbers, in the order of the names
 */
#include "mutants.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static FILE *open_or_say(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		fprintf(stderr, "mutants: %s cannot be read; start me in the root of the tree\n",
			path);
	return file;
}

/* "Neg: ...", "Neg (safety): ...", "Neg for each ..."; not the word in quotes. */
static bool has_neg(const char *line)
{
	for (const char *at = line; (at = strstr(at, "Neg")) != NULL; at += 3)
		if (strchr(": ", at[3]) && (at == line || at[-1] == ' '))
			return true;
	return false;
}

int statements_read(const char *path, struct statement *statements, int room)
{
	FILE *file = open_or_say(path);
	char line[LINE], name[16] = "";
	bool within = false;
	int count = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "## ", 3) == 0) {
			within = line[3] == '2' || line[3] == '6';
			name[0] = 0;
		}
		if (within && line[0] == '-' && sscanf(line, "- %15s", name) != 1)
			name[0] = 0;
		if (!within || !name[0] || !has_neg(line) ||
		    (count && strcmp(statements[count - 1].name, name) == 0))
			continue;
		if (count == room)
			break;
		statements[count++] = (struct statement){ .has_row = false };
		memcpy(statements[count - 1].name, name, sizeof(name));
	}
	fclose(file);
	return count;
}

/* The text between two bars, without the blanks around it. */
static bool take_field(char **rest, char *field, size_t bytes)
{
	char *at = *rest, *end = at + strcspn(at, "|\n");
	size_t length;

	*rest = *end ? end + 1 : end;
	while (at < end && isblank((unsigned char)*at))
		at++;
	while (end > at && isblank((unsigned char)end[-1]))
		end--;
	length = (size_t)(end - at);
	if (length == 0 || length >= bytes)
		return false;
	memcpy(field, at, length);
	field[length] = 0;
	return true;
}

static bool read_row(char *line, struct row *row)
{
	char oracle[8] = "";

	*row = (struct row){ .is_out = false };
	if (!take_field(&line, row->statement, sizeof(row->statement)) ||
	    !take_field(&line, row->mutant, sizeof(row->mutant)))
		return false;
	row->is_out = strcmp(row->mutant, "-") == 0;
	if (!row->is_out && (!take_field(&line, row->test, sizeof(row->test)) ||
			     !take_field(&line, oracle, sizeof(oracle))))
		return false;
	row->oracle = oracle[0];
	return take_field(&line, row->what, sizeof(row->what));
}

int rows_read(const char *path, struct row *rows, int room)
{
	FILE *file = open_or_say(path);
	char line[LINE];
	int count = 0;

	if (!file)
		return -1;
	for (int number = 1; count >= 0 && fgets(line, sizeof(line), file); number++) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (count == room || !read_row(line, &rows[count++])) {
			fprintf(stderr,
				"mutants: %s:%d: wanted: statement | mutant | test | oracle | what, or "
				"statement | - | why it is not in scope\n",
				path, number);
			count = -1;
		}
	}
	fclose(file);
	return count;
}

uint32_t mutant_find(const char *path, const char *name)
{
	FILE *file = open_or_say(path);
	char line[LINE], found[LINE];
	uint32_t number = 0, answer = 0;

	while (file && !answer && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "\tSP_MUT_%[A-Z0-9_]", found) != 1)
			continue;
		if (strcmp(found, name) == 0)
			answer = number;
		number++;
	}
	if (file)
		fclose(file);
	return answer;
}
