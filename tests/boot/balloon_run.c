/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/balloon_run.c - boots the guests of guests/balloon.conf, and tells what came of it; then
 * again by the image with mutants, until a canary breaks.
 *
 *   out/boot-logs/<machine>-balloon.log, .qemu; <machine>-balloon-control.log, .qemu
 */
#include "balloon.h"

#include "cable.h"
#include "steps.h"

static const char *const step_names[BALLOON_STEPS] = {
	[BALLOON_LEAVES] = "memory goes from a running guest to another",
	[BALLOON_CANARIES] = "nobody writes to what went",
	[BALLOON_RECEIVES] = "the ports go on receiving",
	[BALLOON_AIMED] = "a port that is aimed at what went is blocked there, and named",
	[BALLOON_AGAIN] = "memory comes again",
	[BALLOON_FRAMES] = "every frame comes back",
	[BALLOON_CONTROL] = "control, units not told of what is exchanged: a canary breaks",
};

/* One run of a machine: as built, or the control. */
struct attempt {
	const char *image, *append, *log;
	const char *const *marks;
};

static const char *const broken_mark[] = { "canary broken", "\n", NULL };
static const struct attempt as_built = { "sallyport.elf", "", "balloon", NULL };
static const struct attempt control = { "sallyport-mutants.elf", " leave-out=exchange",
					"balloon-control", broken_mark };

static void read_line(void *balloon, const char *line)
{
	balloon_read_line(balloon, line);
}

static struct boot_result run(const struct runner *runner, const struct machine *machine,
			      const struct attempt *attempt, struct balloon *balloon)
{
	const struct cable cable = { .machine = machine,
				     .log = attempt->log,
				     .image = attempt->image,
				     .append = attempt->append,
				     .ports = 3,
				     .has_places = true,
				     .files = "guests/balloon.conf,guests/balloon.monitor",
				     .images = { "vmlinuz", "balloon.gz", "receiver.gz" },
				     .marks = attempt->marks,
				     .read_line = read_line,
				     .context = balloon };

	balloon_begin(balloon, machine, runner->qemu.number);
	return cable_boot(runner, &cable);
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
