/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_world.h - what the campaign's own files share: the machine, and what is
 * expected of it.
 *
 *   frame:   free --mapped--> mapped --displaced by a change--> waiting --platform_forgotten()--> free
 *   cell:    what one guest frame is, by the last change
 *   past:    what it was before, for as long as that change is not paid
 */
#pragma once

#include <setjmp.h>

#include "campaign.h"

#define GUESTS	     2
#define DEVICES	     2
#define CPUS	     4 /* 0 runs the library, the others guests */
#define TRANSFERS    16
#define PASTS	     8192u
#define HOME	     2048u /* frames that belong to one guest's places */
#define GIANT	     262144u
#define CELLS	     (HOME + GIANT)

#define APERTURE     0x400000u /* mfn of a GiB that is no RAM */
#define RANGE	     0x7f000u  /* device 1's own, gfn == mfn */
#define RANGE_FRAMES 2u

/* One step's own source of chance. */
struct dice {
	uint64_t state;
};

struct frame {
	enum {
		FRAME_NOT_OURS,
		FRAME_IS_FREE,
		FRAME_IS_MAPPED,
		FRAME_TOLD_EARLY, /* in the call that displaces it, which waits; not noted yet */
		FRAME_WAITS
	} use;
	bool may_go;	 /* such a call is under way */
	bool single;	 /* goes back to the machine when it is forgotten, and may become a table */
	uint8_t type;	 /* enum sp_type when it was displaced */
	uint32_t number; /* of the domain that it waits in */
};

/* A page of a device's registers. */
struct bar {
	struct frame frame;
	uint64_t mfn;
	const struct device *device;
	uint32_t number;
};

struct cell {
	uint64_t mfn;
	enum sp_type type;
};

/* A run of frames as they were before a change. */
struct past {
	uint64_t first, count;
	struct cell cell; /* of the first */
	uint64_t number;  /* of the change */
};

/* An observer that is no hardware. */
struct outsider {
	struct world *world;
	struct guest *guest;
	struct sp_observer *observer;
	uint32_t number; /* the model's */
	bool is_there;
	bool may_look;	      /* an emulator: once it is in the domain's list */
	struct sp_ring *ring; /* an emulator: told by it; NULL: by forget() */
	uint64_t consumed;    /* its entries */
};

struct guest {
	struct sp_domain *domain;
	enum {
		GUEST_IS_GONE,
		GUEST_LIVES,
		GUEST_DIES
	} state;
	uint32_t number;
	uint32_t budget; /* of table pages */
	bool tight;	 /* it may run out */
	uint64_t most;	 /* frames to map in one step */
	struct cell *cell;
	struct past past[PASTS];
	uint32_t past_count;
	struct sp_ticket last;
	uint64_t settled; /* as far as was asked */
	uint64_t waiting; /* frames */
	struct outsider shadows, emulator;
};

struct device {
	uint32_t sbdf;
	struct guest *owner; /* NULL: quarantine */
	bool is_master;
};

struct runner {
	enum {
		CPU_IS_OUT,
		CPU_IS_READY, /* sp_cpu_enter() is done, the entry is not */
		CPU_IS_IN
	} state;
	struct guest *guest;
	struct sp_entry entry;
	uint32_t kicks; /* when it became ready: a later one waits for the entry */
};

struct world {
	struct campaign_config config;
	struct campaign_outcome *outcome;
	struct model *model;
	struct sp_host *host;
	void *arena;
	struct guest guest[GUESTS];
	struct device device[DEVICES];
	struct runner cpu[CPUS];
	struct frame *frame;	/* RAM, from MODEL_RAM_BASE */
	struct frame *aperture; /* GIANT */
	struct bar bar[16];
	uint32_t bar_count;
	uint64_t home[GUESTS]; /* mfn of HOME frames */
	uint32_t transfer[TRANSFERS];
	uint32_t created; /* domains so far; their numbers */
	uint64_t tables;  /* pages in use without any guest */
	bool refused;	  /* the platform refuses frames in this step */
	char said[400];
	jmp_buf panic;
};

