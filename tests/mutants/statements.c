/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/statements.c - reads what must be shown, and by what.
 *
 *   docs/acceptance.md   - A1.4 rw->ro ... Neg: "same MFN => nothing to do".     sections 1 to 6
 *   tests/mutants/table  A1.4 | SAME_FRAME | test | A | "same MFN => nothing to do"
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

/* "Neg: ...", "Neg (safety): ...", "Neg for each ..."; not the word in quotes. NULL: none. */
static const char *find_neg(const char *text)
{
	const char *at = text;

	while ((at = strstr(at, "Neg")) != NULL && (!strchr(": ", at[3]) || at[-1] != ' '))
		at += 3;
	return at;
}

/* The sentence from here on: a full stop inside a number ends none. */
static size_t sentence_length(const char *at)
{
	const char *end = at;

	while (*end && !(*end == '.' && (end[1] == ' ' || !end[1])))
		end++;
	return (size_t)(end - at);
}

/* What was collected of it is complete. False: it has no Neg. */
static bool take_negs(struct statement *statement)
{
	const char *at = find_neg(statement->text);
	size_t length = 0;

	if (!at)
		return false;
	for (const char *neg = at; neg; neg = find_neg(neg + 3)) {
		const char *words = neg + (neg[3] == ':' ? 4 : 3);

		length += (size_t)snprintf(statement->neg + length, sizeof(statement->neg) - length,
					   "%.*s ", (int)sentence_length(words), words);
	}
	statement->text[at - statement->text] = 0;
	return true;
}

static void append_line(struct statement *statement, const char *line)
{
	size_t length = strlen(statement->text);

	line += strspn(line, " ");
	snprintf(statement->text + length, sizeof(statement->text) - length, "%s%.*s",
		 length ? " " : "", (int)strcspn(line, "\n"), line);
}

/* Statements begin with "- A1.4 "; what is indented below belongs to them. */
int statements_read(const char *path, struct statement *statements, int room)
{
	FILE *file = open_or_say(path);
	char line[LINE];
	bool within = false, open = false;
	int count = 0;

	if (!file)
		return -1;
	for (bool more = true; more && count < room;) {
		more = fgets(line, sizeof(line), file) != NULL;
		if (open && (!more || line[0] != ' ')) {
			count += take_negs(&statements[count]);
			open = false;
		}
		if (more && strncmp(line, "## ", 3) == 0)
			within = strchr("123456", line[3]) != NULL;
		if (more && !open && within && line[0] == '-' && count < room) {
			statements[count] = (struct statement){ .clauses = 0 };
			open = sscanf(line, "- %15s", statements[count].name) == 1;
		}
		if (open)
			append_line(&statements[count], line);
	}
	fclose(file);
	return count;
}

/* ---- does each clause of a Neg have its row? ---- */

/* "for each of the four": so many rows, each with words of what the statement says before. */
static int each_of(const char *neg)
{
	static const char *const numbers[] = { "one", "two", "three", "four", "five", "six" };
	char word[16] = "";

	if (sscanf(neg, " for each of the %15[a-z]", word) != 1)
		return 0;
	for (int i = 0; i < (int)(sizeof(numbers) / sizeof(numbers[0])); i++)
		if (strcmp(word, numbers[i]) == 0)
			return i + 1;
	return 0;
}

/* Quoted words of the Neg become blank; "words ..." quotes all that follows as well. */
static bool blank_out(char *neg, const char *words)
{
	size_t length = strlen(words);
	bool rest = length > 4 && strcmp(words + length - 4, " ...") == 0;
	char quote[sizeof(((struct row *)0)->words)];
	char *at;

	snprintf(quote, sizeof(quote), "%.*s", (int)(length - (rest ? 4 : 0)), words);
	at = strstr(neg, quote);
	if (!at)
		return false;
	memset(at, ' ', rest ? strlen(at) : strlen(quote));
	return true;
}

/* What may stand between clauses. */
static bool is_joint(const char *word)
{
	static const char *const joints[] = { "/", "or", "and", ",", ";", ",and", ";and" };

	for (size_t i = 0; i < sizeof(joints) / sizeof(joints[0]); i++)
		if (strcmp(word, joints[i]) == 0)
			return true;
	return false;
}

static const char *find_uncovered(char *neg)
{
	for (char *word = strtok(neg, " "); word; word = strtok(NULL, " "))
		if (!is_joint(word))
			return word;
	return NULL;
}

/* Another row quotes the same words already. */
static bool is_again(const struct row *rows, int index)
{
	for (int i = 0; i < index; i++)
		if (strcmp(rows[i].statement, rows[index].statement) == 0 &&
		    strcmp(rows[i].words, rows[index].words) == 0)
			return true;
	return false;
}

int statement_check(struct statement *statement, const struct row *rows, int count)
{
	char left[sizeof(statement->neg)];
	int wanted = each_of(statement->neg), errors = 0;
	const char *word;

	memcpy(left, statement->neg, sizeof(left));
	for (int i = 0; i < count; i++) {
		bool known;

		if (strcmp(rows[i].statement, statement->name) != 0 || rows[i].words[0] == '+' ||
		    is_again(rows, i))
			continue;
		known = wanted ? strstr(statement->text, rows[i].words) != NULL
			       : blank_out(left, rows[i].words);
		statement->clauses += known;
		if (known)
			continue;
		errors++;
		printf("%-5s ERROR: \"%s\" are no words of its Neg:%s\n", statement->name,
		       rows[i].words, statement->neg);
	}
	if (wanted && statement->clauses != wanted)
		printf("%-5s ERROR: Neg%s: %d rows quote it, not %d\n", statement->name,
		       statement->neg, statement->clauses, wanted);
	if (wanted)
		return errors + (statement->clauses != wanted);
	word = find_uncovered(left);
	if (word)
		printf("%-5s ERROR: no row has the words from \"%s\" on of its Neg:%s\n",
		       statement->name, word, statement->neg);
	return errors + (word != NULL);
}

/* ---- the table ---- */

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
	row->is_out = strcmp(row->mutant, "-") == 0 || strcmp(row->mutant, "E") == 0;
	if (!row->is_out && (!take_field(&line, row->test, sizeof(row->test)) ||
			     !take_field(&line, oracle, sizeof(oracle))))
		return false;
	row->oracle = oracle[0];
	if (!take_field(&line, row->words, sizeof(row->words)))
		return false;
	return !row->is_out || take_field(&line, row->why, sizeof(row->why));
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
				"mutants: %s:%d: wanted: statement | mutant | test | oracle | words of its "
				"Neg, or statement | - | words | why it is not in scope\n",
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
