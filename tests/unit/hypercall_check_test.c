/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/hypercall_check_test.c - which hypercalls a guest may make, with every argument that is an
 * edge of something; and that the test would see a guard that is not there.
 */
#include "platform/metal/hypercall_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/mutant.h"
#include "platform/metal/hypercall.h"
#include "platform/metal/vpci.h"

#define FRAMES 0x8000ull

static const uint64_t edges[] = {
	0,	     1,		 511,
	512,	     513,	 FRAMES - 512,
	FRAMES - 1,  FRAMES,	 FRAMES + 1,
	0xfee00,     1ull << 31, 1ull << 32,
	1ull << 52,  1ull << 63, ~0ull - 0x7fff,
	~0ull - 511, ~0ull - 1,	 ~0ull,
};
#define EDGES (sizeof(edges) / sizeof(edges[0]))

static const uint64_t page_calls[] = { HYPERCALL_GIVE, HYPERCALL_GET, HYPERCALL_EXCHANGE,
				       HYPERCALL_PROTECT, HYPERCALL_UNPROTECT };
#define PAGE_CALLS (sizeof(page_calls) / sizeof(page_calls[0]))

/* Page by page, as a child would count: is each of them one of the guest's? */
static bool are_all_its_own(uint64_t first, uint64_t count)
{
	if (count == 0 || count > HYPERCALL_PAGES_MAX)
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (first + i >= FRAMES)
			return false;
	return true;
}

/* How many answers to edges are not as they should be. */
static unsigned int count_wrong(uint32_t mutant)
{
	const struct hypercall_guest guest = { .balloon = CALL_BY_KERNEL,
					       .frames = FRAMES,
					       .mutant = mutant };
	unsigned int wrong = 0;

	for (size_t n = 0; n < PAGE_CALLS; n++) {
		for (size_t i = 0; i < EDGES; i++) {
			for (size_t k = 0; k < EDGES; k++) {
				const struct hypercall call = { page_calls[n], edges[i], edges[k],
								0 };
				const int64_t wanted =
					are_all_its_own(edges[i], edges[k]) ? 0 : HYPERCALL_RANGE;

				wrong += hypercall_check(&guest, &call) != wanted;
			}
		}
	}
	return wrong;
}

static void pages_are_the_guests_own(void **state)
{
	(void)state;
	assert_int_equal(count_wrong(SP_MUT_NONE), 0);
}

static void without_the_check_a_sum_comes_round(void **state)
{
	(void)state;
	assert_int_not_equal(count_wrong(SP_MUT_CALL_RANGE_UNCHECKED), 0);
}

static int64_t answer_to(enum call_right right, uint32_t ring, uint32_t mutant)
{
	const struct hypercall_guest guest = { .balloon = right,
					       .frames = FRAMES,
					       .mutant = mutant };
	const struct hypercall call = { HYPERCALL_GIVE, 1, 1, ring };

	return hypercall_check(&guest, &call);
}

static void the_ring_decides_where_guest_conf_says_so(void **state)
{
	(void)state;
	for (uint32_t ring = 0; ring < 4; ring++) {
		assert_int_equal(answer_to(CALL_BY_NOBODY, ring, 0), HYPERCALL_NOT_PERMITTED);
		assert_int_equal(answer_to(CALL_BY_KERNEL, ring, 0),
				 ring == 0 ? 0 : HYPERCALL_NOT_PERMITTED);
		assert_int_equal(answer_to(CALL_BY_USER, ring, 0), 0);
	}
}

static void without_the_check_a_program_calls(void **state)
{
	(void)state;
	assert_int_equal(answer_to(CALL_BY_KERNEL, 3, SP_MUT_CALL_RING_UNCHECKED), 0);
}

static void what_is_no_call_is_none(void **state)
{
	const struct hypercall_guest guest = { .balloon = CALL_BY_USER,
					       .faults = CALL_BY_USER,
					       .frames = FRAMES };

	(void)state;
	for (uint64_t bit = 0; bit < 64; bit++) {
		const uint64_t numbers[] = { bit, 1ull << bit, ~(1ull << bit),
					     HYPERCALL_GIVE ^ 1ull << 32 << bit % 32,
					     HYPERCALL_LAST + 1 + bit };

		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
			const struct hypercall call = { numbers[i], 1, 1, 0 };

			assert_int_equal(hypercall_check(&guest, &call), HYPERCALL_UNKNOWN);
		}
	}
}

static void who_may_not_call_learns_nothing(void **state)
{
	const struct hypercall_guest guest = { .balloon = CALL_BY_KERNEL,
					       .faults = CALL_BY_KERNEL,
					       .frames = FRAMES };

	(void)state;
	for (uint64_t number = HYPERCALL_VERSION - 8; number < HYPERCALL_LAST + 8; number++) {
		const struct hypercall call = { number, 1, 1, 3 };

		assert_int_equal(hypercall_check(&guest, &call), HYPERCALL_NOT_PERMITTED);
	}
}

/* ---- faults ---- */

/* Two functions, as the guest sees them: 00:01.0, and 00:02.0, which was taken away. */
static struct vpci bus = { .function_count = 2,
			   .function = { { .device = 1, .shown = true },
					 { .device = 2, .shown = false } } };
