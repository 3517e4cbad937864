/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_outsider.c - a guest's shadows, and an emulator that maps its memory.
 *
 *   emulator:  gone --sp_observer_add()--> watches --dies, sp_observer_remove()--> gone
 *   shadows:   for as long as the domain is there; while it dies they look up nothing
 */
#include "campaign_world.h"

#include <sallyport/server.h>

#include <stdlib.h>

static bool find(void *argument, uint64_t gfn, struct model_found *found)
{
	static const uint8_t rights[SP_TYPE_COUNT] = {
		[SP_RAM] = MODEL_READ | MODEL_WRITE | MODEL_EXECUTE,
		[SP_RAM_READONLY] = MODEL_READ | MODEL_EXECUTE,
		[SP_MMIO] = MODEL_READ | MODEL_WRITE,
		[SP_RESERVED] = MODEL_READ | MODEL_WRITE,
	};
	const struct outsider *outsider = argument;
	struct sp_mapping mapping;

	if (!outsider->may_look || outsider->guest->state != GUEST_LIVES ||
	    sp_p2m_find(outsider->guest->domain, (sp_gfn_t){ gfn }, &mapping) != SP_OK)
		return false;
	*found = (struct model_found){ .mfn = mapping.frame.mfn,
				       .rights = rights[mapping.type],
				       .memory = mapping.type == SP_MMIO ? 0 : 6,
				       .is_ram = mapping.type != SP_MMIO };
	return true;
}

static bool forget(void *argument, const struct sp_forget *what)
{
	const struct outsider *outsider = argument;

	return model_outsider_forget(outsider->world->model, outsider->number, what);
}

/* What the page says is what the embedder's book was told. */
static void compare_ring(struct outsider *outsider, const struct sp_forget *what)
{
	const struct sp_ring *ring = outsider->ring;
	uint64_t runs = what->all ? 1 : what->run_count;

	if (ring->produced - outsider->consumed != runs || ring->asked != what->number)
		complain(outsider->world, "a ring says something else than its doorbell");
	for (uint64_t i = 0; i < runs; i++) {
		const struct sp_ring_entry *entry =
			&ring->entry[(outsider->consumed + i) % SP_RING_ENTRIES];

		if (entry->number != what->number ||
		    (what->all ? entry->count != SP_RING_ALL
			       : entry->first != what->run[i].first ||
					 entry->count != what->run[i].count))
			complain(outsider->world, "an entry of a ring is another");
	}
	outsider->consumed += runs;
}

static void doorbell(void *argument, const struct sp_forget *what)
{
	struct outsider *outsider = argument;

	compare_ring(outsider, what);
	if (model_outsider_forget(outsider->world->model, outsider->number, what))
		__atomic_store_n(&outsider->ring->acknowledged, what->number, __ATOMIC_RELEASE);
}

static void reached(void *argument, uint64_t number)
{
	const struct outsider *outsider = argument;

	if (outsider->ring)
		__atomic_store_n(&outsider->ring->acknowledged, number, __ATOMIC_RELEASE);
	else if (sp_observer_reached(outsider->observer, number) != SP_OK)
		complain(outsider->world, "an observer's answer is not believed");
}

static bool serves(void *argument, uint32_t cpu)
{
	const struct outsider *outsider = argument;

	return outsider->may_look && outsider->world->cpu[cpu].guest == outsider->guest &&
	       outsider->guest->state == GUEST_LIVES;
}

struct sp_observer_config outsider_open(struct world *world, struct outsider *outsider,
					struct guest *guest, enum model_outsider_kind kind,
					struct dice *dice)
{
	const struct model_outsider_config config = {
		.kind = kind,
		.answers = dice_one_in(dice, 3) ? MODEL_AT_ONCE : MODEL_LATE,
		.find = find,
		.reached = reached,
		.serves = kind == MODEL_EMULATOR ? serves : NULL,
		.argument = outsider,
	};

	*outsider = (struct outsider){
		.world = world, .guest = guest, .is_there = true, .may_look = kind == MODEL_SHADOWS
	};
	outsider->number = model_outsider_add(world->model, &config);
	return (struct sp_observer_config){ .forget = forget, .argument = outsider };
}

void outsider_close(struct world *world, struct outsider *outsider)
{
	if (!outsider->is_there)
		return;
	model_outsider_remove(world->model, outsider->number);
	outsider->is_there = false;
}

void emulator_remove(struct world *world, struct guest *guest)
{
	if (!guest->emulator.is_there)
		return;
	outsider_close(world, &guest->emulator);
	sp_observer_remove(guest->emulator.observer);
	free(guest->emulator.ring);
	guest->emulator.ring = NULL;
	world->outcome->operations++;
	say(world, "the emulator of %c dies; ", guest_letter(world, guest));
}

/* By a ring in a page, or by calls. */
static enum sp_status emulator_add(struct guest *guest, const struct sp_observer_config *config,
				   bool by_ring)
{
	struct outsider *emulator = &guest->emulator;
	struct sp_server_config server = { .doorbell = doorbell, .argument = emulator };

	if (!by_ring)
		return sp_observer_add(guest->domain, config, &emulator->observer);
	emulator->ring = server.ring = aligned_alloc(SP_FRAME_BYTES, SP_FRAME_BYTES);
	if (!server.ring)
		abort();
	return sp_server_add(guest->domain, &server, &emulator->observer);
}

/* --- steps ----------------------------------------------------------------------------------- */

void step_emulator(struct world *world, struct guest *guest, struct dice *dice)
{
	struct sp_observer_config config;
	enum sp_status status;

	if (guest->state != GUEST_LIVES)
		return;
	if (guest->emulator.is_there) {
		if (dice_one_in(dice, 4))
			emulator_remove(world, guest);
		return;
	}
	config = outsider_open(world, &guest->emulator, guest, MODEL_EMULATOR, dice);
	status = emulator_add(guest, &config, dice_one_in(dice, 2));
	guest->emulator.may_look = status == SP_OK;
	world->outcome->operations++;
	say(world, "an emulator of %c comes, %s: %s", guest_letter(world, guest),
	    guest->emulator.ring ? "with a ring" : "without a ring", sp_status_text(status));
	if (status != SP_OK)
		complain(world, "an emulator is refused: %s", sp_status_text(status));
}

/* It maps memory, and nothing else. */
void step_emulate(struct world *world, struct guest *guest, struct dice *dice)
{
	uint64_t gfn = some_gfn(dice);

	if (guest->state != GUEST_LIVES || !guest->emulator.is_there)
		return;
	if (!dice_one_in(dice, 4))
		expect_poll(world, guest);
	for (uint32_t i = 0; i < 3; i++) {
		const struct cell *cell = cell_at(guest, gfn + i);
		struct reached reached = { .who = "an emulator",
					   .gfn = gfn + i,
					   .access = dice_one_in(dice, 2) ? MODEL_WRITE
									  : MODEL_READ };
		struct model_reach reach = model_outsider_access(
			world->model, guest->emulator.number, gfn + i, reached.access);

		reached.ok = reach.ok;
		reached.mfn = reach.mfn;
		say(world, "emulator of %c at %#llx: %s; ", guest_letter(world, guest),
		    (unsigned long long)(gfn + i), reach.ok ? "reaches" : "blocked");
		if (reach.ok || !cell || cell->type != SP_MMIO)
			expect_reach(world, guest, &reached);
	}
}
