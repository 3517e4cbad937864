/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/verify.h - the proof: a real device's DMA is aimed where the host's IOMMU must not let it, and memory
 * that is our own tells what came of it.
 *
 *   verify.c          the command: which device, may it be had, what is printed
 *   verify_rows.c     rows and their controls, on a ground; judged by canaries
 *   verify_ground.c   the ground that is real: VFIO (verify_vfio.c), memory (verify_memory.c), an engine
 *   verify_engine.c   edu, NVMe, 82574: the tree's drivers of engines/
 *
 * Every address that the device is aimed at is the machine address of a frame that this process holds, also where it is
 * meant to lead elsewhere or nowhere. So whatever a unit does, or does not do, nobody else's memory is reached.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The frames that rows play with. */
enum verify_page {
	VERIFY_GIVEN,	/* the device may write here, where it may at all */
	VERIFY_OTHER,	/* and here, when the first was replaced */
	VERIFY_OUTSIDE, /* whose machine address the device is aimed at */
	VERIFY_GUARD,	/* nothing ever leads here */
	VERIFY_PAGES
};

#define VERIFY_PAGE_BYTES 4096u

enum verify_shot {
	VERIFY_OVER,  /* the device says that it is done, or would say so */
	VERIFY_STUCK, /* it did not end, and was reset */
	VERIFY_DEAD,  /* and cannot be brought back */
};

/* What rows are played on; real, or a test's. */
struct verify_ground {
	void *of;
	unsigned char *page[VERIFY_PAGES];
	uint64_t address[VERIFY_PAGES]; /* of the machine; what the device is aimed at is one of these */
	size_t bytes;			/* that one transfer writes */
	bool can_read;			/* the engine can show what it read */
	uint64_t slow; /* nanoseconds that a transfer is under way at least, so that something can happen meanwhile */

	/* An address of the device's leads to a page; false: refused, `trouble` has why. */
	bool (*map)(void *of, uint64_t address, enum verify_page page, bool writable);
	bool (*unmap)(void *of, uint64_t address);
	/* The device writes `bytes` there: what, is its own business, but never what stood there. */
	void (*start)(void *of, uint64_t address);
	enum verify_shot (*finish)(void *of);
	/* The device reads there; `bytes` of what it got. */
	enum verify_shot (*read)(void *of, uint64_t address, unsigned char *got);
	/* The device and its mappings are given back, whatever it does. */
	void (*close)(void *of);
	/* For as long as a transfer takes at most. */
	void (*pause)(void *of);
	char trouble[160];
};

enum verify_result {
	VERIFY_ARRIVES,
	VERIFY_BLOCKED,
	VERIFY_LEAKED,
	VERIFY_UNOBSERVABLE, /* it could not be seen either way; no pass */
	VERIFY_UNKNOWN, /* the evidence is lacking: a control did not arrive, or the device failed */
};

/* What became of the control: the same without what is to block. */
enum verify_control {
	VERIFY_NO_CONTROL,
	VERIFY_CONTROL_ARRIVED,
	VERIFY_CONTROL_LACKS,
};

struct verify_row {
	const char *name;
	enum verify_result result;
	enum verify_control control;
	char evidence[200];
};

enum {
	VERIFY_ROWS = 9
};

struct verify {
	struct verify_ground *ground;
	size_t count;
	struct verify_row row[VERIFY_ROWS];
	/* Nanoseconds that an unmap of one page took; 0 samples: not measured. */
	uint64_t median, p99;
	size_t samples;
};

/* Plays all rows; the last gives the device back. Where the device does not do even what it may, the rest is left out. */
void verify_play(struct verify *verify, size_t samples);
/* One of enum command_exit. */
int verify_status(const struct verify *verify);
const char *verify_result_text(enum verify_result result);
const char *verify_control_text(enum verify_control control);
