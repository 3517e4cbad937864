/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/amdvi_queue.c - the commands of an AMD-Vi unit. AMD document 48882, 2.4.
 *
 *   63:60          low word                                      high word
 *   1 wait         51:3 store address, 2 F, 1 I, 0 S             store data
 *   2 entry        15:0 device                                   -
 *   3 pages        47:32 domain, 19:0 PASID                      63:12 address, 2 GN, 1 PDE, 0 S
 *   4 device cache 47:32 queue, 31:24 depth, 15:0 device         63:12 address, 0 S
 *   5 interrupts   15:0 device                                   -
 *   8 all          -                                             -
 *
 * With S the size is in the address: its lowest zero bit from bit 12 on. What is wider than that
 * may stay (M6), and of links go only those that PDE names and that the size covers (M7).
 */
#include "machine.h"

#define B(n)	     (1ull << (n))
#define ADDRESS	     0xffffffffff000ull
#define STATUS_QUEUE (1u << 4)
#define COMMAND	     (0xfull << 60)

struct target {
	uint32_t domain, requester;
	uint64_t first;
	uint32_t order;
	bool links;
};

static bool is_in_pages(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	if (entry->kind == ENTRY_LINK ? !target->links : entry->kind != ENTRY_LEAF)
		return false;
	return entry->domain == target->domain && entry_within(entry, target->first, target->order);
}

static bool is_device_named(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	return entry->kind == ENTRY_DEVICE && entry->look == target->requester;
}

static bool is_interrupt_of(const struct entry *entry, const void *argument)
{
	const struct target *target = argument;

	return entry->kind == ENTRY_INTERRUPT && entry->look == target->requester;
}

/* --- commands -------------------------------------------------------------------------------- */

