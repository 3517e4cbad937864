/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/cable.h - one boot of a part: guests whose ports hang on one cable.
 *
 *   out/boot-logs/<machine>-<log>.log    what the serial line said, handed on line by line
 *                             .qemu      what QEMU said
 */
#pragma once

#include "run.h"

enum {
	CABLE_PORTS = 4,
	CABLE_FILES = 4
};

struct cable {
	const struct machine *machine;
	const char *log;
	const char *image;  /* of the runner's directory; NULL: sallyport.elf */
	const char *append; /* to its command line; NULL: nothing */
	const char *cpus;   /* of the machine, in all; NULL: as its options say */
	unsigned int ports;
	bool has_places;   /* at 00:10.0 and on, where guest.conf looks for them */
	const char *files; /* in the tree, with commas: guest.conf, and a monitor's; or NULL */
	const char *images[CABLE_FILES]; /* of <out>/guests/ */
	const char *const *more;	 /* words for QEMU, NULL at their end; or NULL */
	const char *const *marks;	 /* as in struct boot: it ends there */
	const char *line; /* QEMU's name for the serial line: who has it writes the log; or NULL */
	void (*meanwhile)(
		void *context); /* a few times a second, and once behind its end; or NULL */
	void (*read_line)(void *context, const char *line); /* NULL: nobody reads */
	void *context;
};

struct boot_result cable_boot(const struct runner *runner, const struct cable *cable);
