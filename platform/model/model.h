/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/model.h - a machine in a process: memory, CPUs, IOMMUs and DMA devices.
 *
 *   the core --store64()--> RAM <--walks-- units, CPUs    the test --model_dma()--> unit --> RAM
 *            --platform_mmio_write()--> unit's registers                 --model_cpu_access()
 *
 * A second opinion, written from the manuals; it includes nothing of the core but the public
 * headers. Its caches remember whatever the manuals let them, use what is stale, and look into the
 * tables between any two stores. What breaks a promise is not an error of a call: the model goes on
 * and keeps the first violation as text, model_verdict(). One process may hold many machines, and a
 * thread chooses the one that its stores belong to.
 *
 * The model implements the sixteen functions of sallyport/platform.h; their `embedder` is a struct
 * model. Numbers such as M6 or A1.9 are those of docs/acceptance.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sallyport/observer.h>

#define MODEL_MAX_UNITS	    8
#define MODEL_MAX_DEVICES   24
#define MODEL_MAX_CPUS	    8
#define MODEL_MAX_RESERVED  4
#define MODEL_MAX_WATCHED   16
#define MODEL_MAX_ATCS	    4
#define MODEL_MAX_OUTSIDERS 8
#define MODEL_MAX_FAULTS    64		   /* records of a unit */
#define MODEL_RAM_BASE	    0x100000000ull /* RAM begins here; what lies elsewhere is not RAM */
#define MODEL_DEFAULT_RAM   65536	   /* frames */

struct model;

/* --- the machine ----------------------------------------------------------------------------- */

enum model_adversary {
	MODEL_ADVERSARY_NONE,	/* caches what is used, keeps it, never looks by itself */
	MODEL_ADVERSARY_RANDOM, /* looks, evicts and chooses among stale entries, by the seed */
	MODEL_ADVERSARY_MAX	/* looks at every store, keeps everything, uses the oldest it has */
};

enum model_vendor {
	MODEL_VTD,
	MODEL_AMDVI
};

/* When a unit executes what is in its queue. */
enum model_answers {
	MODEL_AT_ONCE, /* before the store to the tail register returns */
	MODEL_LATE,    /* at platform_relax(), a command each; registers late too. With an adversary
			  units overtake each other, and AMD-Vi completions are seen later still */
	MODEL_STEPPED, /* only in model_step() */
	MODEL_TIMED,   /* each command takes command_ns; seen in platform_relax() */
	MODEL_NEVER    /* the unit is dead */
};

struct model_unit_config {
	enum model_vendor vendor;
	uint64_t base; /* of registers; 0: VT-d 0xfed90000, AMD-Vi 0xfed80000, + 0x4000 a unit */
	enum model_answers answers;
	uint32_t command_ns; /* MODEL_TIMED: from the tail register, or the command before, on */
	bool not_coherent;   /* VT-d: walks see only what was written back (M13) */
	bool caches_not_present; /* VT-d CM, AMD-Vi NpCache (M3) */
	bool all_functions;	 /* VT-d: INCLUDE_PCI_ALL instead of a scope for each device */
	bool ats; /* answers requests of functions for translations: VT-d DT, AMD-Vi IotlbSup */
	bool translating; /* firmware left translation on: an empty table of firmware's own */
	/* VT-d */
	bool write_buffer;	 /* RWBF (M13) */
	bool no_psi;		 /* no page-selective invalidation */
	bool scalable;		 /* ECAP.SMTS, SSTS; and SMPWC where walks snoop */
	bool walks_not_coherent; /* scalable mode: entries snoop (C), walks do not (no SMPWC) */
	bool left_scalable;	 /* firmware left translation on, in scalable mode */
	bool throttles;		 /* ECAP.DIT: a device's cache is told with its physical function */
	bool no_drain;		 /* CAP.DRD, DWD: an invalidation need not drain */
	uint8_t version;   /* VER's major; 0: 1. From 2 on each invalidation of the IOTLB drains */
	bool no_remapping; /* no interrupt remapping */
	uint8_t walk_levels;   /* bit n: n levels; 0: 3, 4 and 5 */
	uint8_t large_pages;   /* bit 1: 2 MiB, bit 2: 1 GiB; 0: both; 1: none */
	uint8_t max_mask;      /* MAMV; 0: 18; MODEL_NO_MASK: 0, single pages */
	uint8_t fault_records; /* NFR + 1; 0: 1 */
	uint8_t domain_bits;   /* 4 to 16; 0: 16 */
	uint64_t patience; /* nanoseconds that a device's answer is awaited before ITE; 0: none */
	bool queue_errors; /* IQE, ICE, ITE by the seed; none twice before a wait was answered */
	/* AMD-Vi */
	bool no_invalidate_all;
	uint8_t max_levels;	/* 4, 5 or 6; 0: 6 */
	uint32_t function_sbdf; /* its own PCI function; 0: 00:00.2 and up */
};

