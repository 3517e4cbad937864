/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/explore_test.c - X1, X2: the table of scopes, and the mutants that they find.
 *
 *   explore_test                                 what make check runs: TAP, and the table as comments
 *   explore_test --soak SECONDS                  every scope, one after the other, as far as time goes
 *   explore_test --mutants                       how each is found: scope, states, schedule
 *   explore_test --replay SCOPE MUTANT SCHEDULE  in words; MUTANT may be NONE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "explore.h"
#include "mutants.h"

/* In each scope: first few, since most are found at once, then more. */
#define MUTANT_ROUNDS 2u
static const uint64_t mutant_states[MUTANT_ROUNDS] = { 2000, 65000 };

static uint32_t tests, failures;

static void judge(bool is_good, const char *name)
{
	printf("%s %u - %s\n", is_good ? "ok" : "not ok", ++tests, name);
	failures += !is_good;
	fflush(stdout);
}

/* ---- scopes ---- */

static void print_heading(void)
{
	printf("# %-70s %10s %10s %8s %6s  %s\n", "scope", "states", "steps", "at rest", "depth",
	       "");
}

static void print_row(const struct scope *scope, const struct outcome *outcome)
{
	char name[90], end[60] = "exhausted";

	snprintf(name, sizeof(name), "%s, %u operations", scope->name, scope->each);
	if (outcome->violation[0])
		snprintf(end, sizeof(end), "VIOLATED");
	else if (!outcome->exhausted)
		snprintf(end, sizeof(end), "stopped at %llu states",
			 (unsigned long long)outcome->states);
	printf("# %-70s %10llu %10llu %8llu %6u  %s\n", name, (unsigned long long)outcome->states,
	       (unsigned long long)outcome->steps, (unsigned long long)outcome->ends,
	       outcome->depth, end);
	fflush(stdout);
}

static void print_violation(uint32_t scope, const char *mutant, const struct outcome *outcome)
{
	char path[sizeof(outcome->path) + 1];

	path_text(outcome, path, sizeof(path));
	printf("#   %s\n#   explore_test --replay %u %s %s\n", outcome->violation, scope, mutant,
	       path);
}

static bool explore(uint32_t index, uint32_t more, uint32_t seconds)
{
	struct scope scope = scopes[index];
	struct outcome outcome;

	scope.each = (uint8_t)(scope.each + more);
	search(&scope, SP_MUT_NONE, 0, seconds, &outcome);
	print_row(&scope, &outcome);
	if (outcome.violation[0])
		print_violation(index, "NONE", &outcome);
	return outcome.exhausted || (seconds && !outcome.violation[0]);
}

static void check_scopes(void)
{
	char name[160];

	print_heading();
	for (uint32_t i = 0; i < scope_count; i++) {
		if (scopes[i].soak)
			continue;
		snprintf(name, sizeof(name), "exhausted: %s, %u operations", scopes[i].name,
			 scopes[i].each);
		judge(explore(i, 0, 0), name);
	}
}

/* Every scope, then each with one operation more; each has its share of the time that is left. */
static int soak(uint32_t seconds)
{
	time_t end = time(NULL) + (time_t)seconds;
	bool is_good = true;

	print_heading();
	for (uint32_t i = 0; i < 2 * scope_count && is_good; i++) {
		uint32_t left = end > time(NULL) ? (uint32_t)(end - time(NULL)) : 1;

		is_good =
			explore(i % scope_count, i / scope_count, left / (2 * scope_count - i) + 1);
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
		search(&scopes[i], mutant, mutant_states[n / scope_count], 0, outcome);
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
			print_violation(scope, mutant->name, &outcome);
	}
}

static enum sp_mutant mutant_named(const char *name)
{
	for (uint32_t i = 0; i < explored_mutant_count; i++)
		if (strcmp(explored_mutants[i].name, name) == 0)
			return explored_mutants[i].mutant;
	if (strcmp(name, "NONE") != 0) {
		fprintf(stderr, "explore_test: no mutant %s; see tests/explore/mutants.c\n", name);
		exit(2);
	}
	return SP_MUT_NONE;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--soak") == 0)
		return soak((uint32_t)strtoul(argv[2], NULL, 10));
	if (argc == 5 && strcmp(argv[1], "--replay") == 0 &&
	    strtoul(argv[2], NULL, 10) < scope_count) {
		search_replay(&scopes[strtoul(argv[2], NULL, 10)], mutant_named(argv[3]), argv[4]);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--mutants") == 0) {
		check_mutants(true);
	} else if (argc == 1) {
		check_scopes();
		check_mutants(false);
	} else {
		fprintf(stderr,
			"explore_test: --soak SECONDS, --mutants, or --replay SCOPE MUTANT SCHEDULE\n");
		return 2;
	}
	printf("1..%u\n", tests);
	return failures != 0;
}
