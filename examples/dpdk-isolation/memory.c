/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/dpdk-isolation/memory.c - memory to aim at.
 *
 *   low |buffer buffer ..|   middle |control, what outside would look like|   high |.. buffer buffer|
 *
 *   0                    top of RAM                    4 GiB                            far
 *   |---- this guest ----|above         hole|-- devices --|                             |far
 *
 * A pool takes buffers of memory that it is told of, with the addresses that it is told: that alone aims
 * a port, on receiving and on sending, without a line that is not ordinary DPDK.
 */
#include "isolation.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_memory.h>

#define PAGES	    4u /* huge ones, of which the ends and one between are used */
#define AIM_BUFFERS 255u
#define SENDERS	    1023u
#define HUGE_2M	    (21 << 26) /* MAP_HUGE_2MB */
#define DECOY	    0xa5

/* The ranges of /proc/iomem that are somebody's. */
#define RANGES	    512u
struct range {
	uint64_t first, last;
};

static struct range ranges[RANGES];
static uint32_t range_count;
static uint64_t ram_end;
static uint64_t searched;

/* ---- pages and pools ---- */

static int by_address(const void *a, const void *b)
{
	const struct huge_page *left = a, *right = b;

	return left->bus < right->bus ? -1 : left->bus > right->bus;
}

static struct huge_page take_page(void)
{
	struct huge_page page = {
		mmap(NULL, HUGE_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | HUGE_2M | MAP_POPULATE, -1, 0),
		RTE_BAD_IOVA
	};

	if (page.at == MAP_FAILED)
		isolation_refuse("no huge page of 2 MiB is left; DPDK takes what -m says, this "
				 "program %u more: raise "
				 "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
				 PAGES);
	memset(page.at, 0, HUGE_BYTES);
	page.bus = rte_mem_virt2iova(page.at);
	if (page.bus == RTE_BAD_IOVA || page.bus == 0)
		isolation_refuse("/proc/self/pagemap does not say where memory is: be root");
	return page;
}

static struct rte_mempool *make_pool(const char *name, uint32_t count,
				     const struct rte_pktmbuf_extmem *pieces, uint32_t piece_count)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create_extbuf(
		name, count, 0, 0, ROOM, SOCKET_ID_ANY, pieces, piece_count);

	if (!pool)
		isolation_refuse("no memory for the pool %s (%s): give DPDK more, -m 32 or above",
				 name, rte_strerror(rte_errno));
	return pool;
}

/* Every buffer is the same one: a whole ring is aimed at one page. */
static void make_aim_pool(struct aim *aim)
{
	struct rte_pktmbuf_extmem pieces[AIM_BUFFERS];

	for (uint32_t i = 0; i < AIM_BUFFERS; i++)
		pieces[i] = (struct rte_pktmbuf_extmem){
			.buf_ptr = aim->at, .buf_iova = aim->bus, .buf_len = ROOM, .elt_size = ROOM
		};
	aim->pool = make_pool(aim->name, AIM_BUFFERS, pieces, AIM_BUFFERS);
}

/* The first buffer begins with its page, the last one ends with its own. */
static void make_receive_pool(struct memory *memory)
{
	const uint32_t each = HUGE_BYTES / ROOM, rest = HUGE_BYTES % ROOM;
	const struct rte_pktmbuf_extmem pieces[] = {
		{ memory->low.at, memory->low.bus, each * ROOM, ROOM },
		{ memory->high.at + rest, memory->high.bus + rest, each * ROOM, ROOM },
	};

	memory->receive = make_pool("receive", 2 * each, pieces, RTE_DIM(pieces));
	memory->first = memory->low.bus + RTE_PKTMBUF_HEADROOM;
	memory->last = memory->high.bus + HUGE_BYTES;
}

void memory_take(struct memory *memory)
{
	struct huge_page page[PAGES];

	for (uint32_t i = 0; i < PAGES; i++)
		page[i] = take_page();
	qsort(page, PAGES, sizeof(page[0]), by_address);
	memory->low = page[0];
	memory->middle = page[1];
	memory->high = page[PAGES - 1];
	make_receive_pool(memory);
	memory->send = rte_pktmbuf_pool_create("send", SENDERS, 0, 0, ROOM, SOCKET_ID_ANY);
	if (!memory->send)
		isolation_refuse("no memory for %u buffers (%s): give DPDK more, -m 32 or above",
				 SENDERS, rte_strerror(rte_errno));
	memory->inside = (struct aim){ .name = "inside",
				       .bus = memory->middle.bus,
				       .at = memory->middle.at,
				       .is_seen = true };
	make_aim_pool(&memory->inside);
}

