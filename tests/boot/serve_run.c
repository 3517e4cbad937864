/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/serve_run.c - boots the guests of guests/serve.conf, and tells what came of it; then again by
 * the image with mutants, until a canary breaks.
 *
 *   out/boot-logs/<machine>-serve.log, .qemu; <machine>-serve-control.log, .qemu
 */
#include "serve.h"

#include "cable.h"
#include "steps.h"

static const char *const step_names[SERVE_STEPS] = {
	[SERVE_MAPS] = "a guest serves pages of another",
	[SERVE_LETS_GO] = "it has let go of what goes to somebody else",
	[SERVE_GOES_ON] = "it serves the new frame of what was exchanged",
	[SERVE_HANGS] =
		"while it hangs the frame stays, its guest waits at the gate, and it goes on itself",
	[SERVE_FRAMES] = "every frame comes back",
	[SERVE_CONTROL] = "control, its answer not awaited: a canary breaks",
};

static const char *const broken_mark[] = { "canary broken", "\n", NULL };

static void read_line(void *serve, const char *line)
{
	serve_read_line(serve, line);
}

static struct boot_result run(const struct runner *runner, const struct machine *machine,
			      bool is_control, struct serve *serve)
{
	const struct cable cable = { .machine = machine,
				     .log = is_control ? "serve-control" : "serve",
				     .image = is_control ? "sallyport-mutants.elf" : NULL,
				     .append = is_control ? " leave-out=serve" : NULL,
				     .cpus = "4",
				     .files = "guests/serve.conf,guests/serve.monitor",
				     .images = { "vmlinuz", "client.gz", "server.gz" },
				     .marks = is_control ? broken_mark : NULL,
				     .read_line = read_line,
				     .context = serve };

	serve_begin(serve, machine);
	return cable_boot(runner, &cable);
}

void serve_run(const struct runner *runner, const struct machine *machine, struct serve *serve)
{
	const struct boot_result ended = run(runner, machine, false, serve);
	struct serve control;

	(void)run(runner, machine, true, &control);
	serve_judge(serve, &ended, &control);
}

static struct steps steps_of(const struct serve *serve)
{
	return (struct steps){ "serve",	    serve->machine->name, step_names,
			       serve->step, SERVE_STEPS,	  serve->first.seconds };
}

void serve_print(const struct serve *serve, FILE *output)
{
	const struct steps steps = steps_of(serve);

	steps_print(&steps, output);
}

bool serve_write(const char *path, const struct serve *serves, size_t count, const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct steps steps = steps_of(&serves[i]);

		json_array_append_new(list, steps_json(&steps, qemu));
	}
	return steps_write(path, list);
}