static bool perform_wait(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
{
	if (low & ~(COMMAND | 0xfffffffffffffull))
		return false;
	/*
	 * What was translated by entries that are gone lands first (M11; the manual's word is
	 * assumed for drain).
	 */
	device_drain(model, unit->index, -1);
	command_log(model, &(struct model_command){
				   .unit = unit->index, .kind = MODEL_CMD_WAIT, .drains = true });
	if (low & B(0))
		answer_store(model, unit, low & 0xffffffffffff8ull, high);
	if (low & B(1))
		unit->status |= 1u << 2;
	return true;
}

static bool perform_named(struct model *model, struct unit *unit, uint64_t low, uint64_t high,
			  bool interrupts)
{
	struct target target = { .requester = low & 0xffff };

	if ((low & ~(COMMAND | 0xffff)) || high)
		return false;
	command_log(model, &(struct model_command){ .unit = unit->index,
						    .kind = interrupts ? MODEL_CMD_INTERRUPTS
								       : MODEL_CMD_ENTRY,
						    .requester = target.requester });
	cache_drop(&unit->cache, interrupts ? is_interrupt_of : is_device_named, &target);
	return true;
}

/* 48882 2.4.3: without S one page; 7ff...f with S is every address. */
static struct target pages_of(uint64_t low, uint64_t high)
{
	uint64_t page = high >> FRAME_ORDER;
	struct target target = { .domain = low >> 32 & 0xffff,
				 .first = page,
				 .links = high & B(1) };

	if (high & B(0)) {
		target.order = (uint32_t)__builtin_ctzll(~page) + 1;
		target.order = target.order < ALL_ORDER ? target.order : ALL_ORDER;
		target.first = target.order < ALL_ORDER ? page >> target.order << target.order : 0;
	}
	return target;
}

static bool perform_pages(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
{
	struct target target = pages_of(low, high);
	bool all = target.order == ALL_ORDER;

	if ((low & ~(COMMAND | 0xffffull << 32 | 0xfffff)) || (high & 0xff8))
		return false;
	command_log(model, &(struct model_command){ .unit = unit->index,
						    .kind = all ? MODEL_CMD_IOTLB_DOMAIN
								: MODEL_CMD_IOTLB_PAGES,
						    .domain = target.domain,
						    .first = target.first,
						    .order = target.order,
						    .links = target.links });
	cache_drop(&unit->cache, is_in_pages, &target);
	return true;
}

static bool perform_all(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
{
	if (unit->config.no_invalidate_all || (low & ~COMMAND) || high)
		return false;
	command_log(model, &(struct model_command){ .unit = unit->index,
						    .kind = MODEL_CMD_ENTRY_ALL,
						    .order = ALL_ORDER,
						    .links = true });
	cache_drop_all(&unit->cache);
	return true;
}

static bool perform_device_cache(struct model *model, struct unit *unit, uint64_t low,
				 uint64_t high)
{
	struct target target = pages_of(low, high);

	if (!unit->config.ats || (low & ~(COMMAND | 0xffffull << 32 | 0xff00ffff)) ||
	    (high & 0xffe))
		return false;
	/* 2.5.8, IOTLB_INV_TIMEOUT: the worst is that what follows is carried out all the same. */
	if (!atc_answers(model, unit, low & 0xffff))
		amdvi_event(model, unit, 7ull << 60 | (low & 0xffff), high & ~0xfffull);
	atc_invalidate(model, unit, low & 0xffff, target.first, target.order);
	return true;
}

/* 3.4.1, CtrlInvTimeout: 0 is to wait for ever. */
static bool stands_still(struct model *model, const struct unit *unit, uint64_t low)
{
	if (low >> 60 == 1)
		return !answer_has_room(unit);
	return low >> 60 == 4 && unit->config.ats && !(unit->control >> 5 & 7) &&
	       !atc_answers(model, unit, low & 0xffff);
}

static bool perform(struct model *model, struct unit *unit, uint64_t low, uint64_t high)
{
	switch (low >> 60) {
	case 1:
		return perform_wait(model, unit, low, high);
	case 2:
		return perform_named(model, unit, low, high, false);
	case 3:
		return perform_pages(model, unit, low, high);
	case 4:
		return perform_device_cache(model, unit, low, high);
	case 5:
		return perform_named(model, unit, low, high, true);
	case 8:
		return perform_all(model, unit, low, high);
	default:
		return false;
	}
}

static uint64_t fetch(struct model *model, const struct unit *unit, uint64_t maddr)
{
	bool answered;
	uint64_t word = ram_load(model, VIEW_CPU, maddr, &answered);

	if (!answered || ram_state(model, maddr >> FRAME_ORDER) != FRAME_TABLE)
		model_violate(
			model,
			"contract: the command buffer of unit %u is no frame of the core, 0x%llx",
			unit->index, (unsigned long long)maddr);
	return word;
}

/* 48882 2.5.5: what is no command stops the queue, with the head at it. */
static void stop_at(struct model *model, struct unit *unit, uint64_t maddr)
{
	unit->status &= ~STATUS_QUEUE;
	amdvi_event(model, unit, 5ull << 60, maddr);
}

/* One after another, as far as the tail; head is where the next one lies. */
uint32_t amdvi_execute(struct model *model, struct unit *unit, uint32_t count)
{
	uint32_t bytes = 16u << (unit->cmdbuf >> 56 & 15), done = 0;

	while (done < count && (unit->status & STATUS_QUEUE) && unit->cmd_head != unit->cmd_tail) {
		uint64_t at = (unit->cmdbuf & ADDRESS) + unit->cmd_head, low, high;

		if (unit->cmd_tail >= bytes) {
			model_violate(model, "manual: command tail 0x%x lies beyond the buffer",
				      unit->cmd_tail);
			break;
		}
		low = fetch(model, unit, at);
		high = fetch(model, unit, at + 8);
		if (stands_still(model, unit, low))
			break;
		if (!perform(model, unit, low, high)) {
			stop_at(model, unit, at);
			break;
		}
		unit->cmd_head = (unit->cmd_head + 16) % bytes;
		done++;
	}
	return done;
}
