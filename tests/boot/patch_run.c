/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/patch_run.c - boots both images with run=patch, and tells what came of it.
 *
 *   out/boot-logs/<machine>-patch.log, .qemu; <machine>-patch-control.log, .qemu
 */
#include "patch.h"

#include "steps.h"

#define CPU "EPYC"

/* In real time: CPUs that take turns in virtual time never execute what another is just writing. */
const struct machine patch_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, CPU, "tables=shared run=patch", NULL, 24, 0 },
	{ "amdvi-separate", UNIT_AMDVI, CPU, "tables=separate run=patch", NULL, 24, 0 },
	{ "vtd-separate", UNIT_VTD, CPU, "tables=separate run=patch", NULL, 24, 0 },
};
const size_t patch_machine_count = sizeof(patch_machine_table) / sizeof(patch_machine_table[0]);

static const char *const step_names[PATCH_STEPS] = {
	[PATCH_EIGHT] = "within eight bytes, by one store: each CPU executes old or new",
	[PATCH_LONGER] = "longer code, in a window: each CPU executes old or new, and fetches wait",
	[PATCH_TWO_PAGES] = "... across two pages",
	[PATCH_LARGE] = "... across two pieces of a page of 2 MiB, which is split and merged",
	[PATCH_WINDOW] =
		"while a window stands nobody executes or writes the page, no device either",
	[PATCH_CONTROL_BYTES] = "control of 1, byte by byte: a mix is executed",
	[PATCH_CONTROL_FLUSH] = "control of 2, when CPUs have flushed: a mix is executed",
	[PATCH_CONTROL_NONE] = "control of 2, without a window: a mix is executed",
	[PATCH_CONTROL_TWO_PAGES] = "control of 3, when CPUs have flushed: a mix is executed",
	[PATCH_CONTROL_LARGE] = "control of 4, when CPUs have flushed: a mix is executed",
	[PATCH_CONTROL_WINDOW] = "control of 5, when CPUs have flushed: CPUs and device go on",
	[PATCH_END] = "every frame comes back",
};

static void read_line(void *patch, const char *line)
{
	patch_read_line(patch, line);
}

static struct boot_result boot(const struct runner *runner, const char *image_name, const char *log,
			       struct patch *patch)
{
	char image[PATH_SIZE], serial[PATH_SIZE], errors[PATH_SIZE];
	const struct boot boot = { .machine = patch->machine,
				   .image = image,
				   .append_more = "",
				   .serial = serial,
				   .errors = errors };
	struct boot_result ended;

	snprintf(image, PATH_SIZE, "%s/%s", runner->out, image_name);
	snprintf(serial, PATH_SIZE, "%s/boot-logs/%s-%s.log", runner->out, patch->machine->name,
		 log);
	snprintf(errors, PATH_SIZE, "%s/boot-logs/%s-%s.qemu", runner->out, patch->machine->name,
		 log);
	ended = qemu_boot(&runner->qemu, &boot);
	run_read_lines(serial, read_line, patch);
	return ended;
}

void patch_run(const struct runner *runner, const struct machine *machine, struct patch *patch)
{
	struct boot_result rows, controls;

	patch_begin(patch, machine);
	rows = boot(runner, "sallyport.elf", "patch", patch);
	controls = boot(runner, "sallyport-mutants.elf", "patch-control", patch);
	patch_judge(patch, &rows, &controls);
}

static struct steps steps_of(const struct patch *patch)
{
	return (struct steps){ "patch",	    patch->machine->name, step_names,
			       patch->step, PATCH_STEPS,	  patch->seconds };
}

void patch_print(const struct patch *patch, FILE *output)
{
	const struct steps steps = steps_of(patch);

	steps_print(&steps, output);
}

bool patch_write(const char *path, const struct patch *patches, size_t count, const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct steps steps = steps_of(&patches[i]);

		json_array_append_new(list, steps_json(&steps, qemu));
	}
	return steps_write(path, list);
}
