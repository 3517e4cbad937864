/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/verify_rows.c - the rows: what a device must reach, what it must not, and the control of each.
 *
 *   canaries in every frame -> a transfer -> which frames changed?
 *
 * A row that is blocked proves nothing alone: the device may not have sent anything. Its control is the same transfer
 * without what is to block, and must arrive.
 */
#include "verify_judge.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "finding.h"

static bool map(struct verify *verify, enum verify_page page, bool writable)
{
	struct verify_ground *ground = verify->ground;

	return ground->map(ground->of, ground->address[VERIFY_OUTSIDE], page, writable);
}

static bool unmap(struct verify *verify)
{
	return verify->ground->unmap(verify->ground->of, verify->ground->address[VERIFY_OUTSIDE]);
}

/* The unmap that a row is about. */
static bool take_away(struct verify *verify)
{
	return left_out("verify-unmap") || unmap(verify);
}

/* Behind such a row nothing is mapped, whatever was left out. */
static void end_row(struct verify *verify)
{
	if (left_out("verify-unmap"))
		(void)unmap(verify);
}

static uint64_t outside(const struct verify *verify)
{
	return verify->ground->address[VERIFY_OUTSIDE];
}

/* ---- rows; each begins and ends with nothing mapped at the address ---- */

/* Whoever does not translate reaches the same frame: so this is safe, and says only that the device works. */
static void row_inside(struct verify *verify, struct verify_row *row)
{
	struct verify_ground *ground = verify->ground;
	const uint64_t address = ground->address[VERIFY_GIVEN];

	if (!ground->map(ground->of, address, VERIFY_GIVEN, true)) {
		judge_refused(verify, row);
		return;
	}
	judge_transfer(verify, row, address, judge_shoot(verify, address), BIT(VERIFY_GIVEN));
	if (!ground->unmap(ground->of, address))
		judge_refused(verify, row);
}

static void row_translated(struct verify *verify, struct verify_row *row)
{
	if (!map(verify, VERIFY_GIVEN, true)) {
		judge_refused(verify, row);
		return;
	}
	judge_transfer(verify, row, outside(verify), judge_shoot(verify, outside(verify)),
		       BIT(VERIFY_GIVEN));
	if (!unmap(verify))
		judge_refused(verify, row);
}

/* Never mapped: so this comes first, and its control behind it. */
static void row_outside(struct verify *verify, struct verify_row *row)
{
	const uint64_t address = verify->ground->address[VERIFY_GUARD];
	struct verify_ground *ground = verify->ground;

	judge_transfer(verify, row, address, judge_shoot(verify, address), 0);
	if (!ground->map(ground->of, address, VERIFY_GIVEN, true)) {
		judge_refused(verify, row);
		return;
	}
	(void)judge_control(verify, row, address);
	if (!ground->unmap(ground->of, address))
		judge_refused(verify, row);
}

/*
 * The first transfer leaves in every cache what there is to forget; the second is the control. False: the
 * row is over, and nothing is mapped.
 */
static bool warm(struct verify *verify, struct verify_row *row)
{
	if (!map(verify, VERIFY_GIVEN, true)) {
		judge_refused(verify, row);
		return false;
	}
	if (judge_control(verify, row, outside(verify)) &&
	    judge_control(verify, row, outside(verify)))
		return true;
	if (row->result != VERIFY_LEAKED)
		judge_say(row, VERIFY_UNKNOWN, "sent to 0x%llx while it is mapped, nothing arrives",
			  (unsigned long long)outside(verify));
	(void)unmap(verify);
	return false;
}

static void row_unmapped(struct verify *verify, struct verify_row *row)
{
	if (!warm(verify, row))
		return;
	if (!take_away(verify)) {
		judge_refused(verify, row);
		return;
	}
	judge_transfer(verify, row, outside(verify), judge_shoot(verify, outside(verify)), 0);
	end_row(verify);
}

/* Sets a secret there; true when the device got it. */
static bool read_secret(struct verify *verify)
{
	static struct canaries kept;
	static unsigned char got[VERIFY_PAGE_BYTES];
	struct verify_ground *ground = verify->ground;

	canaries_set(ground, &kept);
	memset(got, 0, sizeof(got));
	(void)ground->read(ground->of, outside(verify), got);
	for (unsigned int i = 0; i < VERIFY_PAGES; i++)
		if (memcmp(got, kept.page[i], ground->bytes) == 0)
			return true;
	return false;
}

