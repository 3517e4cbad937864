/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/schedule.c - who goes on, and what others see of it.
 *
 *   party --store--> its buffer --drain, a choice--> memory --> walkers look
 *     |
 *     `--pauses before: a load of what others may store, a locked operation, what it does to the
 *                       machine (posts, kicks, enters, takes or releases frames)
 *
 * A party runs from one pause to the next without being seen: its stores are its own until they leave
 * the buffer, and what it loads in between nobody else may store meanwhile. That is the one reduction of
 * schedules here, and it is exact: steps that commute with everybody's are not interleaved. Nobody else
 * may store
 *   - what is stored under a lock alone, while the party holds it: of a domain slots, what CPUs are asked
 *     for, the gate, the epoch; of a unit what it is known to have reached. That nobody does is checked at
 *     every store;
 *   - a CPU's own state.
 * A queue's slots are stored at once: their unit reads none before its tail is written, which comes behind
 * all stores, and none that it may read is stored into (unit.c).
 */
#include <stdio.h>
#include <string.h>

#include "explore.h"
#include "memory.h"

uint32_t current = NOBODY;
static uint64_t explorer_sp;

/* ---- switching: what a function must keep is kept on its stack ---- */

void explore_switch(uint64_t *save, uint64_t load);
__asm__(".text\n"
	".globl explore_switch\n"
	"explore_switch:\n"
	"	push %rbp\n	push %rbx\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbx\n	pop %rbp\n"
	"	ret\n");

static void begin(void)
{
	struct party *party = &machine->party[current];

	party_run(current);
	party->runs = 0;
	explore_switch(&party->sp, explorer_sp);
}

/* Nothing of what ran there before is left: equal states are equal bytes. */
void party_begin(uint32_t number)
{
	uint64_t *end = (uint64_t *)(void *)world_stack_end(number);

	memset(world_stack_end(number) - STACK_BYTES, 0, STACK_BYTES);
	end[-2] = (uintptr_t)begin;
	machine->party[number].sp = (uintptr_t)&end[-8];
	machine->party[number].runs = 1;
}

void party_resume(uint32_t number)
{
	struct party *party = &machine->party[number];

	party->wait = WAIT_NONE;
	current = number;
	explore_switch(&explorer_sp, party->sp);
	current = NOBODY;
	if (!party->runs)
		party->sp = party->at = party->about = party->value = party->lock = party->turn = 0;
}

/* `about`: what it loads when it goes on, for who reads a schedule. */
static void pause_at(enum wait wait, uint64_t about)
{
	struct party *party = &machine->party[current];

	party->wait = wait;
	party->about = about;
	/* What is of no use any more tells no states apart. */
	if (wait != WAIT_VALUE)
		party->value = party->at = 0;
	explore_switch(&party->sp, explorer_sp);
}

void party_pause(enum wait wait)
{
	if (current != NOBODY)
		pause_at(wait, 0);
}

/* ---- store buffers (SDM 3A 9.2; APM 2 7.2) ---- */

bool buffer_has(uint32_t party)
{
	for (uint32_t i = 0; i < machine->buffered_count; i++)
		if (machine->buffered[i].party == party)
			return true;
	return false;
}

static uint32_t count_buffered(uint32_t party)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < machine->buffered_count; i++)
		count += machine->buffered[i].party == party;
	return count;
}

/* Memory holds what was stored last; this is what `viewer` sees. */
uint64_t buffer_hide(const void *at, uint64_t value, uint32_t viewer)
{
	for (uint32_t i = machine->buffered_count; i-- > 0;)
		if (machine->buffered[i].at == (uintptr_t)at &&
		    machine->buffered[i].party != viewer)
			value = machine->buffered[i].old;
	return value;
}

static bool is_awaited(const struct lock *lock)
{
	uint64_t serving = (uintptr_t)&lock->serving, next = (uintptr_t)&lock->next;

	for (uint32_t i = 0; i < machine->buffered_count; i++)
		if (machine->buffered[i].at == serving)
			return true;
	for (uint32_t i = 0; i < PARTIES; i++) {
		const struct party *party = &machine->party[i];

		if (party->lock == (uintptr_t)lock || party->held[0] == (uintptr_t)lock ||
		    party->held[1] == (uintptr_t)lock || party->about == next)
			return true;
	}
	return false;
}

/*
 * Who waits for a unit takes locks again and again. How often is of no use to anybody: it begins anew where nobody
 * has the lock, nor compares it.
 */
static void forget_turns(struct lock *lock)
{
	if (lock->next && lock->next == lock->serving && !is_awaited(lock))
		lock->next = lock->serving = 0;
}

void locks_forget(void)
{
	if (!machine->host->function_count)
		return;
	for (uint32_t i = 0; i < machine->domains; i++)
		forget_turns(&machine->domain[i]->lock);
	for (uint32_t i = 0; i < machine->units; i++)
		if (machine->unit[i].lock)
			forget_turns((struct lock *)(uintptr_t)machine->unit[i].lock);
}

/* Who looks up or enters from now on comes by another root. */
static bool is_root(uint64_t at)
{
	for (uint32_t i = 0; i < machine->domains; i++)
		if (at == (uintptr_t)&machine->domain[i]->maps[0].tree.root.mfn)
			return true;
	return false;
}

void buffer_drain(uint32_t party)
{
	struct buffered *all = machine->buffered;
	uint32_t i = 0;
	uint64_t at;

	while (all[i].party != party)
		i++;
	at = all[i].at;
	machine->buffered_count--;
	memmove(&all[i], &all[i + 1], (machine->buffered_count - i) * sizeof(*all));
	memset(&all[machine->buffered_count], 0, sizeof(*all));
	if (is_table(at) || is_root(at))
		caches_look();
}

void buffer_drain_all(void)
{
	while (machine->buffered_count)
		buffer_drain(machine->buffered[0].party);
}

void buffer_wait(void)
{
	if (current != NOBODY && buffer_has(current))
		party_pause(WAIT_DRAIN);
}

static uint64_t load(uint64_t at, uint32_t bytes)
{
	if (bytes == 4)
		return *(const uint32_t *)(uintptr_t)at;
	return *(const uint64_t *)(uintptr_t)at;
}

static void buffer_put(const void *to, uint32_t bytes)
{
	if (count_buffered(current) == BUFFERED_MOST)
		party_pause(WAIT_ROOM);
	machine->buffered[machine->buffered_count++] =
		(struct buffered){ .at = (uintptr_t)to,
				   .old = load((uintptr_t)to, bytes),
				   .bytes = bytes,
				   .party = current };
}

static void check_owner(const void *at, const char *what)
{
	uint64_t frame = ((uintptr_t)at - (uintptr_t)machine->bytes) / FRAME_STRIDE;

	if (is_table((uintptr_t)at) && machine->table[frame] == FRAME_FREE)
		violate("R: the core %s table %#x, which it gave back", what,
			(unsigned)(TABLE_MFN + frame));
}

/* ---- memory.h ---- */

void model_before_load(const void *from, uint32_t bytes)
{
	struct party *party;

	if (current == NOBODY)
		return;
	party = &machine->party[current];
	if (!word_is_quiet((uintptr_t)from))
		pause_at(WAIT_NONE, (uintptr_t)from);
	check_owner(from, "walks");
	party->at = (uintptr_t)from;
	party->bytes = bytes;
}

static void note_held(struct party *party)
{
	uint32_t i = party->held[0] ? 1 : 0;

	if (party->held[i])
		violate("explorer: a party holds more than two locks");
	party->held[i] = party->lock;
	party->lock = party->turn = 0;
}

static void note_dropped(struct party *party, uint64_t at)
{
	for (uint32_t i = 0; i < HELD_MOST; i++)
		if (party->held[i] && at == party->held[i] + offsetof(struct lock, serving))
			party->held[i] = 0;
}

uint64_t model_after_load(const void *from, uint32_t bytes, uint64_t value)
{
	struct party *party;

	(void)bytes;
	if (current == NOBODY)
		return value;
	party = &machine->party[current];
	party->value = buffer_hide(from, value, current);
	if (party->lock && party->at == party->lock + offsetof(struct lock, serving) &&
	    party->value == party->turn)
		note_held(party);
	return party->value;
}

void model_before_store(const void *to, uint32_t bytes)
{
	struct party *party;
	char name[64];

	if (current == NOBODY)
		return;
	party = &machine->party[current];
	check_owner(to, "stores into");
	if (unit_has_slot((uintptr_t)to))
		return;
	if (!word_may_be_stored((uintptr_t)to))
		violate("explorer: %s is stored without its lock",
			machine_name((uintptr_t)to, name, sizeof(name)));
	if (bytes > 8)
		violate("explorer: a store of 16 bytes");
	buffer_put(to, bytes);
	note_dropped(party, (uintptr_t)to);
}

void model_at_barrier(bool full)
{
	if (full)
		buffer_wait();
}

void model_at_locked(const void *at)
{
	struct party *party;

	if (current == NOBODY)
		return;
	buffer_wait();
	party_pause(WAIT_NONE);
	party = &machine->party[current];
	party->lock = (uintptr_t)at - offsetof(struct lock, next);
	party->turn = *(const uint32_t *)at;
}

/* Every walker here snoops. */
void model_after_past_cache(const void *to)
{
	(void)to;
	buffer_wait();
}

void model_at_past_cache_barrier(void)
{
	buffer_wait();
}

/* ---- who waits ---- */

bool party_can_go_on(uint32_t number)
{
	const struct party *party = &machine->party[number];

	switch ((enum wait)party->wait) {
	case WAIT_NONE:
	case WAIT_GUEST:
		break;
	case WAIT_DRAIN:
		return !buffer_has(number);
	case WAIT_ROOM:
		return count_buffered(number) < BUFFERED_MOST;
	case WAIT_VALUE:
		return buffer_hide((const void *)(uintptr_t)party->at,
				   load(party->at, party->bytes), number) != party->value;
	}
	return true;
}
