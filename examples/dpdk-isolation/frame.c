/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/dpdk-isolation/frame.c - frames that can be told from all others.
 *
 *   to from 88b5 | run:8 sequence:4 bytes:4 | a pattern that begins with the sequence
 */
#include "isolation.h"

#include <string.h>
#include <sys/random.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

#define TYPE 0x88b5u /* IEEE 802: for local experiments */
#define SEED 2654435761u

struct head {
	struct rte_ether_hdr ethernet;
	uint64_t run;
	uint32_t sequence, bytes;
} __attribute__((packed, aligned(2)));

static uint64_t run;

void frame_begin(void)
{
	if (getrandom(&run, sizeof(run), 0) != sizeof(run))
		isolation_refuse("getrandom() gives no number");
}

static unsigned char pattern(uint32_t sequence, uint32_t at)
{
	return (unsigned char)((sequence + at) * SEED >> 24);
}

void frame_make(unsigned char *at, uint32_t bytes, uint32_t sequence, const uint8_t *from,
		const uint8_t *to)
{
	struct head head = { .ethernet = { .ether_type = rte_cpu_to_be_16(TYPE) },
			     .run = run,
			     .sequence = sequence,
			     .bytes = bytes };

	memcpy(&head.ethernet.src_addr, from, PORT_ADDRESS);
	memcpy(&head.ethernet.dst_addr, to, PORT_ADDRESS);
	memcpy(at, &head, sizeof(head));
	for (uint32_t i = sizeof(head); i < bytes; i++)
		at[i] = pattern(sequence, i);
}

int64_t frame_sequence(const unsigned char *at, uint32_t bytes)
{
	struct head head;

	if (bytes < FRAME_LEAST)
		return -1;
	memcpy(&head, at, sizeof(head));
	if (head.run != run || head.bytes != bytes ||
	    head.ethernet.ether_type != rte_cpu_to_be_16(TYPE))
		return -1;
	for (uint32_t i = sizeof(head); i < bytes; i++)
		if (at[i] != pattern(head.sequence, i))
			return -1;
	return head.sequence;
}

const unsigned char *frame_mark(const unsigned char *at, uint32_t *bytes)
{
	*bytes = FRAME_LEAST - sizeof(struct rte_ether_hdr);
	return at + sizeof(struct rte_ether_hdr);
}
