/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/domain.h - what shares one set of translations: its maps, who watches them, what is owed,
 * what waits.
 *
 *   domain --- maps[0]  the CPU's table (or, in a domain for devices alone, the device's)
 *          |   maps[n]  a unit's own table, where it cannot walk the CPU's
 *          |
 *          +-- watches[0]  the CPUs ----+
 *          |   watches[n]  a unit ------+-- ledger: gathering -> posted -> paid
 *          |   watches[n]  an emulator -+
 *          |
 *          +-- gate: CPUs stay out while an emulator owes
 *          |
 *          +-- limbo: | frames, tables, names | each with the ledger's number | oldest first
 *
 * A change notes its debt with every watch of the map it changed and takes the ledger's next
 * number. A number is settled when no watch has unpaid debt of that number or an earlier one; so a
 * change that owes nothing still waits for what was owed before it. Debt of a lazy change gathers until
 * somebody wants it paid (docs/lazy.md).
 */
#pragma once

#include <sallyport/pv.h>
#include <sallyport/server.h>

#include "pagetable/direct.h"
#include "pagetable/engine.h"
#include "sync/clock.h"
#include "sync/observer.h"

#define DEBT_RANGES	 4 /* then the whole domain (note n3 of section 7) */
#define DEBT_ENTRIES	 4 /* then every entry */
#define WATCH_ATCS	 4 /* functions with ATS, a watch */
#define MAX_WATCHES	 (2 + MAX_UNITS + SP_MAX_OBSERVERS) /* the CPUs, units, emulators, roots */
#define DOMAIN_RESERVED	 16				    /* ranges of assigned functions */
#define DOMAIN_CLAIMS	 4 /* ranges built beside the trees at a time */
#define QUARANTINE_LIMBO 64u

struct debt_range {
	struct span span;
	bool links; /* a link changed somewhere in it */
};

struct debt {
	bool owed;  /* anything at all */
	bool whole; /* every translation */
	bool every_entry;
	uint8_t range_count, entry_count;
	uint16_t entry[DEBT_ENTRIES]; /* requester ids */
	struct debt_range range[DEBT_RANGES];
	/* of the watch's functions with ATS */
	bool atc_whole;
	uint8_t atc_range_count, atc_all_count;
	struct debt_range atc_range[DEBT_RANGES];
	struct atc atc_all[WATCH_ATCS]; /* whose entry changed: every address */
};

struct map {
	struct tree tree;
	bool filling; /* a late map: p2m's content is still on its way */
};

struct watch {
	struct observer *observer; /* NULL: free */
	struct map *map;
	uint32_t kinds; /* of change that owe anything: bit n, kind n */
	uint16_t name;	/* the domain id that this unit puts on it */
	uint16_t users; /* requester ids attached; gone at 0 when paid */
	uint8_t atc_count;
	struct atc atc[WATCH_ATCS]; /* of those, functions with ATS */
	struct debt gathering, posted;
	uint64_t gathering_first; /* ledger number of the first debt that gathers */
	uint64_t posted_first;
	uint64_t posted_number; /* the observer's clock */
};

/* One of the embedder's (sallyport/observer.h): shadows, or an emulator. */
struct sp_observer {
	struct observer observer; /* first: an observer is cast back in external_of() */
	struct sp_domain *domain;
	struct sp_observer_config config; /* forget NULL: free */
	uint64_t asked;			  /* lock; also read by whoever answers */
	uint64_t reached;		  /* written by whoever answers */
	struct sp_server_config server;	  /* lock; server.ring NULL: none of server.c's */
	uint64_t produced;		  /* lock; entries of the ring ever written */
	uint64_t heard;			  /* lock; the acknowledgement that was read last */
	bool was_distrusted;		  /* lock; and logged */
};

