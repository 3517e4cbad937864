/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_test.c - the random campaign: as tests, as a soak, and to replay a failure.
 *
 *   campaign_test                                       each mode, and the controls
 *   campaign_test --soak SECONDS                        fresh seeds, every mode in turn
 *   campaign_test --mode M --seed N                     one run; shrunk if it fails
 *   campaign_test --mode M --seed N --steps 3,17,21     these steps alone, each told
 *   ... --adversary max                                 with the one that keeps everything
 *   ... --mutant K                                      with a defect chosen
 *
 * Every run that fails prints the command that repeats it.
 */
#include "campaign.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define STORES_A_MODE 1000000u /* seen by the adversary, in the tests */
#define SEEDS_AT_MOST 400u
#define SECONDS_A_RUN 120u

static const char *program = "campaign_test";
static char under_way[200];

struct reached {
	uint64_t stores, operations, seeds;
};

/* --- one run --------------------------------------------------------------------------------- */

static uint32_t mode_number(const struct campaign_mode *mode)
{
	return (uint32_t)(mode - campaign_modes);
}

static void command(char *line, size_t bytes, const struct campaign_config *config)
{
	int used = snprintf(line, bytes, "%s --mode %u --seed %llu", program,
			    mode_number(config->mode), (unsigned long long)config->seed);

	if (config->adversary != campaign_adversary(config->seed) && used > 0)
		used += snprintf(line + used, bytes - (size_t)used, " --adversary max");
	if (config->mutant && used > 0)
		snprintf(line + used, bytes - (size_t)used, " --mutant %u", config->mutant);
}

/* A run that finds no end is a failure too, and says how to repeat it. */
static void on_alarm(int signal)
{
	static const char text[] = "# not ok: no end of: ";

	(void)signal;
	(void)!write(1, text, sizeof(text) - 1);
	(void)!write(1, under_way, strlen(under_way));
	(void)!write(1, "\n", 1);
	_exit(3);
}

static bool run(const struct campaign_config *config, const uint32_t *steps, uint32_t count,
		struct campaign_outcome *outcome)
{
	bool passed;

	command(under_way, sizeof(under_way), config);
	signal(SIGALRM, on_alarm);
	alarm(SECONDS_A_RUN);
	passed = campaign_run(config, steps, count, outcome);
	alarm(0);
	return passed;
}

static void all_steps(uint32_t steps[CAMPAIGN_STEPS])
{
	for (uint32_t i = 0; i < CAMPAIGN_STEPS; i++)
		steps[i] = i;
}

/*
 * What fails by chance stops failing when other steps go, since chance goes on elsewhere. The
 * adversary that keeps everything needs none: if the run fails with it too, it shrinks better.
 */
static struct campaign_config without_chance(const struct campaign_config *config)
{
	struct campaign_config max = *config;
	uint32_t steps[CAMPAIGN_STEPS];
	struct campaign_outcome outcome;

	all_steps(steps);
	max.adversary = MODEL_ADVERSARY_MAX;
	return campaign_run(&max, steps, CAMPAIGN_STEPS, &outcome) ? *config : max;
}

/* Prints what failed, the short list and both commands. Answers the list's length. */
static uint32_t report(const struct campaign_config *config)
{
	uint32_t steps[CAMPAIGN_STEPS], count;
	struct campaign_config told = without_chance(config);
	struct campaign_outcome outcome;
	char line[200];

	all_steps(steps);
	count = campaign_shrink(&told, steps, CAMPAIGN_STEPS, &outcome);
	command(line, sizeof(line), config);
	printf("  %s, seed %llu: %s\n", config->mode->name, (unsigned long long)config->seed,
	       outcome.complaint);
	printf("  again: %s\n", line);
	command(line, sizeof(line), &told);
	printf("  shrunk to %u steps: %s --steps ", count, line);
	for (uint32_t i = 0; i < count; i++)
		printf("%s%u", i ? "," : "", steps[i]);
	printf("%s\n", count ? "" : "none");
	told.told = true;
	(void)campaign_run(&told, steps, count, &outcome);
	fflush(stdout);
	return count;
}

static bool run_seed(const struct campaign_config *config, struct reached *reached)
{
	uint32_t steps[CAMPAIGN_STEPS];
	struct campaign_outcome outcome;
	bool passed;

	all_steps(steps);
	passed = run(config, steps, CAMPAIGN_STEPS, &outcome);
	reached->stores += outcome.stores;
	reached->operations += outcome.operations;
	reached->seeds++;
	return passed;
}

