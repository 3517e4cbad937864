/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/state.c - the world as bytes: copied, restored, hashed, and known again.
 *
 *   | machine, rings, the host's arena: blocks that ever differed are live | stacks, from their pointer up |
 *
 * The world is large and mostly never touched. It is write-protected once the scope's first state stands;
 * of a page that somebody writes, what it held before is kept, and a block of it is live from when it
 * differs. Such blocks alone are copied. One that is as it was counts nothing in the hash, so that a block
 * that becomes live later changes no hash. Every step is hashed, so no difference is missed; and most
 * blocks are what they were when they were hashed last, which costs a comparison.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "explore.h"

#define PAGE	   4096u
#define BLOCK	   256u
#define WORLD	   0x200000000000ull
#define STACKS	   (WORLD + (1ull << 32))
#define PAGES_MOST 512u
#define LIVE_MOST  (PAGES_MOST * PAGE / BLOCK)
#define ALT_STACK  65536u
#define MULTIPLIER 0x9e3779b97f4a7c15ull

struct hashed {
	uint64_t hash;
	bool known;
	uint8_t last[BLOCK]; /* what it held when it was hashed */
};

struct page {
	uint8_t *at;
	uint32_t live; /* bit n: block n */
	uint8_t first[PAGE];
};

struct live {
	uint8_t *at;
	const uint8_t *first;
	uint64_t first_hash;
	struct hashed hashed;
};

static size_t world_bytes;
static struct page page[PAGES_MOST];
static uint32_t page_count;
static struct live live[LIVE_MOST];
static uint32_t live_count;
static struct hashed stacks[PARTIES * STACK_BYTES / BLOCK];

struct snapshot {
	uint32_t live;
	uint32_t stack[PARTIES]; /* bytes */
	uint8_t bytes[];
};

_Noreturn static void die(const char *why)
{
	fprintf(stderr, "explore: %s\n", why);
	exit(2);
}

/* ---- hashing ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * MULTIPLIER;
	return hash ^ hash >> 29;
}

static uint64_t hash_bytes(const void *from, size_t bytes, uint64_t seed)
{
	uint64_t lane[4] = { seed, seed + 1, seed + 2, seed + 3 }, word[4];
	const uint8_t *at = from;

	for (; bytes >= sizeof(word); bytes -= sizeof(word), at += sizeof(word)) {
		memcpy(word, at, sizeof(word));
		for (int i = 0; i < 4; i++)
			lane[i] = mix(lane[i], word[i]);
	}
	for (; bytes >= 8; bytes -= 8, at += 8) {
		memcpy(word, at, 8);
		lane[0] = mix(lane[0], word[0]);
	}
	return mix(mix(mix(mix(lane[0], lane[1]), lane[2]), lane[3]), seed);
}

static uint64_t hash_block(struct hashed *hashed, const uint8_t *at)
{
	if (hashed->known && memcmp(hashed->last, at, BLOCK) == 0)
		return hashed->hash;
	memcpy(hashed->last, at, BLOCK);
	hashed->known = true;
	hashed->hash = hash_bytes(at, BLOCK, (uintptr_t)at);
	return hashed->hash;
}

static size_t stack_bytes(uint32_t party)
{
	if (!machine->party[party].runs)
		return 0;
	return (size_t)((uint64_t)(uintptr_t)world_stack_end(party) - machine->party[party].sp);
}

/* Whole blocks, and what is left at its lower end. */
static uint64_t hash_stack(uint32_t party)
{
	size_t bytes = stack_bytes(party), partly = bytes % BLOCK;
	const uint8_t *at = world_stack_end(party) - bytes;
	uint64_t hash = hash_bytes(at, partly, (uintptr_t)at);

	for (at += partly; at < world_stack_end(party); at += BLOCK)
		hash ^= hash_block(&stacks[((uintptr_t)at - STACKS) / BLOCK], at);
	return hash;
}

/* Blocks of the page that are not as they were. */
static void find_live(struct page *of)
{
	for (uint32_t i = 0; i < PAGE / BLOCK; i++) {
		const uint8_t *first = of->first + i * BLOCK;

		if ((of->live >> i & 1) || memcmp(of->at + i * BLOCK, first, BLOCK) == 0)
			continue;
		of->live |= 1u << i;
		live[live_count].at = of->at + i * BLOCK;
		live[live_count].first = first;
		live[live_count].first_hash =
			hash_bytes(first, BLOCK, (uintptr_t)live[live_count].at);
		live[live_count].hashed.known = false;
		live_count++;
	}
}

uint64_t world_hash(void)
{
	uint64_t hash = 0;

	for (uint32_t i = 0; i < page_count; i++)
		find_live(&page[i]);
	for (uint32_t i = 0; i < live_count; i++)
		hash ^= hash_block(&live[i].hashed, live[i].at) ^ live[i].first_hash;
	for (uint32_t i = 0; i < PARTIES; i++)
		hash ^= hash_stack(i);
	return hash ? hash : 1;
}

