/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/unit.c - a unit's life: from whatever firmware left, to translating, to off.
 *
 *   firmware's queue off --> ours on --> root under it --> forget all --> interrupt entries --> TE on --> PMRs off
 *
 * Where firmware left translation on it stays on: the root is replaced under it (11.4.5, 6.6), and what the unit
 * remembers of the old one is forgotten before anybody relies on the new.
 */
#include "drivers/vtd/unit.h"

#include "lib/text.h"
#include "memory.h"

void vtd_log(const struct vtd_unit *vtd, enum sp_log level, const char *what)
{
	struct text text = { .length = 0 };

	text_hex(text_add(&text, "VT-d unit at "), vtd->unit.registers.maddr);
	text_add(text_add(&text, ": "), what);
	host_log(vtd->unit.host, level, text.line);
}

void vtd_write_back(const struct vtd_unit *vtd, const void *first, size_t bytes)
{
	if (!vtd->coherent)
		platform_write_back(vtd->unit.host->embedder, first, bytes);
}

/* Until the masked bits of a 32-bit register read as wished. */
static enum sp_status await32(const struct vtd_unit *vtd, reg32_t reg, uint32_t mask, uint32_t wish,
			      const char *what)
{
	void *embedder = vtd->unit.host->embedder;
	uint64_t begun = platform_now(embedder);

	while ((unit_read32(&vtd->unit, reg) & mask) != wish) {
		if (platform_now(embedder) - begun > UNIT_DEADLINE) {
			vtd_log(vtd, SP_LOG_ERROR, what);
			return SP_LOST;
		}
		platform_relax(embedder);
	}
	return SP_OK;
}

/*
 * 11.4.4: one bit a write, the lasting ones written back as they stand, and the next write only after the status
 * followed. Bits that are commands in GCMD are states in GSTS and must not be written back.
 */
static enum sp_status set_gcmd(struct vtd_unit *vtd, uint32_t bit, bool on, const char *what)
{
	uint32_t lasting = unit_read32(&vtd->unit, VTD_GSTS) & GSTS_LASTING;

	unit_write32(&vtd->unit, VTD_GCMD, on ? lasting | bit : lasting & ~bit);
	/* A write buffer flush is the one whose status goes back to 0 when it is done. */
	return await32(vtd, VTD_GSTS, bit, on && bit != GCMD_WBF ? bit : 0, what);
}

static bool is_on(const struct vtd_unit *vtd, uint32_t bit)
{
	return unit_read32(&vtd->unit, VTD_GSTS) & bit;
}

/* 6.8: tables that were stored before the unit was told of them. */
static enum sp_status flush_write_buffer(struct vtd_unit *vtd)
{
	if (!(vtd->capability & CAP_RWBF))
		return SP_OK;
	return set_gcmd(vtd, GCMD_WBF, true, "the write buffer is not flushed");
}

/* 6.5.2: a queue is disabled only when everything in it was carried out. */
static enum sp_status drain_queue(struct vtd_unit *vtd)
{
	void *embedder = vtd->unit.host->embedder;
	uint64_t begun = platform_now(embedder);

	while (unit_read64(&vtd->unit, VTD_IQH) != unit_read64(&vtd->unit, VTD_IQT)) {
		if (platform_now(embedder) - begun > UNIT_DEADLINE) {
			vtd_log(vtd, SP_LOG_ERROR, "the invalidation queue does not run empty");
			return SP_LOST;
		}
		platform_relax(embedder);
	}
	return SP_OK;
}

static enum sp_status stop_queue(struct vtd_unit *vtd)
{
	enum sp_status status;

	if (!is_on(vtd, GCMD_QIE))
		return SP_OK;
	status = drain_queue(vtd);
	if (status == SP_OK)
		status = set_gcmd(vtd, GCMD_QIE, false, "the invalidation queue does not stop");
	return status;
}

