/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/emulator_test.c - observers of the embedder's, each a thread: an emulator that maps guest
 * frames, and shadows of machine frames, while others take pages away.
 *
 *   forget(), on the CPU that changes      this thread
 *   note the request         ---lock--->   drops what was asked for, then says the number
 *                                          else: looks up and remembers, or touches what it has
 *
 * A CPU runs the emulator's guest, as far as the gate lets it in. A page that was forgotten is poisoned and given a new life at once, so that a touch which release did
 * not wait for is a race, or a wrong tag.
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"

#define TIME  1000u /* milliseconds */
#define KEPT  64u
#define COUNT 512u /* frames of each worker */

struct seer {
	struct machine *machine;
	struct sp_domain *domain;
	struct sp_observer *observer;
	bool by_frame; /* shadows */
	pthread_mutex_t lock;
	struct {
		uint64_t gfn, mfn; /* mfn 0: free */
	} kept[KEPT];		   /* lock */
	struct sp_forget asked;	   /* lock */
	bool owes;		   /* lock */
	bool is_blind;		   /* lock; the domain ends: it looks up nothing */
	uint32_t stop;
	uint64_t seed, touched, answered;
	pthread_t thread;
};

static bool forget(void *argument, const struct sp_forget *what)
{
	struct seer *seer = argument;

	pthread_mutex_lock(&seer->lock);
	if (seer->owes)
		machine_complain(seer->machine, "asked again before it answered");
	seer->asked = *what;
	seer->owes = true;
	pthread_mutex_unlock(&seer->lock);
	return false;
}

static bool is_asked(const struct seer *seer, uint64_t at)
{
	for (uint32_t i = 0; i < seer->asked.run_count; i++)
		if (at - seer->asked.run[i].first < seer->asked.run[i].count)
			return true;
	return seer->asked.all;
}

static void answer(struct seer *seer)
{
	uint64_t number = 0;

	pthread_mutex_lock(&seer->lock);
	for (uint32_t i = 0; i < KEPT && seer->owes; i++)
		if (is_asked(seer, seer->by_frame ? seer->kept[i].mfn : seer->kept[i].gfn))
			seer->kept[i].mfn = 0;
	if (seer->owes)
		number = seer->asked.number;
	seer->owes = false;
	pthread_mutex_unlock(&seer->lock);
	if (!number)
		return;
	seer->answered++;
	if (sp_observer_reached(seer->observer, number) != SP_OK)
		machine_complain(seer->machine, "its answer is not believed");
}

/* Under the lock that forget() takes: a look-up from before a change is not remembered behind it. */
static void look(struct seer *seer, uint64_t gfn)
{
	struct sp_mapping mapping;
	uint32_t at = (uint32_t)random_below(&seer->seed, KEPT);

	pthread_mutex_lock(&seer->lock);
	if (!seer->is_blind && sp_p2m_find(seer->domain, (sp_gfn_t){ gfn }, &mapping) == SP_OK) {
		seer->kept[at].gfn = gfn;
		seer->kept[at].mfn = mapping.frame.mfn;
	}
	pthread_mutex_unlock(&seer->lock);
}

/* What it has it uses, asked or not, until it has answered. */
static void touch(struct seer *seer)
{
	for (uint32_t i = 0; i < KEPT; i++) {
		uint64_t tag;

		if (!seer->kept[i].mfn)
			continue;
		tag = seer->machine->frame[seer->kept[i].mfn - FRAME_MFN].tag;
		if (tag >> 56 != seer->domain->number ||
		    (tag >> 32 & 0xffffff) != seer->kept[i].gfn)
			machine_complain(seer->machine, "gfn %#llx leads to a frame of tag %#llx",
					 (unsigned long long)seer->kept[i].gfn,
					 (unsigned long long)tag);
		seer->touched++;
	}
}

static void *see(void *argument)
{
	struct seer *seer = argument;

	here = (struct here){ .cpu = MACHINE_CPUS - 1 };
	seer->seed = 7;
	while (!load32(&seer->stop)) {
		for (uint32_t i = 0; i < 8; i++)
			look(seer, random_below(&seer->seed, seer->machine->span));
		touch(seer);
		answer(seer);
	}
	return NULL;
}

static void begin(struct seer *seer, struct machine *machine, struct sp_domain *domain)
{
	seer->machine = machine;
	seer->domain = domain;
	assert_int_equal(pthread_create(&seer->thread, NULL, see, seer), 0);
}

static void end(struct seer *seer)
{
	store32(&seer->stop, 1);
	pthread_join(seer->thread, NULL);
	print_message("touched %llu, answered %llu\n", (unsigned long long)seer->touched,
		      (unsigned long long)seer->answered);
	assert_true(seer->touched && seer->answered);
}

static void run(struct machine *machine, struct sp_domain *domain)
{
	struct worker workers[3] = { [2] = { .run = life_in_guest, .domain = domain } };

	for (uint32_t i = 0; i < 2; i++)
		workers[i] = (struct worker){ .run = life_of_changes,
					      .domain = domain,
					      .first = i * COUNT,
					      .mfn = FRAME_MFN + i * COUNT,
					      .count = COUNT };
	machine_run(machine, workers, domain->cpu == SP_CPU_SHADOW ? 2 : 3, TIME);
}

static void an_emulator_touches_nothing_that_went(void **state)
{
	struct machine *machine = machine_make(1, 2 * COUNT);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct seer seer = { .by_frame = false };
	const struct sp_observer_config config = { .forget = forget, .argument = &seer };

	(void)state;
	pthread_mutex_init(&seer.lock, NULL);
	assert_int_equal(machine_assign(machine, domain, 0), SP_OK);
	assert_int_equal(sp_observer_add(domain, &config, &seer.observer), SP_OK);
	begin(&seer, machine, domain);
	run(machine, domain);
	end(&seer);
	sp_observer_remove(seer.observer);
	machine_release(machine, domain, 0);
	machine_destroy(machine, domain);
	machine_free(machine);
}

static void shadows_show_nothing_that_went(void **state)
{
	struct machine *machine = machine_make(1, 2 * COUNT);
	struct seer seer = { .by_frame = true };
	const struct sp_observer_config shadows = { .forget = forget, .argument = &seer };
	const struct sp_domain_config config = { .number = 1,
						 .cpu = SP_CPU_SHADOW,
						 .tables = SP_TABLES_SHARED,
						 .table_budget = 1000,
						 .cpu_large_pages = 6,
						 .shadows = &shadows };
	struct sp_domain *domain;

	(void)state;
	pthread_mutex_init(&seer.lock, NULL);
	assert_int_equal(sp_domain_create(machine->host, &config, &domain), SP_OK);
	seer.observer = sp_domain_shadows(domain);
	assert_int_equal(machine_assign(machine, domain, 0), SP_OK);
	begin(&seer, machine, domain);
	run(machine, domain);
	machine_release(machine, domain, 0);
	pthread_mutex_lock(&seer.lock);
	seer.is_blind = true;
	pthread_mutex_unlock(&seer.lock);
	/* The end of a domain asks the shadows too: they answer until it is gone. */
	machine_destroy(machine, domain);
	end(&seer);
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_emulator_touches_nothing_that_went),
		cmocka_unit_test(shadows_show_nothing_that_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