/* Its own cache line: the owner CPU writes, others read. */
struct cpu_state {
	_Alignas(64) uint64_t in_guest;
	uint64_t reached;
	uint64_t reading; /* epoch in which it began to walk the CPU's map; 0: it does not */
	uint64_t gate;	  /* the owner CPU alone; of its last change that emulators must hear of */
	uint64_t root;	  /* the owner CPU alone: on which it entered last */
	bool flush_owed;  /* the owner CPU alone; with SP_CPU_PV a copy of the root */
	/* SP_CPU_PV, sync/linear.c */
	uint32_t dirty;	      /* may remember something of the guest's tables */
	uint64_t loaded;      /* its root; 0: none */
	uint64_t flush_asked; /* number that it must reach before the linear map is used ... */
	uint64_t flushed;     /* ... and has reached */
	uint64_t root_asked;  /* `reached` must reach it before it runs the guest */
};

/* A line of its own, which who enters only reads; the lock is held where it is written. */
struct gate {
	_Alignas(64)
		uint64_t closed; /* ledger number of the last change that emulators must hear of */
	uint64_t opened;	 /* all have answered up to this one */
};

struct limbo_entry {
	struct let_go gone;
	uint64_t number; /* ledger */
	uint64_t epoch;	 /* walkers that began up to here may be in it */
	uint8_t map;	 /* index in domain->maps */
	bool dropped;	 /* references_drop() was called for it */
};

struct limbo {
	struct limbo_entry *entry; /* ring */
	uint32_t size;
	uint32_t head, count;
	struct dismantle place; /* of the head, when it is a subtree */
};

/* A range in which somebody builds tables beside the trees. */
struct claim {
	struct span span;
	uint64_t number; /* of the ledger, not settled while the claim stands; 0: none */
};

/* X7: what is not done in these frames before the number is settled. */
struct pause {
	struct span span;
	uint64_t number;
};

struct sp_domain {
	struct sp_host *host;
	struct lock lock;
	uint32_t number;
	enum {
		DOMAIN_FREE,
		DOMAIN_LIVE,
		DOMAIN_DYING
	} state;
	bool quarantine;
	uint32_t life;	       /* lock; how many domains have used this slot */
	bool allow_unremapped; /* of struct sp_domain_config */
	bool allow_physical;   /* the same */
	uint16_t asid;
	uint8_t shared; /* enum sp_tables */
	enum sp_cpu_format cpu;
	uint32_t node;
	uint32_t table_budget, tables_used; /* lock; pages linked, in reserve and in limbo */

	struct map maps[1 + MAX_UNITS];	   /* lock */
	uint32_t mapped;		   /* lock; bit n: maps[n] is one of the domain's */
	uint64_t maps_added;		   /* lock; how often a map came into the list */
	struct watch watches[MAX_WATCHES]; /* lock */
	uint32_t watching;		   /* lock; bit n: watches[n] has an observer */
	uint64_t ledger;		   /* lock; number of the last change that owed */
	/*
	 * lock, read without; one more with every root, over all lives of this slot: what was sampled
	 * before is never right again
	 */
	uint64_t generation;
	uint64_t wanted; /* lock; debt that began up to this number is told, later debt gathers */
	bool lazy;	 /* lock; of the change under way: what it owes is not wanted yet */
	bool counts;	 /* lock; ... what it lets go is counted now */
	struct limbo limbo;  /* lock */
	struct let_go *gone; /* lock; scratch of one change */
	uint32_t gone_max;
	struct reserve reserve;		    /* lock */
	struct claim claims[DOMAIN_CLAIMS]; /* lock; changes of others there wait */
	uint32_t claimed;		    /* lock; how many of them stand */
	struct pause split; /* lock; large pages that were split: no piece changes before */
	struct pause punch; /* lock; that lost a piece: no other piece gets another right or frame */
	struct pause large;    /* lock; that changed or went: no small page comes */
	struct span merge;     /* lock; frames whose tables may have become one run */
	uint64_t merge_at;     /* lock; how far the look has come */
	uint32_t merge_level;  /* lock; of the links looked at */
	uint64_t merge_number; /* lock; not before this is settled */