/* Old errors would stop the new queue at once (11.4.7.1), so they go first. */
static enum sp_status start_queue(struct vtd_unit *vtd)
{
	enum sp_status status = stop_queue(vtd);

	if (status != SP_OK)
		return status;
	unit_write32(&vtd->unit, VTD_FSTS, FSTS_QUEUE);
	vtd_queue_reset(vtd);
	return set_gcmd(vtd, GCMD_QIE, true, "the invalidation queue does not start");
}

/* Everything the unit remembers; bring-up and shutdown wait for it here, nobody else sees the unit then. */
static enum sp_status forget_all(struct vtd_unit *vtd)
{
	struct unit *unit = &vtd->unit;
	uint64_t number = vtd_queue_forget_all(vtd);
	enum sp_status status = vtd_queue_progress(unit);

	while (status == SP_OK && unit->reached < number) {
		platform_relax(unit->host->embedder);
		status = vtd_queue_progress(unit);
	}
	return status;
}

static uint64_t own_root(const struct vtd_unit *vtd)
{
	return field_put(RTADDR_TABLE, vtd->root.mfn) |
	       field_put(RTADDR_MODE, vtd->unit.scalable ? MODE_SCALABLE : MODE_LEGACY);
}

/* 11.4.5: the table mode must not change while translation is on. */
static enum sp_status check_mode(const struct vtd_unit *vtd)
{
	uint64_t theirs = unit_read64(&vtd->unit, VTD_RTADDR) & RTADDR_MODE;

	if (!is_on(vtd, GCMD_TE) || theirs == (own_root(vtd) & RTADDR_MODE))
		return SP_OK;
	vtd_log(vtd, SP_LOG_ERROR,
		"firmware left it translating in a mode that is not ours: switch pre-boot DMA protection off in firmware");
	return SP_UNSUPPORTED;
}

/* 6.6: after the root, context cache, PASID cache and then IOTLB are forgotten globally. */
static enum sp_status replace_root(struct vtd_unit *vtd)
{
	enum sp_status status = flush_write_buffer(vtd);

	if (status != SP_OK)
		return status;
	unit_write64(&vtd->unit, VTD_RTADDR, own_root(vtd));
	status = set_gcmd(vtd, GCMD_SRTP, true, "the root table is not taken");
	return status == SP_OK ? forget_all(vtd) : status;
}

/*
 * 5.1, 11.4.11: the table of absent entries first, what is remembered of another forgotten, then remapping on.
 * With CFI off, messages of the old format are blocked too.
 */
static enum sp_status start_remapping(struct vtd_unit *vtd)
{
	enum sp_status status;

	if (!vtd->unit.interrupt_remapping)
		return SP_OK;
	unit_write64(&vtd->unit, VTD_IRTA,
		     field_put(IRTA_TABLE, vtd->interrupts.mfn) |
			     field_put(IRTA_SIZE, order_floor(INTERRUPT_ENTRIES) - 1));
	status = set_gcmd(vtd, GCMD_SIRTP, true, "the interrupt remapping table is not taken");
	if (status == SP_OK)
		status = forget_all(vtd);
	if (status == SP_OK)
		status = set_gcmd(vtd, GCMD_CFI, false, "old interrupt messages are not blocked");
	if (status == SP_OK)
		status = set_gcmd(vtd, GCMD_IRE, true, "interrupt remapping does not start");
	return status;
}

/* 11.4.8: firmware's fence around memory. Translation is on, so the tables decide from now on. */
static enum sp_status open_protected_memory(struct vtd_unit *vtd)
{
	uint32_t enable;

	if (!(vtd->capability & (CAP_PLMR | CAP_PHMR)))
		return SP_OK;
	enable = unit_read32(&vtd->unit, VTD_PMEN);
	unit_write32(&vtd->unit, VTD_PMEN, enable & ~PMEN_ENABLE);
	return await32(vtd, VTD_PMEN, PMEN_STATUS, 0, "protected memory regions stay on");
}

