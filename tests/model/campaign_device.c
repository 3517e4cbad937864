/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_device.c - steps with devices: assigned, handed over, taken back; transfers
 * at all times.
 *
 * A device without an owner reaches nothing but its own range, and so does one whose owner has
 * nothing there.
 */
#include "campaign_world.h"

/* Refused by the platform, or by the guest's own budget. */
static bool may_lack_memory(const struct world *world, const struct guest *guest)
{
	return world->refused || guest->tight;
}

/* --- transfers ------------------------------------------------------------------------------- */

static void judge(struct world *world, struct device *device, const struct reached *reached)
{
	const struct guest *owner = device->owner;
	bool is_own = device == &world->device[1] && reached->gfn - RANGE < RANGE_FRAMES;

	if (!device->is_master) {
		if (reached->ok)
			complain(world,
				 "oracle A: a device whose bus mastering is off reaches %#llx",
				 (unsigned long long)reached->mfn);
	} else if (is_own) {
		if (!reached->ok || reached->mfn != reached->gfn)
			complain(world, "oracle A: a device does not reach its own range");
	} else if (owner) {
		expect_reach(world, device->owner, reached);
	} else if (reached->ok) {
		complain(world, "oracle A: a device in quarantine reaches mfn %#llx",
			 (unsigned long long)reached->mfn);
	}
}

void device_transfer(struct world *world, struct device *device, uint64_t gfn, bool write)
{
	char byte = 'x';
	struct model_dma done = model_dma(world->model, device->sbdf, gfn << 12, &byte, 1, write);
	struct reached reached = { .who = "a device",
				   .is_device = true,
				   .ok = !done.fault && done.done == 1,
				   .gfn = gfn,
				   .mfn = done.maddr >> 12,
				   .access = write ? MODEL_WRITE : MODEL_READ };

	say(world, "device %02x %s %#llx: %s mfn %#llx; ", device->sbdf, write ? "writes" : "reads",
	    (unsigned long long)gfn, reached.ok ? "reaches" : "blocked",
	    (unsigned long long)reached.mfn);
	judge(world, device, &reached);
}

static struct device *some_device(struct world *world, struct dice *dice)
{
	return &world->device[dice_roll(dice, DEVICES)];
}

void step_dma(struct world *world, struct guest *guest, struct dice *dice)
{
	struct device *device = some_device(world, dice);
	uint64_t gfn = some_gfn(dice);

	(void)guest;
	if (device->owner && !dice_one_in(dice, 4))
		expect_poll(world, device->owner);
	for (uint32_t i = 0; i < 2; i++) {
		device_transfer(world, device, gfn + i, false);
		device_transfer(world, device, gfn + i, true);
	}
	if (dice_one_in(dice, 8))
		device_transfer(world, &world->device[1], RANGE + dice_roll(dice, RANGE_FRAMES),
				true);
}

/* Where it lands is known to the model alone, which judges it. */
void step_dma_start(struct world *world, struct guest *guest, struct dice *dice)
{
	struct device *device = some_device(world, dice);
	uint32_t *transfer = &world->transfer[dice_roll(dice, TRANSFERS)];
	uint64_t gfn = some_gfn(dice);

	(void)guest;
	(void)model_dma_finish(world->model, *transfer);
	*transfer = model_dma_start(world->model, device->sbdf, gfn << 12, "x", 1);
	say(world, "device %02x begins to write %#llx: %s", device->sbdf, (unsigned long long)gfn,
	    *transfer ? "under way" : "blocked");
	if (*transfer && (!device->is_master || !device->owner))
		complain(world, "oracle A: a device that may reach nothing begins a transfer");
}

void step_dma_finish(struct world *world, struct guest *guest, struct dice *dice)
{
	uint32_t *transfer = &world->transfer[dice_roll(dice, TRANSFERS)];

	(void)guest;
	if (!*transfer)
		return;
	say(world, "a transfer lands: %s",
	    model_dma_finish(world->model, *transfer) ? "now" : "it was drained before");
	*transfer = 0;
}

/* --- owners ---------------------------------------------------------------------------------- */

static void set_master(struct world *world, struct device *device, bool on)
{
	enum sp_status status = sp_device_set_master(world->host, (sp_sbdf_t){ device->sbdf }, on);

	world->outcome->operations++;
	if (status != SP_OK)
		complain(world, "bus mastering cannot be set: %s", sp_status_text(status));
	device->is_master = on;
}

static bool can_cache(const struct world *world, const struct device *device)
{
	const struct campaign_mode *mode = world->config.mode;

	return mode->unit[(device - world->device) % mode->unit_count].ats;
}

