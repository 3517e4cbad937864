/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/fault.c - what the unit blocked: fault recording registers, decoded. VT-d 7.2, 11.4.7.
 *
 *   record[fault_next] is the oldest that hardware filled; it goes round. F set: taken by hardware, cleared by us.
 *   Where hardware begins it says itself (FSTS.FRI): it goes on where firmware's last fault left it.
 */
#include "drivers/vtd/unit.h"

/* 7.1.3 Fault Reason Encodings, legacy mode, interrupts, scalable mode. What is not named here is SP_FAULT_OTHER. */
static const uint8_t kind_of_reason[] = {
	[0x01] = SP_FAULT_ENTRY + 1,	 /* root entry absent */
	[0x02] = SP_FAULT_ENTRY + 1,	 /* context entry absent */
	[0x03] = SP_FAULT_ENTRY + 1,	 /* context entry contradicts the unit */
	[0x04] = SP_FAULT_ADDRESS + 1,	 /* beyond the width */
	[0x05] = SP_FAULT_WRITE + 1,	 /* no write right: an absent slot has none either */
	[0x06] = SP_FAULT_READ + 1,	 /* no read right */
	[0x07] = SP_FAULT_TABLE + 1,	 /* a table cannot be read */
	[0x08] = SP_FAULT_ENTRY + 1,	 /* nor the root table */
	[0x09] = SP_FAULT_ENTRY + 1,	 /* nor the context table */
	[0x0a] = SP_FAULT_ENTRY + 1,	 /* reserved bits: root entry */
	[0x0b] = SP_FAULT_ENTRY + 1,	 /* context entry */
	[0x0c] = SP_FAULT_TABLE + 1,	 /* slot */
	[0x0d] = SP_FAULT_ENTRY + 1,	 /* a translated request that the entry blocks */
	[0x0e] = SP_FAULT_ADDRESS + 1,	 /* leads to the message window */
	[0x20] = SP_FAULT_INTERRUPT + 1, /* reserved bits in the request */
	[0x21] = SP_FAULT_INTERRUPT + 1, /* index beyond the table */
	[0x22] = SP_FAULT_INTERRUPT + 1, /* entry absent */
	[0x23] = SP_FAULT_INTERRUPT + 1, /* table cannot be read */
	[0x24] = SP_FAULT_INTERRUPT + 1, /* reserved bits in the entry */
	[0x25] = SP_FAULT_INTERRUPT + 1, /* old message format */
	[0x26] = SP_FAULT_INTERRUPT + 1, /* another requester's entry */
	[0x27] = SP_FAULT_INTERRUPT + 1, /* posted descriptor cannot be read */
	[0x28] = SP_FAULT_INTERRUPT + 1, /* reserved bits in it */
	[0x30] = SP_FAULT_ENTRY + 1,	 /* the root table's address or mode */
	[0x38] = SP_FAULT_ENTRY + 1,	 /* root entry: cannot be read */
	[0x39] = SP_FAULT_ENTRY + 1,	 /* absent */
	[0x3a] = SP_FAULT_ENTRY + 1,	 /* reserved bits */
	[0x40] = SP_FAULT_ENTRY + 1,	 /* context entry: cannot be read */
	[0x41] = SP_FAULT_ENTRY + 1,	 /* absent */
	[0x42] = SP_FAULT_ENTRY + 1,	 /* reserved bits */
	[0x43] = SP_FAULT_ENTRY + 1,	 /* contradicts the unit */
	[0x44] = SP_FAULT_ENTRY + 1,	 /* a device's cache that it does not let through */
	[0x45] = SP_FAULT_ENTRY + 1,	 /* a request with PASID, likewise */
	[0x46] = SP_FAULT_ENTRY + 1,	 /* beyond the directory */
	[0x48] = SP_FAULT_ENTRY + 1,	 /* the PASID of requests without one */
	[0x50] = SP_FAULT_ENTRY + 1,	 /* directory entry: cannot be read */
	[0x51] = SP_FAULT_ENTRY + 1,	 /* absent */
	[0x52] = SP_FAULT_ENTRY + 1,	 /* reserved bits */
	[0x58] = SP_FAULT_ENTRY + 1,	 /* PASID entry: cannot be read */
	[0x59] = SP_FAULT_ENTRY + 1,	 /* absent */
	[0x5a] = SP_FAULT_ENTRY + 1,	 /* reserved bits */
	[0x5b] = SP_FAULT_ENTRY + 1,	 /* contradicts the unit */
	[0x78] = SP_FAULT_TABLE + 1,	 /* a table cannot be read */
	[0x79] = SP_FAULT_NOT_PRESENT + 1, [0x7a] = SP_FAULT_TABLE + 1, /* slot */
	[0x7b] = SP_FAULT_TABLE + 1,					/* the table's address */
	[0x83] = SP_FAULT_ADDRESS + 1, /* beyond what the unit knows */
	[0x84] = SP_FAULT_ADDRESS + 1, /* beyond the width */
	[0x85] = SP_FAULT_WRITE + 1,	   [0x86] = SP_FAULT_READ + 1,
	[0x87] = SP_FAULT_ADDRESS + 1, /* leads to the message window */
};

