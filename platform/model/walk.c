/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/walk.c - the four table formats, as their manuals draw them, and the walk through
 * any of them.
 *
 *   root --> table, level n-1 --link--> table --link--> ... --leaf--> frame
 *
 *           63   62   61   60:52   51:12    11:9        7    6 5    5:3    2   1   0
 *   AMD-Vi  -    IW   IR   resv.   address  next level  -    D A    -      -   -   PR   48882 2.2.3
 *   NPT     NX   -    -    -       address  -           PS   D A    -      US  RW  P    APM 2 15.25
 *   EPT     -    -    -    -       address  -           PS   IPAT   type   X   W   R    SDM 3C 29.3.2
 *   VT-d    -    TM   -    -       address  SNP: 11     PS   -      -      -   W   R    VT-d 9.8
 */
#include "machine.h"

#define B(n) (1ull << (n))

static uint64_t address_of(uint64_t value)
{
	return value & 0xffffffffff000ull;
}

static bool beyond(const struct table *table, uint64_t value)
{
	return (address_of(value) & ~(B(table->address_bits) - 1)) != 0;
}

static struct slot link_to(uint64_t value, uint32_t level, uint8_t rights)
{
	return (struct slot){ .kind = SLOT_LINK,
			      .rights = rights,
			      .level = (uint8_t)level,
			      .frame = address_of(value) >> FRAME_ORDER };
}

static struct slot leaf_at(uint64_t value, uint32_t level, uint8_t rights)
{
	return (struct slot){ .kind = SLOT_LEAF,
			      .rights = rights,
			      .order = 9 * level,
			      .frame = address_of(value) >> FRAME_ORDER };
}

static struct slot typed(struct slot leaf, uint8_t memory)
{
	leaf.memory = memory;
	return leaf;
}

/* APM 2 7.8.1: the page attribute table as it is after a reset, by PAT, PCD and PWT. */
static uint8_t npt_memory(uint64_t value, uint32_t level)
{
	static const uint8_t types[8] = { 6, 4, 0, 0, 6, 4, 0, 0 };

	return types[(value >> 3 & 3) | (value >> (level ? 12 : 7) & 1) << 2];
}

static struct slot bad(void)
{
	return (struct slot){ .kind = SLOT_BAD };
}

/*
 * Bits of the address below the page's size are reserved in all formats of Intel, and in NPT but
 * for PAT.
 */
static bool is_crooked(uint64_t value, uint32_t level, uint64_t allowed)
{
	uint64_t low = (B(FRAME_ORDER + 9 * level) - 1) & ~(uint64_t)(FRAME_BYTES - 1);

	return (value & low & ~allowed) != 0;
}

static struct slot decode_ept(const struct table *table, uint32_t level, uint64_t value)
{
	uint8_t rights = value & 7, type = value >> 3 & 7;
	bool large = level > 0 && (value & B(7));

	if (!rights)
		return (struct slot){ .kind = SLOT_ABSENT };
	/* SDM 29.3.3.1: writable but not readable is a misconfiguration. */
	if ((rights & (MODEL_READ | MODEL_WRITE)) == MODEL_WRITE || beyond(table, value))
		return bad();
	if (level == 0 || large) {
		if (type == 2 || type == 3 || type == 7 || is_crooked(value, level, 0))
			return bad();
		return level > 0 && !(table->large & 1u << level)
			       ? bad()
			       : typed(leaf_at(value, level, rights), type);
	}
	return value & 0xf8 ? bad() : link_to(value, level - 1, rights);
}

static struct slot decode_npt(const struct table *table, uint32_t level, uint64_t value)
{
	uint8_t rights = MODEL_READ;

	if (!(value & B(0)))
		return (struct slot){ .kind = SLOT_ABSENT };
	rights |= value & B(1) ? MODEL_WRITE : 0;
	rights |= value & B(63) ? 0 : MODEL_EXECUTE;
	/* APM 2 15.25.5: every guest access is a user access. */
	if (!(value & B(2)))
		rights = 0;
	if (beyond(table, value) || (level >= 3 && (value & B(7))))
		return bad();
	if (level > 0 && (value & B(7))) {
		if (is_crooked(value, level, B(12)) || !(table->large & 1u << level))
			return bad();
		return typed(leaf_at(value & ~B(12), level, rights), npt_memory(value, level));
	}
	return level ? link_to(value, level - 1, rights)
		     : typed(leaf_at(value, 0, rights), npt_memory(value, 0));
}

static struct slot decode_vtd(const struct table *table, uint32_t level, uint64_t value)
{
	uint8_t rights = value & 3;

