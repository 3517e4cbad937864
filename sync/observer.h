/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/observer.h - whoever remembers translations, and what it is told.
 *
 * An observer has a clock: the number it was asked to reach, and the number it has reached. It is
 * told commands, in no vendor's words; drivers encode them. The set of observers is open: adding
 * one adds a file and a column.
 */
#pragma once

#include "lib/host.h"

/* A column of docs/acceptance.md section 7. */
enum observer_column {
	COLUMN_EPT,
	COLUMN_NPT,
	COLUMN_VTD,
	COLUMN_VTD_CACHING, /* CAP.CM = 1: remembers that an entry was absent */
	COLUMN_VTD_BUFFER,  /* CAP.RWBF = 1: sees stores after a flush, which any command implies */
	COLUMN_AMDVI,
	COLUMN_AMDVI_CACHING, /* NpCache = 1 */
	COLUMN_ATC,	      /* functions with ATS, behind their unit's own column */
	COLUMN_SHADOW,	 /* note n9: shadows of machine frames, then the CPUs that ran on them */
	COLUMN_EMULATOR, /* mappings of guest frames */
	COLUMN_LINEAR,	 /* CPUs that run on a guest's own tables: everything but global entries */
	COLUMN_ROOT,	 /* ... their copies of its root */
	COLUMN_COUNT
};

enum command_kind {
	COMMAND_FLUSH,	 /* CPUs: everything under the domain's tag */
	COMMAND_ENTRY,	 /* what a unit remembers of `requester`'s context or device table entry */
	COMMAND_ENTRIES, /* ... of every requester */
	COMMAND_PAGES,	 /* translations under `name` in [first, first + 2^order) */
	COMMAND_DOMAIN,	 /* all translations under `name`, paging-structure entries too */
	COMMAND_ALL,	 /* all translations */
	COMMAND_ATC_PAGES, /* what `requester`'s own cache holds of [first, first + 2^order) */
	COMMAND_ATC_ALL,   /* ... of every address */
	COMMAND_RUN /* observers of the embedder's: `count` frames from `first`, in no order */
};

struct command {
	enum command_kind kind;
	uint16_t name; /* domain id */
	uint16_t requester;
	uint8_t order;
	bool links;	/* paging-structure entries too: VT-d IH = 0, AMD-Vi PDE = 1 */
	uint8_t depth;	/* of a device's cache: invalidations it can hold back, 1 to 32 */
	uint64_t first; /* dfn, aligned to order; COMMAND_RUN: mfn or gfn */
	uint64_t count; /* COMMAND_RUN */
};

/* A function that may remember translations itself (ATS), in its own cache. */
struct atc {
	uint16_t requester;
	uint8_t depth; /* as in struct command */
};

/* The most that one post carries, the wait that the driver adds not counted. */
#define POST_COMMANDS 32

struct observer;

struct observer_ops {
	/*
	 * Queues the commands and a wait behind them. *number is what the observer will have
	 * reached when all is forgotten. SP_OK; SP_BUSY when the queue has no room for all (nothing
	 * was queued); SP_LOST. The slots that changed are stored and visible. Does not wait. The
	 * domain's lock is held.
	 */
	enum sp_status (*post)(struct observer *observer, const struct command *commands,
			       uint32_t count, uint64_t *number);
	/* The domain's lock is held. */
	bool (*has_reached)(struct observer *observer, uint64_t number);
};

struct observer {
	const struct observer_ops *ops;
	enum observer_column column;
	uint8_t widest_order; /* of COMMAND_PAGES; beyond that, the whole domain */
	bool no_pages;	      /* knows no COMMAND_PAGES at all */
	uint32_t lost; /* one writer: the progress that found out; read by observer_is_lost() */
};

/* Any lock, or none: then what it answers may be old the next moment. */
bool observer_is_lost(const struct observer *observer);
