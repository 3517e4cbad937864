/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/unit.c - a unit's life: from whatever firmware left, to translating, to off.
 *
 *   firmware's queues off --> device table under it --> ours, and translation, on --> forget all
 *
 * Where firmware left translation on it stays on: the table is replaced under it, and what the unit remembers of
 * the old one is forgotten before anybody relies on the new. Commands are only carried out by a unit that is
 * enabled, so everything is forgotten after that: a unit that was off had nothing to protect before.
 */
#include "drivers/amdvi/unit.h"

#include "lib/text.h"

/* Three commands an id, and the ring must hold a few batches. */
#define IDS_AT_ONCE 256u
#define ID_COUNT    65536u

void amdvi_log(const struct amdvi_unit *amdvi, enum sp_log level, const char *what)
{
	struct text text = { .length = 0 };

	text_hex(text_add(&text, "AMD-Vi unit at "), amdvi->unit.registers.maddr);
	text_add(text_add(&text, ": "), what);
	host_log(amdvi->unit.host, level, text.line);
}

/* Until the masked bits of the status read as wished. */
static enum sp_status await_status(const struct amdvi_unit *amdvi, uint64_t mask, uint64_t wish,
				   const char *what)
{
	void *embedder = amdvi->unit.host->embedder;
	uint64_t begun = platform_now(embedder);

	while ((unit_read64(&amdvi->unit, AMDVI_STATUS) & mask) != wish) {
		if (platform_now(embedder) - begun > UNIT_DEADLINE) {
			amdvi_log(amdvi, SP_LOG_ERROR, what);
			return SP_LOST;
		}
		platform_relax(embedder);
	}
	return SP_OK;
}

/* 3.4.1: all of it in one 64-bit write, so that nothing is on before what it needs. */
void amdvi_set_control(const struct amdvi_unit *amdvi, uint64_t off, uint64_t on)
{
	uint64_t control = unit_read64(&amdvi->unit, AMDVI_CONTROL);

	unit_write64(&amdvi->unit, AMDVI_CONTROL, (control & ~off) | on);
}

static enum sp_status stop_queues(const struct amdvi_unit *amdvi)
{
	amdvi_set_control(amdvi, CONTROL_COMMANDS | CONTROL_EVENT_LOG, 0);
	return await_status(amdvi, STATUS_COMMANDS_RUN | STATUS_EVENT_LOG_RUNS, 0,
			    "command buffer or event log does not stop");
}

/*
 * Everything at once, and nothing but what is named: guest translation, guest interrupts, segments of the device
 * table and the unit's own interrupts, which firmware may have used, are off.
 */
static enum sp_status start_queues(struct amdvi_unit *amdvi)
{
	amdvi->restarted = false;
	amdvi_queue_reset(amdvi);
	amdvi_fault_start(amdvi);
	amdvi_set_control(amdvi, UINT64_MAX,
			  amdvi->control | CONTROL_COHERENT | CONTROL_COMMANDS | CONTROL_EVENT_LOG |
				  CONTROL_ENABLE);
	return await_status(amdvi, STATUS_COMMANDS_RUN, STATUS_COMMANDS_RUN,
			    "the command buffer does not start");
}

/* 3.4.1: eight bytes at once, so base and size agree at any moment. */
static void replace_table(const struct amdvi_unit *amdvi)
{
	unit_write64(&amdvi->unit, AMDVI_DEVICE_TABLE,
		     field_put(DEVICE_TABLE_BASE, amdvi->table.mfn) |
			     field_put(DEVICE_TABLE_SIZE, BIT(TABLE_ORDER) - 1));
}

/* 3.4.1: firmware's exclusion range passes requests untranslated. Its devices have it mapped now, from the IVMD. */
static void close_exclusion(const struct amdvi_unit *amdvi)
{
	unit_write64(&amdvi->unit, AMDVI_EXCLUSION, 0);
}

/* Bring-up and shutdown wait here; nobody else sees the unit then. A stopped ring is restarted. */
static enum sp_status wait_for(struct amdvi_unit *amdvi, uint64_t number)
{
	struct unit *unit = &amdvi->unit;
	enum sp_status status = amdvi_queue_progress(unit);

	while (status == SP_OK && unit->reached < number) {
		platform_relax(unit->host->embedder);
		status = amdvi_queue_progress(unit);
	}
	return status;
}

