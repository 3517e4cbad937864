/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/journal.h - what was done to drivers, so that it can be undone: one JSON line a step, written and synced
 * before the step is taken.
 *
 *   {"step": 1, "sbdf": "0000:01:00.0", "act": "unbind", "was": "nvme", "to": null}
 *   {"step": 2, "sbdf": "0000:01:00.0", "act": "override", "was": null, "to": "vfio-pci"}
 *   {"step": 3, "sbdf": "0000:01:00.0", "act": "bind", "was": null, "to": "vfio-pci"}
 *   {"undone": 3}
 *   {"step": 4, "sbdf": "0000:01:00.0", "act": "bind", "was": null, "to": null}
 *   {"step": 4, "got": "nvme"}
 *
 * Where the kernel chooses the driver (`to` is null), which one came is noted once it is there: it alone is taken away again.
 * A step that stands there may not have been taken: undoing looks at what is, first. When all is undone the file is
 * emptied. It is in /run: drivers are what the kernel chooses after a reboot, and so is the journal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define JOURNAL_PATH "/run/sallyport/journal"

enum journal_act {
	JOURNAL_UNBIND,	  /* from driver `was` */
	JOURNAL_OVERRIDE, /* driver_override, from `was` to `to` */
	JOURNAL_BIND,	  /* to driver `to`; NULL: to the kernel's choice, which `got` tells */
};

struct journal_step {
	unsigned int number;
	char *sbdf;
	enum journal_act act;
	char *was, *to; /* NULL: none */
	char *got;
	bool undone;
};

struct journal {
	int fd; /* -1: there is none, and nothing is undone */
	const char *path;
	bool dry;		   /* only looked at */
	struct journal_step *step; /* as written, oldest first */
	size_t count;
};

/*
 * Reads what is there and locks it. NULL where it cannot be, or holds what is no journal, which is said with the line. A last line that was cut off by a crash is a step that was not taken.
 */
struct journal *journal_open(const char *path, bool dry);
void journal_close(struct journal *journal);

/* Takes no texts over. False, and said: then the step must not be taken. */
bool journal_note(struct journal *journal, const char *sbdf, enum journal_act act, const char *was,
		  const char *to);
/* Which driver the kernel chose in the newest step. */
bool journal_got(struct journal *journal, const char *driver);
bool journal_undo(struct journal *journal, struct journal_step *step);
