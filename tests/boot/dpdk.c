/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/dpdk.c - DPDK in a guest with two ports of its own: what was said, and the verdict.
 *
 *   dpdk: begin 0 536 492960 492960 0 0     port, 1/100 s, sent, received, errors, missed
 *
 * as guests/dpdk.init writes it, here with "debian| " in front.
 */
#include "dpdk.h"

#include "steps.h"

#include <string.h>

#define AIM		0.95
#define FAR_BEYOND	0.1 /* KVM with VFIO reaches 0.5 */
/* A ring is a burst of 32: were it told by an exit, there would be two for each 32 packets. */
#define PACKETS_AN_EXIT 100
/* Clocks are read in hundredths: the last interval is as short as it comes, and tells nothing alone. */
#define SAMPLE_SECONDS	1

static const char guest[] = "debian";

void dpdk_begin(struct dpdk_run *run)
{
	*run = (struct dpdk_run){ .nic = { .guest = guest } };
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* The port, or DPDK_PORTS if the line is no reading. */
static unsigned int read_count(const char *said, struct dpdk_count *count)
{
	unsigned long hundredths;
	unsigned int port;

	if (sscanf(said, "%*s %u %lu %lu %lu %lu %lu", &port, &hundredths, &count->sent,
		   &count->received, &count->errors, &count->missed) != 6)
		return DPDK_PORTS;
	count->at = (double)hundredths / 100;
	return port;
}

/* Port 1's line is the last of a reading. */
static void take_sample(struct dpdk_run *run, const struct dpdk_count before[DPDK_PORTS])
{
	const double seconds = run->last[1].at - before[1].at;
	unsigned long packets = 0;

	for (unsigned int i = 0; i < DPDK_PORTS; i++)
		packets += run->last[i].received - before[i].received;
	if (seconds >= SAMPLE_SECONDS && run->sample_count < DPDK_SAMPLES)
		run->sample[run->sample_count++] = (double)packets / seconds;
}

/* Of port 0 what it was before is kept until port 1's line has come. */
static void read_sample(struct dpdk_run *run, unsigned int port, const struct dpdk_count *count)
{
	struct dpdk_count before[DPDK_PORTS];

	memcpy(before, run->sample_count ? run->before : run->begin, sizeof(before));
	run->last[port] = *count;
	if (port != DPDK_PORTS - 1)
		return;
	take_sample(run, before);
	memcpy(run->before, run->last, sizeof(run->before));
}

static void read_reading(struct dpdk_run *run, const char *said)
{
	struct dpdk_count count;
	const unsigned int port = read_count(said, &count);

	if (port >= DPDK_PORTS)
		return;
	if (starts(said, "begin ")) {
		run->begin[port] = count;
		run->last[port] = count;
		run->begins++;
		run->is_running = port == DPDK_PORTS - 1;
	} else if (starts(said, "sample ") || starts(said, "last ")) {
		read_sample(run, port, &count);
	} else if (starts(said, "end ")) {
		run->end[port] = count;
		run->ends++;
	}
}

static void read_guest(struct dpdk_run *run, const char *said)
{
	if (starts(said, "port ") && strstr(said, " has "))
		run->ports += strstr(said, "uio_pci_generic") || strstr(said, "vfio-pci");
	else if (starts(said, "testpmd "))
		run->started = true;
	else if (starts(said, "stop"))
		run->is_running = false;
	else if (run->amiss[0] == '\0' && (strstr(said, "Error") || strstr(said, "Cause:")))
		snprintf(run->amiss, EVIDENCE_SIZE, "%.*s", (int)strcspn(said, "\r\n"), said);
	else
		read_reading(run, said);
}

static void read_exits(struct dpdk_run *run, const char *line)
{
	struct dpdk_exits exits;
	unsigned long *by = exits.by;

	if (sscanf(line,
		   "exits debian: %lu, %*u a second: kicks %lu, ports %lu, PCI configuration %lu, "
		   "MSRs %lu, CPUID %lu, APIC %lu, device registers %lu, calls %lu, others %lu",
		   &exits.all, &by[0], &by[1], &by[2], &by[3], &by[4], &by[5], &by[6], &by[7],
		   &by[8]) != 1 + DPDK_REASONS)
		return;
	if (run->exit_lines++ == 0)
		run->first = exits;
	run->latest = exits;
}

/* Here a guest's lines have its name in front; on the bare machine there is nobody else. */
void dpdk_read_line(struct dpdk_run *run, const char *line)
{
	const char *said =
		starts(line, "debian| ") || line[0] == '[' ? strstr(line, "dpdk: ") : NULL;

	nic_read_line(&run->nic, line);
	if (said)
		read_guest(run, said + strlen("dpdk: "));
	else if (run->is_running && starts(line, "exits "))
		read_exits(run, line);
}

unsigned long dpdk_packets(const struct dpdk_run *run)
{
	unsigned long packets = 0;

	for (unsigned int i = 0; i < DPDK_PORTS; i++)
		packets += run->last[i].received - run->begin[i].received;
	return run->sample_count ? packets : 0;
}

static double seconds_of(const struct dpdk_run *run)
{
	return run->last[DPDK_PORTS - 1].at - run->begin[DPDK_PORTS - 1].at;
}

double dpdk_rate(const struct dpdk_run *run)
{
	return dpdk_packets(run) ? (double)dpdk_packets(run) / seconds_of(run) : 0;
}

double dpdk_rate_of_cpu(const struct dpdk_run *run)
{
	return run->cpu > 0 ? (double)dpdk_packets(run) / run->cpu : 0;
}

double dpdk_ratio(const struct dpdk *dpdk)
{
	const double here =
		(dpdk_rate_of_cpu(&dpdk->here[0]) + dpdk_rate_of_cpu(&dpdk->here[1])) / 2;
	const double bare = dpdk_rate_of_cpu(&dpdk->bare);

	return bare > 0 ? here / bare : 0;
}

double dpdk_spread(const struct dpdk_run *run)
{
	double least = run->sample[0], most = run->sample[0], sum = 0;

	for (unsigned int i = 0; i < run->sample_count; i++) {
		least = run->sample[i] < least ? run->sample[i] : least;
		most = run->sample[i] > most ? run->sample[i] : most;
		sum += run->sample[i];
	}
	return sum > 0 ? (most - least) * run->sample_count / sum : 0;
}

/* Lines come once a second. */
double dpdk_exits_a_second(const struct dpdk_run *run)
{
	return run->exit_lines > 1
		       ? (double)(run->latest.all - run->first.all) / (run->exit_lines - 1)
		       : 0;
}

bool dpdk_is_whole(const struct dpdk_run *run)
{
	for (unsigned int i = 0; i < DPDK_PORTS; i++) {
		const struct dpdk_count *from = &run->end[i], *to = &run->end[DPDK_PORTS - 1 - i];

		if (to->received > from->sent || from->sent - to->received > DPDK_IN_FLIGHT ||
		    from->errors != 0 || from->missed != 0)
			return false;
	}
	return run->ends == DPDK_PORTS;
}

static bool is_long_enough(const struct dpdk_run *run, const struct dpdk_length *length)
{
	return dpdk_packets(run) >= length->packets && seconds_of(run) >= length->seconds;
}

static void find_packets(struct nic_finding *finding, const struct dpdk_run *runs,
			 unsigned int count, const struct dpdk_length *length)
{
	char text[EVIDENCE_SIZE] = "";
	size_t used = 0;
	bool good = true;

	for (unsigned int i = 0; i < count; i++) {
		const struct dpdk_run *run = &runs[i];
		const struct dpdk_count *end = run->end;

		good = good && dpdk_is_whole(run) && is_long_enough(run, length);
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%lu sent, %lu received, %lu errors, %lu missed in all; "
					 "%lu in the %.1f s that are measured",
					 used ? "; again " : "", end[0].sent + end[1].sent,
					 end[0].received + end[1].received,
					 end[0].errors + end[1].errors,
					 end[0].missed + end[1].missed, dpdk_packets(run),
					 seconds_of(run));
		if (used >= sizeof(text))
			break;
	}
	steps_find(finding, good, "%s", text);
}

