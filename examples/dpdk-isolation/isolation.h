/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/dpdk-isolation/isolation.h - does DMA of this guest's ports stay in this guest?
 *
 *   main.c     options, what must be there, the order of rows, the exit status
 *   rows.c     the claims: own memory works, what is aimed outside is contained, and is reported
 *   traffic.c  frames through own memory       transfer.c  a frame that is aimed
 *   port.c     two ports on one cable, through ethdev
 *   memory.c   memory to aim at: huge pages of the program's own, and what is nobody's
 *   frame.c    frames that can be told from all others
 *   report.c   who says that something was blocked: Sallyport, if it is there
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;

/* What README.md promises. */
enum isolation_status {
	STATUS_CONTAINED = 0, /* and reported */
	STATUS_LEAKED = 1,    /* something got out, or own memory does not work */
	STATUS_USAGE = 2,     /* nothing was tried: something is missing */
	STATUS_UNKNOWN = 3,   /* nothing got out, but nobody reports that it was blocked */
};

/* Says what is missing and what to do, and ends with STATUS_USAGE. */
_Noreturn void isolation_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- frames ---- */

#define FRAME_LEAST 60u /* bytes, without the check sum that the port adds */
#define FRAME_MOST  1024u

void frame_begin(void); /* draws a number for this run */
void frame_make(unsigned char *at, uint32_t bytes, uint32_t sequence, const uint8_t *from,
		const uint8_t *to);
/* One of this run's, whole: its sequence number; -1: it is not. */
int64_t frame_sequence(const unsigned char *at, uint32_t bytes);
/* What of a frame nothing else in memory looks like. */
const unsigned char *frame_mark(const unsigned char *at, uint32_t *bytes);

/* ---- memory ---- */

#define PAGE_BYTES  0x1000u
#define AIM_OFFSET  RTE_PKTMBUF_HEADROOM /* of data in a buffer */
#define HUGE_BYTES  0x200000u
#define ROOM	    (RTE_PKTMBUF_HEADROOM + FRAME_MOST) /* of a buffer */
#define MEMORY_AIMS 3u

struct huge_page {
	unsigned char *at;
	uint64_t bus;
};

/* Where a port is aimed. */
struct aim {
	const char *name;
	uint64_t bus;	   /* its page */
	unsigned char *at; /* where this program sees that page; a page of its own where it cannot */
	bool is_seen;
	struct rte_mempool *pool; /* each of its buffers is that page */
};

struct memory {
	struct huge_page low, high,
		middle;		     /* by address; ports use the ends, `middle` is the controls' */
	struct rte_mempool *send;    /* DPDK's own memory */
	struct rte_mempool *receive; /* buffers from the first byte of `low` to the last of `high` */
	uint64_t first, last;	     /* of the receive pool, where data begins and ends */
	struct aim inside;
	uint32_t aim_count;
	struct aim outside[MEMORY_AIMS];
};

void memory_take(struct memory *memory);
/* What is outside, by /proc/iomem; or the address that was named. */
void memory_find_outside(struct memory *memory);
void memory_name_outside(struct memory *memory, uint64_t address, bool look);
/* How many times the bytes are in the memory that ports can reach, `except` left out. */
unsigned int memory_count(const struct memory *memory, const unsigned char *bytes, uint32_t count,
			  const unsigned char *except);
uint64_t memory_searched(void); /* bytes, by the last memory_count() */

/* ---- ports ---- */

#define PORT_NAME    64 /* bytes; DPDK has no more */
#define PORT_ADDRESS 6

struct port {
	uint16_t id;
	char name[PORT_NAME]; /* 0000:00:01.0 */
	char driver[32];
	uint32_t function; /* bus << 8 | device << 3 | function */
	uint8_t address[PORT_ADDRESS];
	bool is_started;
};

/* Exactly two ports, with DMA that this question can be asked of. */
void port_find_both(struct port ports[2]);
/* Begins to receive into the pool; began before: is reset first. False: it does not start, no link. */
bool port_start(struct port *port, struct rte_mempool *receive);
void port_stop(const struct port *port);
/* Waits for a while. NULL: nothing came. */
struct rte_mbuf *port_receive(const struct port *port);
bool port_send(const struct port *port, struct rte_mbuf *buffer);
void port_drain(const struct port *port);

/* ---- reports ---- */

/* NULL: there is a reporter; else why not. */
const char *report_find(const struct port ports[2]);
uint64_t report_count(const struct port *port);
/* Waits for a while until there are more than `before`. How many came. */
uint64_t report_wait(const struct port *port, uint64_t before);
uint64_t report_last(const struct port *port);

/* ---- what is done with them ---- */

struct isolation {
	uint32_t frames; /* each way */
	bool outside_is_named;
	const char *no_reporter;
	struct memory memory;
	struct port port[2];
};

/* Frames through own memory, both ways. */
struct traffic {
	uint32_t wanted, came, broken;
	uint64_t first, last; /* where data began and ended */
	uint64_t faults;      /* that were reported meanwhile */
};
struct traffic traffic_run(const struct isolation *isolation);

/* One frame that is aimed. */
#define TEXT 320u
struct outcome {
	bool is_tried;
	bool came; /* what was to come, or something that is nobody's to see */
	char text[TEXT];
};
/* `from` sends what lies there. */
struct outcome transfer_send(const struct aim *aim, const struct port *from, const struct port *to,
			     uint32_t sequence);
/* Port 1 receives there, reset before; the frame is sent by port 0. */
struct outcome transfer_receive(struct isolation *isolation, const struct aim *aim,
				uint32_t sequence);
void transfer_add(struct outcome *outcome, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

enum isolation_status rows_run(struct isolation *isolation);
