/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/engine.h - one algorithm for every format: find, prepare, commit, merge, dismantle.
 *
 * prepare may refuse and has changed nothing; commit cannot fail. Between the two the caller holds
 * the tree's lock. Frames are plain numbers here: a tree does not know whether a guest or a device
 * asks.
 */
#pragma once

#include <sallyport/sync.h>

#include "pagetable/stale.h"

/* The last level's table that was changed last, and what it was given (one.c). */
struct near {
	uint64_t shape;	 /* of the tree then */
	uint64_t number; /* its frames' number, without the bits that the table translates */
	uint64_t *table; /* NULL: none yet */
	uint64_t *link;	 /* the slot that leads to it */
	uint64_t leaf;	 /* of the rights and the memory type, but for the frame; 0: none yet */
	uint32_t rights;
	enum memory_type memory;
};

struct tree {
	const struct format *format;
	const uint32_t *mutant; /* lib/mutant.h; the host's */
	void *embedder;
	sp_mfn_t root;	     /* as the next: changes under the lock, is read without (root.c) */
	uint64_t top;	     /* where the CPU reaches the root's slots */
	uint64_t frames;     /* how many it can address */
	uint8_t levels;	     /* tables on a walk; the root's slots are at level levels - 1 */
	uint8_t leaf_levels; /* bit n: leaves at level n may be used; bit 0 always */
	bool owns_frames;    /* leaves that go are let go; false for the second of two maps */
	bool write_back;     /* a walker does not snoop */
	uint64_t shape;	     /* advanced by unlink and merge: saved places in the tree are void */
	struct near near;
};

/* The pieces of a leaf are leaves too: a level is of use only where all levels below it are. */
static inline bool tree_has_leaves(const struct tree *tree, uint32_t level)
{
	uint64_t needed = BITS(level, 0) & ~1ull;

	return (tree->leaf_levels & needed) == needed;
}

/* What a range is wished to be. rights 0: absent. */
struct target {
	uint64_t mfn; /* of the range's first frame */
	uint32_t rights;
	enum memory_type memory;
	bool keep_frames; /* leaf frames stay, rights and memory change; absent slots stay absent */
	bool lazy;	  /* sync/: what is owed for it is told when somebody wants it */
};

/* What slots need, as pagetable/run.h finds it. */
enum action {
	ACTION_NONE,	/* is as wished */
	ACTION_CLEAR,	/* leaf or whole subtree goes, one store */
	ACTION_LEAF,	/* one leaf of this level */
	ACTION_DESCEND, /* the table under it */
	ACTION_BUILD,	/* absent: a table beside the tree, then one store */
	ACTION_PUNCH,	/* leaf: a table with its pieces but those that go, then one store */
	ACTION_SPLIT	/* leaf: must become a table with all its pieces first */
};

struct slot_run {
	uint64_t old;	/* what the first slot holds */
	uint64_t end;	/* the first frame behind it */
	uint32_t count; /* slots */
	enum action action;
};

/* The way down to the lowest table that spans the whole of a plan. */
struct place {
	uint64_t shape;		     /* of the tree when it was found */
	uint64_t *table[MAX_LEVELS]; /* by level of their slots, from the root's down to `level` */
	uint32_t level;
};

/* A change of one small page whose table is there and stays (one.c). */
struct one {
	uint64_t *slot;
	uint64_t *link;	   /* leads to its table */
	uint64_t old, new; /* what the slot holds, and shall hold */
	uint64_t leaf;	   /* new, but for the frame; 0: the page goes */
};

struct plan {
	uint64_t first, end; /* the range that commit will make so; end may be less than asked */
	struct target target;
	bool split_only; /* one large leaf is split, translations kept; must be paid, then asked
			    again */
	uint32_t tables; /* pages that commit takes from the reserve */
	uint32_t gone;	 /* entries it may add to stale->gone, at most */
	uint32_t slots;	 /* stores */
	/* What commit need not work out again. */
	uint64_t attributes; /* of the target's leaves */
	uint32_t leaf_top;   /* leaves that stand whole do so up to this level */
	struct place place;
	struct slot_run begins; /* the first run in the place */
};

/* Table pages that were taken before the lock. */
struct reserve {
	uint32_t count;
	sp_mfn_t page[3 * SP_STEP_TABLES + 4 * MAX_LEVELS];
};