/* A cache of its own is for a device that is silent yet. */
void device_begin(struct world *world, struct device *device, bool caches, bool on)
{
	enum sp_status status = SP_OK;

	device->is_master = false;
	if (can_cache(world, device))
		status = sp_device_set_ats(world->host, (sp_sbdf_t){ device->sbdf }, caches);
	if (status != SP_OK)
		complain(world, "a device's cache cannot be set: %s", sp_status_text(status));
	set_master(world, device, on);
}

/* What the library says of a function after a call that failed on the way. */
static struct sp_domain *told_owner(struct world *world, const struct device *device)
{
	struct sp_function_info info;

	for (uint32_t i = 0; sp_function_info(world->host, i, &info) == SP_OK; i++)
		if (info.sbdf.sbdf == device->sbdf)
			return info.owner;
	complain(world, "function %02x is not there any more", device->sbdf);
	return NULL;
}

void step_assign(struct world *world, struct guest *guest, struct dice *dice)
{
	struct device *device = some_device(world, dice);
	bool on = !dice_one_in(dice, 8), lacks = may_lack_memory(world, guest);
	bool caches = !dice_one_in(dice, 4);
	enum sp_status status, right = SP_OK;

	if (guest->state == GUEST_IS_GONE)
		return;
	cpus_land(world);
	if (guest->state == GUEST_DIES)
		right = SP_INVALID;
	else if (device->owner)
		right = SP_BUSY;
	status = sp_device_assign(guest->domain, (sp_sbdf_t){ device->sbdf });
	world->outcome->operations++;
	say(world, "assign %02x to %c: %s", device->sbdf, guest_letter(world, guest),
	    sp_status_text(status));
	if (status != right && !(right == SP_OK && status == SP_NO_MEMORY && lacks))
		complain(world, "a device is assigned: %s, not %s", sp_status_text(status),
			 sp_status_text(right));
	if (status == SP_OK) {
		device->owner = guest;
		device_begin(world, device, caches, on);
	}
}

/* Registers may be mapped in the small places alone. */
static void registers_may_go(struct world *world, struct guest *guest, bool may)
{
	for (uint32_t i = 0; i < PLACES - 1; i++)
		for (uint64_t gfn = places[i].gfn; gfn < places[i].end; gfn++)
			if (frame_is_register(cell_at(guest, gfn)->mfn))
				frames_may_go(world, guest, gfn, 1, may);
}

/*
 * Registers of a released device are gone from its owner's memory; all other memory is as it was.
 * Whether its unmapping is paid is not said, so both are allowed until the next ticket is.
 */
static void expect_no_registers(struct world *world, struct guest *guest)
{
	const struct cell hole = { 0, SP_HOLE };

	for (uint32_t i = 0; i < PLACES - 1; i++) {
		for (uint64_t gfn = places[i].gfn; gfn < places[i].end; gfn++) {
			const struct cell *cell = cell_at(guest, gfn);
			struct sp_mapping found = { .type = SP_HOLE };

			if (cell->type != SP_MMIO || !frame_is_register(cell->mfn))
				continue;
			(void)!sp_p2m_find(guest->domain, (sp_gfn_t){ gfn }, &found);
			if (found.type == SP_HOLE)
				expect_change(world, guest, gfn, 1, hole, false,
					      guest->last.number);
		}
	}
}

static bool has_registers_mapped(const struct world *world, const struct device *device)
{
	for (uint32_t i = 0; i < world->bar_count; i++)
		if (world->bar[i].device == device && world->bar[i].frame.use == FRAME_IS_MAPPED)
			return true;
	return false;
}

bool device_release(struct world *world, struct device *device)
{
	struct guest *guest = device->owner;
	enum sp_status status;

	cpus_land(world);
	registers_may_go(world, guest, true);
	status = sp_device_release(guest->domain, (sp_sbdf_t){ device->sbdf });
	world->outcome->operations++;
	say(world, "release %02x from %c: %s", device->sbdf, guest_letter(world, guest),
	    sp_status_text(status));
	device->is_master = false;
	expect_no_registers(world, guest);
	registers_may_go(world, guest, false);
	if (status == SP_OK && has_registers_mapped(world, device))
		complain(world, "a released device's registers are mapped still");
	if (status != SP_OK && !(status == SP_NO_MEMORY && may_lack_memory(world, guest)))
		complain(world, "a device is released: %s", sp_status_text(status));
	if (!told_owner(world, device))
		device->owner = NULL;
	return status == SP_OK;
}

void step_release(struct world *world, struct guest *guest, struct dice *dice)
{
	struct device *device = some_device(world, dice);

	(void)guest;
	if (!device->owner || !device_release(world, device))
		return;
	/* In quarantine a device may speak; nobody listens. */
	if (dice_one_in(dice, 2))
		set_master(world, device, true);
}

