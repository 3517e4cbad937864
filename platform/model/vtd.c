/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/vtd.c - the registers of a VT-d unit. VT-d specification, chapter 11.
 *
 *   000 VER    008 CAP    010 ECAP   018 GCMD   01c GSTS   020 RTADDR 028 CCMD
 *   034 FSTS   038 FECTL  03c FEDATA 040 FEADDR 080 IQH    088 IQT    090 IQA
 *   09c ICS    0a0 IECTL  0b0 IQERCD 0b8 IRTA
 *   200 IVA    208 IOTLB  220 FRCD, 16 bytes each
 *
 * Late units show what was commanded only at the second look at a status; dead ones never.
 */
#include "machine.h"

#define B(n)	  (1ull << (n))
#define IVA_AT	  0x200u
#define IOTLB_AT  0x208u
#define FRCD_AT	  0x220u
#define GSTS_TE	  (1u << 31)
#define GSTS_QIE  (1u << 26)
#define GSTS_IRE  (1u << 25)
#define ONE_SHOTS (1u << 30 | 1u << 29 | 1u << 27 | 1u << 24) /* SRTP SFL WBF SIRTP */
#define LASTING	  (1u << 31 | 1u << 28 | 1u << 26 | 1u << 25 | 1u << 23)

/* --- capabilities ---------------------------------------------------------------------------- */

uint64_t vtd_cap(const struct model *model, const struct unit *unit)
{
	const struct model_unit_config *config = &unit->config;
	uint64_t sagaw = config->walk_levels >> 2; /* bit 1: 3 levels */
	uint64_t width = config->walk_levels & 0x20 ? 57 : config->walk_levels & 0x10 ? 48 : 39;

	(void)model;
	return (config->domain_bits - 4u) / 2 | (config->write_buffer ? B(4) : 0) |
	       (config->caches_not_present ? B(7) : 0) | sagaw << 8 | (width - 1) << 16 |
	       (uint64_t)(FRCD_AT / 16) << 24 | (uint64_t)(config->large_pages >> 1 & 3) << 34 |
	       (config->no_psi ? 0 : B(39)) | (uint64_t)(config->fault_records - 1) << 40 |
	       (uint64_t)config->max_mask << 48 | (config->no_drain ? 0 : B(54) | B(55));
}

/* C, QI, DT, IR, PT; IRO; DIT; SMTS, SSTS, SMPWC. */
uint64_t vtd_ecap(const struct unit *unit)
{
	return (unit->config.not_coherent ? 0 : B(0)) | B(1) | (unit->config.ats ? B(2) : 0) |
	       (unit->config.no_remapping ? 0 : B(3)) | B(6) | (uint64_t)(IVA_AT / 16) << 8 |
	       (unit->config.throttles ? B(41) : 0) | (unit->config.scalable ? B(43) | B(46) : 0) |
	       (unit->config.scalable && unit->walk_view == VIEW_CPU ? B(48) : 0);
}

/* --- commands -------------------------------------------------------------------------------- */

static bool is_late(const struct unit *unit)
{
	return unit->config.answers == MODEL_LATE || unit->config.answers == MODEL_NEVER;
}

static void settle_status(struct model *model, struct unit *unit)
{
	uint32_t before = unit->gsts;

	unit->gsts = unit->gsts_next;
	if (!(before & GSTS_TE) && (unit->gsts & GSTS_TE))
		unit_wake(model, unit);
	if (!(before & GSTS_QIE) && (unit->gsts & GSTS_QIE)) {
		unit->iqh = 0;
		unit_ring(model, unit);
	}
}

/* A look at a status register: late hardware answers the second one. */
static void look_at_status(struct model *model, struct unit *unit)
{
	if (unit->config.answers == MODEL_NEVER)
		return;
	if (unit->reads_until_ready && --unit->reads_until_ready)
		return;
	settle_status(model, unit);
	unit->ccmd &= ~(unit->ccmd >> 58 & 1 ? B(63) | B(58) : 0);
	unit->iotlb &= ~(unit->iotlb >> 62 & 1 ? B(63) | B(62) : 0);
}

/*
 * What the manual forbids, and the one thing that containment forbids: to stop while a device may
 * run.
 */
