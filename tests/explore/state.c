/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/state.c - the world as bytes: copied, restored, hashed, and known again.
 *
 *   | machine | arena: pages that were ever written are live | stacks, from their pointer up |
 *
 * The arena is large and mostly never touched. It is write-protected once the scope's first state
 * stands; whoever writes a page makes it live, and what it held before is kept. A live page that is as
 * it was counts nothing in the hash, so that a page that becomes live later changes no hash.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "explore.h"

#define PAGE	   4096u
#define WORLD	   0x200000000000ull
#define ARENA	   (WORLD + (1u << 20))
#define STACKS	   (WORLD + (1u << 30))
#define LIVE_MOST  512u
#define ALT_STACK  65536u
#define MULTIPLIER 0x9e3779b97f4a7c15ull

static size_t arena_bytes;
static struct live {
	uint8_t *page;
	uint64_t hash; /* of what it held at first */
	uint8_t first[PAGE];
} live[LIVE_MOST];
static uint32_t live_count;

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
	return mix(mix(mix(lane[0], lane[1]), lane[2]), lane[3]);
}

static size_t stack_bytes(uint32_t party)
{
	if (!machine->party[party].runs)
		return 0;
	return (size_t)((uint64_t)(uintptr_t)world_stack_end(party) - machine->party[party].sp);
}

uint64_t world_hash(void)
{
	uint64_t hash = hash_bytes(machine, sizeof(*machine), 1);

	for (uint32_t i = 0; i < live_count; i++)
		hash ^= hash_bytes(live[i].page, PAGE, (uintptr_t)live[i].page) ^ live[i].hash;
	for (uint32_t i = 0; i < PARTIES; i++)
		hash = mix(hash,
			   hash_bytes(world_stack_end(i) - stack_bytes(i), stack_bytes(i), i));
	return hash ? hash : 1;
}

/* ---- live pages ---- */

static void on_write(int signal_number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr / PAGE * PAGE;

	(void)context;
	if (at < ARENA || at >= ARENA + arena_bytes || live_count == LIVE_MOST) {
		signal(signal_number, SIG_DFL);
		return;
	}
	live[live_count].page = (uint8_t *)at;
	memcpy(live[live_count].first, (const void *)at, PAGE);
	live[live_count].hash = hash_bytes((const void *)at, PAGE, at);
	live_count++;
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
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at != (void *)(uintptr_t)where)
		die("the world's place in memory is taken");
	return at;
}

void *world_make(size_t bytes, void **arena)
{
	static void *world;

	if (!world) {
		world = map_at(WORLD, sizeof(struct machine));
		(void)map_at(STACKS, (size_t)PARTIES * STACK_BYTES);
		watch_writes();
	}
	if (arena_bytes)
		munmap((void *)(uintptr_t)ARENA, arena_bytes);
	arena_bytes = (bytes + PAGE - 1) / PAGE * PAGE;
	*arena = map_at(ARENA, arena_bytes);
	memset(world, 0, sizeof(struct machine));
	live_count = 0;
	return world;
}

/* The first state stands. */
void world_reset(void)
{
	live_count = 0;
	mprotect((void *)(uintptr_t)ARENA, arena_bytes, PROT_READ);
}

uint8_t *world_stack_end(uint32_t party)
{
	return (uint8_t *)(uintptr_t)STACKS + (size_t)(party + 1) * STACK_BYTES;
}

/* ---- copies ---- */

struct snapshot *snapshot_take(void)
{
	size_t bytes = sizeof(*machine) + (size_t)live_count * PAGE;
	struct snapshot *snapshot;
	uint8_t *to;

	for (uint32_t i = 0; i < PARTIES; i++)
		bytes += stack_bytes(i);
	snapshot = malloc(sizeof(*snapshot) + bytes);
	if (!snapshot)
		die("no memory for one more state on the way");
	snapshot->live = live_count;
	to = snapshot->bytes;
	memcpy(to, machine, sizeof(*machine));
	to += sizeof(*machine);
	for (uint32_t i = 0; i < live_count; i++, to += PAGE)
		memcpy(to, live[i].page, PAGE);
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

	memcpy(machine, from, sizeof(*machine));
	from += sizeof(*machine);
	for (uint32_t i = 0; i < live_count; i++) {
		bool was_live = i < snapshot->live;

		memcpy(live[i].page, was_live ? from : live[i].first, PAGE);
		from += was_live ? PAGE : 0;
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