	if (!rights)
		return (struct slot){ .kind = SLOT_ABSENT };
	/* Bit 11 is SNP, reserved without snoop control; bit 62 TM, without device TLBs. */
	if (beyond(table, value) || (value & (B(62) | B(11))))
		return bad();
	if (level > 0 && (value & B(7))) {
		if (!(table->large & 1u << level) || is_crooked(value, level, 0))
			return bad();
		return leaf_at(value, level, rights);
	}
	return level ? link_to(value, level - 1, rights) : leaf_at(value, 0, rights);
}

/* Next level 7: the size of the page is in the address, at its lowest zero bit from bit 12 on. */
static struct slot sized_leaf(uint64_t value, uint32_t level, uint8_t rights)
{
	uint64_t page = address_of(value) >> FRAME_ORDER;
	uint32_t order = (uint32_t)__builtin_ctzll(~page) + 1;
	struct slot slot = leaf_at(value, 0, rights);

	if (order <= 9 * level || order > 9 * (level + 1))
		return bad();
	slot.order = order;
	slot.frame = page & ~(B(order) - 1);
	return slot;
}

static struct slot decode_amdvi(const struct table *table, uint32_t level, uint64_t value)
{
	uint32_t next = value >> 9 & 7;
	uint8_t rights = 0;

	if (!(value & B(0)))
		return (struct slot){ .kind = SLOT_ABSENT };
	rights |= value & B(61) ? MODEL_READ : 0;
	rights |= value & B(62) ? MODEL_WRITE : 0;
	if (beyond(table, value) || (value & (B(59) - B(52))))
		return bad();
	if (next == 7)
		return sized_leaf(value, level, rights);
	if (next == 0)
		return is_crooked(value, level, 0) ? bad() : leaf_at(value, level, rights);
	/* A link goes down, and FC and U are the leaf's. */
	if (next > level || (value & (B(59) | B(60))))
		return bad();
	return link_to(value, next - 1, rights);
}

struct slot slot_decode(const struct table *table, uint32_t level, uint64_t value)
{
	switch (table->format) {
	case MODEL_EPT:
		return decode_ept(table, level, value);
	case MODEL_NPT:
		return decode_npt(table, level, value);
	case MODEL_VTD_TABLE:
		return decode_vtd(table, level, value);
	case MODEL_AMDVI_TABLE:
	case MODEL_ON_SHADOWS: /* no table of any */
	case MODEL_DIRECT:     /* linear.c */
		break;
	}
	return decode_amdvi(table, level, value);
}

/* --- the walk -------------------------------------------------------------------------------- */

struct start walk_root(const struct table *table)
{
	return (struct start){ .frame = table->root,
			       .level = table->levels - 1,
			       .rights = table->rights };
}

static const char *state_name(enum frame_state state)
{
	switch (state) {
	case FRAME_FREE:
		return "free";
	case FRAME_TABLE:
		return "a table";
	case FRAME_GUEST:
		return "a guest's memory";
	case FRAME_FIRMWARE:
		return "firmware's";
	case FRAME_TRAP:
		break;
	}
	return "where a forged entry points";
}

static bool may_be_walked(const struct model *model, uint64_t mfn)
{
	enum frame_state state = ram_state(model, mfn);

	return state == FRAME_TABLE || state == FRAME_FIRMWARE;
}

/*
 * A frame that is no table is walked only through an entry that outlived it: oracle R, seen in the
 * act. The same for a table that was linked before it was one.
 */
static bool load_slot(struct model *model, const struct table *table, struct start at, uint64_t dfn,
		      struct walk *walk, const char *who)
{
	uint64_t index = dfn >> 9 * at.level & (SLOTS - 1);
	bool answered;

	walk->end_level = at.level;
	walk->end_maddr = (at.frame << FRAME_ORDER) + index * 8;
	walk->end_value = ram_load(model, table->view, walk->end_maddr, &answered);
	if (!answered)
		return false;
	if (!may_be_walked(model, at.frame))
		model_violate(model, "oracle R: %s walks mfn 0x%llx for dfn 0x%llx, but it is %s",
			      who, (unsigned long long)at.frame, (unsigned long long)dfn,
			      state_name(ram_state(model, at.frame)));
	ram_note_place(model, at.frame, at.level, dfn);
	return true;
}

/*
 * APM 2 15.25.6: the walker marks each entry on its way, in memory (M5). EPT only if asked, which
 * nobody does.
 */
static void mark_accessed(struct model *model, const struct table *table, uint64_t maddr)
{
	uint8_t *at = ram_at(model, VIEW_CPU, maddr);

	if (table->format == MODEL_NPT && !buffer_hides(model, at, 8))
		__atomic_fetch_or((uint64_t *)(void *)at, B(5), __ATOMIC_SEQ_CST);
}

