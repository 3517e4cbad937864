/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/firmware.c - what firmware hands over: the DMAR and IVRS tables, and tables of its
 * own for units that it left translating.
 *
 *   DMAR  VT-d chapter 8      header 48 | DRHD 16 + device scopes ... | RMRR 24 + scopes ...
 *   IVRS  48882 chapter 5     header 48 | IVHD 24 or 40 + device entries ... | IVMD 32 ...
 *
 * A table is built sound; a defect is then put in at the places noted on the way.
 */
#include <string.h>

#include "machine.h"

struct writer {
	const struct model *model;
	uint8_t *table;
	size_t room, used;
	size_t first_unit, first_scope, last_scope; /* offsets; 0: none */
	bool full;
};

static void put(struct writer *writer, uint64_t value, uint32_t bytes)
{
	if (writer->used + bytes > writer->room) {
		writer->full = true;
		return;
	}
	memcpy(writer->table + writer->used, &value, bytes);
	writer->used += bytes;
}

static void set(struct writer *writer, size_t offset, uint64_t value, uint32_t bytes)
{
	if (!writer->full && offset + bytes <= writer->used)
		memcpy(writer->table + offset, &value, bytes);
}

static void put_text(struct writer *writer, const char *text, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		put(writer, (uint8_t)text[i], 1);
}

/* ACPI 5.2.6: the header that all tables have. */
static void put_header(struct writer *writer, const char *signature, uint8_t revision)
{
	put_text(writer, signature, 4);
	put(writer, 0, 4);
	put(writer, revision, 1);
	put(writer, 0, 1);
	put_text(writer, "SALLYP", 6);
	put_text(writer, "MODEL   ", 8);
	put(writer, 1, 4);
	put(writer, 0x59504c53, 4);
	put(writer, 1, 4);
}

static size_t finish(struct writer *writer, enum model_defect defect)
{
	size_t length = writer->used;
	uint8_t sum = 0;

	if (writer->full)
		return 0;
	if (defect == MODEL_TABLE_CUT)
		length = writer->used -= 4;
	if (defect == MODEL_TABLE_HEADER_LENGTH)
		length += 64;
	set(writer, 4, length, 4);
	set(writer, 9, 0, 1);
	for (size_t i = 0; i < writer->used; i++)
		sum = (uint8_t)(sum + writer->table[i]);
	set(writer, 9, (uint8_t)-sum, 1);
	return writer->used;
}

static const struct model_device_config *bridge_above(const struct model_config *config,
						      const struct model_device_config *device)
{
	for (uint32_t i = 0; i < config->device_count; i++) {
		const struct model_device_config *bridge = &config->device[i];

		if (bridge->kind != MODEL_ENDPOINT && bridge != device &&
		    bridge->secondary == (device->sbdf >> 8 & 0xff))
			return bridge;
	}
	return NULL;
}

/* --- DMAR ------------------------------------------------------------------------------------ */

/* VT-d 8.3.1: the path from the root bus, a pair for each bridge and one for the device. */
static void put_path(struct writer *writer, const struct model_device_config *device,
		     uint32_t depth)
{
	const struct model_device_config *bridge = bridge_above(&writer->model->config, device);

	if (bridge && depth < 8)
		put_path(writer, bridge, depth + 1);
	put(writer, device->sbdf >> 3 & 31, 1);
	put(writer, device->sbdf & 7, 1);
}

static void put_scope(struct writer *writer, const struct model_device_config *device)
{
	size_t start = writer->used;

	put(writer, device->kind == MODEL_ENDPOINT ? 1 : 2, 1);
	put(writer, 0, 1);
	put(writer, 0, 4);
	put_path(writer, device, 0);
	set(writer, start + 1, writer->used - start, 1);
	if (!writer->first_scope)
		writer->first_scope = start;
	writer->last_scope = start;
}

/* A bridge's scope covers what lies behind it. */
static bool needs_scope(const struct model_config *config, const struct model_device_config *device,
			uint32_t unit)
{
	const struct model_device_config *bridge = bridge_above(config, device);

	if (device->unit != unit || device->unlisted)
		return false;
	return !bridge || bridge->unit != unit || bridge->unlisted;
}

