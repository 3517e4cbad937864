/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/server.c - one guest serves another: a program for each of them (guests/serve.conf).
 *
 *   server client    has pages at a place that both know, and parts with some of them as it is asked to
 *   server serve     maps them all, keeps the mappings, and writes to each of them all the time; lets go
 *                    of what its ring says. Once, when the client says so, it hangs first
 *
 *   the client's page 0     a mailbox, of words          pages 1 to 64     buffers; word 0 is the server's
 *
 * What it says begins with "nic: ", for tests/boot.
 *
 * with: guests/physical.c
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sallyport/server.h>

#include "guests/physical.h"

#define PAGE	  PHYSICAL_PAGE
#define WORDS	  (PAGE / sizeof(uint64_t))
#define FIRST_GFN 0x6000ull /* 96 MiB, which the kernel is told to leave alone: guests/serve.conf */
#define BUFFERS	  64u
#define PLACES	  (1 + BUFFERS)
#define GIVEN	  16u
#define EXCHANGED 8u
#define HANGS_AT  (1 + GIVEN + EXCHANGED)
#define HANG_MS	  3000
#define PATIENCE  60 /* seconds */
#define PAUSE_US  2000
#define READY	  0x5e7e5a11ull

/* Words of the mailbox. */
enum mailbox {
	CLIENT_READY,
	SERVER_MAPPED,
	CLIENT_WANTS_HANG,
	SERVER_WILL_HANG,
	CLIENT_DONE
};

typedef volatile uint64_t word;

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* False: not within a minute. */
static int await(const word *at, uint64_t value)
{
	for (int i = 0; i < PATIENCE * 1000000 / PAUSE_US; i++) {
		if (*at == value)
			return 1;
		usleep(PAUSE_US);
	}
	return 0;
}

/* ---- the client ---- */

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static volatile int beats = 1;
static volatile uint64_t longest; /* time stamps between two beats */

/* On the other CPU: it stops when that is kept out of the guest, whatever the guest's own clock says. */
static void *beat(void *argument)
{
	uint64_t last = read_tsc();

	(void)argument;
	while (beats) {
		const uint64_t at = read_tsc();

		if (at - last > longest)
			longest = at - last;
		last = at;
	}
	return NULL;
}

static uint64_t stamps_of_a_ms(void)
{
	const uint64_t before = read_tsc(), begin = now_ms();

	usleep(500000);
	return (read_tsc() - before) / (now_ms() - begin);
}

/* The server writes to them: how many of them change within some seconds. */
static unsigned int count_served(word *pages, unsigned int first, unsigned int count)
{
	uint64_t before[PLACES];
	unsigned int served = 0;

	for (unsigned int i = 0; i < count; i++)
		before[i] = pages[(first + i) * WORDS];
	for (int turn = 0; turn < 2000 && served < count; turn++) {
		served = 0;
		usleep(PAUSE_US);
		for (unsigned int i = 0; i < count; i++)
			served += pages[(first + i) * WORDS] != before[i];
	}
	return served;
}

static unsigned int part_with(uint64_t number, unsigned int first, unsigned int count)
{
	unsigned int done = 0;

	for (unsigned int i = 0; i < count; i++) {
		done += physical_call(number, FIRST_GFN + first + i, 1) == 1;
		usleep(PAUSE_US);
	}
	return done;
}

static void hang(word *pages, uint64_t stamps)
{
	pthread_t other;
	uint64_t begin;
	int64_t given;

	pages[CLIENT_WANTS_HANG] = 1;
	if (!await(&pages[SERVER_WILL_HANG], 1) || pthread_create(&other, NULL, beat, NULL) != 0)
		physical_fail("have the server hang");
	usleep(200000);
	longest = 0;
	begin = read_tsc();
	given = physical_call(HYPERCALL_GIVE, FIRST_GFN + HANGS_AT, 1);
	begin = read_tsc() - begin;
	usleep(200000); /* the other CPU comes back, and looks at its clock */
	beats = 0;
	pthread_join(other, NULL);
	printf("nic: hung gave %d after %lu ms, the other CPU stood still for %lu ms\n", (int)given,
	       (unsigned long)(begin / stamps), (unsigned long)(longest / stamps));
}

static int run_client(void)
{
	word *pages = (word *)physical_registers(FIRST_GFN * PAGE, PLACES * PAGE);
	const uint64_t stamps = stamps_of_a_ms();
	unsigned int given, exchanged, served;

	for (unsigned int i = 0; i < PLACES * WORDS; i++)
		pages[i] = 0;
	pages[CLIENT_READY] = READY;
	if (!await(&pages[SERVER_MAPPED], BUFFERS))
		physical_fail("find a server");
	served = count_served(pages, 1, BUFFERS);
	printf("nic: serve served %u of %u\n", served, BUFFERS);
	while (physical_call(HYPERCALL_WANTED, 0, 0) == 0)
		usleep(PAUSE_US);
	given = part_with(HYPERCALL_GIVE, 1, GIVEN);
	exchanged = part_with(HYPERCALL_EXCHANGE, 1 + GIVEN, EXCHANGED);
	served = count_served(pages, 1 + GIVEN, EXCHANGED);
	printf("nic: serve given %u, exchanged %u, of which %u are served\n", given, exchanged,
	       served);
	hang(pages, stamps);
	pages[CLIENT_DONE] = 1;
	return 0;
}

