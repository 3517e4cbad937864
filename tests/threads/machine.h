/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/machine.h - a machine of threads: each CPU is one, each unit is one.
 *
 *   worker threads      the embedder's CPUs: they change maps, wait, make progress
 *   CPU threads         enter and leave guests, and touch memory through caches of their own
 *   unit threads        execute what was posted, late, and touch memory by DMA in between
 *
 * Two judges. ThreadSanitizer sees every access: memory that a guest or device reads is read
 * plainly, and plainly written when it has been forgotten, so that an access which release does not
 * come after is a race, whenever it happens. And each frame carries a tag that says whose it is and
 * where: what is reached with a wrong tag is complained of, in words.
 */
#pragma once

#include <pthread.h>

#include "iommu/unit.h"
#include "p2m/types.h"

#define MACHINE_CPUS	  12
#define MACHINE_DOMAINS	  6
#define MACHINE_FUNCTIONS 4
#define MACHINE_PAGES	  4096u
#define MACHINE_FRAMES	  32768u

#define PAGE_MFN	  0x1000u   /* of machine->page[0] */
#define FRAME_MFN	  0x100000u /* of machine->frame[0]; aligned for large pages */
#define RESERVED_MFN	  0x80000u  /* firmware's range: nobody's tags */
#define NUMBERS_MFN	  0x800000u /* from here on no memory is behind a frame's number */

#define CACHED_PAGES	  48
#define CACHED_TABLES	  12
#define UNIT_RING	  64u

/* ---- what remembers translations: one for each CPU and each unit ---- */

struct cached_page {
	uint64_t name; /* ASID or domain id; 0: free */
	uint64_t first, mfn;
	uint32_t order;
};

struct cached_table { /* the lowest table of a walk, found again without the upper ones */
	uint64_t name;
	uint64_t first;
	uint64_t mfn;
};

struct cache {
	struct cached_page page[CACHED_PAGES];
	struct cached_table table[CACHED_TABLES];
	uint64_t fills;
};

struct way {
	const struct format *format;
	uint64_t root;
	uint32_t levels;
	uint64_t name;
};

/* ---- frames of guests ---- */

struct frame {
	uint64_t tag; /* plain, see above */
	uint32_t mapped;
};

/* ---- parties ---- */

struct cpu {
	uint32_t kicked;
	struct cache cache;
};

struct fake_unit {
	struct unit unit; /* first */
	struct machine *machine;
	pthread_t thread;
	uint32_t index;
	uint64_t entry[MACHINE_FUNCTIONS]; /* root, levels and name in one word */
	struct command ring[UNIT_RING];
	uint64_t number[UNIT_RING]; /* not 0: a wait, no command */
	uint64_t tail, head;	    /* commands queued, executed */
	uint64_t completed;
	uint32_t faults;
	uint32_t dead; /* executes nothing any more, and is told to be lost */
	uint64_t cached_entry[MACHINE_FUNCTIONS];
	struct cache cache;
	uint64_t seed;
	uint64_t touched, executed;
};

struct machine {
	struct sp_host *host;
	void *arena;
	uint32_t unit_count;
	struct fake_unit *unit[2];

	pthread_mutex_t pool;
	uint64_t (*page)[512];
	uint32_t page_used[MACHINE_PAGES];
	uint32_t free_page[MACHINE_PAGES]; /* pool */
	uint32_t free_count;		   /* pool */
	uint64_t gives;			   /* pool */
	uint32_t pages_at_start;	   /* what quarantines keep */

	struct frame *frame;
	uint64_t span; /* DMA and guests go to frames below this */
	struct cpu cpu[MACHINE_CPUS];
	uint32_t config[MACHINE_FUNCTIONS][16];
	uint32_t owner[MACHINE_FUNCTIONS]; /* number of the domain that may be reached; 0: none */

	uint32_t stop;	/* for workers and CPUs */
	uint32_t power; /* units run while it is on */
	uint32_t lost;
	uint32_t squats;      /* by attach_test.c: memory lay where a range goes */
	uint32_t slow_takes;  /* other CPUs come in between whenever a page is taken */
	uint64_t most_stores; /* under a domain's lock, one hold */

	pthread_mutex_t mouth;
	uint32_t complaints; /* mouth */
	char complaint[200]; /* mouth; the first */
};

/* What a thread knows of itself. */
struct here {
	uint32_t cpu;
	struct sp_domain *held; /* the domain whose lock it holds */
	uint64_t stores_before;
};
extern _Thread_local struct here here;

