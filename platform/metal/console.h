/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/console.h - the log: whole lines, never two CPUs in one line.
 * May be called on any CPU, with interrupts on or off, but not from an NMI.
 */
#pragma once

#define CONSOLE_LINE 512 /* longer lines are cut */

/* A line of the log: `topic   text`. */
__attribute__((format(printf, 2, 3))) void console_log(const char *topic, const char *format, ...);

/* A line as it is. */
__attribute__((format(printf, 1, 2))) void console_line(const char *format, ...);

/* A line although some CPU may have stopped while it held the console. */
__attribute__((format(printf, 1, 2))) void console_line_forced(const char *format, ...);
