/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/isolation.c - examples/dpdk-isolation in a guest and without a hypervisor: what was said, and
 * the verdict.
 *
 * What the program says of reports is believed only where the hypervisor has counted the same.
 */
#include "isolation.h"

#include "steps.h"

#include <string.h>

#define STATUS_CONTAINED 0u
#define STATUS_LEAKED	 1u
#define STATUS_USAGE	 2u
#define STATUS_UNKNOWN	 3u

static const char guest[] = "debian";

/* What the program is to miss on the bare machine, and what its word on it names. */
static const struct {
	const char *word, *names;
} missing[] = {
	{ "no-memory", "nr_hugepages" },  { "no-port", "uio_pci_generic" },
	{ "no-option", "--help" },	  { "no-page", "first byte of a page" },
	{ "no-interrupt", "interrupts" }, { "one-port", "two are needed" },
};
#define MISSING (sizeof(missing) / sizeof(missing[0]))

bool isolation_is_bare(const struct machine *machine)
{
	return machine->unit == UNIT_NONE;
}

unsigned int isolation_steps(const struct machine *machine)
{
	return isolation_is_bare(machine) ? (unsigned int)ISOLATION_BARE_STEPS
					  : (unsigned int)ISOLATION_STEPS;
}

void isolation_begin(struct isolation *isolation, const struct machine *machine, unsigned int qemu)
{
	*isolation = (struct isolation){ .machine = machine,
					 .nic = { .guest = guest },
					 .fault_seen_here =
						 machine->unit == UNIT_VTD || qemu >= 110100 };
}

/* ---- reading ---- */

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void keep(char *to, const char *text)
{
	snprintf(to, EVIDENCE_SIZE, "%.*s", (int)strcspn(text, "\r\n"), text);
}

static const struct isolation_run *find_run(const struct isolation *isolation, const char *word)
{
	for (unsigned int i = 0; i < isolation->run_count; i++)
		if (strcmp(isolation->run[i].word, word) == 0)
			return &isolation->run[i];
	return NULL;
}

static struct isolation_run *find_or_add(struct isolation *isolation, const char *word)
{
	const struct isolation_run *found = find_run(isolation, word);

	if (found)
		return &isolation->run[found - isolation->run];
	if (isolation->run_count == ISOLATION_RUNS)
		return NULL;
	snprintf(isolation->run[isolation->run_count].word, ISOLATION_NAME, "%s", word);
	return &isolation->run[isolation->run_count++];
}

/* "ok 7 - a write above: contained, ..." */
static bool read_row(struct isolation_run *run, const char *said)
{
	struct isolation_row row = { .good = starts(said, "ok ") };
	const char *rest = strstr(said, ": ");
	char *skip;

	if ((!row.good && !starts(said, "not ok ")) || !rest ||
	    sscanf(strstr(said, "ok "), "ok %*u - %47[^:]", row.name) != 1)
		return false;
	keep(row.said, rest + 2);
	skip = strstr(row.said, " # SKIP");
	row.skipped = skip != NULL;
	/* It is this part that says what is passed over: its own lines must not seem to. */
	if (skip)
		*skip = '\0';
	if (run->count < ISOLATION_LINES)
		run->row[run->count++] = row;
	return true;
}

static void read_guest(struct isolation *isolation, const char *said)
{
	char word[ISOLATION_NAME];
	struct isolation_run *run;
	const char *rest = strstr(said, ": ");

	if (!rest || sscanf(said, "%47[a-z-]:", word) != 1)
		return;
	run = find_or_add(isolation, word);
	rest += 2;
	if (!run || read_row(run, rest) || sscanf(rest, "1..%u", &run->planned) == 1)
		return;
	if (sscanf(rest, "status %u", &run->status) == 1)
		run->has_ended = true;
	else if (starts(rest, "dpdk-isolation: "))
		keep(run->last, rest + strlen("dpdk-isolation: "));
}

/* In a guest the name is in front; on the bare machine there is nobody else. */
void isolation_read_line(struct isolation *isolation, const char *line)
{
	const char *said =
		starts(line, "debian| ") || line[0] == '[' ? strstr(line, "isolation: ") : NULL;
	unsigned long faults;

	nic_read_line(&isolation->nic, line);
	if (said)
		read_guest(isolation, said + strlen("isolation: "));
	else if (sscanf(line, "faults debian: %*s %lu in all", &faults) == 1)
		isolation->faults += faults;
}

/* ---- judging ---- */

/* Rows whose names begin so: how many there are, and how many are good; the word of the first that is not. */
struct group {
	unsigned int count, good;
	const char *said;
};

static struct group find_rows(const struct isolation_run *run, const char *name)
{
	struct group group = { .said = "was not said" };

	for (unsigned int i = 0; run && i < run->count; i++) {
		const struct isolation_row *row = &run->row[i];

		if (!starts(row->name, name))
			continue;
		if (group.good == group.count)
			group.said = row->said;
		group.count++;
		group.good += row->good && !row->skipped;
	}
	return group;
}

