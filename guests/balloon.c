/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/balloon.c - a program for a Linux guest with `balloon = user`: it parts with memory when it is
 * asked to, while the guest's ports receive.
 *
 *   balloon give BAR...   pages that receive buffers of these ports lie in are
 *                         exchanged; then, until nobody wants more, pages of its own are
 *                         given, and got again
 *   balloon aim BAR       drives a port that has no driver: its ring is aimed at pages of this
 *                         program's; some are exchanged, one is given, while it receives into them
 *   balloon receive PAGES in the other guest: waits for pages from others, and tells at the end how many
 *                         have changed since they came
 *
 * BAR is the address of a port's registers (82574, data sheet 10). What it says begins with "nic: ", for
 * tests/boot.
 *
 * with: guests/physical.c
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guests/physical.h"

#define PAGE		PHYSICAL_PAGE
#define LINK_UP		0x40u
#define RECEIVE_ALL	0x801au /* on, every address, broadcasts; buffers of 2 KiB */
#define DESCRIPTORS	256u
#define PORTS		4
#define OWN_PAGES	512u
#define BUFFERS		16u
#define PAUSE_US	20000
#define EXCHANGED	96u
#define WARM_SECONDS	4
#define REST_SECONDS	2
#define AIM_EXCHANGED	8u
#define AIM_SECONDS	1
#define RECEIVE_SECONDS 200
#define OTHERS		0x100000000ull /* where pages from others appear */

/* The page of a buffer that the port will receive into: half a ring ahead of where it is. */
static uint64_t receiving_page(const volatile uint32_t *port, uint32_t turn)
{
	const uint32_t count = port_read(port, PORT_RECEIVE_BYTES) / sizeof(struct port_descriptor);
	const uint32_t at = port_read(port, PORT_RECEIVE_HEAD) + count / 2 + turn;

	return physical_received(port, at).buffer / PAGE;
}

/* ---- give ---- */

/* Zeroed pages came, and they are memory: what is written to them is there. */
static int got_again(unsigned char *pages, uint32_t count)
{
	int good = 0;

	for (uint32_t i = 0; i < count; i++) {
		unsigned char *page = pages + i * PAGE;
		int is_zero = 1;

		if (physical_call(HYPERCALL_GET, physical_gfn(page), 1) != 1)
			continue;
		for (uint32_t k = 0; k < PAGE; k++)
			is_zero = is_zero && page[k] == 0;
		memset(page, 0xa5, PAGE);
		good += is_zero && page[0] == 0xa5 && page[PAGE - 1] == 0xa5;
	}
	return good;
}

static int run_give(int count, char **bars)
{
	volatile uint32_t *port[PORTS];
	unsigned char *own = physical_take(OWN_PAGES);
	uint32_t given = 0, exchanged = 0, turn = 0;
	int ports = 0;

	for (; ports < count && ports < PORTS; ports++)
		port[ports] = physical_port(bars[ports]);
	/* Buffers go round: from now on pages come again that the port has received into before. */
	sleep(WARM_SECONDS);
	while (physical_call(HYPERCALL_WANTED, 0, 0) == 0)
		usleep(PAUSE_US);
	printf("nic: balloon asked for %ld\n", (long)physical_call(HYPERCALL_WANTED, 0, 0));
	for (; exchanged < EXCHANGED; turn++) {
		volatile uint32_t *of = port[turn % (uint32_t)ports];

		exchanged += physical_call(HYPERCALL_EXCHANGE, receiving_page(of, turn), 1) == 1;
		usleep(PAUSE_US);
	}
	sleep(REST_SECONDS); /* every buffer has its turn, also those that were exchanged last */
	while (physical_call(HYPERCALL_WANTED, 0, 0) > 0 && given < OWN_PAGES) {
		given += physical_call(HYPERCALL_GIVE, physical_gfn(own + given * PAGE), 1) == 1;
		usleep(PAUSE_US);
	}
	printf("nic: balloon exchanged %u, given %u, got again %d\n", exchanged, given,
	       got_again(own, given));
	return 0;
}

/* ---- aim ---- */

/* Descriptor 0 alone aims at buffer 0: few packets go there, and no storm of faults comes of it. */
static uint64_t buffer_of(const unsigned char *buffers, uint32_t i)
{
	return physical_gfn(buffers + (i == 0 ? 0 : 1 + i % (BUFFERS - 1)) * PAGE) * PAGE;
}