#define MODEL_NO_MASK 64u

enum model_function_kind {
	MODEL_ENDPOINT,
	MODEL_ROOT_PORT,
	MODEL_PCIE_TO_PCI, /* requests from behind carry its secondary bus, 00.0 */
	MODEL_PCI_BRIDGE   /* a conventional bridge: they carry the bridge's own id */
};

enum model_reset {
	MODEL_RESET_NONE,
	MODEL_RESET_FLR, /* PCIe capability */
	MODEL_RESET_AF	 /* Advanced Features capability */
};

struct model_device_config {
	uint32_t sbdf;
	uint32_t unit; /* which translates it; MODEL_NO_UNIT: none */
	enum model_function_kind kind;
	enum model_reset reset;
	uint8_t secondary;     /* bridges: the bus behind */
	uint8_t phantom;       /* log2 of the function numbers it uses: 0 to 3 */
	bool reset_fails;      /* the reset is ignored */
	bool ats;	       /* PCIe endpoints: can cache translations itself */
	bool unlisted;	       /* firmware's table does not name it */
	uint64_t bar_bytes[2]; /* 64-bit memory BARs 0 and 2; a power of two from 4096, or 0 */

	/* PCIe endpoints with SR-IOV; the virtual functions are devices of their own, below. */
	uint16_t vfs, vf_offset, vf_stride; /* how many it can have; 0: no SR-IOV */
	uint64_t vf_bar_bytes;		    /* of BAR 0, 64-bit; firmware gave it no address */
	uint32_t physical; /* of a virtual function: the other's sbdf; 0: it is none */
};
#define MODEL_NO_UNIT UINT32_MAX

/* A range that firmware demands a device can reach: RMRR, or IVMD with unity. */
struct model_reserved {
	uint32_t sbdf;
	uint64_t base, bytes;
	bool read_only;
};

struct model_config {
	uint64_t ram_frames; /* 0: MODEL_DEFAULT_RAM */
	uint32_t cpus;	     /* 0: 2 */
	uint32_t unit_count, device_count, reserved_count;
	struct model_unit_config unit[MODEL_MAX_UNITS];
	struct model_device_config device[MODEL_MAX_DEVICES];
	struct model_reserved reserved[MODEL_MAX_RESERVED];
	enum model_adversary adversary;
	uint64_t seed;
	bool no_store_buffers; /* else the core's stores are seen later, but with no adversary */
	uint8_t address_bits;  /* machine addresses; 0: 46 */
	uint64_t tick;	       /* nanoseconds that pass at each platform_now(); 0: 1000 */
	uint64_t relax;	       /* ... and at each platform_relax(); 0: 1000 */
	uint64_t kick_ns;      /* from a kick to the exit, seen in platform_relax() */
	/*
	 * Frames may be mapped twice, or again before the old debt is paid. Then what is remembered
	 * of a forgotten frame is a violation only where today's tables do not say the same.
	 */
	bool maps_may_repeat;
	/*
	 * Called in platform_relax() for a CPU that was kicked in guest mode: model_cpu_leave(),
	 * sp_cpu_leave().
	 */
	void (*exit_cpu)(struct model *model, uint32_t cpu, void *argument);
	void (*on_forgotten)(struct model *model, const struct sp_forgotten *run, void *argument);
	/* In platform_frames_take(), which holds no lock: another CPU may do anything meanwhile. */
	void (*on_take)(struct model *model, void *argument);
	void (*on_lost)(struct model *model, const struct sp_lost *lost, void *argument);
	void (*on_panic)(struct model *model, const char *line, void *argument); /* may longjmp */
	void *argument;
};

/* NULL where the configuration contradicts itself, with a line on stderr; or where memory lacks. */
struct model *model_create(const struct model_config *config);
void model_destroy(struct model *model);

