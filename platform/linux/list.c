/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/list.c - `sallyport list` and `sallyport tree`: functions with their unit, group and driver.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "describe.h"
#include "options.h"
#include "table.h"

static const struct column columns[] = {
	{ "SBDF", "sbdf", "segment, bus, device and function", true, false, false },
	{ "IDS", "ids", "vendor and device", true, false, false },
	{ "UNIT", "unit", "the IOMMU that translates what it sends", true, false, false },
	{ "GROUP", "group", "the kernel's IOMMU group: given away as a whole", true, true, false },
	{ "TYPE", "type", "the group's default domain: DMA, DMA-FQ, identity", false, false,
	  false },
	{ "DRIVER", "driver", "that has it now", true, false, false },
	{ "NODE", "numa", "NUMA node", false, true, false },
	{ "ACS", "acs", "of a bridge: what is on, of what it has", true, false, false },
	{ "RESERVED", "reserved", "ranges that firmware keeps mapped for it", true, false, true },
	{ "REQUESTERS", "requesters", "ids that its requests may carry", false, false, false },
	{ "RESET", "reset", "methods, in the kernel's order", false, false, false },
	{ "VFS", "vfs", "virtual functions that are on, of how many", false, false, false },
	{ "CLASS", "class", "in words", false, false, false },
	{ "CHILDREN", "children", "disks and network interfaces", true, false, true },
	{ "NAME", "name", "vendor and device in words", true, false, false },
};

struct list {
	struct options options;
	bool tree;
};

static const struct argp_option list_options[] = {
	{ "tree", 't', NULL, 0, "as a tree: what is behind a bridge stands below it", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct list *list = state->input;

	(void)argument;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &list->options;
		return 0;
	case 't':
		list->tree = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int run(int argc, char **argv, bool tree)
{
	static const struct argp argp = {
		list_options,
		parse,
		OPTIONS_DEVICES,
		"Shows PCI functions with the IOMMU and the group that they are in.\v"
		"A DEVICE is 0000:03:00.0, 03:00.0, a pattern (\"0000:03:*\"), vendor:device (8086:10d3), or the name of "
		"a network interface or a disk. Without root, capabilities and firmware's tables cannot be read; what is "
		"not known is shown as \"?\".",
		options_children,
		NULL,
		NULL
	};
	struct list list = { .tree = tree };
	struct table table = { .column = columns,
			       .column_count = sizeof(columns) / sizeof(columns[0]) };
	struct machine *machine;
	struct root *root;
	bool *chosen;
	json_t *rows;

	options_parse(&argp, argc, argv, &list);
	root = root_open(list.options.sysroot);
	machine = machine_read(root);
	chosen = options_select(&list.options, machine);
	rows = describe_functions(machine, chosen);
	table.pick = list.options.columns;
	table.no_headings = list.options.no_headings;
	table.tree = list.tree;
	if (list.options.json)
		table_print_json("functions", rows);
	else
		table_print(&table, rows);
	if (!list.options.json)
		json_decref(rows);
	free(chosen);
	free(list.options.device);
	machine_free(machine);
	root_close(root);
	return EXIT_FINE;
}

int list_run(int argc, char **argv)
{
	return run(argc, argv, false);
}

int tree_run(int argc, char **argv)
{
	return run(argc, argv, true);
}
