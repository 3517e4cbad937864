/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vpci_bar.c - where a guest's BARs are.
 *
 *   the guest wrote an address --> in a window? nobody else's? --> to be mapped there
 *                                                              '-> or not at all
 *
 *   BAR  |  mapped  | MSI-X table: trapped |  mapped  |
 */
#include "platform/metal/vpci.h"

#include "lib/mutant.h"
#include "platform/metal/vpci_registers.h"

static bool decodes(const struct vpci_function *function)
{
	return function->shown && (function->reg[CONFIG_COMMAND / 4].value & COMMAND_MEMORY) != 0;
}

uint64_t vpci_bar_address(const struct vpci_function *function, uint32_t bar)
{
	const struct vpci_register *reg = &function->reg[CONFIG_BAR(bar) / 4];
	uint64_t address = reg[0].value & ~BAR_FLAGS;

	return function->bar[bar].wide ? address | (uint64_t)reg[1].value << 32 : address;
}

static bool is_within(const struct vpci_window *window, uint64_t first, uint64_t bytes)
{
	return first >= window->first && first < window->end && bytes <= window->end - first;
}

static bool is_hit(const struct vpci_function *function, uint32_t bar, uint64_t first,
		   uint64_t bytes)
{
	uint64_t other = vpci_bar_address(function, bar), other_bytes = function->bar[bar].bytes;

	return other_bytes != 0 && first < other + other_bytes && other < first + bytes;
}

/* Two that overlap are both refused: neither is more in the right. */
static bool is_alone(const struct vpci *vpci, const struct vpci_function *function, uint32_t bar,
		     uint64_t first)
{
	for (uint32_t i = 0; i < vpci->function_count; i++) {
		const struct vpci_function *other = &vpci->function[i];

		for (uint32_t k = 0; k < SP_BARS && decodes(other); k++) {
			if ((other != function || k != bar) &&
			    is_hit(other, k, first, function->bar[bar].bytes))
				return false;
		}
	}
	return true;
}

enum vpci_place vpci_bar_place(const struct vpci *vpci, const struct vpci_function *function,
			       uint32_t bar, sp_gfn_t *first)
{
	uint64_t address = vpci_bar_address(function, bar), bytes = function->bar[bar].bytes;

	first->gfn = address >> SP_FRAME_ORDER;
	if (bytes == 0 || !decodes(function))
		return VPCI_OFF;
	if (!is_within(&vpci->low, address, bytes) && !is_within(&vpci->high, address, bytes) &&
	    !MUTANT_IS(vpci->mutant, SP_MUT_BAR_ANYWHERE))
		return VPCI_OUTSIDE;
	return is_alone(vpci, function, bar, address) ? VPCI_ON : VPCI_OVERLAPS;
}

/* The table's pages in its BAR. */
static void find_table(const struct vpci_function *function, uint64_t *first, uint64_t *end)
{
	uint64_t bytes = (uint64_t)function->table_real * VPCI_TABLE_ENTRY;

	*first = function->table_offset >> SP_FRAME_ORDER;
	*end = (function->table_offset + bytes + SP_FRAME_BYTES - 1) >> SP_FRAME_ORDER;
}

uint64_t vpci_bar_run(const struct vpci *vpci, const struct vpci_function *function, uint32_t bar,
		      uint64_t page, bool *trapped)
{
	uint64_t count = function->bar[bar].bytes >> SP_FRAME_ORDER, first, end;

	*trapped = false;
	if (page >= count)
		return 0;
	if (function->msix == 0 || function->table_bar != bar ||
	    MUTANT_IS(vpci->mutant, SP_MUT_TABLE_NOT_TRAPPED))
		return count - page;
	find_table(function, &first, &end);
	*trapped = page >= first && page < end;
	if (page < first)
		return first - page;
	return *trapped ? end - page : count - page;
}

struct vpci_function *vpci_find_address(struct vpci *vpci, uint64_t address, uint32_t *bar,
					uint64_t *offset)
{
	for (uint32_t i = 0; i < vpci->function_count; i++) {
		struct vpci_function *function = &vpci->function[i];

		for (*bar = 0; *bar < SP_BARS; (*bar)++) {
			uint64_t first = vpci_bar_address(function, *bar);
			sp_gfn_t gfn;

			if (vpci_bar_place(vpci, function, *bar, &gfn) != VPCI_ON)
				continue;
			*offset = address - first;
			if (address >= first && *offset < function->bar[*bar].bytes)
				return function;
		}
	}
	return NULL;
}
