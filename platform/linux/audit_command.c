/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit_command.c - `sallyport audit`: the verdicts as a table, then the evidence.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "command.h"
#include "finding.h"
#include "options.h"
#include "table.h"
#include "version.h"

static const struct column columns[] = {
	{ "SBDF", "sbdf", "segment, bus, device and function", true, false, false },
	{ "VERDICT", "verdict", "safe, conditional, could not tell, unsafe, impossible", true,
	  false, false },
	{ "GROUP", "group", "the kernel's IOMMU group", false, true, false },
	{ "NAME", "name", "vendor and device in words", true, false, true },
	{ "REASON", "reason", "the gravest finding", true, false, true },
};

struct audit_command {
	struct options options;
	bool verbose;
};

static const struct argp_option audit_options[] = {
	{ "verbose", 'v', NULL, 0, "evidence for every device, notes too", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct audit_command *command = state->input;

	(void)argument;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &command->options;
		return 0;
	case 'v':
		command->verbose = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* SGR: green, yellow, magenta, red. */
static const char *colour_of(const char *weight)
{
	if (!strcmp(weight, "safe"))
		return "\033[32m";
	if (!strcmp(weight, "condition") || !strcmp(weight, "conditional"))
		return "\033[33m";
	if (!strcmp(weight, "could not tell"))
		return "\033[35m";
	if (!strcmp(weight, "unsafe") || !strcmp(weight, "impossible"))
		return "\033[31m";
	return "";
}

static const char *colour_of_cell(const char *key, const char *cell)
{
	return strcmp(key, "verdict") ? "" : colour_of(cell);
}

static void print_weight(const char *weight)
{
	const char *colour = table_has_colour() ? colour_of(weight) : "";

	printf("%s%s%s", colour, weight, *colour ? "\033[0m" : "");
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static void print_findings(const json_t *findings)
{
	const json_t *finding;
	size_t i;

	json_array_foreach(findings, i, finding)
	{
		printf("  ");
		print_weight(text(finding, "weight"));
		printf("  %s: %s\n", text(finding, "id"), text(finding, "evidence"));
		if (*text(finding, "next"))
			printf("      next: %s\n", text(finding, "next"));
	}
}

static void print_details(const json_t *document, bool devices)
{
	const json_t *host = json_object_get(document, "host"), *device;
	size_t i;

	if (json_array_size(host)) {
		printf("\nthe host\n");
		print_findings(host);
	}
	json_array_foreach(json_object_get(document, "devices"), i, device)
	{
		if (!devices)
			return;
		printf("\n%s %s: ", text(device, "sbdf"), text(device, "name"));
		print_weight(text(device, "verdict"));
		putchar('\n');
		print_findings(json_object_get(device, "findings"));
	}
}

/* Bridges and the chipset are judged where they are asked for by name alone. */
static void drop_platform(const struct options *options, const struct machine *machine,
			  bool *chosen)
{
	for (size_t i = 0; options->device_count == 0 && i < machine->function_count; i++)
		chosen[i] = !machine->function[i].is_bridge &&
			    !function_is_chipset(&machine->function[i]);
}

/* Every host has a disk and an interface that it needs: without DEVICE, it is the host that is asked about. */
static enum audit_verdict worst_of(const struct audit *audit, const struct options *options,
				   const bool *chosen, bool *unknown)
{
	enum audit_verdict worst = audit->host.count ? audit->host.finding[0].weight : AUDIT_SAFE;

	/* A note, as it says nothing against a device of which the registers speak well. */
	if (!options->device_count && audit->settings.acs_override && worst == AUDIT_SAFE)
		worst = AUDIT_CONDITIONAL;
	*unknown = worst == AUDIT_UNKNOWN;
	for (size_t i = 0; options->device_count && i < audit->machine->function_count; i++) {
		if (!chosen[i])
			continue;
		*unknown |= audit->device[i].verdict == AUDIT_UNKNOWN;
		if (audit->device[i].verdict != AUDIT_UNKNOWN && audit->device[i].verdict > worst)
			worst = audit->device[i].verdict;
	}
	return worst;
}

/* What is known to be wrong is said before what is not known. */
static int exit_of(const struct audit *audit, const struct options *options, const bool *chosen)
{
	bool unknown;
	enum audit_verdict worst = worst_of(audit, options, chosen, &unknown);

	if (worst != AUDIT_SAFE && worst != AUDIT_UNKNOWN)
		return EXIT_FINDINGS;
	return unknown ? EXIT_UNKNOWN : EXIT_FINE;
}

static void print(const struct audit_command *command, const struct audit *audit,
		  const bool *chosen)
{
	struct table table = { .column = columns,
			       .column_count = sizeof(columns) / sizeof(columns[0]),
			       .pick = command->options.columns,
			       .no_headings = command->options.no_headings,
			       .colour = colour_of_cell };
	json_t *document = audit_describe(audit, chosen);

	if (command->options.json) {
		json_object_set_new(document, "sallyport", json_string(SALLYPORT_VERSION));
		json_dumpf(document, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		table_print(&table, json_object_get(document, "devices"));
		print_details(document, command->verbose || command->options.device_count);
	}
	json_decref(document);
}

int audit_run(int argc, char **argv)
{
	static const struct argp argp = {
		audit_options,
		parse,
		OPTIONS_DEVICES,
		"Tells which devices can be given to a guest, and why not. Reads only.\v"
		"A DEVICE is 0000:03:00.0, 03:00.0, a pattern (\"0000:03:*\"), vendor:device (8086:10d3), or the name of "
		"a network interface or a disk; without one, every function but bridges and the chipset. Exit status: 0 the "
		"DEVICEs are safe (without DEVICE: the host has no finding), 1 they are not, 3 could not tell.",
		options_children,
		NULL,
		NULL
	};
	struct audit_command command = { .verbose = false };
	struct machine *machine;
	struct audit *audit;
	struct root *root;
	bool *chosen;
	int status;

	options_parse(&argp, argc, argv, &command);
	root = root_open(command.options.sysroot);
	machine = machine_read(root);
	chosen = options_select(&command.options, machine);
	drop_platform(&command.options, machine, chosen);
	audit = audit_machine(machine);
	print(&command, audit, chosen);
	status = exit_of(audit, &command.options, chosen);
	audit_free(audit);
	free(chosen);
	free(command.options.device);
	machine_free(machine);
	root_close(root);
	return status;
}