static void judge_rows(struct nic_finding *finding, const struct isolation_run *run,
		       const char *name, unsigned int wanted)
{
	const struct group group = find_rows(run, name);

	steps_find(finding, group.count == wanted && group.good == wanted, "%u of %u: %s",
		   group.good, wanted, group.said);
}

/* The program has counted what it aimed, the hypervisor what it was told. */
static void judge_reported(struct isolation *isolation, const struct isolation_run *run)
{
	struct nic_finding *finding = &isolation->step[ISOLATION_REPORTED];
	const struct group group = find_rows(run, "what was blocked is reported");
	unsigned int reported = 0, aimed = 0;
	const bool is_all =
		sscanf(group.said, "Sallyport knows of %u of %u", &reported, &aimed) == 2 &&
		aimed != 0 && reported == aimed;

	if (isolation->fault_seen_here)
		steps_find(finding,
			   group.good == 1 && is_all && isolation->faults >= aimed &&
				   isolation->nic.faults != 0,
			   "%s; the hypervisor counts %lu, the first: %s", group.said,
			   isolation->faults, isolation->nic.fault);
	else
		steps_find(finding, group.count == 1 && !is_all && isolation->faults == 0,
			   "%s; the hypervisor counts %lu", group.said, isolation->faults);
	finding->blind = finding->good && !isolation->fault_seen_here;
}

static void judge_status(struct isolation *isolation, const struct isolation_run *run)
{
	const unsigned int wanted = isolation->fault_seen_here ? STATUS_CONTAINED : STATUS_UNKNOWN;

	steps_find(&isolation->step[ISOLATION_STATUS],
		   run && run->has_ended && run->status == wanted, "%u, wanted %u: %s",
		   run ? run->status : 0, wanted,
		   run && run->has_ended ? run->last : "it did not end");
}

static void judge_guest(struct isolation *isolation)
{
	const struct isolation_run *run = find_run(isolation, "here");
	struct nic *nic = &isolation->nic;

	nic_judge(nic, &isolation->ended);
	steps_find(&isolation->step[ISOLATION_ROWS],
		   run && run->planned != 0 && run->count == run->planned, "%u of %u rows%s%s%s",
		   run ? run->count : 0, run ? run->planned : 0, run && run->last[0] ? "; " : "",
		   run ? run->last : "", nic->refused);
	judge_rows(&isolation->step[ISOLATION_OWN], run, "own memory works", 2);
	judge_rows(&isolation->step[ISOLATION_INSIDE], run, "control, ", 2);
	judge_rows(&isolation->step[ISOLATION_READS], run, "a read ", 3);
	judge_rows(&isolation->step[ISOLATION_WRITES], run, "a write ", 3);
	judge_reported(isolation, run);
	judge_status(isolation, run);
	steps_find(&isolation->step[ISOLATION_FRAMES],
		   nic->step[NIC_FRAMES].good && nic->step[NIC_END].good, "%s; %s",
		   nic->step[NIC_FRAMES].evidence, nic->step[NIC_END].evidence);
}

static void judge_refusals(struct isolation *isolation)
{
	struct nic_finding *finding = &isolation->step[ISOLATION_BARE_REFUSES];
	unsigned int good = 0;
	const char *amiss = "";

	for (unsigned int i = 0; i < MISSING; i++) {
		const struct isolation_run *run = find_run(isolation, missing[i].word);

		if (run && run->has_ended && run->status == STATUS_USAGE && run->count == 0 &&
		    strstr(run->last, missing[i].names))
			good++;
		else
			amiss = missing[i].word;
	}
	steps_find(finding, good == MISSING, "%u of %zu%s%s", good, MISSING,
		   amiss[0] ? ", but not of " : "", amiss);
}

/* It must say where, and its controls must have worked. */
static void judge_leak(struct nic_finding *finding, const struct isolation_run *run,
		       const char *name)
{
	const struct group group = find_rows(run, name);
	const struct group controls = find_rows(run, "control, "),
			   own = find_rows(run, "own memory");

	steps_find(finding,
		   run && run->has_ended && run->status == STATUS_LEAKED && group.count == 1 &&
			   group.good == 0 && starts(group.said, "LEAKED") && controls.good == 2 &&
			   own.good == 2 && starts(run->last, "NOT CONTAINED"),
		   "status %u; %s", run ? run->status : 0, group.said);
}

static void judge_bare(struct isolation *isolation)
{
	const struct isolation_run *found = find_run(isolation, "here"),
				   *seen = find_run(isolation, "look");

	judge_refusals(isolation);
	judge_rows(&isolation->step[ISOLATION_BARE_OWN], found, "own memory works", 2);
	judge_leak(&isolation->step[ISOLATION_BARE_FOUND], found, "a write above");
	judge_leak(&isolation->step[ISOLATION_BARE_SEEN], seen, "a write named");
}

void isolation_judge(struct isolation *isolation)
{
	if (isolation_is_bare(isolation->machine))
		judge_bare(isolation);
	else
		judge_guest(isolation);
}
