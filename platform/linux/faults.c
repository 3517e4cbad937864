/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/faults.c - `sallyport faults`: what IOMMUs blocked, by the kernel's log.
 */
#include "faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "memory.h"
#include "options.h"
#include "say.h"
#include "table.h"
#include "version.h"

#define WIDTH	   96
#define READ_BYTES 65536u
#define READ_MOST  (256u << 20)

static const struct column columns[] = {
	{ "COUNT", "count", "how often: the same device, kind and range of pages", true, true,
	  false },
	{ "SBDF", "sbdf", "the function that sent the request", true, false, false },
	{ "ALIAS", "alias", "the id that it carried, where several send under it", false, false,
	  false },
	{ "SHARED", "shared", "who else sends under that id: it may have been one of them", true,
	  false, false },
	{ "DRIVER", "driver", "that has the function now", true, false, false },
	{ "GROUP", "group", "its IOMMU group", true, true, false },
	{ "CHILDREN", "children", "disks and network interfaces", true, false, false },
	{ "KIND", "kind", "what the unit found", true, false, false },
	{ "ADDRESS", "address", "first and last; of an interrupt, its index", true, false, false },
	{ "CODE", "code", "VT-d's fault reason, AMD-Vi's event", false, false, false },
	{ "REASON", "reason", "the code in words", false, false, false },
	{ "FLAGS", "flags", "AMD-Vi's", false, false, false },
	{ "DOMAIN", "domain", "AMD-Vi's number of the domain", false, false, false },
	{ "PASID", "pasid", "process address space, if the request carried one", false, false,
	  false },
	{ "FIRST", "first", "time of the first, as the log has it", true, false, false },
	{ "LAST", "last", "of the last", true, false, false },
	{ "RATE", "rate", "how many a second", false, true, false },
	{ "MEANS", "means", "what it means, in a sentence", false, false, true },
	{ "NEXT", "next", "what to do", false, false, true },
};

struct faults {
	struct options options; /* first: the parsers of options.h take it for themselves */
	const char *file;	/* NULL: the machine's own log; "-": standard input */
	bool elsewhere, verbose;
};

static const struct argp_option faults_options[] = {
	{ "verbose", 'v', NULL, 0, "say of each row what it means and what to do", 0 },
	{ "elsewhere", 'e', NULL, 0,
	  "FILE is of another machine: name no driver, group or disk of this one", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct faults *faults = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &faults->options;
		return 0;
	case 'v':
		faults->verbose = true;
		return 0;
	case 'e':
		faults->elsewhere = true;
		return 0;
	case ARGP_KEY_ARG:
		if (faults->file)
			argp_error(state, "one FILE is enough");
		faults->file = argument;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static FILE *open_stream(const char *name)
{
	FILE *stream = strcmp(name, "-") ? fopen(name, "re") : stdin;

	if (!stream)
		say_fatal(EXIT_USAGE, "%s: %s", name, strerror(errno));
	return stream;
}

static struct log *read_stream(const char *name)
{
	FILE *stream = open_stream(name);
	char *data = memory_take(READ_BYTES, 1);
	size_t room = READ_BYTES, count = 0, more;
	struct log *log;

	while ((more = fread(data + count, 1, room - count, stream)) && room < READ_MOST) {
		count += more;
		if (count == room) {
			char *larger = memory_take(2 * room, 1);

			memcpy(larger, data, count);
			free(data);
			data = larger;
			room *= 2;
		}
	}
	if (ferror(stream))
		say_fatal(EXIT_UNKNOWN, "%s: %s", name, strerror(errno));
	if (stream != stdin)
		fclose(stream);
	log = log_parse(data, count);
	free(data);
	return log;
}

static struct log *read_machine(struct root *root)
{
	struct root_bytes bytes;
	struct log *log;

	switch (log_read(root, &bytes)) {
	case ROOT_DENIED:
		say_fatal(
			EXIT_UNKNOWN,
			"the kernel's log cannot be read (kernel.dmesg_restrict): run as root, or give it: "
			"journalctl -k | sallyport faults -");
	case ROOT_ABSENT:
		say_fatal(EXIT_UNKNOWN, "there is no " LOG_PATH
					" here; give the log: journalctl -k | sallyport faults -");
	case ROOT_OK:
		break;
	}
	log = log_parse(bytes.data, bytes.count);
	if (log->gone)
		say_warning(
			"the kernel's log begins with record %llu: what was before it is overwritten; journalctl -k may have it",
			(unsigned long long)log->gone);
	return log;
}

/* --- for people --- */

static void print_wrapped(const char *text)
{
	size_t column = WIDTH;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column + 1 + word > WIDTH) {
			fputs("\n    ", stdout);
			column = 4;
		} else {
			putchar(' ');
			column++;
		}
		fwrite(text, 1, word, stdout);
		column += word;
		text += word + (text[word] == ' ');
	}
}

