/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/explore.h - every schedule of a small machine on which the core's own code runs.
 *
 *   world, one mapping at one place; a copy of it is a state
 *   +---------+----------------------------+------------------+-----------------+
 *   | machine | frames (tables, 64 bytes)  | the host's arena | parties' stacks |
 *   +---------+----------------------------+------------------+-----------------+
 *
 *   state --choice--> state': a party goes on to what others can see, a store leaves its CPU's buffer,
 *                     a unit executes a command, an emulator begins to answer
 *
 * A second opinion like the model: it has its own walker for the toy format and includes of the core's
 * tables only where the state is judged at rest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sync/domain.h"

#define CPUS	      3u
#define EMULATOR      CPUS /* the party that answers for it */
#define PARTIES	      (CPUS + 1)
#define UNITS	      2u
#define TABLES	      32u
#define GUEST_FRAMES  12u
#define FRAME_STRIDE  64u
#define TABLE_MFN     0x100u
#define GUEST_MFN     0x200u
#define TRAP_MFN      0x300u
#define CACHED_MOST   40u
#define BUFFERED_MOST 6u
#define QUEUE_MOST    24u
#define STACK_BYTES   32768u
#define CHOICES_MOST  64u
#define OPERATIONS    8u

/* --- scopes -------------------------------------------------------------------------------------- */

enum kind {
	DO_NOTHING,
	DO_MAP, /* frames that are free, over whatever is there */
	DO_UNMAP,
	DO_REVOKE,   /* read-only */
	DO_GRANT,    /* everything again */
	DO_PROGRESS, /* sp_progress(), and is the last change settled? */
	DO_VISIT,    /* enters the guest and stays for as long as it likes */
	DO_TURN,     /* is about to enter, and does not */
	DO_FIND	     /* a look-up without the lock */
};

struct operation {
	enum kind kind;
	uint8_t gfn, count;
};

struct scope {
	const char *name;
	uint8_t cpus, units;
	bool atc;				/* the first unit's device has a cache of its own */
	bool emulator;				/* one maps the guest's memory */
	bool separate;				/* units walk a table of their own */
	bool caching;				/* ... and remember what is absent */
	bool small;				/* no large pages */
	uint8_t levels;				/* 0: three */
	uint8_t queue_room;			/* descriptors; 0: enough */
	uint8_t each;				/* operations of each CPU */
	bool soak;				/* too large for make check */
	struct operation has[4];		/* mapped before */
	struct operation may[CPUS][OPERATIONS]; /* what each CPU chooses from */
};

extern const struct scope scopes[];
extern const uint32_t scope_count;
const char *operation_text(struct operation operation);

/* --- the machine --------------------------------------------------------------------------------- */

enum entry_kind {
	ENTRY_LEAF,
	ENTRY_LINK,
	ENTRY_ABSENT
};

/* What a cache remembers. */
struct entry {
	uint8_t kind, level, rights;
	uint8_t condemned; /* asleep on a CPU when its frame was released */
	uint32_t first;	   /* frame */
	uint32_t mfn;
};

/* In one order, whichever came first: equal caches are equal bytes. */
struct cache {
	uint32_t count;
	struct entry entry[CACHED_MOST];
};

struct cpu {
	uint32_t in_guest, kicked;
	uint64_t root; /* mfn */
	struct cache cache;
};

struct queued {
	uint64_t wait; /* a wait of this number; 0: the command */
	struct command command;
};

struct explored_unit {
	struct observer observer; /* first: cast back */
	uint32_t count, map, caching, has_atc;
	uint64_t asked, reached;
	struct queued queue[QUEUE_MOST];
	struct cache cache, atc;
};

struct emulator {
	struct sp_observer *observer;
	uint32_t owes;
	struct sp_forget asked;
	struct cache cache;
};

/* A store that only its party sees yet. */
struct buffered {
	uint64_t at, old;
	uint32_t bytes, party;
};

