/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/verify_judge.c - one transfer, and what it changed.
 */
#include "verify_judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- canaries ---- */

/* Bytes that no device sends by itself, different in each frame and each time. */
static void set_canary(struct verify_ground *ground, enum verify_page page)
{
	static uint64_t turn = 0x9e3779b97f4a7c15u;

	for (size_t at = 0; at < VERIFY_PAGE_BYTES; at += sizeof(turn)) {
		turn ^= turn << 13;
		turn ^= turn >> 7;
		turn ^= turn << 17;
		memcpy(ground->page[page] + at, &turn, sizeof(turn));
	}
}

void canaries_set(struct verify_ground *ground, struct canaries *kept)
{
	for (unsigned int i = 0; i < VERIFY_PAGES; i++) {
		set_canary(ground, (enum verify_page)i);
		memcpy(kept->page[i], ground->page[i], VERIFY_PAGE_BYTES);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

unsigned int canaries_changed(const struct verify_ground *ground, const struct canaries *kept)
{
	unsigned int pages = 0;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < VERIFY_PAGES; i++)
		if (memcmp(ground->page[i], kept->page[i], VERIFY_PAGE_BYTES) != 0)
			pages |= BIT(i);
	return pages;
}

/* ---- one transfer ---- */

struct seen judge_shoot(struct verify *verify, uint64_t address)
{
	static struct canaries kept;
	struct verify_ground *ground = verify->ground;
	struct seen seen;

	canaries_set(ground, &kept);
	ground->start(ground->of, address);
	seen.shot = ground->finish(ground->of);
	seen.pages = canaries_changed(ground, &kept);
	return seen;
}

/* ---- the verdict ---- */

void judge_say(struct verify_row *row, enum verify_result result, const char *format, ...)
{
	va_list arguments;

	row->result = result;
	va_start(arguments, format);
	vsnprintf(row->evidence, sizeof(row->evidence), format, arguments);
	va_end(arguments);
}

const char *judge_page_text(const struct verify *verify, unsigned int pages, uint64_t address)
{
	for (unsigned int i = 0; i < VERIFY_PAGES; i++)
		if (pages & BIT(i) && verify->ground->address[i] == address)
			return "the frame with this machine address: nothing was translated";
	if (pages & (BIT(VERIFY_OUTSIDE) | BIT(VERIFY_GUARD)))
		return "a frame that it was never led to";
	if (pages & BIT(VERIFY_GIVEN))
		return pages & BIT(VERIFY_OTHER) ? "both frames"
						 : "the frame that was mapped there";
	return pages & BIT(VERIFY_OTHER) ? "the frame that took its place" : "no frame";
}

static const char *shot_text(enum verify_shot shot)
{
	return shot == VERIFY_OVER ? ""
	       : shot == VERIFY_STUCK
		       ? "; the device did not end its transfer, and was reset"
		       : "; the device did not end its transfer, and does not come up again";
}

void judge_transfer(const struct verify *verify, struct verify_row *row, uint64_t address,
		    struct seen seen, unsigned int wanted)
{
	const unsigned long long at = address;

	if (seen.pages & ~wanted)
		judge_say(row, VERIFY_LEAKED, "sent to 0x%llx, it changed %s", at,
			  judge_page_text(verify, seen.pages & ~wanted, address));
	else if (seen.pages != wanted)
		judge_say(row, VERIFY_UNKNOWN, "sent to 0x%llx, no frame changed%s", at,
			  shot_text(seen.shot));
	else if (wanted)
		judge_say(row, VERIFY_ARRIVES,
			  "%zu bytes sent to 0x%llx are there, and nowhere else",
			  verify->ground->bytes, at);
	else
		judge_say(row, VERIFY_BLOCKED, "sent to 0x%llx, every canary is whole%s", at,
			  shot_text(seen.shot));
}

void judge_refused(struct verify *verify, struct verify_row *row)
{
	/* What was seen stays seen. */
	if (row->result != VERIFY_LEAKED)
		judge_say(row, VERIFY_UNKNOWN, "%s", verify->ground->trouble);
}

bool judge_control(struct verify *verify, struct verify_row *row, uint64_t address)
{
	const struct seen seen = judge_shoot(verify, address);
	const bool arrived = seen.pages == BIT(VERIFY_GIVEN);

	row->control = arrived ? VERIFY_CONTROL_ARRIVED : VERIFY_CONTROL_LACKS;
	if (seen.pages & ~BIT(VERIFY_GIVEN))
		judge_transfer(verify, row, address, seen, BIT(VERIFY_GIVEN));
	return arrived;
}
