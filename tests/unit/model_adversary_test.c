/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/model_adversary_test.c - a driver written by hand, careful or careless, against each
 * adversary.
 *
 *   map: table filled, linked, leaf stored
 *   unmap: slot emptied, unit told, wait seen, frame given back
 *
 * The careful one must never be accused, whatever the caches do; leave out one thing, and it must
 * be. One table serves a unit and a CPU: AMD-Vi with NPT, as both vendors' walkers read it.
 */
#include "model_hand.h"

#include <string.h>

#define LINK(n) (0x7ull | (uint64_t)(n) << 9 | 3ull << 61)
#define LEAF	(0x67ull | 3ull << 61)
#define DOMAIN	2u
#define ASID	1u
#define TABLES	4u /* of 512 pages each */
#define ROUNDS	1500u

enum careless {
	CAREFUL,
	NO_INVALIDATION,
	INVALIDATION_TOO_NARROW,
	LINKS_KEPT,
	NO_WAIT,
	NO_KICK,
	NO_FLUSH,
	LINK_FIRST,
	CARELESS_COUNT
};

struct driver {
	struct model *model;
	enum careless fault;
	uint64_t root, level2, level1, devtab, queue, word, waits, tail;
	uint64_t level0[TABLES], leaf[TABLES][8];
	bool flush_owed;
};

static void command(struct driver *driver, uint64_t low, uint64_t high)
{
	model_store(driver->model, (driver->queue << 12) + driver->tail, low, true);
	model_store(driver->model, (driver->queue << 12) + driver->tail + 8, high, true);
	driver->tail = (driver->tail + 16) % 4096;
	hand_write(driver->model, 0x2008, 8, driver->tail);
}

static void exit_cpu(struct model *model, uint32_t cpu, void *argument)
{
	(void)argument;
	model_cpu_leave(model, cpu);
}

/* What a change owes, paid; `first` in pages, `order` wide. */
static void pay(struct driver *driver, uint64_t first, uint32_t order, bool links)
{
	struct sp_cpu_set all = { { 1 } };
	uint64_t size = order ? ((1ull << (order - 1)) - 1) << 12 | 1 : 0;

	if (driver->fault == INVALIDATION_TOO_NARROW)
		size = 0;
	if (driver->fault == LINKS_KEPT)
		links = false;
	if (driver->fault != NO_INVALIDATION)
		command(driver, 3ull << 60 | (uint64_t)DOMAIN << 32,
			first << 12 | size | (links ? 2 : 0));
	command(driver, 1ull << 60 | driver->word | 1, ++driver->waits);
	if (driver->fault != NO_KICK)
		platform_kick(driver->model, &all);
	driver->flush_owed = driver->fault != NO_FLUSH;
	while (driver->fault != NO_WAIT && model_load(driver->model, driver->word) != driver->waits)
		platform_relax(driver->model);
	model_deliver_kicks(driver->model);
}

static void run_guest(struct driver *driver)
{
	if (model_cpu_in_guest(driver->model, 0))
		return;
	model_cpu_enter(driver->model, 0, MODEL_NPT, driver->root << 12, 4, ASID,
			driver->flush_owed);
	driver->flush_owed = false;
}

static void start(struct driver *driver, enum model_adversary adversary, enum careless fault,
		  uint64_t seed)
{
	struct model_config config = { .unit_count = 1,
				       .device_count = 2,
				       .adversary = adversary,
				       .seed = seed,
				       .exit_cpu = exit_cpu };
	struct model *model;

	config.unit[0].vendor = MODEL_AMDVI;
	config.unit[0].answers = MODEL_LATE;
	config.device[0].sbdf = HAND_DEVICE;
	config.device[1].sbdf = HAND_OTHER;
	memset(driver, 0, sizeof(*driver));
	model = driver->model = model_create(&config);
	driver->fault = fault;
	driver->flush_owed = true;
	driver->devtab = hand_table(model, 9);
	driver->queue = hand_table(model, 0);
	driver->word = hand_table(model, 0) << 12;
	driver->root = hand_table(model, 0);
	driver->level2 = hand_table(model, 0);
	driver->level1 = hand_table(model, 0);
	hand_set(model, driver->root, 0, driver->level2 << 12 | LINK(3));
	hand_set(model, driver->level2, 0, driver->level1 << 12 | LINK(2));
	for (uint32_t id = HAND_DEVICE; id <= HAND_OTHER; id += 8) {
		model_store(model, (driver->devtab << 12) + id * 32 + 8, DOMAIN, true);
		model_store(model, (driver->devtab << 12) + id * 32 + 16, 1, true);
		model_store(model, (driver->devtab << 12) + id * 32,
			    driver->root << 12 | 3 | 4 << 9 | 3ull << 61, true);
	}
	hand_write(model, 0x00, 8, driver->devtab << 12 | 0x1ff);
	hand_write(model, 0x08, 8, driver->queue << 12 | 8ull << 56);
	hand_write(model, 0x18, 8, 1 | 1 << 12);
}

