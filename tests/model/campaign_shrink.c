/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_shrink.c - a short list of steps that still fails.
 *
 *   all of it, up to where it failed
 *   without one half, without the other; without each quarter; ... without each single step
 *   and again with single steps, until none can be spared
 */
#include "campaign.h"

#include <stdlib.h>
#include <string.h>

#define RUNS_AT_MOST 3000u

struct shrink {
	const struct campaign_config *config;
	uint32_t *steps, *trial;
	uint32_t count, runs;
	struct campaign_outcome outcome;
};

/* Keeps the list without [at, at + size) if it fails, and only as far as it then comes. */
static bool spare(struct shrink *shrink, uint32_t at, uint32_t size)
{
	struct campaign_outcome outcome;
	uint32_t rest = shrink->count - at - size;

	memcpy(shrink->trial, shrink->steps, at * sizeof(*shrink->trial));
	memcpy(shrink->trial + at, shrink->steps + at + size, rest * sizeof(*shrink->trial));
	shrink->runs++;
	if (campaign_run(shrink->config, shrink->trial, at + rest, &outcome))
		return false;
	shrink->outcome = outcome;
	shrink->count = outcome.steps;
	memcpy(shrink->steps, shrink->trial, shrink->count * sizeof(*shrink->steps));
	return true;
}

/* From the end, where the steps are that made it fail. True where something went. */
static bool pass(struct shrink *shrink, uint32_t size)
{
	uint32_t end = shrink->count;
	bool spared = false;

	while (end > 0 && shrink->runs < RUNS_AT_MOST) {
		uint32_t at = end > size ? end - size : 0;

		if (spare(shrink, at, end - at)) {
			spared = true;
			end = shrink->count < at ? shrink->count : at;
		} else {
			end = at;
		}
	}
	return spared;
}

uint32_t campaign_shrink(const struct campaign_config *config, uint32_t *steps, uint32_t count,
			 struct campaign_outcome *outcome)
{
	struct campaign_config quiet = *config;
	struct shrink shrink = { .config = &quiet, .steps = steps, .count = count };

	quiet.told = false;
	shrink.trial = calloc(count + 1, sizeof(*shrink.trial));
	if (!shrink.trial || campaign_run(&quiet, steps, count, &shrink.outcome)) {
		free(shrink.trial);
		return count;
	}
	shrink.count = shrink.outcome.steps;
	for (uint32_t size = (shrink.count + 1) / 2; size > 1; size /= 2)
		(void)pass(&shrink, size);
	while (pass(&shrink, 1))
		;
	*outcome = shrink.outcome;
	free(shrink.trial);
	return shrink.count;
}
