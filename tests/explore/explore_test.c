/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/explore_test.c - X1, X2: the table of scopes, and the mutants that they find.
 *
 *   explore_test                                 what make check runs: TAP, and the table as comments
 *   explore_test --soak SECONDS                  larger scopes, one after the other, as far as time goes
 *   explore_test --mutants                       how each is found: scope, states, schedule
 *   explore_test --replay SCOPE MUTANT SCHEDULE  in words; MUTANT may be NONE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "explore.h"
#include "mutants.h"

/* In each scope: first few, since most are found at once, then in another order, then more. */
static const struct {
	uint64_t states;
	uint32_t shuffle;
} rounds[] = { { 2000, 0 }, { 2000, 1 }, { 8000, 2 }, { 65000, 0 }, { 65000, 3 } };
#define MUTANT_ROUNDS (sizeof(rounds) / sizeof(rounds[0]))

static uint32_t tests, failures;

static void judge(bool is_good, const char *name)
{
	printf("%s %u - %s\n", is_good ? "ok" : "not ok", ++tests, name);
	failures += !is_good;
	fflush(stdout);
}

/* ---- scopes ---- */

/* A scope, and so many operations more than it says. */
struct which {
	uint32_t index, more;
};

static const char *scope_text(struct which which, char *text, size_t bytes)
{
	uint32_t each = scopes[which.index].each + which.more;

	snprintf(text, bytes, "%s, %u operation%s", scopes[which.index].name, each,
		 each == 1 ? "" : "s");
	return text;
}

static void print_heading(void)
{
	printf("# %-79s %9s %9s %8s %6s\n", "scope", "states", "steps", "at rest", "depth");
}

static void print_row(struct which which, const struct outcome *outcome)
{
	char name[90], end[60] = "exhausted";

	if (outcome->violation[0])
		snprintf(end, sizeof(end), "VIOLATED");
	else if (!outcome->exhausted)
		snprintf(end, sizeof(end), "stopped at %llu states",
			 (unsigned long long)outcome->states);
	printf("# %2u %-76s %9llu %9llu %8llu %6u  %s\n", which.index,
	       scope_text(which, name, sizeof(name)), (unsigned long long)outcome->states,
	       (unsigned long long)outcome->steps, (unsigned long long)outcome->ends,
	       outcome->depth, end);
	fflush(stdout);
}

static void print_violation(struct which which, const char *mutant, const struct outcome *outcome)
{
	char path[sizeof(outcome->path) + 1];

	path_text(outcome, path, sizeof(path));
	printf("#   %s\n#   again, in words: explore_test --replay %u", outcome->violation,
	       which.index);
	printf(which.more ? "+%u" : "", which.more);
	printf(" %s %s\n", mutant, path);
}

static bool explore(struct which which, const struct search *how)
{
	struct scope scope = scopes[which.index];
	struct outcome outcome;

	scope.each = (uint8_t)(scope.each + which.more);
	search(&scope, how, &outcome);
	print_row(which, &outcome);
	if (outcome.violation[0])
		print_violation(which, "NONE", &outcome);
	return outcome.exhausted || (how->seconds && !outcome.violation[0]);
}

static void check_scopes(void)
{
	char name[90], test[110];

	print_heading();
	for (uint32_t i = 0; i < scope_count; i++) {
		const struct which which = { i, 0 };

		if (scopes[i].soak)
			continue;
		snprintf(test, sizeof(test), "exhausted: %s",
			 scope_text(which, name, sizeof(name)));
		judge(explore(which, &(struct search){ .seconds = 0 }), test);
	}
}

/*
 * The scopes that make check leaves out, then each with one operation more, unless it lists them in order; each has
 * its share of the time that is left. A state costs 16 bytes.
 */
#define SOAK_STATES (15u << 20)