/* Answers the number to wait for. */
static uint64_t post_batch(struct amdvi_unit *amdvi, uint32_t first)
{
	struct unit *unit = &amdvi->unit;
	uint64_t number;

	lock_take(&unit->queue, unit->host->embedder);
	if (amdvi->features & FEATURE_INVALIDATE_ALL)
		number = amdvi_queue_forget_all(amdvi);
	else
		number = amdvi_queue_forget_ids(amdvi, first, IDS_AT_ONCE);
	lock_drop(&unit->queue);
	return number;
}

static enum sp_status forget_all(struct amdvi_unit *amdvi, bool is_recovering)
{
	bool at_once = amdvi->features & FEATURE_INVALIDATE_ALL;
	enum sp_status status = SP_OK;
	uint64_t number;

	for (uint32_t id = 0; id < ID_COUNT && status == SP_OK;
	     id += at_once ? ID_COUNT : IDS_AT_ONCE) {
		number = post_batch(amdvi, id);
		status = is_recovering ? amdvi_queue_await(amdvi, number) : wait_for(amdvi, number);
	}
	return status;
}

static enum sp_status start(struct unit *unit)
{
	struct amdvi_unit *amdvi = amdvi_unit_of(unit);
	enum sp_status status = amdvi_memory_take(amdvi);

	if (status == SP_OK)
		status = stop_queues(amdvi);
	if (status != SP_OK)
		return status;
	replace_table(amdvi);
	status = start_queues(amdvi);
	if (status != SP_OK)
		return status;
	close_exclusion(amdvi);
	status = forget_all(amdvi, false);
	if (status == SP_OK)
		unit->started = true;
	return status;
}

/* A unit that was reset has translation off: what its devices did since, nobody knows. Only a start is sound then. */
static enum sp_status check_tables(const struct amdvi_unit *amdvi)
{
	const struct unit *unit = &amdvi->unit;

	if (unit_read64(unit, AMDVI_CONTROL) & CONTROL_ENABLE &&
	    field_get(unit_read64(unit, AMDVI_DEVICE_TABLE), DEVICE_TABLE_BASE) == amdvi->table.mfn)
		return SP_OK;
	amdvi_log(amdvi, SP_LOG_ERROR, "does not translate by our table any more: not recovered");
	return SP_LOST;
}

/* Whoever takes faults switches the event log in the same register. */
static enum sp_status switch_ring(struct amdvi_unit *amdvi, bool on)
{
	struct unit *unit = &amdvi->unit;

	lock_take(&unit->queue, unit->host->embedder);
	amdvi_set_control(amdvi, on ? 0 : CONTROL_COMMANDS, on ? CONTROL_COMMANDS : 0);
	lock_drop(&unit->queue);
	return await_status(amdvi, STATUS_COMMANDS_RUN, on ? STATUS_COMMANDS_RUN : 0,
			    on ? "the command buffer does not start"
			       : "the command buffer does not stop");
}

/* 3.4.1: what the ring still held when it stopped is never carried out. */
static enum sp_status recover(struct unit *unit)
{
	struct amdvi_unit *amdvi = amdvi_unit_of(unit);
	enum sp_status status = check_tables(amdvi);

	if (status == SP_OK)
		status = switch_ring(amdvi, false);
	if (status != SP_OK)
		return status;
	amdvi->restarted = false;
	amdvi_queue_reset(amdvi);
	status = switch_ring(amdvi, true);
	return status == SP_OK ? forget_all(amdvi, true) : status;
}

/*
 * The tables are given back only when the unit said that it reads them no more; otherwise they are the unit's
 * for ever.
 */
static void stop(struct unit *unit)
{
	struct amdvi_unit *amdvi = amdvi_unit_of(unit);
	enum sp_status status = unit->observer.lost ? SP_LOST : SP_OK;

	if (status == SP_OK)
		status = forget_all(amdvi, false);
	if (status == SP_OK)
		status = stop_queues(amdvi);
	if (status == SP_OK) {
		amdvi_set_control(amdvi, CONTROL_ENABLE, 0);
		unit_write64(unit, AMDVI_DEVICE_TABLE, 0);
		amdvi_memory_give(amdvi);
	}
	unit->started = false;
}

const struct iommu_ops amdvi_ops = {
	.start = start,
	.stop = stop,
	.attach = amdvi_attach,
	.prepare_entry = amdvi_prepare_entry,
	.post = amdvi_queue_post,
	.progress = amdvi_queue_progress,
	.recover = recover,
	.fence = amdvi_fence,
	.next_fault = amdvi_next_fault,
	.set_irte = amdvi_set_irte,
	.message = amdvi_message_for,
};

_Static_assert(3 * IDS_AT_ONCE + 3 + UNIT_ATCS + QUEUE_SPARE < QUEUE_DESCRIPTORS,
	       "one batch of ids fits the ring");
