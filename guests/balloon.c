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
 * tests/boot. The kernel's pages are found by /proc/kcore, its own by /proc/self/pagemap.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/metal/hypercall.h"

#define PAGE		4096u
#define REGISTERS	0x20000u
#define RECEIVE		0x100u /* RCTL */
#define CONTROL		0x000u
#define RING_LOW	0x2800u
#define RING_HIGH	0x2804u
#define RING_BYTES	0x2808u
#define RING_HEAD	0x2810u
#define RING_TAIL	0x2818u
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

struct descriptor {
	uint64_t buffer, status;
};

static int64_t call(uint64_t number, uint64_t first, uint64_t count)
{
	int64_t answer;

	__asm__ volatile("vmmcall" : "=a"(answer) : "a"(number), "b"(first), "c"(count) : "memory");
	return answer;
}

static void fail(const char *what)
{
	printf("nic: balloon cannot %s\n", what);
	exit(1);
}

/* ---- memory ---- */

static void *take_pages(uint32_t count)
{
	void *pages = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);

	if (pages == MAP_FAILED || madvise(pages, count * PAGE, MADV_NOHUGEPAGE) != 0)
		fail("lock pages");
	memset(pages, 0x5a, count * PAGE);
	return pages;
}

static uint64_t gfn_of(const void *page)
{
	const off_t at = (off_t)((uintptr_t)page / PAGE * 8);
	const int map = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (map < 0 || pread(map, &entry, sizeof(entry), at) != sizeof(entry))
		fail("read the page map");
	close(map);
	return entry & ((1ull << 55) - 1);
}

/* Physical memory as the kernel shows it: a core file with a segment for each range of RAM. */
static void read_physical(uint64_t address, void *to, size_t bytes)
{
	const int core = open("/proc/kcore", O_RDONLY);
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (core < 0 || pread(core, &header, sizeof(header), 0) != sizeof(header))
		fail("read /proc/kcore");
	for (int i = 0; i < header.e_phnum; i++) {
		const off_t at = (off_t)(header.e_phoff + (uint64_t)i * sizeof(segment));

		if (pread(core, &segment, sizeof(segment), at) != sizeof(segment))
			break;
		if (segment.p_type != PT_LOAD || address < segment.p_paddr ||
		    address - segment.p_paddr >= segment.p_memsz)
			continue;
		if (pread(core, to, bytes, (off_t)(segment.p_offset + address - segment.p_paddr)) ==
		    (ssize_t)bytes) {
			close(core);
			return;
		}
	}
	fail("find the ring in /proc/kcore");
}

/* ---- ports ---- */

static volatile uint32_t *map_port(const char *bar)
{
	const int memory = open("/dev/mem", O_RDWR | O_SYNC);
	void *registers = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, memory,
			       (off_t)strtoull(bar, NULL, 0));

	if (memory < 0 || registers == MAP_FAILED)
		fail("map a port's registers");
	close(memory);
	return registers;
}

/* The page of a buffer that the port will receive into: half a ring ahead of where it is. */
static uint64_t receiving_page(volatile uint32_t *port, uint32_t turn)
{
	const uint64_t ring = (uint64_t)port[RING_HIGH / 4] << 32 | port[RING_LOW / 4];
	const uint32_t count = port[RING_BYTES / 4] / sizeof(struct descriptor);
	struct descriptor descriptor;
	uint32_t at;

	if (count == 0)
		fail("find a ring");
	at = (port[RING_HEAD / 4] + count / 2 + turn) % count;
	read_physical(ring + at * sizeof(descriptor), &descriptor, sizeof(descriptor));
	return descriptor.buffer / PAGE;
}

/* ---- give ---- */

