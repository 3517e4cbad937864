/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/capability.c - what a unit can do, from its own registers, in the words of iommu/unit.h.
 * VT-d 11.4.2 Capability, 11.4.3 Extended Capability.
 */
#include "drivers/vtd/unit.h"

static enum sp_status refuse_unit(const struct vtd_unit *vtd, enum sp_status status,
				  const char *what)
{
	vtd_log(vtd, SP_LOG_ERROR, what);
	return status;
}

/* 11.4.2, 11.4.3: the registers whose place the unit itself names. */
static uint64_t register_end(const struct vtd_unit *vtd)
{
	uint64_t faults = 16 * field_get(vtd->capability, CAP_FRO) +
			  FAULT_BYTES * (field_get(vtd->capability, CAP_NFR) + 1);
	uint64_t invalidation = 16 * field_get(vtd->extended, ECAP_IRO) + 16;

	return max_u64(SP_FRAME_BYTES,
		       align_down(max_u64(faults, invalidation) + SP_FRAME_BYTES - 1, 12));
}

/*
 * RWBF: stores to tables reach the unit only after a write buffer flush, which every invalidation implies (6.8).
 * Such a unit is told of new mappings like one that remembers absent entries.
 */
static void describe_observer(struct vtd_unit *vtd)
{
	struct unit *unit = &vtd->unit;

	unit->not_present_cached = vtd->capability & CAP_CM;
	unit->observer.column =
		vtd->capability & (CAP_CM | CAP_RWBF) ? COLUMN_VTD_CACHING : COLUMN_VTD;
	unit->observer.no_pages = !(vtd->capability & CAP_PSI);
	unit->observer.widest_order = (uint8_t)field_get(vtd->capability, CAP_MAMV);
	/* From the second major version on every invalidation drains (6.5.4); the bits are then ignored. */
	vtd->drain = (vtd->capability & CAP_DWD ? INVAL_DRAIN_WRITES : 0) |
		     (vtd->capability & CAP_DRD ? INVAL_DRAIN_READS : 0);
}

static void describe_tables(struct vtd_unit *vtd)
{
	struct unit *unit = &vtd->unit;
	uint32_t domain_bits = 4 + 2 * (uint32_t)field_get(vtd->capability, CAP_ND);

	unit->vendor = SP_VENDOR_VTD;
	unit->format = &format_vtd;
	unit->shared_format = &format_ept_vtd;
	unit->levels = (uint8_t)(field_get(vtd->capability, CAP_SAGAW) << 2 & BITS(5, 3));
	unit->leaf_levels =
		(uint8_t)(1 | (field_get(vtd->capability, CAP_SLLPS) << 1 & BITS(2, 1)));
	unit->address_bits = (uint8_t)(field_get(vtd->capability, CAP_MGAW) + 1);
	/* The last id is the driver's own, for blocked requesters. */
	unit->name_count = (uint32_t)min_u64(BIT(min_u64(domain_bits, 16)), UNIT_NAMES) - 1;
	unit->coherent = vtd->extended & ECAP_C;
	unit->interrupt_remapping = vtd->extended & ECAP_IR;
	unit->message_count = INTERRUPT_ENTRIES;
	unit->device_caches = vtd->extended & ECAP_DT;
	unit->special[0] = (struct span){ 0xfee00, 0xfef00 };
}

/* What the unit can do, from its registers. Refused here is what the driver could not run safely. */
enum sp_status vtd_read_capability(struct vtd_unit *vtd)
{
	uint32_t version = unit_read32(&vtd->unit, VTD_VER);

	vtd->capability = unit_read64(&vtd->unit, VTD_CAP);
	vtd->extended = unit_read64(&vtd->unit, VTD_ECAP);
	if (version == UINT32_MAX || !(version & VER_MAJOR) || vtd->capability == UINT64_MAX)
		return refuse_unit(vtd, SP_MALFORMED, "registers do not answer");
	describe_tables(vtd);
	describe_observer(vtd);
	vtd->unit.register_bytes = max_u64(vtd->unit.register_bytes, register_end(vtd));
	if (!(vtd->extended & ECAP_QI))
		return refuse_unit(vtd, SP_UNSUPPORTED, "no queued invalidation (ECAP.QI)");
	if (!vtd->unit.levels)
		return refuse_unit(vtd, SP_UNSUPPORTED,
				   "walks tables of neither 3, 4 nor 5 levels (CAP.SAGAW)");
	return SP_OK;
}
