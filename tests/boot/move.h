/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/move.h - a port goes from one running Linux guest to another.
 *
 *   monitor  0000:00:12.0 was taken from first      by guests/move.monitor
 *   monitor  0000:00:12.0 was given to second
 *
 * The first guest's traffic through its other ports goes on; the second one's goes through the port.
 */
#pragma once

#include "nic.h"

enum {
	MOVE_PACKETS = 32000, /* of the first guest, as guests/move.conf says */
	MOVE_STEPS = 4
};

struct move {
	const struct machine *machine;
	struct nic first, second;
	bool taken, given;
	bool went_on; /* the first guest's last packet came after the port was given away */
	struct nic_finding step[MOVE_STEPS];
};

void move_begin(struct move *move, const struct machine *machine);
void move_read_line(struct move *move, const char *line);
void move_judge(struct move *move, const struct boot_result *ended);
bool move_is_good(const struct move *move);

extern const struct machine move_machine_table[];
extern const size_t move_machine_count;

void move_run(const struct runner *runner, const struct machine *machine, struct move *move);
void move_print(const struct move *move, FILE *output);
bool move_write(const char *path, const struct move *moves, size_t count, const char *qemu);
