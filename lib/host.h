/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/host.h - everything the library knows, in the one piece of memory the embedder gave.
 *
 *   memory: | sp_host | domains, their limbo and CPU states | units | functions | ... | arena |
 *
 * There are no globals but constant tables. What a room keeps here is its own: the others do not
 * look into it.
 */
#pragma once

#include <sallyport/sync.h>

#include "lib/lock.h"
#include "lib/mutant.h"

#define HOST_FORBIDDEN	    32
#define HOST_SPECIAL	    16
#define HOST_SCOPES	    256
#define HOST_RESERVED	    64
#define HOST_UNITS	    64 /* of the machine */
#define MAX_UNITS	    8  /* that the devices of one domain are behind */

/* What upper rooms may take of the arena. */
#define HOST_UNIT_BYTES	    8192u
#define HOST_FUNCTION_BYTES 640u
#define HOST_SCOPE_BYTES    64u
#define HOST_RESERVED_BYTES 128u

struct forbidden {
	uint64_t first, end; /* mfn */
	const char *why;
};

struct sp_frame;
struct unit;
struct function;
struct scope;
struct reserved;

struct sp_host {
	void *embedder;
	uint32_t mutant;
	struct sp_limits limits;
	uint8_t *arena, *arena_end; /* what is left; only bring-up takes from it */

	struct lock lock;	   /* ranks before a domain's: which domains are alive */
	struct sp_domain *domains; /* limits.domains guests, then limits.functions quarantines */
	uint32_t domain_count;	   /* both */

	struct lock counting;	  /* ranks behind a domain's: counts of frames (sync/reference.c) */
	struct sp_frame *counted; /* counting; NULL: frames are not counted */
	uint64_t counted_first, counted_count;

	struct forbidden forbidden[HOST_FORBIDDEN];
	uint32_t forbidden_count;
	struct forbidden
		special[HOST_SPECIAL]; /* dfns that a unit treats specially: no memory there */
	uint32_t special_count;

	/*
	 * iommu/, pci/: filled at bring-up by one CPU, constant afterwards but for what they lock
	 * themselves
	 */
	struct unit *units[HOST_UNITS];
	uint32_t unit_count;
	struct function *functions; /* limits.functions */
	uint32_t function_count;
	struct scope *scopes; /* HOST_SCOPES: which unit covers which function */
	uint32_t scope_count;
	struct reserved *reserved; /* HOST_RESERVED: firmware's ranges */
	uint32_t reserved_count;
	void (*units_progress)(struct sp_host *host); /* reads every unit's completions; NULL
							 without units. No lock */
	uint32_t fault_next; /* the unit that is asked first for the next fault; any value will do */
	struct lock assign;  /* ranks before everything: one assignment at a time */
	bool resolved;	     /* which unit covers what is decided, once */
	bool started;
	bool prefer_scalable; /* VT-d units that have it are used in scalable mode */
};

#define HOST_ALIGNMENT 64u

/* Up to the next multiple of HOST_ALIGNMENT. */
size_t host_round(size_t bytes);
/* Zeroed, 64-byte aligned. NULL when the arena is used up. Bring-up only, one CPU. */
void *host_alloc(struct sp_host *host, size_t bytes);

/* Why a machine range may not be mapped, or NULL. */
const char *host_forbids(const struct sp_host *host, uint64_t first_mfn, uint64_t count);

/* Why a device frame may not carry memory, or NULL. */
const char *host_treats_specially(const struct sp_host *host, uint64_t first_dfn, uint64_t count);
/* SP_NO_SPACE. Bring-up only. */
SP_MUST_USE enum sp_status host_add_special(struct sp_host *host, uint64_t first_dfn, uint64_t end,
					    const char *why);

void host_log(const struct sp_host *host, enum sp_log level, const char *line);
