/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/stale.h - what one change made stale: handed back by the engine, judged by sync/.
 *
 * The engine never flushes and never frees. It says what kinds of change it made, for each who
 * walks, over which frames (the widest old span included), and what it let go.
 */
#pragma once

#include "pagetable/format.h"

/*
 * What a store did to a slot, as one walker sees it. docs/acceptance.md section 7, the number of
 * its row.
 */
enum change_kind {
	KIND_MAP,	/* 1 not present -> leaf */
	KIND_LINK,	/* 2 not present -> table */
	KIND_UNMAP,	/* 3 leaf -> not present */
	KIND_GRANT,	/* 4 more rights, same frame */
	KIND_REVOKE,	/* 5 fewer rights, same frame */
	KIND_REPLACE,	/* 6 another frame */
	KIND_SPLIT,	/* 7 leaf -> table, same translations */
	KIND_PUNCH,	/* 7 and 3 in one store: leaf -> table, some of it not present */
	KIND_MERGE,	/* 8 table -> leaf, same translations */
	KIND_UNLINK,	/* 9 table -> not present */
	KIND_ATTRIBUTE, /* 10 memory type */
	KIND_ROOT,	/* 11 another root, empty, in a CPU's map */
	KIND_RELEASE,	/* 13 a function's entry: guest to quarantine */
	KIND_HAND_OVER, /* 13 the same, on the way to another guest */
	KIND_ASSIGN,	/* 13 quarantine to guest */
	KIND_COUNT
};

struct span {
	uint64_t first, end; /* frames; empty where first >= end */
};

static inline bool span_is_empty(struct span span)
{
	return span.first >= span.end;
}

static inline bool spans_overlap(struct span a, struct span b)
{
	return a.first < b.end && b.first < a.end;
}

static inline struct span span_join(struct span a, struct span b)
{
	if (span_is_empty(a))
		return b;
	if (span_is_empty(b))
		return a;
	return (struct span){ min_u64(a.first, b.first), max_u64(a.end, b.end) };
}

enum let_go_kind {
	GONE_FRAMES,  /* a run of mapped frames */
	GONE_TABLE,   /* one table page; what its slots held lives on elsewhere, or was let go by
			itself */
	GONE_SUBTREE, /* a table page and everything under it, leaves included */
	GONE_RIGHTS   /* sync/: frames stay, and the right to write them went */
};

struct let_go {
	uint64_t mfn;
	uint64_t count;
	enum let_go_kind kind;
	uint8_t level;		/* of the slots in the table */
	uint8_t rights, memory; /* of GONE_FRAMES, as enum rights and enum memory_type */
};

struct stale {
	uint16_t kinds[WALKER_COUNT]; /* bit n: span[walker][n] says where; the others say nothing */
	struct span large;	      /* where large pages changed or went, or may have (X7) */
	uint32_t gone_count, gone_max;
	struct let_go *gone; /* the caller's array */
	struct span span[WALKER_COUNT][KIND_COUNT];
};

_Static_assert(KIND_COUNT <= 16, "a bit for each kind");

/* Nothing yet. Most changes are of one kind, so the spans are not cleared. */
static inline void stale_begin(struct stale *stale, struct let_go *gone, uint32_t gone_max)
{
	for (uint32_t walker = 0; walker < WALKER_COUNT; walker++)
		stale->kinds[walker] = 0;
	stale->gone = gone;
	stale->gone_max = gone_max;
	stale->gone_count = 0;
	stale->large = (struct span){ 0, 0 };
}

/* Adds what is known without a slot. */
static inline void stale_add(struct stale *stale, enum walker walker, enum change_kind kind,
			     struct span span)
{
	struct span *noted = &stale->span[walker][kind];

	*noted = stale->kinds[walker] >> kind & 1 ? span_join(*noted, span) : span;
	stale->kinds[walker] |= (uint16_t)(1u << kind);
}

/* The same for all who walk. */
static inline void stale_add_seen(struct stale *stale, const struct format *format,
				  enum change_kind kind, struct span span)
{
	if (format->rights_seen & CPU_RIGHTS)
		stale_add(stale, WALKER_CPU, kind, span);
	if (format->rights_seen & DEVICE_RIGHTS)
		stale_add(stale, WALKER_DEVICE, kind, span);
}

/* Adds what one store at `level` did to the slot that spans [first, first + 2^order). */
void stale_note(struct stale *stale, const struct format *format, uint32_t level, struct span span,
		uint64_t old_slot, uint64_t new_slot);
/* A leaf became a table of its pieces, some of them not present, in one store. */
void stale_note_punch(struct stale *stale, const struct format *format, struct span span);
void stale_let_go(struct stale *stale, struct let_go gone);