	struct span reserved[DOMAIN_RESERVED]; /* lock; firmware's ranges of assigned functions, gfn
						  == mfn */
	uint32_t reserved_count;
	struct span reserving; /* lock; comes into the list, or goes: changes of others wait */

	/*
	 * p2m/: what frames with these rights were mapped as. NULL: nobody is told of frames
	 * (quarantine)
	 */
	enum sp_type (*type_of)(uint32_t rights, enum memory_type memory);

	struct observer cpus;
	struct sp_observer shadows; /* SP_CPU_SHADOW */
	uint64_t shadows_gone;	    /* lock; number up to which CPUs were asked ... */
	uint64_t shadows_asked;	    /* lock; ... to reach this one */
	struct sp_observer emulators[SP_MAX_OBSERVERS]; /* lock */
	struct gate gate;
	uint64_t gate_owed;		/* lock; what gate.closed is to be */
	bool relaxed;			/* SP_GATE_ISSUER */
	uint32_t batches;		/* lock; of sp_batch_begin(), that have not ended */
	struct sp_pv_config direct;	/* SP_CPU_PV */
	struct pv *pv;			/* p2m/pv.h; NULL: the guest has no tables of its own */
	struct observer roots;		/* of the guest, as each CPU has copied them */
	uint64_t roots_asked;		/* lock */
	bool links_gather, links_asked; /* lock; of the linear map's debt: links too */
	uint64_t asked;			/* number that CPUs must reach before they run the guest */
	uint64_t clock;			/* lock; of the CPUs: ticks before each flush (clock.h) */
	uint64_t stamp; /* lock; of their debt: what the clock said when the slots were stored */
	uint64_t epoch; /* one more whenever something was let go */
	struct cpu_state *cpu_states; /* limits.cpus; NULL for SP_CPU_NONE */
	struct sp_cpu_set kick;	      /* lock; CPUs to kick when the lock is dropped */
	bool kick_any;
};

#define CPU_WATCH	 0
#define ROOT_WATCH	 (MAX_WATCHES - 1)
#define EMULATOR_WATCHES (((1u << SP_MAX_OBSERVERS) - 1) << (1 + MAX_UNITS))

static inline bool domain_has_map(const struct sp_domain *domain, uint32_t index)
	MUST_HOLD(domain->lock)
{
	return (domain->mapped >> index & 1) != 0;
}

static inline bool watch_is_units(const struct watch *watch)
{
	return watch->observer && watch->observer->column >= COLUMN_VTD &&
	       watch->observer->column < COLUMN_ATC;
}

void domain_take(struct sp_domain *domain) TAKES(domain->lock);
/* Also sends the kicks that are due. */
void domain_drop(struct sp_domain *domain) DROPS(domain->lock);

/*
 * A free slot of host->domains, from the guests or the quarantines; SP_NO_SPACE. Live, empty, no
 * maps.
 */
enum sp_status domain_open(struct sp_host *host, bool quarantine, struct sp_domain **domain);

/* Takes a page for the root, makes maps[index]. lock: not held. */
enum sp_status domain_add_map(struct sp_domain *domain, uint32_t index, const struct format *format,
			      uint32_t levels, uint32_t leaf_levels, bool write_back);

/*
 * The domain is gone: pages back, slot free. Nothing owed, limbo empty, no watch of a unit. lock:
 * not held.
 */
void domain_close(struct sp_domain *domain);

/* change.c: the life of a change. */

/*
 * Makes the frames of the span as wished in every map of the domain, in one change; result as in
 * sallyport/p2m.h. Each map takes of the target's rights those that its walkers see. `down` where
 * something is taken away: then the CPU's map is written first, else the device's. `reserved`: on
 * behalf of passthrough/, may touch domain->reserved. `sample`: NULL, or the generation in which the
 * frames were looked for; SP_STALE where it is past. lock: not held; the platform may be asked for
 * frames.
 */