enum sp_fault_kind sp_fault_kind_vtd(uint8_t reason)
{
	if (reason >= sizeof(kind_of_reason) || !kind_of_reason[reason])
		return SP_FAULT_OTHER;
	return (enum sp_fault_kind)(kind_of_reason[reason] - 1);
}

static uint32_t record_count(const struct vtd_unit *vtd)
{
	return (uint32_t)field_get(vtd->capability, CAP_NFR) + 1;
}

static uint32_t record_offset(const struct vtd_unit *vtd, uint32_t index)
{
	return (uint32_t)field_get(vtd->capability, CAP_FRO) * 16 + index * FAULT_BYTES;
}

static void decode(const struct vtd_unit *vtd, uint64_t low, uint64_t high, struct sp_fault *fault)
{
	uint8_t reason = (uint8_t)field_get(high, FAULT_REASON);
	enum sp_fault_kind kind = sp_fault_kind_vtd(reason);
	uint64_t mask = kind == SP_FAULT_INTERRUPT ? FAULT_INDEX : FAULT_FRAME;

	*fault = (struct sp_fault){
		.unit = vtd->unit.registers,
		.vendor = SP_VENDOR_VTD,
		.requester = { (uint32_t)vtd->unit.segment << 16 |
			       (uint32_t)field_get(high, FAULT_SOURCE) },
		.frame = { field_get(low, mask) },
		.write = !(high & FAULT_READ) || high & FAULT_ATOMIC,
		.has_address = true,
		.kind = kind,
		.reason = reason,
		.overflow = vtd->faults_lost,
	};
}

/* The low half is read before F is cleared: then hardware may fill the record again. */
static bool take_record(struct vtd_unit *vtd, uint32_t index, struct sp_fault *fault)
{
	uint32_t offset = record_offset(vtd, index);
	uint64_t high = unit_read64(&vtd->unit, REG64(offset + 8));

	if (!(high & FAULT_PENDING))
		return false;
	decode(vtd, unit_read64(&vtd->unit, REG64(offset)), high, fault);
	unit_write32(&vtd->unit, REG32(offset + 12), FAULT_CLEAR);
	vtd->fault_next = (index + 1) % record_count(vtd);
	vtd->faults_lost = false;
	return true;
}

/*
 * 7.2.1: with every record full hardware drops faults, and records none until it is told that this was seen. What
 * it dropped came after every record that is still there: so those are taken first.
 */
static void note_overflow(struct vtd_unit *vtd)
{
	if (!MUTANT(vtd->unit.host, SP_MUT_OVERFLOW_KEPT))
		unit_write32(&vtd->unit, VTD_FSTS, FSTS_PFO);
	vtd->faults_lost = true;
}

/* 11.4.7.1: the index is that of the moment in which PPF was set. Later we know better. */
static void find_oldest(struct vtd_unit *vtd, uint32_t status)
{
	if (status & FSTS_PPF && !vtd->fault_known)
		vtd->fault_next = (uint32_t)field_get(status, FSTS_RECORD) % record_count(vtd);
	vtd->fault_known = status & FSTS_PPF;
}

enum sp_status vtd_next_fault(struct unit *unit, struct sp_fault *fault)
{
	struct vtd_unit *vtd = vtd_unit_of(unit);
	uint32_t count = record_count(vtd), i;
	uint32_t status = unit_read32(unit, VTD_FSTS);

	find_oldest(vtd, status);
	for (i = 0; i < count && status & FSTS_PPF; i++)
		if (take_record(vtd, (vtd->fault_next + i) % count, fault))
			return SP_OK;
	if (status & FSTS_PFO)
		note_overflow(vtd);
	return SP_NOT_FOUND;
}

/* What firmware's time left behind says nothing about ours. */
void vtd_fault_start(struct vtd_unit *vtd)
{
	struct sp_fault old;
	uint32_t i;

	for (i = 0; i < record_count(vtd); i++)
		(void)take_record(vtd, i, &old);
	unit_write32(&vtd->unit, VTD_FSTS, FSTS_PFO);
	vtd->fault_known = false;
	vtd->faults_lost = false;
}
