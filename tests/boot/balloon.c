/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/balloon.c - memory goes from one running Linux guest to another: the verdict. */
#include "balloon.h"

#include "steps.h"

#include <string.h>

#define AIMED "0000:00:12.0"

void balloon_begin(struct balloon *balloon, const struct machine *machine, unsigned int qemu)
{
	*balloon = (struct balloon){
		.machine = machine,
		.fault_seen_here = machine->unit == UNIT_VTD || qemu >= 110100,
		.first = { .guest = "first", .packets = BALLOON_PACKETS, .wanted = 4 },
		.second = { .guest = "second" },
	};
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* What the programs in the guests said. */
static void read_guest(struct balloon *balloon, const char *line)
{
	const char *first = starts(line, "first| ") ? strstr(line, "nic: ") : NULL;
	const char *second = starts(line, "second| ") ? strstr(line, "nic: ") : NULL;

	if (first) {
		sscanf(first, "nic: balloon exchanged %u, given %u, got again %u",
		       &balloon->exchanged, &balloon->given, &balloon->again);
		sscanf(first, "nic: aimed exchanged %u, given %u, received %u before, %u after",
		       &balloon->aimed_exchanged, &balloon->aimed, &balloon->before_it,
		       &balloon->after_it);
	} else if (second) {
		sscanf(second, "nic: pages %u, changed %u", &balloon->seen, &balloon->changed);
	}
}

void balloon_read_line(struct balloon *balloon, const char *line)
{
	static const char broken[] = "balloon  canary broken: ";
	const unsigned int sent = balloon->first.sent;

	nic_read_line(&balloon->first, line);
	nic_read_line(&balloon->second, line);
	read_guest(balloon, line);
	if (balloon->first.sent != sent)
		balloon->went_on = balloon->given != 0 && balloon->aimed != 0;
	if (starts(line, "balloon ") && strstr(line, " pages with canaries"))
		sscanf(line, "balloon %u pages with canaries, %u whole, %u broken",
		       &balloon->planted, &balloon->whole, &balloon->broken);
	if (starts(line, broken) && balloon->leak[0] == '\0')
		snprintf(balloon->leak, EVIDENCE_SIZE, "%.*s",
			 (int)strcspn(line + strlen(broken), "\r\n"), line + strlen(broken));
	if (starts(line, "fault ") && strstr(line, " first: sbdf " AIMED " "))
		balloon->faults_of_aimed++;
	if (starts(line, "fault ") && strstr(line, "it is stopped")) {
		balloon->storm = balloon->storm || !strstr(line, AIMED " of first");
		balloon->aimed_stopped = true;
	}
}

static void judge_aimed(struct balloon *balloon)
{
	const bool went_on = balloon->aimed_exchanged != 0 && balloon->aimed == 1 &&
			     balloon->before_it != 0 &&
			     (balloon->after_it != 0 || balloon->aimed_stopped);
	const bool only_its_own =
		balloon->first.faults == balloon->faults_of_aimed && balloon->second.faults == 0;
	const bool reported = !balloon->fault_seen_here || balloon->faults_of_aimed != 0;

	steps_find(
		&balloon->step[BALLOON_AIMED], went_on && only_its_own && reported,
		"%u pages exchanged and %u given, %u packets received before and %u after; %u faults of " AIMED
		" of first%s%s",
		balloon->aimed_exchanged, balloon->aimed, balloon->before_it, balloon->after_it,
		balloon->faults_of_aimed,
		!only_its_own		 ? ", and others: "
		: balloon->aimed_stopped ? ", for which it was stopped"
					 : "",
		only_its_own ? "" : balloon->first.fault);
	balloon->step[BALLOON_AIMED].blind =
		balloon->step[BALLOON_AIMED].good && !balloon->fault_seen_here;
}

static void judge_canaries(struct balloon *balloon)
{
	steps_find(&balloon->step[BALLOON_LEAVES],
		   balloon->exchanged == BALLOON_EXCHANGED && balloon->given != 0 &&
			   balloon->planted == balloon->exchanged + balloon->given +
						       balloon->aimed + balloon->aimed_exchanged &&
			   balloon->planted >= BALLOON_PAGES,
		   "%u pages of receive buffers were exchanged, %u given; %u frames are the other "
		   "guest's",
		   balloon->exchanged, balloon->given, balloon->planted);
	steps_find(&balloon->step[BALLOON_CANARIES],
		   balloon->planted != 0 && balloon->whole == balloon->planted &&
			   balloon->seen == BALLOON_PAGES && balloon->changed == 0,
		   "%u of %u whole; the other guest read %u, of which %u changed; %s",
		   balloon->whole, balloon->planted, balloon->seen, balloon->changed,
		   balloon->leak[0] ? balloon->leak : "none is broken");
}

void balloon_judge(struct balloon *balloon, const struct boot_result *ended,
		   const struct balloon *control)
{
	struct nic *first = &balloon->first, *second = &balloon->second;

	if (first->sent > first->packets)
		first->packets = first->sent;
	nic_judge(first, ended);
	nic_judge(second, ended);
	judge_canaries(balloon);
	steps_find(&balloon->step[BALLOON_RECEIVES],
		   first->step[NIC_TRAFFIC].good && first->step[NIC_INTERRUPTS].good &&
			   balloon->went_on && !balloon->storm,
		   "%s, %s; %s", first->step[NIC_TRAFFIC].evidence,
		   balloon->went_on ? "to behind the last page" : "the last before that",
		   first->step[NIC_INTERRUPTS].evidence);
	judge_aimed(balloon);
	steps_find(&balloon->step[BALLOON_AGAIN],
		   balloon->given != 0 && balloon->again == balloon->given,
		   "%u of %u came again, zeroed, and keep what is written", balloon->again,
		   balloon->given);
	steps_find(&balloon->step[BALLOON_FRAMES],
		   first->step[NIC_FRAMES].good && second->step[NIC_FRAMES].good &&
			   first->step[NIC_END].good,
		   "first: %s; second: %s; %s", first->step[NIC_FRAMES].evidence,
		   second->step[NIC_FRAMES].evidence, first->step[NIC_END].evidence);
	steps_find(&balloon->step[BALLOON_CONTROL], control->leak[0] != '\0', "%s",
		   control->leak[0] ? control->leak : "no canary broke");
}

bool balloon_is_good(const struct balloon *balloon)
{
	for (unsigned int i = 0; i < BALLOON_STEPS; i++)
		if (!balloon->step[i].good)
			return false;
	return true;
}
