/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/dpdk-isolation/traffic.c - frames both ways through own memory, each of which is looked at.
 *
 *   port 0 --burst--> port 1, looked at; next burst ..   then from 1 to 0
 */
#include "isolation.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define BURST 32u

/* Two of three are as long as a buffer, so that each buffer has one that reaches its end. */
static uint32_t bytes_of(uint32_t sequence)
{
	return sequence % 3 != 0 ? FRAME_MOST : FRAME_LEAST + sequence % (FRAME_MOST - FRAME_LEAST);
}

static uint32_t send_burst(const struct isolation *isolation, const struct port *from,
			   const struct port *to, uint32_t sequence, uint32_t count)
{
	struct rte_mbuf *buffer[BURST];
	uint32_t sent;

	if (rte_pktmbuf_alloc_bulk(isolation->memory.send, buffer, count) != 0)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t bytes = bytes_of(sequence + i);

		frame_make((unsigned char *)rte_pktmbuf_append(buffer[i], (uint16_t)bytes), bytes,
			   sequence + i, from->address, to->address);
	}
	sent = rte_eth_tx_burst(from->id, 0, buffer, (uint16_t)count);
	if (sent < count)
		rte_pktmbuf_free_bulk(buffer + sent, count - sent);
	return sent;
}

static void note(struct traffic *traffic, const struct rte_mbuf *buffer, uint32_t sequence)
{
	const uint64_t at = rte_pktmbuf_iova(buffer);

	traffic->came++;
	traffic->broken += frame_sequence(rte_pktmbuf_mtod(buffer, unsigned char *),
					  buffer->pkt_len) != (int64_t)sequence;
	if (traffic->first == 0 || at < traffic->first)
		traffic->first = at;
	if (at + buffer->data_len > traffic->last)
		traffic->last = at + buffer->data_len;
}

static void send_one_way(const struct isolation *isolation, const struct port *from,
			 const struct port *to, struct traffic *traffic)
{
	port_drain(to);
	for (uint32_t next = 0; next < isolation->frames;) {
		const uint32_t left = isolation->frames - next;
		const uint32_t sent =
			send_burst(isolation, from, to, next, left < BURST ? left : BURST);

		for (uint32_t i = 0; i < sent; i++) {
			struct rte_mbuf *buffer = NULL;

			if (rte_eth_rx_burst(to->id, 0, &buffer, 1) != 1)
				buffer = port_receive(to);
			if (!buffer)
				return;
			note(traffic, buffer, next + i);
			rte_pktmbuf_free(buffer);
		}
		if (sent == 0)
			return;
		next += sent;
	}
}

struct traffic traffic_run(const struct isolation *isolation)
{
	const struct port *port = isolation->port;
	const uint64_t faults = report_count(&port[0]) + report_count(&port[1]);
	struct traffic traffic = { .wanted = 2 * isolation->frames };

	send_one_way(isolation, &port[0], &port[1], &traffic);
	send_one_way(isolation, &port[1], &port[0], &traffic);
	traffic.faults = report_count(&port[0]) + report_count(&port[1]) - faults;
	return traffic;
}
