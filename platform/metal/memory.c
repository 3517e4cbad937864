/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/memory.c - the machine's RAM below 4 GiB, in frames of 4 KiB.
 *
 *   managed[]  frames that are ours to give: RAM, at least 1 MiB up, nobody else's
 *   taken[]    of those, the ones given out
 *
 *   0 --- 1 MiB --- image --- the hypervisor's own ---|own_end|--- guests --- 4 GiB
 *
 * All that no guest and no device may ever reach lies below own_end: one range to forbid.
 *
 * Two bitmaps of 4 GiB each, 128 KiB a piece, so that giving back what was never taken is seen.
 */
#include "platform/metal/memory.h"

#include "platform/metal/console.h"
#include "platform/metal/machine.h"
#include "platform/metal/multiboot.h"
#include "platform/metal/spinlock.h"
#include "platform/metal/string.h"

#define LOW_FRAMES     (LOW_LIMIT / SP_FRAME_BYTES)
#define FIRST_FRAME    (0x100000 / SP_FRAME_BYTES)
#define RANGES_MAX     64
#define OWN_BYTES      0x1800000ull /* 24 MiB: tables, queues, the library's state, vCPUs */
#define OWN_ALIGNMENT  0x200000ull
#define LOW_PAGE_FIRST 0x8000ull
#define LOW_PAGE_END   0x90000ull

struct range {
	uint64_t base, size;
};

extern char image_start[], image_end[];

static struct range ram[RANGES_MAX]; /* constant after memory_start */
static size_t ram_count;
static struct range loader[4]; /* what the loader left, below or above 1 MiB */
static struct spinlock lock;
static uint64_t managed[LOW_FRAMES / 64];
static uint64_t taken[LOW_FRAMES / 64];	   /* lock */
static size_t frames_free, frames_managed; /* lock */
static size_t hint;			   /* lock; no frame below it is free */
static size_t own_end;			   /* frame; constant after memory_start */

static bool test_bit(const uint64_t *map, size_t bit)
{
	return (map[bit / 64] >> bit % 64 & 1) != 0;
}

static void set_bit(uint64_t *map, size_t bit)
{
	map[bit / 64] |= 1ull << bit % 64;
}

static void clear_bit(uint64_t *map, size_t bit)
{
	map[bit / 64] &= ~(1ull << bit % 64);
}

/* Called with the lock held. */
static bool is_free(size_t frame)
{
	return test_bit(managed, frame) && !test_bit(taken, frame);
}

/* Only whole frames, and only those below 4 GiB. */
static void manage(struct range range)
{
	uint64_t first = (range.base + SP_FRAME_BYTES - 1) / SP_FRAME_BYTES;
	uint64_t end = (range.base + range.size) / SP_FRAME_BYTES;

	for (uint64_t i = first < FIRST_FRAME ? FIRST_FRAME : first; i < end && i < LOW_FRAMES; i++)
		set_bit(managed, i);
}

/* Whatever the range touches, to the last byte of its last frame. */
static void exclude(struct range range)
{
	uint64_t end = (range.base + range.size + SP_FRAME_BYTES - 1) / SP_FRAME_BYTES;

	for (uint64_t i = range.base / SP_FRAME_BYTES; i < end && i < LOW_FRAMES; i++)
		clear_bit(managed, i);
}

/* Types other than RAM are not ours: tables, holes, and what firmware keeps. */
static void read_range(const struct multiboot_range *entry)
{
	struct range range = {
		.base = (uint64_t)entry->base_high << 32 | entry->base_low,
		.size = (uint64_t)entry->length_high << 32 | entry->length_low,
	};

	if (entry->type != MULTIBOOT_RAM || range.size == 0 || range.base + range.size < range.base)
		return;
	if (ram_count == RANGES_MAX) {
		console_log("memory", "more than %u ranges of RAM; the one at 0x%lx is left alone",
			    RANGES_MAX, range.base);
		return;
	}
	ram[ram_count++] = range;
	manage(range);
}

/* A length that leads out of the map would make us read anything: refuse it. */
static void read_map(const struct multiboot_info *info)
{
	uint32_t at = 0;

	while (info->memory_map_size - at >= sizeof(struct multiboot_range)) {
		const struct multiboot_range *entry =
			memory_pointer((sp_maddr_t){ (uint64_t)info->memory_map_address + at });

		if (entry->size < sizeof(*entry) - sizeof(entry->size) ||
		    entry->size > info->memory_map_size - at - sizeof(entry->size))
			machine_refuse(
				"the loader's memory map has an entry of %u bytes at offset %u; "
				"use another multiboot loader",
				entry->size, at);
		read_range(entry);
		at += entry->size + (uint32_t)sizeof(entry->size);
	}
}

/* The list of modules and the modules themselves. */
static void exclude_modules(const struct multiboot_info *info)
{
	const struct multiboot_module *module =
		memory_pointer((sp_maddr_t){ info->modules_address });

	loader[2] = (struct range){ info->modules_address,
				    (uint64_t)info->modules_count * sizeof(*module) };
	exclude(loader[2]);
	for (uint32_t i = 0; i < info->modules_count; i++) {
		if (module[i].end > module[i].start)
			exclude((struct range){ module[i].start, module[i].end - module[i].start });
	}
}

/* Once, with one CPU running. */
static void count_managed(void)
{
	for (size_t i = 0; i < LOW_FRAMES / 64; i++) {
		for (uint64_t left = managed[i]; left != 0; left &= left - 1)
			frames_managed++;
	}
	frames_free = frames_managed;
	hint = FIRST_FRAME;
	own_end = ((memory_image_end().maddr + OWN_BYTES + OWN_ALIGNMENT - 1) &
		   ~(OWN_ALIGNMENT - 1)) /
		  SP_FRAME_BYTES;
}

