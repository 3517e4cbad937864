/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/log.h - the kernel's log as lines with a time, whatever wrote them down.
 *
 *   6,1042,12345678,-;DMAR: DRHD: handling ..          /dev/kmsg: priority, number, microseconds, flags; \x0a is a line feed
 *   [   12.345678] DMAR: DRHD: ..                      dmesg; also behind <3>, with [T123], as a date (-T)
 *   Nov 22 17:23:01 host kernel: DMAR: ..              syslog, journalctl -k
 *   2026-11-22T17:23:01.123456+00:00 host kernel: ..   the same with ISO dates
 *   DMAR: DRHD: ..                                     pasted
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "root.h"

#define LOG_PATH "dev/kmsg"

enum log_clock {
	LOG_NO_TIME,
	LOG_BOOT, /* seconds since the kernel started */
	LOG_DATE, /* seconds that may be subtracted from others of this clock */
};

struct log_line {
	char *text; /* without what stands before the kernel's words */
	enum log_clock clock;
	double seconds;
	char when[40]; /* as it was written; "" */
};

struct log {
	struct log_line *line;
	size_t count;
	uint64_t gone; /* records of /dev/kmsg that were overwritten before it was read */
};

/* Any bytes; what is no text is taken for spaces. */
struct log *log_parse(const char *data, size_t count);
void log_free(struct log *log);

/* The machine's own. */
enum root_answer log_read(struct root *root, struct root_bytes *bytes);

/*
 * Of /dev/kmsg, the records that some command looks for: units, groups, VFIO. The first is kept without its text, since
 * its number tells what is gone. data is to be freed.
 */
struct root_bytes log_of_interest(const struct root_bytes *bytes);
