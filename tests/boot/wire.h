/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/wire.h - what a port sends, frame by frame, as QEMU's filter-dump writes it to a pipe.
 *
 *   testpmd's first burst     frame 0, 1 ... 31, no two alike
 *   forwarded by both ports   0, 1 ... 31, 0, 1 ... 31, 0 ...
 *
 * What goes round is read from memory and written to memory by DMA each time. So each frame is to be the one that
 * was WIRE_ROUND before it: a byte that is wrong, a frame that is lost, an old one that is sent again, all show.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WIRE_ROUND = 32, /* guests/dpdk.init's --burst */
	WIRE_FRAME = 256,
	WIRE_TEXT = 160,
	WIRE_BUFFER = 1 << 16
};

/* What was seen of one port. */
struct wire {
	uint64_t frames, wrong; /* wrong: not the one that was to come */
	bool round_differs;	/* no two frames of the first round are alike */
	char amiss[WIRE_TEXT];	/* the first that was wrong */
	/* private */
	unsigned char round[WIRE_ROUND][WIRE_FRAME];
	uint32_t bytes[WIRE_ROUND];
	unsigned char part[WIRE_BUFFER]; /* read, and not yet a whole frame */
	size_t in_part;
	bool has_header, is_broken; /* broken: no such file */
};

void wire_begin(struct wire *wire);

/* More of the file (pcap, as tcpdump writes it), in pieces of any size. */
void wire_read(struct wire *wire, const void *bytes, size_t count);

/* A pipe that is read while QEMU writes. */
struct wire_tap {
	struct wire wire;
	const char *path;
	int file;
	_Atomic bool is_over;
	pthread_t thread;
};

/* Makes the pipe, and begins; false with errno where it cannot. */
bool wire_tap_open(struct wire_tap *tap, const char *path);
/* Everything is read: who wrote has ended. The pipe is gone. */
void wire_tap_close(struct wire_tap *tap);