static const char *text_in(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

static void print_sharers(const json_t *shared, const char *alias)
{
	char *text = NULL, *more;
	const json_t *name;
	size_t i;

	json_array_foreach(shared, i, name)
	{
		more = memory_print("%s%s%s", text ?: "Or by ", text ? ", " : "",
				    json_string_value(name));
		free(text);
		text = more;
	}
	if (!text)
		return;
	more = memory_print("%s: they send under the same id, %s.", text, alias);
	print_wrapped(more);
	free(text);
	free(more);
}

static void print_advice(const json_t *row)
{
	const char *driver = text_in(row, "driver"), *address = text_in(row, "address"),
		   *reason = text_in(row, "reason"), *code = text_in(row, "code");

	printf("\n%s%s%s%s: %s", text_in(row, "sbdf") ?: "a device that is not named",
	       driver ? " (" : "", driver ?: "", driver ? ")" : "", text_in(row, "kind"));
	printf("%s%s%s%s%s%s%s", address ? " at " : "", address ?: "", code ? " [" : "", code ?: "",
	       reason ? ": " : "", reason ?: "", code ? "]" : "");
	print_sharers(json_object_get(row, "shared"), text_in(row, "alias"));
	print_wrapped(text_in(row, "means"));
	print_wrapped(text_in(row, "next"));
	putchar('\n');
}

static void print_lost(const struct fault_rows *rows)
{
	if (rows->lost)
		printf("%s%llu more were not printed by the kernel (rate limit).\n",
		       rows->count ? "\n" : "", (unsigned long long)rows->lost);
	if (rows->lost_more)
		printf("%sA unit dropped faults because its log was full: there were more than these.\n",
		       rows->count && !rows->lost ? "\n" : "");
}

static struct table table_of(const struct faults *faults)
{
	return (struct table){ .column = columns,
			       .column_count = sizeof(columns) / sizeof(columns[0]),
			       .pick = faults->options.columns,
			       .no_headings = faults->options.no_headings };
}

static void print_table(const struct faults *faults, const struct fault_rows *rows,
			const json_t *list)
{
	const struct table table = table_of(faults);

	if (rows->count || table.pick)
		table_print(&table, list);
	else if (!rows->lost && !rows->lost_more)
		puts("The log tells of no fault of an IOMMU.");
	for (size_t i = 0; faults->verbose && i < json_array_size(list); i++)
		print_advice(json_array_get(list, i));
	print_lost(rows);
}

/* Ends the program; what there is no log of has columns all the same. */
static void print_columns(const struct faults *faults)
{
	const struct table table = table_of(faults);
	json_t *none = json_array();

	table_print(&table, none);
	json_decref(none);
}

static void print_json(const struct fault_rows *rows, const struct log *log, json_t *list)
{
	json_t *document = json_pack("{s:s, s:O, s:I, s:b, s:I}", "sallyport", SALLYPORT_VERSION,
				     "faults", list, "lost", (json_int_t)rows->lost, "lost_more",
				     rows->lost_more, "gone", (json_int_t)log->gone);

	if (!document)
		say_fatal(EXIT_UNKNOWN, "out of memory");
	json_dumpf(document, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(document);
}

static int tell(const struct faults *faults, const struct machine *machine, const struct log *log)
{
	struct fault_rows *rows = fault_rows_read(log);
	json_t *list = faults_describe(machine, rows);
	bool found = rows->count || rows->lost || rows->lost_more;

	if (faults->options.json)
		print_json(rows, log, list);
	else
		print_table(faults, rows, list);
	json_decref(list);
	fault_rows_free(rows);
	return found ? EXIT_FINDINGS : EXIT_FINE;
}

int faults_run(int argc, char **argv)
{
	static const struct argp argp = {
		faults_options,
		parse,
		"[FILE]",
		"Decodes what IOMMUs blocked (DMAR and AMD-Vi lines of the kernel's log), counts it, and names the device.\v"
		"FILE is a log in any of the usual forms: dmesg, journalctl -k, syslog, /dev/kmsg; \"-\" is standard input. "
		"Without it the kernel's own log is read. Exit status: 0 no faults, 1 faults, 3 the log cannot be read.",
		options_children,
		NULL,
		NULL
	};
	struct faults faults = { 0 };
	struct machine *machine = NULL;
	struct root *root = NULL;
	struct log *log;
	int status;

	options_parse(&argp, argc, argv, &faults);
	if (faults.elsewhere && !faults.file)
		say_fatal(EXIT_USAGE, "--elsewhere is about a FILE, and none is given");
	if (faults.options.columns && !strcmp(faults.options.columns, "help"))
		print_columns(&faults);
	log = faults.file ? read_stream(faults.file) : NULL;
	if (!faults.elsewhere) {
		root = root_open(faults.options.sysroot);
		log = log ?: read_machine(root);
		machine = machine_read(root);
	}
	status = tell(&faults, machine, log);
	if (machine)
		machine_free(machine);
	if (root)
		root_close(root);
	log_free(log);
	return status;
}
