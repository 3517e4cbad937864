/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/exchange_test.c - CPUs that exchange one frame at the same time: exactly one wins (A3.3).
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sallyport/exchange.h"

#define ROUNDS	400u
#define RACERS	3u
#define GFN	0x100u
#define COUNTED (2 + (ROUNDS + 1) * (RACERS + 1))

/* Each round the frame that the last winner brought is given up by all of them at once. */
static struct race {
	pthread_barrier_t barrier;
	sp_mfn_t frame;
	uint32_t wins[ROUNDS];
} race;

static void one_round(struct worker *worker, uint32_t round)
{
	sp_mfn_t comes = { NUMBERS_MFN + 2 + round * RACERS + worker->index }, gone;
	struct sp_result result;
	enum sp_status status;

	pthread_barrier_wait(&race.barrier);
	gone = race.frame;
	pthread_barrier_wait(&race.barrier);
	status = sp_memory_exchange(worker->domain, (sp_gfn_t){ GFN }, 1, &gone, comes, &result);
	/* Nobody reads it before the next round. */
	if (status == SP_OK) {
		race.frame = comes;
		__atomic_fetch_add(&race.wins[round], 1, __ATOMIC_RELAXED);
	} else if (status != SP_NOT_FOUND && status != SP_BUSY) {
		machine_complain(worker->machine, "an exchange ended with \"%s\"",
				 sp_status_text(status));
	}
	if (round % 16 == 0)
		guest_wait(worker->machine, result.ticket);
}

static void life_of_a_racer(struct worker *worker)
{
	for (uint32_t round = 0; round < ROUNDS; round++, worker->rounds++)
		one_round(worker, round);
}

static void of_exchanges_of_one_frame_exactly_one_wins(void **state)
{
	struct machine *machine = machine_make(0, 0);
	struct sp_frame *frames = calloc(COUNTED, sizeof(*frames));
	struct sp_domain *domain;
	struct worker workers[RACERS];

	(void)state;
	sp_host_count_frames(machine->host, frames, (sp_mfn_t){ NUMBERS_MFN }, COUNTED);
	domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	/* A neighbour keeps the table. */
	guest_wait(machine, guest_map(machine, domain, GFN, NUMBERS_MFN, 2));
	race.frame = (sp_mfn_t){ NUMBERS_MFN };
	pthread_barrier_init(&race.barrier, NULL, RACERS);
	for (uint32_t i = 0; i < RACERS; i++)
		workers[i] =
			(struct worker){ .run = life_of_a_racer, .domain = domain, .index = i };
	machine_run(machine, workers, RACERS, 1);
	for (uint32_t round = 0; round < ROUNDS; round++)
		assert_int_equal(race.wins[round], 1);
	guest_wait(machine, guest_unmap(machine, domain, GFN, 2));
	machine_destroy(machine, domain);
	for (uint32_t i = 0; i < COUNTED; i++)
		assert_int_equal(frames[i].references | frames[i].writers | frames[i].stale |
					 frames[i].marks,
				 0);
	pthread_barrier_destroy(&race.barrier);
	machine_free(machine);
	free(frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_exchanges_of_one_frame_exactly_one_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