/* The machine whose memory this thread's load64(), store64() and barriers touch; NULL for none. */
void model_make_current(struct model *model);
/* What platform_self() answers to this thread. */
void model_set_cpu(uint32_t cpu);

/* NULL while no promise was broken; else the first violation: oracle, what, who. */
const char *model_verdict(const struct model *model);
uint32_t model_violation_count(const struct model *model);
void model_forgive(struct model *model); /* for a test that expects one and goes on */

uint64_t model_random(struct model *model);
void model_advance(struct model *model, uint64_t nanoseconds);
uint64_t model_time(const struct model *model); /* nanoseconds so far; asking takes none */
/* From now on: nanoseconds that pass at each platform_relax(). */
void model_set_relax(struct model *model, uint64_t nanoseconds);
const char *model_last_log(const struct model *model); /* "" before the first line */
uint32_t model_log_count(const struct model *model, enum sp_log level);
uint32_t model_lost_count(const struct model *model);

/* --- memory ---------------------------------------------------------------------------------- */

/*
 * A frame for a guest, contents zero; 0 when RAM is full. frames: 2^order in a row, aligned. In RAM
 * only these may be mapped: a leaf to a frame that nobody was given, or to a table, is a violation.
 */
uint64_t model_guest_frame(struct model *model);
uint64_t model_guest_frames(struct model *model, uint32_t order);
/* The test takes its frame back: oracle R is applied, and the frame filled with forged entries. */
void model_guest_give(struct model *model, uint64_t mfn, uint32_t order);
/* The CPU's view of RAM. Walkers see what is written here only as the unit's coherency allows. */
void *model_frame_bytes(struct model *model, uint64_t mfn);
/* A slot written as the core would: looked at before, and written back if `written_back`. */
void model_store(struct model *model, uint64_t maddr, uint64_t value, bool written_back);
uint64_t model_load(struct model *model, uint64_t maddr);

/* The n-th call of platform_frames_take() from now on is refused; 0: none. Once. */
void model_refuse_nth_take(struct model *model, uint32_t n);
uint32_t model_takes(const struct model *model);	/* calls so far, refused ones included */
uint64_t model_table_frames(const struct model *model); /* taken and not given back */
uint64_t model_forgotten_frames(
	const struct model *model); /* told in platform_forgotten(), in all */
uint32_t model_forgotten_times(const struct model *model, uint64_t mfn);

/* --- CPUs ------------------------------------------------------------------------------------ */

enum model_format {
	MODEL_EPT,
	MODEL_NPT,
	MODEL_VTD_TABLE,
	MODEL_AMDVI_TABLE,
	MODEL_ON_SHADOWS, /* CPUs alone: `root` is the number of the shadows */
	MODEL_DIRECT	  /* the guest's own tables; only model_linear_...() */
};

enum model_access {
	MODEL_READ = 1,
	MODEL_WRITE = 2,
	MODEL_EXECUTE = 4
};

struct model_reach {
	bool ok;
	bool exited;	 /* the CPU is not in guest mode (any more): nothing was tried */
	uint8_t memory;	 /* if ok, of a CPU: its type, 0 uncached, 6 write-back (SDM 3A 12.11) */
	uint64_t mfn;	 /* if ok */
	uint32_t reason; /* else: the vendor's code; MODEL_FAULT_* where there is none */
	const char *why; /* in words */
};

/*
 * What the embedder loads before it enters; `asid` with NPT only. A CPU enters one guest at a time.
 */
void model_cpu_enter(struct model *model, uint32_t cpu, enum model_format format, uint64_t root,
		     uint32_t levels, uint32_t asid, bool flush);
void model_cpu_leave(struct model *model, uint32_t cpu);
bool model_cpu_in_guest(const struct model *model, uint32_t cpu);
struct model_reach model_cpu_access(struct model *model, uint32_t cpu, uint64_t gfn,
				    enum model_access access);
uint32_t model_cpu_kicks(const struct model *model, uint32_t cpu);
uint32_t model_cpu_flushes(const struct model *model, uint32_t cpu);
bool model_cpu_remembers(const struct model *model, uint32_t cpu,
			 uint64_t mfn); /* awake or asleep */
void model_deliver_kicks(struct model *model);

/*
 * Code that is about to be written over, 1 to 16 bytes at a guest-physical address: the CPU may execute it
 * at any moment that the adversary looks at, and what it executes must be the old code or the new, whole
 * (oracle C). count 0: no more.
 */