/* Zeroed pages came, and they are memory: what is written to them is there. */
static int got_again(unsigned char *pages, uint32_t count)
{
	int good = 0;

	for (uint32_t i = 0; i < count; i++) {
		unsigned char *page = pages + i * PAGE;
		int is_zero = 1;

		if (call(HYPERCALL_GET, gfn_of(page), 1) != 1)
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
	unsigned char *own = take_pages(OWN_PAGES);
	uint32_t given = 0, exchanged = 0, turn = 0;
	int ports = 0;

	for (; ports < count && ports < PORTS; ports++)
		port[ports] = map_port(bars[ports]);
	/* Buffers go round: from now on pages come again that the port has received into before. */
	sleep(WARM_SECONDS);
	while (call(HYPERCALL_WANTED, 0, 0) == 0)
		usleep(PAUSE_US);
	printf("nic: balloon asked for %ld\n", (long)call(HYPERCALL_WANTED, 0, 0));
	for (; exchanged < EXCHANGED; turn++) {
		volatile uint32_t *of = port[turn % (uint32_t)ports];

		exchanged += call(HYPERCALL_EXCHANGE, receiving_page(of, turn), 1) == 1;
		usleep(PAUSE_US);
	}
	sleep(REST_SECONDS); /* every buffer has its turn, also those that were exchanged last */
	while (call(HYPERCALL_WANTED, 0, 0) > 0 && given < OWN_PAGES) {
		given += call(HYPERCALL_GIVE, gfn_of(own + given * PAGE), 1) == 1;
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
	return gfn_of(buffers + (i == 0 ? 0 : 1 + i % (BUFFERS - 1)) * PAGE) * PAGE;
}

/* What was received is the port's again. */
static uint32_t receive(volatile uint32_t *port, volatile struct descriptor *ring,
			const unsigned char *buffers, uint32_t *next)
{
	uint32_t count = 0;

	for (; ring[*next].status & 1ull << 32; count++) {
		ring[*next] = (struct descriptor){ buffer_of(buffers, *next), 0 };
		port[RING_TAIL / 4] = *next;
		*next = (*next + 1) % DESCRIPTORS;
	}
	return count;
}

static uint32_t receive_for(volatile uint32_t *port, volatile struct descriptor *ring,
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
	volatile uint32_t *port = map_port(bar);
	volatile struct descriptor *ring = take_pages(1);
	unsigned char *buffers = take_pages(BUFFERS);
	const uint64_t at = gfn_of((const void *)(uintptr_t)ring) * PAGE;
	uint32_t next = 0, exchanged = 0, before, after;
	int64_t given;

	for (uint32_t i = 0; i < DESCRIPTORS; i++)
		ring[i] = (struct descriptor){ buffer_of(buffers, i), 0 };
	port[CONTROL / 4] = port[CONTROL / 4] | LINK_UP;
	port[RING_LOW / 4] = (uint32_t)at;
	port[RING_HIGH / 4] = (uint32_t)(at >> 32);
	port[RING_BYTES / 4] = DESCRIPTORS * sizeof(*ring);
	port[RING_HEAD / 4] = 0;
	port[RING_TAIL / 4] = DESCRIPTORS - 1;
	port[RECEIVE / 4] = RECEIVE_ALL;
	before = receive_for(port, ring, buffers, &next, AIM_SECONDS);
	for (uint32_t i = 1; i <= AIM_EXCHANGED; i++)
		exchanged += call(HYPERCALL_EXCHANGE, gfn_of(buffers + i * PAGE), 1) == 1;
	before += receive_for(port, ring, buffers, &next, AIM_SECONDS);
	given = call(HYPERCALL_GIVE, gfn_of(buffers), 1);
	after = receive_for(port, ring, buffers, &next, AIM_SECONDS);
	port[RECEIVE / 4] = 0;
	/* Else the kernel would give a page that is none to whoever asks next. */
	if (given == 1 && call(HYPERCALL_GET, gfn_of(buffers), 1) != 1)
		fail("get its page again");
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
		fail("map memory from others");
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
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (count > 2 && strcmp(words[1], "give") == 0)
		return run_give(count - 2, words + 2);
	if (count == 3 && strcmp(words[1], "aim") == 0)
		return run_aim(words[2]);
	if (count == 3 && strcmp(words[1], "receive") == 0)
		return run_receive((uint32_t)atoi(words[2]));
	fprintf(stderr, "usage: balloon give BAR... | aim BAR | receive PAGES\n");
	return 2;
}
