/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/bench.h - how fast the core writes tables, beside hand-written rooflines.
 *
 *   subject    a format and a path to it        scenario   what is done, in what world, how often
 *        \                                          /
 *         +---- side: the core ----+---------------+     each round runs every side once
 *         +---- side: A, B, C, G --+              (those by each of two compilers)
 *
 * A side owns an arena for its tables and answers the same few verbs; each verb takes a list of
 * places, so that the loop over them is the side's own and nothing indirect is timed.
 */
#pragma once

#include "p2m/types.h"
#include "sync/domain.h"
#include "tests/bench/arena.h"

#define ROOFS	      4
#define ROOF_KINDS    "ABCG" /* roof.c */
#define COMPILERS     2	     /* gcc, clang: of the rooflines */
#define SUBJECT_COUNT 12
#define GIB	      (1ull << 18) /* in frames */
#define WORLD_FRAMES  (64 * GIB)
#define GUEST_MFN     (1ull << 28) /* frame 0 of what is mapped: mfn = gfn + this */

/* One format as the rooflines write it: by hand, nothing taken from the core's rows. */
struct shape {
	const char *name;
	const struct format *format; /* the core's */
	uint64_t link[4];	     /* by level of the slot that holds it; [0] unused */
	uint64_t leaf;
};

/*
 * What is measured: a tree alone (engine), or a domain (p2m) with one map or, for a unit's own
 * format, two.
 */
struct subject {
	const char *name;
	bool whole_path;
	const struct shape *shape[2];
	uint32_t maps;
	enum sp_cpu_format cpu;
	enum sp_tables tables;
	bool held; /* its counts are held by make check */
};

extern const struct subject subjects[SUBJECT_COUNT];

struct places {
	const uint64_t *first; /* guest frames, one a call */
	uint32_t calls;
	uint64_t count; /* frames a call */
};

struct side;

struct side_ops {
	void (*open)(struct side *side);  /* from nothing to an empty map */
	void (*close)(struct side *side); /* all tables back in the arena */
	void (*map)(struct side *side, const struct places *places);
	void (*unmap)(struct side *side, const struct places *places);
	void (*settle)(struct side *side); /* what unmap let go is given back */
	uint64_t (*find)(struct side *side, const struct places *places);
	uint64_t (*root)(const struct side *side, uint32_t map);
};

struct side {
	const struct side_ops *ops;
	const struct subject *subject;
	struct arena arena;
	bool write_back; /* the walker does not snoop */
};

/* Each makes a side for any subject; side_use() points it at one. */
struct side *engine_side(void);
struct side *p2m_side(void);
/*
 * One of ROOF_KINDS. roof.c is compiled twice, and the Makefile calls its one function by the
 * compiler's name.
 */
struct side *roof_side(char kind);
struct side *roof_side_gcc(char kind);
struct side *roof_side_clang(char kind);
void side_use(struct side *side, const struct subject *subject, bool write_back);

/*
 * Compares the tables of two sides, every slot of every level, but for where the tables lie. An
 * absent slot equals a table without a present slot. NULL, or where they differ; *leaves counts
 * the leaves that were compared.
 */
const char *same_tables(const struct side *a, const struct side *b, uint64_t *leaves);
/* One wrong bit must be found. */
bool same_finds_a_wrong_bit(struct side *a, struct side *b);

_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
