/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/use.h - what the host itself needs of its devices: mounted disks, swap, the default route, the console.
 *
 *   proc/self/mountinfo, proc/swaps --> major:minor --> sys/dev/block --> slaves of dm, md .. --> disk -+
 *   proc/net/route, ipv6_route --> interface --> lower_* of bridges, bonds, vlans ----------------------+--> function
 *   boot_vga, sys/class/graphics, sys/class/tty/console/active, keyboards ------------------------------+
 */
#pragma once

#include "machine.h"

enum use_kind {
	USE_ROOT_DISK, /* "/" or what the machine boots from lies on it */
	USE_SWAP,
	USE_DISK, /* another file system that is mounted */
	USE_ROUTE,
	USE_CONSOLE,  /* the boot display, or what the kernel prints to */
	USE_KEYBOARD, /* a USB controller with a keyboard at it */
};

struct use {
	enum use_kind kind;
	int function;  /* index in machine.function */
	char *child;   /* "nvme0n1", "eth0"; NULL: the function itself */
	char *purpose; /* "/, /boot", "swap", "the default route"; all texts are text_plain() */
	const char *source; /* the file that says so */
	char *way;	    /* "dm-0, md0": what lies between; "": nothing */
};

/* What is in use but could not be followed, or a file that could not be read: which devices it may lead to. */
enum use_side {
	USE_OF_DISKS,
	USE_OF_INTERFACES,
};

struct use_lost {
	enum use_side side;
	char *sentence;
};

struct uses {
	struct use *use;
	size_t count;
	struct use_lost *lost;
	size_t lost_count;
};

struct uses *uses_read(const struct machine *machine);
void uses_free(struct uses *uses);

/* "nvme0n1 holds / (through dm-0)"; to be freed. */
char *use_sentence(const struct use *use);
