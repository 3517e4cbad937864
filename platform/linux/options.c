/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/options.c - the options that commands share, and the devices that they are given.
 */
#include "options.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "memory.h"
#include "say.h"

enum {
	OPTION_SYSROOT = 0x100,
	OPTION_JSON,
};

static const struct argp_option plain_options[] = {
	{ "sysroot", OPTION_SYSROOT, "DIR|FILE", 0,
	  "look at a copied tree, or at a file that `sallyport snapshot` wrote, instead of this machine",
	  10 },
	{ "json", OPTION_JSON, NULL, 0, "print JSON", 10 },
	{ 0 },
};

static const struct argp_option table_options[] = {
	{ "output", 'o', "COLUMNS", 0,
	  "these columns; a list with commas, `+` before it to add to the usual; `help` to see them",
	  11 },
	{ "noheadings", 'n', NULL, 0, "no line of headings", 11 },
	{ 0 },
};

static error_t parse_plain(int key, char *argument, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case OPTION_SYSROOT:
		options->sysroot = argument;
		return 0;
	case OPTION_JSON:
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		options->device =
			memory_grow(options->device, options->device_count, sizeof(char *));
		options->device[options->device_count++] = argument;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t parse_table(int key, char *argument, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options;
		return 0;
	case 'o':
		options->columns = argument;
		return 0;
	case 'n':
		options->no_headings = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp plain_argp = { plain_options, parse_plain, NULL, NULL, NULL, NULL, NULL };
const struct argp_child options_plain_children[] = { { &plain_argp, 0, NULL, 0 },
						     { NULL, 0, NULL, 0 } };

static const struct argp table_argp = { table_options,		parse_table, NULL, NULL,
					options_plain_children, NULL,	     NULL };
const struct argp_child options_children[] = { { &table_argp, 0, NULL, 0 }, { NULL, 0, NULL, 0 } };

void options_parse(const struct argp *argp, int argc, char **argv, void *mine)
{
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(argp, argc, argv, 0, NULL, mine);
}

static bool is_child(const struct machine_function *function, const char *pattern)
{
	for (size_t i = 0; i < function->child.count; i++) {
		if (!fnmatch(pattern, function->child.name[i], 0))
			return true;
	}
	return false;
}

static bool fits(const struct machine_function *function, const char *asked)
{
	char identity[10];
	sp_sbdf_t sbdf;

	if (machine_parse_sbdf(asked, &sbdf))
		return sbdf.sbdf == function->sbdf.sbdf;
	snprintf(identity, sizeof(identity), "%04x:%04x", function->vendor, function->device);
	return !fnmatch(asked, function->name, 0) || !strcasecmp(asked, identity) ||
	       is_child(function, asked);
}

bool *options_select(const struct options *options, const struct machine *machine)
{
	bool *chosen = memory_take(machine->function_count, sizeof(bool));

	for (size_t i = 0; i < machine->function_count; i++)
		chosen[i] = options->device_count == 0;
	for (size_t i = 0; i < options->device_count; i++) {
		bool found = false;

		for (size_t j = 0; j < machine->function_count; j++) {
			if (fits(&machine->function[j], options->device[i]))
				chosen[j] = found = true;
		}
		if (!found)
			say_fatal(
				EXIT_USAGE,
				"%s: no such PCI function, interface or disk; `sallyport list` shows what is there",
				options->device[i]);
	}
	return chosen;
}
