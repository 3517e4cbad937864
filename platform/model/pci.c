/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/pci.c - configuration space as firmware left it: buses numbered, BARs placed, bus
 * masters on.
 *
 *   00 ids  04 command, status  08 class  0e header  10 BARs  18 bus numbers
 *   34 -> 40 PCIe, 80 Advanced Features; 100 Address Translation Services, 140 SR-IOV (virtual.c)
 *
 * Each byte has a mask of the bits that a write changes; the rest is what a write does besides.
 */
#include <string.h>

#include "machine.h"

#define COMMAND	   0x04
#define BUS_MASTER 4u
#define BARS	   0x10
#define PCIE	   0x40
#define AF	   0x80
#define DEVICE_CTL (PCIE + 0x08)
#define FIRST_BAR  0xc0000000ull

void pci_put(struct function *function, uint32_t offset, uint32_t bytes, uint64_t value)
{
	memcpy(function->space + offset, &value, bytes);
}

uint32_t pci_get(const struct function *function, uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	memcpy(&value, function->space + offset, bytes);
	return value;
}

static void allow(struct function *function, uint32_t offset, uint32_t bytes, uint64_t mask)
{
	memcpy(function->writable + offset, &mask, bytes);
}

struct function *pci_find(struct model *model, uint32_t sbdf)
{
	for (uint32_t i = 0; i < model->function_count; i++)
		if (model->function[i].config.sbdf == sbdf)
			return &model->function[i];
	return NULL;
}

static bool is_bridge(const struct function *function)
{
	return function->config.kind != MODEL_ENDPOINT;
}

/* The bridge that a function lies behind; NULL on a root bus. */
static struct function *parent_of(struct model *model, const struct function *function)
{
	uint32_t bus = function->config.sbdf >> 8;

	for (uint32_t i = 0; i < model->config.device_count; i++) {
		struct function *bridge = &model->function[i];

		if (is_bridge(bridge) && bridge->config.secondary == (bus & 0xff) &&
		    bridge->config.sbdf >> 16 == bus >> 8 && bridge != function)
			return bridge;
	}
	return NULL;
}

static bool is_conventional(struct model *model, const struct function *function)
{
	const struct function *bridge = parent_of(model, function);

	return function->config.kind == MODEL_PCI_BRIDGE ||
	       function->config.reset == MODEL_RESET_AF ||
	       (bridge && bridge->config.kind != MODEL_ROOT_PORT);
}

/*
 * PCIe to PCI bridge specification 2.3, and VT-d 3.4.1: behind a bridge to PCI a request carries
 * the secondary bus and 00.0; a conventional bridge puts its own id there.
 */
uint16_t pci_requester(struct model *model, const struct function *function, uint32_t number)
{
	uint16_t id = (uint16_t)function->config.sbdf;
	const struct function *bridge = parent_of(model, function);

	if (number)
		id = (uint16_t)((id & ~7u) | (number & 7));
	for (; bridge; bridge = parent_of(model, bridge)) {
		if (bridge->config.kind == MODEL_PCIE_TO_PCI)
			id = (uint16_t)(bridge->config.secondary << 8);
		else if (bridge->config.kind == MODEL_PCI_BRIDGE)
			id = (uint16_t)bridge->config.sbdf;
	}
	return id;
}

/* A bridge whose bus mastering is off forwards nothing upwards. */
bool pci_can_master(struct model *model, const struct function *function)
{
	if (!virtual_is_there(model, function))
		return false;
	for (; function; function = parent_of(model, function))
		if (!(pci_get(function, COMMAND, 2) & BUS_MASTER))
			return false;
	return true;
}

bool model_is_master(const struct model *model, uint32_t sbdf)
{
	const struct function *function = pci_find((struct model *)(uintptr_t)model, sbdf);

	return function && (pci_get(function, COMMAND, 2) & BUS_MASTER);
}

uint32_t model_resets(const struct model *model, uint32_t sbdf)
{
	const struct function *function = pci_find((struct model *)(uintptr_t)model, sbdf);

	return function ? function->resets : 0;
}

/* --- what firmware left ---------------------------------------------------------------------- */

