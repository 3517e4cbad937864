/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/spelling.h - a machine as options of QEMU, each with its reason. The boot runner starts these, and
 * `sallyport lab` prints and starts them too.
 */
#pragma once

#include "machines.h"

enum {
	SPELLING_OPTIONS = 24
};

struct spelling_option {
	const char *name;  /* "-device" */
	const char *value; /* NULL: none */
	const char *why;   /* a few words */
};

struct spelling {
	struct spelling_option option[SPELLING_OPTIONS];
	size_t count;
};

struct spelling_wish {
	const struct machine *machine;
	unsigned int version; /* of QEMU: 7.2.22 is 70222 */
	const char *image;    /* a kernel, of Linux or the hypervisor */
	const char *append;   /* its command line */
	const char *serial;   /* QEMU's name for the serial line */
};

/* Points into the wish. */
void spelling_of(struct spelling *spelling, const struct spelling_wish *wish);

/* At most twice SPELLING_OPTIONS; how many. */
size_t spelling_words(const struct spelling *spelling, const char **words);

/* "AMD-Vi", "VT-d in scalable mode", "none". */
const char *spelling_unit_name(enum unit_kind unit);

/* The -device option of a unit for this version, NULL for no unit. */
const char *qemu_unit_option(unsigned int version, enum unit_kind unit);

/* "QEMU emulator version 7.2.22 (Debian ...)" -> 70222; 0 when it is no such line. */
unsigned int qemu_version_from_text(const char *text, char *version, size_t size);
