/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/move_run.c - boots the guests of guests/move.conf, and tells what came of it.
 *
 *   out/boot-logs/<machine>-move.log, .qemu
 */
#include "move.h"

#include <jansson.h>
#include <stdlib.h>

static const char image[] = "sallyport.elf";

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

static void read_serial(struct move *move, const char *path)
{
	FILE *serial = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	while (serial && getline(&line, &size, serial) > 0)
		move_read_line(move, line);
	free(line);
	if (serial)
		fclose(serial);
}

void move_run(const struct runner *runner, const struct machine *machine, struct move *move)
{
	char serial[PATH_SIZE], errors[PATH_SIZE], path[PATH_SIZE], modules[4 * PATH_SIZE];
	/* Where guests/move.conf looks for them. */
	/* clang-format off */
	const char *more[] = {
		"-netdev", "hubport,hubid=0,id=port0",
		"-netdev", "hubport,hubid=0,id=port1",
		"-netdev", "hubport,hubid=0,id=port2",
		"-device", "e1000e,addr=0x10,netdev=port0,romfile=,mac=52:54:00:12:34:01",
		"-device", "e1000e,addr=0x11,netdev=port1,romfile=,mac=52:54:00:12:34:02",
		"-device", "e1000e,addr=0x12,netdev=port2,romfile=,mac=52:54:00:12:34:03",
		"-initrd", modules, NULL
	};
	/* clang-format on */
	const struct boot boot = { .machine = machine,
				   .image = path,
				   .append_more = "",
				   .more = more,
				   .serial = serial,
				   .errors = errors };
	struct boot_result ended;

	move_begin(move, machine);
	snprintf(path, sizeof(path), "%s/%s", runner->out, image);
	snprintf(serial, sizeof(serial), "%s/boot-logs/%s-move.log", runner->out, machine->name);
	snprintf(errors, sizeof(errors), "%s/boot-logs/%s-move.qemu", runner->out, machine->name);
	snprintf(modules, sizeof(modules),
		 "guests/move.conf,guests/move.monitor,%s/guests/vmlinuz,%s/guests/nic.gz,"
		 "%s/guests/second.gz",
		 runner->out, runner->out, runner->out);
	ended = qemu_boot(&runner->qemu, &boot);
	read_serial(move, serial);
	move_judge(move, &ended);
}

void move_print(const struct move *move, FILE *output)
{
	for (unsigned int i = 0; i < MOVE_STEPS; i++)
		fprintf(output, "%s %s move %u, %s: %s\n", move->step[i].good ? "ok" : "not ok",
			move->machine->name, i + 1, step_names[i], move->step[i].evidence);
	fflush(output);
}

bool move_write(const char *path, const struct move *moves, size_t count, const char *qemu)
{
	json_t *list = json_array(), *all;
	bool written;

	for (size_t i = 0; i < count; i++) {
		json_t *steps = json_array();

		for (unsigned int k = 0; k < MOVE_STEPS; k++)
			json_array_append_new(steps,
					      json_pack("{s:s, s:b, s:s}", "step", step_names[k],
							"good", moves[i].step[k].good, "evidence",
							moves[i].step[k].evidence));
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:f, s:o}", "name",
						moves[i].machine->name, "qemu", qemu, "seconds",
						moves[i].first.seconds, "steps", steps));
	}
	all = json_pack("{s:o}", "machines", list);
	written = all && json_dump_file(all, path, JSON_INDENT(2)) == 0;
	json_decref(all);
	return written;
}
