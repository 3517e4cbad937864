/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/main.c - `sallyport`: which device of a Linux host can be given to a guest, and the proof that its DMA
 * is contained.
 *
 *   sallyport COMMAND [OPTION...] [DEVICE...]
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "memory.h"
#include "say.h"
#include "version.h"

static const struct command commands[] = {
	{ "list", "PCI functions with unit, group, driver, and what hangs at them", list_run },
	{ "tree", "the same below the bridges that lead to them", tree_run },
	{ "audit", "may a device be given to a guest? The verdict, the evidence, the next command",
	  audit_run },
	{ "faults", "what IOMMUs blocked, from the kernel's log: who, where, why", faults_run },
	{ "verify", "proof that a device's DMA is contained, by driving it", verify_run },
	{ "bind", "gives functions, and their group, to vfio-pci", bind_run },
	{ "unbind", "takes functions from their driver", unbind_run },
	{ "restore", "undoes bind and unbind, by their journal", restore_run },
	{ "snapshot", "all that these commands look at, as one file for --sysroot", snapshot_run },
	{ "report", "all of this as one page of HTML, with pictures", report_run },
	{ "lab", "the machines of the demo in QEMU, their options explained", lab_run },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fputs("usage: sallyport COMMAND [OPTION...] [DEVICE...]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].what);
	fputs("\n`sallyport COMMAND --help` tells the rest. Exit status: 0 fine, 1 findings, 2 usage, 3 could not tell.\n",
	      out);
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

/* argp names the program after its first argument. */
static int run(const struct command *command, int argc, char **argv)
{
	argv[0] = memory_print("sallyport %s", command->name);
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct command *command;
	char *help[] = { NULL, "--help", NULL };

	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("sallyport " SALLYPORT_VERSION);
		return EXIT_FINE;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h") ||
	    (!strcmp(name, "help") && argc == 2)) {
		print_help(stdout);
		return EXIT_FINE;
	}
	if (!*name) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	command = command_find(strcmp(name, "help") ? name : argv[2]);
	if (!command)
		say_fatal(EXIT_USAGE, "%s: no such command; `sallyport --help` lists them",
			  strcmp(name, "help") ? name : argv[2]);
	return strcmp(name, "help") ? run(command, argc - 1, argv + 1) : run(command, 2, help);
}