void model_watch_code(struct model *model, uint32_t cpu, uint64_t address, const void *old,
		      const void *new, uint32_t count);

/* --- CPUs of a hypervisor that runs on its guest's own tables (linear.c) ---------------------- */

/* The embedder's part of an interrupt from another CPU; enter and leave where it was in guest mode. */
struct model_handler {
	void (*leave)(void *argument, uint32_t cpu);
	void (*flushed)(void *argument, uint32_t cpu, uint64_t number);
	void (*enter)(void *argument, uint32_t cpu);
	void *argument;
};

/* Slots of each root that are the hypervisor's, the linear map's first. */
void model_linear_open(struct model *model, uint32_t slot, uint32_t own_slots);
/* Addresses whose L1 entries speculation tries to reach. */
void model_linear_watch(struct model *model, uint64_t address);
/* Writes CR3, mfn of the root, and copies that; 0: a table of somebody else's. */
void model_linear_load(struct model *model, uint32_t cpu, uint64_t root);
/* Drops all translations that are not global; with `links` paging-structure entries too. */
void model_linear_flush(struct model *model, uint32_t cpu, bool links);
/* The guest runs on the copy; resync: it is made again, and what was remembered of it goes. */
void model_linear_enter(struct model *model, uint32_t cpu, bool resync);
void model_linear_leave(struct model *model, uint32_t cpu);
/* Stores the L1 entry of a guest address through the linear map; a violation where it lands elsewhere. */
bool model_linear_write(struct model *model, uint32_t cpu, uint64_t address, uint64_t value);
struct model_reach model_linear_access(struct model *model, uint32_t cpu, uint64_t address,
				       enum model_access access);
/* When other CPUs answer: at once, after some platform_relax(), or in model_linear_step(). */
void model_linear_set_answers(struct model *model, enum model_answers answers);
/* Each of the CPUs flushes and says so; the one that runs at once. */
void model_linear_ask(struct model *model, const struct sp_cpu_set *cpus, uint64_t number,
		      bool links, const struct model_handler *handler);
bool model_linear_step(struct model *model, uint32_t cpu);
uint32_t model_linear_flushes(const struct model *model, uint32_t cpu);
uint32_t model_linear_resyncs(const struct model *model, uint32_t cpu);
void model_linear_reset_counts(struct model *model);
bool model_linear_remembers(const struct model *model, uint32_t cpu, uint64_t mfn);
/* Oracle A, when everything is paid. */
void model_linear_agree(struct model *model);

/* --- observers that are no hardware ---------------------------------------------------------- */

enum model_outsider_kind {
	MODEL_SHADOWS, /* of a guest's page tables; CPUs run on them */
	MODEL_EMULATOR /* of a device, which maps guest memory */
};

struct model_found {
	uint64_t mfn;
	uint8_t rights; /* enum model_access */
	uint8_t memory; /* as in struct model_reach */
	bool is_ram;	/* else registers, which no emulator maps */
};

struct model_outsider_config {
	enum model_outsider_kind kind;
	enum model_answers answers; /* to a request; MODEL_LATE: after some platform_relax() */
	/* The embedder's look-up; false for a hole, and when the domain is about to end. */
	bool (*find)(void *argument, uint64_t gfn, struct model_found *found);
	void (*reached)(void *argument, uint64_t number); /* the embedder's sp_observer_reached() */
	/*
	 * Emulators; may be NULL. Is the CPU about to run the guest that this one serves, behind the gate?
	 * Then it must not while the emulator uses a mapping that the guest has no more.
	 */
	bool (*serves)(void *argument, uint32_t cpu);
	void *argument;
};

/* Answers its number; MODEL_MAX_OUTSIDERS where there are that many. */
uint32_t model_outsider_add(struct model *model, const struct model_outsider_config *config);
/* It remembers nothing any more. */
void model_outsider_remove(struct model *model, uint32_t number);
void model_set_outsider_answers(struct model *model, uint32_t number, enum model_answers answers);
/* What the embedder's forget() was told; true when it is done at once. */
bool model_outsider_forget(struct model *model, uint32_t number, const struct sp_forget *what);
/* Forgets what it was asked and says so; false where it was asked nothing. */
bool model_outsider_step(struct model *model, uint32_t number);
struct model_reach model_outsider_access(struct model *model, uint32_t number, uint64_t gfn,
					 enum model_access access);
