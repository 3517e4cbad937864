/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/two_run.c - boots two stock Linux guests on one cable, and tells what came of it.
 *
 *   out/boot-logs/<machine>-two.log, .qemu
 */
#include "two.h"

#include "cable.h"
#include "steps.h"

/* As nic's, and one that translates by each vendor's unit. */
const struct machine two_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, "EPYC", "tables=shared run=guests", NULL, 60, 0 },
	{ "vtd-separate", UNIT_VTD, "EPYC", "tables=separate run=guests", NULL, 60, 0 },
};
const size_t two_machine_count = sizeof(two_machine_table) / sizeof(two_machine_table[0]);

static void read_line(void *two, const char *line)
{
	two_read_line(two, line);
}

void two_run(const struct runner *runner, const struct machine *machine, struct two *two)
{
	/* The controller's blocks are the image's own bytes; what is written to them is not kept. */
	char disk[PATH_SIZE + 64];
	const char *const more[] = { "-drive", disk, "-device",
				     "nvme,serial=1,drive=disk,addr=0x13", NULL };
	/* Two ports of the victim's and one of the hostile guest's. */
	const struct cable cable = { .machine = machine,
				     .log = "two",
				     .ports = 3,
				     .more = more,
				     .files = "guests/two.conf",
				     .images = { "vmlinuz", "nic.gz", "hostile.gz" },
				     .read_line = read_line,
				     .context = two };
	struct boot_result ended;

	snprintf(disk, sizeof(disk), "if=none,id=disk,format=raw,snapshot=on,file=%s/sallyport.elf",
		 runner->out);
	two_begin(two, machine, runner->qemu.number);
	ended = cable_boot(runner, &cable);
	two_judge(two, &ended);
}

unsigned int two_count(void)
{
	return TWO_ATTACKS + 3;
}

static void print_one(const struct two *two, unsigned int number, const char *name,
		      const struct nic_finding *finding, FILE *output)
{
	fprintf(output, "%s %s two %u, %s: %s%s\n", finding->good ? "ok" : "not ok",
		two->machine->name, number, name, finding->evidence,
		finding->blind ? " # SKIP not observable on this QEMU" : "");
}

void two_print(const struct two *two, FILE *output)
{
	for (unsigned int i = 0; i < TWO_ATTACKS; i++)
		print_one(two, i + 1, attack_table[i].name, &two->attack[i], output);
	print_one(two, TWO_ATTACKS + 1, "the other guest works on", &two->victim_works, output);
	print_one(two, TWO_ATTACKS + 2, "a storm of faults is stopped", &two->storm, output);
	print_one(two, TWO_ATTACKS + 3, "every frame comes back", &two->frames, output);
	fflush(output);
}

static void append(json_t *list, const char *name, const struct nic_finding *finding)
{
	const char *result = finding->blind ? "unobservable" : finding->good ? "contained" : "bad";

	json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "row", name, "result", result,
					      "evidence", finding->evidence));
}

static json_t *rows_of(const struct two *two)
{
	json_t *rows = json_array();

	for (unsigned int i = 0; i < TWO_ATTACKS; i++)
		append(rows, attack_table[i].name, &two->attack[i]);
	append(rows, "the other guest works on", &two->victim_works);
	append(rows, "a storm of faults is stopped", &two->storm);
	append(rows, "every frame comes back", &two->frames);
	return rows;
}

bool two_write(const char *path, const struct two *twos, size_t count, const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:f, s:o}", "name",
						twos[i].machine->name, "qemu", qemu, "seconds",
						twos[i].victim.seconds, "rows", rows_of(&twos[i])));
	return steps_write(path, list);
}
