/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/forgotten.c - frames that the library handed back.
 *
 *   run 0 | run 1 | ... | run 1023    the last 1024 of them, run n in place n % 1024
 */
#include "platform/metal/forgotten.h"

#include "platform/metal/spinlock.h"

#define RUNS	1024u
#define DOMAINS 16u

static struct spinlock lock;
static struct sp_forgotten runs[RUNS]; /* lock */
static uint64_t run_count;	       /* lock */
static uint64_t frame_counts[DOMAINS]; /* lock; registers are not counted */

void forgotten_note(const struct sp_forgotten *run)
{
	bool were_on = spinlock_take(&lock);

	runs[run_count++ % RUNS] = *run;
	if (run->type != SP_MMIO && run->domain < DOMAINS)
		frame_counts[run->domain] += run->count;
	spinlock_drop(&lock, were_on);
}

uint64_t forgotten_mark(void)
{
	bool were_on = spinlock_take(&lock);
	uint64_t mark = run_count;

	spinlock_drop(&lock, were_on);
	return mark;
}

static bool holds(const struct sp_forgotten *run, uint32_t domain, sp_mfn_t frame)
{
	return run->domain == domain && frame.mfn >= run->first.mfn &&
	       frame.mfn - run->first.mfn < run->count;
}

bool forgotten_since(uint64_t mark, uint32_t domain, sp_mfn_t frame)
{
	bool were_on = spinlock_take(&lock);
	bool found = false;

	for (uint64_t i = mark; i < run_count && run_count - mark <= RUNS; i++)
		found = found || holds(&runs[i % RUNS], domain, frame);
	spinlock_drop(&lock, were_on);
	return found;
}

uint64_t forgotten_frames(uint32_t domain)
{
	return domain < DOMAINS ? frame_counts[domain] : 0;
}