/* No interrupt of the unit's own: completions and faults are asked for. Faults go to the records, not to a log. */
static enum sp_status silence(struct vtd_unit *vtd)
{
	unit_write32(&vtd->unit, VTD_FECTL, EVENT_MASKED);
	unit_write32(&vtd->unit, VTD_IECTL, EVENT_MASKED);
	if (is_on(vtd, GCMD_EAFL))
		return set_gcmd(vtd, GCMD_EAFL, false, "the advanced fault log does not stop");
	return SP_OK;
}

static enum sp_status start(struct unit *unit)
{
	struct vtd_unit *vtd = vtd_unit_of(unit);
	enum sp_status status = vtd_memory_take(vtd);

	if (status == SP_OK)
		status = check_mode(vtd);
	if (status == SP_OK)
		status = silence(vtd);
	if (status == SP_OK)
		status = start_queue(vtd);
	if (status == SP_OK)
		status = replace_root(vtd);
	if (status == SP_OK)
		status = start_remapping(vtd);
	if (status == SP_OK)
		status = set_gcmd(vtd, GCMD_TE, true, "translation does not start");
	if (status == SP_OK)
		status = open_protected_memory(vtd);
	if (status != SP_OK)
		return status;
	vtd_fault_start(vtd);
	unit->started = true;
	return SP_OK;
}

/* A unit that was reset has translation off: what its devices did since, nobody knows. Only a start is sound then. */
static enum sp_status check_tables(const struct vtd_unit *vtd)
{
	const struct unit *unit = &vtd->unit;

	if (is_on(vtd, GCMD_TE) && (!unit->interrupt_remapping || is_on(vtd, GCMD_IRE)) &&
	    (unit_read64(unit, VTD_RTADDR) & (RTADDR_TABLE | RTADDR_MODE)) == own_root(vtd))
		return SP_OK;
	vtd_log(vtd, SP_LOG_ERROR, "does not translate by our tables any more: not recovered");
	return SP_LOST;
}

/* 6.5.2: the queue runs empty before it goes off, so no old wait is answered any more when the new one is. */
static enum sp_status recover(struct unit *unit)
{
	struct vtd_unit *vtd = vtd_unit_of(unit);
	enum sp_status status = check_tables(vtd);
	uint64_t number;

	if (status == SP_OK)
		status = vtd_queue_unblock(vtd);
	if (status == SP_OK)
		status = start_queue(vtd);
	if (status != SP_OK)
		return status;
	lock_take(&unit->queue, unit->host->embedder);
	number = vtd_queue_forget_all(vtd);
	lock_drop(&unit->queue);
	return vtd_queue_await(vtd, number);
}

/*
 * The tables are given back only when the unit said that it reads them no more; otherwise they are the unit's
 * for ever.
 */
static void stop(struct unit *unit)
{
	struct vtd_unit *vtd = vtd_unit_of(unit);
	enum sp_status status = unit->observer.lost ? SP_LOST : SP_OK;

	if (status == SP_OK)
		status = set_gcmd(vtd, GCMD_TE, false, "translation does not stop");
	/* 4.3: to devices' caches nothing is sent while translation is off. */
	unit->atc_count = 0;
	if (status == SP_OK && unit->interrupt_remapping)
		status = set_gcmd(vtd, GCMD_IRE, false, "interrupt remapping does not stop");
	if (status == SP_OK)
		status = forget_all(vtd);
	if (status == SP_OK)
		status = stop_queue(vtd);
	if (status == SP_OK)
		vtd_memory_give(vtd);
	unit->started = false;
}

const struct iommu_ops vtd_ops = {
	.start = start,
	.stop = stop,
	.attach = vtd_attach,
	.prepare_entry = vtd_prepare_entry,
	.post = vtd_queue_post,
	.progress = vtd_queue_progress,
	.recover = recover,
	.fence = vtd_fence,
	.next_fault = vtd_next_fault,
	.set_irte = vtd_set_irte,
	.message = vtd_message_for,
};
