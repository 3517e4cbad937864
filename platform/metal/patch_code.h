/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/patch_code.h - code of a guest in two versions, and the two CPUs that execute it while one
 * is written over the other.
 *
 * It is one instruction. Of several, a CPU that was interrupted between two would go on in the new ones: who
 * writes over code has to know that nobody stands in the middle.
 */
#pragma once

#include "platform/metal/stage.h"

#define PATCH_CPUS 2u

struct patch_code {
	uint32_t address; /* of the instruction; a return follows it */
	uint32_t count;
	uint8_t bytes[2][SP_PATCH_BYTES];
	uint32_t result[2]; /* what each version gives back; no mix of them gives either */
};

/* Eight bytes, to be aligned: a move of a number. */
struct patch_code patch_code_of_eight(uint32_t address);
/* Fifteen bytes: a product, one factor of which lies in the guest's memory. */
struct patch_code patch_code_of_fifteen(uint32_t address);

/* Both of A's CPUs. */
struct patch_crew {
	struct stage *stage;
	struct guest *cpu[PATCH_CPUS];
};

/* The first version lies there, and nobody executes it yet. */
void patch_code_put(const struct patch_crew *crew, const struct patch_code *code);

/* From here on the CPU executes it, or writes to a word of its page; faults there are waited out. */
void patch_crew_execute(const struct patch_crew *crew, uint32_t cpu, const struct patch_code *code);
void patch_crew_spin(const struct patch_crew *crew, uint32_t cpu, const struct patch_code *code,
		     uint32_t address);
/* False: one does not stop. */
bool patch_crew_stop(const struct patch_crew *crew);

/* What they saw since. */
struct patch_tally {
	uint64_t whole[2]; /* executions of the old version, and of the new one */
	uint64_t mixed;	   /* of neither */
	uint32_t mix;	   /* what such a one gave back, the first */
	uint64_t rounds;   /* of all kinds; each is counted above before it is counted here */
	uint64_t fetches, writes; /* faults that were waited out */
	bool gone;		  /* a CPU left the guest for good */
};

struct patch_tally patch_crew_tally(const struct patch_crew *crew);
/* Each CPU, so many times. False: not within 5 seconds. */
bool patch_crew_goes_round(const struct patch_crew *crew, uint32_t times);

/* To be handed to patch_code_step() until that does not answer SP_BUSY. */
struct sp_patch patch_code_over(const struct patch_code *code, uint32_t version);

/* One call, and its ticket waited for: with SP_BUSY the window stands, or what it needs is done. */
SP_MUST_USE enum sp_status patch_code_step(const struct patch_crew *crew, struct sp_patch *patch);

/* All calls. Order: of the page while they were under way, SP_BUSY or not. */
struct patch_written {
	enum sp_status status;
	uint32_t order;
};
struct patch_written patch_code_write(const struct patch_crew *crew, const struct patch_code *code,
				      uint32_t version);
uint32_t patch_code_order(const struct patch_crew *crew, const struct patch_code *code);