/* campaign_run.c */
uint64_t dice_roll(struct dice *dice, uint64_t below);
bool dice_one_in(struct dice *dice, uint64_t count);
void complain(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool has_complaint(const struct world *world);
/* What the step did, for who reads a replay. */
void say(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
char guest_letter(const struct world *world, const struct guest *guest);
const char *type_name(enum sp_type type);

/* campaign_machine.c */
bool world_make(struct world *world);
/* Everything taken back and told; complains about what is left. */
void world_end(struct world *world);
void world_free(struct world *world);
bool guest_create(struct world *world, struct guest *guest, uint32_t budget, struct dice *dice);
/* One call; true when the domain is gone. */
bool guest_destroy(struct world *world, struct guest *guest);
bool guest_has_device(const struct world *world, const struct guest *guest);
/* Until nothing is owed, and nothing waits. */
void world_settle(struct world *world);

/* campaign_frames.c */
struct frame *frame_find(struct world *world, uint64_t mfn);
void frame_enter(struct world *world, const struct guest *guest, struct cell cell);
void frame_displace(struct world *world, struct guest *guest, struct cell cell);
/* A call begins, or has ended, that may displace the frames there and wait until they are told. */
void frames_may_go(struct world *world, struct guest *guest, uint64_t gfn, uint64_t count,
		   bool may);
void frame_forgotten(struct model *model, const struct sp_forgotten *run, void *argument);
/* Frames to map at gfn: answers the first, and in *count how many of those wished are free. */
uint64_t frame_choose(struct world *world, const struct guest *guest, uint64_t gfn, uint64_t *count,
		      struct dice *dice);
/* Those whose place is there. */
uint64_t frame_own(struct world *world, const struct guest *guest, uint64_t gfn, uint64_t *count);
/* One that was chosen and then not mapped. */
void frame_return(struct world *world, uint64_t mfn);
bool frame_is_register(uint64_t mfn);
void frames_make(struct world *world);
void frames_judge_end(struct world *world);

/* campaign_expect.c */
struct place {
	uint64_t gfn, end;
};
#define PLACES 3
extern const struct place places[PLACES];
/* NULL: no place of ours, a hole for ever. */
struct cell *cell_at(const struct guest *guest, uint64_t gfn);
bool type_is_ram(enum sp_type type);
/* A change is done; frames from cell.mfn on, or those that are there. */
void expect_change(struct world *world, struct guest *guest, uint64_t gfn, uint64_t count,
		   struct cell cell, bool keep_frames, uint64_t number);
/* What the domain itself says of its tickets. */
void expect_poll(struct world *world, struct guest *guest);
void expect_settled(struct guest *guest, uint64_t number);
struct reached {
	const char *who;
	bool is_device, ok;
	uint64_t gfn, mfn;
	enum model_access access;
};
void expect_reach(struct world *world, struct guest *guest, const struct reached *reached);
void expect_find(struct world *world, struct guest *guest, uint64_t gfn);

/* campaign_change.c, campaign_device.c, campaign_cpu.c: steps */
void step_map(struct world *world, struct guest *guest, struct dice *dice);
void step_map_again(struct world *world, struct guest *guest, struct dice *dice);
void step_unmap(struct world *world, struct guest *guest, struct dice *dice);
void step_retype(struct world *world, struct guest *guest, struct dice *dice);
void step_find(struct world *world, struct guest *guest, struct dice *dice);
void step_renew(struct world *world, struct guest *guest, struct dice *dice);
void step_burst(struct world *world, struct guest *guest, struct dice *dice);
void step_forbidden(struct world *world, struct guest *guest, struct dice *dice);
void step_wait(struct world *world, struct guest *guest, struct dice *dice);
uint64_t some_gfn(struct dice *dice);
bool world_wait(struct world *world, struct guest *guest, struct sp_ticket ticket);

void step_invalidate(struct world *world, struct guest *guest, struct dice *dice);
void step_replace(struct world *world, struct guest *guest, struct dice *dice);
void step_assign(struct world *world, struct guest *guest, struct dice *dice);
void step_release(struct world *world, struct guest *guest, struct dice *dice);
void step_hand_over(struct world *world, struct guest *guest, struct dice *dice);
void step_bar(struct world *world, struct guest *guest, struct dice *dice);
void step_master(struct world *world, struct guest *guest, struct dice *dice);
void step_dma(struct world *world, struct guest *guest, struct dice *dice);
void step_dma_start(struct world *world, struct guest *guest, struct dice *dice);
void step_dma_finish(struct world *world, struct guest *guest, struct dice *dice);
void device_transfer(struct world *world, struct device *device, uint64_t gfn, bool write);
bool device_release(struct world *world, struct device *device);
/* It has an owner now: may it keep translations, may it speak. */
void device_begin(struct world *world, struct device *device, bool caches, bool on);
void device_know_bars(struct world *world, struct device *device);

/* campaign_outsider.c */
struct sp_observer_config outsider_open(struct world *world, struct outsider *outsider,
					struct guest *guest, enum model_outsider_kind kind,
					struct dice *dice);
void outsider_close(struct world *world, struct outsider *outsider);
void emulator_remove(struct world *world, struct guest *guest);
void step_emulator(struct world *world, struct guest *guest, struct dice *dice);
void step_emulate(struct world *world, struct guest *guest, struct dice *dice);

void step_enter(struct world *world, struct guest *guest, struct dice *dice);
void step_ready(struct world *world, struct guest *guest, struct dice *dice);
void step_leave(struct world *world, struct guest *guest, struct dice *dice);
void step_access(struct world *world, struct guest *guest, struct dice *dice);
void cpu_exit(struct model *model, uint32_t number, void *argument);
void cpu_leave(struct world *world, uint32_t number);
/* False: it stays out, behind the gate. */
bool cpu_enter(struct world *world, uint32_t number, struct guest *guest);
void cpu_touch(struct world *world, uint32_t number, uint64_t gfn, enum model_access access);
/* Whoever is ready enters: the library is about to wait, and a wait needs CPUs that move. */
void cpus_land(struct world *world);
