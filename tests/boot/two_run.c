/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/two_run.c - boots two stock Linux guests on one cable, and tells what came of it.
 *
 *   out/boot-logs/<machine>-two.log, .qemu
 */
#include "two.h"

#include <jansson.h>
#include <stdlib.h>

static const char image[] = "sallyport.elf";

/* As nic's, and one that translates by each vendor's unit. */
const struct machine two_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, "EPYC", "tables=shared run=guests", NULL, 60, 0 },
	{ "vtd-separate", UNIT_VTD, "EPYC", "tables=separate run=guests", NULL, 60, 0 },
};
const size_t two_machine_count = sizeof(two_machine_table) / sizeof(two_machine_table[0]);

static void read_serial(struct two *two, const char *path)
{
	FILE *serial = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	while (serial && getline(&line, &size, serial) > 0)
		two_read_line(two, line);
	free(line);
	if (serial)
		fclose(serial);
}

void two_run(const struct runner *runner, const struct machine *machine, struct two *two)
{
	char serial[PATH_SIZE], errors[PATH_SIZE], path[PATH_SIZE], modules[4 * PATH_SIZE];
	/* Two ports of the victim's and one of the hostile guest's, all on one cable. */
	/* clang-format off */
	const char *more[] = {
		"-netdev", "hubport,hubid=0,id=port0",
		"-netdev", "hubport,hubid=0,id=port1",
		"-netdev", "hubport,hubid=0,id=port2",
		"-device", "e1000e,netdev=port0,romfile=,mac=52:54:00:12:34:01",
		"-device", "e1000e,netdev=port1,romfile=,mac=52:54:00:12:34:02",
		"-device", "e1000e,netdev=port2,romfile=,mac=52:54:00:12:34:03",
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

	two_begin(two, machine, runner->qemu.number);
	snprintf(path, sizeof(path), "%s/%s", runner->out, image);
	snprintf(serial, sizeof(serial), "%s/boot-logs/%s-two.log", runner->out, machine->name);
	snprintf(errors, sizeof(errors), "%s/boot-logs/%s-two.qemu", runner->out, machine->name);
	snprintf(modules, sizeof(modules),
		 "guests/two.conf,%s/guests/vmlinuz,%s/guests/nic.gz,%s/guests/hostile.gz",
		 runner->out, runner->out, runner->out);
	ended = qemu_boot(&runner->qemu, &boot);
	read_serial(two, serial);
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
	json_t *list = json_array(), *all;
	bool written;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:f, s:o}", "name",
						twos[i].machine->name, "qemu", qemu, "seconds",
						twos[i].victim.seconds, "rows", rows_of(&twos[i])));
	all = json_pack("{s:o}", "machines", list);
	written = all && json_dump_file(all, path, JSON_INDENT(2)) == 0;
	json_decref(all);
	return written;
}
