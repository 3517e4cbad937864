/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/balloon.h - memory goes from one running Linux guest to another, while the first one's
 * ports receive into it.
 *
 *   first| nic: balloon exchanged 64, given 64, got again 64    by guests/balloon.c
 *   balloon  129 pages with canaries, 129 whole, 0 broken       by the hypervisor, at the end
 *   second| nic: pages 128, changed 0                           by guests/receiver.init
 *
 * The control is the same machine with the image with mutants: units are not told of frames that are
 * exchanged, the frame goes to the other guest all the same, and its canary breaks.
 */
#pragma once

#include "nic.h"

enum balloon_step {
	BALLOON_LEAVES,
	BALLOON_CANARIES,
	BALLOON_RECEIVES,
	BALLOON_AIMED,
	BALLOON_AGAIN,
	BALLOON_FRAMES,
	BALLOON_CONTROL,
	BALLOON_STEPS
};

enum {
	BALLOON_PACKETS = 1000, /* at least; it sends until all is over */
	BALLOON_PAGES = 128,	/* as guests/balloon.monitor asks for */
	BALLOON_EXCHANGED = 96	/* of those, as guests/balloon.c says */
};

struct balloon {
	const struct machine *machine;
	bool fault_seen_here; /* this machine's unit reports faults */
	struct nic first, second;
	unsigned int exchanged, given, again; /* as the first guest says */
	unsigned int planted, whole, broken;  /* as the hypervisor says */
	unsigned int seen, changed;	      /* as the second guest says */
	unsigned int aimed_exchanged, aimed, before_it,
		after_it; /* pages that went, packets of the aimed port */
	unsigned int faults_of_aimed;
	bool aimed_stopped; /* a unit that reports each word of a packet makes a storm of one */
	bool storm;	    /* any other port was stopped */
	bool went_on;	    /* the first guest's last packet came after all that */
	char leak[EVIDENCE_SIZE]; /* the first canary that broke */
	struct nic_finding step[BALLOON_STEPS];
};

void balloon_begin(struct balloon *balloon, const struct machine *machine, unsigned int qemu);
void balloon_read_line(struct balloon *balloon, const char *line);
/* `control` is what was read of the machine's other run. */
void balloon_judge(struct balloon *balloon, const struct boot_result *ended,
		   const struct balloon *control);
bool balloon_is_good(const struct balloon *balloon);

void balloon_run(const struct runner *runner, const struct machine *machine,
		 struct balloon *balloon);
void balloon_print(const struct balloon *balloon, FILE *output);
bool balloon_write(const char *path, const struct balloon *balloons, size_t count,
		   const char *qemu);