/* It has a mapping, or a right, that the guest has no more. */
bool model_outsider_lags(struct model *model, uint32_t number);
bool model_outsider_remembers(const struct model *model, uint32_t number, uint64_t mfn);

/* --- devices --------------------------------------------------------------------------------- */

struct model_dma {
	uint32_t done;	 /* bytes that arrived */
	bool fault;	 /* the rest was blocked */
	uint32_t reason; /* VT-d fault reason, AMD-Vi event code; 0 where bus mastering was off */
	uint64_t maddr;	 /* where the last byte went, untranslated or translated */
};

/* A transfer by the device's own hardware, page by page. Reads fill `data`, writes take from it. */
struct model_dma model_dma(struct model *model, uint32_t sbdf, uint64_t address, void *data,
			   uint32_t bytes, bool write);
/* The same with one of the function numbers that a device with phantom functions uses. */
struct model_dma model_dma_phantom(struct model *model, uint32_t sbdf, uint32_t function,
				   uint64_t address, void *data, uint32_t bytes, bool write);
/*
 * A write of one page's part that is translated now and lands in model_dma_finish(), or when a
 * command of the unit drains it (M11), whichever comes first. Answers a number; 0 if it was
 * blocked.
 */
uint32_t model_dma_start(struct model *model, uint32_t sbdf, uint64_t address, const void *data,
			 uint32_t bytes);
bool model_dma_finish(struct model *model, uint32_t transfer); /* false: was drained before */

/* Message-signalled interrupts: delivered with this vector so far, of any source. */
uint32_t model_messages(const struct model *model, uint8_t vector);
uint32_t model_messages_blocked(const struct model *model);

/* Addresses that speculation always tries, beside recent ones and those of slots being stored. */
void model_watch(struct model *model, uint64_t dfn);
/* So much time passes that everybody sees what each CPU has stored; platform_relax() does it too. */
void model_drain(struct model *model);
/* Every cache looks now, as between two stores. */
void model_look(struct model *model);
/* Stores into RAM at which the adversary looked; 0 with MODEL_ADVERSARY_NONE. */
uint64_t model_stores_seen(const struct model *model);
/*
 * Called before each load (`writes` false), store and locked operation of the core, wherever it goes;
 * NULL: no more. A test counts them there, or changes what is loaded.
 */
void model_set_hook(struct model *model,
		    void (*hook)(void *argument, const void *at, uint32_t bytes, bool writes),
		    void *argument);
/* Stores of the core into tables, whoever looks: not those into what a unit reads itself. */
uint64_t model_slot_stores(const struct model *model);

/* Configuration space without the core, and what happened to a function. */
uint32_t model_resets(const struct model *model, uint32_t sbdf);
bool model_is_master(const struct model *model, uint32_t sbdf);

/* A function's own cache: is it in use, has it a translation to the frame? */
bool model_ats_is_on(const struct model *model, uint32_t sbdf);
bool model_atc_remembers(const struct model *model, uint32_t sbdf, uint64_t mfn);
/*
 * It answers no invalidation any more. VT-d: ITE, the queue stops. AMD-Vi: the queue stands still; with
 * CtrlInvTimeout it goes on after an event, and nothing is forgotten.
 */
void model_silence_atc(struct model *model, uint32_t sbdf, bool silent);

/* Every answer comes with one that nobody asked for (VT-d: ICE); of a silent one, only that comes. */
void model_misdirect_atc(struct model *model, uint32_t sbdf, bool astray);

/* --- units ----------------------------------------------------------------------------------- */

/* What a VT-d unit may meet in its queue. VT-d 6.5.2.10, 11.4.7.1. */
enum model_queue_error {
	MODEL_ERROR_NONE,
	MODEL_ERROR_DESCRIPTOR, /* IQE: one is not understood; the queue stops at it */
	MODEL_ERROR_COMPLETION, /* ICE: an answer that nobody asked for; the queue goes on */
	MODEL_ERROR_TIMEOUT	/* ITE: a device's answer is lost; pending waits are aborted */
};
/* The next descriptor, or the next that tells a device's cache, meets the error. Once. */
void model_fail_next(struct model *model, uint32_t unit, enum model_queue_error error);

