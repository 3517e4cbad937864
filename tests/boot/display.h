/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/display.h - two displays of a guest's own: what it draws on them is what QEMU shows.
 *
 *   debian| [ 2.1] display: drawn right bochs-drm 1024x768 sum f76af682     by guests/card.c, as it reads it again
 *   monitor  debian: gfn 0x10000: mfn 0xfd000, in a page of 2048 KiB, ...   by the hypervisor, asked for it
 *   amdvi_cache_update ... 00:03.0 gpa 0x27a0000 hpa 0x4200000 ...          by QEMU, what the unit translates
 *   out/boot-logs/MACHINE-display-*.png                                     what QEMU shows
 */
#pragma once

#include "nic.h"
#include "picture.h"

enum display_step {
	DISPLAY_DRIVERS,
	DISPLAY_LARGE,
	DISPLAY_BOCHS,
	DISPLAY_VIRTIO,
	DISPLAY_ONE_BIT,
	DISPLAY_UNIT,
	DISPLAY_INTERRUPTS,
	DISPLAY_CONTAINED,
	DISPLAY_FRAMES,
	DISPLAY_REFUSED,
	DISPLAY_PAST, /* of the first machine */
	DISPLAY_STEPS
};

enum display_head {
	HEAD_BOCHS,
	HEAD_VIRTIO,
	HEADS
};

/* The guest draws twice: with one pixel wrong, then right. The last control's, as the first. */
enum display_turn {
	TURN_WRONG,
	TURN_RIGHT,
	TURN_PAST,
	TURNS
};

enum {
	DISPLAY_PIECES = 8, /* of 2 MiB, in the frame buffer's BAR */
	DISPLAY_PAGES = 512 /* that the unit was seen to translate, at most */
};

struct display_card {
	uint32_t width, height, sum; /* as the guest says */
};

struct display {
	const struct machine *machine;
	bool has_past; /* the last control is run */
	char driver[HEADS][EVIDENCE_SIZE];
	struct display_card drawn[TURNS][HEADS];
	struct picture shown[TURNS][HEADS];
	char amiss[EVIDENCE_SIZE]; /* why a picture could not be taken */

	uint64_t bar_first, bar_end; /* the guest's addresses; the end is outside */
	unsigned int pieces;	     /* that lie where the first leads, in pages of 2 MiB or more */
	uint64_t piece_frame;	     /* where the first leads */
	char piece[EVIDENCE_SIZE];   /* the first that does not */

	uint64_t memory_frame; /* of the guest's first frame */
	unsigned int functions;
	uint32_t function; /* the last that the guest got: virtio-gpu, as bus, device, function */
	unsigned int translated, astray, page_count;
	uint64_t page[DISPLAY_PAGES]; /* gfns, each once */
	char stray[EVIDENCE_SIZE];

	unsigned long interrupts;
	struct nic nic; /* faults and frames */
	struct boot_result ended;
	double seconds; /* of all boots */
	char refused[EVIDENCE_SIZE];
	struct nic_finding step[DISPLAY_STEPS];
};

extern const char *const display_drivers[HEADS];

void display_begin(struct display *display, const struct machine *machine);
/* The serial line of the boot; what QEMU traced of it; the serial lines of the two controls. */
void display_read_line(struct display *display, const char *line);
void display_read_trace(struct display *display, const char *line);
void display_read_refusal(struct display *display, const char *line);
void display_read_past(struct display *display, const char *line);
void display_judge(struct display *display);
/* Steps that a machine has. */
unsigned int display_steps(const struct display *display);

/* Boots each machine, prints a line for each step, and leaves OUT/display.json and OUT/display.png. */
bool display_run_all(const struct runner *runner, const struct machine *const *machines,
		     size_t count);
