/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/change.c - what changes under DPDK's traffic: what was said, and the verdict. */
#include "change.h"

#include "steps.h"

#include <string.h>

#define DEVICE "0000:00:12.0"

void change_begin(struct change *change, const struct machine *machine, unsigned int qemu)
{
	*change = (struct change){ .machine = machine,
				   .fault_seen_here = machine->unit == UNIT_VTD || qemu >= 110100 };
	dpdk_begin(&change->run);
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void read_guest(struct change *change, const char *said)
{
	if (starts(said, "begins"))
		change->phase = CHANGE_MEANWHILE;
	else if (starts(said, "ends"))
		change->phase = CHANGE_AFTER;
	else if (sscanf(said, "large pages %u, with a spare page %u, splits %u, merges %u",
			&change->large, &change->spare, &change->splits, &change->merges) == 4)
		change->has_split = true;
	sscanf(said, "given %u, got again %u", &change->given, &change->again);
	sscanf(said, "exchanged %u of %u", &change->exchanged, &change->of);
	sscanf(said, "device moved %u, blocked %u, store lost %u, again %u", &change->moved,
	       &change->blocked, &change->lost, &change->came_again);
	sscanf(said, "device went %u", &change->went);
}

/* Of the time in which large pages are split and merged; the last line of it is kept. */
static void read_pages(struct change *change, const char *line)
{
	unsigned long small;

	if (change->phase != CHANGE_MEANWHILE || change->has_split ||
	    sscanf(line, "pages debian: %*u of 2 MiB or more, %lu of 4 KiB", &small) != 1)
		return;
	change->small = small;
	if (small > change->small_most)
		change->small_most = small;
}

/* What was measured across a border is of the time between. */
static void add_sample(struct change *change)
{
	const enum change_phase phase =
		change->sampled_in == change->phase ? change->phase : CHANGE_MEANWHILE;
	struct change_rate *rate = &change->rate[phase];

	rate->sum += change->run.sample[change->run.sample_count - 1];
	rate->samples++;
	change->sampled_in = change->phase;
}

void change_read_line(struct change *change, const char *line)
{
	const unsigned int samples = change->run.sample_count;
	const char *said = starts(line, "debian| ") ? strstr(line, "dpdk: change ") : NULL;

	dpdk_read_line(&change->run, line);
	if (change->run.sample_count != samples)
		add_sample(change);
	if (said)
		read_guest(change, said + strlen("dpdk: change "));
	if (starts(line, "pages "))
		read_pages(change, line);
	if (starts(line, "monitor ") && strstr(line, DEVICE " was given to debian"))
		change->was_given = true;
	if (starts(line, "monitor ") && strstr(line, DEVICE " was taken from debian"))
		change->was_taken = change->was_given;
	if (starts(line, "fault ") && strstr(line, " sbdf " DEVICE " "))
		change->faults_of_device++;
}

static void judge_changes(struct change *change)
{
	const unsigned int splits = change->large * 10;

	steps_find(&change->step[CHANGE_SPLIT],
		   change->large != 0 && change->spare == change->large &&
			   change->splits == splits && change->merges == splits &&
			   change->small_most >= 512 && change->small == 0,
		   "rings and buffers are in %u large pages, %u with a page that nobody uses: "
		   "%u splits, %u merges; %lu pages of 4 KiB at most, %lu at last",
		   change->large, change->spare, change->splits, change->merges, change->small_most,
		   change->small);
	steps_find(&change->step[CHANGE_MEMORY],
		   change->given >= 64 && change->again == change->given,
		   "%u pages were given, %u came again, zeroed", change->given, change->again);
	steps_find(&change->step[CHANGE_EXCHANGE],
		   change->of != 0 && change->exchanged == change->of,
		   "%u of %u pages that the ports receive into have another frame",
		   change->exchanged, change->of);
	steps_find(&change->step[CHANGE_DEVICE],
		   change->was_given && change->was_taken && change->moved == 1 &&
			   change->blocked == 1 && change->lost == 1 && change->came_again == 1 &&
			   change->went == 1,
		   DEVICE " was %sgiven and %staken; what it moves arrives: %u, what it or a CPU "
			  "writes to a protected page does not: %u, %u, and does again: %u; it is "
			  "gone: %u",
		   change->was_given ? "" : "not ", change->was_taken ? "" : "not ", change->moved,
		   change->blocked, change->lost, change->came_again, change->went);
}

static void judge_packets(struct change *change)
{
	const struct dpdk_count *end = change->run.end;
	const struct wire *wire = change->wire;

	steps_find(&change->step[CHANGE_PACKETS], dpdk_is_whole(&change->run),
		   "%lu sent, %lu received, %lu errors, %lu missed", end[0].sent + end[1].sent,
		   end[0].received + end[1].received, end[0].errors + end[1].errors,
		   end[0].missed + end[1].missed);
	steps_find(&change->step[CHANGE_WIRE],
		   wire[0].wrong + wire[1].wrong == 0 && wire[0].round_differs &&
			   wire[1].round_differs && wire[0].frames == end[0].sent &&
			   wire[1].frames == end[1].sent && end[0].sent > WIRE_ROUND &&
			   end[1].sent > WIRE_ROUND,
		   "%llu and %llu frames were looked at, %llu are not the one that was to come%s%s",
		   (unsigned long long)wire[0].frames, (unsigned long long)wire[1].frames,
		   (unsigned long long)(wire[0].wrong + wire[1].wrong),
		   wire[0].wrong + wire[1].wrong ? ": " : "",
		   wire[0].wrong ? wire[0].amiss : wire[1].amiss);
}

static double rate_in(const struct change *change, enum change_phase phase)
{
	const struct change_rate *rate = &change->rate[phase];

	return rate->samples ? rate->sum / rate->samples : 0;
}

/* That it goes on is what is asked for: how fast depends on what else the one CPU has to do. */
static void judge_rate(struct change *change)
{
	const double before = rate_in(change, CHANGE_BEFORE);
	const double meanwhile = rate_in(change, CHANGE_MEANWHILE);
	const double after = rate_in(change, CHANGE_AFTER);

	steps_find(&change->step[CHANGE_RATE], before > 0 && meanwhile > 0 && after > 0,
		   "%.0f k packets a second before, %.0f k meanwhile (%.2f), %.0f k after (%.2f)",
		   before / 1000, meanwhile / 1000, before > 0 ? meanwhile / before : 0,
		   after / 1000, before > 0 ? after / before : 0);
}

static void judge_contained(struct change *change)
{
	const struct nic *nic = &change->run.nic;
	const bool others = nic->faults != change->faults_of_device;
	const bool reported = !change->fault_seen_here || change->faults_of_device != 0;
	struct nic_finding *step = &change->step[CHANGE_CONTAINED];

	steps_find(step, !others && reported && change->blocked == 1,
		   "%u faults of " DEVICE ", of its write to a protected page; %u of others%s%s",
		   change->faults_of_device, nic->faults - change->faults_of_device,
		   others ? ": " : "", others ? nic->fault : "");
	step->blind = step->good && !change->fault_seen_here;
}

void change_judge(struct change *change, const struct change *control)
{
	const struct nic *nic = &change->run.nic;
	const struct wire *wire = control->wire[0].wrong ? &control->wire[0] : &control->wire[1];

	nic_judge(&change->run.nic, &change->run.ended);
	judge_changes(change);
	judge_packets(change);
	judge_rate(change);
	judge_contained(change);
	steps_find(&change->step[CHANGE_FRAMES],
		   nic->step[NIC_FRAMES].good && nic->step[NIC_END].good, "%s, %s",
		   nic->step[NIC_FRAMES].evidence, nic->step[NIC_END].evidence);
	steps_find(&change->step[CHANGE_CONTROL],
		   control->exchanged != 0 && wire->wrong != 0 && wire->round_differs,
		   "%u pages exchanged, %llu of %llu frames are not the one that was to come%s%s",
		   control->exchanged, (unsigned long long)wire->wrong,
		   (unsigned long long)wire->frames, wire->wrong ? ": " : "", wire->amiss);
}

bool change_is_good(const struct change *change)
{
	for (unsigned int i = 0; i < CHANGE_STEPS; i++)
		if (!change->step[i].good)
			return false;
	return true;
}