void step_hand_over(struct world *world, struct guest *guest, struct dice *dice)
{
	struct device *device = some_device(world, dice);
	struct guest *from = device->owner;
	bool on = !dice_one_in(dice, 8), caches = !dice_one_in(dice, 4), lacks;
	enum sp_status status;

	if (!from || from == guest || guest->state != GUEST_LIVES)
		return;
	lacks = may_lack_memory(world, guest) || may_lack_memory(world, from);
	cpus_land(world);
	registers_may_go(world, from, true);
	status = sp_device_hand_over(from->domain, guest->domain, (sp_sbdf_t){ device->sbdf });
	world->outcome->operations++;
	say(world, "hand %02x over from %c to %c: %s", device->sbdf, guest_letter(world, from),
	    guest_letter(world, guest), sp_status_text(status));
	if (status != SP_OK && !(status == SP_NO_MEMORY && lacks))
		complain(world, "a device is handed over: %s", sp_status_text(status));
	expect_no_registers(world, from);
	registers_may_go(world, from, false);
	device->is_master = model_is_master(world->model, device->sbdf);
	device->owner = told_owner(world, device) == guest->domain ? guest
			: told_owner(world, device)		   ? from
								   : NULL;
	if (status == SP_OK && device->owner != guest)
		complain(world, "a device was handed over, and is not there");
	if (device->owner)
		device_begin(world, device, caches, on);
}

void step_master(struct world *world, struct guest *guest, struct dice *dice)
{
	struct device *device = some_device(world, dice);

	(void)guest;
	set_master(world, device, !device->is_master);
	say(world, "bus mastering of %02x: %s", device->sbdf, device->is_master ? "on" : "off");
}

/* --- registers ------------------------------------------------------------------------------- */

void device_know_bars(struct world *world, struct device *device)
{
	struct sp_function_info info;

	for (uint32_t i = 0; sp_function_info(world->host, i, &info) == SP_OK; i++) {
		for (uint32_t j = 0; j < SP_BARS && info.sbdf.sbdf == device->sbdf; j++) {
			for (uint64_t page = 0; page < info.bar[j].bytes >> 12; page++)
				world->bar[world->bar_count++] = (struct bar){
					.frame = { .use = FRAME_IS_FREE },
					.mfn = (info.bar[j].address.maddr >> 12) + page,
					.device = device,
					.number = j,
				};
		}
	}
}

/* Its first page's frame and, in *count, how many; 0 where some page is mapped, or waits. */
static uint64_t find_free_bar(const struct world *world, const struct device *device,
			      uint32_t number, uint64_t *count)
{
	uint64_t mfn = 0;

	*count = 0;
	for (uint32_t i = 0; i < world->bar_count; i++) {
		const struct bar *bar = &world->bar[i];

		if (bar->device != device || bar->number != number)
			continue;
		if (bar->frame.use != FRAME_IS_FREE)
			return 0;
		mfn = *count ? mfn : bar->mfn;
		++*count;
	}
	return mfn;
}

/*
 * Only when what was mapped before is forgotten: what is told as forgotten may be remembered by
 * nobody, not even because it was mapped again.
 */
void step_bar(struct world *world, struct guest *guest, struct dice *dice)
{
	struct device *device = some_device(world, dice);
	uint32_t bar = 2 * (uint32_t)dice_roll(dice, 2);
	uint64_t gfn = some_gfn(dice), mfn, count;
	enum sp_status status;

	guest = device->owner;
	mfn = find_free_bar(world, device, bar, &count);
	if (!guest || !mfn || gfn + count > places[1].end || !cell_at(guest, gfn + count - 1))
		return;
	cpus_land(world);
	frames_may_go(world, guest, gfn, count, true);
	status = sp_device_map_bar(guest->domain, (sp_sbdf_t){ device->sbdf }, bar,
				   (sp_gfn_t){ gfn });
	world->outcome->operations++;
	say(world, "map bar %u of %02x in %c at %#llx: %s", bar, device->sbdf,
	    guest_letter(world, guest), (unsigned long long)gfn, sp_status_text(status));
	if (status == SP_OK)
		expect_change(world, guest, gfn, count, (struct cell){ mfn, SP_MMIO }, false,
			      guest->last.number);
	else if (status != SP_UNSUPPORTED &&
		 !(status == SP_NO_MEMORY && may_lack_memory(world, guest)))
		complain(world, "registers are mapped: %s", sp_status_text(status));
	frames_may_go(world, guest, gfn, count, false);
}