#define OWN   (1ull << 3)
#define TAKEN (2ull << 3)

static int64_t faults_of(uint64_t name, uint64_t what, uint32_t mutant)
{
	const struct hypercall_guest guest = { .faults = CALL_BY_USER,
					       .bus = &bus,
					       .mutant = mutant };
	const struct hypercall call = { HYPERCALL_FAULTS, name, what, 3 };

	return hypercall_check(&guest, &call);
}

static void a_guest_asks_for_faults_of_its_own_functions(void **state)
{
	(void)state;
	assert_int_equal(faults_of(OWN, HYPERCALL_FAULT_COUNT, 0), 0);
	assert_int_equal(faults_of(OWN, HYPERCALL_FAULT_ADDRESS, 0), 0);
}

static void nobody_elses_function_has_a_name(void **state)
{
	(void)state;
	for (uint64_t name = 0; name < 0x10000; name++) {
		if (name != OWN)
			assert_int_equal(faults_of(name, HYPERCALL_FAULT_COUNT, 0),
					 HYPERCALL_NO_FUNCTION);
	}
	for (uint64_t bit = 16; bit < 64; bit++)
		assert_int_equal(faults_of(OWN | 1ull << bit, HYPERCALL_FAULT_COUNT, 0),
				 HYPERCALL_NO_FUNCTION);
	assert_int_equal(faults_of(TAKEN, HYPERCALL_FAULT_ADDRESS, 0), HYPERCALL_NO_FUNCTION);
}

static void without_the_check_a_function_of_nobody_answers(void **state)
{
	(void)state;
	assert_int_equal(faults_of(TAKEN, HYPERCALL_FAULT_COUNT, SP_MUT_CALL_FUNCTION_UNCHECKED),
			 0);
}

static void what_is_no_question_is_refused(void **state)
{
	(void)state;
	for (uint64_t bit = 1; bit < 64; bit++)
		assert_int_equal(faults_of(OWN, 1ull << bit, 0), HYPERCALL_RANGE);
}

/* One right is not the other. */
static void rights_are_apart(void **state)
{
	const struct hypercall_guest balloon = { .balloon = CALL_BY_USER,
						 .frames = FRAMES,
						 .bus = &bus };
	const struct hypercall_guest faults = { .faults = CALL_BY_USER,
						.frames = FRAMES,
						.bus = &bus };
	const struct hypercall give = { HYPERCALL_GIVE, 1, 1, 3 };
	const struct hypercall ask = { HYPERCALL_FAULTS, OWN, HYPERCALL_FAULT_COUNT, 3 };
	const struct hypercall version = { HYPERCALL_VERSION, 0, 0, 3 };

	(void)state;
	assert_int_equal(hypercall_check(&balloon, &give), 0);
	assert_int_equal(hypercall_check(&balloon, &ask), HYPERCALL_NOT_PERMITTED);
	assert_int_equal(hypercall_check(&balloon, &version), 0);
	assert_int_equal(hypercall_check(&faults, &give), HYPERCALL_NOT_PERMITTED);
	assert_int_equal(hypercall_check(&faults, &ask), 0);
	assert_int_equal(hypercall_check(&faults, &version), 0);
}

/* Pages of the other's, places of its own; and none of it for who serves nobody. */
static void who_serves_maps_within_the_other_guest(void **state)
{
	const struct hypercall_guest server = { .balloon = CALL_BY_USER,
						.frames = FRAMES,
						.served = 513 };
	const struct hypercall_guest other = { .balloon = CALL_BY_USER, .frames = FRAMES };

	(void)state;
	for (size_t i = 0; i < EDGES; i++) {
		for (size_t k = 0; k < EDGES; k++) {
			const struct hypercall map = { HYPERCALL_SERVE_MAP, edges[i], edges[k], 0 };
			const struct hypercall unmap = { HYPERCALL_SERVE_UNMAP, edges[i], edges[k],
							 0 };

			assert_int_equal(hypercall_check(&server, &map),
					 edges[i] < 513 && edges[k] < HYPERCALL_SERVE_PLACES
						 ? 0
						 : HYPERCALL_RANGE);
			assert_int_equal(hypercall_check(&server, &unmap),
					 edges[i] < 2 && edges[k] == 1 ? 0 : HYPERCALL_RANGE);
			assert_int_equal(hypercall_check(&other, &map), HYPERCALL_UNKNOWN);
			assert_int_equal(hypercall_check(&other, &unmap), HYPERCALL_UNKNOWN);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_the_guests_own),
		cmocka_unit_test(without_the_check_a_sum_comes_round),
		cmocka_unit_test(the_ring_decides_where_guest_conf_says_so),
		cmocka_unit_test(without_the_check_a_program_calls),
		cmocka_unit_test(what_is_no_call_is_none),
		cmocka_unit_test(who_may_not_call_learns_nothing),
		cmocka_unit_test(a_guest_asks_for_faults_of_its_own_functions),
		cmocka_unit_test(nobody_elses_function_has_a_name),
		cmocka_unit_test(without_the_check_a_function_of_nobody_answers),
		cmocka_unit_test(what_is_no_question_is_refused),
		cmocka_unit_test(rights_are_apart),
		cmocka_unit_test(who_serves_maps_within_the_other_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
