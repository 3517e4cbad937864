/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/requester.c - the requester ids that a function's requests may carry.
 *
 *   root port --- PCIe-to-PCI bridge --- function     (secondary bus, 0, 0), or the bridge's own
 *   root bus  --- conventional bridge --- function    the bridge's own
 *   root port --- function                            its own, and its phantom functions'
 *
 * PCI Express base 6.0: 2.2.6.2, 7.5.3.3; PCI Express to PCI/PCI-X Bridge 1.0: 2.3.
 */
#include "pci/requester.h"

#include "lib/bits.h"
#include "pci/capability.h"

bool requester_has(const struct function *function, uint16_t id)
{
	for (uint32_t i = 0; i < function->requester_count; i++) {
		if (function->requester[i] == id)
			return true;
	}
	return false;
}

bool requester_is_shared(const struct function *a, const struct function *b)
{
	if (sp_sbdf_segment(a->sbdf) != sp_sbdf_segment(b->sbdf))
		return false;
	for (uint32_t i = 0; i < a->requester_count; i++) {
		if (requester_has(b, a->requester[i]))
			return true;
	}
	return false;
}

void requester_add(const struct sp_host *host, struct function *function, uint16_t id)
{
	if (requester_has(function, id))
		return;
	if (function->requester_count < FUNCTION_REQUESTERS) {
		function->requester[function->requester_count++] = id;
		return;
	}
	if (!function->unusable)
		config_log(host, SP_LOG_WARNING, function->sbdf,
			   "uses more requester ids than can be kept; it stays blocked");
	function->unusable = true;
}

/* Which id a bridge puts on what passes it depends on the request: every id that it may be. */
static void add_bridge(const struct sp_host *host, struct function *function,
		       const struct function *bridge)
{
	uint32_t type = bridge->pcie ? capability_pcie_type(host, bridge) : TYPE_PCI_TO_PCIE;

	switch (type) {
	case TYPE_ROOT_PORT:
	case TYPE_UPSTREAM:
	case TYPE_DOWNSTREAM:
		return;
	case TYPE_PCIE_TO_PCI:
		requester_add(host, function, (uint16_t)(bridge->secondary_bus << 8));
		break;
	}
	requester_add(host, function, sp_sbdf_requester(bridge->sbdf));
}

/* 7.5.3.3: the highest `bits` of the function number are free for more requests under way. */
static void add_phantoms(const struct sp_host *host, struct function *function)
{
	uint32_t can = config_read32(host, function->sbdf, function->pcie + PCIE_DEVICE_CAP);
	uint32_t control =
		config_read16(host, function->sbdf, function->pcie + PCIE_DEVICE_CONTROL);
	uint32_t bits = (uint32_t)field_get(can, DEVICE_CAP_PHANTOM);

	if (!(control & DEVICE_CONTROL_PHANTOM))
		return;
	for (uint32_t i = 1; i < 1u << bits; i++)
		requester_add(host, function,
			      (uint16_t)(sp_sbdf_requester(function->sbdf) | i << (3 - bits)));
}

void requester_collect(const struct sp_host *host, struct function *function)
{
	requester_add(host, function, sp_sbdf_requester(function->sbdf));
	for (int32_t at = function->parent; at >= 0; at = host->functions[at].parent)
		add_bridge(host, function, &host->functions[at]);
	if (function->pcie)
		add_phantoms(host, function);
}