/* ---- what is outside ---- */

/* A bridge's window is where something may be, not where it is. */
static void read_range(const char *line)
{
	struct range range;
	char name[64];

	if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %63[^\n]", &range.first, &range.last, name) !=
		    3 ||
	    strncmp(name, "PCI Bus", 7) == 0)
		return;
	if (strcmp(name, "System RAM") == 0 && range.last + 1 > ram_end)
		ram_end = range.last + 1;
	if (range_count == RANGES)
		isolation_refuse("/proc/iomem has more than %u lines: name an address, --outside",
				 RANGES);
	ranges[range_count++] = range;
}

static void read_ranges(void)
{
	FILE *file = fopen("/proc/iomem", "r");
	char line[160];

	while (file && fgets(line, sizeof(line), file))
		read_range(line);
	if (file)
		fclose(file);
	if (ram_end <= PAGE_BYTES)
		isolation_refuse("/proc/iomem does not say where memory ends: be root, or name an "
				 "address, --outside");
}

static bool is_nobodys(uint64_t page)
{
	for (uint32_t i = 0; i < range_count; i++)
		if (page <= ranges[i].last && page + PAGE_BYTES > ranges[i].first)
			return false;
	return true;
}

/* A page of the program's own stands for what it cannot see: nothing may come there either. */
static void add_outside(struct memory *memory, const char *name, uint64_t bus)
{
	struct aim *aim = &memory->outside[memory->aim_count++];

	*aim = (struct aim){ .name = name,
			     .bus = bus,
			     .at = memory->middle.at + memory->aim_count * PAGE_BYTES };
	memset(aim->at, DECOY, PAGE_BYTES);
	make_aim_pool(aim);
}

/* Never up to FEC00000: behind it are registers, and writes to FEExxxxx are interrupts. */
static void add_hole(struct memory *memory)
{
	for (uint64_t page = 0xfec00000u - PAGE_BYTES; page > 0x100000u; page -= PAGE_BYTES) {
		if (page < ram_end && ram_end < 0xfec00000u)
			return;
		if (is_nobodys(page)) {
			add_outside(memory, "hole", page);
			return;
		}
	}
}

void memory_find_outside(struct memory *memory)
{
	uint64_t above, far = 1ull << 38; /* what a unit of 39 bits can still say */

	read_ranges();
	above = (ram_end + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
	while (!is_nobodys(above))
		above += HUGE_BYTES;
	while (far < 2 * ram_end || !is_nobodys(far))
		far *= 2;
	add_outside(memory, "above", above);
	add_hole(memory);
	add_outside(memory, "far", far);
}

void memory_name_outside(struct memory *memory, uint64_t address, bool look)
{
	struct aim *aim = &memory->outside[0];
	const int file = look ? open("/dev/mem", O_RDWR) : -1;
	void *at = MAP_FAILED;

	add_outside(memory, "named", address);
	if (!look)
		return;
	if (file >= 0)
		at = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file,
			  (off_t)address);
	if (at == MAP_FAILED)
		isolation_refuse("--look: /dev/mem does not show 0x%" PRIx64
				 ": it must be memory that Linux does not use (mem= or memmap= on "
				 "its command line)",
				 address);
	close(file);
	rte_mempool_free(aim->pool);
	aim->at = at;
	aim->is_seen = true;
	make_aim_pool(aim);
}

/* ---- looking ---- */

struct search {
	const unsigned char *bytes, *except;
	uint32_t count;
	unsigned int found;
};

static void search_range(struct search *search, const unsigned char *at, size_t length)
{
	const unsigned char *end = at + length;

	searched += length;
	while ((at = memmem(at, (size_t)(end - at), search->bytes, search->count)) != NULL) {
		search->found += at != search->except;
		at++;
	}
}

static int search_segment(const struct rte_memseg_list *list, const struct rte_memseg *segment,
			  void *search)
{
	(void)list;
	search_range(search, segment->addr, segment->len);
	return 0;
}

unsigned int memory_count(const struct memory *memory, const unsigned char *bytes, uint32_t count,
			  const unsigned char *except)
{
	struct search search = { .bytes = bytes, .except = except, .count = count };
	const struct huge_page *pages[] = { &memory->low, &memory->middle, &memory->high };

	searched = 0;
	rte_memseg_walk(search_segment, &search);
	for (uint32_t i = 0; i < RTE_DIM(pages); i++)
		search_range(&search, pages[i]->at, HUGE_BYTES);
	return search.found;
}

uint64_t memory_searched(void)
{
	return searched;
}