SP_MUST_USE enum sp_status domain_change(struct sp_domain *domain, struct span span,
					 const struct target *target, bool down, bool reserved,
					 const uint64_t *sample, struct sp_result *result);
/* True where the generation is past. */
bool is_past(const struct sp_domain *domain, const uint64_t *sample) MUST_HOLD(domain->lock);
/* The same, of counted frames: `gone` go, and have no reference but their own leaf's. */
SP_MUST_USE enum sp_status domain_exchange(struct sp_domain *domain, struct span span,
					   const struct target *target, const sp_mfn_t *gone,
					   struct sp_result *result);
/* One map's part of a change. */
struct wish {
	uint32_t map;
	struct target target;
};
/* The same in the maps named alone, reserved ranges too: a quarantine's, or one being filled. */
SP_MUST_USE enum sp_status domain_change_maps(struct sp_domain *domain, struct span span,
					      const struct wish *wishes, uint32_t count,
					      struct sp_result *result);
/* True where somebody builds in the span. */
bool is_claimed(const struct sp_domain *domain, struct span span) MUST_HOLD(domain->lock);
/* Lets go of everything mapped, some slots a call; true when every map is empty. */
bool domain_let_go(struct sp_domain *domain) MUST_HOLD(domain->lock);

/*
 * merge.c: turns runs of small pages into large ones where what changed there is paid; *budget tables at
 * most.
 */
void domain_merge(struct sp_domain *domain, uint32_t *budget) MUST_HOLD(domain->lock);

/*
 * root.c: the CPU's map goes on from another root, an empty one. SP_BUSY, also where a device walks any
 * map: then no ticket helps, and its domain is NULL; SP_NO_MEMORY; SP_INVALID: the domain ends. lock: not
 * held.
 */
SP_MUST_USE enum sp_status domain_begin_anew(struct sp_domain *domain, struct sp_result *result);

/* ledger.c: who owes what to whom. */

/* A unit, or an emulator, begins to watch a map, before any way is opened to it. NULL: no room. */
struct watch *ledger_add_watch(struct sp_domain *domain, struct observer *observer, struct map *map,
			       uint16_t name) MUST_HOLD(domain->lock);
/* The watch ends: no user, nothing owed. */
void ledger_remove_watch(struct sp_domain *domain, struct watch *watch) MUST_HOLD(domain->lock);
/*
 * A function of the watch may fill its own cache from now on, before its entry says so. SP_NO_SPACE.
 * It ends when its entry does not say so any more, and that was entered.
 */
enum sp_status ledger_add_atc(struct sp_domain *domain, struct watch *watch, struct atc atc)
	MUST_HOLD(domain->lock);
void ledger_remove_atc(struct sp_domain *domain, struct watch *watch, uint16_t requester)
	MUST_HOLD(domain->lock);
/* It is known to be empty: what was entered for it alone, and not yet posted, is owed no more. */
void ledger_forgive_atc(struct sp_domain *domain, struct watch *watch, uint16_t requester)
	MUST_HOLD(domain->lock);
/* True where the watch has debt that is not paid. */
bool ledger_owes(const struct watch *watch);
/* The same of debt that began at the number or before. */
bool ledger_owes_up_to(const struct sp_domain *domain, const struct watch *watch, uint64_t number)
	MUST_HOLD(domain->lock);
/* False: a change of this kind in the map owes nobody anything. */
bool ledger_cares(const struct sp_domain *domain, const struct map *map, enum change_kind kind)
	MUST_HOLD(domain->lock);
/* Enters a change's stale value; answers the number to wait for. */
uint64_t ledger_enter(struct sp_domain *domain, const struct map *map, const struct stale *stale)
	MUST_HOLD(domain->lock);
