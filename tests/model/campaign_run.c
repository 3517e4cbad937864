/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_run.c - from the numbers of steps to an outcome.
 *
 *   seed, number --> dice --> kind, guest, and whatever the kind wants to know --> done, judged
 */
#include "campaign_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULTS_AT_MOST 10000u /* more than any log holds */

/* --- chance ---------------------------------------------------------------------------------- */

/* splitmix64: any state will do, and the next state says nothing of the last. */
uint64_t dice_roll(struct dice *dice, uint64_t below)
{
	uint64_t x = dice->state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (x ^ x >> 31) % below;
}

bool dice_one_in(struct dice *dice, uint64_t count)
{
	return dice_roll(dice, count) == 0;
}

enum model_adversary campaign_adversary(uint64_t seed)
{
	return seed % 16 == 3 ? MODEL_ADVERSARY_MAX : MODEL_ADVERSARY_RANDOM;
}

/* --- words ----------------------------------------------------------------------------------- */

/* The first is the cause; what follows from it is not told. */
void complain(struct world *world, const char *format, ...)
{
	va_list arguments;

	if (world->outcome->complaint[0])
		return;
	va_start(arguments, format);
	vsnprintf(world->outcome->complaint, sizeof(world->outcome->complaint), format, arguments);
	va_end(arguments);
}

bool has_complaint(const struct world *world)
{
	return world->outcome->complaint[0] || model_verdict(world->model);
}

void say(struct world *world, const char *format, ...)
{
	size_t used = strlen(world->said);
	va_list arguments;

	if (!world->config.told)
		return;
	va_start(arguments, format);
	vsnprintf(world->said + used, sizeof(world->said) - used, format, arguments);
	va_end(arguments);
}

char guest_letter(const struct world *world, const struct guest *guest)
{
	return (char)('A' + (guest - world->guest));
}

const char *type_name(enum sp_type type)
{
	static const char *const names[SP_TYPE_COUNT] = { "hole", "RAM", "read-only", "MMIO",
							  "reserved" };

	return type < SP_TYPE_COUNT ? names[type] : "no type at all";
}

/* --- steps that belong to nobody else -------------------------------------------------------- */

static void step_create(struct world *world, struct guest *guest, struct dice *dice)
{
	static const uint32_t budgets[] = { 2000, 2000, 30, 12 };

	guest_create(world, guest, budgets[dice_roll(dice, 4)], dice);
}

/* A guest that dies is asked again; one that lives ends seldom. */
static void step_destroy(struct world *world, struct guest *guest, struct dice *dice)
{
	if (guest->state == GUEST_DIES || (guest->state == GUEST_LIVES && dice_one_in(dice, 3)))
		guest_destroy(world, guest);
}

static void step_progress(struct world *world, struct guest *guest, struct dice *dice)
{
	static const uint32_t budgets[] = { 1, 2, 8, 64, SP_STEP_SLOTS };
	uint32_t budget = budgets[dice_roll(dice, 5)];
	uint64_t again = sp_progress(world->host, budget);

	(void)guest;
	world->outcome->operations++;
	say(world, "progress, budget %u: again in %llu ns", budget, (unsigned long long)again);
	if (again != UINT64_MAX)
		return;
	for (uint32_t i = 0; i < GUESTS; i++)
		if (world->guest[i].state == GUEST_LIVES && world->guest[i].waiting)
			complain(world, "ledger: nothing is left to do, %llu frames wait in %c",
				 (unsigned long long)world->guest[i].waiting,
				 guest_letter(world, &world->guest[i]));
}

static void step_settle(struct world *world, struct guest *guest, struct dice *dice)
{
	(void)guest;
	(void)dice;
	say(world, "settle");
	world_settle(world);
}

/* Late units move, and kicked CPUs leave. */
static void step_relax(struct world *world, struct guest *guest, struct dice *dice)
{
	uint64_t count = 1 + dice_roll(dice, 8);

	(void)guest;
	say(world, "relax %llu times", (unsigned long long)count);
	while (count--)
		platform_relax(world->model);
}

static void step_look(struct world *world, struct guest *guest, struct dice *dice)
{
	(void)guest;
	(void)dice;
	say(world, "every cache looks");
	model_look(world->model);
}

/* What devices were denied is told, of devices that are there. */
static void step_faults(struct world *world, struct guest *guest, struct dice *dice)
{
	struct sp_fault fault;

	(void)guest;
	(void)dice;
	for (uint32_t i = 0; i < FAULTS_AT_MOST; i++) {
		enum sp_status status = sp_iommu_next_fault(world->host, &fault);

		world->outcome->operations++;
		if (status == SP_NOT_FOUND)
			return;
		if (status != SP_OK || (fault.requester.sbdf != world->device[0].sbdf &&
					fault.requester.sbdf != world->device[1].sbdf))
			complain(world, "a fault of requester %04x is told: %s",
				 fault.requester.sbdf, sp_status_text(status));
	}
	complain(world, "faults find no end");
}