static void row_read_only(struct verify *verify, struct verify_row *row)
{
	if (!warm(verify, row))
		return;
	if (!unmap(verify) || !map(verify, VERIFY_GIVEN, false)) {
		judge_refused(verify, row);
		return;
	}
	judge_transfer(verify, row, outside(verify), judge_shoot(verify, outside(verify)), 0);
	/* Else it is no wonder that nothing was written there. */
	if (row->result == VERIFY_BLOCKED && verify->ground->can_read && !read_secret(verify))
		judge_say(row, VERIFY_UNKNOWN, "not even a read at 0x%llx comes",
			  (unsigned long long)outside(verify));
	if (!unmap(verify))
		judge_refused(verify, row);
}

static void row_replaced(struct verify *verify, struct verify_row *row)
{
	if (!warm(verify, row))
		return;
	if (!unmap(verify) || !map(verify, VERIFY_OTHER, true)) {
		judge_refused(verify, row);
		return;
	}
	judge_transfer(verify, row, outside(verify), judge_shoot(verify, outside(verify)),
		       BIT(VERIFY_OTHER));
	if (row->result == VERIFY_ARRIVES)
		judge_say(
			row, VERIFY_BLOCKED,
			"sent to 0x%llx, the old frame's canary is whole, the new one was reached",
			(unsigned long long)outside(verify));
	if (!unmap(verify))
		judge_refused(verify, row);
}