static void put_drhd(struct writer *writer, uint32_t unit, enum model_defect defect)
{
	const struct model_config *config = &writer->model->config;
	const struct model_unit_config *own = &config->unit[unit];
	size_t start = writer->used;

	put(writer, 0, 4);
	put(writer, own->all_functions ? 1 : 0, 2);
	put(writer, 0, 2);
	put(writer, own->base | (defect == MODEL_TABLE_BASE_ODD ? 0x10 : 0), 8);
	if (unit == 0) {
		/* The IO-APIC: type 3, number 0, ff:00.0. */
		put(writer, 0x0803, 2);
		put(writer, 0xff000000, 4);
		put(writer, 0, 2);
	}
	for (uint32_t i = 0; i < config->device_count && !own->all_functions; i++)
		if (needs_scope(config, &config->device[i], unit))
			put_scope(writer, &config->device[i]);
	set(writer, start + 2, writer->used - start, 2);
	if (!writer->first_unit)
		writer->first_unit = start;
}

/* VT-d 8.4: the limit is the range's last byte. */
static void put_rmrr(struct writer *writer, const struct model_reserved *range, bool backwards)
{
	const struct model_config *config = &writer->model->config;
	size_t start = writer->used;

	put(writer, 1, 4);
	put(writer, 0, 4);
	put(writer, range->base, 8);
	put(writer, backwards ? range->base - 1 : range->base + range->bytes - 1, 8);
	for (uint32_t i = 0; i < config->device_count; i++)
		if (config->device[i].sbdf == range->sbdf)
			put_scope(writer, &config->device[i]);
	set(writer, start + 2, writer->used - start, 2);
}

static const struct model_reserved backwards_range = { .sbdf = 0,
						       .base = 0x7f000000,
						       .bytes = 0x1000 };

static void put_dmar_entries(struct writer *writer, enum model_defect defect)
{
	const struct model_config *config = &writer->model->config;

	for (uint32_t i = 0; i < config->unit_count && defect != MODEL_TABLE_NO_UNIT; i++)
		if (config->unit[i].vendor == MODEL_VTD)
			put_drhd(writer, i, defect);
	for (uint32_t i = 0; i < config->unit_count && defect == MODEL_TABLE_TWICE; i++)
		if (config->unit[i].vendor == MODEL_VTD)
			put_drhd(writer, i, defect);
	for (uint32_t i = 0; i < config->reserved_count; i++)
		put_rmrr(writer, &config->reserved[i], false);
	if (defect == MODEL_TABLE_RANGE_BACKWARDS) {
		struct model_reserved range = backwards_range;

		range.sbdf = config->device_count ? config->device[0].sbdf : 0;
		put_rmrr(writer, &range, true);
	}
	if (defect == MODEL_TABLE_UNKNOWN_ENTRY) {
		put(writer, 0x77, 2);
		put(writer, 16, 2);
		put(writer, 0x1234567, 8);
		put(writer, 0, 4);
	}
}

size_t model_dmar(const struct model *model, enum model_defect defect, void *table, size_t bytes)
{
	struct writer writer = { .model = model, .table = table, .room = bytes };
	bool remapping = true;

	for (uint32_t i = 0; i < model->config.unit_count; i++)
		remapping &= !model->config.unit[i].no_remapping;
	put_header(&writer, "DMAR", 1);
	put(&writer, model->config.address_bits - 1u, 1);
	put(&writer, remapping, 1);
	put(&writer, 0, 8);
	put(&writer, 0, 2);
	put_dmar_entries(&writer, defect);
	if (defect == MODEL_TABLE_LENGTH_ZERO)
		set(&writer, writer.first_unit + 2, 0, 2);
	if (defect == MODEL_TABLE_LENGTH_BEYOND)
		set(&writer, writer.first_unit + 2, 0x7ff0, 2);
	if (defect == MODEL_TABLE_LENGTH_SHORT)
		set(&writer, writer.first_unit + 2, 8, 2);
	if (defect == MODEL_TABLE_SCOPE_ZERO)
		set(&writer, writer.first_scope + 1, 0, 1);
	if (defect == MODEL_TABLE_SCOPE_BEYOND)
		set(&writer, writer.first_scope + 1, 0xf0, 1);
	return finish(&writer, defect);
}

/* --- IVRS ------------------------------------------------------------------------------------ */

