/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/nic_run.c - boots a stock Linux with two ports, and tells what came of it.
 *
 *   out/boot-logs/<machine>-nic.log, .qemu
 */
#include "nic.h"

#include "cable.h"
#include "steps.h"

static void read_line(void *nic, const char *line)
{
	nic_read_line(nic, line);
}

void nic_run(const struct runner *runner, const struct machine *machine, struct nic *nic)
{
	const struct cable cable = { .machine = machine,
				     .log = "nic",
				     .ports = 2,
				     .files = "guests/nic.conf",
				     .images = { "vmlinuz", "nic.gz" },
				     .read_line = read_line,
				     .context = nic };
	struct boot_result ended;

	*nic = (struct nic){
		.machine = machine, .guest = "debian", .packets = NIC_PACKETS, .wanted = 4
	};
	ended = cable_boot(runner, &cable);
	nic_judge(nic, &ended);
}

static struct steps steps_of(const struct nic *nic)
{
	return (struct steps){ "nic",	  nic->machine->name, nic_step_names,
			       nic->step, NIC_STEPS,	      nic->seconds };
}

void nic_print(const struct nic *nic, FILE *output)
{
	const struct steps steps = steps_of(nic);

	steps_print(&steps, output);
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

bool nic_write(const char *path, const struct nic *nics, size_t count, const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct steps steps = steps_of(&nics[i]);
		json_t *machine = steps_json(&steps, qemu);

		json_object_set_new(machine, "interrupts", vectors_of(&nics[i]));
		json_array_append_new(list, machine);
	}
	return steps_write(path, list);
}
