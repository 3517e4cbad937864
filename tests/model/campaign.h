/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign.h - random operations on the whole library, judged all the time, and replayed
 * exactly.
 *
 *   mode, seed --> steps 0, 1, 2 ... --campaign_run()--> NULL, or what an oracle objects to
 *                     each drawn from the seed and its own number alone
 *
 * So a step is the same whatever other steps run: a list from which steps were removed is a run like
 * any other, and campaign_shrink() looks for a short one that still fails.
 *
 * The oracles: R and format, the model's own verdict; A, a flat array of what every guest frame is
 * expected to be, now and in every change that is not paid; the ledger, every frame told as forgotten
 * exactly once for each time it was mapped, every table page back at the end.
 */
#pragma once

#include <sallyport/passthrough.h>

#include "model.h"

#define CAMPAIGN_STEPS 300u /* in a run that nobody shortened */
#define CAMPAIGN_UNITS 2

struct campaign_mode {
	const char *name;
	enum sp_cpu_format cpu;
	enum sp_tables tables;
	uint32_t unit_count;
	struct model_unit_config unit[CAMPAIGN_UNITS];
};

extern const struct campaign_mode campaign_modes[];
extern const uint32_t campaign_mode_count;

struct campaign_config {
	const struct campaign_mode *mode;
	enum model_adversary adversary;
	uint64_t seed;
	uint32_t mutant;
	bool told; /* each step as it is done, a line on standard output */
};

/* Every sixteenth seed meets the adversary that keeps everything; the others one that draws. */
enum model_adversary campaign_adversary(uint64_t seed);

struct campaign_outcome {
	char complaint[400]; /* "": no oracle objects */
	uint32_t steps;	     /* begun */
	uint64_t stores;     /* that the adversary saw */
	uint64_t operations; /* calls of the library */
};

/* True where no oracle objects. Same configuration, same steps: same outcome. */
bool campaign_run(const struct campaign_config *config, const uint32_t *steps, uint32_t count,
		  struct campaign_outcome *outcome);

/*
 * Removes steps from a list that fails, halves first and single ones at last, as long as it still
 * fails. Answers how many are left; *outcome is theirs.
 */
uint32_t campaign_shrink(const struct campaign_config *config, uint32_t *steps, uint32_t count,
			 struct campaign_outcome *outcome);
