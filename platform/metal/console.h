/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/console.h - the log: whole lines, never two CPUs in one line.
 * May be called on any CPU, with interrupts on or off, but not from an NMI.
 */
#pragma once

#include <stddef.h>

#define CONSOLE_LINE 512 /* longer lines are cut */

/* A line of the log: `topic   text`. */
__attribute__((format(printf, 2, 3))) void console_log(const char *topic, const char *format, ...);

/* A line as it is. */
__attribute__((format(printf, 1, 2))) void console_line(const char *format, ...);

/*
 * A piece of a line that is being typed, or that a guest writes character by character; `prefix` comes in
 * front of the first piece, and tells the lines apart (by its address). A line of anybody else ends it
 * before it begins. '\b' goes back within the line, not into the prefix.
 */
void console_part(const char *prefix, const char *text, size_t length);
/* The same for a line of which `text` is all: its last `added` characters, or, where somebody came between,
 * all of them again. */
void console_line_so_far(const char *prefix, const char *text, size_t length, size_t added);
void console_part_ends(const char *prefix);
/* Clears what stands right of the last character. */
void console_clear_rest(const char *prefix);

/* A line although some CPU may have stopped while it held the console. */
__attribute__((format(printf, 1, 2))) void console_line_forced(const char *format, ...);