static void check_command(struct model *model, const struct unit *unit, uint32_t value)
{
	uint32_t changed = ((value ^ unit->gsts) & LASTING) | (value & ONE_SHOTS);

	if (__builtin_popcount(changed) > 1)
		model_violate(model,
			      "manual: GCMD 0x%x changes more than one thing (VT-d 11.4.4.1)",
			      value);
	if ((value & 1u << 30) && (unit->gsts & GSTS_TE) &&
	    ((unit->rtaddr ^ unit->root_latched) & 0xc00))
		model_violate(model, "manual: the table mode changes while translation is on");
	if ((value & 1u << 30) && (unit->rtaddr & 0xc00) > (unit->config.scalable ? 0x400u : 0))
		model_violate(model, "manual: a table mode that the unit does not have");
	if ((changed & value & GSTS_TE) && vtd_is_scalable(unit) && !(unit->iqa & 0x800))
		model_violate(model, "manual: scalable mode with a queue of 128 bits");
	if (unit->gsts != unit->gsts_next && unit->config.answers != MODEL_NEVER)
		model_violate(model, "manual: GCMD written before GSTS showed the command before");
	if ((changed & value & GSTS_TE) && !(unit->gsts & 1u << 30))
		model_violate(model, "manual: translation enabled before a root table was set");
	if ((changed & value & GSTS_IRE) && !(unit->gsts & 1u << 24))
		model_violate(model,
			      "manual: interrupt remapping enabled before its table was set");
	if ((changed & ~value & GSTS_QIE) && unit->iqh != unit->iqt)
		model_violate(model, "manual: the queue is switched off while it is not empty");
	if ((changed & ~value & GSTS_TE))
		unit_window((struct model *)(uintptr_t)model, unit);
}

/*
 * VT-d 11.4.4.1: one thing at a time. Lasting bits go as they are written; SRTP and SIRTP latch an
 * address, and their status stays set from the first time on.
 */
static void write_gcmd(struct model *model, struct unit *unit, uint32_t value)
{
	check_command(model, unit, value);
	if (unit->config.answers == MODEL_NEVER)
		return;
	unit->gsts_next = (unit->gsts & ~LASTING) | (value & LASTING);
	if (value & 1u << 30) {
		unit->root_latched = unit->rtaddr;
		unit->gsts_next |= 1u << 30;
	}
	if (value & 1u << 24) {
		unit->irta_latched = unit->irta;
		unit->gsts_next |= 1u << 24;
	}
	if (value & 1u << 27) {
		ram_drain_buffer(model);
		command_log(model, &(struct model_command){ .unit = unit->index,
							    .kind = MODEL_CMD_WRITE_BUFFER });
	}
	unit->reads_until_ready = 2;
	if (!is_late(unit))
		settle_status(model, unit);
}

/* The old interface; gone while the queue is on, where a poll for its end would never end. */
static bool is_refused(struct model *model, const struct unit *unit)
{
	if (unit->gsts & GSTS_QIE)
		model_violate(
			model,
			"manual: register-based invalidation while the queue is on (VT-d 6.5)");
	return (unit->gsts & GSTS_QIE) || unit->config.answers == MODEL_NEVER;
}

static void write_ccmd(struct model *model, struct unit *unit, uint64_t value)
{
	uint32_t grain = value >> 61 & 3;

	unit->ccmd = value & ~(B(60) | B(59) | B(58));
	if (!(value & B(63)) || is_refused(model, unit))
		return;
	if (vtd_invalidate_context(model, unit, grain, value & 0xffff, value >> 16 & 0xffff,
				   value >> 32 & 3))
		unit->ccmd |= (uint64_t)grain << 59;
	unit->ccmd |= B(58);
	unit->reads_until_ready = 2;
	if (!is_late(unit))
		unit->ccmd &= ~(B(63) | B(58));
}

