/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/main.c - boots the hypervisor on each machine and says whether DMA was contained.
 *
 *   boot demo OUT [MACHINE...]     the isolation matrix, for people, and OUT/matrix.json
 *   boot check OUT [MACHINE...]    the same rows and the refusals as lines of `make check`
 *   boot nic OUT [MACHINE...]      a stock Linux with ports of its own, as such lines, and OUT/nic.json
 *   boot move OUT [MACHINE...]     a port goes from one to another, both running, and OUT/move.json
 *   boot balloon OUT [MACHINE...]  memory goes from one to another, both running, and OUT/balloon.json
 *   boot boot OUT [MACHINE...]     seconds to user space, exits, commands of the unit, and OUT/boot.json
 *   boot smp OUT [MACHINE...]      two of them with two CPUs each, and OUT/smp.json
 *   boot two OUT [MACHINE...]      two of them, one hostile, and OUT/two.json
 *   boot dpdk OUT [MACHINE...]     DPDK in a guest beside the bare machine, and OUT/dpdk.json
 *   boot dpdk-short OUT [MACHINE...]   the same for a few seconds
 *   boot isolation OUT [MACHINE...]   a program of DPDK's aims its ports outside, and OUT/isolation.json
 *   boot linux OUT [MACHINE...]    host tools on a Linux that has the IOMMU itself, and OUT/linux.json
 *   boot disk OUT [MACHINE...]     an NVMe controller of a guest's own, and OUT/disk.json
 *   boot display OUT [MACHINE...]  two displays of a guest's own, OUT/display.json and OUT/display.png
 *   boot vf OUT [MACHINE...]       two virtual functions of one, a guest each, and OUT/vf.json
 *   boot typing OUT [MACHINE...]   what `boot run` shows when it is typed at, and OUT/typing.json
 *   boot change OUT [MACHINE...]   what changes under DPDK's traffic, and OUT/change.json
 *   boot serve OUT [MACHINE...]    one of them serves another, and OUT/serve.json
 *   boot patch OUT [MACHINE...]    code written over while CPUs execute it, and OUT/patch.json
 *   boot summary OUT PART...       what parts have left in OUT/PART.json, as one table
 *   boot run OUT FILE [MACHINE]      the guests of a guest.conf, at the terminal
 *
 * QEMU= names another emulator. Exit status: 0 all is well, 1 something is not, 2 nothing was run.
 */
#include "check.h"
#include "interactive.h"
#include "json.h"
#include "parts.h"
#include "run.h"
#include "summary.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	STATUS_GOOD = 0,
	STATUS_BAD = 1,
	STATUS_NOT_RUN = 2
};

static void usage(void)
{
	fprintf(stderr,
		"usage: boot demo|check|nic|move|two|smp|balloon|boot|typing|dpdk|isolation|linux|disk|display|vf|change|serve|patch OUT [MACHINE...]\n"
		"       boot summary OUT PART...\n       boot run OUT FILE [MACHINE]\nmachines:");
	for (size_t i = 0; i < machine_count; i++)
		fprintf(stderr, " %s", machine_table[i].name);
	fprintf(stderr, "\n");
}

static bool add_machine(struct choice *choice, const struct machine *machine, const char *name)
{
	/* One of the matrix's, on which this part does not run. */
	if (!machine && choice->part && machine_named(name))
		return true;
	if (!machine) {
		fprintf(stderr, "boot: there is no machine %s\n", name);
		return false;
	}
	if (choice->count == MACHINE_LIMIT) {
		fprintf(stderr, "boot: more than %d machines\n", MACHINE_LIMIT);
		return false;
	}
	choice->machines[choice->count++] = machine;
	return true;
}

static const struct machine *find_machine(const struct choice *choice, const char *name)
{
	if (!choice->part)
		return machine_named(name);
	for (size_t i = 0; i < *choice->part->machine_count; i++)
		if (strcmp(choice->part->machines[i].name, name) == 0)
			return &choice->part->machines[i];
	return NULL;
}

static void choose_all(struct choice *choice)
{
	const struct machine *table = choice->part ? choice->part->machines : machine_table;

	choice->count = choice->part ? *choice->part->machine_count : machine_count;
	for (size_t i = 0; i < choice->count; i++)
		choice->machines[i] = &table[i];
}

static bool choose(struct choice *choice, int count, char **words)
{
	*choice = (struct choice){ .count = 0 };
	if (count < 3)
		return false;
	choice->is_check = strcmp(words[1], "check") == 0;
	choice->part = part_find(words[1]);
	if (!choice->is_check && !choice->part && strcmp(words[1], "demo") != 0)
		return false;
	for (int i = 3; i < count; i++)
		if (!add_machine(choice, find_machine(choice, words[i]), words[i]))
			return false;
	choice->has_probes = choice->is_check && choice->count == 0;
	if (count == 3)
		choose_all(choice);
	return true;
}