void model_set_answers(struct model *model, uint32_t unit, enum model_answers answers);
/*
 * Executes at most `count` commands of a unit that is MODEL_LATE or MODEL_STEPPED; answers how
 * many.
 */
uint32_t model_step(struct model *model, uint32_t unit, uint32_t count);
/* AMD-Vi: it goes on, but nobody sees its completions, until this is over; then all, in order. */
void model_hold_answers(struct model *model, uint32_t unit, bool hold);
uint64_t model_unit_base(const struct model *model, uint32_t unit);
bool model_unit_translating(const struct model *model, uint32_t unit);
bool model_unit_remembers(const struct model *model, uint32_t unit,
			  uint64_t mfn); /* leaf, link or entry */

enum model_command_kind {
	MODEL_CMD_WAIT,
	MODEL_CMD_ENTRY_ALL,	/* VT-d context cache, global; AMD-Vi all */
	MODEL_CMD_ENTRY_DOMAIN, /* VT-d context cache, domain-selective */
	MODEL_CMD_ENTRY,     /* VT-d context cache, device-selective; AMD-Vi device table entry */
	MODEL_CMD_PASID_ALL, /* VT-d PASID cache, global */
	MODEL_CMD_PASID_DOMAIN, /* ... domain-selective */
	MODEL_CMD_PASID,	/* ... PASID-selective; `first`: the PASID */
	MODEL_CMD_IOTLB_ALL,
	MODEL_CMD_IOTLB_DOMAIN, /* AMD-Vi: pages, every address */
	MODEL_CMD_IOTLB_PAGES,
	MODEL_CMD_ATC,
	MODEL_CMD_INTERRUPTS,
	MODEL_CMD_WRITE_BUFFER, /* VT-d GCMD.WBF */
	MODEL_CMD_FORGET, /* to an observer that is no hardware: `count` frames, or order 52 */
	MODEL_CMD_OTHER
};

/* One command that a unit executed, in the model's own notation. */
struct model_command {
	uint32_t unit;
	enum model_command_kind kind;
	uint32_t domain;    /* id, where the command names one */
	uint32_t requester; /* likewise */
	uint64_t first;	    /* dfn */
	uint32_t order;	    /* of frames; 52: every address */
	uint64_t count;	    /* MODEL_CMD_FORGET: frames */
	bool links;	    /* VT-d IH = 0, AMD-Vi PDE = 1 */
	bool drains;	    /* VT-d DR and DW; AMD-Vi waits */
	uint64_t at;	    /* model_time() when it was executed */
};

uint32_t model_command_count(const struct model *model);
/* By order of execution; the oldest are dropped after 4096, and counted on. */
struct model_command model_command(const struct model *model, uint32_t index);
void model_commands_reset(struct model *model); /* kicks and flushes too */
/* One line about a command. */
void model_command_text(const struct model_command *command, char *line, size_t bytes);

/* --- section 7: what each change owes -------------------------------------------------------- */

enum model_change {
	MODEL_CHANGE_LEAF_SET = 1,  /* row 1: not-present -> leaf */
	MODEL_CHANGE_TABLE_SET,	    /* 2: not-present -> table */
	MODEL_CHANGE_LEAF_CLEARED,  /* 3 */
	MODEL_CHANGE_RIGHTS_UP,	    /* 4 */
	MODEL_CHANGE_RIGHTS_DOWN,   /* 5 */
	MODEL_CHANGE_FRAME,	    /* 6 */
	MODEL_CHANGE_SPLIT,	    /* 7 */
	MODEL_CHANGE_COLLAPSE,	    /* 8 */
	MODEL_CHANGE_TABLE_CLEARED, /* 9 */
	MODEL_CHANGE_ATTRIBUTE,	    /* 10 */
	MODEL_CHANGE_ROOT,	    /* 11 */
	MODEL_CHANGE_TAG_REUSED,    /* 12 */
	MODEL_CHANGE_ENTRY,	    /* 13: context or device table entry, was valid */
	MODEL_CHANGE_ENTRY_SET,	    /* 13: was not valid */
	MODEL_CHANGE_END
};

