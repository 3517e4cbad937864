/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/scope.h - a machine that is explored, and what its CPUs may do.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CPUS	   3u
#define OPERATIONS 8u

enum kind {
	DO_NOTHING,
	DO_MAP, /* frames that are free, over whatever is there */
	DO_UNMAP,
	DO_LAZY,     /* the same, and nobody is told yet */
	DO_REVOKE,   /* read-only */
	DO_GRANT,    /* everything again */
	DO_FAULT,    /* a frame is looked for; then it is mapped, if all is as it was */
	DO_ANEW,     /* everything goes, the domain begins on another root */
	DO_PROGRESS, /* sp_progress(), and is the last change settled? */
	DO_VISIT,    /* enters the guest and stays for as long as it likes */
	DO_TURN,     /* is about to enter, and does not */
	DO_FLUSH,    /* forgets, for a reason of its own */
	DO_FIND,     /* a look-up without the lock */
	DO_KILL,     /* the first emulator dies */
	DO_JOIN,     /* the second comes */
	DO_MOVE	     /* the function goes to the domain */
};

struct operation {
	enum kind kind;
	uint8_t gfn, count, domain;
};

enum unit_kind {
	UNIT_PLAIN, /* a queue of generic commands */
	UNIT_VTD,   /* drivers/vtd/queue.c, descriptor.c */
	UNIT_AMDVI  /* drivers/amdvi/queue.c */
};

/* How a driver's queue stands when it begins. */
enum unit_queue {
	QUEUE_EMPTY,
	QUEUE_AT_END, /* the next post wraps, numbers pass 32 bits */
	QUEUE_FULL,   /* ... and what others posted leaves room for no post */
	QUEUE_WAITS   /* ... for one wait */
};

struct scope {
	const char *name;
	uint8_t cpus, units;
	enum unit_kind unit;
	enum unit_queue queue;
	bool atc;		 /* the first unit's device has a cache of its own */
	uint8_t emulators;	 /* they map the guest's memory */
	uint8_t domains;	 /* 0: one */
	bool separate;		 /* units walk a table of their own */
	bool caching;		 /* ... and remember what is absent */
	bool small;		 /* no large pages */
	bool moves;		 /* the unit's device goes from domain to domain */
	bool npt;		 /* tags of CPUs are ASIDs; else roots */
	bool used;		 /* what CPUs' tags stood for before sleeps in them */
	uint8_t levels;		 /* 0: three */
	uint8_t budget;		 /* tables; 0: enough */
	uint8_t queue_room;	 /* descriptors of a plain unit; 0: enough */
	uint8_t each;		 /* operations of each CPU */
	bool in_order;		 /* each once, as they are listed */
	bool soak;		 /* too large for make check */
	struct operation has[4]; /* mapped before */
	struct operation may[CPUS][OPERATIONS]; /* what each CPU chooses from */
};

extern const struct scope scopes[];
extern const uint32_t scope_count;
const char *operation_text(struct operation operation);
