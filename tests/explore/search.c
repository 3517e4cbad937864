/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/search.c - depth first, from copies of the states on the way.
 *
 *   state --choice--> new? a copy of it, and its choices; one that was seen leads nowhere new
 *         `-- violated? the choices so far are the schedule
 *
 * Wherever all have done what they may, or sit in the guest, everybody else answers: then nothing may be
 * owed, or wait, or be lost (party.c). A state without a choice in which somebody still waits is a
 * deadlock.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "explore.h"

#define DEPTH_MOST 2000u

/* One for each choice (choice.c). */
static const char letters[] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-.,:=_@%^";

struct node {
	struct snapshot *snapshot;
	uint8_t choice[CHOICES_MOST];
	uint32_t count, next;
	uint64_t hash;
};

static struct node node[DEPTH_MOST];
static char violation[200];

void violate(const char *format, ...)
{
	va_list arguments;

	if (violation[0])
		return;
	va_start(arguments, format);
	vsnprintf(violation, sizeof(violation), format, arguments);
	va_end(arguments);
}

bool is_violated(void)
{
	return violation[0] != 0;
}

/* ---- */

static void check_rest(uint32_t choices, struct outcome *outcome)
{
	if (party_all_rest()) {
		outcome->ends++;
		party_finish();
		/* What differs now is put back with the state. */
		(void)world_hash();
	} else if (!choices) {
		violate("deadlock: nobody can go on");
	}
}

/* Another order in which the same is searched, the same in each run. */
static void shuffle(struct node *of, uint64_t seed)
{
	for (uint32_t left = of->count; left > 1; left--) {
		uint32_t at;
		uint8_t choice;

		seed = (seed ^ seed >> 31) * 0x9e3779b97f4a7c15ull;
		at = (uint32_t)((seed >> 33) % left);
		choice = of->choice[at];
		of->choice[at] = of->choice[left - 1];
		of->choice[left - 1] = choice;
	}
}

/* A new state: one level deeper. Its own copy is taken before everybody comes to rest. */
static void enter(uint32_t depth, const struct search *how, uint64_t hash, struct outcome *outcome)
{
	struct node *new = &node[depth];

	outcome->states++;
	new->count = choice_list(new->choice);
	if (how->shuffle)
		shuffle(new, hash + how->shuffle);
	new->next = 0;
	new->hash = hash;
	new->snapshot = snapshot_take();
	check_rest(new->count, outcome);
	if (depth > outcome->depth)
		outcome->depth = depth;
}

static void take(const struct node *from, uint8_t choice, uint32_t depth, struct outcome *outcome)
{
	snapshot_restore(from->snapshot);
	outcome->path[depth - 1] = choice;
	outcome->length = depth;
	outcome->steps++;
	choice_take(choice);
}

/* Each of the states from there to here had one choice: round and round, and nobody else can do anything. */
static void check_circle(uint32_t depth, uint64_t hash)
{
	while (depth-- && node[depth].count == 1)
		if (node[depth].hash == hash)
			violate("livelock: one party waits for what nobody will do");
}

static bool is_over(const struct outcome *outcome, const struct search *how, time_t end)
{
	if (how->states && outcome->states >= how->states)
		return true;
	return end && outcome->steps % 1024 == 0 && time(NULL) >= end;
}

void search(const struct scope *scope, const struct search *how, struct outcome *outcome)
{
	time_t end = how->seconds ? time(NULL) + (time_t)how->seconds : 0;
	struct seen seen = { .room = 0 };
	uint32_t depth = 0;
	uint64_t hash;

	*outcome = (struct outcome){ .states = 0 };
	violation[0] = 0;
	if (!machine_make(scope, how->mutant))
		violate("explorer: no machine");
	hash = world_hash();
	(void)seen_add(&seen, hash);
	enter(0, how, hash, outcome);
	for (depth = 1; depth && !is_violated() && !is_over(outcome, how, end);) {
		struct node *top = &node[depth - 1];

		if (top->next == top->count) {
			snapshot_free(top->snapshot);
			depth--;
			continue;
		}
		take(top, top->choice[top->next++], depth, outcome);
		hash = is_violated() ? 0 : world_hash();
		if (is_violated())
			continue;
		if (!seen_add(&seen, hash))
			check_circle(depth, hash);
		else if (depth == DEPTH_MOST)
			violate("explorer: a schedule of more than %u choices", DEPTH_MOST);
		else
			enter(depth++, how, hash, outcome);
	}
	outcome->exhausted = !depth && !is_violated();
	while (depth)
		snapshot_free(node[--depth].snapshot);
	memcpy(outcome->violation, violation, sizeof(violation));
	seen_free(&seen);
}

void path_text(const struct outcome *outcome, char *text, size_t bytes)
{
	uint32_t i;

	for (i = 0; i < outcome->length && i + 1 < bytes; i++)
		text[i] = letters[outcome->path[i]];
	text[i] = 0;
}

/* ---- a schedule again, in words ---- */

static bool may_take(uint8_t choice)
{
	uint8_t choices[CHOICES_MOST];
	uint32_t count = choice_list(choices);

	for (uint32_t i = 0; i < count; i++)
		if (choices[i] == choice)
			return true;
	return false;
}

bool search_replay(const struct scope *scope, enum sp_mutant mutant, const char *path)
{
	struct outcome outcome = { .states = 0 };
	char text[160];

	violation[0] = 0;
	if (!machine_make(scope, mutant))
		violate("explorer: no machine");
	for (uint32_t step = 1; *path && !is_violated(); path++, step++) {
		const char *letter = strchr(letters, *path);
		uint8_t choice = letter ? (uint8_t)(letter - letters) : UINT8_MAX;

		if (!may_take(choice)) {
			printf("'%c' (choice %u) cannot be taken here: the schedule is of another scope, of "
			       "another mutant, or of another version of the core or the scopes\n",
			       *path, step);
			return false;
		}
		choice_text(choice, text, sizeof(text));
		printf("%4u  %c  %s\n", step, *path, text);
		choice_take(choice);
	}
	if (!is_violated() && party_all_rest()) {
		printf("      -  all have done what they may: everybody answers\n");
		check_rest(1, &outcome);
	}
	printf("%s\n", is_violated() ? violation : "no violation in this schedule");
	return is_violated();
}
