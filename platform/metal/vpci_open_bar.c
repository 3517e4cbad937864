/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vpci_open_bar.c - a function's base addresses, when it is shown to a guest.
 *
 *   the machine's BAR --> begins at a page, shares none? --> a free place in a window --> registers
 */
#include "platform/metal/vpci_open.h"

#include "lib/mutant.h"
#include "platform/metal/print.h"
#include "platform/metal/vpci_registers.h"

/* A guest maps pages: what it is shown of a small BAR is the page it is in. */
static uint64_t pages_up(uint64_t bytes)
{
	return (bytes + SP_FRAME_BYTES - 1) & ~(uint64_t)(SP_FRAME_BYTES - 1);
}

static bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

/* Another function with a register in one of the BAR's pages; NULL: none. */
static const struct sp_function_info *find_neighbour(const struct opening *o,
						     const struct sp_bar *bar)
{
	for (uint32_t i = 0; i < o->count; i++) {
		for (uint32_t k = 0; k < SP_BARS && &o->all[i] != o->info; k++) {
			const struct sp_bar *other = &o->all[i].bar[k];

			if (other->bytes != 0 && overlap(bar->address.maddr, pages_up(bar->bytes),
							 other->address.maddr, other->bytes))
				return &o->all[i];
		}
	}
	return NULL;
}

/* A BAR of the guest's, as it lies now, in the way of this range; its end, or 0. */
static uint64_t find_obstacle(const struct vpci *vpci, const struct vpci_function *own,
			      uint64_t first, uint64_t bytes)
{
	for (uint32_t i = 0; i < VPCI_FUNCTIONS; i++) {
		const struct vpci_function *function = &vpci->function[i];

		for (uint32_t k = 0; k < SP_BARS && (function->shown || function == own); k++) {
			uint64_t other = vpci_bar_address(function, k);

			if (function->bar[k].bytes != 0 &&
			    overlap(first, bytes, other, function->bar[k].bytes))
				return other + function->bar[k].bytes;
		}
	}
	return 0;
}

/* The first free place of so many bytes, a power of two, at a multiple of them. */
static bool find_place(const struct opening *o, const struct vpci_window *window, uint64_t bytes,
		       uint64_t *first)
{
	uint64_t at = window->first, obstacle;

	for (; at < window->end; at = obstacle) {
		at = (at + bytes - 1) & ~(bytes - 1);
		if (at < window->first || at >= window->end || bytes > window->end - at)
			return false;
		obstacle = find_obstacle(o->vpci, o->function, at, bytes);
		if (obstacle == 0) {
			*first = at;
			return true;
		}
	}
	return false;
}

/* Below 4 GiB first, where also a guest without large addresses reaches it. */
static bool place(const struct opening *o, const struct vpci_bar *bar, uint64_t *first)
{
	return find_place(o, &o->vpci->low, bar->bytes, first) ||
	       (bar->wide && find_place(o, &o->vpci->high, bar->bytes, first));
}

/* The bits below the size cannot be written: that is how a guest learns the size. */
static void show_bar(struct opening *o, uint32_t index, uint32_t flags, uint64_t first)
{
	struct vpci_register *reg = &o->function->reg[CONFIG_BAR(index) / 4];
	const struct vpci_bar *bar = &o->function->bar[index];
	uint64_t mask = ~(bar->bytes - 1);

	reg[0] =
		(struct vpci_register){ .value = (uint32_t)first | flags, .guest = (uint32_t)mask };
	if (bar->wide)
		reg[1] = (struct vpci_register){ .value = (uint32_t)(first >> 32),
						 .guest = (uint32_t)(mask >> 32) };
}

static enum sp_status check_bar(const struct opening *o, uint32_t index, uint32_t low)
{
	const struct sp_bar *bar = &o->info->bar[index];
	const struct sp_function_info *neighbour;

	if (bar->bytes == 0)
		return vpci_open_refuse(o, SP_UNSUPPORTED, "BAR %u (0x%x) cannot be mapped", index,
					low);
	if (bar->address.maddr % SP_FRAME_BYTES != 0)
		return vpci_open_refuse(o, SP_UNSUPPORTED,
					"BAR %u at 0x%llx does not begin at a page", index,
					(unsigned long long)bar->address.maddr);
	neighbour = find_neighbour(o, bar);
	if (neighbour != NULL && !MUTANT_IS(o->vpci->mutant, SP_MUT_BAR_NEIGHBOUR_UNCHECKED))
		return vpci_open_refuse(o, SP_UNSUPPORTED, "BAR %u at 0x%llx shares a page with %s",
					index, (unsigned long long)bar->address.maddr,
					print_sbdf(neighbour->sbdf).chars);
	return SP_OK;
}

/* A virtual function's registers read as none (PCI Express base 6.0, 9.3.4.1.10): as they would be. */
static uint32_t low_of(const struct opening *o, uint32_t index)
{
	const struct sp_bar *bar = &o->info->bar[index];

	if (!o->info->is_virtual)
		return vpci_open_read(o, CONFIG_BAR(index), 4);
	if (bar->bytes == 0)
		return 0;
	return (uint32_t)bar->address.maddr | (bar->wide ? BAR_64 : 0) |
	       (bar->prefetchable ? BAR_PREFETCH : 0);
}

/* I/O ports are not shown: what a driver can do with them it can do with memory, or not at all. */
static enum sp_status open_bar(struct opening *o, uint32_t index, bool *wide)
{
	uint32_t low = low_of(o, index);
	struct vpci_bar bar;
	enum sp_status status;
	uint64_t first;

	*wide = !(low & BAR_IO) && (low & BAR_TYPE) == BAR_64 && index + 1 < SP_BARS;
	if (low & BAR_IO || (o->info->bar[index].bytes == 0 && (low & ~BAR_FLAGS) == 0))
		return SP_OK;
	status = check_bar(o, index, low);
	if (status != SP_OK)
		return status;
	bar = (struct vpci_bar){ .machine = o->info->bar[index].address.maddr,
				 .bytes = pages_up(o->info->bar[index].bytes),
				 .wide = *wide };
	if (!place(o, &bar, &first))
		return vpci_open_refuse(o, SP_NO_SPACE, "no room for BAR %u of %llu KiB", index,
					(unsigned long long)bar.bytes / 1024);
	o->function->bar[index] = bar;
	show_bar(o, index, low & BAR_FLAGS, first);
	return SP_OK;
}

/* A wide one takes two registers. */
enum sp_status vpci_open_bars(struct opening *o)
{
	enum sp_status status = SP_OK;
	bool wide = false;

	for (uint32_t i = 0; i < SP_BARS && status == SP_OK; i += wide ? 2 : 1)
		status = open_bar(o, i, &wide);
	return status;
}
