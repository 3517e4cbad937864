/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/parts.c - what is booted beside the matrix: each part on its machines, to its JSON. */
#include "parts.h"

#include "balloon.h"
#include "change.h"
#include "disk.h"
#include "display.h"
#include "dpdk.h"
#include "isolation.h"
#include "linux.h"
#include "move.h"
#include "nic.h"
#include "patch.h"
#include "serve.h"
#include "smp.h"
#include "startup.h"
#include "two.h"
#include "typing.h"
#include "vf.h"

#include <stdlib.h>
#include <string.h>

/*
 * What each part has under its name: a struct for a machine, and functions that fill, print, judge and
 * write it. The rows are those of one machine.
 */
#define RUN(kind, boot, rows_of, json)                                                      \
	static bool run_##kind(const struct runner *runner, const struct choice *choice)    \
	{                                                                                   \
		struct kind *all = calloc(choice->count, sizeof(*all));                     \
		bool good = all != NULL;                                                    \
		char path[PATH_SIZE];                                                       \
                                                                                            \
		print_plan(choice, rows_of);                                                \
		for (size_t i = 0; all && i < choice->count; i++) {                         \
			boot(runner, choice->machines[i], &all[i]);                         \
			kind##_print(&all[i], stdout);                                      \
			good = kind##_is_good(&all[i]) && good;                             \
		}                                                                           \
		snprintf(path, sizeof(path), "%s/" json, runner->out);                      \
		if (all && !kind##_write(path, all, choice->count, runner->qemu.version)) { \
			fprintf(stderr, "boot: %s cannot be written\n", path);              \
			good = false;                                                       \
		}                                                                           \
		free(all);                                                                  \
		return good;                                                                \
	}

static void print_plan(const struct choice *choice, unsigned int (*rows_of)(const struct machine *))
{
	unsigned int rows = 0;

	for (size_t i = 0; i < choice->count; i++)
		rows += rows_of(choice->machines[i]);
	printf("1..%u\n", rows);
	fflush(stdout);
}

/* The same for every machine. */
#define ROWS(kind, count)                                              \
	static unsigned int kind##_rows(const struct machine *machine) \
	{                                                              \
		(void)machine;                                         \
		return count;                                          \
	}

ROWS(nic, NIC_STEPS)
ROWS(move, MOVE_STEPS)
ROWS(two, two_count())
ROWS(smp, SMP_STEPS)
ROWS(balloon, BALLOON_STEPS)
ROWS(change, CHANGE_STEPS)
ROWS(serve, SERVE_STEPS)
ROWS(patch, PATCH_STEPS)
ROWS(typing, TYPING_ROWS)

RUN(nic, nic_run, nic_rows, "nic.json")
RUN(move, move_run, move_rows, "move.json")
RUN(two, two_run, two_rows, "two.json")
RUN(smp, smp_boot, smp_rows, "smp.json")
RUN(balloon, balloon_run, balloon_rows, "balloon.json")
RUN(change, change_run, change_rows, "change.json")
RUN(serve, serve_run, serve_rows, "serve.json")
RUN(patch, patch_run, patch_rows, "patch.json")
RUN(startup, startup_run, startup_count, "boot.json")
RUN(linux_host, linux_host_run, linux_host_count, "linux.json")
RUN(typing, typing_run, typing_rows, "typing.json")

/* These fill, print and write by themselves: dpdk compares several boots, all have more to write than steps. */
static bool run_dpdk(const struct runner *runner, const struct choice *choice)
{
	return dpdk_run_all(runner, choice->machines, choice->count, &dpdk_long);
}

static bool run_short_dpdk(const struct runner *runner, const struct choice *choice)
{
	return dpdk_run_all(runner, choice->machines, choice->count, &dpdk_short);
}

static bool run_disk(const struct runner *runner, const struct choice *choice)
{
	return disk_run_all(runner, choice->machines, choice->count);
}

static bool run_display(const struct runner *runner, const struct choice *choice)
{
	return display_run_all(runner, choice->machines, choice->count);
}

static bool run_isolation(const struct runner *runner, const struct choice *choice)
{
	return isolation_run_all(runner, choice->machines, choice->count);
}

static bool run_vf(const struct runner *runner, const struct choice *choice)
{
	return vf_run_all(runner, choice->machines, choice->count);
}

static const struct part part_table[] = {
	{ "nic", guest_machine_table, &guest_machine_count, run_nic },
	{ "move", move_machine_table, &move_machine_count, run_move },
	{ "two", two_machine_table, &two_machine_count, run_two },
	{ "smp", guest_machine_table, &guest_machine_count, run_smp },
	{ "balloon", guest_machine_table, &guest_machine_count, run_balloon },
	{ "change", guest_machine_table, &guest_machine_count, run_change },
	{ "serve", guest_machine_table, &guest_machine_count, run_serve },
	{ "patch", patch_machine_table, &patch_machine_count, run_patch },
	{ "boot", startup_machine_table, &startup_machine_count, run_startup },
	{ "typing", typing_machine_table, &typing_machine_count, run_typing },
	{ "dpdk", guest_machine_table, &guest_machine_count, run_dpdk },
	{ "dpdk-short", guest_machine_table, &guest_machine_count, run_short_dpdk },
	{ "isolation", isolation_machine_table, &isolation_machine_count, run_isolation },
	{ "linux", linux_machine_table, &linux_machine_count, run_linux_host },
	{ "disk", guest_machine_table, &guest_machine_count, run_disk },
	{ "display", guest_machine_table, &guest_machine_count, run_display },
	{ "vf", guest_machine_table, &guest_machine_count, run_vf },
};

const struct part *part_find(const char *name)
{
	for (size_t i = 0; i < sizeof(part_table) / sizeof(part_table[0]); i++)
		if (strcmp(part_table[i].name, name) == 0)
			return &part_table[i];
	return NULL;
}
