/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/log.c - the kernel's log as lines with a time, whatever wrote them down.
 */
#include "log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory.h"
#include "text.h"

#define KERNEL_FACILITY 8u /* priorities below it; what programs write into /dev/kmsg has others */

static void set_time(struct log_line *line, enum log_clock clock, double seconds, const char *text,
		     size_t length)
{
	if (line->clock != LOG_NO_TIME)
		return;
	line->clock = clock;
	line->seconds = seconds;
	snprintf(line->when, sizeof(line->when), "%.*s", (int)length, text);
}

/* --- what stands before the kernel's words; each answers what is behind it, or `at` --- */

static const char *skip_spaces(const char *at)
{
	return at + strspn(at, " \t");
}

/* "<3>" */
static const char *skip_priority(const char *at)
{
	size_t digits = *at == '<' ? strspn(at + 1, "0123456789") : 0;

	return digits && at[1 + digits] == '>' ? at + digits + 2 : at;
}

/* "kern  :err   : ", dmesg -x */
static const char *skip_facility(const char *at)
{
	int length = 0;

	sscanf(at, "kern :%*[a-z] : %n", &length);
	return at + length;
}

static bool take_date(struct log_line *line, const char *text, const char *format, size_t length)
{
	struct tm date = { .tm_year = 70, .tm_mday = 1 };
	const char *end = strptime(text, format, &date);

	if (!end || end > text + length)
		return false;
	set_time(line, LOG_DATE, (double)timegm(&date), text, length);
	return true;
}

/* "[   12.345678]", "[Sun Nov 22 17:23:01 2026]", "[  T123]" for who said it. */
static const char *skip_bracket(struct log_line *line, const char *at)
{
	const char *inner = skip_spaces(at + (*at == '[')), *close = strchr(at, ']');
	char *end;
	double seconds;

	if (*at != '[' || !close)
		return at;
	if (isdigit((unsigned char)*inner)) {
		seconds = strtod(inner, &end);
		if (end != close)
			return at;
		set_time(line, LOG_BOOT, seconds, inner, (size_t)(close - inner));
		return close + 1;
	}
	if ((*inner == 'T' || *inner == 'C') && isdigit((unsigned char)inner[1]) &&
	    inner + 1 + strspn(inner + 1, "0123456789") == close)
		return close + 1;
	return take_date(line, inner, "%a %b %d %H:%M:%S %Y", (size_t)(close - inner)) ? close + 1
										       : at;
}

/* "2026-11-22T17:23:01.123456+00:00 " */
static const char *skip_iso(struct log_line *line, const char *at)
{
	size_t length = strcspn(at, " ");
	double fraction = 0;

	if (!isdigit((unsigned char)*at) || length < 19 ||
	    !take_date(line, at, "%Y-%m-%dT%H:%M:%S", length))
		return at;
	if (at[19] == '.' || at[19] == ',') {
		double unit = 0.1;

		for (size_t i = 20; isdigit((unsigned char)at[i]); i++, unit /= 10)
			fraction += (at[i] - '0') * unit;
	}
	line->seconds += fraction;
	return at + length;
}

/* "Nov 22 17:23:01 " */
static const char *skip_syslog(struct log_line *line, const char *at)
{
	if (!isupper((unsigned char)*at) || strlen(at) < 16 || at[15] != ' ' || at[9] != ':' ||
	    !take_date(line, at, "%b %d %H:%M:%S", 15))
		return at;
	return at + 15;
}

/* "host kernel: " */
static const char *skip_host(const char *at)
{
	const char *word = skip_spaces(at);
	const char *rest = skip_spaces(word + strcspn(word, " "));

	if (!strncmp(word, "kernel: ", 8))
		return word + 8;
	return !strncmp(rest, "kernel: ", 8) ? rest + 8 : at;
}

static const char *skip_all(struct log_line *line, const char *at)
{
	const char *before;

	do {
		before = at;
		at = skip_priority(at);
		at = skip_facility(at);
		at = skip_bracket(line, at);
		at = skip_iso(line, at);
		at = skip_syslog(line, at);
		at = skip_host(at);
		at = skip_spaces(at);
	} while (at != before);
	return at;
}

