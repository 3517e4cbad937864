/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_root.c - steps that make a whole map obsolete at once: everything that a guest's CPUs
 * reach goes, or all that a device's unit has of a guest is anew and the same.
 */
#include "campaign_world.h"

static bool is_right(const struct world *world, const struct guest *guest, enum sp_status status,
		     const struct sp_result *result)
{
	if (guest->state == GUEST_DIES)
		return status == SP_INVALID;
	if (guest_has_device(world, guest))
		return status == SP_BUSY && !result->ticket.domain;
	if (status == SP_NO_MEMORY)
		return world->refused || guest->tight;
	return status == SP_OK || status == SP_BUSY;
}

void step_invalidate(struct world *world, struct guest *guest, struct dice *dice)
{
	struct sp_result result;
	enum sp_status status;

	if (!dice_one_in(dice, 4))
		return;
	if (guest->past_count)
		world_settle(world);
	status = sp_p2m_invalidate_all(guest->domain, &result);
	world->outcome->operations++;
	say(world, "invalidate all of %c: %s, ticket %llu; ", guest_letter(world, guest),
	    sp_status_text(status), (unsigned long long)result.ticket.number);
	if (!is_right(world, guest, status, &result)) {
		complain(world, "everything is to go: %s", sp_status_text(status));
		return;
	}
	if (status != SP_OK)
		return;
	expect_change(world, guest, 0, UINT64_MAX / 2, (struct cell){ 0, SP_HOLE }, false,
		      result.ticket.number);
	if (result.ticket.number > guest->last.number)
		guest->last = result.ticket;
}

/* The device goes on meanwhile, and reaches afterwards what it reached before. */
void step_replace(struct world *world, struct guest *guest, struct dice *dice)
{
	const struct device *device = &world->device[dice_roll(dice, DEVICES)];
	enum sp_status status, wanted = device->owner == guest ? SP_OK : SP_INVALID;

	if (guest->state != GUEST_LIVES)
		return;
	cpus_land(world);
	status = sp_device_renew(guest->domain, (sp_sbdf_t){ device->sbdf });
	world->outcome->operations++;
	say(world, "another map of %c for %04x: %s; ", guest_letter(world, guest), device->sbdf,
	    sp_status_text(status));
	if (status != wanted && !(status == SP_NO_MEMORY && (world->refused || guest->tight)))
		complain(world, "another map for %04x: %s", device->sbdf, sp_status_text(status));
}
