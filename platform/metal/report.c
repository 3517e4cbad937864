/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/report.c - the lines of the serial log that a program reads; the rest is for
 * people.
 */
#include "platform/metal/report.h"

#include "platform/metal/console.h"
#include "platform/metal/print.h"

static const char *const result_words[ROW_RESULT_COUNT] = {
	[ROW_ARRIVES] = "arrives",
	[ROW_CONTAINED] = "contained",
	[ROW_LEAKED] = "leaked",
	[ROW_UNOBSERVABLE] = "unobservable",
};

/* The evidence will stand between quotes, so it may hold none itself. */
void report_find(struct finding *finding, enum row_result result, const char *evidence, ...)
{
	va_list arguments;
	size_t used;

	va_start(arguments, evidence);
	used = print_list(finding->evidence, sizeof(finding->evidence), evidence, arguments);
	va_end(arguments);
	finding->result = result;
	for (size_t i = 0; i < used; i++) {
		if (finding->evidence[i] == '"' || finding->evidence[i] == '\n')
			finding->evidence[i] = '\'';
	}
}

const char *report_word(enum row_result result)
{
	return result_words[result];
}

void report_row(unsigned int row, const struct finding *finding)
{
	console_line("row %u %s \"%s\"", row, result_words[finding->result], finding->evidence);
}

void report_control(unsigned int row, const struct finding *finding)
{
	console_line("control %u %s \"%s\"", row, result_words[finding->result], finding->evidence);
}

/* A runner that sees the machine end without this line knows that rows are missing. */
void report_end_rows(void)
{
	console_line("end rows");
}

void report_end_controls(void)
{
	console_line("end controls");
}
