/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/sriov_place.c - where the registers of virtual functions lie.
 *
 *   window   |....[ function ]....[ bridge leads elsewhere ]....[ forbidden ].........|
 *   placed    ^ VF 0 | VF 1 | VF 2                                   bytes each, no gap
 *
 * PCI Express base 6.0: 7.5.1.3.8 to .10, what a bridge leads downwards; 9.3.3.14, VF BARs.
 */
#include "pci/sriov_place.h"

#include "lib/bits.h"
#include "pci/config.h"

#define BRIDGE_MEMORY	    0x20
#define BRIDGE_PREFETCHABLE 0x24
#define PREFETCHABLE_BASE   0x28 /* upper 32 bits */
#define PREFETCHABLE_LIMIT  0x2c
#define RANGE_BASE	    0x0000fff0u
#define RANGE_LIMIT	    0xfff00000u
#define RANGE_WIDE	    0x1u
#define RANGE_END	    0x100000ull
#define BELOW_4G	    0x100000000ull

/* Addresses, not an inclusive end. */
struct range {
	uint64_t first, end;
};

static bool overlap(struct range a, struct range b)
{
	return a.first < b.end && b.first < a.end;
}

static bool is_within(struct range inner, struct range outer)
{
	return outer.first <= inner.first && inner.end <= outer.end;
}

static struct range common(struct range a, struct range b)
{
	return (struct range){ a.first > b.first ? a.first : b.first,
			       a.end < b.end ? a.end : b.end };
}

/* Empty where the limit is below the base. */
static struct range bridge_leads(const struct sp_host *host, const struct function *bridge,
				 bool prefetchable)
{
	uint32_t at = prefetchable ? BRIDGE_PREFETCHABLE : BRIDGE_MEMORY;
	uint32_t both = config_read32(host, bridge->sbdf, at);
	struct range range = { (both & RANGE_BASE) << 16, (both & RANGE_LIMIT) };

	if (prefetchable && both & RANGE_WIDE) {
		range.first |= (uint64_t)config_read32(host, bridge->sbdf, PREFETCHABLE_BASE) << 32;
		range.end |= (uint64_t)config_read32(host, bridge->sbdf, PREFETCHABLE_LIMIT) << 32;
	}
	range.end += RANGE_END;
	return range.first < range.end ? range : (struct range){ 0, 0 };
}

static bool is_above(const struct sp_host *host, const struct function *bridge,
		     const struct function *function)
{
	for (int32_t at = function->parent; at >= 0; at = host->functions[at].parent) {
		if (&host->functions[at] == bridge)
			return true;
	}
	return false;
}

/* ---- who is in the way: the end of that range, or 0 ---- */

static uint64_t obstacle_function(const struct function *function, struct range wanted)
{
	for (uint32_t i = 0; i < SP_BARS; i++) {
		const struct sp_bar *bar = &function->bar[i];
		struct range taken = { bar->address.maddr, bar->address.maddr + bar->bytes };

		if (bar->bytes && overlap(wanted, taken))
			return taken.end;
	}
	return 0;
}

static uint64_t obstacle_bridge(const struct sp_host *host, const struct function *bridge,
				struct range wanted)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct range taken = bridge_leads(host, bridge, i);

		if (overlap(wanted, taken))
			return taken.end;
	}
	return 0;
}

static uint64_t obstacle_forbidden(const struct sp_host *host, struct range wanted)
{
	for (uint32_t i = 0; i < host->forbidden_count; i++) {
		struct range taken = { host->forbidden[i].first << SP_FRAME_ORDER,
				       host->forbidden[i].end << SP_FRAME_ORDER };

		if (overlap(wanted, taken))
			return taken.end;
	}
	return 0;
}

static uint64_t obstacle_placed(const struct vf_registers placed[SP_BARS], uint32_t count,
				struct range wanted)
{
	for (uint32_t i = 0; i < SP_BARS; i++) {
		struct range taken = { placed[i].address,
				       placed[i].address + count * placed[i].bytes };

		if (placed[i].bytes && overlap(wanted, taken))
			return taken.end;
	}
	return 0;
}

static uint64_t find_obstacle(const struct sp_host *host, const struct function *physical,
			      uint32_t count, const struct vf_registers placed[SP_BARS],
			      struct range wanted)
{
	uint64_t end = obstacle_placed(placed, count, wanted);

	if (MUTANT(host, SP_MUT_VF_OVERLAP_UNCHECKED))
		return end;
	if (!end)
		end = obstacle_forbidden(host, wanted);
	for (uint32_t i = 0; i < host->function_count && !end; i++) {
		const struct function *other = &host->functions[i];

		end = obstacle_function(other, wanted);
		if (!end && other->header == 1 && !is_above(host, other, physical))
			end = obstacle_bridge(host, other, wanted);
	}
	return end;
}

/* ---- a place ---- */

/* What every bridge above leads down. */
static bool is_led(const struct sp_host *host, const struct function *physical,
		   const struct vf_registers *registers, struct range wanted)
{
	for (int32_t at = physical->parent; at >= 0; at = host->functions[at].parent) {
		const struct function *bridge = &host->functions[at];

		if (!is_within(wanted, bridge_leads(host, bridge, false)) &&
		    !(registers->prefetchable &&
		      is_within(wanted, bridge_leads(host, bridge, true))))
			return false;
	}
	return true;
}

static struct range room_for(const struct sp_host *host, const struct function *physical,
			     const struct vf_registers *registers, struct range room)
{
	for (int32_t at = physical->parent; at >= 0; at = host->functions[at].parent)
		room = common(room, bridge_leads(host, &host->functions[at], false));
	return registers->wide ? room : common(room, (struct range){ 0, BELOW_4G });
}

enum sp_status sriov_place(const struct sp_host *host, const struct function *physical,
			   const struct sp_window *window, uint32_t count,
			   const struct vf_registers placed[SP_BARS],
			   struct vf_registers *registers)
{
	struct range room = { window->first.maddr, window->first.maddr + window->bytes };
	uint64_t bytes = registers->bytes, all = count * bytes;
	struct range wanted = { registers->address, registers->address + all };

	if (registers->address && is_within(wanted, room) &&
	    is_led(host, physical, registers, wanted) &&
	    !find_obstacle(host, physical, count, placed, wanted))
		return SP_OK;
	room = room_for(host, physical, registers, room);
	wanted.first = room.first;
	for (;;) {
		uint64_t obstacle;

		wanted.first = (wanted.first + bytes - 1) & ~(bytes - 1);
		if (wanted.first < room.first || wanted.first >= room.end ||
		    all > room.end - wanted.first)
			break;
		wanted.end = wanted.first + all;
		obstacle = find_obstacle(host, physical, count, placed, wanted);
		if (!obstacle) {
			registers->address = wanted.first;
			return SP_OK;
		}
		wanted.first = obstacle;
	}
	config_log(
		host, SP_LOG_ERROR, physical->sbdf,
		"no room for the registers of its virtual functions: take fewer, or give a larger "
		"window");
	return SP_NO_SPACE;
}