static struct campaign_config config_of(const struct campaign_mode *mode, uint64_t seed)
{
	return (struct campaign_config){ .mode = mode,
					 .adversary = campaign_adversary(seed),
					 .seed = seed };
}

/* --- the tests ------------------------------------------------------------------------------- */

static void print_reached(const char *name, const struct reached *reached)
{
	print_message("%s: %llu stores seen, %llu operations, %llu seeds\n", name,
		      (unsigned long long)reached->stores, (unsigned long long)reached->operations,
		      (unsigned long long)reached->seeds);
}

static void no_oracle_objects_to_a_million_stores(void **state)
{
	const struct campaign_mode *mode = *state;
	struct reached reached = { 0 };

	while (reached.stores < STORES_A_MODE) {
		struct campaign_config config = config_of(mode, reached.seeds);

		assert_true(reached.seeds < SEEDS_AT_MOST);
		if (run_seed(&config, &reached))
			continue;
		(void)report(&config);
		fail_msg("an oracle objects");
	}
	print_reached(mode->name, &reached);
}

/* Each defect is found soon, and by a list that a person can read. */
static const struct control {
	const char *name;
	enum sp_mutant mutant;
	uint32_t mode, steps;
} controls[] = {
	{ "the_campaign_finds_an_unmap_that_units_are_not_told", SP_MUT_UNMAP_UNPAID, 1, 8 },
	{ "the_campaign_finds_a_release_that_does_not_wait", SP_MUT_RELEASE_WITHOUT_WAIT, 9, 8 },
	{ "the_campaign_finds_an_invalidation_too_narrow", SP_MUT_WIDTH_OF_PIECE, 4, 8 },
	{ "the_campaign_finds_a_unit_that_is_not_told", SP_MUT_FIRST_UNIT_ONLY, 6, 8 },
	{ "the_campaign_finds_a_hand_over_that_is_not_paid", SP_MUT_HAND_OVER_UNPAID, 4, 8 },
	{ "the_campaign_finds_a_kick_that_is_not_sent", SP_MUT_KICK_SKIPPED, 0, 8 },
	{ "the_campaign_finds_links_that_are_kept", SP_MUT_LINKS_KEPT, 3, 8 },
	{ "the_campaign_finds_shadows_that_are_kept", SP_MUT_SHADOWS_KEPT, 21, 8 },
	{ "the_campaign_finds_an_emulator_that_is_not_awaited", SP_MUT_EMULATOR_NOT_AWAITED, 0, 8 },
};

static void it_is_found_soon_and_shrinks(void **state)
{
	const struct control *control = *state;
	struct reached reached = { 0 };
	struct campaign_config config;
	uint32_t count;

	do {
		assert_true(reached.seeds < 12);
		config = config_of(&campaign_modes[control->mode], reached.seeds);
		config.mutant = (uint32_t)control->mutant;
	} while (run_seed(&config, &reached));
	print_message("found with seed %llu\n", (unsigned long long)config.seed);
	count = report(&config);
	assert_in_range(count, 1, control->steps);
}

static int test_everything(void)
{
	enum {
		CONTROLS = sizeof(controls) / sizeof(controls[0])
	};
	static char names[64][160];
	struct CMUnitTest tests[64];
	size_t count = 0;

	for (uint32_t i = 0; i < campaign_mode_count; i++, count++) {
		snprintf(names[i], sizeof(names[i]), "no_oracle_objects_to_a_million_stores (%s)",
			 campaign_modes[i].name);
		tests[count] =
			(struct CMUnitTest){ names[i], no_oracle_objects_to_a_million_stores, NULL,
					     NULL, (void *)(uintptr_t)&campaign_modes[i] };
	}
	for (uint32_t i = 0; i < CONTROLS; i++, count++)
		tests[count] = (struct CMUnitTest){ controls[i].name, it_is_found_soon_and_shrinks,
						    NULL, NULL, (void *)(uintptr_t)&controls[i] };
	return _cmocka_run_group_tests("campaign", tests, count, NULL, NULL);
}

