/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/isolation_run.c - boots the guest of guests/isolation.conf, and the same Linux on a machine
 * without hypervisor and unit, and tells what came of it.
 *
 *   out/boot-logs/<machine>-isolation.log, .qemu
 */
#include "isolation.h"

#include "cable.h"
#include "steps.h"

#include <stdlib.h>

/*
 * The bare machine has 512 MiB, of which Linux is to use half: what is above is memory that is not its
 * own, as a neighbour's would be.
 */
#define BARE                                                                                     \
	"console=ttyS0 loglevel=5 printk.devkmsg=on maxcpus=1 mem=256M no_timer_check panic=-1 " \
	"wrong=yes outside=18000000"

const struct machine isolation_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, "EPYC", "tables=shared run=guests", NULL, 60, 0 },
	{ "amdvi-separate", UNIT_AMDVI, "EPYC", "tables=separate run=guests", NULL, 60, 0 },
	{ "vtd-separate", UNIT_VTD, "EPYC", "tables=separate run=guests", NULL, 60, 0 },
	{ "no-iommu", UNIT_NONE, "EPYC", BARE, NULL, 60, 0 },
};
const size_t isolation_machine_count =
	sizeof(isolation_machine_table) / sizeof(isolation_machine_table[0]);

static const char *const step_names[ISOLATION_STEPS] = {
	[ISOLATION_ROWS] = "the program drives both ports, and says every row",
	[ISOLATION_OWN] = "the guest's own memory works, before and after",
	[ISOLATION_INSIDE] = "controls, what is aimed inside arrives",
	[ISOLATION_READS] = "reads outside get nothing",
	[ISOLATION_WRITES] = "writes outside arrive nowhere",
	[ISOLATION_REPORTED] = "the guest is told of each that was blocked",
	[ISOLATION_STATUS] = "the exit status says so",
	[ISOLATION_FRAMES] = "every frame comes back, and the guest ends",
};

static const char *const bare_step_names[ISOLATION_BARE_STEPS] = {
	[ISOLATION_BARE_REFUSES] = "what is missing is named, with status 2",
	[ISOLATION_BARE_OWN] = "own memory works here too",
	[ISOLATION_BARE_FOUND] = "a machine without isolation is found out, with status 1",
	[ISOLATION_BARE_SEEN] = "and seen by /dev/mem",
};

static void read_line(void *isolation, const char *line)
{
	isolation_read_line(isolation, line);
}

static void boot(const struct runner *runner, struct isolation *isolation)
{
	const bool is_bare = isolation_is_bare(isolation->machine);
	const struct cable cable = { .machine = isolation->machine,
				     .log = "isolation",
				     .image = is_bare ? "guests/vmlinuz" : NULL,
				     .ports = 2,
				     .has_places = true,
				     .files = is_bare ? NULL : "guests/isolation.conf",
				     .images = { is_bare ? "isolation.gz" : "vmlinuz",
						 is_bare ? NULL : "isolation.gz" },
				     .read_line = read_line,
				     .context = isolation };

	isolation->ended = cable_boot(runner, &cable);
	isolation_judge(isolation);
}

static struct steps steps_of(const struct isolation *isolation)
{
	return (struct steps){ "isolation",
			       isolation->machine->name,
			       isolation_is_bare(isolation->machine) ? bare_step_names : step_names,
			       isolation->step,
			       isolation_steps(isolation->machine),
			       isolation->ended.seconds };
}

/* Every row of every run, as the program said it. */
static json_t *json_of_runs(const struct isolation *isolation)
{
	json_t *runs = json_array();

	for (unsigned int i = 0; i < isolation->run_count; i++) {
		const struct isolation_run *run = &isolation->run[i];
		json_t *rows = json_array();

		for (unsigned int k = 0; k < run->count; k++)
			json_array_append_new(
				rows, json_pack("{s:s, s:b, s:s}", "row", run->row[k].name, "ok",
						run->row[k].good, "said", run->row[k].said));
		json_array_append_new(runs,
				      json_pack("{s:s, s:i, s:s, s:o}", "run", run->word, "status",
						(int)run->status, "last", run->last, "rows", rows));
	}
	return runs;
}

bool isolation_run_all(const struct runner *runner, const struct machine *const *machines,
		       size_t count)
{
	struct isolation *isolation = calloc(1, sizeof(*isolation));
	json_t *list = json_array();
	bool good = isolation != NULL;
	unsigned int rows = 0;
	char path[PATH_SIZE];

	for (size_t i = 0; i < count; i++)
		rows += isolation_steps(machines[i]);
	printf("1..%u\n", rows);
	fflush(stdout);
	for (size_t i = 0; isolation && i < count; i++) {
		struct steps steps;
		json_t *machine;

		isolation_begin(isolation, machines[i], runner->qemu.number);
		boot(runner, isolation);
		steps = steps_of(isolation);
		steps_print(&steps, stdout);
		machine = steps_json(&steps, runner->qemu.version);
		json_object_set_new(machine, "runs", json_of_runs(isolation));
		json_array_append_new(list, machine);
		good = good && steps_are_good(&steps);
	}
	free(isolation);
	snprintf(path, sizeof(path), "%s/isolation.json", runner->out);
	if (steps_write(path, list))
		return good;
	fprintf(stderr, "boot: %s cannot be written\n", path);
	return false;
}
