/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/interrupt.c - a unit's interrupt remapping entries.
 *
 * They are in no domain's ledger: no frame waits for them. Who changes one waits for the unit.
 */
#include "iommu/interrupt.h"

#include "lib/bits.h"
#include "memory.h"

enum sp_status interrupt_take(struct sp_host *host, struct unit *unit, uint32_t *index)
{
	for (uint32_t i = 0; i < unit->message_count && i < UNIT_MESSAGES; i++) {
		if (unit->messages[i / 64] & BIT(i % 64))
			continue;
		unit->messages[i / 64] |= BIT(i % 64);
		*index = i;
		return SP_OK;
	}
	host_log(host, SP_LOG_WARNING, "all interrupt entries of a unit are in use");
	return SP_NO_SPACE;
}

void interrupt_give(struct sp_host *host, struct unit *unit, uint32_t index)
{
	(void)host;
	unit->messages[index / 64] &= ~BIT(index % 64);
}

/* What was asked for up to now: the invalidation that set_irte() queued is among it. */
static enum sp_status await(struct sp_host *host, struct unit *unit)
{
	uint64_t asked;

	lock_take(&unit->queue, host->embedder);
	asked = unit->asked;
	lock_drop(&unit->queue);
	while (load64(&unit->reached) < asked) {
		if (observer_is_lost(&unit->observer))
			return SP_LOST;
		wait_step(host);
	}
	return SP_OK;
}

enum sp_status interrupt_set(struct sp_host *host, struct unit *unit, uint32_t index,
			     const struct irte *irte)
{
	enum sp_status status = unit->ops->set_irte(unit, index, irte);

	/* The queue has no room: what is in it will be carried out. */
	while (status == SP_BUSY) {
		wait_step(host);
		status = unit->ops->set_irte(unit, index, irte);
	}
	return status == SP_OK ? await(host, unit) : status;
}

struct sp_message interrupt_message(const struct unit *unit, uint32_t index)
{
	return unit->ops->message(index);
}
