/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/nic_run.c - boots a stock Linux with two ports, and tells what came of it.
 *
 *   out/boot-logs/<machine>-nic.log, .qemu
 */
#include "nic.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char image[] = "sallyport.elf";

/* Real time: a guest that sleeps would otherwise sleep for as long as the host computes. */
const struct machine nic_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, "EPYC", "tables=shared run=guests", NULL, 60, 0 },
	{ "amdvi-separate", UNIT_AMDVI, "EPYC", "tables=separate run=guests", NULL, 60, 0 },
	{ "vtd-separate", UNIT_VTD, "EPYC", "tables=separate run=guests", NULL, 60, 0 },
};
const size_t nic_machine_count = sizeof(nic_machine_table) / sizeof(nic_machine_table[0]);

static void show_progress(void *context, double seconds)
{
	const struct machine *machine = context;

	printf("\r  %s: nic, %.0f s ", machine->name, seconds);
	fflush(stdout);
}

static void read_serial(struct nic *nic, const char *path)
{
	FILE *serial = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	while (serial && getline(&line, &size, serial) > 0)
		nic_read_line(nic, line);
	free(line);
	if (serial)
		fclose(serial);
}

void nic_run(const struct runner *runner, const struct machine *machine, struct nic *nic)
{
	char serial[PATH_SIZE], errors[PATH_SIZE], path[PATH_SIZE], modules[3 * PATH_SIZE];
	/* Two ports and a cable between them. */
	/* clang-format off */
	const char *more[] = {
		"-netdev", "hubport,hubid=0,id=port0",
		"-netdev", "hubport,hubid=0,id=port1",
		"-device", "e1000e,netdev=port0,romfile=,mac=52:54:00:12:34:01",
		"-device", "e1000e,netdev=port1,romfile=,mac=52:54:00:12:34:02",
		"-initrd", modules, NULL
	};
	/* clang-format on */
	struct boot boot = { .machine = machine,
			     .image = path,
			     .append_more = "",
			     .more = more,
			     .serial = serial,
			     .errors = errors,
			     .context = (void *)(uintptr_t)machine };
	struct boot_result ended;

	*nic = (struct nic){ .guest = "debian", .packets = NIC_PACKETS, .wanted = 4 };
	snprintf(path, sizeof(path), "%s/%s", runner->out, image);
	snprintf(serial, sizeof(serial), "%s/boot-logs/%s-nic.log", runner->out, machine->name);
	snprintf(errors, sizeof(errors), "%s/boot-logs/%s-nic.qemu", runner->out, machine->name);
	snprintf(modules, sizeof(modules), "guests/nic.conf,%s/guests/vmlinuz,%s/guests/nic.gz",
		 runner->out, runner->out);
	if (runner->terminal.is_terminal)
		boot.progress = show_progress;
	ended = qemu_boot(&runner->qemu, &boot);
	if (runner->terminal.is_terminal)
		printf("\r%*s\r", 60, "");
	read_serial(nic, serial);
	nic_judge(nic, &ended);
}

void nic_print(const struct nic *nic, const struct machine *machine, FILE *output)
{
	for (unsigned int i = 0; i < NIC_STEPS; i++)
		fprintf(output, "%s %s nic %u, %s: %s\n", nic->step[i].good ? "ok" : "not ok",
			machine->name, i + 1, nic_step_name((enum nic_step)i),
			nic->step[i].evidence);
	fflush(output);
}

static json_t *steps_of(const struct nic *nic)
{
	json_t *steps = json_array();

	for (unsigned int i = 0; i < NIC_STEPS; i++)
		json_array_append_new(steps, json_pack("{s:s, s:b, s:s}", "step",
						       nic_step_name((enum nic_step)i), "good",
						       nic->step[i].good, "evidence",
						       nic->step[i].evidence));
	return steps;
}

static json_t *vectors_of(const struct nic *nic)
{
	json_t *vectors = json_array();

	for (unsigned int i = 0; i < nic->vector_count; i++)
		json_array_append_new(vectors,
				      json_pack("{s:s, s:I, s:I}", "name", nic->vector[i].name,
						"before", (json_int_t)nic->vector[i].before,
						"after", (json_int_t)nic->vector[i].after));
	return vectors;
}

bool nic_write(const char *path, const struct machine *const *machines, const struct nic *nics,
	       size_t count, const char *qemu)
{
	json_t *list = json_array(), *all;
	bool written;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:o, s:o}", "name",
						      machines[i]->name, "qemu", qemu, "seconds",
						      nics[i].seconds, "steps", steps_of(&nics[i]),
						      "interrupts", vectors_of(&nics[i])));
	all = json_pack("{s:o}", "machines", list);
	written = all && json_dump_file(all, path, JSON_INDENT(2)) == 0;
	json_decref(all);
	return written;
}
