/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/actor.h - the one thing that writes: which driver has a function.
 *
 *   binding_perform() --> struct actor --+--> sysfs of this machine, or of a directory      actor.c
 *                                        +--> lines of shell, for --dry-run                 actor_printer.c
 *                                        +--> a test's kernel                               tests/linux/bind_test.c
 *
 * Paths are those of a root: no '/' at the head. What is asked is always the present, never what a root remembers.
 */
#pragma once

#include "machine.h"

#define ACTOR_DEVICES "sys/bus/pci/devices"
#define ACTOR_DRIVERS "sys/bus/pci/drivers"

struct actor {
	/* 0, or an errno. */
	int (*write)(struct actor *actor, const char *path, const char *text);
	/* To be freed; NULL: none. */
	char *(*driver)(struct actor *actor, const char *sbdf);
	char *(*override)(struct actor *actor, const char *sbdf);
	void (*close)(struct actor *actor);
};

/* Below a directory, "/" for this machine. Ends the program where it is none. */
struct actor *actor_open(const char *directory);

/* Prints what would be written, and goes on as if it had been. */
struct actor *actor_printer(const struct machine *machine);
