/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/bar.c - how large a function's base address registers are. PCI Express base 6.0: 7.5.1.2.1.
 *
 *   write all ones; the bits that stay 0 are the size; put the address back
 */
#include "pci/bar.h"

#include "lib/bits.h"

#define BAR_IO		  0x1u
#define BAR_TYPE	  0x6u
#define BAR_64		  0x4u
#define BAR_PREFETCH	  0x8u
#define BAR_FLAGS	  0xfu

#define ADDRESS_BITS	  52 /* no machine has more */
#define HEADER0_BARS	  6u
#define HEADER1_BARS	  2u
#define CLASS_HOST_BRIDGE 0x0600u

static uint32_t sizing_mask(const struct sp_host *host, sp_sbdf_t id, uint32_t offset)
{
	uint32_t kept = config_read32(host, id, offset), mask;

	config_write32(host, id, offset, 0xffffffff);
	mask = config_read32(host, id, offset);
	config_write32(host, id, offset, kept);
	return mask;
}

/*
 * An address that no request can carry, or a size that is none, is a device's lie: better no BAR.
 */
static bool is_sound(uint64_t address, uint64_t mask, uint64_t bytes)
{
	if (mask != (~0ull << order_floor(bytes)) || address & (bytes - 1))
		return false;
	return address < BIT(ADDRESS_BITS) && bytes <= BIT(ADDRESS_BITS) - address;
}

struct bar_probe bar_probe(const struct sp_host *host, sp_sbdf_t id, uint32_t offset, bool is_last)
{
	uint32_t low = config_read32(host, id, offset);
	struct bar_probe probe = { .address = low & ~BAR_FLAGS,
				   .prefetchable = low & BAR_PREFETCH };
	uint64_t mask;

	probe.is_io = low & BAR_IO;
	if (probe.is_io)
		return probe;
	probe.wide = (low & BAR_TYPE) == BAR_64 && !is_last;
	mask = sizing_mask(host, id, offset) & ~BAR_FLAGS;
	if (probe.wide) {
		probe.address |= (uint64_t)config_read32(host, id, offset + 4) << 32;
		mask |= (uint64_t)sizing_mask(host, id, offset + 4) << 32;
	} else if (mask) {
		mask |= 0xffffffff00000000;
	}
	probe.bytes = mask & -mask;
	probe.is_sound = mask && is_sound(probe.address, mask, probe.bytes);
	return probe;
}

/* Answers how many registers it takes. Address 0: firmware gave it none. */
static uint32_t size_one(const struct sp_host *host, struct function *function, uint32_t index,
			 uint32_t count)
{
	struct bar_probe probe =
		bar_probe(host, function->sbdf, CONFIG_BAR(index), index + 1 == count);

	if (probe.bytes && probe.address && probe.is_sound)
		function->bar[index] = (struct sp_bar){
			{ probe.address }, probe.bytes, probe.prefetchable, probe.wide
		};
	else if (probe.bytes && probe.address)
		config_log(host, SP_LOG_WARNING, function->sbdf,
			   "a base address register contradicts itself; it cannot be mapped");
	return probe.wide ? 2 : 1;
}

void bar_size_all(const struct sp_host *host, struct function *function)
{
	uint32_t command = config_read16(host, function->sbdf, CONFIG_COMMAND);
	uint32_t count = function->header == 0	 ? HEADER0_BARS
			 : function->header == 1 ? HEADER1_BARS
						 : 0;

	/*
	 * A host bridge without decoding may take the path to memory with it, and is never given
	 * away.
	 */
	if (function->class_code >> 8 == CLASS_HOST_BRIDGE)
		return;
	config_write16(host, function->sbdf, CONFIG_COMMAND,
		       command & ~(COMMAND_IO | COMMAND_MEMORY));
	for (uint32_t i = 0; i < count;)
		i += size_one(host, function, i, count);
	config_write16(host, function->sbdf, CONFIG_COMMAND, command);
}
