/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/move_run.c - boots the guests of guests/move.conf, and tells what came of it.
 *
 *   out/boot-logs/<machine>-move.log, .qemu
 */
#include "move.h"

#include "cable.h"
#include "steps.h"

static const char *const step_names[MOVE_STEPS] = {
	"a port changes its guest",
	"who loses it works on",
	"who gets it works with it",
	"every frame comes back",
};

const struct machine move_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, "EPYC", "tables=shared run=guests", NULL, 90, 0 },
	{ "vtd-separate", UNIT_VTD, "EPYC", "tables=separate run=guests", NULL, 90, 0 },
};
const size_t move_machine_count = sizeof(move_machine_table) / sizeof(move_machine_table[0]);

static void read_line(void *move, const char *line)
{
	move_read_line(move, line);
}

void move_run(const struct runner *runner, const struct machine *machine, struct move *move)
{
	const struct cable cable = { .machine = machine,
				     .log = "move",
				     .ports = 3,
				     .has_places = true,
				     .files = "guests/move.conf,guests/move.monitor",
				     .images = { "vmlinuz", "nic.gz", "second.gz" },
				     .read_line = read_line,
				     .context = move };
	struct boot_result ended;

	move_begin(move, machine);
	ended = cable_boot(runner, &cable);
	move_judge(move, &ended);
}

static struct steps steps_of(const struct move *move)
{
	return (struct steps){ "move",	   move->machine->name, step_names,
			       move->step, MOVE_STEPS,		move->first.seconds };
}

void move_print(const struct move *move, FILE *output)
{
	const struct steps steps = steps_of(move);

	steps_print(&steps, output);
}

bool move_write(const char *path, const struct move *moves, size_t count, const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct steps steps = steps_of(&moves[i]);

		json_array_append_new(list, steps_json(&steps, qemu));
	}
	return steps_write(path, list);
}
