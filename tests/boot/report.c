/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/report.c - reads what the hypervisor says on its serial line.
 *
 * A line that begins like a report and is none is an error of the whole run: nothing is guessed.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

static const char *const result_names[] = {
	[RESULT_MISSING] = "missing",		[RESULT_ARRIVES] = "arrives",
	[RESULT_CONTAINED] = "contained",	[RESULT_LEAKED] = "leaked",
	[RESULT_UNOBSERVABLE] = "unobservable",
};

const char *result_name(enum result result)
{
	return result_names[result];
}

void report_start(struct report *report, enum report_kind kind)
{
	*report = (struct report){ .kind = kind };
}

static const char *keyword(const struct report *report)
{
	return report->kind == REPORT_ROWS ? "row" : "control";
}

static void refuse(struct report *report, const char *line, const char *why)
{
	if (report->bad_lines++ == 0)
		snprintf(report->first_bad, sizeof(report->first_bad), "line %u: %s: %.400s",
			 report->line, why, line);
}

/* Steps over a word and the one space after it; false when something else stands there. */
static bool skip_word(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length) != 0 || (*at)[length] != ' ')
		return false;
	*at += length + 1;
	return true;
}

static bool read_number(const char **at, unsigned int *number)
{
	char *end;
	unsigned long value;

	if (**at < '0' || **at > '9')
		return false;
	value = strtoul(*at, &end, 10);
	if (*end != ' ' || value > ROW_COUNT)
		return false;
	*at = end + 1;
	*number = (unsigned int)value;
	return true;
}

/* Only the positive control arrives; a control build either leaks or does not. */
static bool may_say(enum report_kind kind, unsigned int number, enum result result)
{
	switch (result) {
	case RESULT_ARRIVES:
		return kind == REPORT_ROWS && number == ROW_ARRIVES;
	case RESULT_MISSING:
		return kind == REPORT_ROWS;
	case RESULT_CONTAINED:
	case RESULT_LEAKED:
	case RESULT_UNOBSERVABLE:
		return true;
	}
	return false;
}

static bool read_result(const char **at, enum result *result)
{
	for (size_t i = 0; i < sizeof(result_names) / sizeof(result_names[0]); i++) {
		if (skip_word(at, result_names[i])) {
			*result = (enum result)i;
			return true;
		}
	}
	return false;
}

/* Everything between the first quote and the last, which ends the line. */
static bool read_evidence(const char *at, char *evidence)
{
	size_t length = strlen(at);

	if (length < 2 || at[0] != '"' || at[length - 1] != '"')
		return false;
	snprintf(evidence, EVIDENCE_SIZE, "%.*s", (int)(length - 2), at + 1);
	return true;
}

/* The reason why the line is no report, or NULL. */
static const char *read_finding(struct report *report, const char *at)
{
	struct finding found = { 0 };
	unsigned int number;

	if (!read_number(&at, &number) || number == 0)
		return "no row number between 1 and 15";
	if (report->kind == REPORT_CONTROLS && !row_table[number].has_control)
		return "this row has no control";
	if (!read_result(&at, &found.result))
		return "no known result";
	if (!may_say(report->kind, number, found.result))
		return "a result that this row cannot have";
	if (!read_evidence(at, found.evidence))
		return "no evidence in quotes at the end";
	if (report->rows[number].evidence[0] != '\0' ||
	    report->rows[number].result != RESULT_MISSING)
		return "reported twice";
	report->rows[number] = found;
	report->last = number;
	return NULL;
}

static void read_text(struct report *report, const char *text)
{
	const char *at = text;
	const char *why;

	if (skip_word(&at, keyword(report))) {
		why = read_finding(report, at);
		if (why)
			refuse(report, text, why);
	} else if (skip_word(&at, "end")) {
		report->ended = strncmp(at, keyword(report), strlen(keyword(report))) == 0 &&
				strcmp(at + strlen(keyword(report)), "s") == 0;
	} else if (skip_word(&at, "refused:")) {
		snprintf(report->refused, sizeof(report->refused), "%.*s", EVIDENCE_SIZE - 1, at);
	}
}

void report_read_line(struct report *report, const char *line)
{
	char text[2 * EVIDENCE_SIZE];
	size_t length = strcspn(line, "\r\n");

	snprintf(text, sizeof(text), "%.*s", (int)length, line);
	/* What is shown on a terminal later must not steer it. */
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = '?';
	report->line++;
	read_text(report, text);
}

void report_read(struct report *report, FILE *serial)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, serial) > 0)
		report_read_line(report, line);
	free(line);
}