static int soak(uint32_t seconds)
{
	time_t end = time(NULL) + (time_t)seconds;
	uint32_t left = scope_count;
	bool is_good = true;

	for (uint32_t i = 0; i < scope_count; i++)
		left = left + scopes[i].soak - scopes[i].in_order;
	print_heading();
	for (uint32_t i = 0; i < 2 * scope_count && is_good; i++) {
		const struct which which = { i % scope_count, i / scope_count };
		uint32_t rest = end > time(NULL) ? (uint32_t)(end - time(NULL)) : 0;

		if (which.more ? scopes[which.index].in_order : !scopes[which.index].soak)
			continue;
		is_good = explore(which, &(struct search){ .states = SOAK_STATES,
							   .seconds = rest / left-- + 1 });
	}
	return is_good ? 0 : 1;
}

/* ---- mutants ---- */

/* Answers the scope, or scope_count. */
static uint32_t find_mutant(enum sp_mutant mutant, struct outcome *outcome)
{
	for (uint32_t n = 0; n < MUTANT_ROUNDS * scope_count; n++) {
		uint32_t i = n % scope_count;

		if (scopes[i].soak)
			continue;
		search(&scopes[i],
		       &(struct search){ .mutant = mutant,
					 .states = rounds[n / scope_count].states,
					 .shuffle = rounds[n / scope_count].shuffle },
		       outcome);
		if (outcome->violation[0])
			return i;
	}
	return scope_count;
}

static void check_mutants(bool tell)
{
	char name[120];

	for (uint32_t i = 0; i < explored_mutant_count; i++) {
		const struct explored_mutant *mutant = &explored_mutants[i];
		struct outcome outcome;
		uint32_t scope;

		if (mutant->why_not) {
			printf("# not judged: %s: %s\n", mutant->name, mutant->why_not);
			continue;
		}
		scope = find_mutant(mutant->mutant, &outcome);
		snprintf(name, sizeof(name), "found without being told the test: %s", mutant->name);
		judge(scope < scope_count, name);
		if (scope == scope_count)
			continue;
		printf("#   scope %u, after %llu states, %u choices\n", scope,
		       (unsigned long long)outcome.states, outcome.length);
		if (tell)
			print_violation((struct which){ scope, 0 }, mutant->name, &outcome);
	}
}

static enum sp_mutant mutant_named(const char *name)
{
	for (uint32_t i = 0; i < explored_mutant_count; i++)
		if (strcmp(explored_mutants[i].name, name) == 0)
			return explored_mutants[i].mutant;
	if (strcmp(name, "NONE") != 0) {
		fprintf(stderr,
			"explore_test: no mutant %s; those of tests/explore/mutants.c, or NONE\n",
			name);
		exit(2);
	}
	return SP_MUT_NONE;
}

/* "12", or "12+1": with one operation more. */
static int replay(const char *number, const char *mutant, const char *schedule)
{
	char *end, name[90];
	enum sp_mutant chosen;
	struct which which = { .index = (uint32_t)strtoul(number, &end, 10) };
	struct scope scope;

	if (*end == '+')
		which.more = (uint32_t)strtoul(end + 1, &end, 10);
	if (*end || end == number || which.index >= scope_count) {
		fprintf(stderr,
			"explore_test: no scope %s; there are 0 to %u, and 0+1 has one operation more\n",
			number, scope_count - 1);
		return 2;
	}
	scope = scopes[which.index];
	scope.each = (uint8_t)(scope.each + which.more);
	chosen = mutant_named(mutant);
	printf("%s; mutant: %s\n", scope_text(which, name, sizeof(name)), mutant);
	return search_replay(&scope, chosen, schedule) ? 1 : 0;
}

static int usage(void)
{
	fprintf(stderr,
		"explore_test                                  what make check runs\n"
		"explore_test --soak SECONDS                   larger scopes, as far as that goes\n"
		"explore_test --mutants                        how each mutant is found\n"
		"explore_test --replay SCOPE MUTANT SCHEDULE   a schedule in words; MUTANT may be NONE\n");
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--soak") == 0)
		return soak((uint32_t)strtoul(argv[2], NULL, 10));
	if (argc == 5 && strcmp(argv[1], "--replay") == 0)
		return replay(argv[2], argv[3], argv[4]);
	if (argc > 1 && !(argc == 2 && strcmp(argv[1], "--mutants") == 0))
		return usage();
	if (argc == 1)
		check_scopes();
	check_mutants(argc == 2);
	printf("1..%u\n", tests);
	return failures != 0;
}
