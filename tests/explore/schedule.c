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
 *   - what is stored under the domain's lock alone, while the party holds it: slots, what CPUs are asked
 *     for, the gate, the epoch. That nobody does is checked at every store;
 *   - a CPU's own state.
 */
#include <stdio.h>
#include <string.h>

#include "explore.h"
#include "memory.h"

/* Choices: PARTY and DRAIN + party, UNIT + unit, BEGIN + 8 * cpu + operation. */
#define PARTY 0u
#define DRAIN 8u
#define UNIT  16u
#define BEGIN 32u

uint32_t current = NOBODY;
static uint64_t explorer_sp;
static const struct scope *scope;

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
static void make_stack(uint32_t number)
{
	uint64_t *end = (uint64_t *)(void *)world_stack_end(number);

	memset(world_stack_end(number) - STACK_BYTES, 0, STACK_BYTES);
	end[-2] = (uintptr_t)begin;
	machine->party[number].sp = (uintptr_t)&end[-8];
	machine->party[number].runs = 1;
}

static void resume(uint32_t number)
{
	struct party *party = &machine->party[number];

	party->wait = WAIT_NONE;
	current = number;
	explore_switch(&explorer_sp, party->sp);
	current = NOBODY;
	if (!party->runs)
		party->sp = party->at = party->about = party->value = party->lock = party->turn =
			party->holds = 0;
}

void party_pause(enum wait wait)
{
	struct party *party;

	if (current == NOBODY)
		return;
	party = &machine->party[current];
	party->wait = wait;
	/* What is of no use any more tells no states apart. */
	if (wait != WAIT_VALUE)
		party->value = party->at = 0;
	explore_switch(&party->sp, explorer_sp);
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

static void drain(uint32_t party)
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
	if (is_table(at))
		caches_look();
}

void buffer_drain_all(void)
{
	while (machine->buffered_count)
		drain(machine->buffered[0].party);
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

/* ---- what is nobody else's for now ---- */

/* Stored under the lock alone. */
static bool is_locked_word(uint64_t at)
{
	const struct sp_domain *domain = machine->domain;

	if (is_table(at) || at == (uintptr_t)&domain->asked || at == (uintptr_t)&domain->clock ||
	    at == (uintptr_t)&domain->epoch || at == (uintptr_t)&domain->gate.closed ||
	    at == (uintptr_t)&domain->gate.opened)
		return true;
	for (uint32_t i = 0; i < SP_MAX_OBSERVERS; i++)
		if (at == (uintptr_t)&domain->emulators[i].asked)
			return true;
	return false;
}

static bool is_own(uint64_t at)
{
	uint64_t mine = (uintptr_t)&machine->domain->cpu_states[current];

	return current < CPUS && at >= mine && at < mine + sizeof(struct cpu_state);
}

/* Written by nobody in these scopes. */
static bool is_constant(uint64_t at)
{
	for (uint32_t i = 0; i < 2; i++)
		if (at == (uintptr_t)&machine->domain->maps[i].tree.root.mfn ||
		    at == (uintptr_t)&machine->domain->maps[i].tree.top)
			return true;
	for (uint32_t i = 0; i < machine->units; i++)
		if (at == (uintptr_t)&machine->unit[i].observer.lost)
			return true;
	for (uint32_t i = 0; i < SP_MAX_OBSERVERS; i++)
		if (at == (uintptr_t)&machine->domain->emulators[i].observer.lost)
			return true;
	return at == (uintptr_t)&machine->domain->cpus.lost;
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
	if (!(party->holds && is_locked_word((uintptr_t)from)) && !is_own((uintptr_t)from) &&
	    !is_constant((uintptr_t)from)) {
		party->about = (uintptr_t)from;
		party_pause(WAIT_NONE);
	}
	check_owner(from, "walks");
	party->at = (uintptr_t)from;
	party->bytes = bytes;
}

uint64_t model_after_load(const void *from, uint32_t bytes, uint64_t value)
{
	struct party *party;

	(void)bytes;
	if (current == NOBODY)
		return value;
	party = &machine->party[current];
	party->value = buffer_hide(from, value, current);
	if (party->at == party->lock + offsetof(struct lock, serving) &&
	    party->value == party->turn)
		party->holds = 1;
	if (party->holds)
		party->turn = 0;
	return party->value;
}

void model_before_store(const void *to, uint32_t bytes)
{
	struct party *party;

	if (current == NOBODY)
		return;
	party = &machine->party[current];
	check_owner(to, "stores into");
	if (is_locked_word((uintptr_t)to) && !party->holds && !is_table((uintptr_t)to))
		violate("explorer: %#llx is stored without the lock",
			(unsigned long long)(uintptr_t)to);
	if (bytes > 8)
		violate("explorer: a store of 16 bytes");
	buffer_put(to, bytes);
	if ((uintptr_t)to == party->lock + offsetof(struct lock, serving))
		party->lock = party->turn = party->holds = 0;
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

/* ---- choices ---- */

static bool can_go_on(uint32_t number)
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

static uint32_t list_party(uint32_t number, uint8_t *choices)
{
	const struct party *party = &machine->party[number];
	uint32_t count = 0;

	if (party->runs)
		choices[count++] = (uint8_t)(PARTY + number);
	if (party->runs && !can_go_on(number))
		count = 0;
	if (buffer_has(number))
		choices[count++] = (uint8_t)(DRAIN + number);
	if (party->runs)
		return count;
	if (number == EMULATOR && machine->emulator.owes)
		choices[count++] = (uint8_t)(PARTY + number);
	for (uint32_t i = 0; number < CPUS && party->left && i < OPERATIONS; i++)
		if (scope->may[number][i].kind != DO_NOTHING)
			choices[count++] = (uint8_t)(BEGIN + 8 * number + i);
	return count;
}

uint32_t schedule_list(uint8_t choices[CHOICES_MOST])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < PARTIES; i++)
		count += list_party(i, &choices[count]);
	for (uint32_t i = 0; i < machine->units; i++)
		if (machine->unit[i].count)
			choices[count++] = (uint8_t)(UNIT + i);
	return count;
}