static void put_entry(struct writer *writer, uint8_t type, uint16_t id)
{
	writer->last_scope = writer->used;
	put(writer, type, 1);
	put(writer, id, 2);
	put(writer, 0, 1);
}

/* 48882 5.2.2: one id, an alias for what carries another's, a range for phantom functions. */
static void put_device(struct writer *writer, const struct model_device_config *device)
{
	uint16_t id = (uint16_t)device->sbdf, requester;

	requester =
		pci_requester((struct model *)(uintptr_t)writer->model,
			      pci_find((struct model *)(uintptr_t)writer->model, device->sbdf), 0);
	if (requester != id) {
		/* Alias: the requests of this device carry another's id. */
		put_entry(writer, 0x42, id);
		put(writer, (uint32_t)requester << 8, 4);
	} else if (device->phantom) {
		put_entry(writer, 0x03, id & 0xfff8);
		put_entry(writer, 0x04, id | 7);
	} else {
		put_entry(writer, 0x02, id);
	}
}

static void put_ivhd(struct writer *writer, uint32_t unit, uint8_t type, enum model_defect defect)
{
	const struct model_config *config = &writer->model->config;
	const struct model_unit_config *own = &config->unit[unit];
	size_t start = writer->used;

	put(writer, type, 2);
	put(writer, 0, 2);
	put(writer, own->function_sbdf & 0xffff, 2);
	put(writer, 0x40, 2);
	put(writer, own->base | (defect == MODEL_TABLE_BASE_ODD ? 0x10 : 0), 8);
	put(writer, own->function_sbdf >> 16, 2);
	put(writer, 0, 2);
	put(writer, (own->max_levels - 4ull) << 30 | (own->no_invalidate_all ? 0 : 1u << 5), 4);
	if (type == 0x11) {
		put(writer, amdvi_features(&writer->model->unit[unit]), 8);
		put(writer, 0, 8);
	}
	if (unit == 0) {
		/* The IO-APIC with handle 0 is 00:14.0. */
		put(writer, 0x48, 4);
		put(writer, 0x0100a000, 4);
	}
	for (uint32_t i = 0; i < config->device_count; i++)
		if (config->device[i].unit == unit && !config->device[i].unlisted)
			put_device(writer, &config->device[i]);
	if (defect == MODEL_TABLE_SCOPE_ZERO || defect == MODEL_TABLE_SCOPE_BEYOND)
		put_entry(writer, defect == MODEL_TABLE_SCOPE_ZERO ? 0x03 : 0x48, 0x20);
	set(writer, start + 2, writer->used - start, 2);
	if (!writer->first_unit)
		writer->first_unit = start;
}

/* 48882 5.2.4: unity in bit 0, then read and write. */
static void put_ivmd(struct writer *writer, const struct model_reserved *range, bool backwards)
{
	put(writer, 0x21, 1);
	put(writer, range->read_only ? 0x3 : 0x7, 1);
	put(writer, 32, 2);
	put(writer, range->sbdf & 0xffff, 2);
	put(writer, 0, 2);
	put(writer, 0, 8);
	put(writer, range->base, 8);
	put(writer, backwards ? -range->base : range->bytes, 8);
}

static void put_ivrs_entries(struct writer *writer, enum model_defect defect)
{
	const struct model_config *config = &writer->model->config;

	/* The older type first and the newer after it, for the same units, as firmware does. */
	for (uint32_t type = 0x10; type <= 0x11 && defect != MODEL_TABLE_NO_UNIT; type++)
		for (uint32_t i = 0; i < config->unit_count; i++)
			if (config->unit[i].vendor == MODEL_AMDVI)
				put_ivhd(writer, i, (uint8_t)type, defect);
	for (uint32_t i = 0; i < config->unit_count && defect == MODEL_TABLE_TWICE; i++)
		if (config->unit[i].vendor == MODEL_AMDVI)
			put_ivhd(writer, i, 0x11, defect);
	for (uint32_t i = 0; i < config->reserved_count; i++)
		put_ivmd(writer, &config->reserved[i], false);
	if (defect == MODEL_TABLE_RANGE_BACKWARDS) {
		struct model_reserved range = backwards_range;

		range.sbdf = config->device_count ? config->device[0].sbdf : 0;
		put_ivmd(writer, &range, true);
	}
	if (defect == MODEL_TABLE_UNKNOWN_ENTRY) {
		put(writer, 0x77, 2);
		put(writer, 16, 2);
		put(writer, 0x1234567, 8);
		put(writer, 0, 4);
	}
}

