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
	const struct hypercall_guest guest = { BALLOON_KERNEL, FRAMES, mutant };
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

static int64_t answer_to(enum balloon_right right, uint32_t ring, uint32_t mutant)
{
	const struct hypercall_guest guest = { right, FRAMES, mutant };
	const struct hypercall call = { HYPERCALL_GIVE, 1, 1, ring };

	return hypercall_check(&guest, &call);
}

static void the_ring_decides_where_guest_conf_says_so(void **state)
{
	(void)state;
	for (uint32_t ring = 0; ring < 4; ring++) {
		assert_int_equal(answer_to(BALLOON_OFF, ring, 0), HYPERCALL_NOT_PERMITTED);
		assert_int_equal(answer_to(BALLOON_KERNEL, ring, 0),
				 ring == 0 ? 0 : HYPERCALL_NOT_PERMITTED);
		assert_int_equal(answer_to(BALLOON_USER, ring, 0), 0);
	}
}

static void without_the_check_a_program_calls(void **state)
{
	(void)state;
	assert_int_equal(answer_to(BALLOON_KERNEL, 3, SP_MUT_CALL_RING_UNCHECKED), 0);
}

static void what_is_no_call_is_none(void **state)
{
	const struct hypercall_guest guest = { BALLOON_USER, FRAMES, SP_MUT_NONE };

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
	const struct hypercall_guest guest = { BALLOON_KERNEL, FRAMES, SP_MUT_NONE };

	(void)state;
	for (uint64_t number = HYPERCALL_VERSION - 8; number < HYPERCALL_LAST + 8; number++) {
		const struct hypercall call = { number, 1, 1, 3 };

		assert_int_equal(hypercall_check(&guest, &call), HYPERCALL_NOT_PERMITTED);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
