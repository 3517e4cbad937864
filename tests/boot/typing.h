/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/typing.h - `make run`, typed at: a guest's shell and the monitor, through a terminal.
 *
 *   pty: what a row types --> boot run --> QEMU's serial line --> what the row wants to see
 */
#pragma once

#include "nic.h"

enum {
	TYPING_ROWS = 21
};

struct typing_row {
	const char *name;
	const char *typed;
	const char *wanted;
};
extern const struct typing_row typing_table[TYPING_ROWS];

struct typing {
	const struct machine *machine;
	struct nic_finding row[TYPING_ROWS];
	double seconds;
};

bool typing_is_good(const struct typing *typing);

extern const struct machine typing_machine_table[];
extern const size_t typing_machine_count;

void typing_run(const struct runner *runner, const struct machine *machine, struct typing *typing);
void typing_print(const struct typing *typing, FILE *output);
bool typing_write(const char *path, const struct typing *typings, size_t count, const char *qemu);