static void write_iotlb(struct model *model, struct unit *unit, uint64_t value)
{
	static const enum model_command_kind kinds[] = { MODEL_CMD_OTHER, MODEL_CMD_IOTLB_ALL,
							 MODEL_CMD_IOTLB_DOMAIN,
							 MODEL_CMD_IOTLB_PAGES };
	uint32_t grain = value >> 60 & 3;
	struct model_command asked = { .unit = unit->index,
				       .kind = kinds[grain],
				       .domain = value >> 32 & 0xffff,
				       .first = unit->iva >> FRAME_ORDER,
				       .order = unit->iva & 0x3f,
				       .links = !(unit->iva & B(6)),
				       .drains = (value >> 48 & 3) == 3 };

	unit->iotlb = value & ~(B(58) | B(57) | B(62));
	if (!(value & B(63)) || is_refused(model, unit))
		return;
	if (vtd_invalidate_iotlb(model, unit, &asked))
		unit->iotlb |= (uint64_t)grain << 57;
	unit->iotlb |= B(62);
	unit->reads_until_ready = 2;
	if (!is_late(unit))
		unit->iotlb &= ~(B(63) | B(62));
}

/* --- faults ---------------------------------------------------------------------------------- */

/* VT-d 7.2.1: into the next record if it is free, else the fault is lost and PFO says so. */
void vtd_fault(struct model *model, struct unit *unit, uint16_t requester, uint64_t info,
	       bool write, uint32_t reason)
{
	uint64_t *record = unit->fault[unit->next_fault];

	if (model->looking || (unit->fsts & 1))
		return;
	if (record[1] & B(63)) {
		unit->fsts |= 1;
		return;
	}
	record[0] = info;
	record[1] = B(63) | (write ? 0 : B(62)) | (uint64_t)reason << 32 | requester;
	if (!(unit->fsts & 2))
		unit->fsts = (unit->fsts & ~0xff00u) | unit->next_fault << 8;
	unit->fsts |= 2;
	unit->next_fault = (unit->next_fault + 1) % unit->config.fault_records;
	/* The unit's own message is not remapped. */
	if (!(unit->fectl & 1u << 31))
		model_deliver(model, (uint8_t)unit->fedata);
	else
		unit->fectl |= 1u << 30;
}

/* VT-d 11.4.14: F goes by writing one; PPF is nothing but all the Fs. */
static void clear_fault(struct unit *unit, uint32_t index)
{
	unit->fault[index][1] &= ~B(63);
	unit->fsts &= ~2u;
	for (uint32_t i = 0; i < unit->config.fault_records; i++)
		if (unit->fault[i][1] & B(63))
			unit->fsts |= 2;
}

/* PPF is the records' own; PFO goes by writing a one. */
static void write_fsts(struct model *model, struct unit *unit, uint32_t value)
{
	unit->fsts &= ~(value & 1u);
	vtd_clear_errors(model, unit, value);
}

/* --- reading and writing --------------------------------------------------------------------- */

/* Those of 8 bytes that only keep what is written; halves may be accessed alone. */
static uint64_t *wide_register(struct unit *unit, uint64_t offset)
{
	switch (offset) {
	case 0x20:
		return &unit->rtaddr;
	case 0x28:
		return &unit->ccmd;
	case 0x90:
		return &unit->iqa;
	case 0xb0:
		return &unit->iqercd;
	case 0xb8:
		return &unit->irta;
	case IVA_AT:
		return &unit->iva;
	case IOTLB_AT:
		return &unit->iotlb;
	default:
		return NULL;
	}
}

/* Those of 4 bytes: an access of 8 is an error of the driver, and stops some emulators dead. */
static uint32_t *narrow_register(struct unit *unit, uint64_t offset)
{
	switch (offset) {
	case 0x1c:
		return &unit->gsts;
	case 0x34:
		return &unit->fsts;
	case 0x38:
		return &unit->fectl;
	case 0x3c:
		return &unit->fedata;
	case 0x40:
		return &unit->feaddr;
	case 0x9c:
		return &unit->ics;
	case 0xa0:
		return &unit->iectl;
	default:
		return NULL;
	}
}

static bool is_record(const struct unit *unit, uint64_t offset)
{
	return offset >= FRCD_AT && offset < FRCD_AT + 16u * unit->config.fault_records;
}