enum model_column {
	MODEL_COLUMN_EPT,
	MODEL_COLUMN_NPT,
	MODEL_COLUMN_VTD,      /* CM = 0 */
	MODEL_COLUMN_VTD_CM,   /* CM = 1 */
	MODEL_COLUMN_AMDVI,    /* NpCache = 0 */
	MODEL_COLUMN_AMDVI_NP, /* NpCache = 1 */
	MODEL_COLUMN_ATC,      /* functions with ATS, besides their unit's column */
	MODEL_COLUMN_SHADOW,   /* note n9 */
	MODEL_COLUMN_EMULATOR,
	/* Like VT-d's, but for some rows. */
	MODEL_COLUMN_VTD_RWBF, /* CM = 0, RWBF = 1 */
	MODEL_COLUMN_SCALABLE, /* scalable mode, CM = 0 */
	MODEL_COLUMN_SCALABLE_CM,
	MODEL_COLUMN_COUNT
};

enum model_span {
	MODEL_SPAN_NONE,
	MODEL_SPAN_OLD,	  /* o: the old leaf */
	MODEL_SPAN_NEW,	  /* n: the new leaf */
	MODEL_SPAN_TABLE, /* t: what the table's entry covers */
	MODEL_SPAN_ALL
};

/* A cell. All false and MODEL_SPAN_NONE: nothing is owed. */
struct model_owed {
	bool cpu;	      /* EPT I, NPT A */
	bool entry;	      /* VT-d C, AMD-Vi DTE, before the translations */
	enum model_span span; /* of translations */
	bool links;
	bool may_wait;		/* a debt that may be remembered instead */
	bool new_domain;	/* and the new domain's translations too */
	bool no_domain;		/* the entry was remembered as absent: under domain 0 */
	bool entries_of_domain; /* all entries of the domain instead */
	bool domain_will_do;	/* every page of the domain instead */
	bool pasid;		/* scalable mode: the PASID entry instead of the device's entry */
	bool entry_of_atc;	/* and the device's entry before it, of functions with ATS */
};

struct model_owed model_expect(enum model_change change, enum model_column column);

/* The change as the test made it. */
struct model_changed {
	enum model_change change;
	uint32_t unit;
	uint32_t domain, new_domain; /* ids on the unit */
	uint32_t requester;	     /* rows 11 to 13 */
	uint64_t first;		     /* a dfn in it */
	uint32_t old_order, new_order, table_order;
	uint32_t atc_count; /* functions with ATS that it concerns; their requester ids */
	uint16_t atc[MODEL_MAX_ATCS];
	uint64_t frame; /* for shadows: the first machine frame of the old entry */
};

/*
 * Oracle E: compares what the unit executed since model_commands_reset() with the table; NULL, or
 * what differs. The text is good until the next call. Waits are not counted, but what is owed needs
 * one behind it.
 */
const char *model_compare(struct model *model, const struct model_changed *changed);
/* The same for what an observer that is no hardware was asked. */
const char *model_compare_outsider(struct model *model, uint32_t outsider,
				   const struct model_changed *changed);

/* --- firmware -------------------------------------------------------------------------------- */

enum model_defect {
	MODEL_TABLE_SOUND,
	MODEL_TABLE_CUT,	     /* ends within an entry */
	MODEL_TABLE_LENGTH_ZERO,     /* an entry of length 0 */
	MODEL_TABLE_LENGTH_BEYOND,   /* an entry longer than the table */
	MODEL_TABLE_LENGTH_SHORT,    /* an entry shorter than its own fields */
	MODEL_TABLE_SCOPE_ZERO,	     /* a device scope, or device entry, of no or unknown length */
	MODEL_TABLE_SCOPE_BEYOND,    /* ... that leaves its entry */
	MODEL_TABLE_UNKNOWN_ENTRY,   /* sound: a type that nobody knows, to be skipped */
	MODEL_TABLE_TWICE,	     /* the same register base twice */
	MODEL_TABLE_RANGE_BACKWARDS, /* a reserved range that ends before it begins */
	MODEL_TABLE_BASE_ODD,	     /* a register base that is not aligned */
	MODEL_TABLE_HEADER_LENGTH,   /* the header's length is not that of the table */
	MODEL_TABLE_NO_UNIT,	     /* sound, but names none */
	MODEL_TABLE_DEFECT_COUNT
};

/*
 * ACPI tables of this machine; the bytes used, 0 when the buffer is too small. The checksum is
 * right always.
 */
size_t model_dmar(const struct model *model, enum model_defect defect, void *table, size_t bytes);
size_t model_ivrs(const struct model *model, enum model_defect defect, void *table, size_t bytes);
