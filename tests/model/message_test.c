/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/message_test.c - which interrupts an assigned function may raise.
 *
 *   sp_device_set_message() --> struct sp_message --> the function writes it --> the unit --> vector
 */
#include "pass_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define VECTOR	     0x41
#define OTHER_VECTOR 0x42
#define CPU	     1u

static struct sp_message set(struct pass *pass, uint32_t guest, uint32_t sbdf, uint32_t number,
			     uint8_t vector)
{
	struct sp_message message = { 0, 0 };

	assert_int_equal(sp_device_set_message(pass->guest[guest], (sp_sbdf_t){ sbdf }, number,
					       vector, CPU, &message),
			 SP_OK);
	return message;
}

static void clear(struct pass *pass, uint32_t guest, uint32_t sbdf, uint32_t number)
{
	assert_int_equal(sp_device_clear_message(pass->guest[guest], (sp_sbdf_t){ sbdf }, number),
			 SP_OK);
}

/* How many interrupts with this vector come of it: one or none. */
static uint32_t send(struct pass *pass, uint32_t sbdf, struct sp_message message, uint8_t vector)
{
	const uint32_t before = model_messages(pass->model, vector);
	uint32_t data = message.data;

	(void)model_dma(pass->model, sbdf, message.address, &data, sizeof(data), true);
	return model_messages(pass->model, vector) - before;
}

static struct pass *make_assigned(void **state)
{
	struct pass *pass = pass_make(*state);

	(void)pass_map_new(pass, 0, GFN);
	pass_assign(pass, 0, PLAIN);
	return pass;
}

static void a_function_raises_what_it_was_given_and_nothing_else(void **state)
{
	struct pass *pass = make_assigned(state);
	struct sp_message first = set(pass, 0, PLAIN, 0, VECTOR);
	struct sp_message second = set(pass, 0, PLAIN, SP_MESSAGES - 1, OTHER_VECTOR);
	const struct sp_message forged = { 0xfee00000, VECTOR };

	assert_int_equal(send(pass, PLAIN, first, VECTOR), 1);
	assert_int_equal(send(pass, PLAIN, second, OTHER_VECTOR), 1);
	assert_int_equal(send(pass, PLAIN, forged, VECTOR), 0);
	pass_free(pass);
}

static void nobody_raises_anothers_interrupt(void **state)
{
	struct pass *pass = make_assigned(state);
	struct sp_message message = set(pass, 0, PLAIN, 3, VECTOR);

	pass_assign(pass, 0, TWIN);
	assert_int_equal(send(pass, TWIN, message, VECTOR), 0);
	assert_int_equal(send(pass, PLAIN, message, VECTOR), 1);
	pass_free(pass);
}

/* The function need not be told again when the guest moves the interrupt. */
static void an_interrupt_that_changes_keeps_its_message(void **state)
{
	struct pass *pass = make_assigned(state);
	struct sp_message before = set(pass, 0, PLAIN, 1, VECTOR), after;

	assert_int_equal(send(pass, PLAIN, before, VECTOR), 1);
	after = set(pass, 0, PLAIN, 1, OTHER_VECTOR);
	assert_int_equal(before.address, after.address);
	assert_int_equal(before.data, after.data);
	assert_int_equal(send(pass, PLAIN, after, VECTOR), 0);
	assert_int_equal(send(pass, PLAIN, after, OTHER_VECTOR), 1);
	pass_free(pass);
}

static uint32_t sent_after_clear(struct pass *pass)
{
	struct sp_message message = set(pass, 0, PLAIN, 2, VECTOR);

	assert_int_equal(send(pass, PLAIN, message, VECTOR), 1);
	clear(pass, 0, PLAIN, 2);
	clear(pass, 0, PLAIN, 2);
	return send(pass, PLAIN, message, VECTOR);
}

static void a_cleared_interrupt_is_forgotten(void **state)
{
	struct pass *pass = make_assigned(state);

	assert_int_equal(sent_after_clear(pass), 0);
	pass_free(pass);
}

static void without_the_invalidation_a_cleared_interrupt_comes(void **state)
{
	struct pass *pass = make_assigned(state);

	assert_int_equal(sp_mutant_choose(pass->host, SP_MUT_MESSAGE_UNPAID), SP_OK);
	assert_int_equal(sent_after_clear(pass), 1);
	pass_abandon(pass);
}

static uint32_t sent_after_hand_over(struct pass *pass)
{
	struct sp_message message = set(pass, 0, PLAIN, 0, VECTOR);

	assert_int_equal(sp_device_hand_over(pass->guest[0], pass->guest[1], (sp_sbdf_t){ PLAIN }),
			 SP_OK);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ PLAIN }, true), SP_OK);
	return send(pass, PLAIN, message, VECTOR);
}