static uint64_t read_wide(struct model *model, struct unit *unit, uint64_t offset)
{
	uint64_t *storage = wide_register(unit, offset);

	if (offset == 0x28 || offset == IOTLB_AT)
		look_at_status(model, unit);
	if (is_record(unit, offset))
		return unit->fault[(offset - FRCD_AT) / 16][offset >> 3 & 1];
	if (offset == 0x08)
		return vtd_cap(model, unit);
	if (offset == 0x10)
		return vtd_ecap(unit);
	if (offset == 0x80)
		return unit->iqh;
	if (offset == 0x88)
		return unit->iqt;
	return storage ? *storage : 0;
}

/* A status bit in the middle of a wait is the model's own; the core sees the manual's bits. */
static uint64_t visible(uint64_t offset, uint64_t value)
{
	if (offset == 0x28)
		return value & ~B(58);
	return offset == IOTLB_AT ? value & ~B(62) : value;
}

uint64_t vtd_read(struct model *model, struct unit *unit, uint64_t offset, uint32_t bytes)
{
	uint32_t *narrow = narrow_register(unit, offset);
	uint64_t value;

	if (narrow || offset == 0 || offset == 0x18) {
		if (bytes != 4)
			model_violate(model, "manual: 8-byte read of a 4-byte register, 0x%llx",
				      (unsigned long long)offset);
		if (offset == 0x1c)
			look_at_status(model, unit);
		if (offset == 0x34)
			vtd_settle_held(model, unit);
		return narrow ? *narrow : offset ? 0 : (uint32_t)unit->config.version << 4;
	}
	value = visible(offset & ~7ull, read_wide(model, unit, offset & ~7ull));
	return bytes == 8 ? value : (uint32_t)(value >> 8 * (offset & 4));
}

static void write_wide(struct model *model, struct unit *unit, uint64_t offset, uint64_t value,
		       bool upper)
{
	uint64_t *storage = wide_register(unit, offset);

	if (offset == 0x88) {
		unit->iqt = (uint32_t)value & (unit->iqa & 0x800 ? 0x7ffe0 : 0x7fff0);
		if (unit->gsts & GSTS_QIE)
			unit_ring(model, unit);
	} else if (is_record(unit, offset)) {
		if ((offset >> 3 & 1) && (value & B(63)))
			clear_fault(unit, (uint32_t)(offset - FRCD_AT) / 16);
	} else if (offset == 0x28 && upper) {
		write_ccmd(model, unit, value);
	} else if (offset == IOTLB_AT && upper) {
		write_iotlb(model, unit, value);
	} else if (offset == 0x90 && (unit->gsts & GSTS_QIE)) {
		model_violate(model, "manual: IQA written while the queue is on");
	} else if (storage && offset != 0xb0) {
		*storage = value;
	}
}

static void write_narrow(struct model *model, struct unit *unit, uint64_t offset, uint32_t value)
{
	uint32_t *storage = narrow_register(unit, offset);

	if (offset == 0x18)
		write_gcmd(model, unit, value);
	else if (offset == 0x34)
		write_fsts(model, unit, value);
	else if (offset == 0x9c)
		unit->ics &= ~(value & 1);
	else if (offset == 0x38 || offset == 0xa0)
		*storage = (*storage & 1u << 30) | (value & 1u << 31);
	else if (storage && offset != 0x1c)
		*storage = value;
}

void vtd_write(struct model *model, struct unit *unit, uint64_t offset, uint32_t bytes,
	       uint64_t value)
{
	uint64_t whole;

	if (narrow_register(unit, offset) || offset == 0x18) {
		if (bytes != 4)
			model_violate(model, "manual: 8-byte write of a 4-byte register, 0x%llx",
				      (unsigned long long)offset);
		write_narrow(model, unit, offset, (uint32_t)value);
		return;
	}
	if (bytes == 8) {
		write_wide(model, unit, offset, value, true);
		return;
	}
	/* Half of a register; a fault record's F is cleared by its own half alone. */
	whole = is_record(unit, offset & ~7ull) ? 0 : read_wide(model, unit, offset & ~7ull);
	whole = offset & 4 ? (whole & UINT32_MAX) | value << 32
			   : (whole & ~(uint64_t)UINT32_MAX) | (uint32_t)value;
	write_wide(model, unit, offset & ~7ull, whole, offset & 4);
}