/* --- the command line ------------------------------------------------------------------------ */

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Every mode in turn, seeds that nobody has used today; what failed is told, and the rest goes on. */
static int soak(double seconds, uint64_t first)
{
	struct reached reached[64] = { { 0 } }, sum = { 0 };
	double end = now() + seconds;
	uint32_t failed = 0;

	printf("soak: %u modes, %.0f s, seeds from %llu\n", campaign_mode_count, seconds,
	       (unsigned long long)first);
	for (uint64_t seed = first; now() < end; seed++) {
		for (uint32_t i = 0; i < campaign_mode_count && now() < end; i++) {
			struct campaign_config config = config_of(&campaign_modes[i], seed);

			if (run_seed(&config, &reached[i]) || ++failed > 10)
				continue;
			(void)report(&config);
		}
	}
	for (uint32_t i = 0; i < campaign_mode_count; i++) {
		print_reached(campaign_modes[i].name, &reached[i]);
		sum.stores += reached[i].stores;
		sum.operations += reached[i].operations;
		sum.seeds += reached[i].seeds;
	}
	print_reached("all modes", &sum);
	printf("soak: %u runs failed\n", failed);
	return failed != 0;
}

/* "3,17,21", or a file with such a list, on as many lines as it likes. */
static uint32_t read_steps(const char *list, uint32_t steps[CAMPAIGN_STEPS])
{
	FILE *file = fopen(list, "r");
	char text[8192] = "";
	uint32_t count = 0;

	if (file) {
		text[fread(text, 1, sizeof(text) - 1, file)] = 0;
		fclose(file);
		list = text;
	}
	while (*list && count < CAMPAIGN_STEPS) {
		char *end;
		unsigned long step = strtoul(list, &end, 10);

		if (end != list)
			steps[count++] = (uint32_t)step;
		list = end == list ? list + 1 : end;
	}
	return count;
}

struct arguments {
	uint32_t mode, mutant;
	uint64_t seed;
	const char *steps, *soak;
	bool has_seed, is_max;
};

static int usage(const char *what)
{
	fprintf(stderr, "%s: what is %s? Without arguments all tests run; else\n", program, what);
	fprintf(stderr, "  --soak SECONDS [--seed FIRST]\n");
	fprintf(stderr, "  --mode M --seed N [--steps 3,17,21 | --steps FILE] [--adversary max]"
			" [--mutant K]\n");
	for (uint32_t i = 0; i < campaign_mode_count; i++)
		fprintf(stderr, "  mode %2u: %s\n", i, campaign_modes[i].name);
	return 2;
}

static int replay(const struct arguments *arguments)
{
	struct campaign_config config =
		config_of(&campaign_modes[arguments->mode], arguments->seed);
	uint32_t steps[CAMPAIGN_STEPS], count = CAMPAIGN_STEPS;
	struct campaign_outcome outcome;

	config.mutant = arguments->mutant;
	if (arguments->is_max)
		config.adversary = MODEL_ADVERSARY_MAX;
	config.told = arguments->steps != NULL;
	all_steps(steps);
	if (arguments->steps)
		count = read_steps(arguments->steps, steps);
	if (!count && strcmp(arguments->steps, "none") != 0)
		return usage(arguments->steps);
	if (run(&config, steps, count, &outcome)) {
		printf("%u steps, %llu stores seen: no oracle objects\n", outcome.steps,
		       (unsigned long long)outcome.stores);
		return 0;
	}
	printf("after %u steps: %s\n", outcome.steps, outcome.complaint);
	if (!arguments->steps)
		(void)report(&config);
	return 1;
}

static bool take(struct arguments *arguments, const char *name, const char *value)
{
	if (strcmp(name, "--mode") == 0)
		arguments->mode = (uint32_t)strtoul(value, NULL, 0);
	else if (strcmp(name, "--seed") == 0)
		arguments->seed = strtoull(value, NULL, 0);
	else if (strcmp(name, "--mutant") == 0)
		arguments->mutant = (uint32_t)strtoul(value, NULL, 0);
	else if (strcmp(name, "--steps") == 0)
		arguments->steps = value;
	else if (strcmp(name, "--adversary") == 0 && strcmp(value, "max") == 0)
		arguments->is_max = true;
	else if (strcmp(name, "--soak") == 0)
		arguments->soak = value;
	else
		return false;
	arguments->has_seed |= strcmp(name, "--seed") == 0;
	return arguments->mode < campaign_mode_count && arguments->mutant < SP_MUT_COUNT;
}

int main(int count, char **words)
{
	struct arguments arguments = { .mode = 0 };

	program = words[0];
	if (count == 1)
		return test_everything();
	for (int i = 1; i < count; i += 2)
		if (i + 1 == count || !take(&arguments, words[i], words[i + 1]))
			return usage(words[i]);
	if (arguments.soak)
		return soak(strtod(arguments.soak, NULL),
			    arguments.has_seed ? arguments.seed : (uint64_t)time(NULL) * 1000);
	return replay(&arguments);
}