static void add_table(struct driver *driver, uint32_t table)
{
	sp_mfn_t frame;

	if (driver->fault == LINK_FIRST)
		assert_int_equal(platform_frames_take(driver->model, 0, 0, &frame), SP_OK);
	else
		frame.mfn = hand_table(driver->model, 0);
	driver->level0[table] = frame.mfn;
	hand_set(driver->model, driver->level1, table, frame.mfn << 12 | LINK(1));
}

/* Leaves and table go at once: the width is the table's. */
static void drop_table(struct driver *driver, uint32_t table)
{
	hand_set(driver->model, driver->level1, table, 0);
	pay(driver, table * 512ull, 9, true);
	for (uint32_t page = 0; page < 8; page++)
		if (driver->leaf[table][page])
			model_guest_give(driver->model, driver->leaf[table][page], 0);
	platform_frames_give(driver->model, (sp_mfn_t){ driver->level0[table] }, 0);
	memset(driver->leaf[table], 0, sizeof(driver->leaf[table]));
	driver->level0[table] = 0;
}

static void change_page(struct driver *driver, uint32_t table, uint32_t page)
{
	uint64_t *leaf = &driver->leaf[table][page];

	if (!*leaf) {
		*leaf = model_guest_frame(driver->model);
		hand_set(driver->model, driver->level0[table], page, *leaf << 12 | LEAF);
		return;
	}
	hand_set(driver->model, driver->level0[table], page, 0);
	pay(driver, table * 512ull + page, 0, false);
	model_guest_give(driver->model, *leaf, 0);
	*leaf = 0;
}

static void use_page(struct driver *driver, uint32_t table, uint32_t page)
{
	uint64_t dfn = table * 512ull + page, byte = 0;
	uint64_t leaf = driver->leaf[table][page];
	struct model_dma dma = model_dma(driver->model, HAND_DEVICE, dfn << 12, &byte, 1, true);
	struct model_reach reach;

	if (driver->fault != CAREFUL)
		return;
	assert_int_equal(dma.fault, leaf == 0);
	assert_true(dma.fault || dma.maddr >> 12 == leaf);
	run_guest(driver);
	reach = model_cpu_access(driver->model, 0, dfn, MODEL_WRITE);
	assert_int_equal(reach.ok, leaf != 0);
	assert_true(!reach.ok || reach.mfn == leaf);
}

static void run(struct driver *driver)
{
	for (uint32_t round = 0; round < ROUNDS && !model_verdict(driver->model); round++) {
		uint64_t chance = model_random(driver->model) >> 20;
		uint32_t table = chance % TABLES, page = chance / 16 % 8, what = chance / 1024 % 16;

		run_guest(driver);
		if (!driver->level0[table])
			add_table(driver, table);
		else if (what == 0)
			drop_table(driver, table);
		else if (what < 8)
			change_page(driver, table, page);
		else
			use_page(driver, table, page);
	}
}

static void careful_driver_is_never_accused(void **state)
{
	struct driver driver;

	(void)state;
	for (int adversary = MODEL_ADVERSARY_NONE; adversary <= MODEL_ADVERSARY_MAX; adversary++) {
		for (uint64_t seed = 1; seed <= 3; seed++) {
			start(&driver, (enum model_adversary)adversary, CAREFUL, seed);
			run(&driver);
			hand_clean(driver.model);
			model_destroy(driver.model);
		}
	}
}

static void careless_driver_is_accused_of_each_thing_left_out(void **state)
{
	struct driver driver;

	(void)state;
	for (int adversary = MODEL_ADVERSARY_RANDOM; adversary <= MODEL_ADVERSARY_MAX;
	     adversary++) {
		for (int fault = CAREFUL + 1; fault < CARELESS_COUNT; fault++) {
			start(&driver, (enum model_adversary)adversary, (enum careless)fault, 5);
			run(&driver);
			if (!model_verdict(driver.model))
				print_error("adversary %d did not notice %d\n", adversary, fault);
			assert_non_null(model_verdict(driver.model));
			model_destroy(driver.model);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(careful_driver_is_never_accused),
		cmocka_unit_test(careless_driver_is_accused_of_each_thing_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
