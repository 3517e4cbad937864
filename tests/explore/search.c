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

static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

struct node {
	struct snapshot *snapshot;
	uint8_t choice[CHOICES_MOST];
	uint32_t count, next;
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
	} else if (!choices) {
		violate("deadlock: nobody can go on");
	}
}

/* A new state: one level deeper. Its own copy is taken before everybody comes to rest. */
static void enter(uint32_t depth, struct outcome *outcome)
{
	struct node *new = &node[depth];

	outcome->states++;
	new->count = schedule_list(new->choice);
	new->next = 0;
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
	schedule_take(choice);
}

static bool is_over(const struct outcome *outcome, uint64_t states, time_t end)
{
	if (states && outcome->states >= states)
		return true;
	return end && outcome->steps % 1024 == 0 && time(NULL) >= end;
}

void search(const struct scope *scope, enum sp_mutant mutant, uint64_t states, uint32_t seconds,
	    struct outcome *outcome)
{
	time_t end = seconds ? time(NULL) + (time_t)seconds : 0;
	struct seen seen = { .room = 0 };
	uint32_t depth = 0;

	*outcome = (struct outcome){ .states = 0 };
	violation[0] = 0;
	if (!machine_make(scope, mutant))
		violate("explorer: no machine");
	(void)seen_add(&seen, world_hash());
	enter(0, outcome);
	for (depth = 1; depth && !is_violated() && !is_over(outcome, states, end);) {
		struct node *top = &node[depth - 1];

		if (top->next == top->count) {
			snapshot_free(top->snapshot);
			depth--;
			continue;
		}
		take(top, top->choice[top->next++], depth, outcome);
		if (!is_violated() && seen_add(&seen, world_hash())) {
			if (depth == DEPTH_MOST)
				violate("explorer: a schedule of more than %u choices", DEPTH_MOST);
			else
				enter(depth++, outcome);
		}
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
	uint32_t count = schedule_list(choices);

	for (uint32_t i = 0; i < count; i++)
		if (choices[i] == choice)
			return true;
	return false;
}

void search_replay(const struct scope *scope, enum sp_mutant mutant, const char *path)
{
	struct outcome outcome = { .states = 0 };
	char text[160];

	violation[0] = 0;
	if (!machine_make(scope, mutant))
		violate("explorer: no machine");
	for (; *path && !is_violated(); path++) {
		const char *letter = strchr(letters, *path);
		uint8_t choice = letter ? (uint8_t)(letter - letters) : UINT8_MAX;

		if (!may_take(choice)) {
			printf("'%c' is no choice here: the path is another scope's, another mutant's, or "
			       "of another version\n",
			       *path);
			return;
		}
		choice_text(choice, text, sizeof(text));
		printf("%c  %s\n", *path, text);
		schedule_take(choice);
	}
	if (!is_violated())
		check_rest(1, &outcome);
	printf("%s\n", is_violated() ? violation : "no violation on this path");
}