static void row_read(struct verify *verify, struct verify_row *row)
{
	const unsigned long long address = outside(verify);

	if (!verify->ground->can_read) {
		judge_say(row, VERIFY_UNOBSERVABLE,
			  "this engine would have to write to its medium to show what it read");
		return;
	}
	if (!map(verify, VERIFY_GIVEN, true)) {
		judge_refused(verify, row);
		return;
	}
	row->control = read_secret(verify) ? VERIFY_CONTROL_ARRIVED : VERIFY_CONTROL_LACKS;
	if (!take_away(verify)) {
		judge_refused(verify, row);
		return;
	}
	if (read_secret(verify))
		judge_say(row, VERIFY_LEAKED, "read at 0x%llx, it got what stands in a frame",
			  address);
	else
		judge_say(row, VERIFY_BLOCKED,
			  "read at 0x%llx, it got nothing of what stands there", address);
	end_row(verify);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* A transfer may have been over when what is to block it came: what it changed of the frame that was mapped is no leak. */
static bool was_in_time(const struct verify *verify, struct verify_row *row, uint64_t began)
{
	if (now() - began < verify->ground->slow)
		return true;
	judge_say(row, VERIFY_UNOBSERVABLE,
		  "this machine was too slow to be there before it ended");
	return false;
}

/* Whether what changed tells of the unit: no lateness excuses a frame that was not mapped. */
static bool is_evidence(unsigned int pages, bool in_time)
{
	return in_time || pages & ~BIT(VERIFY_GIVEN);
}

static void row_under_way(struct verify *verify, struct verify_row *row)
{
	static struct canaries kept;
	struct verify_ground *ground = verify->ground;
	struct seen seen;
	uint64_t began;
	bool taken, in_time;

	if (!ground->slow) {
		judge_say(row, VERIFY_UNOBSERVABLE,
			  "its transfers are over before an unmap can come");
		return;
	}
	if (!warm(verify, row))
		return;
	canaries_set(ground, &kept);
	began = now();
	ground->start(ground->of, outside(verify));
	taken = take_away(verify);
	in_time = was_in_time(verify, row, began);
	seen.shot = ground->finish(ground->of);
	seen.pages = canaries_changed(ground, &kept);
	if (is_evidence(seen.pages, in_time || !taken))
		judge_transfer(verify, row, outside(verify), seen, taken ? 0 : BIT(VERIFY_GIVEN));
	if (!taken)
		judge_refused(verify, row);
	end_row(verify);
}

/* VFIO switches bus mastering off when a device is closed: blocked is no word on the unit then. */
static void row_closed(struct verify *verify, struct verify_row *row)
{
	static struct canaries kept;
	struct verify_ground *ground = verify->ground;
	const uint64_t began = now();
	unsigned int pages;
	bool mapped, in_time;

	canaries_set(ground, &kept);
	mapped = ground->slow && map(verify, VERIFY_GIVEN, true);
	if (mapped)
		ground->start(ground->of, outside(verify));
	ground->close(ground->of);
	in_time = was_in_time(verify, row, began);
	ground->pause(ground->of);
	pages = canaries_changed(ground, &kept);
	if (pages && is_evidence(pages, in_time || !mapped))
		judge_say(row, VERIFY_LEAKED, "closed, it changed %s",
			  judge_page_text(verify, pages, outside(verify)));
	else if (!ground->slow)
		judge_say(row, VERIFY_UNOBSERVABLE,
			  "its transfers are over before it can be closed");
	else if (!mapped)
		judge_refused(verify, row);
	else if (in_time)
		judge_say(row, VERIFY_UNOBSERVABLE,
			  "every canary is whole, which bus mastering being off alone explains");
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	void (*play)(struct verify *verify, struct verify_row *row);
} rows[] = {
	{ "the memory that it was given", row_inside },
	{ "the same at another address", row_translated },
	{ "what was never mapped", row_outside },
	{ "what was unmapped", row_unmapped },
	{ "unmapped, and mapped to be read", row_read_only },
	{ "a frame that was replaced", row_replaced },
	{ "read: what was unmapped", row_read },
	{ "a transfer under way at the unmap", row_under_way },
};

static void play(struct verify *verify, const char *name,
		 void (*row)(struct verify *verify, struct verify_row *row))
{
	struct verify_row *of = &verify->row[verify->count++];

	*of = (struct verify_row){ .name = name, .result = VERIFY_UNKNOWN };
	row(verify, of);
	if (of->result == VERIFY_BLOCKED && of->control != VERIFY_CONTROL_ARRIVED)
		judge_say(of, VERIFY_UNKNOWN,
			  "blocked, but its control did not arrive either: it proves nothing");
}

static int compare(const void *one, const void *other)
{
	const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

/* What the kernel takes until no device can reach a page any more. */
static void measure(struct verify *verify, size_t samples)
{
	uint64_t *taken = calloc(samples, sizeof(*taken));
	size_t count = 0;

	for (; taken && count < samples && map(verify, VERIFY_GIVEN, true); count++) {
		const uint64_t began = now();

		if (!unmap(verify))
			break;
		taken[count] = now() - began;
	}
	if (count) {
		qsort(taken, count, sizeof(*taken), compare);
		verify->median = taken[count / 2];
		verify->p99 = taken[count * 99 / 100];
	}
	verify->samples = count;
	free(taken);
}

void verify_play(struct verify *verify, size_t samples)
{
	const size_t count = sizeof(rows) / sizeof(rows[0]);

	for (size_t i = 0; i < count; i++) {
		play(verify, rows[i].name, rows[i].play);
		/* Who does not do what it may, proves nothing by what it does not do; who is not translated, all. */
		if (i < 2 && verify->row[i].result != VERIFY_ARRIVES)
			break;
	}
	if (verify->count == count && !left_out("verify-unmap"))
		measure(verify, samples);
	play(verify, "the device closed in a transfer", row_closed);
}

int verify_status(const struct verify *verify)
{
	bool unknown = verify->count == 0;

	for (size_t i = 0; i < verify->count; i++) {
		if (verify->row[i].result == VERIFY_LEAKED)
			return EXIT_FINDINGS;
		unknown |= verify->row[i].result == VERIFY_UNKNOWN;
	}
	return unknown ? EXIT_UNKNOWN : EXIT_FINE;
}

const char *verify_result_text(enum verify_result result)
{
	switch (result) {
	case VERIFY_ARRIVES:
		return "arrives";
	case VERIFY_BLOCKED:
		return "contained";
	case VERIFY_LEAKED:
		return "LEAKED";
	case VERIFY_UNOBSERVABLE:
		return "unobservable";
	case VERIFY_UNKNOWN:
		break;
	}
	return "UNKNOWN";
}

const char *verify_control_text(enum verify_control control)
{
	switch (control) {
	case VERIFY_CONTROL_ARRIVED:
		return "arrived";
	case VERIFY_CONTROL_LACKS:
		return "LACKS";
	case VERIFY_NO_CONTROL:
		break;
	}
	return "-";
}