static void judge_ratio(struct dpdk *dpdk)
{
	const double here[2] = { dpdk_rate_of_cpu(&dpdk->here[0]),
				 dpdk_rate_of_cpu(&dpdk->here[1]) };
	const double bare = dpdk_rate_of_cpu(&dpdk->bare), ratio = dpdk_ratio(dpdk);
	const bool measured = here[0] > 0 && here[1] > 0 && bare > 0;
	char none[EVIDENCE_SIZE / 4] = "";

	if (dpdk->length->has_none)
		snprintf(none, sizeof(none), "; without IOMMU %.0f k",
			 dpdk_rate_of_cpu(&dpdk->none) / 1000);
	steps_find(
		&dpdk->step[DPDK_RATIO], measured && ratio > FAR_BEYOND,
		"%.2f; the aim of %.2f is %s. Packets a second of the CPU: here %.0f k and %.0f k "
		"(spread %.0f %% and %.0f %%), bare %.0f k (%.0f %%)%s; by the clock %.0f k, %.0f k "
		"and %.0f k",
		ratio, AIM, ratio >= AIM ? "met" : "MISSED", here[0] / 1000, here[1] / 1000,
		dpdk_spread(&dpdk->here[0]) * 100, dpdk_spread(&dpdk->here[1]) * 100, bare / 1000,
		dpdk_spread(&dpdk->bare) * 100, none, dpdk_rate(&dpdk->here[0]) / 1000,
		dpdk_rate(&dpdk->here[1]) / 1000, dpdk_rate(&dpdk->bare) / 1000);
}