/* units: 0, 1 or 2; the second remembers absent entries, and cannot walk a CPU's table. */
struct machine *machine_make(uint32_t units, uint64_t span);
/* Every domain is destroyed before. Asserts that all pages are back and nobody complained. */
void machine_free(struct machine *machine);
/* The same for a machine that cannot be cleared up: a unit was lost. */
void machine_abandon(struct machine *machine);
void machine_complain(struct machine *machine, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

struct sp_domain *machine_domain(struct machine *machine, uint32_t number, enum sp_tables tables);
/* Waits at the gate, where the domain has an emulator. */
void machine_enter(struct machine *machine, struct sp_domain *domain, struct sp_entry *entry);
/* Until it is gone. */
void machine_destroy(struct machine *machine, struct sp_domain *domain);

/* ---- device.c: functions take turns, even ones behind unit 0, odd ones behind unit 1 ---- */

sp_sbdf_t machine_function(uint32_t index);
/* The last function has a range of firmware's at RESERVED_MFN. */
#define RESERVED_FUNCTION (MACHINE_FUNCTIONS - 1)
#define RESERVED_FRAMES	  4
enum sp_status machine_assign(struct machine *machine, struct sp_domain *domain, uint32_t function);
/* On return nothing of the domain is reached through the function. */
void machine_release(struct machine *machine, struct sp_domain *domain, uint32_t function);
/* Nobody changes the domain meanwhile: every map says of every frame what the CPU's says. */
void machine_check_maps(struct machine *machine, struct sp_domain *domain);

/* ---- threads ---- */

struct worker {
	void (*run)(struct worker *worker);
	struct machine *machine;
	struct sp_domain *domain;
	uint64_t first, mfn; /* its range of the guest, its frames of the machine */
	uint64_t count;
	bool overlaps; /* others change the same range */
	uint32_t function;
	uint64_t seed;
	uint32_t index;
	uint64_t rounds;
	pthread_t thread;
};

/*
 * Runs them side by side for so long, one CPU number each, and prints how many rounds each made.
 * Asserts that nobody complained.
 */
void machine_run(struct machine *machine, struct worker *workers, uint32_t count,
		 uint32_t milliseconds);
/* One of them by hand; it runs until the machine stops. */
bool worker_begin(struct machine *machine, struct worker *worker, uint32_t cpu);
void machine_sleep(uint32_t milliseconds);
bool machine_has_complaints(struct machine *machine);
bool machine_goes_on(const struct machine *machine);
/* Each makes one round, however busy this computer is. */
bool worker_goes_on(const struct worker *worker);
uint64_t random_below(uint64_t *seed, uint64_t limit);

/* ---- walk.c ---- */

/* Touches one frame as this party would; false: no translation. */
bool walk_touch(struct machine *machine, struct cache *cache, const struct way *way, uint64_t frame,
		uint32_t *domain);
void cache_forget_name(struct cache *cache, uint64_t name);
void cache_forget_span(struct cache *cache, uint64_t name, uint64_t first, uint32_t order,
		       bool links);

/* ---- unit.c ---- */
struct fake_unit *unit_make(struct machine *machine, uint32_t index);
void unit_power(struct fake_unit *unit);
void unit_join(struct fake_unit *unit);

/* ---- guest.c: what workers do ---- */

/* Gives the frames to the domain; only free ones. */
void frames_begin(struct machine *machine, const struct sp_domain *domain, uint64_t gfn,
		  uint64_t mfn, uint64_t count);
bool frames_are_free(const struct machine *machine, uint64_t mfn, uint64_t count);
/* Waits until they have come back. */
void frames_await(struct machine *machine, uint64_t mfn, uint64_t count);
struct sp_ticket guest_map(struct machine *machine, struct sp_domain *domain, uint64_t gfn,
			   uint64_t mfn, uint64_t count);
struct sp_ticket guest_unmap(struct machine *machine, struct sp_domain *domain, uint64_t gfn,
			     uint64_t count);
void guest_wait(struct machine *machine, struct sp_ticket ticket);
/* Everything of the worker's goes; its frames are free afterwards. */
void worker_clear(struct worker *worker);

/* Workers' lives: each runs until the machine stops. */
void life_of_changes(struct worker *worker);
void life_of_looks(struct worker *worker);
void life_in_guest(struct worker *worker);
void life_of_progress(struct worker *worker);
