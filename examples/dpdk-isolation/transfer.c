/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/dpdk-isolation/transfer.c - one frame that is sent from somewhere, or received there.
 *
 *   send      X --port--> cable --> the other port: what came?
 *   receive   a frame --port 0--> cable --port 1--> X: is it there, or anywhere?
 */
#include "isolation.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

void transfer_add(struct outcome *outcome, const char *format, ...)
{
	const size_t used = strlen(outcome->text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(outcome->text + used, TEXT - used, format, arguments);
	va_end(arguments);
}

static bool is_uniform(const unsigned char *at, uint32_t bytes)
{
	return memcmp(at, at + 1, bytes - 1) == 0;
}

static void judge_frame(struct outcome *outcome, struct rte_mbuf *buffer, uint32_t sequence)
{
	const unsigned char *at = rte_pktmbuf_mtod(buffer, const unsigned char *);
	const uint32_t bytes = buffer->data_len;
	const int64_t found = frame_sequence(at, bytes);

	outcome->came = found == sequence || (found < 0 && !is_uniform(at, bytes));
	if (found == sequence)
		snprintf(outcome->text, TEXT, "the frame that was there came");
	else if (found >= 0)
		snprintf(outcome->text, TEXT, "an old frame of this program's came");
	else if (is_uniform(at, bytes))
		snprintf(outcome->text, TEXT, "%" PRIu32 " bytes of %02x came", bytes, at[0]);
	else
		snprintf(outcome->text, TEXT,
			 "%" PRIu32 " bytes came that are not this program's: "
			 "%02x%02x%02x%02x%02x%02x%02x%02x...",
			 bytes, at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7]);
	rte_pktmbuf_free(buffer);
}

struct outcome transfer_send(const struct aim *aim, const struct port *from, const struct port *to,
			     uint32_t sequence)
{
	struct outcome outcome = { .came = false, .text = "nothing came" };
	struct rte_mbuf *buffer = rte_pktmbuf_alloc(aim->pool);

	port_drain(to);
	if (buffer)
		buffer->data_len = (uint16_t)(buffer->pkt_len = FRAME_LEAST);
	outcome.is_tried = buffer && port_send(from, buffer);
	if (!outcome.is_tried) {
		snprintf(outcome.text, TEXT, "the port takes no frame to send");
		return outcome;
	}
	buffer = port_receive(to);
	if (buffer)
		judge_frame(&outcome, buffer, sequence);
	return outcome;
}

static uint64_t received(const struct port *port)
{
	struct rte_eth_stats stats;

	return rte_eth_stats_get(port->id, &stats) == 0 ? stats.ipackets : 0;
}

/* Looks where it can: at the page itself, else at all memory that the ports can reach. */
static void look(const struct isolation *isolation, const struct aim *aim,
		 const unsigned char *frame, struct outcome *outcome)
{
	uint32_t bytes;
	const unsigned char *mark = frame_mark(frame, &bytes);
	const unsigned char *at = aim->at + AIM_OFFSET;
	unsigned int found;

	if (aim->is_seen) {
		outcome->came = memcmp(at, frame, FRAME_LEAST) == 0;
		snprintf(outcome->text, TEXT, "the frame is %sthere", outcome->came ? "" : "not ");
		return;
	}
	found = memory_count(&isolation->memory, mark, bytes, mark);
	outcome->came = found != 0;
	snprintf(outcome->text, TEXT, "%u times in the %" PRIu64 " MiB that were searched", found,
		 memory_searched() >> 20);
}

/* The frame that port 0 is to send, and where it lies. */
static struct rte_mbuf *make_frame(const struct isolation *isolation, uint32_t sequence,
				   const unsigned char **frame)
{
	const struct port *port = isolation->port;
	struct rte_mbuf *buffer = rte_pktmbuf_alloc(isolation->memory.send);
	unsigned char *at;

	if (!buffer)
		return NULL;
	at = (unsigned char *)rte_pktmbuf_append(buffer, FRAME_LEAST);
	frame_make(at, FRAME_LEAST, sequence, port[0].address, port[1].address);
	*frame = at;
	return buffer;
}

struct outcome transfer_receive(struct isolation *isolation, const struct aim *aim,
				uint32_t sequence)
{
	struct port *port = isolation->port;
	struct outcome outcome = { .text = "the port does not come up again" };
	const unsigned char *frame = NULL;
	struct rte_mbuf *buffer;
	uint64_t before, count;

	if (!port_start(&port[1], aim->pool))
		return outcome;
	before = received(&port[1]);
	buffer = make_frame(isolation, sequence, &frame);
	if (!buffer || !port_send(&port[0], buffer)) {
		snprintf(outcome.text, TEXT, "the other port takes no frame to send");
		return outcome;
	}
	rte_pktmbuf_free(port_receive(&port[1]));
	count = received(&port[1]) - before;
	look(isolation, aim, frame, &outcome);
	transfer_add(&outcome, ", %" PRIu64 " counted by the port", count);
	outcome.is_tried = count != 0;
	return outcome;
}