enum wait {
	WAIT_NONE,
	WAIT_DRAIN, /* until its buffer is empty */
	WAIT_ROOM,
	WAIT_VALUE, /* until memory says something else */
	WAIT_GUEST  /* it is in the guest, for as long as it likes */
};

struct party {
	uint64_t sp;
	uint32_t runs, left;
	struct operation operation;
	uint32_t wait, bytes;
	uint64_t at, value;  /* what was loaded last, where it waits for another value */
	uint64_t about;	     /* what it loads next, for who reads a schedule */
	uint64_t lock, turn; /* the lock it drew a number of; the number */
	uint32_t holds;
	uint64_t ticket;
};

enum frame_use {
	FRAME_FREE,
	FRAME_USED
};

struct machine {
	struct sp_host *host;
	struct sp_domain *domain;
	uint32_t units, cpus, emulators, room, levels;
	struct party party[PARTIES];
	struct cpu cpu[CPUS];
	struct explored_unit unit[UNITS];
	struct emulator emulator;
	uint32_t buffered_count;
	struct buffered buffered[PARTIES * BUFFERED_MOST];
	uint8_t table[TABLES], guest[GUEST_FRAMES]; /* enum frame_use */
	_Alignas(64) uint8_t bytes[TABLES][FRAME_STRIDE];
};

extern struct machine *machine;

/* machine.c */
bool machine_make(const struct scope *scope, enum sp_mutant mutant);
void machine_map(struct operation operation);
void machine_settle(void);
const char *machine_name(uint64_t at, char *text, size_t bytes);
bool is_table(uint64_t at);
void frame_return(uint64_t mfn, uint64_t count);
uint64_t frame_choose(uint64_t count);

/* cache.c: who walks, what is remembered, and what must not be */
void caches_look(void);
void unit_execute(uint32_t unit);
void cpu_enter(uint32_t cpu, const struct sp_entry *entry);
void caches_check_release(uint64_t mfn, uint64_t count, bool is_table, const char *how);
void caches_check_settled(const char *when);
bool emulator_lags(void);
void emulator_forget(void);
uint64_t tables_count(void);

/* schedule.c */
#define NOBODY UINT32_MAX
extern uint32_t current; /* the party that runs; NOBODY: the explorer itself, in one go */
void schedule_reset(const struct scope *scope);
uint32_t schedule_list(uint8_t choices[CHOICES_MOST]);
void schedule_take(uint8_t choice);
void choice_text(uint8_t choice, char *text, size_t bytes);
void party_pause(enum wait wait);
uint64_t buffer_hide(const void *at, uint64_t value, uint32_t viewer);
bool buffer_has(uint32_t party);
void buffer_drain_all(void);
void buffer_wait(void);

/* party.c: what the parties do */
void party_run(uint32_t number);
bool is_changing(void);
/* All have done what they may, or are in the guest. */
bool party_all_rest(void);
/* Everybody answers, and nobody does anything new. */
void party_finish(void);

/* state.c */
void *world_make(size_t arena_bytes, void **arena);
void world_reset(void);
uint64_t world_hash(void);
struct snapshot;
struct snapshot *snapshot_take(void);
void snapshot_restore(const struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);
uint8_t *world_stack_end(uint32_t party);

struct seen {
	uint64_t *hash;
	uint64_t room, count;
};
bool seen_add(struct seen *seen, uint64_t hash); /* false: it was there */
void seen_free(struct seen *seen);

/* search.c */
struct outcome {
	uint64_t states, steps, ends;
	bool exhausted;
	uint32_t depth, length;
	char violation[200];
	uint8_t path[2000];
};
void violate(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool is_violated(void);
/* At most so many states, and so many seconds; 0: no end. */
void search(const struct scope *scope, enum sp_mutant mutant, uint64_t states, uint32_t seconds,
	    struct outcome *outcome);
void search_replay(const struct scope *scope, enum sp_mutant mutant, const char *path);
void path_text(const struct outcome *outcome, char *text, size_t bytes);