static bool prepare(struct runner *runner, const char *out)
{
	const char *named = getenv("QEMU");
	const char *command = named && named[0] != '\0' ? named : "qemu-system-x86_64";
	char message[2 * QEMU_TEXT];

	*runner = (struct runner){ .out = out, .terminal = terminal_find(stdout) };
	if (qemu_find(&runner->qemu, command, message, sizeof(message)) &&
	    run_prepare(runner, message, sizeof(message)))
		return true;
	fprintf(stderr, "boot: %s\n", message);
	return false;
}

static void announce(const struct runner *runner, const struct choice *choice)
{
	unsigned int seconds = 0;

	for (size_t i = 0; i < choice->count; i++)
		seconds += 2 * choice->machines[i]->expected_seconds;
	printf("QEMU %s (%s), %zu machine(s), %d rows each with its controls, about %u s on an idle "
	       "host\n",
	       runner->qemu.version, runner->qemu.words[0], choice->count, ROW_COUNT, seconds);
	if (choice->is_check)
		printf("1..%zu\n",
		       choice->count * check_count() + (choice->has_probes ? probe_count : 0));
	fflush(stdout);
}

static void print_matrix(const struct runner *runner, const struct matrix *matrix)
{
	printf("\n%s on QEMU %s, %.1f s%s\n", matrix->machine->name, runner->qemu.version,
	       matrix->seconds, matrix_is_good(matrix) ? "" : " - NOT GOOD");
	table_print(matrix, &runner->terminal, stdout);
	for (unsigned int i = 0; i < matrix->trouble_count; i++)
		printf("! %s\n", matrix->trouble[i]);
	if (!matrix_is_good(matrix))
		printf("! full logs: %s/boot-logs/%s-*\n", runner->out, matrix->machine->name);
	printf("\n");
	fflush(stdout);
}

static bool run_probes(const struct runner *runner)
{
	char amiss[2 * PATH_SIZE];
	bool good = true;

	for (size_t i = 0; i < probe_count; i++) {
		run_probe(runner, &probe_table[i], amiss, sizeof(amiss));
		good = check_probe(&probe_table[i], amiss, stdout) && good;
		fflush(stdout);
	}
	return good;
}

static void print_totals(const struct totals *totals)
{
	if (totals->missing > 0)
		printf("%u row(s) are missing: the hypervisor said nothing of them\n",
		       totals->missing);
	printf("contained %u, leaked %u, not observable %u, controls that leaked %u of %u\n",
	       totals->contained, totals->leaked, totals->unobservable, totals->controls_leaked,
	       totals->controls);
}

static bool run_all(const struct runner *runner, const struct choice *choice,
		    struct matrix *matrices)
{
	struct totals totals;
	bool good = true;
	char path[PATH_SIZE];

	for (size_t i = 0; i < choice->count; i++) {
		run_machine(runner, choice->machines[i], &matrices[i]);
		if (choice->is_check)
			good = check_matrix(&matrices[i], stdout) && good;
		else
			print_matrix(runner, &matrices[i]);
	}
	if (choice->has_probes)
		good = run_probes(runner) && good;
	snprintf(path, sizeof(path), "%s/matrix.json", runner->out);
	if (!json_write(path, matrices, choice->count, runner->qemu.version)) {
		fprintf(stderr, "boot: %s cannot be written\n", path);
		good = false;
	}
	totals = matrix_totals(matrices, choice->count);
	print_totals(&totals);
	return good && totals.good;
}

int main(int count, char **words)
{
	struct choice choice;
	struct runner runner;
	struct matrix *matrices;
	bool good;

	if (count > 3 && strcmp(words[1], "run") == 0) {
		if (prepare(&runner, words[2]))
			interactive_run(&runner, words[3], count > 4 ? words[4] : "amdvi-shared");
		return STATUS_NOT_RUN;
	}
	if (count > 3 && strcmp(words[1], "summary") == 0) {
		const struct terminal terminal = terminal_find(stdout);

		return summary_print(words[2], words + 3, (size_t)count - 3, &terminal, stdout)
			       ? STATUS_GOOD
			       : STATUS_BAD;
	}
	if (!choose(&choice, count, words)) {
		usage();
		return STATUS_NOT_RUN;
	}
	if (!prepare(&runner, words[2]))
		return STATUS_NOT_RUN;
	if (choice.part)
		return choice.part->run(&runner, &choice) ? STATUS_GOOD : STATUS_BAD;
	matrices = calloc(choice.count, sizeof(*matrices));
	if (!matrices) {
		fprintf(stderr, "boot: out of memory\n");
		return STATUS_NOT_RUN;
	}
	announce(&runner, &choice);
	good = run_all(&runner, &choice, matrices);
	free(matrices);
	return good ? STATUS_GOOD : STATUS_BAD;
}