/* AMD-Vi: a link that skips levels needs zeroes where they would have been looked up. */
static bool skips_over_address(uint32_t level, uint32_t next, uint64_t dfn)
{
	uint64_t mask = (B(9 * level) - 1) & ~(B(9 * (next + 1)) - 1);

	return next + 1 < level && (dfn & mask);
}

struct walk walk_from(struct model *model, const struct table *table, struct start start,
		      uint64_t dfn, const char *who)
{
	struct start root = walk_root(table);
	struct walk walk = { .from_root = start.frame == root.frame && start.level == root.level };
	struct start at = start;

	for (;;) {
		if (!load_slot(model, table, at, dfn, &walk, who)) {
			walk.end = (struct slot){ .kind = SLOT_LOST };
			return walk;
		}
		walk.end = slot_decode(table, at.level, walk.end_value);
		if (walk.end.kind == SLOT_LINK || walk.end.kind == SLOT_LEAF)
			mark_accessed(model, table, walk.end_maddr);
		walk.end.rights &= at.rights;
		if (walk.end.kind != SLOT_LINK)
			return walk;
		if (skips_over_address(at.level, walk.end.level, dfn)) {
			walk.end = (struct slot){ .kind = SLOT_ABSENT };
			return walk;
		}
		at = (struct start){ walk.end.frame, walk.end.level, walk.end.rights };
		walk.link[walk.link_count++] = at;
	}
}

static uint64_t start_of(uint64_t dfn, uint32_t order)
{
	return order < 64 ? dfn >> order << order : 0;
}

/* M4: a large page may be kept as a piece of 4K, whole, or both. Answers: as a piece alone. */
static bool remember_piece(struct model *model, struct cache *cache, struct entry whole,
			   uint64_t dfn)
{
	uint64_t how = MODEL_ADVERSARY_MAX == model->config.adversary ? 1 : 0;

	if (model->config.adversary == MODEL_ADVERSARY_RANDOM)
		how = model_draw(model, 3);
	if (how == 0)
		return false;
	whole.frame += dfn - whole.first;
	whole.first = dfn;
	whole.order = 0;
	cache_add(model, cache, &whole);
	return how == 2;
}

/*
 * Keeps what was seen on the way. `leaf` and `link` come with their tags. What is absent is kept
 * only if `leaf` says so, as wide as the slot that was found empty (M3).
 */
void walk_remember(struct model *model, struct cache *cache, const struct walk *walk, uint64_t dfn,
		   const struct entry *leaf, const struct entry *link)
{
	struct entry entry;

	for (uint32_t i = 0; link && i < walk->link_count; i++) {
		entry = *link;
		entry.kind = ENTRY_LINK;
		entry.level = (uint8_t)walk->link[i].level;
		entry.rights = walk->link[i].rights;
		entry.order = 9 * (entry.level + 1u);
		entry.first = start_of(dfn, entry.order);
		entry.frame = walk->link[i].frame;
		cache_add(model, cache, &entry);
	}
	if (walk->end.kind != SLOT_LEAF && !(walk->end.kind == SLOT_ABSENT && leaf->absent))
		return;
	entry = *leaf;
	entry.kind = ENTRY_LEAF;
	entry.fresh = walk->from_root;
	entry.absent = walk->end.kind == SLOT_ABSENT;
	entry.rights = walk->end.rights;
	entry.memory = walk->end.memory;
	entry.order = entry.size = entry.absent ? 9 * walk->end_level : walk->end.order;
	entry.first = start_of(dfn, entry.order);
	entry.frame = walk->end.frame;
	if (entry.absent || entry.order == 0 || !remember_piece(model, cache, entry, dfn))
		cache_add(model, cache, &entry);
}

/*
 * What a walker finds at any moment must be sound; a fault of a real access is judged by who made
 * it.
 */
void walk_judge(struct model *model, const struct walk *walk, uint64_t dfn, const char *who)
{
	unsigned long long value = walk->end_value, at = walk->end_maddr, address = dfn;

	if (walk->end.kind == SLOT_BAD)
		model_violate(
			model,
			"format: %s finds 0x%llx at 0x%llx, level %u, for dfn 0x%llx: reserved",
			who, value, at, walk->end_level, address);
	if (walk->end.kind == SLOT_LOST)
		model_violate(model, "format: %s follows a link to 0x%llx, where no memory is", who,
			      at);
	if (walk->end.kind != SLOT_LEAF || !ram_holds(model, walk->end.frame))
		return;
	if (ram_state(model, walk->end.frame) != FRAME_GUEST)
		model_violate(model,
			      "oracle R: %s finds a leaf for dfn 0x%llx to mfn 0x%llx, which is %s",
			      who, address, (unsigned long long)walk->end.frame,
			      state_name(ram_state(model, walk->end.frame)));
}