/* PCIe 7.5.3: port types, FLR in bit 28 of the device capabilities, phantom functions in 4:3. */
static void add_pcie(struct function *function)
{
	static const uint8_t types[] = { 0x0, 0x4, 0x7, 0x0 };
	uint32_t flr = function->config.reset == MODEL_RESET_FLR ? 1u << 28 : 0;

	pci_put(function, 0x34, 1, PCIE);
	pci_put(function, PCIE, 1, 0x10);
	pci_put(function, PCIE + 2, 2, 2u | (uint32_t)types[function->config.kind] << 4);
	pci_put(function, PCIE + 4, 4, flr | (uint32_t)(function->config.phantom & 3) << 3);
	pci_put(function, DEVICE_CTL, 2, function->config.phantom ? 1u << 9 : 0);
	allow(function, DEVICE_CTL, 2, 0x7fff);
}

/* PCIe 10.5.1: 16 invalidations at once, page aligned requests. */
static void add_ats(struct function *function)
{
	pci_put(function, ATS_AT, 4, 0x1000f);
	pci_put(function, ATS_AT + 4, 2, 16u | 1u << 5);
}

static void add_advanced_features(struct function *function)
{
	pci_put(function, 0x34, 1, AF);
	pci_put(function, AF, 4, 0x13 | 6u << 16 | 3u << 24);
}

/* 64-bit memory BARs, each placed on a multiple of its size. */
static void add_bars(struct function *function, uint64_t *next)
{
	for (uint32_t i = 0; i < 2; i++) {
		uint64_t bytes = function->config.bar_bytes[i];

		if (!bytes)
			continue;
		*next = (*next + bytes - 1) & ~(bytes - 1);
		pci_put(function, BARS + i * 8, 8, *next | 4);
		allow(function, BARS + i * 8, 8, ~(bytes - 1) & ~0xfull);
		*next += bytes;
	}
}

static uint8_t last_bus_behind(struct model *model, const struct function *bridge)
{
	uint8_t last = bridge->config.secondary;

	for (uint32_t i = 0; i < model->config.device_count; i++) {
		const struct function *up = &model->function[i];

		if (!is_bridge(up))
			continue;
		for (up = parent_of(model, up); up; up = parent_of(model, up))
			if (up == bridge && model->function[i].config.secondary > last)
				last = model->function[i].config.secondary;
	}
	return last;
}

static bool shares_a_device(const struct model *model, uint32_t sbdf)
{
	for (uint32_t i = 0; i < model->function_count; i++)
		if (model->function[i].config.sbdf >> 3 == sbdf >> 3 &&
		    model->function[i].config.sbdf != sbdf)
			return true;
	return false;
}

static void fill(struct model *model, struct function *function, uint64_t *next_bar)
{
	uint32_t sbdf = function->config.sbdf, header = is_bridge(function) ? 1 : 0;

	pci_put(function, 0x00, 4, 0x5a111d55u);
	pci_put(function, COMMAND, 2, 0x7);
	allow(function, COMMAND, 2, 0x547);
	pci_put(function, 0x08, 4, is_bridge(function) ? 0x06040001u : 0xff000001u);
	pci_put(function, 0x0e, 1, header | (shares_a_device(model, sbdf) ? 0x80u : 0));
	allow(function, 0x3c, 1, 0xff);
	if (is_bridge(function)) {
		pci_put(function, 0x18, 1, sbdf >> 8 & 0xff);
		pci_put(function, 0x19, 1, function->config.secondary);
		pci_put(function, 0x1a, 1, last_bus_behind(model, function));
		allow(function, 0x18, 3, 0xffffff);
		allow(function, 0x3e, 2, 0x7f);
	} else {
		add_bars(function, next_bar);
	}
	if (!is_conventional(model, function))
		add_pcie(function);
	else if (function->config.reset == MODEL_RESET_AF)
		add_advanced_features(function);
	if (function->space[0x34])
		pci_put(function, 0x06, 2, 0x10);
	if (function->config.ats)
		add_ats(function);
	virtual_fill(function);
}

