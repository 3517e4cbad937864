/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/virtual.c - virtual functions, as the physical function's SR-IOV capability has them.
 * PCI Express base 6.0: 9.3.3, 9.3.4.
 *
 *   08 control  0c initial  0e total  10 how many  14 offset  16 stride  1a device  1c, 20 pages  24 BARs
 *
 * They are devices of the machine's configuration, and there only while this one says so.
 */
#include <string.h>

#include "machine.h"

#define CONTROL	  (SRIOV_AT + 0x08)
#define COUNT	  (SRIOV_AT + 0x10)
#define PAGE	  (SRIOV_AT + 0x20)
#define VF_BAR	  (SRIOV_AT + 0x24)
#define ENABLE	  0x01u
#define MEMORY	  0x08u
#define EARLY	  100000000ull
#define VF_DEVICE 0x5a12u

/* 9.3.4.1: no ids, and of the command register only the bus master bit. */
static void fill_virtual(struct function *function)
{
	pci_put(function, 0x00, 4, 0xffffffff);
	pci_put(function, 0x04, 2, 0);
	pci_put(function, 0x0e, 1, 0);
	memset(function->writable + 0x04, 0, 2);
	function->writable[0x04] = 0x04;
}

void virtual_fill(struct function *function)
{
	const struct model_device_config *config = &function->config;

	if (config->physical)
		fill_virtual(function);
	if (!config->vfs)
		return;
	/* The list begins at 100h: with ATS, or with something of the vendor's. */
	pci_put(function, ATS_AT, 4, SRIOV_AT << 20 | 0x10000 | (config->ats ? 0x0f : 0x0b));
	pci_put(function, SRIOV_AT, 4, 0x10010);
	pci_put(function, SRIOV_AT + 0x0c, 2, config->vfs);
	pci_put(function, SRIOV_AT + 0x0e, 2, config->vfs);
	pci_put(function, SRIOV_AT + 0x14, 2, config->vf_offset);
	pci_put(function, SRIOV_AT + 0x16, 2, config->vf_stride);
	pci_put(function, SRIOV_AT + 0x1a, 2, VF_DEVICE);
	pci_put(function, SRIOV_AT + 0x1c, 4, 0x553);
	pci_put(function, PAGE, 4, 1);
	if (config->vf_bar_bytes)
		pci_put(function, VF_BAR, 8, 4);
}

static uint32_t index_of(const struct function *physical, const struct function *function)
{
	uint32_t away = function->config.sbdf - physical->config.sbdf - physical->config.vf_offset;

	return physical->config.vf_stride ? away / physical->config.vf_stride : away;
}

bool virtual_is_there(struct model *model, const struct function *function)
{
	const struct function *physical;

	if (!function->config.physical)
		return true;
	physical = pci_find(model, function->config.physical);
	return physical && pci_get(physical, CONTROL, 2) & ENABLE &&
	       index_of(physical, function) < pci_get(physical, COUNT, 2);
}

bool virtual_is_early(struct model *model, const struct function *function)
{
	return function->config.physical && virtual_is_there(model, function) &&
	       model->now - pci_find(model, function->config.physical)->virtual_since < EARLY;
}

uint8_t virtual_mask(const struct function *function, uint32_t offset)
{
	uint64_t bar = ~(function->config.vf_bar_bytes - 1) & ~0xfull;

	if (!function->config.vfs)
		return 0;
	if (offset == CONTROL)
		return ENABLE | MEMORY | 0x10;
	if (offset == COUNT || offset == COUNT + 1)
		return 0xff;
	if (offset == PAGE || offset == PAGE + 1)
		return offset == PAGE ? 0x53 : 0x05;
	if (function->config.vf_bar_bytes && offset >= VF_BAR && offset < VF_BAR + 8)
		return (uint8_t)(bar >> 8 * (offset - VF_BAR));
	return 0;
}

static void renew(struct model *model, uint32_t physical)
{
	for (uint32_t i = 0; i < model->function_count; i++) {
		struct function *function = &model->function[i];

		if (function->config.physical == physical)
			pci_put(function, 0x04, 2, 0);
	}
}

void virtual_was_written(struct model *model, struct function *function, uint32_t offset,
			 uint8_t before)
{
	uint8_t now = function->space[offset];

	if (!function->config.vfs || offset < SRIOV_AT || offset >= VF_BAR + 24)
		return;
	/* 9.3.3.7, .13: fixed while they are on. */
	if (offset != CONTROL && now != before && pci_get(function, CONTROL, 2) & ENABLE)
		model_violate(model, "contract: SR-IOV register 0x%x changes while VFs are on",
			      offset - SRIOV_AT);
	if (offset == CONTROL && now & ENABLE && !(before & ENABLE)) {
		function->virtual_since = model->now;
		renew(model, function->config.sbdf);
	}
}

void virtual_reset(struct function *physical)
{
	if (!physical->config.vfs)
		return;
	pci_put(physical, CONTROL, 2, 0);
	pci_put(physical, COUNT, 2, 0);
	pci_put(physical, PAGE, 4, 1);
	if (physical->config.vf_bar_bytes)
		pci_put(physical, VF_BAR, 8, 4);
}
