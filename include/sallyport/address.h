/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/address.h - the kinds of addresses, each a type of its own.
 *
 *   guest ----gfn----> p2m ----mfn----> machine memory
 *   device ---dfn----> IOMMU ---mfn---> machine memory
 *
 * A frame is 4096 bytes in every kind. A range is a first frame and a count, never an inclusive
 * end. Only conversions that mean something exist: an assigned device names guest memory by the
 * guest's own frame numbers, hence sp_dfn_from_gfn(); there is none from gfn to mfn, that is what a
 * p2m is for.
 */
#pragma once

#include <stdint.h>

#define SP_FRAME_ORDER 12
#define SP_FRAME_BYTES 4096u

typedef struct {
	uint64_t gfn;
} sp_gfn_t;

typedef struct {
	uint64_t mfn;
} sp_mfn_t;

typedef struct {
	uint64_t dfn;
} sp_dfn_t;

typedef struct {
	uint64_t maddr;
} sp_maddr_t;

/* Segment, bus, device, function: segment in bits 31:16, then PCI's own 8:5:3. */
typedef struct {
	uint32_t sbdf;
} sp_sbdf_t;

static inline sp_dfn_t sp_dfn_from_gfn(sp_gfn_t frame)
{
	return (sp_dfn_t){ frame.gfn };
}

static inline sp_mfn_t sp_mfn_from_maddr(sp_maddr_t address)
{
	return (sp_mfn_t){ address.maddr >> SP_FRAME_ORDER };
}

static inline sp_maddr_t sp_maddr_from_mfn(sp_mfn_t frame)
{
	return (sp_maddr_t){ frame.mfn << SP_FRAME_ORDER };
}

static inline sp_sbdf_t sp_sbdf(uint32_t segment, uint32_t bus, uint32_t device, uint32_t function)
{
	return (sp_sbdf_t){ segment << 16 | (bus & 0xff) << 8 | (device & 0x1f) << 3 |
			    (function & 7) };
}

static inline uint16_t sp_sbdf_segment(sp_sbdf_t id)
{
	return (uint16_t)(id.sbdf >> 16);
}

/* What the function itself puts on the bus; a bridge may put another there (pci/, requester ids). */
static inline uint16_t sp_sbdf_requester(sp_sbdf_t id)
{
	return (uint16_t)id.sbdf;
}

static inline uint8_t sp_sbdf_bus(sp_sbdf_t id)
{
	return (uint8_t)(id.sbdf >> 8);
}

static inline uint8_t sp_sbdf_device(sp_sbdf_t id)
{
	return (uint8_t)(id.sbdf >> 3 & 0x1f);
}

static inline uint8_t sp_sbdf_function(sp_sbdf_t id)
{
	return (uint8_t)(id.sbdf & 7);
}
