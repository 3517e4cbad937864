/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/scan.c - every function of a segment, behind bridges too.
 *
 *   bus 0 --- bridge [1..3] --- bus 1 --- bridge [2..2] --- bus 2      under[2] = the inner bridge
 *         +-- function               +-- function
 *   bus 4: a further root bus                                          under[4] = NO_BRIDGE
 *
 * Buses are visited once each, upwards; a bridge leads up only, and its range is taken only where
 * nobody took it before but the bridge it is behind: so bridges that contradict each other can
 * neither make a circle nor put a function behind the wrong one.
 */
#include <sallyport/iommu.h>

#include "lib/text.h"
#include "pci/bar.h"
#include "pci/capability.h"
#include "pci/requester.h"

#define BUSES	  256u
#define DEVICES	  32u
#define FUNCTIONS 8u
#define NO_BRIDGE (-1)

struct scan {
	struct sp_host *host;
	uint16_t segment;
	int16_t under[BUSES];  /* index of the innermost bridge whose range holds the bus */
	bool secondary[BUSES]; /* a bridge leads to it directly */
};

static void log_range(const struct scan *scan, const struct function *bridge, const char *what)
{
	struct text text = { .length = 0 };

	text_sbdf(&text, bridge->sbdf);
	text_number(text_add(&text, ": bridge to buses "), bridge->secondary_bus);
	text_add(text_number(text_add(&text, "-"), bridge->subordinate_bus), what);
	host_log(scan->host, SP_LOG_WARNING, text.line);
}

/* How many buses from the secondary on are the bridge's to take; 0: none. */
static uint32_t free_buses(const struct scan *scan, const struct function *bridge)
{
	uint32_t first = bridge->secondary_bus, bus = first;

	if (first <= sp_sbdf_bus(bridge->sbdf))
		return 0;
	while (bus <= bridge->subordinate_bus && scan->under[bus] == bridge->parent)
		bus++;
	return bus - first;
}

static void take_buses(struct scan *scan, struct function *bridge, int16_t index)
{
	uint32_t count = free_buses(scan, bridge);

	/* Secondary 0: firmware never set it up, and nothing is reached through it. */
	if (bridge->secondary_bus == 0 && bridge->subordinate_bus == 0)
		return;
	if (count == 0) {
		log_range(scan, bridge, ": reversed, a circle, or another bridge's; not followed");
		bridge->secondary_bus = bridge->subordinate_bus = 0;
		return;
	}
	if (bridge->subordinate_bus - bridge->secondary_bus + 1u != count) {
		log_range(scan, bridge, ": some are another bridge's; cut");
		bridge->subordinate_bus = (uint8_t)(bridge->secondary_bus + count - 1);
	}
	scan->secondary[bridge->secondary_bus] = true;
	for (uint32_t i = 0; i < count; i++)
		scan->under[bridge->secondary_bus + i] = index;
}

static void read_function(const struct scan *scan, struct function *function)
{
	const struct sp_host *host = scan->host;
	sp_sbdf_t id = function->sbdf;

	function->vendor = (uint16_t)config_read16(host, id, CONFIG_VENDOR);
	function->device = (uint16_t)config_read16(host, id, CONFIG_DEVICE);
	function->class_code = config_read32(host, id, CONFIG_CLASS_REVISION) >> 8;
	function->header = (uint8_t)(config_read8(host, id, CONFIG_HEADER) & ~HEADER_MULTIFUNCTION);
	if (function->header == 1) {
		function->secondary_bus = (uint8_t)config_read8(host, id, CONFIG_SECONDARY);
		function->subordinate_bus = (uint8_t)config_read8(host, id, CONFIG_SUBORDINATE);
	}
	function->pcie = capability_find(host, id, CAPABILITY_PCIE);
	function->advanced = capability_find(host, id, CAPABILITY_ADVANCED);
	bar_size_all(host, function);
}

static enum sp_status add_function(struct scan *scan, sp_sbdf_t id)
{
	struct sp_host *host = scan->host;
	struct function *function = &host->functions[host->function_count];

	if (host->function_count == host->limits.functions) {
		config_log(host, SP_LOG_ERROR, id,
			   "no room for one more function; raise sp_limits.functions");
		return SP_NO_SPACE;
	}
	*function = (struct function){ .sbdf = id, .parent = scan->under[sp_sbdf_bus(id)] };
	read_function(scan, function);
	requester_collect(host, function);
	if (function->header == 1)
		take_buses(scan, function, (int16_t)host->function_count);
	host->function_count++;
	return SP_OK;
}

static bool answers(const struct scan *scan, sp_sbdf_t id)
{
	return config_read16(scan->host, id, CONFIG_VENDOR) != VENDOR_NOBODY;
}

static enum sp_status scan_device(struct scan *scan, uint32_t bus, uint32_t device)
{
	sp_sbdf_t first = sp_sbdf(scan->segment, bus, device, 0);
	uint32_t count = 1;

	if (!answers(scan, first))
		return SP_OK;
	if (config_read8(scan->host, first, CONFIG_HEADER) & HEADER_MULTIFUNCTION)
		count = FUNCTIONS;
	for (uint32_t i = 0; i < count; i++) {
		sp_sbdf_t id = sp_sbdf(scan->segment, bus, device, i);
		enum sp_status status = answers(scan, id) ? add_function(scan, id) : SP_OK;

		if (status != SP_OK)
			return status;
	}
	return SP_OK;
}

/*
 * A bus within a bridge's range that no bridge leads to has nobody on it; one outside all may be a
 * root bus.
 */
static enum sp_status scan_bus(struct scan *scan, uint32_t bus)
{
	enum sp_status status = SP_OK;

	if (scan->under[bus] != NO_BRIDGE && !scan->secondary[bus])
		return SP_OK;
	for (uint32_t device = 0; device < DEVICES && status == SP_OK; device++)
		status = scan_device(scan, bus, device);
	return status;
}

static bool was_scanned(const struct sp_host *host, uint16_t segment)
{
	for (uint32_t i = 0; i < host->function_count; i++) {
		if (sp_sbdf_segment(host->functions[i].sbdf) == segment)
			return true;
	}
	return false;
}

enum sp_status sp_pci_scan(struct sp_host *host, uint16_t segment)
{
	struct scan scan = { .host = host, .segment = segment };
	enum sp_status status = SP_OK;

	if (host->resolved || was_scanned(host, segment))
		return SP_INVALID;
	if (!host->functions)
		host->functions =
			host_alloc(host, host->limits.functions * sizeof(*host->functions));
	if (!host->functions) {
		host_log(host, SP_LOG_ERROR,
			 "no room for the table of functions; give the host more memory");
		return SP_NO_SPACE;
	}
	for (uint32_t bus = 0; bus < BUSES; bus++)
		scan.under[bus] = NO_BRIDGE;
	for (uint32_t bus = 0; bus < BUSES && status == SP_OK; bus++)
		status = scan_bus(&scan, bus);
	return status;
}

_Static_assert(sizeof(struct function) <= HOST_FUNCTION_BYTES, "what sp_host_size() reckons with");
