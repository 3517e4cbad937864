/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/options.h - the options that commands share, and the devices that they are given.
 *
 *   struct mine { struct options options; bool dry_run; };
 *   static const struct argp argp = { mine_options, mine_parse, OPTIONS_DEVICES, "..", options_children };
 *   options_parse(&argp, argc, argv, &mine);      mine_parse() is asked first for what is its own
 *
 * argp_parse(3) does the parsing, --help and the usage; what is wrong ends the program with EXIT_USAGE.
 */
#pragma once

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "machine.h"

#define OPTIONS_DEVICES "[DEVICE...]"

/* First in a command's own struct. */
struct options {
	const char *sysroot; /* NULL: this machine */
	bool json;
	bool no_headings;
	const char *columns; /* NULL: the usual ones */
	char **device;
	size_t device_count;
};

extern const struct argp_child options_children[];

/* Options alone, without -o and -n: for commands that print no table. */
extern const struct argp_child options_plain_children[];

void options_parse(const struct argp *argp, int argc, char **argv, void *mine);

/*
 * Which functions are meant: sbdf with or without its domain, a pattern of one ("0000:03:*"), vendor:device
 * ("8086:10d3"), or the name of what hangs at one ("eth0", "nvme0n1"). A flag for each function of the machine,
 * to be freed; all true where none was named. What fits nothing ends the program with EXIT_USAGE and a hint.
 */
bool *options_select(const struct options *options, const struct machine *machine);