/* ---- pages that are written ---- */

static void on_write(int signal_number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr / PAGE * PAGE;

	(void)context;
	if (at < WORLD || at >= WORLD + world_bytes || page_count == PAGES_MOST) {
		signal(signal_number, SIG_DFL);
		return;
	}
	page[page_count].at = (uint8_t *)at;
	page[page_count].live = 0;
	memcpy(page[page_count].first, (const void *)at, PAGE);
	page_count++;
	mprotect((void *)at, PAGE, PROT_READ | PROT_WRITE);
}

static void watch_writes(void)
{
	static uint8_t stack[ALT_STACK];
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };

	action.sa_sigaction = on_write;
	sigemptyset(&action.sa_mask);
	if (sigaltstack(&alternate, NULL) || sigaction(SIGSEGV, &action, NULL))
		die("no handler for writes");
}

static void *map_at(uint64_t where, size_t bytes)
{
	void *at = mmap((void *)(uintptr_t)where, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at != (void *)(uintptr_t)where)
		die("the world's place in memory is taken");
	return at;
}

void *world_make(size_t bytes)
{
	if (world_bytes)
		munmap((void *)(uintptr_t)WORLD, world_bytes);
	else {
		(void)map_at(STACKS, sizeof(stacks) / sizeof(stacks[0]) * BLOCK);
		watch_writes();
	}
	world_bytes = (bytes + PAGE - 1) / PAGE * PAGE;
	page_count = live_count = 0;
	return map_at(WORLD, world_bytes);
}

/* The first state stands. */
void world_reset(void)
{
	page_count = live_count = 0;
	mprotect((void *)(uintptr_t)WORLD, world_bytes, PROT_READ);
}

uint8_t *world_stack_end(uint32_t party)
{
	return (uint8_t *)(uintptr_t)STACKS + (size_t)(party + 1) * STACK_BYTES;
}

/* ---- copies ---- */

struct snapshot *snapshot_take(void)
{
	size_t bytes = (size_t)live_count * BLOCK;
	struct snapshot *snapshot;
	uint8_t *to;

	for (uint32_t i = 0; i < PARTIES; i++)
		bytes += stack_bytes(i);
	snapshot = malloc(sizeof(*snapshot) + bytes);
	if (!snapshot)
		die("no memory for one more state on the way");
	snapshot->live = live_count;
	to = snapshot->bytes;
	for (uint32_t i = 0; i < live_count; i++, to += BLOCK)
		memcpy(to, live[i].at, BLOCK);
	for (uint32_t i = 0; i < PARTIES; i++) {
		snapshot->stack[i] = (uint32_t)stack_bytes(i);
		memcpy(to, world_stack_end(i) - snapshot->stack[i], snapshot->stack[i]);
		to += snapshot->stack[i];
	}
	return snapshot;
}

void snapshot_restore(const struct snapshot *snapshot)
{
	const uint8_t *from = snapshot->bytes;

	for (uint32_t i = 0; i < live_count; i++) {
		bool was_live = i < snapshot->live;

		memcpy(live[i].at, was_live ? from : live[i].first, BLOCK);
		from += was_live ? BLOCK : 0;
	}
	for (uint32_t i = 0; i < PARTIES; i++) {
		memcpy(world_stack_end(i) - snapshot->stack[i], from, snapshot->stack[i]);
		from += snapshot->stack[i];
	}
}

void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot);
}

/* ---- states that were seen: 64 bits of each ---- */

static void put(struct seen *seen, uint64_t hash)
{
	uint64_t at = hash % seen->room;

	while (seen->hash[at] && seen->hash[at] != hash)
		at = (at + 1) % seen->room;
	seen->hash[at] = hash;
}

static void grow(struct seen *seen)
{
	struct seen more = { .room = seen->room ? seen->room * 2 : 1u << 16, .count = seen->count };

	more.hash = calloc(more.room, sizeof(*more.hash));
	if (!more.hash)
		die("no memory for more states");
	for (uint64_t i = 0; i < seen->room; i++)
		if (seen->hash[i])
			put(&more, seen->hash[i]);
	free(seen->hash);
	*seen = more;
}

bool seen_add(struct seen *seen, uint64_t hash)
{
	uint64_t at;

	if (seen->count * 2 >= seen->room)
		grow(seen);
	for (at = hash % seen->room; seen->hash[at]; at = (at + 1) % seen->room)
		if (seen->hash[at] == hash)
			return false;
	seen->hash[at] = hash;
	seen->count++;
	return true;
}

void seen_free(struct seen *seen)
{
	free(seen->hash);
	*seen = (struct seen){ .room = 0 };
}
