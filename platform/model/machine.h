/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/machine.h - what the model's own files share.
 *
 *   struct model --- RAM: the CPU's view, and what walkers see that do not snoop
 *                |-- CPU: guest it runs, cache
 *                |-- unit: registers, cache
 *                `-- function: configuration space, transfers under way
 *
 * Everything a cache remembers is one kind of record, struct entry, in order of age.
 */
#pragma once

#include <threads.h>

#include "model.h"

#define FRAME_ORDER	 12
#define FRAME_BYTES	 4096u
#define SLOTS		 512u
#define ALL_ORDER	 52u /* of a range that is every address */
#define LINE_BYTES	 64u
#define COMBINING_LINES	 8u /* a CPU's buffers for stores past the caches, on their way to memory */
#define LOG_BYTES	 240
#define COMMANDS_KEPT	 4096u
#define TRANSFERS_KEPT	 64u
#define MODEL_TRAP_OFF	 UINT64_MAX
#define SRIOV_AT	 0x140u
#define ATS_AT		 0x100u /* the ATS capability in configuration space */
#define ANSWERS_KEPT	 64u
#define BUFFERED_AT_MOST 40u
#define NO_CPU		 UINT32_MAX

/* --- RAM ------------------------------------------------------------------------------------- */

enum frame_state {
	FRAME_FREE,
	FRAME_TABLE,	/* taken by the core, or by a test that builds tables by hand */
	FRAME_GUEST,	/* a test's */
	FRAME_FIRMWARE, /* tables that firmware left */
	FRAME_TRAP	/* where forged entries point */
};

/* Who sees which bytes. A store reaches them from left to right. */
enum view {
	VIEW_CPU,    /* the CPUs and whoever snoops */
	VIEW_MEMORY, /* written back */
	VIEW_UNIT,   /* past the root complex's write buffer */
	VIEW_COUNT
};

/* What the last walk through a table knew about it: which addresses its slots translate. */
struct place {
	uint64_t first; /* dfn of slot 0 */
	uint8_t level;
	bool known;
};

struct ram {
	uint64_t frames, trap;
	uint8_t *bytes[VIEW_COUNT];
	uint8_t *state; /* enum frame_state of each frame */
	uint8_t *canary; /* 1 where a free frame is full of forged entries, which nobody may change */
	uint16_t *forgotten; /* times of each frame */
	struct place *place;
	uint8_t *line_waits; /* bit a line: in VIEW_MEMORY, not yet in VIEW_UNIT */
	uint64_t *waiting;   /* those lines */
	uint32_t waiting_count, waiting_room;
	bool buffered, cached; /* VIEW_UNIT, VIEW_MEMORY are in use */
};

/* --- what is remembered ---------------------------------------------------------------------- */

enum entry_kind {
	ENTRY_LEAF,
	ENTRY_LINK,
	ENTRY_DEVICE, /* context entry, device table entry */
	ENTRY_PASID,  /* `first`: the PASID */
	ENTRY_INTERRUPT
};

struct entry {
	enum entry_kind kind;
	uint8_t level;	 /* links: of the table they point to */
	uint8_t rights;	 /* enum model_access, of the whole way down */
	uint8_t memory;	 /* leaves of CPUs: the memory type, as of struct model_reach */
	bool absent;	 /* remembered as not present */
	bool condemned;	 /* asleep on a CPU when its frame was released: must not wake */
	uint64_t look;	 /* looked up by: requester, domain id, or a CPU's tag */
	uint32_t domain; /* invalidated by; CPUs: 0 */
	bool fresh;	 /* leaves: read from the root on, so the tables say so now */
	uint64_t first;	 /* dfn, or index of an interrupt */
	uint32_t order;	 /* of frames that it covers */
	uint32_t size;	 /* leaves: order of the page it was read from; a piece covers less (M4) */
	uint64_t frame;	 /* mfn mapped at first, or of the table */
	uint64_t word[4];
	uint64_t source; /* device entries: base of the table that they were read from */
};

struct cache {
	struct entry *entry; /* the oldest first */
	uint32_t count, room;
	bool is_cpus; /* whoever faults on an old right walks again */
};

/* --- walks ----------------------------------------------------------------------------------- */

struct table {
	enum model_format format;
	enum view view;
	uint64_t root; /* mfn */
	uint32_t levels;
	uint8_t large;	/* bit n: leaves at level n */
	uint8_t rights; /* that whoever points to the root grants */
	uint8_t address_bits;
};

enum slot_kind {
	SLOT_ABSENT,
	SLOT_LINK,
	SLOT_LEAF,
	SLOT_BAD, /* reserved bits, or an order of levels that cannot be */
	SLOT_LOST /* no memory answers where the table should be */
};

struct slot {
	enum slot_kind kind;
	uint8_t rights;
	uint8_t level;	/* link: of the table below */
	uint8_t memory; /* leaf of EPT or NPT: type */
	uint32_t order; /* leaf */
	uint64_t frame;
};

/* A place to start: the root, or what a paging-structure cache remembers. */
struct start {
	uint64_t frame;
	uint32_t level;
	uint8_t rights;
};

struct walk {
	struct start link[6]; /* tables that were reached by a link, from the top */
	uint32_t link_count;
	bool from_root;
	struct slot end; /* where it ended, rights of the whole way */
	uint64_t end_maddr, end_value;
	uint32_t end_level;
};

/* --- observers ------------------------------------------------------------------------------- */

struct cpu {
	bool in_guest, kicked;
	uint64_t exit_at; /* kicked: when it leaves */
	enum model_format format;
	uint64_t root; /* mfn */
	uint32_t levels;
	uint64_t tag;
	struct cache cache;
	uint32_t kicks, flushes;
	bool is_ahead; /* it entered while an emulator still had what the guest has no more */
};

/* A CPU of a hypervisor that runs on its guest's own tables. */
struct linear_cpu {
	uint64_t root; /* mfn; 0: none */
	uint64_t copy[SLOTS];
	bool in_guest;
	struct cache cache;
	uint32_t flushes, resyncs;
	bool owes; /* it was asked to flush */
	bool links;
	uint64_t asked;
	uint32_t relaxed;
	struct model_handler handler;
};

/* A completion on its way to memory. */
struct answer {
	uint64_t maddr, value;
};

/* A descriptor that was fetched and is not done. */
#define HELD_AT_MOST 8u
struct held {
	uint64_t low, high;
};

/*
 * What stands in front of a second-stage table, as legacy mode has it: low is present, 3:2 type, 63:12 table; high is
 * 2:0 width, 23:8 domain.
 */
struct context {
	uint32_t reason; /* 0: present and sound */
	uint64_t low, high;
};

struct unit {
	struct model_unit_config config;
	uint32_t index;
	enum view view, walk_view; /* of entries; of page tables */
	struct cache cache;
	uint32_t reads_until_ready;	    /* late registers */
	struct answer answer[ANSWERS_KEPT]; /* the oldest first */
	uint32_t answer_count, answer_age;
	bool answers_held; /* until a test lets them go */
	bool busy;	   /* timed: a command is under way, and done at done_at */
	uint64_t done_at;

	/* VT-d */
	uint32_t gsts, gsts_next, fsts, fectl, fedata, feaddr, iectl, ics, sticky_root;
	uint64_t rtaddr, root_latched, ccmd, iotlb, iva, iqa, irta, irta_latched, iqercd;
	uint32_t iqh, iqt; /* bytes */
	uint64_t fault[MODEL_MAX_FAULTS][2];
	uint32_t next_fault;
	bool queue_stopped;
	struct held held[HELD_AT_MOST]; /* the first: a device's cache that has not answered */
	uint32_t held_count, held_room;
	uint64_t held_since;
	bool answer_lost; /* of the first, whatever the device does */
	bool failed;	  /* since the last wait was answered */
	enum model_queue_error fail_next;

	/* AMD-Vi */
	uint64_t devtab, cmdbuf, evtlog, control, exclusion[2];
	uint32_t cmd_head, cmd_tail, evt_head, evt_tail, status;
};

struct function {
	struct model_device_config config;
	uint8_t space[4096];
	uint8_t writable[256]; /* bits that a write changes */
	uint32_t resets;
	uint64_t virtual_since; /* physical functions: when the virtual ones were switched on */
	struct cache atc;	/* leaves, as its unit told it */
	bool atc_silent;
	bool atc_astray; /* it answers what nobody asked */
};

struct outsider {
	bool used;
	struct model_outsider_config config;
	struct cache cache; /* leaves of one frame, gfn -> mfn */
	bool owes;
	uint32_t relaxed; /* calls of platform_relax() since it was asked */
	struct sp_forget asked;
};

/* What a test watches a CPU execute while it is written over. */
#define CODE_AT_MOST 16u
#define CODE_WORDS   3u
struct code {
	uint32_t cpu, count; /* 0 bytes: nothing */
	uint64_t address;
	uint8_t old[CODE_AT_MOST], new[CODE_AT_MOST];
	uint64_t word[CODE_WORDS];
	uint32_t fetched; /* bit n: word[n] */
};

struct transfer {
	uint32_t number; /* 0: none here */
	uint32_t unit, domain;
	struct function *function; /* it was translated by the function's own cache */
	uint64_t maddr;
	uint32_t bytes;
	uint8_t data[FRAME_BYTES];
};

/* A store that only its CPU sees yet. */
struct buffered {
	const uint8_t *at;
	uint64_t old; /* what the others see */
	uint32_t bytes, cpu;
};

struct model {
	struct model_config config;
	mtx_t lock; /* recursive: callbacks come back */
	struct ram ram;
	struct cpu cpu[MODEL_MAX_CPUS];
	struct linear_cpu linear[MODEL_MAX_CPUS];
	uint32_t linear_slot, linear_own;
	uint64_t linear_watched[MODEL_MAX_WATCHED]; /* pages */
	uint32_t linear_watched_count;
	enum model_answers linear_answers;
	struct unit unit[MODEL_MAX_UNITS];
	struct function function[MODEL_MAX_DEVICES + MODEL_MAX_UNITS];
	uint32_t function_count;
	struct outsider outsider[MODEL_MAX_OUTSIDERS];
	struct buffered buffered[BUFFERED_AT_MOST]; /* the oldest first */
	uint32_t buffered_count;
	struct transfer transfer[TRANSFERS_KEPT];
	uint32_t transfer_count;
	struct code code;

	uint64_t random, now;
	uint64_t watched[MODEL_MAX_WATCHED];
	uint32_t watched_count;
	uint64_t recent[4], stored[2]; /* dfns */
	uint32_t recent_next, stored_next;
	uint64_t combining[COMBINING_LINES]; /* maddr of each; 0: empty */
	uint32_t combining_next;
	void (*hook)(void *argument, const void *at, uint32_t bytes, bool writes);
	void *hook_argument;
	bool look_owed; /* a store was announced: look again after it */
	bool looking;
	uint64_t last_store; /* maddr: its line may leave the CPU's cache by itself */
	uint64_t stores_seen, slot_stores;

	uint32_t takes, refuse_in;
	uint64_t table_frames, forgotten;
	uint32_t messages[256], messages_blocked;
	struct model_command command[COMMANDS_KEPT];
	uint32_t command_count;

	char verdict[LOG_BYTES], log[LOG_BYTES], text[LOG_BYTES];
	uint32_t violations, logs[3], lost;
};

/* host.c */
void model_violate(struct model *model, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void model_take_lock(struct model *model);
void model_drop_lock(struct model *model);
uint64_t model_draw(struct model *model, uint64_t below); /* 0 to below - 1 */

/* adversary.c: a store is seen from now on; maddr 0: it is none of RAM */
void adversary_meet(struct model *model, uint64_t maddr);

/* buffer.c */
bool buffer_is_on(const struct model *model);
void buffer_put(struct model *model, const void *to, uint32_t bytes);
void buffer_drift(struct model *model);	    /* some leave, by chance */
void buffer_drain(struct model *model);	    /* of the CPU that runs */
void buffer_drain_all(struct model *model); /* of every CPU */
void buffer_fetch(struct model *model, const void *at, uint64_t bytes);
bool buffer_hides(const struct model *model, const void *at, uint64_t bytes);
void buffer_hide(const struct model *model, const void *from, void *copy, uint64_t bytes,
		 uint32_t viewer);

/* ram.c */
bool ram_create(struct model *model);
void ram_destroy(struct model *model);
bool ram_holds(const struct model *model, uint64_t mfn);
enum frame_state ram_state(const struct model *model, uint64_t mfn);
uint64_t ram_allot(struct model *model, uint32_t order, enum frame_state state); /* 0: full */
uint8_t *ram_at(struct model *model, enum view view, uint64_t maddr); /* NULL beyond RAM */
uint64_t ram_load(struct model *model, enum view view, uint64_t maddr, bool *answered);
void ram_store(struct model *model, uint64_t maddr, const void *data,
	       uint32_t bytes);					     /* a bus master: all views */
void ram_evict(struct model *model, uint64_t maddr, uint64_t bytes); /* caches to memory */
void ram_drain_buffer(struct model *model);
void ram_note_place(struct model *model, uint64_t mfn, uint32_t level, uint64_t dfn);
uint64_t ram_maddr(const struct model *model, const void *pointer); /* 0: not in RAM */

/* cache.c */
void cache_add(struct model *model, struct cache *cache, const struct entry *entry);
struct entry *cache_find(struct model *model, struct cache *cache, enum entry_kind kind,
			 uint64_t look, uint64_t dfn);
typedef bool (*entry_test)(const struct entry *entry, const void *argument);
uint32_t cache_drop(struct cache *cache, entry_test test, const void *argument);
void cache_drop_all(struct cache *cache);
void cache_free(struct cache *cache);
void cache_drop_some(struct model *model, struct cache *cache); /* M1: at any moment */
bool entry_within(const struct entry *entry, uint64_t first, uint32_t order);
bool entry_touches(const struct entry *entry, uint64_t first, uint32_t order);
bool entry_reaches(const struct entry *entry, uint64_t mfn, uint64_t count);

/* walk.c */
struct slot slot_decode(const struct table *table, uint32_t level, uint64_t value);
struct walk walk_from(struct model *model, const struct table *table, struct start start,
		      uint64_t dfn, const char *who);
struct start walk_root(const struct table *table);
void walk_remember(struct model *model, struct cache *cache, const struct walk *walk, uint64_t dfn,
		   const struct entry *leaf, const struct entry *link);
void walk_judge(struct model *model, const struct walk *walk, uint64_t dfn, const char *who);

/* cpu.c */
void cpu_speculate(struct model *model, uint32_t number, uint64_t gfn);

/* For code: as it would be used, and remembered; false where there is no right to. */
bool cpu_fetch(struct model *model, uint32_t number, uint64_t gfn, uint64_t *mfn);

/* code.c: a CPU that may, executes what is watched; it left its guest */
void code_execute(struct model *model);
void code_serialise(struct model *model, uint32_t cpu);

/* linear.c */
uint64_t linear_page(const struct model *model, uint64_t page);
void linear_look(struct model *model);
void linear_relax(struct model *model);
void linear_check(struct model *model, uint32_t number, uint64_t mfn, uint64_t count,
		  const char *how);

/* outsider.c */
void outsider_speculate(struct model *model, struct outsider *outsider, uint64_t gfn);
/* What it has of the address, looked up if need be. */
bool outsider_leaf(struct model *model, struct outsider *outsider, uint64_t gfn,
		   enum model_access access, struct entry *leaf);
bool outsider_still_finds(struct model *model, struct outsider *outsider, uint64_t gfn,
			  uint64_t mfn);
void outsiders_relax(struct model *model);
/* Some emulator that serves the guest that the CPU runs has more than today's map. */
bool outsiders_lag(struct model *model, uint32_t cpu);

/* unit.c */
void unit_reset(struct model *model, uint32_t index);
struct unit *unit_at(struct model *model, uint64_t maddr, uint64_t *offset);
bool unit_is_translating(const struct unit *unit);
/*
 * Translates a page for a requester. `speculative`: fills caches and judges what it sees, decides
 * nothing.
 */
struct model_reach unit_translate(struct model *model, struct unit *unit, uint16_t requester,
				  uint64_t dfn, enum model_access access, bool speculative,
				  uint32_t *domain);
/* A write to 0xFEEx_xxxx; true if it became an interrupt. */
bool unit_message(struct model *model, struct unit *unit, uint16_t requester, uint64_t maddr,
		  uint32_t data, uint32_t *reason);
uint32_t unit_execute(struct model *model, struct unit *unit, uint32_t count);
void unit_pass_time(struct model *model, struct unit *unit); /* what is done by now */
void unit_ring(struct model *model, struct unit *unit);	     /* the tail register was written */
struct walk unit_walk(struct model *model, struct unit *unit, const struct table *table,
		      struct entry leaf, uint64_t dfn, bool from_root);
void unit_prefetch(struct model *model, struct unit *unit, const struct table *table,
		   struct entry leaf, uint64_t dfn);
/* A translated request whose entry lets none pass. */
void unit_translated_fault(struct model *model, struct unit *unit, uint16_t requester, uint64_t dfn,
			   enum model_access access, struct model_reach *reach);
void unit_store_status(struct model *model, const struct unit *unit, uint64_t maddr, uint64_t value,
		       uint32_t bytes);
bool unit_points_to(const struct unit *unit, uint64_t mfn, uint64_t count, const char **what);
void unit_check_tag(struct model *model, const struct unit *unit, const struct entry *entry);
void unit_window(struct model *model, const struct unit *unit);
void unit_wake(struct model *model, const struct unit *unit);
void model_deliver(struct model *model, uint8_t vector);

/* answer.c */
void answer_store(struct model *model, struct unit *unit, uint64_t maddr, uint64_t value);
bool answer_has_room(const struct unit *unit);
void answer_land_all(struct model *model, struct unit *unit);
void answer_move(struct model *model); /* some time passes */

/* vtd.c, vtd_queue.c, vtd_fetch.c, vtd_walk.c */
uint64_t vtd_read(struct model *model, struct unit *unit, uint64_t offset, uint32_t bytes);
void vtd_write(struct model *model, struct unit *unit, uint64_t offset, uint32_t bytes,
	       uint64_t value);
uint64_t vtd_cap(const struct model *model, const struct unit *unit);
uint64_t vtd_ecap(const struct unit *unit);
uint32_t vtd_execute(struct model *model, struct unit *unit, uint32_t count);
void vtd_settle_held(struct model *model, struct unit *unit);
void vtd_clear_errors(struct model *model, struct unit *unit, uint32_t bits);
bool vtd_perform(struct model *model, struct unit *unit, uint64_t low, uint64_t high);
bool vtd_invalidate_context(struct model *model, struct unit *unit, uint32_t grain, uint32_t domain,
			    uint32_t requester, uint32_t mask);
bool vtd_invalidate_iotlb(struct model *model, struct unit *unit,
			  const struct model_command *asked);
struct model_reach vtd_translate(struct model *model, struct unit *unit, uint16_t requester,
				 uint64_t dfn, enum model_access access, bool speculative,
				 uint32_t *domain);
static inline bool vtd_is_scalable(const struct unit *unit)
{
	return (unit->root_latched >> 10 & 3) == 1;
}
/* vtd_scalable.c: as vtd_walk.c has it of legacy mode */
struct context vtd_find_scalable(struct model *model, struct unit *unit, uint16_t requester,
				 bool fresh);
bool vtd_load_words(struct model *model, const struct unit *unit, uint64_t maddr, uint64_t *words,
		    uint32_t count);
bool vtd_lets_translated(struct model *model, struct unit *unit, uint16_t requester);
bool vtd_message(struct model *model, struct unit *unit, uint16_t requester, uint64_t maddr,
		 uint32_t data, uint32_t *reason);
void vtd_fault(struct model *model, struct unit *unit, uint16_t requester, uint64_t info,
	       bool write, uint32_t reason);

/* amdvi.c, amdvi_queue.c, amdvi_walk.c */
uint64_t amdvi_read(struct model *model, struct unit *unit, uint64_t offset, uint32_t bytes);
void amdvi_write(struct model *model, struct unit *unit, uint64_t offset, uint32_t bytes,
		 uint64_t value);
uint64_t amdvi_features(const struct unit *unit);
uint32_t amdvi_execute(struct model *model, struct unit *unit, uint32_t count);
struct model_reach amdvi_translate(struct model *model, struct unit *unit, uint16_t requester,
				   uint64_t dfn, enum model_access access, bool speculative,
				   uint32_t *domain);
bool amdvi_lets_translated(struct model *model, struct unit *unit, uint16_t requester);
bool amdvi_message(struct model *model, struct unit *unit, uint16_t requester, uint64_t maddr,
		   uint32_t data, uint32_t *reason);
void amdvi_event(struct model *model, struct unit *unit, uint64_t low, uint64_t high);

/* release.c: oracle R */
void release_check(struct model *model, uint64_t mfn, uint64_t count, const char *how);

/* commands.c */
void command_log(struct model *model, const struct model_command *command);

/* device.c */
void device_drain(struct model *model, uint32_t unit, int64_t domain); /* domain -1: all */

void device_drain_function(struct model *model, const struct function *function);

/* atc.c */
bool atc_is_on(const struct function *function);
void atc_speculate(struct model *model, struct function *function, uint64_t dfn);
bool atc_translate(struct model *model, struct function *function, uint16_t requester, uint64_t dfn,
		   enum model_access access, struct model_reach *reach);
bool atc_answers(struct model *model, const struct unit *unit, uint16_t requester);
bool atc_goes_astray(struct model *model, const struct unit *unit, uint16_t requester);
void atc_invalidate(struct model *model, struct unit *unit, uint16_t requester, uint64_t first,
		    uint32_t order);

/* pci.c */
void pci_create(struct model *model);
/* Configuration space as it is, whatever may be written. */
void pci_put(struct function *function, uint32_t offset, uint32_t bytes, uint64_t value);
uint32_t pci_get(const struct function *function, uint32_t offset, uint32_t bytes);
struct function *pci_find(struct model *model, uint32_t sbdf);
uint16_t pci_requester(struct model *model, const struct function *function, uint32_t number);
bool pci_can_master(struct model *model, const struct function *function);

/* virtual.c: PCIe 9.3. `function` has SR-IOV, or is a virtual function; else nothing comes of it. */
void virtual_fill(struct function *function);
/* A virtual function is there while its physical one says so; from 100 ms after on it may be touched. */
bool virtual_is_there(struct model *model, const struct function *function);
bool virtual_is_early(struct model *model, const struct function *function);
uint8_t virtual_mask(const struct function *function, uint32_t offset);
void virtual_was_written(struct model *model, struct function *function, uint32_t offset,
			 uint8_t before);
void virtual_reset(struct function *physical);

/* firmware.c */
bool firmware_leave_translating(struct model *model, struct unit *unit);