/* ---- the server ---- */

struct server {
	const volatile struct sp_ring *ring;
	volatile uint64_t *acknowledged;
	word *pages;
	int is_mapped[PLACES];
	uint64_t consumed, written, requests, let_go, written_hanging;
	int has_hung;
};

static int map_page(struct server *server, unsigned int place)
{
	if (!server->is_mapped[place] &&
	    physical_call(HYPERCALL_SERVE_MAP, FIRST_GFN + place, place) == 1)
		server->is_mapped[place] = 1;
	return server->is_mapped[place];
}

/* What a device would do: to every page that it has, whoever's it is by now. */
static void write_all(struct server *server)
{
	for (unsigned int i = 1; i < PLACES; i++) {
		if (server->is_mapped[i])
			server->pages[i * WORDS] = ++server->written;
	}
}

static void hang_first(struct server *server)
{
	const uint64_t before = server->written, until = now_ms() + HANG_MS;

	server->has_hung = 1;
	while (now_ms() < until) {
		write_all(server);
		usleep(PAUSE_US);
	}
	server->written_hanging = server->written - before;
}

static int is_asked(const struct server *server, uint64_t from, uint64_t to, unsigned int place)
{
	for (uint64_t n = from; n != to; n++) {
		const volatile struct sp_ring_entry *entry =
			&server->ring->entry[n % SP_RING_ENTRIES];

		if (entry->count == SP_RING_ALL || FIRST_GFN + place - entry->first < entry->count)
			return 1;
	}
	return 0;
}

/* Gone first, then said; and what has another frame now is mapped again. */
static void answer(struct server *server)
{
	const uint64_t produced = server->ring->produced, number = server->ring->asked;
	int asked[PLACES];

	if (produced == server->consumed)
		return;
	if (server->pages[CLIENT_WANTS_HANG] == 1 && !server->has_hung)
		hang_first(server);
	for (unsigned int i = 0; i < PLACES; i++) {
		asked[i] = server->is_mapped[i] && is_asked(server, server->consumed, produced, i);
		if (!asked[i])
			continue;
		server->is_mapped[i] = 0;
		server->let_go += physical_call(HYPERCALL_SERVE_UNMAP, i, 1) == 1;
	}
	server->consumed = produced;
	server->requests++;
	*server->acknowledged = number;
	for (unsigned int i = 0; i < PLACES; i++) {
		if (asked[i])
			(void)map_page(server, i);
	}
}

static void find_client(struct server *server)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (map_page(server, 0) && server->pages[CLIENT_READY] == READY)
			return;
		sleep(1);
	}
	physical_fail("find a client");
}

static int run_serve(void)
{
	volatile struct sp_ring *ring =
		physical_registers(HYPERCALL_SERVE_RING * PAGE, sizeof(*ring));
	struct server server = {
		.ring = ring,
		.acknowledged = &ring->acknowledged,
		.pages = (word *)physical_registers(HYPERCALL_SERVE_PAGES * PAGE, PLACES * PAGE),
	};
	unsigned int mapped = 0;

	if (ring->version != SP_RING_VERSION || ring->entries != SP_RING_ENTRIES)
		physical_fail("read its ring");
	find_client(&server);
	for (unsigned int i = 1; i < PLACES; i++)
		mapped += (unsigned int)map_page(&server, i);
	server.pages[SERVER_MAPPED] = mapped;
	printf("nic: serve mapped %u\n", mapped);
	for (uint64_t until = now_ms() + 2 * PATIENCE * 1000; now_ms() < until;) {
		write_all(&server);
		answer(&server);
		if (server.is_mapped[0] && server.pages[CLIENT_DONE] == 1)
			break;
		if (server.is_mapped[0] && server.pages[CLIENT_WANTS_HANG] == 1)
			server.pages[SERVER_WILL_HANG] = 1;
		usleep(PAUSE_US);
	}
	printf("nic: serve answered %lu, let go %lu, wrote %lu, of those hanging %lu\n",
	       (unsigned long)server.requests, (unsigned long)server.let_go,
	       (unsigned long)server.written, (unsigned long)server.written_hanging);
	return 0;
}

int main(int count, char **words)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	physical_name("nic: server");
	if (count == 2 && strcmp(words[1], "client") == 0)
		return run_client();
	if (count == 2 && strcmp(words[1], "serve") == 0)
		return run_serve();
	fprintf(stderr, "usage: server client | serve\n");
	return 2;
}