/*
 * A function's entry was replaced: whoever it led to before owes that entry and its old
 * translations.
 */
uint64_t ledger_enter_entry(struct sp_domain *domain, struct watch *watch, uint16_t requester,
			    enum change_kind kind) MUST_HOLD(domain->lock);
/* The same of an entry of a guest's own table; has_copies: some CPU has a copy of it. */
void ledger_enter_direct(struct sp_domain *domain, enum change_kind kind, bool has_copies)
	MUST_HOLD(domain->lock);
/* Somebody waits for what is owed up to the number: it is told, also where that was not wanted yet. */
void ledger_want(struct sp_domain *domain, uint64_t number) MUST_HOLD(domain->lock);
/* Of some watch more gathers than is wanted yet. */
bool ledger_gathers(const struct sp_domain *domain) MUST_HOLD(domain->lock);
/* Of this watch: it is to be told, or was. Else it gathers until somebody wants it. */
bool ledger_is_wanted(const struct sp_domain *domain, const struct watch *watch)
	MUST_HOLD(domain->lock);
/* Tells observers what gathers and is wanted, where nothing is under way; reads what they have done. */
void ledger_post(struct sp_domain *domain) MUST_HOLD(domain->lock);
/* The same, but for emulators while a batch is open. */
void ledger_post_change(struct sp_domain *domain) MUST_HOLD(domain->lock);
void ledger_collect(struct sp_domain *domain) MUST_HOLD(domain->lock);
/* SP_OK: everything up to the number is paid. SP_PENDING. SP_LOST. */
enum sp_status ledger_state(const struct sp_domain *domain, uint64_t number)
	MUST_HOLD(domain->lock);
/* The same, whatever is being built beside the trees meanwhile. */
enum sp_status ledger_paid(const struct sp_domain *domain, uint64_t number) MUST_HOLD(domain->lock);

/* invalidate.c: the one table of what each change owes to each kind of observer. */

/* Adds what a change of this kind over this span owes; false: nothing. */
bool debt_add(struct debt *debt, const struct sp_host *host, enum observer_column column,
	      enum change_kind kind, struct span span);
/* Bit n: a change of kind n owes something, whatever its span. */
uint32_t debt_kinds(const struct sp_host *host, enum observer_column column);
/* True where such a change owes all that the observer has of the domain, whatever its span. */
bool debt_is_whole(const struct sp_host *host, enum observer_column column, enum change_kind kind);
/* The requester's own entry, where the kind of change is one of entries. */
void debt_add_entry(struct debt *debt, const struct sp_host *host, enum observer_column column,
		    enum change_kind kind, uint16_t requester);
/* Every address, where the requester is one of the watch's functions with ATS. */
void debt_add_atc(struct debt *debt, const struct sp_host *host, const struct watch *watch,
		  uint16_t requester, enum change_kind kind);
/* In the order in which they must be executed; at most POST_COMMANDS. */
uint32_t debt_commands(const struct debt *debt, const struct sp_host *host,
		       const struct watch *watch, struct command commands[POST_COMMANDS]);

/* limbo.c: where frames wait. */

/* Puts what a change let go where it waits; the caller made sure of the room. */
void limbo_put(struct sp_domain *domain, uint32_t map, const struct stale *stale, uint64_t number)
	MUST_HOLD(domain->lock);
/* Hands back what is settled; *budget slots at most. */
void limbo_settle(struct sp_domain *domain, uint32_t *budget) MUST_HOLD(domain->lock);
uint32_t limbo_room(const struct sp_domain *domain) MUST_HOLD(domain->lock);

/* progress.c: what a wait does between two looks; no lock held. */
void wait_step(struct sp_host *host);

