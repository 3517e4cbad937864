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

#include <jansson.h>
#include <stdlib.h>

/* As nic's: real time, because guests that sleep would sleep for as long as the host computes. */
const struct machine smp_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, "EPYC", "tables=shared run=guests", NULL, 60, 0 },
	{ "amdvi-separate", UNIT_AMDVI, "EPYC", "tables=separate run=guests", NULL, 60, 0 },
	{ "vtd-separate", UNIT_VTD, "EPYC", "tables=separate run=guests", NULL, 60, 0 },
};
const size_t smp_machine_count = sizeof(smp_machine_table) / sizeof(smp_machine_table[0]);

/* What of the two boots differs. */
struct variant {
	const char *name, *image, *append, *conf;
};

static const struct variant with_check = { "smp", "sallyport.elf", "", "smp.conf" };
static const struct variant without_check = { "smp-control", "sallyport-mutants.elf",
					      " leave-out=smp", "smp-control.conf" };

static void read_serial(struct smp_run *run, const char *path)
{
	FILE *serial = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	while (serial && getline(&line, &size, serial) > 0)
		smp_read_line(run, line);
	free(line);
	if (serial)
		fclose(serial);
}

static void show_progress(void *context, double seconds)
{
	const char *serial = context;

	printf("\r  %s: %.0f s ", serial, seconds);
	fflush(stdout);
}

static struct boot_result boot(const struct runner *runner, const struct machine *machine,
			       const struct variant *variant, struct smp_run *run)
{
	char serial[PATH_SIZE], errors[PATH_SIZE], path[PATH_SIZE], modules[3 * PATH_SIZE];
	/* A CPU for the hypervisor and two for each guest; all four ports on one cable. */
	/* clang-format off */
	const char *more[] = {
		"-smp", "5",
		"-netdev", "hubport,hubid=0,id=port0",
		"-netdev", "hubport,hubid=0,id=port1",
		"-netdev", "hubport,hubid=0,id=port2",
		"-netdev", "hubport,hubid=0,id=port3",
		"-device", "e1000e,netdev=port0,romfile=,mac=52:54:00:12:34:01",
		"-device", "e1000e,netdev=port1,romfile=,mac=52:54:00:12:34:02",
		"-device", "e1000e,netdev=port2,romfile=,mac=52:54:00:12:34:03",
		"-device", "e1000e,netdev=port3,romfile=,mac=52:54:00:12:34:04",
		"-initrd", modules, NULL
	};
	/* clang-format on */
	struct boot boot = { .machine = machine,
			     .image = path,
			     .append_more = variant->append,
			     .more = more,
			     .serial = serial,
			     .errors = errors,
			     .context = serial };
	struct boot_result ended;

	snprintf(path, sizeof(path), "%s/%s", runner->out, variant->image);
	snprintf(serial, sizeof(serial), "%s/boot-logs/%s-%s.log", runner->out, machine->name,
		 variant->name);
	snprintf(errors, sizeof(errors), "%s/boot-logs/%s-%s.qemu", runner->out, machine->name,
		 variant->name);
	snprintf(modules, sizeof(modules), "guests/%s,%s/guests/vmlinuz,%s/guests/smp.gz",
		 variant->conf, runner->out, runner->out);
	if (runner->terminal.is_terminal)
		boot.progress = show_progress;
	ended = qemu_boot(&runner->qemu, &boot);
	if (runner->terminal.is_terminal)
		printf("\r%*s\r", 70, "");
	read_serial(run, serial);
	return ended;
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

void smp_print(const struct smp *smp, FILE *output)
{
	for (unsigned int i = 0; i < SMP_STEPS; i++)
		fprintf(output, "%s %s smp %u, %s: %s\n", smp->step[i].good ? "ok" : "not ok",
			smp->machine->name, i + 1, smp_step_name((enum smp_step)i),
			smp->step[i].evidence);
	fflush(output);
}

static json_t *steps_of(const struct smp *smp)
{
	json_t *steps = json_array();

	for (unsigned int i = 0; i < SMP_STEPS; i++)
		json_array_append_new(steps, json_pack("{s:s, s:b, s:s}", "step",
						       smp_step_name((enum smp_step)i), "good",
						       smp->step[i].good, "evidence",
						       smp->step[i].evidence));
	return steps;
}

bool smp_write(const char *path, const struct smp *smps, size_t count, const char *qemu)
{
	json_t *list = json_array(), *all;
	bool written;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:f, s:o}", "name",
						smps[i].machine->name, "qemu", qemu, "seconds",
						smps[i].seconds, "steps", steps_of(&smps[i])));
	all = json_pack("{s:o}", "machines", list);
	written = all && json_dump_file(all, path, JSON_INDENT(2)) == 0;
	json_decref(all);
	return written;
}
