/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/snapshot.c - `sallyport snapshot`: all that the other commands would look at, as one file of text.
 *
 * Nothing lists the files of interest: the readers that the commands use are run, and what the root answered them is
 * written. So whatever a command can say of the machine, it says of the snapshot. root_file.c has the form.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "binding.h"
#include "command.h"
#include "log.h"
#include "options.h"
#include "ranges.h"
#include "redact.h"
#include "say.h"

#define ROW_BYTES 16u

struct snapshot {
	struct options options;
	const char *file; /* NULL: standard output */
	bool redact;
	const char *names; /* NULL: nobody wants to know what was redacted */
};

static void print_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == ' ' || *text == '\\' || iscntrl((unsigned char)*text))
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, out);
	}
}

/* Whole lines of what a person can read; the tab at a line's head means something else here. */
static bool is_text(const struct root_bytes *bytes)
{
	if (bytes->count && bytes->data[bytes->count - 1] != '\n')
		return false;
	for (size_t i = 0; i < bytes->count; i++) {
		unsigned char c = (unsigned char)bytes->data[i];

		if (c != '\n' && c != '\t' && !isprint(c) && c < 0x80)
			return false;
	}
	return true;
}

static void print_lines(FILE *out, const struct root_bytes *bytes)
{
	const char *at = bytes->data, *end = bytes->data + bytes->count;

	fputs(" |\n", out);
	while (at < end) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));

		fprintf(out, "\t%.*s\n", (int)(feed - at), at);
		at = feed + 1;
	}
}

static bool is_zero(const char *row, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (row[i])
			return false;
	}
	return true;
}

static void print_bytes(FILE *out, const struct root_bytes *bytes)
{
	fprintf(out, " : %zu\n", bytes->count);
	for (size_t at = 0; at < bytes->count; at += ROW_BYTES) {
		size_t count = bytes->count - at < ROW_BYTES ? bytes->count - at : ROW_BYTES;

		if (is_zero(bytes->data + at, count))
			continue;
		fprintf(out, "\t%03zx:", at);
		for (size_t i = 0; i < count; i++)
			fprintf(out, " %02x", (unsigned char)bytes->data[at + i]);
		fputc('\n', out);
	}
}

static void print_file(FILE *out, const struct root_bytes *bytes)
{
	const char *feed = memchr(bytes->data, '\n', bytes->count);

	if (!is_text(bytes))
		print_bytes(out, bytes);
	else if (feed && feed == bytes->data + bytes->count - 1)
		fprintf(out, " = %.*s\n", (int)(feed - bytes->data), bytes->data);
	else
		print_lines(out, bytes);
}

/* Of the log, what commands look for: the rest is nobody's business. */
static void print_log(FILE *out, const struct root_bytes *bytes)
{
	struct root_bytes kept = log_of_interest(bytes);

	print_lines(out, &kept);
	free((char *)(uintptr_t)kept.data);
}

static void print_note(FILE *out, const struct root_note *note)
{
	print_escaped(out, note->path);
	if (note->kind == ROOT_DIRECTORY)
		fputc('/', out);
	if (note->answer == ROOT_DENIED) {
		fputs(" ! denied\n", out);
		return;
	}
	switch (note->kind) {
	case ROOT_FILE:
		if (!strcmp(note->path, LOG_PATH))
			print_log(out, &note->bytes);
		else
			print_file(out, &note->bytes);
		return;
	case ROOT_LINK:
		fprintf(out, " -> %s\n", note->bytes.data);
		return;
	case ROOT_DIRECTORY:
		for (size_t i = 0; i < note->names.count; i++) {
			fputc(' ', out);
			print_escaped(out, note->names.name[i]);
		}
		fputc('\n', out);
		return;
	}
}

static void write_names(const struct redact *redact, const char *path)
{
	FILE *out = fopen(path, "we");

	if (out)
		redact_print_names(redact, out);
	if (!out || fclose(out))
		say_fatal(EXIT_USAGE, "%s: %s", path, strerror(errno));
}

static void print_redacted(FILE *out, const struct root_note *notes, size_t count,
			   const char *names)
{
	struct redact *redact = redact_start(notes, count);
	struct root_note *redacted = redact_notes(redact, notes, count);

	for (size_t i = 0; i < count; i++)
		print_note(out, &redacted[i]);
	redact_notes_free(redacted, count);
	if (names)
		write_names(redact, names);
	redact_end(redact);
}

static bool print_all(FILE *out, const struct snapshot *snapshot, struct root *root)
{
	const struct root_note *notes;
	size_t count;

	notes = root_notes(root, &count);
	fputs("sallyport-snapshot 1\n", out);
	if (snapshot->redact)
		print_redacted(out, notes, count, snapshot->names);
	for (size_t i = 0; i < count && !snapshot->redact; i++)
		print_note(out, &notes[i]);
	return !fflush(out) && !ferror(out);
}

enum {
	OPTION_REDACT = 0x200,
	OPTION_NAMES,
};

static const struct argp_option snapshot_options[] = {
	{ "redact", OPTION_REDACT, NULL, 0,
	  "without names of people and places, addresses, serial numbers, and what of the log and the command line is not "
	  "about IOMMUs",
	  0 },
	{ "names", OPTION_NAMES, "FILE", 0,
	  "with --redact: which word stands for which name, for you to keep", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct snapshot *snapshot = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &snapshot->options;
		return 0;
	case OPTION_REDACT:
		snapshot->redact = true;
		return 0;
	case OPTION_NAMES:
		snapshot->names = argument;
		return 0;
	case ARGP_KEY_ARG:
		if (snapshot->file)
			argp_error(state, "one FILE is enough");
		snapshot->file = argument;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int snapshot_run(int argc, char **argv)
{
	static const struct argp argp = {
		snapshot_options,
		parse,
		"[FILE]",
		"Writes all that the other commands look at into one file of text, to be given to them by --sysroot.\v"
		"Without FILE it is printed. Run it as root: what only root may read is noted as denied otherwise.",
		options_plain_children,
		NULL,
		NULL
	};
	struct snapshot snapshot = { 0 };
	struct root_bytes log;
	bool memory_seen;
	struct machine *machine;
	struct root *root;

	options_parse(&argp, argc, argv, &snapshot);
	if (snapshot.names && !snapshot.redact)
		say_fatal(EXIT_USAGE,
			  "--names is about what --redact took out, and that is not asked for");
	root = root_open(snapshot.options.sysroot);
	machine = machine_read(root);
	audit_free(audit_machine(machine));
	json_decref(ranges_describe(machine, &memory_seen));
	log_read(root, &log);
	binding_has_driver(root, BINDING_USUAL);
	if (snapshot.file && !freopen(snapshot.file, "we", stdout))
		say_fatal(EXIT_USAGE, "%s: %s", snapshot.file, strerror(errno));
	if (!print_all(stdout, &snapshot, root))
		say_fatal(EXIT_UNKNOWN, "the snapshot could not be written: %s", strerror(errno));
	machine_free(machine);
	root_close(root);
	return EXIT_FINE;
}
