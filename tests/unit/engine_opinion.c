/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_opinion.c - how walkers read slots, from the manuals.
 */
#include "tests/unit/engine_opinion.h"

#include <stddef.h>

/* Bits high..low of a slot. */
static uint64_t bits(uint64_t slot, uint32_t high, uint32_t low)
{
	return slot << (63 - high) >> (63 - high) >> low;
}

static bool bit(uint64_t slot, uint32_t number)
{
	return slot >> number & 1;
}

static struct sight broken(const char *why)
{
	return (struct sight){ .kind = SIGHT_BROKEN, .why = why };
}

/* Nothing may be left in a slot that is absent: some walkers look at more than the present bit. */
static struct sight absent(uint64_t slot)
{
	return slot ? broken("an absent slot is not zero") : (struct sight){ .kind = SIGHT_ABSENT };
}

static struct sight entry(enum sight_kind kind, uint32_t level, uint32_t level_order, uint64_t slot)
{
	struct sight sight = { .kind = kind,
			       .mfn = bits(slot, 51, 12),
			       .memory = MEMORY_WRITE_BACK };

	if (kind == SIGHT_LEAF && level && bits(sight.mfn, level * level_order - 1, 0))
		return broken("a large leaf's frame is not aligned");
	return sight;
}

/* SDM 3C tables 29-1 to 29-7. Execute without read is a capability, hence not relied on. */
static struct sight read_ept(uint32_t level, uint64_t slot)
{
	bool large = bit(slot, 7), leaf = level == 0 || (large && level <= 2);
	struct sight sight;

	if (bits(slot, 2, 0) == 0)
		return absent(slot);
	if (!bit(slot, 0))
		return broken("EPT: write or execute without read");
	if (level >= 3 && large)
		return broken("EPT: bit 7 is reserved above 1 GiB");
	if (!leaf && bits(slot, 6, 3))
		return broken("EPT: bits 6:3 of a link are reserved");
	sight = entry(leaf ? SIGHT_LEAF : SIGHT_TABLE, level, 9, slot);
	sight.rights = (uint32_t)bits(slot, 2, 0);
	if (!leaf || sight.kind == SIGHT_BROKEN)
		return sight;
	switch (bits(slot, 5, 3)) {
	case 6:
		sight.memory = MEMORY_WRITE_BACK;
		return sight;
	case 4:
		sight.memory = MEMORY_WRITE_THROUGH;
		return sight;
	case 0:
		sight.memory = MEMORY_UNCACHED;
		return sight;
	}
	return broken("EPT: a memory type that nobody asks for");
}

/* VT-d 9.8. Bit 11 without snoop control and bit 62 without device TLB are reserved in leaves. */
static struct sight read_vtd(uint32_t level, uint64_t slot)
{
	bool large = bit(slot, 7), leaf = level == 0 || (large && level <= 2);
	struct sight sight;

	if (bits(slot, 1, 0) == 0)
		return absent(slot);
	if (bit(slot, 11) || bit(slot, 62))
		return broken("VT-d: bit 11 or 62 is set");
	if (level >= 3 && large)
		return broken("VT-d: bit 7 is reserved above 1 GiB");
	sight = entry(leaf ? SIGHT_LEAF : SIGHT_TABLE, level, 9, slot);
	sight.rights = (bit(slot, 0) ? DEVICE_READ : 0) | (bit(slot, 1) ? DEVICE_WRITE : 0);
	return sight;
}

/* APM 2 5.3, 15.25.5: a nested walk is a user access. The PAT bit: 7 at level 0, 12 above. */
static struct sight read_npt(uint32_t level, uint64_t slot)
{
	bool large = level && bit(slot, 7);
	struct sight sight;

	if (!bit(slot, 0))
		return absent(slot);
	if (!bit(slot, 2))
		return broken("NPT: the guest is a user, the entry is the supervisor's");
	if (large && level >= 3)
		return broken("NPT: bit 7 must be zero above 1 GiB");
	if (!level && bit(slot, 7))
		return broken("NPT: the PAT bit of a 4 KiB leaf is set");
	if (bit(slot, 8))
		return broken("NPT: the global bit means nothing here");
	sight = entry(level == 0 || large ? SIGHT_LEAF : SIGHT_TABLE, level, 9, slot);
	if (sight.kind == SIGHT_BROKEN)
		return sight;
	sight.rights =
		CPU_READ | (bit(slot, 1) ? CPU_WRITE : 0) | (bit(slot, 63) ? 0 : CPU_EXECUTE);
	switch (bits(slot, 4, 3)) { /* PCD, PWT: entries 0 to 3 of the power-up PAT */
	case 0:
		sight.memory = MEMORY_WRITE_BACK;
		return sight;
	case 1:
		sight.memory = MEMORY_WRITE_THROUGH;
		return sight;
	case 3:
		sight.memory = MEMORY_UNCACHED;
		return sight;
	}
	return broken("NPT: a memory type that nobody asks for");
}

