/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/smp_run.c - boots two stock Linux guests with two CPUs each, and tells what came of it.
 *
 *   out/boot-logs/<machine>-smp.log, .qemu             with every check
 *   out/boot-logs/<machine>-smp-control.log, .qemu     without that of an interrupt's target, and
 *                                                      without the pause while a table is mapped
 *                                                      (SP_MUT_COMMAND_UNCHECKED,
 *                                                      SP_MUT_TABLE_UNPAUSED)
 */
#include "smp.h"

#include "cable.h"
#include "steps.h"

/* What of the two boots differs. */
struct variant {
	const char *log, *image, *append, *conf;
};

static const struct variant with_check = { "smp", "sallyport.elf", "", "guests/smp.conf" };
static const struct variant without_check = { "smp-control", "sallyport-mutants.elf",
					      " leave-out=smp", "guests/smp-control.conf" };

static void read_line(void *run, const char *line)
{
	smp_read_line(run, line);
}

static struct boot_result boot(const struct runner *runner, const struct machine *machine,
			       const struct variant *variant, struct smp_run *run)
{
	/* A CPU for the hypervisor and two for each guest. */
	const struct cable cable = { .machine = machine,
				     .log = variant->log,
				     .image = variant->image,
				     .append = variant->append,
				     .cpus = "5",
				     .ports = 4,
				     .files = variant->conf,
				     .images = { "vmlinuz", "smp.gz" },
				     .read_line = read_line,
				     .context = run };

	return cable_boot(runner, &cable);
}

void smp_boot(const struct runner *runner, const struct machine *machine, struct smp *smp)
{
	struct boot_result ended, control;

	smp_begin(smp, machine);
	ended = boot(runner, machine, &with_check, &smp->run);
	control = boot(runner, machine, &without_check, &smp->control);
	smp_judge(smp, &ended);
	smp->seconds = ended.seconds + control.seconds;
}

static struct steps steps_of(const struct smp *smp)
{
	return (struct steps){ "smp",	  smp->machine->name, smp_step_names,
			       smp->step, SMP_STEPS,	      smp->seconds };
}

void smp_print(const struct smp *smp, FILE *output)
{
	const struct steps steps = steps_of(smp);

	steps_print(&steps, output);
}

bool smp_write(const char *path, const struct smp *smps, size_t count, const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct steps steps = steps_of(&smps[i]);

		json_array_append_new(list, steps_json(&steps, qemu));
	}
	return steps_write(path, list);
}
