/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_pages.c - the pages of the fixture, and the stub platform that the engine sees.
 */
#include "tests/unit/engine_fixture.h"

#include <stdio.h>
#include <stdlib.h>

uint32_t machine_tables(const struct machine *machine)
{
	uint32_t tables = 0;

	for (uint32_t page = 0; page < machine->top; page++)
		tables += machine->state[page] == PAGE_TAKEN;
	return tables;
}

uint32_t machine_page(struct machine *machine, uint64_t mfn)
{
	uint64_t page = mfn - POOL_FIRST;

	if (page < POOL_PAGES && machine->state[page] != PAGE_FREE)
		return (uint32_t)page;
	machine_blame(machine, "mfn %#llx is no table page", (unsigned long long)mfn);
	return POOL_PAGES;
}

/* What a page held before looks like entries: all rights, to frames that nobody gave. */
static void forge(struct machine *machine, uint32_t page)
{
	for (uint32_t i = 0; i < machine_slots(machine); i++) {
		machine->page[page][i] = 0x6000000bad000007ull | (uint64_t)i << 24;
		machine->seen[page][i] = 0x6000000bee000007ull | (uint64_t)i << 24;
	}
}

uint64_t machine_take_page(struct machine *machine)
{
	uint32_t page = 0;

	while (page < POOL_PAGES && machine->state[page] != PAGE_FREE)
		page++;
	assert_true(page < POOL_PAGES);
	machine->state[page] = PAGE_TAKEN;
	machine->top = page + 1 > machine->top ? page + 1 : machine->top;
	forge(machine, page);
	return POOL_FIRST + page;
}

void machine_give_page(struct machine *machine, uint64_t mfn)
{
	uint32_t page = machine_page(machine, mfn);

	assert_true(page < POOL_PAGES);
	forge(machine, page);
	machine->state[page] = PAGE_FREE;
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	struct machine *machine = embedder;
	uint32_t page = machine_page(machine, frame.mfn);

	if (page == POOL_PAGES)
		fail_msg("%s: %s", machine->subject->name, machine->verdict);
	return machine->page[page];
}

void platform_panic(void *embedder, const char *line)
{
	(void)embedder;
	fprintf(stderr, "panic: %s\n", line);
	abort();
}

uint64_t (*machine_make_pages(void))[PAGE_SLOTS]
{
	void *pages = aligned_alloc(SP_FRAME_BYTES, (size_t)POOL_PAGES * SP_FRAME_BYTES);

	assert_non_null(pages);
	return pages;
}
