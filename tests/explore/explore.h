/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/explore.h - every schedule of a small machine on which the core's own code runs.
 *
 *   world, at one place; a copy of what differs in it is a state
 *   +-------------------------------------+-----------------------+------------------+
 *   | machine: frames (tables, 64 bytes), | queues of drivers'    | the host's arena |
 *   | caches, registers                   | units, 64 Kbytes each |                  |
 *   +-------------------------------------+-----------------------+------------------+
 *   and the stacks of the parties
 *
 *   state --choice--> state': a party goes on to what others can see, a store leaves its CPU's buffer,
 *                     a unit executes a command, an emulator begins to answer
 *
 * A second opinion like the model: it has its own walker for the toy format, reads descriptors by itself, and
 * includes of the core's tables only where the state is judged at rest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scope.h"
#include "sync/domain.h"

#define EMULATORS     2u
#define PARTIES	      (CPUS + EMULATORS) /* an emulator's party answers for it */
#define DOMAINS	      2u
#define UNITS	      2u
#define TABLES	      32u
#define GUEST_FRAMES  12u
#define FRAME_STRIDE  64u
#define TABLE_MFN     0x100u
#define GUEST_MFN     0x200u
#define TRAP_MFN      0x300u
#define UNIT_NAME     7u     /* the first domain's id */
#define RING_MFN      0x400u /* and a completion word's frame behind it */
#define RING_FRAMES   16u
#define RING_STRIDE   ((RING_FRAMES + 1) * SP_FRAME_BYTES)
#define CACHED_MOST   40u
#define BUFFERED_MOST 6u
#define QUEUE_MOST    24u
#define STACK_BYTES   32768u
#define CHOICES_MOST  64u

/* --- the machine --------------------------------------------------------------------------------- */

enum entry_kind {
	ENTRY_LEAF,
	ENTRY_LINK,
	ENTRY_ABSENT,
	ENTRY_DEVICE /* where a device's requests lead: under which name, to which root */
};

/* What a cache remembers. */
struct entry {
	uint8_t kind, level, rights;
	uint8_t condemned; /* asleep on a CPU when its frame was released */
	uint32_t first;	   /* frame */
	uint32_t mfn;
	uint32_t tag; /* the name it is under: of units a domain, of CPUs a root or an ASID */
};

/* In one order, whichever came first: equal caches are equal bytes. */
struct cache {
	uint32_t count;
	struct entry entry[CACHED_MOST];
};

struct cpu {
	uint32_t in_guest, kicked;
	uint32_t domain, tag;
	uint64_t root; /* mfn */
	struct cache cache;
};

struct queued {
	uint64_t wait; /* a wait of this number; 0: the command */
	struct command command;
};

/*
 *   head            head + old                       tail
 *   | of others: old | pending; executed: bit n of done |          a driver's queue
 */
struct explored_unit {
	struct observer observer; /* a plain one's; first: cast back */
	struct observer *observed;
	enum unit_kind kind;
	uint32_t map, caching, has_atc;
	uint64_t asked, reached; /* a plain one's */
	uint32_t count;
	struct queued queue[QUEUE_MOST];
	uint64_t *ring; /* a driver's */
	uint8_t *completion;
	uint64_t lock, clock; /* where its lock and `reached` are */
	uint32_t size, head, old, tail, done;
	uint32_t moves, name; /* its device has an entry, which leads there */
	uint64_t root;	      /* mfn */
	struct cache cache, atc;
};

