/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/answer.c - when units that are late move on, and when what they say is seen.
 *
 *   queue: | pages | wait 7 | pages | wait 8 |     carried out one by one
 *                      |                |
 *   on the way:        7                8          in this order; nothing orders two units (M9)
 *                      |
 *   memory:        7, a while later
 *
 * AMD document 48882, 2.4.1: COMPLETION_WAIT stores when everything before it is done; when the store
 * is seen is not said, and what lies behind the command may be carried out first.
 */
#include <string.h>

#include "machine.h"

#define LATE_RELAXES 3u /* with the worst adversary, for each store */

static void land_first(struct model *model, struct unit *unit)
{
	struct answer answer = unit->answer[0];

	unit->answer_count--;
	unit->answer_age = 0;
	memmove(unit->answer, unit->answer + 1, unit->answer_count * sizeof(answer));
	unit_store_status(model, unit, answer.maddr, answer.value, 8);
}

/* An orderly stop of the queue waits for them. */
void answer_land_all(struct model *model, struct unit *unit)
{
	while (unit->answer_count && !unit->answers_held)
		land_first(model, unit);
}

bool answer_has_room(const struct unit *unit)
{
	return unit->answer_count < ANSWERS_KEPT;
}

void answer_store(struct model *model, struct unit *unit, uint64_t maddr, uint64_t value)
{
	bool late = unit->config.answers == MODEL_LATE &&
		    model->config.adversary != MODEL_ADVERSARY_NONE;

	unit->answer[unit->answer_count++] = (struct answer){ maddr, value };
	if (!late)
		answer_land_all(model, unit);
}

static void land_late(struct model *model, struct unit *unit)
{
	bool is_due = model->config.adversary == MODEL_ADVERSARY_RANDOM
			      ? model_draw(model, 2) == 0
			      : ++unit->answer_age >= LATE_RELAXES;

	if (unit->answer_count && !unit->answers_held && is_due)
		land_first(model, unit);
}

/*
 * One command a unit, in the order of the units; or some of them, by chance; or, the worst, the last
 * unit answers all that it was asked before another begins.
 */
void answer_move(struct model *model)
{
	enum model_adversary adversary = model->config.adversary;
	uint32_t count = model->config.unit_count;

	for (uint32_t i = 0; i < count; i++) {
		bool backwards = adversary == MODEL_ADVERSARY_MAX;
		struct unit *unit = &model->unit[backwards ? count - 1 - i : i];

		if (unit->config.answers != MODEL_LATE)
			continue;
		if (adversary == MODEL_ADVERSARY_RANDOM && model_draw(model, 2) == 0)
			continue;
		land_late(model, unit);
		if (unit_execute(model, unit, 1) && backwards)
			break;
	}
}

void model_hold_answers(struct model *model, uint32_t number, bool hold)
{
	struct unit *unit = &model->unit[number];

	model_take_lock(model);
	unit->answers_held = hold;
	answer_land_all(model, unit);
	if (!hold)
		unit_ring(model, unit);
	model_drop_lock(model);
}
