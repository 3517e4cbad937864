/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/choice.c - what may come next in a state.
 *
 *   0 ..    a party goes on; an emulator's also begins, when it owes
 *   8 ..    the oldest store in a party's buffer is seen
 *   16 ..   unit u executes the n-th of what is pending: 16 * u + n
 *   48 ..   cpu c begins operation o of those listed for it: 8 * c + o
 */
#include <stdio.h>

#include "explore.h"

#define PARTY 0u
#define DRAIN 8u
#define UNIT  16u
#define BEGIN 48u

static const struct scope *scope;

/* In order each is made once, and there may be fewer. */
static uint32_t operations_of(uint32_t cpu)
{
	uint32_t count = 0;

	while (count < OPERATIONS && scope->may[cpu][count].kind != DO_NOTHING)
		count++;
	return scope->in_order && count < scope->each ? count : scope->each;
}

void choice_reset(const struct scope *of)
{
	scope = of;
	current = NOBODY;
	for (uint32_t i = 0; i < scope->cpus; i++)
		machine->party[i].left = operations_of(i);
}

static uint32_t list_party(uint32_t number, uint8_t *choices)
{
	const struct party *party = &machine->party[number];
	uint32_t count = 0;

	if (party->runs && party_can_go_on(number))
		choices[count++] = (uint8_t)(PARTY + number);
	if (buffer_has(number))
		choices[count++] = (uint8_t)(DRAIN + number);
	if (party->runs)
		return count;
	if (number >= CPUS && emulator_can_answer(number - CPUS))
		choices[count++] = (uint8_t)(PARTY + number);
	for (uint32_t i = 0; number < CPUS && party->left && i < OPERATIONS; i++)
		if (scope->may[number][i].kind != DO_NOTHING &&
		    (!scope->in_order || i == operations_of(number) - party->left))
			choices[count++] = (uint8_t)(BEGIN + 8 * number + i);
	return count;
}

uint32_t choice_list(uint8_t choices[CHOICES_MOST])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < PARTIES; i++)
		count += list_party(i, &choices[count]);
	for (uint32_t i = 0; i < machine->units; i++)
		for (uint32_t left = unit_choices(i); left; left &= left - 1)
			choices[count++] = (uint8_t)(UNIT + 16 * i + lowest_bit(left));
	return count;
}

void choice_take(uint8_t choice)
{
	if (choice >= BEGIN) {
		uint32_t cpu = (choice - BEGIN) / 8;
		struct party *party = &machine->party[cpu];

		party->operation = scope->may[cpu][(choice - BEGIN) % 8];
		party->left--;
		party_begin(cpu);
		party_resume(cpu);
	} else if (choice >= UNIT) {
		unit_execute((choice - UNIT) / 16, (choice - UNIT) % 16);
	} else if (choice >= DRAIN) {
		buffer_drain(choice - DRAIN);
	} else {
		if (!machine->party[choice].runs)
			party_begin(choice);
		party_resume(choice);
	}
	locks_forget();
}

/* ---- in words ---- */

static const char *party_name(uint32_t number, char *text, size_t bytes)
{
	snprintf(text, bytes, "%s %u", number < CPUS ? "cpu" : "emulator",
		 number < CPUS ? number : number - CPUS);
	return text;
}

static void drain_text(uint32_t number, char *text, size_t bytes)
{
	const struct buffered *store = machine->buffered;
	char who[20], name[64];

	while (store->party != number)
		store++;
	snprintf(text, bytes, "%s's store is seen: %s = %#llx",
		 party_name(number, who, sizeof(who)), machine_name(store->at, name, sizeof(name)),
		 (unsigned long long)(store->bytes == 4 ? *(const uint32_t *)(uintptr_t)store->at
							: *(const uint64_t *)(uintptr_t)store->at));
}

static void party_text(uint32_t number, char *text, size_t bytes)
{
	static const char *const waits[] = { "goes on", "goes on, its buffer is empty",
					     "goes on, its buffer has room",
					     "goes on, what it waits for has changed",
					     "leaves the guest" };
	const struct party *party = &machine->party[number];
	char who[20], name[64];

	party_name(number, who, sizeof(who));
	if (!party->runs)
		snprintf(text, bytes, "%s forgets, and answers", who);
	else if (party->about)
		snprintf(text, bytes, "%s looks at %s", who,
			 machine_name(party->about, name, sizeof(name)));
	else
		snprintf(text, bytes, "%s %s", who, waits[party->wait]);
}

void choice_text(uint8_t choice, char *text, size_t bytes)
{
	if (choice >= BEGIN)
		snprintf(text, bytes, "cpu %u begins: %s", (choice - BEGIN) / 8u,
			 operation_text(scope->may[(choice - BEGIN) / 8][(choice - BEGIN) % 8]));
	else if (choice >= UNIT)
		snprintf(text, bytes, "unit %u executes %s", (choice - UNIT) / 16u,
			 unit_text((choice - UNIT) / 16u, (choice - UNIT) % 16u));
	else if (choice >= DRAIN)
		drain_text(choice - DRAIN, text, bytes);
	else
		party_text(choice, text, bytes);
}
