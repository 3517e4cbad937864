/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/verify_judge.h - one transfer, and what it changed: the part of verify_rows.c that no row owns.
 *
 *   canaries in every frame -> a transfer -> which frames changed?
 */
#pragma once

#include "verify.h"

#define BIT(page) (1u << (page))

struct canaries {
	unsigned char page[VERIFY_PAGES][VERIFY_PAGE_BYTES];
};

/* In every frame, and what they were. */
void canaries_set(struct verify_ground *ground, struct canaries *kept);
/* Frames that are not as they were, as bits. */
unsigned int canaries_changed(const struct verify_ground *ground, const struct canaries *kept);

/* What came of it: which frames changed, as bits. */
struct seen {
	unsigned int pages;
	enum verify_shot shot;
};

/* Canaries, a transfer to this address, and its end. */
struct seen judge_shoot(struct verify *verify, uint64_t address);

__attribute__((format(printf, 3, 4))) void judge_say(struct verify_row *row,
						     enum verify_result result, const char *format,
						     ...);
/* The ground would not do what the row needs. */
void judge_refused(struct verify *verify, struct verify_row *row);
/* Of pages that changed, what the worst of them is, for a device that was aimed at `address`. */
const char *judge_page_text(const struct verify *verify, unsigned int pages, uint64_t address);
/* The transfer that a row is about; `wanted`: pages that are to have changed, 0 for none. */
void judge_transfer(const struct verify *verify, struct verify_row *row, uint64_t address,
		    struct seen seen, unsigned int wanted);
/* The row's control: true when it arrives in the frame that was given, and nowhere else. */
bool judge_control(struct verify *verify, struct verify_row *row, uint64_t address);
