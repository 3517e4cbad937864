/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/verify_memory.c - frames of our own, in a row, whose machine addresses we know.
 * Linux, Documentation/admin-guide/mm/pagemap.rst.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "verify_ground.h"

#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_FRAME	((1ull << 55) - 1)
#define HUGE		0x200000u /* where the kernel has one free it is one row */
#define TRIED		(16 * HUGE)

/* 0: not there, or not for us to know. */
static uint64_t frame_of(int pagemap, const void *memory)
{
	uint64_t entry = 0;
	const off_t at = (off_t)((uintptr_t)memory / VERIFY_PAGE_BYTES * sizeof(entry));

	if (pread(pagemap, &entry, sizeof(entry), at) != sizeof(entry) ||
	    !(entry & PAGEMAP_PRESENT))
		return 0;
	return entry & PAGEMAP_FRAME;
}

static bool is_row(int pagemap, const unsigned char *memory, size_t count)
{
	const uint64_t first = frame_of(pagemap, memory);

	for (size_t i = 1; first && i < count; i++)
		if (frame_of(pagemap, memory + i * VERIFY_PAGE_BYTES) != first + i)
			return false;
	return first != 0;
}

static unsigned char *find_row(int pagemap, unsigned char *memory, size_t bytes, size_t count)
{
	for (size_t at = 0; at + count * VERIFY_PAGE_BYTES <= bytes; at += VERIFY_PAGE_BYTES)
		if (is_row(pagemap, memory + at, count))
			return memory + at;
	return NULL;
}

static bool fail(struct frames *frames, int pagemap, char *trouble, size_t size, const char *why)
{
	snprintf(trouble, size, "%s", why);
	if (pagemap >= 0)
		close(pagemap);
	frames_give(frames);
	return false;
}

bool frames_take(struct frames *frames, size_t count, char *trouble, size_t size)
{
	const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned char *memory =
		mmap(NULL, TRIED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*frames = (struct frames){ .held = memory == MAP_FAILED ? NULL : memory,
				   .held_bytes = TRIED };
	if (memory == MAP_FAILED)
		return fail(frames, pagemap, trouble, size, "no memory");
	/* A refusal costs nothing but a longer search. */
	(void)madvise(memory, TRIED, MADV_HUGEPAGE);
	memset(memory, 1, TRIED);
	if (pagemap < 0 || frame_of(pagemap, memory) == 0)
		return fail(
			frames, pagemap, trouble, size,
			"where our memory lies in the machine is not for us to know; run as root "
			"(CAP_SYS_ADMIN)");
	frames->memory = find_row(pagemap, memory, TRIED, count);
	if (!frames->memory)
		return fail(
			frames, pagemap, trouble, size,
			"no frames in a row are free; `echo 1 >/proc/sys/vm/compact_memory` and "
			"try again");
	frames->address = frame_of(pagemap, frames->memory) * VERIFY_PAGE_BYTES;
	close(pagemap);
	return true;
}

bool frames_are_there(const struct frames *frames, size_t count)
{
	const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	const bool there = pagemap >= 0 && is_row(pagemap, frames->memory, count) &&
			   frame_of(pagemap, frames->memory) * VERIFY_PAGE_BYTES == frames->address;

	if (pagemap >= 0)
		close(pagemap);
	return there;
}

void frames_give(struct frames *frames)
{
	if (frames->held)
		munmap(frames->held, frames->held_bytes);
	*frames = (struct frames){ .memory = NULL };
}