/* 48882 3.2: the unit's own function, with its capability at 40. */
static void add_unit_function(struct model *model, const struct unit *unit)
{
	struct function *function = &model->function[model->function_count++];
	const struct model_unit_config *config = &unit->config;

	function->config = (struct model_device_config){ .sbdf = config->function_sbdf,
							 .unit = MODEL_NO_UNIT };
	pci_put(function, 0x00, 4, 0x14191022u);
	pci_put(function, 0x06, 2, 0x10);
	pci_put(function, 0x08, 4, 0x08060001u);
	pci_put(function, 0x34, 1, 0x40);
	/* Type 3, revision 1, EFRSup, and NpCache. */
	pci_put(function, 0x40, 4,
		0x0f | 3u << 16 | 1u << 19 | 1u << 27 |
			(config->caches_not_present ? 1u << 26 : 0) | (config->ats ? 1u << 24 : 0));
	pci_put(function, 0x44, 8, config->base | 1);
}

void pci_create(struct model *model)
{
	uint64_t next_bar = FIRST_BAR;

	for (uint32_t i = 0; i < model->config.device_count; i++)
		model->function[i].config = model->config.device[i];
	model->function_count = model->config.device_count;
	for (uint32_t i = 0; i < model->config.device_count; i++)
		fill(model, &model->function[i], &next_bar);
	for (uint32_t i = 0; i < model->config.unit_count; i++) {
		struct unit unit = { .config = model->config.unit[i] };

		if (unit.config.vendor == MODEL_AMDVI)
			add_unit_function(model, &unit);
	}
}

/* --- accesses -------------------------------------------------------------------------------- */

/* What a function level reset leaves of configuration space: nothing that was programmed. */
static void reset(struct function *function)
{
	if (function->config.reset_fails)
		return;
	function->resets++;
	cache_drop_all(&function->atc);
	pci_put(function, ATS_AT + 6, 2, 0);
	pci_put(function, COMMAND, 2, 0);
	for (uint32_t i = 0; i < 2; i++)
		if (function->config.bar_bytes[i])
			pci_put(function, BARS + i * 8, 8, 4);
	virtual_reset(function);
}

static bool is_access(struct model *model, uint32_t offset, uint32_t bytes)
{
	if ((bytes == 1 || bytes == 2 || bytes == 4) && offset % bytes == 0 && offset < 4096)
		return true;
	model_violate(model, "contract: configuration access of %u bytes at 0x%x", bytes, offset);
	return false;
}

uint32_t platform_config_read(void *embedder, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes)
{
	struct model *model = embedder;
	uint32_t value = (uint32_t)((1ull << 8 * bytes) - 1);
	const struct function *function;

	model_take_lock(model);
	function = pci_find(model, sbdf.sbdf);
	if (function && virtual_is_early(model, function))
		model_violate(model, "contract: a virtual function is touched within 100 ms");
	if (is_access(model, offset, bytes) && function && virtual_is_there(model, function))
		value = pci_get(function, offset, bytes);
	model_drop_lock(model);
	return value;
}

/* PCIe 10.5.1.3: smallest translation unit, enable. */
static uint8_t ats_mask(const struct function *function, uint32_t offset)
{
	if (!function->config.ats)
		return virtual_mask(function, offset);
	return offset == ATS_AT + 6 ? 0x1f : offset == ATS_AT + 7 ? 0x80 : 0;
}

/* PCIe 7.5.3.4 and the AF capability: the bit that starts a reset reads as zero. */
static void write_byte(struct model *model, struct function *function, uint32_t offset,
		       uint8_t value)
{
	uint8_t before = function->space[offset];
	uint8_t mask = offset < sizeof(function->writable) ? function->writable[offset]
							   : ats_mask(function, offset);
	bool flr = function->config.reset == MODEL_RESET_FLR && function->space[PCIE] == 0x10 &&
		   offset == DEVICE_CTL + 1 && (value & 0x80);
	bool af = function->config.reset == MODEL_RESET_AF && offset == AF + 4 && (value & 1);

	function->space[offset] = (uint8_t)((function->space[offset] & ~mask) | (value & mask));
	virtual_was_written(model, function, offset, before);
	if (flr || af)
		reset(function);
}

void platform_config_write(void *embedder, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes,
			   uint32_t value)
{
	struct model *model = embedder;
	struct function *function;

	model_take_lock(model);
	buffer_drain(model);
	function = pci_find(model, sbdf.sbdf);
	if (is_access(model, offset, bytes) && function && virtual_is_there(model, function))
		for (uint32_t i = 0; i < bytes; i++)
			write_byte(model, function, offset + i, (uint8_t)(value >> 8 * i));
	model_drop_lock(model);
}