void schedule_take(uint8_t choice)
{
	if (choice >= BEGIN) {
		uint32_t cpu = (choice - BEGIN) / 8;
		struct party *party = &machine->party[cpu];

		party->operation = scope->may[cpu][(choice - BEGIN) % 8];
		party->left--;
		make_stack(cpu);
		resume(cpu);
	} else if (choice >= UNIT) {
		unit_execute(choice - UNIT);
	} else if (choice >= DRAIN) {
		drain(choice - DRAIN);
	} else {
		if (!machine->party[choice].runs)
			make_stack(choice);
		resume(choice);
	}
}

void schedule_reset(const struct scope *of)
{
	scope = of;
	current = NOBODY;
	for (uint32_t i = 0; i < scope->cpus; i++)
		machine->party[i].left = scope->each;
}

void choice_text(uint8_t choice, char *text, size_t bytes)
{
	static const char *const waits[] = { "goes on", "its buffer is empty",
					     "its buffer has room", "the lock is its own",
					     "leaves the guest" };
	char name[64];

	if (choice >= BEGIN)
		snprintf(text, bytes, "cpu %u begins: %s", (choice - BEGIN) / 8u,
			 operation_text(scope->may[(choice - BEGIN) / 8][(choice - BEGIN) % 8]));
	else if (choice >= UNIT)
		snprintf(text, bytes, "unit %u executes %s", choice - UNIT,
			 machine->unit[choice - UNIT].queue[0].wait ? "a wait" : "a command");
	else if (choice >= DRAIN) {
		uint32_t i = 0;

		while (machine->buffered[i].party != choice - DRAIN)
			i++;
		snprintf(text, bytes, "cpu %u's store is seen: %s = %#llx", choice - DRAIN,
			 machine_name(machine->buffered[i].at, name, sizeof(name)),
			 (unsigned long long)load(machine->buffered[i].at,
						  machine->buffered[i].bytes));
	} else if (choice == EMULATOR)
		snprintf(text, bytes, "the emulator %s",
			 machine->party[choice].runs ? "goes on" : "forgets, and answers");
	else
		snprintf(text, bytes, "cpu %u %s, looks at %s", choice,
			 waits[machine->party[choice].wait],
			 machine_name(machine->party[choice].about, name, sizeof(name)));
}
