/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/recover.c - a lost unit comes back.
 *
 *   lost --- queue off, empty, on --- everything forgotten, answer seen ---> reached = asked, not lost
 *     ^                                                  |
 *     +---- no answer: nothing has changed --------------+
 *
 * A debt that was posted before was of slots and entries stored before: the global invalidation pays
 * it. What gathered meanwhile is posted by the next progress, as ever. Nothing opens a way: bus
 * masters stay off, entries stay where release and fence led them.
 */
#include "iommu/attach.h"
#include "lib/text.h"
#include "memory.h"

static void believe(struct unit *unit)
{
	lock_take(&unit->queue, unit->host->embedder);
	store64(&unit->reached, unit->asked);
	unit->lost_told = false;
	store32(&unit->observer.lost, false);
	lock_drop(&unit->queue);
}

/*
 * A release had to leave the unit's watch behind, and its name: the entries led elsewhere before
 * everything was forgotten. Maps go with the release that is called again, or with their domain.
 */
static void end_watches(struct sp_host *host, struct unit *unit) MUST_HOLD(host->assign)
{
	for (uint32_t i = 0; i < host->domain_count; i++)
		attach_end_watch(host, &host->domains[i], unit);
}

static void log_recovery(const struct sp_host *host, const struct unit *unit)
{
	struct text text = { .length = 0 };

	text_hex(text_add(&text, "unit at "), unit->registers.maddr);
	text_add(&text, " answers again and has forgotten everything; bus mastering stays off");
	host_log(host, SP_LOG_WARNING, text.line);
}

static enum sp_status recover(struct sp_host *host, uint32_t index) MUST_HOLD(host->assign)
{
	enum sp_status status;
	struct unit *unit;

	if (index >= host->unit_count)
		return SP_NOT_FOUND;
	unit = host->units[index];
	if (!unit->started || !observer_is_lost(&unit->observer))
		return SP_INVALID;
	status = unit->ops->recover(unit);
	if (status != SP_OK)
		return status;
	believe(unit);
	end_watches(host, unit);
	log_recovery(host, unit);
	return SP_OK;
}

enum sp_status sp_unit_recover(struct sp_host *host, uint32_t index)
{
	enum sp_status status;

	lock_take(&host->assign, host->embedder);
	status = recover(host, index);
	lock_drop(&host->assign);
	return status;
}
