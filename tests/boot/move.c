/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/move.c - a port goes from one running Linux guest to another: the verdict. */
#include "move.h"

#include "steps.h"

#include <string.h>

void move_begin(struct move *move, const struct machine *machine)
{
	*move = (struct move){
		.machine = machine,
		.first = { .guest = "first", .packets = MOVE_PACKETS, .wanted = 4 },
		.second = { .guest = "second", .packets = NIC_PACKETS, .wanted = 2 },
	};
}

void move_read_line(struct move *move, const char *line)
{
	static const char word[] = "monitor  0000:00:12.0 was ";
	const unsigned int sent = move->first.sent;

	nic_read_line(&move->first, line);
	nic_read_line(&move->second, line);
	if (move->first.sent != sent)
		move->went_on = move->given;
	if (strncmp(line, word, strlen(word)) != 0)
		return;
	move->taken = move->taken || strstr(line, "taken from first");
	move->given = move->given || (move->taken && strstr(line, "given to second"));
}

static bool frames_are_back(const struct nic *nic)
{
	return nic->step[NIC_FRAMES].good;
}

void move_judge(struct move *move, const struct boot_result *ended)
{
	const struct nic *first = &move->first, *second = &move->second;

	nic_judge(&move->first, ended);
	nic_judge(&move->second, ended);
	steps_find(&move->step[0], move->given, "%s",
		   move->given	 ? "taken from first, given to second, both running"
		   : move->taken ? "taken, but not given"
				 : "not taken");
	steps_find(&move->step[1],
		   first->step[NIC_TRAFFIC].good && first->step[NIC_INTERRUPTS].good &&
			   first->step[NIC_CONTAINED].good && move->went_on,
		   "%s, %s; %s; %s", first->step[NIC_TRAFFIC].evidence,
		   move->went_on ? "to behind the move" : "the last before the move",
		   first->step[NIC_INTERRUPTS].evidence, first->step[NIC_CONTAINED].evidence);
	steps_find(&move->step[2],
		   second->step[NIC_TRAFFIC].good && second->step[NIC_INTERRUPTS].good &&
			   second->step[NIC_CONTAINED].good,
		   "%s; %s; %s", second->step[NIC_TRAFFIC].evidence,
		   second->step[NIC_INTERRUPTS].evidence, second->step[NIC_CONTAINED].evidence);
	steps_find(&move->step[3],
		   frames_are_back(first) && frames_are_back(second) && first->step[NIC_END].good,
		   "first: %s; second: %s; %s", first->step[NIC_FRAMES].evidence,
		   second->step[NIC_FRAMES].evidence, first->step[NIC_END].evidence);
}

bool move_is_good(const struct move *move)
{
	for (unsigned int i = 0; i < MOVE_STEPS; i++)
		if (!move->step[i].good)
			return false;
	return true;
}
