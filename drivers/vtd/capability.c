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
 * RWBF: stores to tables reach the unit only after a write buffer flush. GCMD.WBF has nothing to wait for in the
 * queue, and post() never waits; but every invalidation implies one (6.8), so what is new owes exactly one command.
 */
static enum observer_column column_of(uint64_t capability)
{
	if (capability & CAP_CM)
		return COLUMN_VTD_CACHING;
	return capability & CAP_RWBF ? COLUMN_VTD_BUFFER : COLUMN_VTD;
}

static void describe_observer(struct vtd_unit *vtd)
{
	struct unit *unit = &vtd->unit;

	unit->not_present_cached = vtd->capability & CAP_CM;
	unit->observer.column = column_of(vtd->capability);
	unit->observer.no_pages = !(vtd->capability & CAP_PSI);
	unit->observer.widest_order = (uint8_t)field_get(vtd->capability, CAP_MAMV);
	/* From the second major version on every invalidation drains (6.5.4); the bits are then ignored. */
	vtd->drain = (vtd->capability & CAP_DWD ? INVAL_DRAIN_WRITES : 0) |
		     (vtd->capability & CAP_DRD ? INVAL_DRAIN_READS : 0);
}

/*
 * The mode must not change while translation is on (11.4.5). Otherwise legacy mode is enough for all that is done
 * here, so scalable mode is for who asks.
 */
static bool chooses_scalable(const struct vtd_unit *vtd)
{
	uint64_t both = ECAP_SMTS | ECAP_SSTS;

	if ((vtd->extended & both) != both)
		return false;
	if (unit_read32(&vtd->unit, VTD_GSTS) & GCMD_TE)
		return field_get(unit_read64(&vtd->unit, VTD_RTADDR), RTADDR_MODE) == MODE_SCALABLE;
	return vtd->unit.host->prefer_scalable;
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
	vtd->coherent = vtd->extended & ECAP_C;
	unit->coherent = vtd->extended & (unit->scalable ? ECAP_SMPWC : ECAP_C);
	unit->interrupt_remapping = vtd->extended & ECAP_IR;
	unit->message_count = INTERRUPT_ENTRIES;
	unit->device_caches = vtd->extended & ECAP_DT;
	unit->special[0] = (struct span){ 0xfee00, 0xfef00 };
}

/*
 * 6.5.4: a transfer that was translated before its page went may land after it. Only where an invalidation drains
 * is the page nobody's when that is done: if asked for, or by itself from the second major version on.
 */
static bool can_drain(const struct vtd_unit *vtd, uint32_t version)
{
	return field_get(version, VER_MAJOR) >= 2 ||
	       (vtd->drain & INVAL_DRAIN_WRITES && vtd->drain & INVAL_DRAIN_READS);
}

/* What the unit can do, from its registers. Refused here is what the driver could not run safely. */
enum sp_status vtd_read_capability(struct vtd_unit *vtd)
{
	uint32_t version = unit_read32(&vtd->unit, VTD_VER);

	vtd->capability = unit_read64(&vtd->unit, VTD_CAP);
	vtd->extended = unit_read64(&vtd->unit, VTD_ECAP);
	if (version == UINT32_MAX || !(version & VER_MAJOR) || vtd->capability == UINT64_MAX)
		return refuse_unit(vtd, SP_MALFORMED, "registers do not answer");
	vtd->unit.scalable = chooses_scalable(vtd);
	describe_tables(vtd);
	describe_observer(vtd);
	vtd->unit.register_bytes = max_u64(vtd->unit.register_bytes, register_end(vtd));
	if (!(vtd->extended & ECAP_QI))
		return refuse_unit(vtd, SP_UNSUPPORTED, "no queued invalidation (ECAP.QI)");
	if (!vtd->unit.levels)
		return refuse_unit(vtd, SP_UNSUPPORTED,
				   "walks tables of neither 3, 4 nor 5 levels (CAP.SAGAW)");
	if (!can_drain(vtd, version))
		return refuse_unit(vtd, SP_UNSUPPORTED,
				   "does not drain what is under way (CAP.DRD, CAP.DWD)");
	return SP_OK;
}