/* --- the mixture ----------------------------------------------------------------------------- */

/* clang-format off */
static const struct kind {
	uint32_t weight;
	void (*step)(struct world *world, struct guest *guest, struct dice *dice);
	bool wants_guest; /* that is there; step_create() one that is not */
} kinds[] = {
	{ 16, step_map, true },
	{ 4, step_map_again, true },
	{ 12, step_unmap, true },
	{ 8, step_retype, true },
	{ 2, step_burst, true },
	{ 4, step_renew, true },
	{ 1, step_forbidden, true },
	{ 3, step_find, true },
	{ 4, step_wait, true },
	{ 4, step_assign, true },
	{ 2, step_release, false },
	{ 3, step_hand_over, true },
	{ 2, step_bar, false },
	{ 1, step_master, false },
	{ 12, step_dma, false },
	{ 3, step_dma_start, false },
	{ 2, step_dma_finish, false },
	{ 8, step_enter, true },
	{ 3, step_ready, true },
	{ 3, step_leave, false },
	{ 12, step_access, false },
	{ 3, step_emulator, true },
	{ 6, step_emulate, true },
	{ 8, step_progress, false },
	{ 1, step_settle, false },
	{ 4, step_relax, false },
	{ 1, step_look, false },
	{ 1, step_faults, false },
	{ 2, step_invalidate, true },
	{ 2, step_replace, true },
	{ 3, step_destroy, true },
	{ 4, step_create, true },
};
/* clang-format on */
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *some_kind(struct dice *dice)
{
	uint64_t sum = 0, at;

	for (uint32_t i = 0; i < KINDS; i++)
		sum += kinds[i].weight;
	at = dice_roll(dice, sum);
	for (uint32_t i = 0;; i++) {
		if (at < kinds[i].weight)
			return &kinds[i];
		at -= kinds[i].weight;
	}
}

static void perform(struct world *world, uint32_t number)
{
	uint64_t mode = (uint64_t)(world->config.mode - campaign_modes);
	struct dice dice = { (world->config.seed * 64 + mode + 1) * 0xd1342543de82ef95ull +
			     number };
	const struct kind *kind = some_kind(&dice);
	struct guest *guest = &world->guest[dice_roll(&dice, 8) < 3];

	world->refused = dice_one_in(&dice, 12);
	if (world->refused)
		model_refuse_nth_take(world->model, 1 + (uint32_t)dice_roll(&dice, 3));
	if (!kind->wants_guest || (guest->state == GUEST_IS_GONE) == (kind->step == step_create))
		kind->step(world, guest, &dice);
	model_refuse_nth_take(world->model, 0);
	world->refused = false;
}

/* Guests take no more table pages than they were granted together. */
static void judge_budget(struct world *world)
{
	uint64_t used = model_table_frames(world->model) - world->tables;
	uint64_t granted = 0;

	for (uint32_t i = 0; i < GUESTS; i++)
		if (world->guest[i].state != GUEST_IS_GONE)
			granted += world->guest[i].budget;
	if (used > granted)
		complain(world, "ledger: guests use %llu table pages, %llu were granted",
			 (unsigned long long)used, (unsigned long long)granted);
}

static void run_steps(struct world *world, const uint32_t *steps, uint32_t count)
{
	for (uint32_t i = 0; i < count && !has_complaint(world); i++) {
		world->outcome->steps++;
		world->said[0] = 0;
		perform(world, steps[i]);
		judge_budget(world);
		if (world->said[0])
			printf("  %5u  %s\n", steps[i], world->said);
	}
}

static void run(struct world *world, const uint32_t *steps, uint32_t count)
{
	if (setjmp(world->panic))
		return;
	if (!world_make(world))
		return;
	run_steps(world, steps, count);
	if (!has_complaint(world))
		world_end(world);
}

bool campaign_run(const struct campaign_config *config, const uint32_t *steps, uint32_t count,
		  struct campaign_outcome *outcome)
{
	struct world *world = calloc(1, sizeof(*world));

	*outcome = (struct campaign_outcome){ .steps = 0 };
	if (!world) {
		snprintf(outcome->complaint, sizeof(outcome->complaint), "no memory for a world");
		return false;
	}
	world->config = *config;
	world->outcome = outcome;
	run(world, steps, count);
	if (world->model) {
		outcome->stores = model_stores_seen(world->model);
		if (model_verdict(world->model))
			complain(world, "%s", model_verdict(world->model));
	}
	world_free(world);
	free(world);
	return !outcome->complaint[0];
}