static void a_function_that_is_handed_over_raises_none_of_its_old_interrupts(void **state)
{
	struct pass *pass = make_assigned(state);

	assert_int_equal(sent_after_hand_over(pass), 0);
	pass_free(pass);
}

static void without_the_clearing_it_interrupts_its_old_owner(void **state)
{
	struct pass *pass = make_assigned(state);

	assert_int_equal(sp_mutant_choose(pass->host, SP_MUT_MESSAGE_KEPT), SP_OK);
	assert_int_equal(sent_after_hand_over(pass), 1);
	pass_abandon(pass);
}

/* More than the unit has entries, so that none may be lost on the way. */
static void entries_come_back_with_the_release(void **state)
{
	struct pass *pass = make_assigned(state);

	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < SP_MESSAGES; i++)
			(void)set(pass, 0, PLAIN, i, VECTOR);
		pass_release(pass, 0, PLAIN);
		pass_assign(pass, 0, PLAIN);
	}
	assert_int_equal(send(pass, PLAIN, set(pass, 0, PLAIN, 0, VECTOR), VECTOR), 1);
	pass_free(pass);
}

static enum sp_status try_set(struct pass *pass, uint32_t guest, uint32_t sbdf, uint32_t number,
			      uint8_t vector, uint32_t cpu)
{
	struct sp_message message;

	return sp_device_set_message(pass->guest[guest], (sp_sbdf_t){ sbdf }, number, vector, cpu,
				     &message);
}

static void what_cannot_be_is_refused(void **state)
{
	struct pass *pass = make_assigned(state);

	pass_assign(pass, 0, PHANTOM);
	assert_int_equal(try_set(pass, 0, PLAIN, SP_MESSAGES, VECTOR, CPU), SP_INVALID);
	assert_int_equal(try_set(pass, 0, PLAIN, 0, 15, CPU), SP_INVALID);
	assert_int_equal(try_set(pass, 0, PLAIN, 0, VECTOR, 0x100), SP_UNSUPPORTED);
	assert_int_equal(try_set(pass, 1, PLAIN, 0, VECTOR, CPU), SP_NOT_FOUND);
	assert_int_equal(try_set(pass, 0, READER, 0, VECTOR, CPU), SP_NOT_FOUND);
	assert_int_equal(try_set(pass, 0, 0x00f8, 0, VECTOR, CPU), SP_NOT_FOUND);
	assert_int_equal(try_set(pass, 0, PHANTOM, 0, VECTOR, CPU), SP_UNSUPPORTED);
	assert_non_null(strstr(model_last_log(pass->model), "several requester ids"));
	pass_free(pass);
}

static void with_a_lost_unit_nothing_is_given_and_the_rest_is_closed(void **state)
{
	struct pass *pass = make_assigned(state);
	struct sp_message message = set(pass, 0, PLAIN, 0, VECTOR);

	model_set_answers(pass->model, 0, MODEL_NEVER);
	assert_int_equal(try_set(pass, 0, PLAIN, 0, OTHER_VECTOR, CPU), SP_LOST);
	assert_int_equal(try_set(pass, 0, PLAIN, 1, OTHER_VECTOR, CPU), SP_LOST);
	assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ PLAIN }), SP_LOST);
	model_set_answers(pass->model, 0, MODEL_AT_ONCE);
	assert_int_equal(sp_unit_recover(pass->host, 0), SP_OK);
	assert_int_equal(sp_device_release(pass->guest[0], (sp_sbdf_t){ PLAIN }), SP_OK);
	pass_assign(pass, 1, PLAIN);
	assert_int_equal(send(pass, PLAIN, message, VECTOR), 0);
	assert_int_equal(send(pass, PLAIN, message, OTHER_VECTOR), 0);
	pass_free(pass);
}

/* clang-format off */
#define T(name) { #name, name, false }
static const struct pass_sentence sentences[] = {
	T(a_function_raises_what_it_was_given_and_nothing_else),
	T(nobody_raises_anothers_interrupt),
	T(an_interrupt_that_changes_keeps_its_message),
	T(a_cleared_interrupt_is_forgotten),
	T(without_the_invalidation_a_cleared_interrupt_comes),
	T(a_function_that_is_handed_over_raises_none_of_its_old_interrupts),
	T(without_the_clearing_it_interrupts_its_old_owner),
	T(entries_come_back_with_the_release),
	T(what_cannot_be_is_refused),
	T(with_a_lost_unit_nothing_is_given_and_the_rest_is_closed),
};
/* clang-format on */

int main(void)
{
	return pass_run(sentences, sizeof(sentences) / sizeof(sentences[0]));
}
