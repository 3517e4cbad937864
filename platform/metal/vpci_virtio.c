/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vpci_virtio.c - virtio functions, which say by vendor-specific capabilities where
 * in their BARs which structure lies. Virtio 1.2: 4.1.4.
 *
 *   common, notify, interrupt, device  --> shown, as constants: what lies there the guest may reach
 *   the window (4.1.4.9)               --> hidden: through it configuration space leads to any BAR,
 *                                          also to one that is not mapped or whose page is trapped,
 *                                          the MSI-X table's
 *   all else                           --> hidden
 *
 * The hypervisor uses the window itself, to ask whether the function goes where its unit leads: one
 * that does not offer VIRTIO_F_ACCESS_PLATFORM (6.) takes addresses for the machine's own.
 */
#include "platform/metal/vpci_open.h"

#include "lib/mutant.h"
#include "platform/metal/vpci_registers.h"

static bool is_virtio(const struct opening *o)
{
	const uint32_t id = vpci_open_read(o, CONFIG_ID, 4), device = id >> 16;

	return (id & 0xffff) == VIRTIO_VENDOR && device >= VIRTIO_FIRST && device <= VIRTIO_LAST;
}

static bool is_shown(const struct opening *o, uint32_t type)
{
	return (type >= VIRTIO_COMMON && type <= VIRTIO_DEVICE) ||
	       (type == VIRTIO_WINDOW && MUTANT_IS(o->vpci->mutant, SP_MUT_WINDOW_SHOWN));
}

uint32_t vpci_virtio_bytes(const struct opening *o, uint32_t at)
{
	const uint32_t bytes = vpci_open_read(o, at + VENDOR_BYTES, 1);

	if (!is_virtio(o) || bytes < VIRTIO_BYTES ||
	    !is_shown(o, vpci_open_read(o, at + VIRTIO_TYPE, 1)))
		return 0;
	return (bytes + 3) & ~3u;
}

/* The first of its type that is whole, 0: none. */
static uint32_t find_structure(const struct opening *o, uint32_t type, uint32_t bytes)
{
	uint32_t at = vpci_open_read(o, CONFIG_CAPABILITIES, 1) & 0xfc;

	if (!(vpci_open_read(o, CONFIG_COMMAND, 4) & STATUS_CAPABILITIES))
		return 0;
	for (uint32_t i = 0; i < CAPABILITIES_MAX && at >= CAPABILITIES_FIRST; i++) {
		if (at + bytes <= CAPABILITIES_END &&
		    vpci_open_read(o, at, 1) == CAPABILITY_VENDOR &&
		    vpci_open_read(o, at + VENDOR_BYTES, 1) >= bytes &&
		    vpci_open_read(o, at + VIRTIO_TYPE, 1) == type)
			return at;
		at = vpci_open_read(o, at + 1, 1) & 0xfc;
	}
	return 0;
}

static void write_config(const struct opening *o, uint32_t offset, uint32_t bytes, uint32_t value)
{
	o->vpci->write(o->vpci->context, o->info->sbdf, offset, bytes, value);
}

/* 4.1.4.9.1: where and how much first, then the data moves with the access to it. */
static void aim_window(const struct opening *o, uint32_t window, uint32_t bar, uint32_t offset)
{
	write_config(o, window + VIRTIO_BAR, 1, bar);
	write_config(o, window + VIRTIO_OFFSET, 4, offset);
	write_config(o, window + VIRTIO_LENGTH, 4, 4);
}

static uint32_t read_features(const struct opening *o, uint32_t common, uint32_t window,
			      uint32_t select)
{
	const uint32_t bar = vpci_open_read(o, common + VIRTIO_BAR, 1);
	const uint32_t at = vpci_open_read(o, common + VIRTIO_OFFSET, 4);
	uint32_t features;

	aim_window(o, window, bar, at + COMMON_FEATURE_SELECT);
	write_config(o, window + WINDOW_DATA, 4, select);
	aim_window(o, window, bar, at + COMMON_FEATURE);
	features = vpci_open_read(o, window + WINDOW_DATA, 4);
	aim_window(o, window, bar, at + COMMON_FEATURE_SELECT);
	write_config(o, window + WINDOW_DATA, 4, 0);
	return features;
}

/* A legacy function has no common structure; it knows of no unit either. */
enum sp_status vpci_virtio_check(const struct opening *o)
{
	const uint32_t common = find_structure(o, VIRTIO_COMMON, VIRTIO_BYTES);
	const uint32_t window = find_structure(o, VIRTIO_WINDOW, WINDOW_BYTES);
	uint32_t features = 0;

	if (!is_virtio(o) || MUTANT_IS(o->vpci->mutant, SP_MUT_PLATFORM_UNCHECKED))
		return SP_OK;
	if (common != 0 && window != 0)
		features = read_features(o, common, window, FEATURE_PLATFORM / 32);
	if (features & 1u << FEATURE_PLATFORM % 32)
		return SP_OK;
	return vpci_open_refuse(o, SP_UNSUPPORTED,
				"virtio without ACCESS_PLATFORM: its DMA passes the IOMMU by "
				"(QEMU: iommu_platform=on,disable-legacy=on)");
}
