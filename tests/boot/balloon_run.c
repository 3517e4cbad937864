/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/balloon_run.c - boots the guests of guests/balloon.conf, and tells what came of it; then
 * again by the image with mutants, until a canary breaks.
 *
 *   out/boot-logs/<machine>-balloon.log, .qemu; <machine>-balloon-control.log, .qemu
 */
#include "balloon.h"

#include "steps.h"

#include <stdlib.h>

static const char *const step_names[BALLOON_STEPS] = {
	[BALLOON_LEAVES] = "memory goes from a running guest to another",
	[BALLOON_CANARIES] = "nobody writes to what went",
	[BALLOON_RECEIVES] = "the ports go on receiving",
	[BALLOON_AIMED] = "a port that is aimed at what went is blocked there, and named",
	[BALLOON_AGAIN] = "memory comes again",
	[BALLOON_FRAMES] = "every frame comes back",
	[BALLOON_CONTROL] = "control, units not told of what is exchanged: a canary breaks",
};

const struct machine balloon_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, "EPYC", "tables=shared run=guests", NULL, 60, 0 },
	{ "amdvi-separate", UNIT_AMDVI, "EPYC", "tables=separate run=guests", NULL, 60, 0 },
	{ "vtd-separate", UNIT_VTD, "EPYC", "tables=separate run=guests", NULL, 60, 0 },
};
const size_t balloon_machine_count =
	sizeof(balloon_machine_table) / sizeof(balloon_machine_table[0]);

/* One run of a machine: as built, or the control. */
struct attempt {
	const char *image, *append, *suffix;
	const char *const *marks;
};

static const char *const broken_mark[] = { "canary broken", "\n", NULL };
static const struct attempt as_built = { "sallyport.elf", "", "balloon", NULL };
static const struct attempt control = { "sallyport-mutants.elf", " leave-out=exchange",
					"balloon-control", broken_mark };

static void read_serial(struct balloon *balloon, const char *path)
{
	FILE *serial = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	while (serial && getline(&line, &size, serial) > 0)
		balloon_read_line(balloon, line);
	free(line);
	if (serial)
		fclose(serial);
}

static struct boot_result run(const struct runner *runner, const struct machine *machine,
			      const struct attempt *attempt, struct balloon *balloon)
{
	char serial[PATH_SIZE], errors[PATH_SIZE], path[PATH_SIZE], modules[4 * PATH_SIZE];
	/* Where guests/balloon.conf looks for them. */
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
	struct boot_seen seen = { .count = 0 };
	const struct boot boot = { .machine = machine,
				   .image = path,
				   .append_more = attempt->append,
				   .more = more,
				   .serial = serial,
				   .errors = errors,
				   .marks = attempt->marks,
				   .ends_at_marks = attempt->marks != NULL,
				   .seen = &seen };
	struct boot_result ended;

	balloon_begin(balloon, machine, runner->qemu.number);
	snprintf(path, sizeof(path), "%s/%s", runner->out, attempt->image);
	snprintf(serial, sizeof(serial), "%s/boot-logs/%s-%s.log", runner->out, machine->name,
		 attempt->suffix);
	snprintf(errors, sizeof(errors), "%s/boot-logs/%s-%s.qemu", runner->out, machine->name,
		 attempt->suffix);
	snprintf(modules, sizeof(modules),
		 "guests/balloon.conf,guests/balloon.monitor,%s/guests/vmlinuz,"
		 "%s/guests/balloon.gz,%s/guests/receiver.gz",
		 runner->out, runner->out, runner->out);
	ended = qemu_boot(&runner->qemu, &boot);
	read_serial(balloon, serial);
	return ended;
}

void balloon_run(const struct runner *runner, const struct machine *machine,
		 struct balloon *balloon)
{
	struct boot_result ended = run(runner, machine, &as_built, balloon);
	struct balloon defective;

	run(runner, machine, &control, &defective);
	balloon_judge(balloon, &ended, &defective);
}

static struct steps steps_of(const struct balloon *balloon)
{
	return (struct steps){ "balloon",     balloon->machine->name, step_names,
			       balloon->step, BALLOON_STEPS,	      balloon->first.seconds };
}

void balloon_print(const struct balloon *balloon, FILE *output)
{
	const struct steps steps = steps_of(balloon);

	steps_print(&steps, output);
}

bool balloon_write(const char *path, const struct balloon *balloons, size_t count, const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct steps steps = steps_of(&balloons[i]);

		json_array_append_new(list, steps_json(&steps, qemu));
	}
	return steps_write(path, list);
}