size_t model_ivrs(const struct model *model, enum model_defect defect, void *table, size_t bytes)
{
	struct writer writer = { .model = model, .table = table, .room = bytes };

	put_header(&writer, "IVRS", 2);
	put(&writer, 1u | (uint32_t)model->config.address_bits << 8 | 64u << 15, 4);
	put(&writer, 0, 8);
	put_ivrs_entries(&writer, defect);
	if (defect == MODEL_TABLE_LENGTH_ZERO)
		set(&writer, writer.first_unit + 2, 0, 2);
	if (defect == MODEL_TABLE_LENGTH_BEYOND)
		set(&writer, writer.first_unit + 2, 0x7ff0, 2);
	if (defect == MODEL_TABLE_LENGTH_SHORT)
		set(&writer, writer.first_unit + 2, 8, 2);
	return finish(&writer, defect);
}

/* --- units left translating ------------------------------------------------------------------ */

static uint64_t new_table(struct model *model, uint32_t order)
{
	static const uint8_t zeroes[FRAME_BYTES];
	uint64_t mfn = ram_allot(model, order, FRAME_FIRMWARE);

	for (uint64_t i = 0; mfn && i < 1ull << order; i++)
		ram_store(model, (mfn + i) << FRAME_ORDER, zeroes, FRAME_BYTES);
	return mfn;
}

static void write_words(struct model *model, uint64_t maddr, uint64_t low, uint64_t high)
{
	uint64_t words[2] = { low, high };

	ram_store(model, maddr, words, sizeof(words));
}

/* Each function of the unit has an entry, to one empty table; domain 1. */
static bool leave_vtd(struct model *model, struct unit *unit, uint64_t empty)
{
	uint64_t root = new_table(model, 0), context[256] = { 0 };

	if (unit->config.left_scalable) {
		/* A root without any entry: everything is blocked there too. */
		unit->rtaddr = unit->root_latched = root << FRAME_ORDER | 1u << 10;
		unit->gsts = unit->gsts_next = 1u << 31 | 1u << 30;
		return root != 0;
	}
	uint64_t width = unit->config.walk_levels & 0x10 ? 2 : unit->config.walk_levels & 8 ? 1 : 3;

	if (!root)
		return false;
	for (uint32_t i = 0; i < model->config.device_count; i++) {
		struct function *function = &model->function[i];
		uint16_t id = pci_requester(model, function, 0);

		if (function->config.unit != unit->index)
			continue;
		if (!context[id >> 8])
			context[id >> 8] = new_table(model, 0);
		if (!context[id >> 8])
			return false;
		write_words(model, (root << FRAME_ORDER) + (id >> 8) * 16u,
			    context[id >> 8] << FRAME_ORDER | 1, 0);
		write_words(model, (context[id >> 8] << FRAME_ORDER) + (id & 0xff) * 16u,
			    empty << FRAME_ORDER | 1, 1u << 8 | width);
	}
	unit->rtaddr = unit->root_latched = root << FRAME_ORDER;
	unit->gsts = unit->gsts_next = 1u << 31 | 1u << 30;
	return true;
}

static bool leave_amdvi(struct model *model, struct unit *unit, uint64_t empty)
{
	uint64_t table = new_table(model, 9);

	if (!table)
		return false;
	/* Valid, 4 levels, nothing mapped, interrupts blocked; domain 1. */
	for (uint32_t id = 0; id < 0x10000; id++) {
		write_words(model, (table << FRAME_ORDER) + id * 32u,
			    empty << FRAME_ORDER | 3 | 4u << 9, 1);
		write_words(model, (table << FRAME_ORDER) + id * 32u + 16, 1, 0);
	}
	unit->devtab = table << FRAME_ORDER | 0x1ff;
	unit->control = 1;
	return true;
}

bool firmware_leave_translating(struct model *model, struct unit *unit)
{
	uint64_t empty = new_table(model, 0);

	if (!empty)
		return false;
	return unit->config.vendor == MODEL_VTD ? leave_vtd(model, unit, empty)
						: leave_amdvi(model, unit, empty);
}