struct found {
	uint64_t mfn;	/* of the frame asked for */
	uint64_t count; /* frames from there to the end of the leaf, or of the hole */
	uint32_t level;
	uint32_t rights; /* 0: hole */
	enum memory_type memory;
};

/* The root is cleared. The page is the caller's. */
void tree_make(struct tree *tree, const struct format *format, void *embedder, sp_mfn_t root,
	       uint32_t levels);

/*
 * Takes no lock: each slot is read once; the caller keeps tables from being reused (or holds the
 * lock).
 */
bool tree_find(const struct tree *tree, uint64_t frame, struct found *found);

/* SP_OK, SP_RANGE, SP_UNSUPPORTED. */
SP_MUST_USE enum sp_status tree_prepare(const struct tree *tree, uint64_t first, uint64_t end,
					const struct target *target, struct plan *plan);
void tree_commit(struct tree *tree, const struct plan *plan, struct reserve *reserve,
		 struct stale *stale);

/*
 * One frame. False: it is more than one store in a table that is there, or nothing, or refused;
 * tree_prepare() tells which. Nothing is changed.
 */
bool tree_prepare_one(const struct tree *tree, uint64_t frame, const struct target *target,
		      struct one *one);
/* The store; then what it made stale, and at most one entry of stale->gone. */
void tree_store_one(struct tree *tree, uint64_t frame, const struct target *target,
		    const struct one *one);
void tree_note_one(const struct tree *tree, uint64_t frame, const struct one *one,
		   struct stale *stale);
/* Nothing was there: then nothing but KIND_MAP is stale. */
static inline bool one_is_new(const struct tree *tree, const struct one *one)
{
	return !(one->old & tree->format->present);
}

/*
 * Beside the tree (beside.c). How many tables of small pages the range of a plan, up to `end`, begins
 * with where nothing is yet; `most` at most. 0 also where the table that would link them is not there.
 */
uint32_t tree_count_beside(const struct tree *tree, const struct plan *plan, uint64_t end,
			   uint32_t most);
/* The first leaf of the first of them. */
uint64_t tree_leaf_beside(const struct tree *tree, const struct plan *plan);
/* Fills a page as table number `index` of them. Needs no lock: nobody sees it. */
void tree_fill_beside(const struct tree *tree, uint64_t leaf, uint32_t index, sp_mfn_t page);
/* The table that links them is still there. */
bool tree_can_link(const struct tree *tree, uint64_t first);
/* Then one store for each; the slots must have been absent since they were counted. */
void tree_link_beside(struct tree *tree, uint64_t first, const sp_mfn_t *page, uint32_t count,
		      struct stale *stale);

/*
 * Makes the table under the slot at `level` that spans `frame` a leaf, if its slots are one run
 * with equal attributes and the level may hold leaves. One store. False: nothing changed.
 */
bool tree_merge(struct tree *tree, uint64_t frame, uint32_t level, struct stale *stale);

/* root.c: an empty table for another root, which nobody sees yet. Needs no lock. */
void tree_clear(const struct tree *tree, sp_mfn_t page);
/*
 * Everything goes at once: the tree goes on from that root, and the old one is let go with all that is
 * under it.
 */
void tree_begin_anew(struct tree *tree, sp_mfn_t root, struct stale *stale);

/*
 * Lets the whole content go with one store a root slot, for destroying. At most `slots` of them;
 * true when empty.
 */
bool tree_close(struct tree *tree, uint32_t slots, struct stale *stale);

/* Where a dismantling stands: the index reached in each table of the path, the top first. */
struct dismantle {
	uint64_t table[MAX_LEVELS];
	uint32_t index[MAX_LEVELS];
	uint32_t depth; /* tables on the path; 0: not begun, or done */
};

/* What dismantling finds: frames in runs, and tables to give back. */
struct dismantle_sink {
	void (*frames)(struct dismantle_sink *sink, uint64_t mfn, uint64_t count, uint32_t rights,
		       enum memory_type memory);
	void (*table)(struct dismantle_sink *sink, uint64_t mfn);
};

/*
 * Works on a subtree that everybody has forgotten, *budget slots at most; true when it is all gone.
 */
bool tree_dismantle(const struct tree *tree, struct dismantle *place, uint64_t mfn, uint32_t level,
		    struct dismantle_sink *sink, uint32_t *budget);