/* 48882 2.2.3. Next level 0 is a leaf, 7 one of an odd size; a link says its table's level. */
static struct sight read_amdvi(uint32_t level, uint64_t slot)
{
	uint64_t next = bits(slot, 11, 9);
	struct sight sight;

	if (!bit(slot, 0))
		return absent(slot);
	if (next != 0 && next != level)
		return broken("AMD-Vi: the next level is skipped, or of an odd size");
	if (bits(slot, 58, 52))
		return broken("AMD-Vi: bits 58:52 are reserved");
	if (bits(slot, 60, 59))
		return broken("AMD-Vi: U or FC is set");
	if (level > 2 && next == 0)
		return broken("AMD-Vi: a leaf larger than 1 GiB");
	sight = entry(next == 0 ? SIGHT_LEAF : SIGHT_TABLE, level, 9, slot);
	sight.rights = (bit(slot, 61) ? DEVICE_READ : 0) | (bit(slot, 62) ? DEVICE_WRITE : 0);
	return sight;
}

/* pagetable/toy.c: rights in 4:0, memory type in 6:5, a large leaf by bit 7, 56:52 free. */
static struct sight read_toy(uint32_t level, uint64_t slot)
{
	bool leaf = level == 0 || bit(slot, 7);
	struct sight sight;

	if (!bit(slot, 0))
		return absent(slot);
	sight = entry(leaf ? SIGHT_LEAF : SIGHT_TABLE, level, 1, slot);
	sight.rights = (uint32_t)bits(slot, 4, 0);
	sight.memory = (enum memory_type)bits(slot, 6, 5);
	if (bits(slot, 6, 5) > 2 || bits(slot, 63, 57))
		return broken("toy: a bit that means nothing");
	return sight;
}

static struct sight both(struct sight cpu, struct sight device)
{
	if (cpu.kind == SIGHT_BROKEN)
		return cpu;
	if (device.kind == SIGHT_BROKEN)
		return device;
	if (cpu.kind != device.kind)
		return broken("CPU and device disagree about what the slot is");
	if (cpu.mfn != device.mfn)
		return broken("CPU and device disagree about the frame");
	cpu.rights |= device.rights;
	return cpu;
}

struct sight opinion_read(const struct opinion *opinion, uint32_t level, uint64_t slot)
{
	if (!opinion->device)
		return opinion->cpu(level, slot);
	if (!opinion->cpu)
		return opinion->device(level, slot);
	return both(opinion->cpu(level, slot), opinion->device(level, slot));
}

/* The pairs of rights, CPU's and device's, as one letter a right. */
#define R   CPU_READ
#define W   CPU_WRITE
#define X   CPU_EXECUTE
#define IN  DEVICE_READ
#define OUT DEVICE_WRITE

/* clang-format off */
const struct opinion opinions[OPINION_COUNT] = {
	/* The CPU alone. A read right always: write alone is a misconfiguration. */
	{ &format_ept, read_ept, NULL, 4, { R, R | W, R | X, R | W | X }, 8, 9 },
	/* The same bits for both: a device can never be given more, or less, than the CPU. */
	{ &format_ept_vtd, read_ept, read_vtd, 4,
	  { R | IN, R | W | IN | OUT, R | X | IN, R | W | X | IN | OUT }, 8, 9 },
	{ &format_npt, read_npt, NULL, 4, { R, R | W, R | X, R | W | X }, 5, 6 },
	/* Bits of their own: the device's rights are free, the CPU always reads. */
	{ &format_npt_amdvi, read_npt, read_amdvi, 16,
	  { R, R | W, R | X, R | W | X,
	    R | IN, R | W | IN, R | X | IN, R | W | X | IN,
	    R | OUT, R | W | OUT, R | X | OUT, R | W | X | OUT,
	    R | IN | OUT, R | W | IN | OUT, R | X | IN | OUT, R | W | X | IN | OUT }, 5, 6 },
	{ &format_vtd, NULL, read_vtd, 3, { IN, OUT, IN | OUT }, 8, 9 },
	{ &format_amdvi, NULL, read_amdvi, 3, { IN, OUT, IN | OUT }, 5, 6 },
	{ &format_toy, read_toy, NULL, 16,
	  { R, R | W, R | X, R | W | X,
	    R | IN, R | W | IN, R | X | IN, R | W | X | IN,
	    R | OUT, R | W | OUT, R | X | OUT, R | W | X | OUT,
	    R | IN | OUT, R | W | IN | OUT, R | X | IN | OUT, R | W | X | IN | OUT }, 8, 9 },
};
/* clang-format on */

const struct opinion *opinion_of(const struct format *format)
{
	for (uint32_t i = 0; i < OPINION_COUNT; i++)
		if (opinions[i].format == format)
			return &opinions[i];
	return NULL;
}
