/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench.h - a guest with a device on the model, and changes that the three oracles judge.
 *
 *   bench_make()   machine, units started, one guest, its device assigned, one CPU in the guest
 *   bench_run()    old state, caches warmed, one change, then: what would an oracle say?
 *
 * R: nothing is reached after release (the model's own verdict). A: once settled, device and CPU reach
 * exactly what the maps say. E: units and CPUs were told exactly what section 7 says, by the model's
 * table.
 */
#pragma once

#include <sallyport/exchange.h>
#include <sallyport/passthrough.h>

#include "model.h"

#define BENCH_DEVICE 0x10u /* 00:02.0 */
#define BENCH_SECOND 0x18u /* 00:03.0, on the second unit where there is one */
#define BENCH_NEXT   0x08u /* from one unit's device to the next one's */
#define BENCH_GFN    0x40000u

struct bench_mode {
	const char *name;
	enum model_vendor vendor;
	enum sp_cpu_format cpu;
	enum sp_tables tables;
	bool caches_not_present;
	bool write_buffer;
	bool scalable; /* VT-d in scalable mode */
};

extern const struct bench_mode bench_modes[];
extern const uint32_t bench_mode_count;

struct bench_config {
	const struct bench_mode *mode;
	enum model_adversary adversary;
	enum model_answers answers, outsiders; /* of units; of shadows and emulators */
	bool not_coherent;
	bool two_units;
	bool ats;		      /* devices keep translations themselves */
	bool emulator;		      /* one maps the guest's memory */
	bool cpu_outside;	      /* not in guest mode when the change comes */
	bool counted;		      /* frames are: bench->frames */
	uint32_t limbo;		      /* runs of frames that may wait; 0: 4096 */
	bool idle_unit;		      /* a second unit, none of whose devices is assigned */
	uint8_t phantom;	      /* log2 of the function numbers that the first device uses */
	bool relaxed;		      /* SP_GATE_ISSUER */
	uint32_t cpus;		      /* 0: two */
	uint32_t units;		      /* 0: one, or two; each has a device, which the guest owns */
	uint64_t ram_frames;	      /* 0: 16384 */
	uint32_t command_ns, kick_ns; /* with MODEL_TIMED */
	uint32_t seed;
	struct model_unit_config unit; /* what its units are besides */
};

/* The guest's side of an observer that is no hardware. */
struct bench_outsider {
	struct bench *bench;
	struct sp_domain *domain; /* NULL: looks up nothing any more */
	struct sp_observer *observer;
	uint32_t number; /* the model's */
};

struct bench {
	struct bench_config config;
	struct bench_outsider shadows[2], emulator; /* shadows of guest, of other */
	struct model *model;
	struct sp_host *host;
	void *arena;
	struct sp_domain *guest, *other;
	const struct sp_domain *runs[8]; /* what each CPU entered last */
	uint32_t not_gated;		 /* bit n: CPU n may run on while emulators have more */
	bool alone; /* the guest's device has left: nobody asks what it reaches */
	uint32_t asids;
	struct sp_frame *frames; /* of RAM, where they are counted; else NULL */
	/* NULL, or what comes while a page is taken; what the guest's owner does with frames it gets back */
	void (*meanwhile)(struct bench *bench);
	bool flush_next; /* at its next entry CPU 1 flushes for a reason of its own */
	void (*take_back)(struct bench *bench, const struct sp_forgotten *run);
	char complaint[400];
};

struct bench *bench_make(const struct bench_config *config);
/* Device released, guests destroyed, units stopped; complains about what is left. */
void bench_free(struct bench *bench);

/* The first thing that an oracle objects to, or NULL. */
const char *bench_complaint(struct bench *bench);
void bench_complain(struct bench *bench, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What happens to one range; each begins from its own old state, at BENCH_GFN. */
enum bench_change {
	BENCH_MAP,		 /* absent -> 4K */
	BENCH_LINK,		 /* absent -> 4K, and the first of its table */
	BENCH_UNMAP,		 /* 4K -> absent */
	BENCH_GRANT,		 /* 4K ro -> rw */
	BENCH_REVOKE,		 /* 4K rw -> ro */
	BENCH_REPLACE,		 /* 4K -> another frame */
	BENCH_ATTRIBUTE,	 /* 4K, uncached -> write-back */
	BENCH_UNMAP_LARGE,	 /* 2M -> absent */
	BENCH_PUNCH,		 /* 2M -> a piece absent */
	BENCH_REVOKE_PIECE,	 /* 2M -> split, paid, a piece ro */
	BENCH_UNLINK,		 /* 512 x 4K -> absent, one store */
	BENCH_UNLINK_LAST,	 /* the only 4K of a table -> absent, and its table */
	BENCH_MERGE,		 /* the last of 512 x 4K arrives -> 2M */
	BENCH_UNMAP_HUGE,	 /* 1G -> absent */
	BENCH_PUNCH_HUGE,	 /* 1G -> a 4K piece absent: two tables, one store */
	BENCH_REVOKE_PIECE_HUGE, /* 1G -> split, paid, split again, paid, a 4K piece ro */
	BENCH_UNLINK_HUGE,	 /* a table of 2M -> absent, one store */
	BENCH_MERGE_HUGE,	 /* the last of 512 x 2M arrives -> 1G */
	/* What happens to a 4K page, to a whole one of 2M, of 1G, to each of 512 x 4K. */
	BENCH_MAP_LARGE,
	BENCH_GRANT_LARGE,
	BENCH_REVOKE_LARGE,
	BENCH_REPLACE_LARGE,
	BENCH_ATTRIBUTE_LARGE,
	BENCH_MAP_HUGE,
	BENCH_GRANT_HUGE,
	BENCH_REVOKE_HUGE,
	BENCH_REPLACE_HUGE,
	BENCH_ATTRIBUTE_HUGE,
	BENCH_GRANT_TABLE,
	BENCH_REVOKE_TABLE,
	BENCH_REPLACE_TABLE,
	BENCH_CHANGE_COUNT
};

const char *bench_change_name(enum bench_change change);
/* False: the mode's maps cannot hold it. */
bool bench_has(const struct bench_config *config, enum bench_change change);
/* NULL, or the complaint. */
const char *bench_run(struct bench *bench, enum bench_change change);

/* A warm device is released; is handed to another guest; a tag and a root are used again. */
const char *bench_run_release(struct bench *bench);
const char *bench_run_hand_over(struct bench *bench);
const char *bench_run_reuse(struct bench *bench);
/* A CPU leaves when it is kicked, comes again at once, and fills from shadows that are still there. */
const char *bench_run_fill_again(struct bench *bench);
/* A device comes to a guest that has memory. */
const char *bench_run_assign(struct bench *bench);

/* CPU 1 runs the guest, until a kick or bench_leave(); it waits at the gate. */
void bench_enter(struct bench *bench, struct sp_domain *guest);
void bench_leave(struct bench *bench, struct sp_domain *guest);
/* The same for any CPU. False: it is refused, the gate is closed. */
bool bench_try_enter(struct bench *bench, struct sp_domain *guest, uint32_t cpu);
void bench_leave_cpu(struct bench *bench, struct sp_domain *guest, uint32_t cpu);
/* All of it, and wait. */
void bench_map(struct bench *bench, struct sp_domain *guest, uint64_t gfn, uint64_t mfn,
	       uint64_t count, enum sp_type type);
struct sp_result bench_unmap(struct bench *bench, struct sp_domain *guest, uint64_t gfn,
			     uint64_t count);
/* Until there is nothing to do. */
void bench_settle(struct bench *bench);
void bench_destroy(struct bench *bench, struct sp_domain *guest);
/* With bench_config.emulator there is one from the beginning. */
void bench_add_emulator(struct bench *bench);
/* In the model: who maps the guest's memory. What comes back is for the library. */
struct sp_observer_config bench_open_outsider(struct bench *bench, struct bench_outsider *outsider,
					      enum model_outsider_kind kind);
struct sp_domain *bench_guest(struct bench *bench, uint32_t number);

/* With two units: the second's only device leaves, then the change is the first's affair alone. */
const char *bench_run_alone(struct bench *bench, enum bench_change change);
/*
 * bench_order.c, with two units and ATS: pages go, their observers answer in every order. *orders: how
 * many.
 */
const char *bench_run_orders(struct bench *bench, uint32_t *orders);

/* bench_run.c, for other scenes: devices and CPU 1, which enters, go by the first frames. */
void bench_warm(struct bench *bench, uint64_t frames);

/* bench_judge.c */

struct model_dma bench_dma(struct bench *bench, uint32_t sbdf, uint64_t gfn, bool write);
/* Oracle A for one page. */
void bench_agree(struct bench *bench, uint64_t gfn);
/* Oracle E: what every unit was told since the last reset, of a change at BENCH_GFN + at. */
void bench_compare(struct bench *bench, const char *what, enum model_change change, uint32_t order,
		   uint32_t at);
void bench_judge_merge(struct bench *bench, const char *what, uint32_t order);
/*
 * Oracle E for shadows and an emulator. `width`: the order of the old page, which is what an emulator is
 * told of, where a piece of it went.
 */
void bench_judge_outsiders(struct bench *bench, const char *what,
			   const struct model_changed *changed, uint32_t width);
/* Oracle E for the CPUs. */
bool bench_cpu_is_owed(const struct bench *bench, enum model_change change);
void bench_judge_kicks(struct bench *bench, const char *what, bool owed);
