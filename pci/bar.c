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

static uint32_t sizing_mask(const struct sp_host *host, sp_sbdf_t id, uint32_t index)
{
	uint32_t kept = config_read32(host, id, CONFIG_BAR(index)), mask;

	config_write32(host, id, CONFIG_BAR(index), 0xffffffff);
	mask = config_read32(host, id, CONFIG_BAR(index));
	config_write32(host, id, CONFIG_BAR(index), kept);
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

/* Answers how many registers it takes. */
static uint32_t size_one(const struct sp_host *host, struct function *function, uint32_t index,
			 uint32_t count)
{
	struct sp_bar *bar = &function->bar[index];
	uint32_t low = config_read32(host, function->sbdf, CONFIG_BAR(index));
	uint64_t address = low & ~BAR_FLAGS, mask;
	bool wide = !(low & BAR_IO) && (low & BAR_TYPE) == BAR_64 && index + 1 < count;

	if (low & BAR_IO)
		return 1;
	mask = sizing_mask(host, function->sbdf, index) & ~BAR_FLAGS;
	if (wide) {
		address |= (uint64_t)config_read32(host, function->sbdf, CONFIG_BAR(index + 1))
			   << 32;
		mask |= (uint64_t)sizing_mask(host, function->sbdf, index + 1) << 32;
	} else if (mask) {
		mask |= 0xffffffff00000000;
	}
	/* Address 0: firmware gave it none. */
	if (mask && address && is_sound(address, mask, mask & -mask))
		*bar = (struct sp_bar){ { address }, mask & -mask, low & BAR_PREFETCH };
	else if (mask && address)
		config_log(host, SP_LOG_WARNING, function->sbdf,
			   "a base address register contradicts itself; it cannot be mapped");
	return wide ? 2 : 1;
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