/* observer.c: the CPUs of a domain. */
static inline struct sp_domain *cpus_domain(struct observer *cpus)
{
	return (struct sp_domain *)((char *)cpus - offsetof(struct sp_domain, cpus));
}
void cpus_open(struct sp_domain *domain) MUST_HOLD(domain->lock);
/* Answers the number that who may hold what has this stamp must reach; kicks go out with the lock. */
uint64_t cpus_ask(struct sp_domain *domain, uint64_t stamp) MUST_HOLD(domain->lock);
bool cpus_have_left(const struct sp_domain *domain, uint64_t number);
/* Those in guest mode are kicked when the lock is dropped. A full barrier came before. */
void cpus_note_kicks(struct sp_domain *domain) MUST_HOLD(domain->lock);

/* gate.c: emulators first, then the guest. */

/* For the CPU of the state, behind its barrier; *number: what it waits for. Any lock, or none. */
bool gate_is_closed(const struct sp_domain *domain, const struct cpu_state *state,
		    uint64_t *number);
/* domain->gate_owed has grown. On the CPU that made the change; what it changed is stored. */
void gate_close(struct sp_domain *domain) MUST_HOLD(domain->lock);
/* An emulator has answered, or is gone. */
void gate_open(struct sp_domain *domain) MUST_HOLD(domain->lock);

/* server.c: what stands in the ring, once. */
void server_look(struct sp_observer *server);

/* external.c: observers of the embedder's. */
/* `server` NULL: it is told by config->forget() alone; else by the ring, and config is server.c's. */
enum sp_status external_add(struct sp_domain *domain, const struct sp_observer_config *config,
			    const struct sp_server_config *server, struct sp_observer **observer);
/* What of a change in the CPU's map emulators must hear of: registers are nobody's mapping. */
uint32_t emulator_kinds(const struct sp_domain *domain, const struct stale *stale);
void external_open(struct sp_domain *domain, struct sp_observer *external,
		   enum observer_column column, const struct sp_observer_config *config)
	MUST_HOLD(domain->lock);
/* No emulator watches (any more). */
bool external_are_gone(const struct sp_domain *domain) MUST_HOLD(domain->lock);
/* CPUs that run on shadows: those first. */
void shadows_open(struct sp_domain *domain, const struct sp_observer_config *config)
	MUST_HOLD(domain->lock);

/* linear.c: CPUs that run on a guest's own tables. */
static inline struct sp_domain *roots_domain(struct observer *roots)
{
	return (struct sp_domain *)((char *)roots - offsetof(struct sp_domain, roots));
}
void linear_open(struct sp_domain *domain, const struct sp_pv_config *config)
	MUST_HOLD(domain->lock);
/* An entry above the last level changed; of the root's, `table` is the root. */
void linear_enter(struct sp_domain *domain, enum change_kind kind, uint32_t level, uint64_t table)
	MUST_HOLD(domain->lock);
/* Asks the CPUs that are behind. */
void linear_send(struct sp_domain *domain) UNCHECKED;
/* Tells what gathers; true: whoever uses the linear map finds what the tables say. */
bool linear_is_paid(struct sp_domain *domain) MUST_HOLD(domain->lock);
/* Some CPU may remember something. */
bool linear_is_loaded(const struct sp_domain *domain) MUST_HOLD(domain->lock);
/* This CPU runs on the root from now on; on none of the domain's any more. */
void linear_load(struct sp_domain *domain, uint64_t root) MUST_HOLD(domain->lock);
void linear_unload(struct sp_domain *domain) MUST_HOLD(domain->lock);

/*
 * readers.c: software that walks the CPU's map without the lock. Between the two, no table that was
 * linked when it began is given back. They nest.
 */
struct reader {
	struct cpu_state *state; /* of the CPU that walks */
	uint64_t before;	 /* what it read then */
};

struct reader readers_enter(struct sp_domain *domain);
void readers_leave(const struct reader *reader);
/* Nobody walks any more who began at this epoch or before. */
bool readers_have_left(const struct sp_domain *domain, uint64_t epoch);