static void judge_exits(struct dpdk *dpdk)
{
	const struct dpdk_run *run = &dpdk->here[0];
	const unsigned long *from = run->first.by, *to = run->latest.by;
	const double a_second = dpdk_exits_a_second(run);
	const double lines = run->exit_lines > 1 ? run->exit_lines - 1 : 1;

	const double to_one = a_second > 0 ? dpdk_rate(run) / a_second : 0;
	const bool few = a_second * PACKETS_AN_EXIT < dpdk_rate(run);

	steps_find(
		&dpdk->step[DPDK_EXITS], run->exit_lines > 1 && few,
		"%.0f a second, %.0f packets to one: MSRs %.0f, APIC %.0f, serial port %.0f, device "
		"registers %.0f, all others %.0f",
		a_second, to_one, (double)(to[3] - from[3]) / lines,
		(double)(to[5] - from[5]) / lines, (double)(to[1] - from[1]) / lines,
		(double)(to[6] - from[6]) / lines,
		(double)(to[0] - from[0] + to[2] - from[2] + to[4] - from[4] + to[7] - from[7] +
			 to[8] - from[8]) /
			lines);
}

/* The same of both runs here. */
static void judge_guest(struct dpdk *dpdk)
{
	struct nic *nic[2] = { &dpdk->here[0].nic, &dpdk->here[1].nic };

	for (unsigned int i = 0; i < 2; i++)
		nic_judge(nic[i], &dpdk->here[i].ended);
	steps_find(&dpdk->step[DPDK_CONTAINED],
		   dpdk->here[0].started && dpdk->here[1].started && nic[0]->faults == 0 &&
			   nic[1]->faults == 0,
		   "%u faults and %u%s%s%s", nic[0]->faults, nic[1]->faults,
		   nic[0]->faults + nic[1]->faults ? ", the first: " : "", nic[0]->fault,
		   nic[0]->fault[0] ? "" : nic[1]->fault);
	steps_find(&dpdk->step[DPDK_FRAMES],
		   nic[0]->step[NIC_FRAMES].good && nic[0]->step[NIC_END].good &&
			   nic[1]->step[NIC_FRAMES].good && nic[1]->step[NIC_END].good,
		   "%s, %s; again %s, %s", nic[0]->step[NIC_FRAMES].evidence,
		   nic[0]->step[NIC_END].evidence, nic[1]->step[NIC_FRAMES].evidence,
		   nic[1]->step[NIC_END].evidence);
}

void dpdk_judge(struct dpdk *dpdk)
{
	const struct dpdk_run *here = dpdk->here;
	const struct dpdk_run *amiss = here[0].amiss[0] ? &here[0] : &here[1];

	steps_find(&dpdk->step[DPDK_STARTS],
		   here[0].started && here[1].started && here[0].ports == DPDK_PORTS &&
			   here[1].ports == DPDK_PORTS,
		   "%u ports have uio_pci_generic, testpmd %s%s%s%s", here[0].ports,
		   here[0].started && here[1].started ? "runs" : "does not run",
		   amiss->amiss[0] ? ": " : "", amiss->amiss, here[0].nic.refused);
	find_packets(&dpdk->step[DPDK_PACKETS], dpdk->here, 2, dpdk->length);
	find_packets(&dpdk->step[DPDK_BARE], &dpdk->bare, 1, dpdk->length);
	judge_ratio(dpdk);
	judge_exits(dpdk);
	judge_guest(dpdk);
}
