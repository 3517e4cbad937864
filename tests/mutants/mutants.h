/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/mutants.h - does a named test notice each thing that the statements say may go wrong?
 *
 *   docs/acceptance.md --Neg--> table --mutant, test--> a child process, without and with the mutant
 *   sync/invalidate.c --cells--> weaker, stronger ----> the matrix, until an oracle objects
 */
#pragma once

#include "tests/model/bench.h"

#define LINE 512

/* Of bench_modes. */
enum trial_mode {
	AMDVI_SHARED,
	AMDVI_SEPARATE,
	AMDVI_CACHING,
	VTD_SHARED,
	VTD_SEPARATE,
	VTD_CACHING,
	SHADOW_AMDVI,
	SHADOW_VTD,
	VTD_BUFFERED,
	VTD_SCALABLE
};

/* A test, by name: what runs on a bench, and how the machine is. */
struct trial {
	const char *name;
	const char *(*run)(struct bench *bench, const struct trial *trial);
	enum bench_change change; /* of `run_change` */
	uint32_t mode;		  /* of bench_modes */
	enum model_adversary adversary;
	enum model_answers answers, outsiders;
	bool not_coherent, counted, two_units, cpu_outside, write_buffer, ats, no_reset, emulator;
	bool stays_lost; /* the unit, in the end: no goodbyes */
	bool keeps;	 /* caches keep what was used, and nobody looks: else A speaks before R */
	uint32_t cpus;	 /* 0: two */
	const char *(*serve)(struct bench *bench); /* of scene_serve: tests/model/serve.h, lazy.h */
	uint8_t phantom; /* log2 of the function numbers that the first device uses */
	const char *(*alone)(uint32_t mutant); /* instead of `run`: it makes its own machine */
};

enum oracle {
	ORACLE_R,
	ORACLE_A,
	ORACLE_E,
	ORACLE_B, /* no oracle of section 0: what must end, or be bounded, is not */
	ORACLE_C, /* ... code is neither the old nor the new */
	ORACLE_NONE
};
#define ORACLE_LETTERS "RAEBC"

/* How a child ended. */
struct ending {
	enum {
		CONTENT,  /* no oracle objects */
		OBJECTED, /* one or more do */
		BROKEN	  /* died, ran too long, or failed otherwise than by an oracle */
	} kind;
	char said[ORACLE_NONE + 1][LINE]; /* the first objection of each; of none: why it broke */
};

/* child.c: in a process of its own, within ten seconds. */
struct ending child_run(const struct trial *trial, uint32_t mutant);
/* The first of R, A, E, B, C that objects. */
enum oracle ending_oracle(const struct ending *ending);

/* trials.c, and of section 3 trials_root.c */

extern const struct trial root_trials[];
extern const uint32_t root_trial_count;

/* "matrix_test: unmap, EPT, VT-d separate, caches keep" or the name of one of trials.c; false: none. */
bool trial_find(const char *name, struct trial *trial);
/*
 * The trial number `index` of all that run in every mode; false behind the last. The first ones
 * make the kind of change.
 */
bool trial_for_kind(uint32_t kind, uint32_t mode, uint32_t index, struct trial *trial);

/* statements.c */

struct statement {
	char name[16];
	char text[1200]; /* up to its first Neg */
	char neg[700];	 /* the words of all its Negs */
	int clauses;	 /* of the Negs, as the rows quote them */
};

/* Some words of a Neg, or "+ ..." for what no Neg asks for; a cell by its name; why it is excused. */
struct row {
	char statement[16], mutant[40], test[120], oracle, words[160], why[160];
	bool is_out; /* not in scope yet, or makes no difference */
};

/* The statements of sections 1 to 6 that have a Neg; the number, or -1 with a line on stderr. */
int statements_read(const char *path, struct statement *statements, int room);
int rows_read(const char *path, struct row *rows, int room);
/*
 * Each word of its Negs must be in some row: a Neg that names three things needs three. Answers the
 * number of errors, each with a line.
 */
int statement_check(struct statement *statement, const struct row *rows, int count);
/* "UNMAP_UNPAID", by the list in lib/mutant.h; 0: no such. */
uint32_t mutant_find(const char *path, const char *name);

/* cells.c: every cell of the table, mutated as data. */
struct score {
	uint32_t killed, all;
	uint32_t by[ORACLE_NONE + 1]; /* of the killed: the oracle that is told of */
	uint32_t out;		      /* not in scope yet */
	uint32_t equal;		      /* make no difference */
};
void cells_run(struct score *score, const struct row *rows, int row_count);
