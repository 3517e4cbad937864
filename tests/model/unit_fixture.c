/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/unit_fixture.c - one driver on one unit of the model.
 */
#include "unit_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"

#define COMMAND	     0x04u
#define COMMAND_BITS 0x6u /* memory, bus master */

static struct model *make_model(const struct model_unit_config *unit,
				enum model_adversary adversary)
{
	struct model_config config = {
		.ram_frames = 8192,
		.unit_count = 1,
		.unit = { *unit },
		.device_count = 2,
		.device = { { .sbdf = DEVICE }, { .sbdf = STRANGER } },
		.adversary = adversary,
		.maps_may_repeat = true,
	};
	struct model *model = model_create(&config);

	assert_non_null(model);
	model_make_current(model);
	return model;
}

static void discover(struct fixture *fixture, enum model_vendor vendor)
{
	static uint8_t table[4096];
	size_t bytes =
		vendor == MODEL_VTD
			? model_dmar(fixture->model, MODEL_TABLE_SOUND, table, sizeof(table))
			: model_ivrs(fixture->model, MODEL_TABLE_SOUND, table, sizeof(table));

	assert_true(bytes > 0);
	assert_int_equal(vendor == MODEL_VTD ? sp_iommu_discover_dmar(fixture->host, table, bytes)
					     : sp_iommu_discover_ivrs(fixture->host, table, bytes),
			 SP_OK);
	assert_int_equal(fixture->host->unit_count, 1);
	fixture->unit = fixture->host->units[0];
	fixture->ops = fixture->unit->ops;
}

void fixture_set_master(struct fixture *fixture, bool on)
{
	platform_config_write(fixture->model, (sp_sbdf_t){ DEVICE }, COMMAND, 2,
			      on ? COMMAND_BITS : 0);
	platform_config_write(fixture->model, (sp_sbdf_t){ STRANGER }, COMMAND, 2,
			      on ? COMMAND_BITS : 0);
}

struct fixture *fixture_make(const struct model_unit_config *unit, enum model_adversary adversary)
{
	const struct sp_limits limits = { .cpus = 1, .domains = 1, .functions = 4 };
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	size_t bytes = sp_host_size(&limits);

	assert_non_null(fixture);
	fixture->model = make_model(unit, adversary);
	fixture->memory = aligned_alloc(64, bytes);
	assert_non_null(fixture->memory);
	fixture->host = sp_host_create(fixture->memory, bytes, &limits, fixture->model);
	assert_non_null(fixture->host);
	sp_iommu_prefer_scalable(fixture->host, unit->scalable);
	discover(fixture, unit->vendor);
	fixture->frame = model_guest_frame(fixture->model);
	fixture->other = model_guest_frame(fixture->model);
	fixture_set_master(fixture, true);
	return fixture;
}

struct fixture *fixture_start(const struct model_unit_config *unit)
{
	struct fixture *fixture = fixture_make(unit, MODEL_ADVERSARY_NONE);

	fixture->entry = fixture_table(fixture, fixture->frame, NAME, &fixture->leaf);
	assert_int_equal(fixture->ops->prepare_entry(fixture->unit, DEVICE), SP_OK);
	fixture->ops->attach(fixture->unit, DEVICE, &fixture->entry);
	assert_int_equal(fixture->ops->start(fixture->unit), SP_OK);
	assert_true(model_unit_translating(fixture->model, 0));
	model_commands_reset(fixture->model);
	return fixture;
}

void fixture_free(struct fixture *fixture)
{
	assert_null(model_verdict(fixture->model));
	model_make_current(NULL);
	model_destroy(fixture->model);
	free(fixture->memory);
	free(fixture);
}

static uint64_t *take_table(struct fixture *fixture, sp_mfn_t *table)
{
	uint64_t *slots;

	assert_int_equal(platform_frames_take(fixture->model, 0, 0, table), SP_OK);
	slots = platform_pointer(fixture->model, *table);
	memset(slots, 0, SP_FRAME_BYTES);
	platform_write_back(fixture->model, slots, SP_FRAME_BYTES);
	return slots;
}

static uint64_t leaf_for(const struct fixture *fixture, uint64_t frame)
{
	const struct format *format = fixture->unit->format;

	return format->leaf[0] | format->right_bit[3] | format->right_bit[4] |
	       frame << SP_FRAME_ORDER;
}

static void set_slot(struct fixture *fixture, uint64_t *slot, uint64_t value)
{
	store64(slot, value);
	platform_write_back(fixture->model, slot, sizeof(*slot));
}

void fixture_set_leaf(struct fixture *fixture, uint64_t leaf, uint64_t frame)
{
	uint64_t *slots = platform_pointer(fixture->model, (sp_mfn_t){ leaf >> SP_FRAME_ORDER });

	set_slot(fixture, slots + leaf % SP_FRAME_BYTES / 8, frame ? leaf_for(fixture, frame) : 0);
}

struct unit_entry fixture_table(struct fixture *fixture, uint64_t frame, uint16_t name,
				uint64_t *leaf)
{
	const struct format *format = fixture->unit->format;
	struct unit_entry entry = { .levels = fixture->unit->levels & 1 << 4 ? 4 : 3,
				    .name = name };
	sp_mfn_t below = { frame }, table;
	uint64_t value = leaf_for(fixture, frame);

	for (uint32_t level = 0; level < entry.levels; level++) {
		uint64_t *slots = take_table(fixture, &table);
		uint64_t index = PAGE >> 9 * level & 511;

		if (level)
			value = format->link[level] | below.mfn << SP_FRAME_ORDER;
		else
			*leaf = (table.mfn << SP_FRAME_ORDER) + 8 * index;
		set_slot(fixture, slots + index, value);
		below = table;
	}
	entry.root = table;
	return entry;
}

bool fixture_dma(struct fixture *fixture, uint32_t sbdf, uint64_t dfn, bool write)
{
	uint32_t data = 0x5a5a5a5a;
	struct model_dma dma =
		model_dma(fixture->model, sbdf, dfn << SP_FRAME_ORDER, &data, sizeof(data), write);

	return dma.done == sizeof(data);
}

enum sp_status fixture_post(struct fixture *fixture, struct command command, uint64_t *number)
{
	enum sp_status status;

	lock_take(&fixture->unit->queue, fixture->model);
	status = fixture->ops->post(fixture->unit, &command, 1, number);
	lock_drop(&fixture->unit->queue);
	return status;
}

enum sp_status fixture_progress(struct fixture *fixture)
{
	enum sp_status status;

	lock_take(&fixture->unit->queue, fixture->model);
	status = fixture->ops->progress(fixture->unit);
	lock_drop(&fixture->unit->queue);
	return status;
}

void fixture_pay(struct fixture *fixture, struct command command)
{
	uint64_t number;

	assert_int_equal(fixture_post(fixture, command, &number), SP_OK);
	while (fixture->unit->reached < number) {
		platform_relax(fixture->model);
		assert_int_equal(fixture_progress(fixture), SP_OK);
	}
}