/* What was received is the port's again. */
static uint32_t receive(volatile uint32_t *port, volatile struct port_descriptor *ring,
			const unsigned char *buffers, uint32_t *next)
{
	uint32_t count = 0;

	for (; ring[*next].status & 1ull << 32; count++) {
		ring[*next] = (struct port_descriptor){ buffer_of(buffers, *next), 0 };
		port_write(port, PORT_RECEIVE_TAIL, *next);
		*next = (*next + 1) % DESCRIPTORS;
	}
	return count;
}

static uint32_t receive_for(volatile uint32_t *port, volatile struct port_descriptor *ring,
			    const unsigned char *buffers, uint32_t *next, int seconds)
{
	uint32_t count = 0;

	for (int i = 0; i < seconds * 100; i++) {
		count += receive(port, ring, buffers, next);
		usleep(10000);
	}
	return count;
}

static int run_aim(const char *bar)
{
	volatile uint32_t *port = physical_port(bar);
	volatile struct port_descriptor *ring = physical_take(1);
	unsigned char *buffers = physical_take(BUFFERS);
	const uint64_t at = physical_gfn((const void *)(uintptr_t)ring) * PAGE;
	uint32_t next = 0, exchanged = 0, before, after;
	int64_t given;

	for (uint32_t i = 0; i < DESCRIPTORS; i++)
		ring[i] = (struct port_descriptor){ buffer_of(buffers, i), 0 };
	port_write(port, PORT_CONTROL, port_read(port, PORT_CONTROL) | LINK_UP);
	port_write(port, PORT_RECEIVE_LOW, (uint32_t)at);
	port_write(port, PORT_RECEIVE_HIGH, (uint32_t)(at >> 32));
	port_write(port, PORT_RECEIVE_BYTES, DESCRIPTORS * sizeof(*ring));
	port_write(port, PORT_RECEIVE_HEAD, 0);
	port_write(port, PORT_RECEIVE_TAIL, DESCRIPTORS - 1);
	port_write(port, PORT_RECEIVE, RECEIVE_ALL);
	before = receive_for(port, ring, buffers, &next, AIM_SECONDS);
	for (uint32_t i = 1; i <= AIM_EXCHANGED; i++)
		exchanged +=
			physical_call(HYPERCALL_EXCHANGE, physical_gfn(buffers + i * PAGE), 1) == 1;
	before += receive_for(port, ring, buffers, &next, AIM_SECONDS);
	given = physical_call(HYPERCALL_GIVE, physical_gfn(buffers), 1);
	after = receive_for(port, ring, buffers, &next, AIM_SECONDS);
	port_write(port, PORT_RECEIVE, 0);
	/* Else the kernel would give a page that is none to whoever asks next. */
	if (given == 1 && physical_call(HYPERCALL_GET, physical_gfn(buffers), 1) != 1)
		physical_fail("get its page again");
	printf("nic: aimed exchanged %u, given %d, received %u before, %u after\n", exchanged,
	       (int)given, before, after);
	return 0;
}

/* ---- receive ---- */

static uint64_t sum_of(const volatile uint64_t *page)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < PAGE / sizeof(*page); i++)
		sum = sum * 31 + page[i];
	return sum;
}

/* Where nothing is, ones are read. */
static int run_receive(uint32_t wanted)
{
	const int memory = open("/dev/mem", O_RDONLY | O_SYNC);
	const volatile uint64_t *pages =
		mmap(NULL, wanted * PAGE, PROT_READ, MAP_SHARED, memory, (off_t)OTHERS);
	uint64_t *sums = calloc(wanted, sizeof(*sums));
	uint32_t count = 0, changed = 0;

	if (memory < 0 || pages == MAP_FAILED || !sums)
		physical_fail("map memory from others");
	for (int left = RECEIVE_SECONDS; count < wanted && left > 0;) {
		const volatile uint64_t *page = pages + count * (PAGE / sizeof(*pages));

		if (page[0] == ~0ull) {
			sleep(1);
			left--;
		} else {
			sums[count++] = sum_of(page);
		}
	}
	sleep(AIM_SECONDS);
	for (uint32_t i = 0; i < count; i++)
		changed += sums[i] != sum_of(pages + i * (PAGE / sizeof(*pages)));
	printf("nic: pages %u, changed %u\n", count, changed);
	return 0;
}

int main(int count, char **words)
{
	physical_name("nic: balloon");
	if (count > 2 && strcmp(words[1], "give") == 0)
		return run_give(count - 2, words + 2);
	if (count == 3 && strcmp(words[1], "aim") == 0)
		return run_aim(words[2]);
	if (count == 3 && strcmp(words[1], "receive") == 0)
		return run_receive((uint32_t)atoi(words[2]));
	fprintf(stderr, "usage: balloon give BAR... | aim BAR | receive PAGES\n");
	return 2;
}
