/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/unit.h - one IOMMU, whatever its vendor; an observer.
 *
 * A driver's own struct begins with this one. Discovery makes it (unit_new), start() completes it.
 */
#pragma once

#include "iommu/ops.h"
#include "pagetable/format.h"
#include "sync/domain.h"

#define UNIT_ATCS     8	   /* functions with ATS behind one unit */
#define UNIT_MESSAGES 256  /* entries for interrupts behind one unit that is shared */
#define UNIT_NAMES    1024 /* domain ids in use at once, at most */

struct unit {
	struct observer
		observer; /* first: an observer is cast back to its unit in one place, unit_of() */
	struct sp_host *host;
	const struct iommu_ops *ops;
	enum sp_vendor vendor;
	uint32_t index;
	uint16_t segment;
	sp_maddr_t registers;
	uint64_t register_bytes;

	/* what it can do; set by the driver's discovery */
	const struct format *format;	    /* of a table of its own */
	const struct format *shared_format; /* of a CPU table that it can walk, or NULL */
	uint8_t levels;			    /* bit n: walks n levels */
	uint8_t leaf_levels;		    /* bit n: leaves at level n; bit 0 set */
	uint8_t address_bits;		    /* widest dfn << 12 */
	uint32_t name_count;		    /* domain ids 1 .. name_count - 1 */
	bool coherent;			    /* walks snoop */
	bool not_present_cached;
	bool interrupt_remapping;
	bool scalable;		/* VT-d: used in scalable mode */
	uint32_t message_count; /* VT-d: entries for interrupts, of all functions; AMD-Vi: 0, each
				   function has a table of its own */
	bool device_caches;	/* answers ATS requests, and can tell functions to forget */

	/* device addresses that never carry memory, besides 0xFEEx_xxxx; first >= end: none */
	struct span special[2];

	struct lock queue; /* everything below, but for what says otherwise */
	uint64_t asked;	   /* last wait queued */
	uint64_t reached;  /* last wait seen completed; written by progress, read by anybody */
	uint64_t asked_at; /* platform_now() of the oldest wait that is not reached */
	uint64_t names[UNIT_NAMES / 64];       /* bit set: in use */
	uint64_t messages[UNIT_MESSAGES / 64]; /* host->assign; bit set: an entry in use */
	bool started;
	bool lost_told;		   /* the embedder has heard of it */
	struct atc atc[UNIT_ATCS]; /* told with everything else when a queue begins anew */
	uint32_t atc_count;
};

/* In the arena, zeroed, `bytes` long, registered with the host. NULL: no room (logged). */
struct unit *unit_new(struct sp_host *host, size_t bytes, const struct iommu_ops *ops);

/* SP_NO_SPACE. Queue lock not held. */
SP_MUST_USE enum sp_status unit_add_atc(struct unit *unit, struct atc atc);
void unit_remove_atc(struct unit *unit, uint16_t requester);

/* How long a unit may take to answer anything, in nanoseconds. */
#define UNIT_DEADLINE 1000000000ull

/*
 * Registers of a unit, typed by width: reading a 32-bit register with unit_read64() does not
 * compile.
 */
typedef struct {
	uint32_t offset;
} reg32_t;
typedef struct {
	uint32_t offset;
} reg64_t;
#define REG32(n) ((reg32_t){ n })
#define REG64(n) ((reg64_t){ n })

static inline uint32_t unit_read32(const struct unit *unit, reg32_t reg)
{
	return (uint32_t)platform_mmio_read(unit->host->embedder,
					    (sp_maddr_t){ unit->registers.maddr + reg.offset }, 4);
}

static inline uint64_t unit_read64(const struct unit *unit, reg64_t reg)
{
	return platform_mmio_read(unit->host->embedder,
				  (sp_maddr_t){ unit->registers.maddr + reg.offset }, 8);
}

static inline void unit_write32(const struct unit *unit, reg32_t reg, uint32_t value)
{
	platform_mmio_write(unit->host->embedder,
			    (sp_maddr_t){ unit->registers.maddr + reg.offset }, 4, value);
}

static inline void unit_write64(const struct unit *unit, reg64_t reg, uint64_t value)
{
	platform_mmio_write(unit->host->embedder,
			    (sp_maddr_t){ unit->registers.maddr + reg.offset }, 8, value);
}

/*
 * Which unit covers which requesters. Drivers add them at discovery; iommu/ resolves device paths
 * when functions are known. VT-d 8.3.1 Device Scope; AMD 48882 5.2.2 IVHD device entries.
 */
struct scope {
	struct unit *unit;
	enum {
		SCOPE_REST,  /* every function of the segment that no other scope names */
		SCOPE_PATH,  /* the function at the end of a path of (device, function), from
				start_bus */
		SCOPE_BELOW, /* a bridge at the end of a path, and everything behind it */
		SCOPE_RANGE  /* requester ids first..last, both included */
	} kind;
	uint8_t start_bus, path_length;
	uint8_t path[8][2];
	uint16_t first, last;
	bool has_alias;
	uint16_t alias; /* SCOPE_RANGE: requests carry this id instead */
};
/* SP_NO_SPACE, logged. */
enum sp_status scope_add(struct sp_host *host, const struct scope *scope);

/* Firmware's ranges that a device needs at any time: VT-d 8.4 RMRR, AMD 48882 5.2.2 IVMD. */
struct reserved {
	uint16_t segment;
	bool by_path; /* VT-d: scope's path; else requester ids first..last */
	struct scope scope;
	uint64_t first_mfn, count;
	bool read, write;
};
/*
 * SP_NO_SPACE, SP_INVALID (empty, or wraps around), logged. Ranges of several owners may overlap:
 * none is merged.
 */
enum sp_status reserved_add(struct sp_host *host, const struct reserved *reserved);
