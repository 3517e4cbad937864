/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/qemu.h - the emulator: which one, one run of it.
 */
#pragma once

#include "machines.h"
#include "spelling.h"

enum {
	QEMU_WORDS = 16,
	QEMU_TEXT = 1024,
	QEMU_MARKS = 4
};

struct qemu {
	char text[QEMU_TEXT];		   /* what words point into */
	const char *words[QEMU_WORDS + 1]; /* the command, NULL at its end */
	char version[32];		   /* "7.2.22" */
	unsigned int number;		   /* 7.2.22 is 70222 */
};

/* Marks that were seen, and when: seconds from the start. */
struct boot_seen {
	unsigned int count;
	double at[QEMU_MARKS];
	double cpu[QEMU_MARKS]; /* seconds of the process's busiest thread: a CPU that computes */
};

/* One run of one machine. */
struct boot {
	const struct machine *machine;
	const char *image;
	const char *append_more; /* "" or what follows the machine's own options */
	const char *const *more; /* more words for QEMU, NULL at their end; or NULL */
	const char *serial;	 /* path: what the hypervisor says */
	const char *errors;	 /* path: what QEMU itself says */
	const char *line;	 /* instead of `serial`: QEMU's name for the serial line; or NULL */
	const char *const
		*marks;	    /* texts to wait for on the serial line, NULL at their end; or NULL */
	bool ends_at_marks; /* when all were seen, in their order, the machine is stopped */
	struct boot_seen *seen; /* with marks: which, and when */
	/* called a few times a second */
	void (*progress)(void *context, double seconds);
	void *context;
};

enum boot_end {
	BOOT_EXITED,
	BOOT_KILLED,
	BOOT_TIMED_OUT,
	BOOT_STOPPED, /* at its last mark */
	BOOT_NOT_STARTED
};

struct boot_result {
	enum boot_end end;
	int status; /* of BOOT_EXITED: exit status; of BOOT_KILLED: signal */
	double seconds;
};

/*
 * isa-debug-exit turns the number that is written into twice the number and one: the hypervisor
 * writes 16 and 17, which no end of QEMU's own can be mistaken for.
 */
enum {
	QEMU_EXIT_SUCCESS = 33,
	QEMU_EXIT_FAILURE = 35
};

/* Finds out what `command` is; false with a message that says what to do. */
bool qemu_find(struct qemu *qemu, const char *command, char *message, size_t size);

/* This process becomes QEMU; returns where that cannot be. */
void qemu_become(const struct qemu *qemu, const struct boot *boot);
struct boot_result qemu_boot(const struct qemu *qemu, const struct boot *boot);
unsigned int qemu_time_limit(const struct machine *machine);