/*
 * What the loader left is needed until the command line is parsed, and stays excluded after: it
 * is a few frames. The command line's length is not told; a frame from its start is kept.
 */
void memory_start(const struct multiboot_info *info)
{
	if (!(info->flags & MULTIBOOT_HAS_MEMORY_MAP))
		machine_refuse("the loader gave no memory map; use a multiboot 1 loader that does");

	read_map(info);
	exclude((struct range){ memory_image_start().maddr,
				memory_image_end().maddr - memory_image_start().maddr });
	loader[0] = (struct range){ memory_address(info).maddr, sizeof(*info) };
	loader[1] = (struct range){ info->memory_map_address, info->memory_map_size };
	exclude(loader[0]);
	exclude(loader[1]);
	if (info->flags & MULTIBOOT_HAS_MODULES)
		exclude_modules(info);
	if (info->flags & MULTIBOOT_HAS_COMMAND_LINE) {
		loader[3] = (struct range){ info->command_line, SP_FRAME_BYTES };
		exclude(loader[3]);
	}
	count_managed();
}

/* The first frame of [from, end) that starts a free aligned run, or `end`. */
static size_t find_run(size_t from, size_t end, size_t count, size_t align)
{
	size_t first = (from + align - 1) & ~(align - 1);

	while (first + count <= end) {
		size_t length = 0;

		while (length < count && is_free(first + length))
			length++;
		if (length == count)
			return first;
		first = (first + length + align) & ~(align - 1);
	}
	return end;
}

/* Called with the lock held. */
static sp_mfn_t take_between(size_t from, size_t end, size_t count, size_t align)
{
	size_t first = count == 0 ? end : find_run(from, end, count, align);

	if (first == end)
		return (sp_mfn_t){ 0 };
	for (size_t i = 0; i < count; i++)
		set_bit(taken, first + i);
	frames_free -= count;
	return (sp_mfn_t){ first };
}

/* The hint moves only when single frames are taken: a larger run may have passed over free ones. */
sp_mfn_t memory_take(size_t count, size_t align)
{
	bool were_on = spinlock_take(&lock);
	sp_mfn_t first = take_between(hint, own_end, count, align);

	if (first.mfn != 0 && count == 1 && align == 1)
		hint = first.mfn + 1;
	spinlock_drop(&lock, were_on);
	return first;
}

sp_mfn_t memory_take_for_guest(size_t count, size_t align)
{
	bool were_on = spinlock_take(&lock);
	sp_mfn_t first = take_between(own_end, LOW_FRAMES, count, align);

	spinlock_drop(&lock, were_on);
	if (first.mfn != 0)
		memset(memory_frame(first), 0, count * SP_FRAME_BYTES);
	return first;
}

sp_mfn_t memory_take_zeroed(size_t count, size_t align)
{
	sp_mfn_t first = memory_take(count, align);

	if (first.mfn != 0)
		memset(memory_frame(first), 0, count * SP_FRAME_BYTES);
	return first;
}

void memory_give(sp_mfn_t first, size_t count)
{
	bool were_on = spinlock_take(&lock);

	for (size_t i = first.mfn; i < first.mfn + count; i++) {
		if (i >= LOW_FRAMES || !test_bit(managed, i) || !test_bit(taken, i))
			machine_panic("frame 0x%zx was given back, but is not out", i);
		clear_bit(taken, i);
	}
	frames_free += count;
	if (first.mfn < hint)
		hint = first.mfn;
	spinlock_drop(&lock, were_on);
}

/* Wholly within one range that the loader called RAM. */
bool memory_is_ram(sp_maddr_t address, uint64_t size)
{
	for (size_t i = 0; i < ram_count; i++) {
		if (address.maddr >= ram[i].base && size <= ram[i].size &&
		    address.maddr - ram[i].base <= ram[i].size - size)
			return true;
	}
	return false;
}

/* The loader's own data may lie below 1 MiB, where the CPUs' start page is looked for. */
static bool is_loaders(uint64_t page)
{
	for (size_t i = 0; i < sizeof(loader) / sizeof(loader[0]); i++) {
		if (page < loader[i].base + loader[i].size &&
		    loader[i].base < page + SP_FRAME_BYTES)
			return true;
	}
	return false;
}

sp_maddr_t memory_find_low_page(void)
{
	for (uint64_t page = LOW_PAGE_FIRST; page < LOW_PAGE_END; page += SP_FRAME_BYTES) {
		if (memory_is_ram((sp_maddr_t){ page }, SP_FRAME_BYTES) && !is_loaders(page))
			return (sp_maddr_t){ page };
	}
	return (sp_maddr_t){ 0 };
}

/* For the log; the free count may be old by the time it is printed. */
struct memory_figures memory_figures(void)
{
	struct memory_figures f = { .frames = frames_managed, .frames_free = frames_free };

	for (size_t i = 0; i < ram_count; i++) {
		uint64_t end = ram[i].base + ram[i].size;

		f.ram_bytes += ram[i].size;
		if (ram[i].base >= LOW_LIMIT)
			f.high_bytes += ram[i].size;
		else if (end > f.top_of_low_ram.maddr)
			f.top_of_low_ram.maddr = end < LOW_LIMIT ? end : LOW_LIMIT;
	}
	return f;
}

sp_maddr_t memory_image_start(void)
{
	return memory_address(image_start);
}

sp_maddr_t memory_image_end(void)
{
	return memory_address(image_end);
}

sp_maddr_t memory_own_end(void)
{
	return sp_maddr_from_mfn((sp_mfn_t){ own_end });
}