/* --- /dev/kmsg --- */

struct record {
	unsigned int priority;
	unsigned long long number, microseconds;
	const char *text; /* NULL: this is no record */
};

static struct record record_of(const char *line)
{
	struct record record = { 0 };
	int length = 0;

	if (!isdigit((unsigned char)*line) ||
	    sscanf(line, "%10u,%20llu,%20llu,%n", &record.priority, &record.number,
		   &record.microseconds, &length) != 3 ||
	    !length)
		return record;
	record.text = strchr(line + length, ';');
	record.text += record.text != NULL;
	return record;
}

/* "\x0a" is what the kernel makes of a line feed within a record. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		int code = text_escape(text);

		*out++ = code < 0 ? *text : code ? (char)(unsigned char)code : ' ';
		text += code < 0 ? 0 : TEXT_ESCAPE - 1;
	}
	*out = 0;
}

/* --- lines --- */

static void add_line(struct log *log, const struct log_line *time, const char *text)
{
	struct log_line line = *time;

	text = skip_all(&line, text);
	line.text = memory_copy(text);
	log->line = memory_grow(log->line, log->count, sizeof(*log->line));
	log->line[log->count++] = line;
}

static void add_record(struct log *log, const struct record *record)
{
	struct log_line time = { 0 };
	char *text = memory_copy(record->text), *at = text, *part, when[40];
	int length = snprintf(when, sizeof(when), "%llu.%06llu", record->microseconds / 1000000,
			      record->microseconds % 1000000);

	if (!log->count && record->number)
		log->gone = record->number;
	set_time(&time, LOG_BOOT, (double)record->microseconds / 1e6, when, (size_t)length);
	unescape(text);
	while ((part = strsep(&at, "\n")))
		add_line(log, &time, part);
	free(text);
}

static void add_any(struct log *log, const char *line, bool *in_records)
{
	const struct log_line nothing = { 0 };
	struct record record = record_of(line);

	/* " SUBSYSTEM=pci" belongs to the record above it. */
	if (*in_records && *line == ' ')
		return;
	*in_records = record.text != NULL;
	if (!record.text)
		add_line(log, &nothing, line);
	else if (record.priority < KERNEL_FACILITY)
		add_record(log, &record);
}

struct log *log_parse(const char *data, size_t count)
{
	struct log *log = memory_take(1, sizeof(*log));
	char *text = memory_take(count + 1, 1), *at = text, *line;
	bool in_records = false;

	for (size_t i = 0; i < count; i++)
		text[i] = data[i] && data[i] != '\r' ? data[i] : ' ';
	while ((line = strsep(&at, "\n"))) {
		if (*line)
			add_any(log, line, &in_records);
	}
	free(text);
	return log;
}

void log_free(struct log *log)
{
	for (size_t i = 0; i < log->count; i++)
		free(log->line[i].text);
	free(log->line);
	free(log);
}

enum root_answer log_read(struct root *root, struct root_bytes *bytes)
{
	return root_read(root, LOG_PATH, bytes);
}

static bool is_of_interest(const char *text)
{
	static const char *const words[] = { "DMAR",	   "dmar",   "AMD-Vi",	     "iommu",
					     "IOMMU",	   "Iommu",  "VFIO",	     "vfio",
					     "INTR-REMAP", "x2apic", "fault reason", "Event logged",
					     "ACS" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(text, words[i]))
			return true;
	}
	return false;
}

struct root_bytes log_of_interest(const struct root_bytes *bytes)
{
	char *text = memory_copy(bytes->data), *at = text, *kept = memory_take(bytes->count + 2, 1),
	     *out = kept, *line;
	bool first = true;

	while ((line = strsep(&at, "\n"))) {
		struct record record = record_of(line);
		size_t length = strlen(line);

		if (!record.text)
			continue;
		if (!is_of_interest(record.text) || record.priority >= KERNEL_FACILITY)
			length = first ? (size_t)(record.text - line) : 0;
		first = false;
		memcpy(out, line, length);
		out += length;
		if (length)
			*out++ = '\n';
	}
	free(text);
	return (struct root_bytes){ kept, (size_t)(out - kept) };
}
