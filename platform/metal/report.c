/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/report.c - the lines of the serial log that a program reads; the rest is for people. */
#include "platform/metal/report.h"

#include <stddef.h>

#include "platform/metal/console.h"
#include "platform/metal/print.h"

#define EVIDENCE_MAX 400

static const char *const result_words[ROW_RESULT_COUNT] = {
	[ROW_ARRIVES] = "arrives",	     [ROW_CONTAINED] = "contained", [ROW_LEAKED] = "leaked",
	[ROW_UNOBSERVABLE] = "unobservable", [ROW_MISSING] = "missing",
};

/* The evidence stands between quotes, so it may hold none itself. */
__attribute__((format(printf, 4, 0))) static void report(const char *kind, unsigned int row,
							 enum row_result result, const char *format,
							 va_list arguments)
{
	char evidence[EVIDENCE_MAX];
	size_t used = print_list(evidence, sizeof(evidence), format, arguments);

	for (size_t i = 0; i < used; i++) {
		if (evidence[i] == '"' || evidence[i] == '\n')
			evidence[i] = '\'';
	}
	console_line("%s %u %s \"%s\"", kind, row, result_words[result], evidence);
}

void report_row(unsigned int row, enum row_result result, const char *evidence, ...)
{
	va_list arguments;

	va_start(arguments, evidence);
	report("row", row, result, evidence, arguments);
	va_end(arguments);
}

void report_control(unsigned int row, enum row_result result, const char *evidence, ...)
{
	va_list arguments;

	va_start(arguments, evidence);
	report("control", row, result, evidence, arguments);
	va_end(arguments);
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