struct emulator {
	struct sp_observer *observer;
	uint32_t owes, dead;
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

#define HELD_MOST 2u

struct party {
	uint64_t sp;
	uint32_t runs, left;
	struct operation operation;
	uint32_t wait, bytes;
	uint64_t at, value;	  /* what was loaded last, where it waits for another value */
	uint64_t about;		  /* what it loads next, for who reads a schedule */
	uint64_t lock, turn;	  /* the lock it drew a number of; the number */
	uint64_t held[HELD_MOST]; /* locks that it has; 0: none */
	uint64_t ticket[DOMAINS];
};

enum frame_use {
	FRAME_FREE,
	FRAME_USED /* + the domain */
};

struct machine {
	struct sp_host *host;
	struct sp_domain *domain[DOMAINS];
	uint32_t domains, units, cpus, emulators, room, levels, budget;
	uint32_t making; /* the domain that is being made */
	bool fixed_roots, npt;
	uint8_t book[DOMAINS]; /* what the embedder says of who owns what: one more when all went */
	uint8_t looked[GUEST_FRAMES]; /* what it said when a fault looked for the frame */
	struct party party[PARTIES];
	struct cpu cpu[CPUS];
	struct explored_unit unit[UNITS];
	struct emulator emulator[EMULATORS];
	uint32_t buffered_count;
	struct buffered buffered[PARTIES * BUFFERED_MOST];
	uint8_t table[TABLES], guest[GUEST_FRAMES]; /* enum frame_use */
	_Alignas(64) uint8_t bytes[TABLES][FRAME_STRIDE];
};

extern struct machine *machine;

/* machine.c */
#define MACHINE_BYTES 65536u
bool machine_make(const struct scope *scope, enum sp_mutant mutant);
void machine_map(struct operation operation);
void machine_settle(void);
/* An emulator begins to watch the first domain. */
bool machine_add_emulator(uint32_t index);
uint64_t machine_root(uint32_t domain, uint32_t map);
const char *machine_name(uint64_t at, char *text, size_t bytes);

/* platform.c */
bool is_table(uint64_t at);
void forge(uint64_t frame);
void frame_return(uint64_t mfn, uint64_t count);
uint64_t frame_choose(uint64_t count, uint32_t domain);

/* unit.c: who is told, and what it has not done yet. */
bool unit_make(uint32_t index, const struct scope *scope);
/* The queue stands as the scope says. */
void unit_begin(uint32_t index, enum unit_queue queue);
/* Commands that it could execute next: bit n, the n-th in its queue; UNIT_OLD: all that others posted. */
#define UNIT_PENDING 15u
#define UNIT_OLD     15u
uint32_t unit_choices(uint32_t index);
void unit_execute(uint32_t index, uint32_t which);
bool unit_is_idle(uint32_t index);
/* Under which name its device reaches the domain; 0: it does not. */
uint32_t unit_tag(uint32_t index, uint32_t domain);
const char *unit_text(uint32_t index, uint32_t which);
/* A word of some queue; one that its unit has yet to fetch is not to be stored into. */
bool unit_has_slot(uint64_t at);
void *unit_pointer(uint64_t mfn);

/* register.c */
uint64_t unit_read(uint64_t address);
void unit_write(uint64_t address, uint64_t value);
#define REGISTERS 0xfe000000ull /* of the first unit; each has 64 Kbytes */

/* descriptor.c: what the drivers write, read by the manuals. */
enum descriptor_kind {
	DESCRIPTOR_BAD,
	DESCRIPTOR_ENTRY,
	DESCRIPTOR_UNIT,  /* translations of the unit's own */
	DESCRIPTOR_CACHE, /* a device's */
	DESCRIPTOR_WAIT
};
struct descriptor_read {
	enum descriptor_kind kind;
	bool holds;	    /* a wait behind which nothing begins before */
	bool stores;	    /* a wait that says so */
	uint64_t at, value; /* ... there */
	uint32_t bytes;
	struct command command;
};
struct descriptor_read descriptor_read(enum unit_kind kind, const uint64_t *slot);
/* May a later one be executed while an earlier one is not? */
bool descriptor_may_pass(enum unit_kind kind, const struct descriptor_read *later,
			 const struct descriptor_read *earlier);

/* cache.c: what is remembered */
struct looker {
	struct cache *cache;
	uint32_t rights; /* those that it heeds */
	const char *name;
	uint32_t number, domain, tag;
	bool absent; /* it remembers what is not there */
	bool fresh;  /* it comes from the root */
};
#define CPU_BITS    7u
#define DEVICE_BITS 24u
bool entry_is_leaf(const struct entry *entry);
uint32_t entry_end(const struct entry *entry);
void cache_remember(const struct looker *walker, struct entry entry);
/* What a command names goes, and what it does not cover stays. */
void cache_obey(struct cache *cache, const struct command *command, enum unit_kind kind);
void cache_drop_tag(struct cache *cache, uint32_t tag);
void cache_forget(struct cache *cache, const struct sp_forget *what);

/* walk.c: who looks */
/* pagetable/toy.c in other words: rights in 4:0, a large leaf by bit 7, two slots a table. */
#define IS_PRESENT(slot) ((slot)&1)
#define IS_LARGE(slot)	 ((slot) >> 7 & 1)
#define FRAME(slot)	 ((uint32_t)((slot) >> 12))
void caches_look(void);
/* Frame and rights that the tables say now; rights 0: none. */
uint32_t says_now(uint64_t root, uint32_t frame, uint32_t heeded, uint32_t *rights);
const uint64_t *table_slots(uint64_t mfn);

/* oracle.c: what must not be remembered */
void cpu_enter(uint32_t cpu, uint32_t domain, const struct sp_entry *entry);
void caches_check_release(uint64_t mfn, uint64_t count, bool is_table, const char *how);
/* Of a device that has gone to another domain nothing is left of the one before. */
void caches_check_moved(const char *when);
void caches_check_settled(uint32_t domain, const char *when);
bool emulator_lags(void);
uint64_t tables_count(uint32_t domain);

/* schedule.c: who runs, and whose stores are seen */
#define NOBODY UINT32_MAX
extern uint32_t current; /* the party that runs; NOBODY: the explorer itself, in one go */
void party_begin(uint32_t number);
void party_resume(uint32_t number);
void party_pause(enum wait wait);
bool party_can_go_on(uint32_t number);
uint64_t buffer_hide(const void *at, uint64_t value, uint32_t viewer);
bool buffer_has(uint32_t party);
void buffer_drain(uint32_t party);
void buffer_drain_all(void);
void buffer_wait(void);
/* Turns of locks that nobody has, or waits for. */
void locks_forget(void);

/* word.c, of the party that runs */
/* Nobody else may store it meanwhile. */
bool word_is_quiet(uint64_t at);
/* It has the lock under which the word is stored, if there is one. */
bool word_may_be_stored(uint64_t at);

/* choice.c: what may come next */
void choice_reset(const struct scope *scope);
uint32_t choice_list(uint8_t choices[CHOICES_MOST]);
void choice_take(uint8_t choice);
void choice_text(uint8_t choice, char *text, size_t bytes);

/* party.c: what the parties do */
void party_run(uint32_t number);
bool emulator_can_answer(uint32_t number);
void emulator_answer(uint32_t number);
/* Another party is in the midst of a change of the domain. */
bool is_changing(uint32_t domain);

/* rest.c: how everything comes to rest */
/* All have done what they may, or are in the guest. */
bool party_all_rest(void);
/* Everybody answers, and nobody does anything new. */
void party_finish(void);

/* state.c */
void *world_make(size_t bytes);
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
struct search {
	enum sp_mutant mutant;
	uint64_t states;  /* at most; 0: no end */
	uint32_t seconds; /* the same */
	uint32_t shuffle; /* in which order choices are taken; 0: as they are listed */
};
struct outcome {
	uint64_t states, steps, ends;
	bool exhausted;
	uint32_t depth, length;
	char violation[200];
	uint8_t path[2000];
};
void violate(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool is_violated(void);
void search(const struct scope *scope, const struct search *how, struct outcome *outcome);
/* True: it shows a violation. */
bool search_replay(const struct scope *scope, enum sp_mutant mutant, const char *path);
void path_text(const struct outcome *outcome, char *text, size_t bytes);
