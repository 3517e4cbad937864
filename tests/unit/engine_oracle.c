/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_oracle.c - what a map should hold.
 */
#include "tests/unit/engine_oracle.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void oracle_copy(struct oracle *to, const struct oracle *from)
{
	to->count = from->count;
	memcpy(to->piece, from->piece, from->count * sizeof(from->piece[0]));
}

static uint32_t first_piece_after(const struct oracle *oracle, uint64_t frame)
{
	uint32_t low = 0, high = oracle->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (oracle->piece[middle].end <= frame)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct view oracle_find(const struct oracle *oracle, uint64_t frame)
{
	uint32_t at = first_piece_after(oracle, frame);
	struct view view = { 0 };

	if (at < oracle->count && oracle->piece[at].first <= frame) {
		view = oracle->piece[at].view;
		view.mfn += frame - oracle->piece[at].first;
	}
	return view;
}

uint64_t oracle_extent(const struct oracle *oracle, uint64_t frame)
{
	const struct piece *next = &oracle->piece[first_piece_after(oracle, frame)];

	if (next == &oracle->piece[oracle->count])
		return UINT64_MAX - frame;
	return (next->first > frame ? next->first : next->end) - frame;
}

static bool continues_piece(const struct piece *last, const struct piece *next)
{
	return last->end == next->first &&
	       last->view.mfn + (last->end - last->first) == next->view.mfn &&
	       last->view.rights == next->view.rights && last->view.memory == next->view.memory;
}

static void append(struct oracle *oracle, struct piece piece)
{
	if (piece.first >= piece.end || !piece.view.rights)
		return;
	if (oracle->count && continues_piece(&oracle->piece[oracle->count - 1], &piece)) {
		oracle->piece[oracle->count - 1].end = piece.end;
		return;
	}
	assert_true(oracle->count < ORACLE_PIECES);
	oracle->piece[oracle->count++] = piece;
}

/* The part of a piece within [first, end). */
static struct piece clip(const struct piece *piece, uint64_t first, uint64_t end)
{
	struct piece part = *piece;

	part.first = max_u64(piece->first, first);
	part.end = min_u64(piece->end, end);
	part.view.mfn += part.first - piece->first;
	return part;
}

static void change(struct oracle *oracle, uint64_t first, uint64_t end, struct view wanted,
		   bool keep)
{
	static struct oracle old;

	oracle_copy(&old, oracle);
	oracle->count = 0;
	for (uint32_t i = 0; i < old.count; i++)
		append(oracle, clip(&old.piece[i], 0, first));
	if (!keep)
		append(oracle, (struct piece){ first, end, wanted });
	for (uint32_t i = 0; keep && i < old.count; i++) {
		struct piece part = clip(&old.piece[i], first, end);

		part.view.rights = wanted.rights;
		part.view.memory = wanted.memory;
		append(oracle, part);
	}
	for (uint32_t i = 0; i < old.count; i++)
		append(oracle, clip(&old.piece[i], end, UINT64_MAX));
}

void oracle_map(struct oracle *oracle, uint64_t first, uint64_t end, struct view wanted)
{
	change(oracle, first, end, wanted, false);
}

void oracle_keep(struct oracle *oracle, uint64_t first, uint64_t end, struct view wanted)
{
	change(oracle, first, end, wanted, true);
}

void runs_add(struct runs *runs, struct run run)
{
	assert_true(runs->count < ORACLE_PIECES);
	runs->run[runs->count++] = run;
}

static int compare_runs(const void *a, const void *b)
{
	const struct run *left = a, *right = b;

	return (left->mfn > right->mfn) - (left->mfn < right->mfn);
}

static bool continues_run(const struct run *last, const struct run *next)
{
	return last->mfn + last->count == next->mfn && last->rights == next->rights &&
	       last->memory == next->memory;
}

void runs_order(struct runs *runs)
{
	uint32_t kept = 0;

	qsort(runs->run, runs->count, sizeof(runs->run[0]), compare_runs);
	for (uint32_t i = 0; i < runs->count; i++) {
		if (kept && continues_run(&runs->run[kept - 1], &runs->run[i]))
			runs->run[kept - 1].count += runs->run[i].count;
		else
			runs->run[kept++] = runs->run[i];
	}
	runs->count = kept;
}

bool runs_are_equal(const struct runs *a, const struct runs *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (a->run[i].mfn != b->run[i].mfn || a->run[i].count != b->run[i].count ||
		    a->run[i].rights != b->run[i].rights || a->run[i].memory != b->run[i].memory)
			return false;
	return true;
}

/* Adds the frames of [first, end) of a piece that go. */
static void lose(const struct piece *piece, uint64_t first, uint64_t end, struct runs *lost)
{
	struct piece part = clip(piece, first, end);

	if (part.first < part.end)
		runs_add(lost, (struct run){ part.view.mfn, part.end - part.first, part.view.rights,
					     part.view.memory });
}

void oracle_lost(const struct oracle *before, const struct oracle *after, struct runs *lost)
{
	for (uint32_t i = 0; i < before->count; i++) {
		const struct piece *old = &before->piece[i];
		uint64_t at = old->first;

		for (uint32_t j = first_piece_after(after, at); at < old->end; j++) {
			struct piece over;

			if (j >= after->count || after->piece[j].first >= old->end)
				break;
			over = clip(&after->piece[j], old->first, old->end);
			lose(old, at, over.first, lost);
			if (over.view.mfn != old->view.mfn + (over.first - old->first))
				lose(old, over.first, over.end, lost);
			at = over.end;
		}
		lose(old, at, old->end, lost);
	}
}
