/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engines/edu.c - QEMU's educational PCI device (docs/specs/edu in QEMU), made to move memory.
 *
 *   bus address <--- EDU_FROM_BUS, EDU_TO_BUS ---> BUFFER, 4 KiB inside the device
 *
 * The device must run with dma_mask=0xffffffffffffffff, or it cuts addresses to 28 bits unasked.
 */
#include "engines/edu.h"

#define IDENTITY       0x00u
#define IDENTITY_VALUE 0x010000edu
#define DMA_SOURCE     0x80u
#define DMA_TARGET     0x88u
#define DMA_COUNT      0x90u
#define DMA_COMMAND    0x98u
#define COMMAND_RUN    0x1u
#define COMMAND_TO_BUS 0x2u

#define BUFFER	       0x40000u
#define IS_64_BIT      (sizeof(uintptr_t) == sizeof(uint64_t))

static uint32_t read32(const struct edu *edu, uint32_t offset)
{
	return *(volatile uint32_t *)(edu->registers + offset);
}

static void write32(const struct edu *edu, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(edu->registers + offset) = value;
}

/*
 * A store of 4 bytes sets the register's upper half to zero; there is no storing that half alone.
 */
static void write_address(const struct edu *edu, uint32_t offset, uint64_t value)
{
	if (value >> 32 == 0)
		write32(edu, offset, (uint32_t)value);
	else
		*(volatile uint64_t *)(edu->registers + offset) = value;
}

/* Upper halves cannot be read alone either: a caller of 32 bits sees the lower one. */
static uint64_t read_address(const struct edu *edu, uint32_t offset)
{
	if (!IS_64_BIT)
		return read32(edu, offset);
	return *(volatile uint64_t *)(edu->registers + offset);
}

bool edu_is_present(const struct edu *edu)
{
	return read32(edu, IDENTITY) == IDENTITY_VALUE;
}

bool edu_is_busy(const struct edu *edu)
{
	return (read32(edu, DMA_COMMAND) & COMMAND_RUN) != 0;
}

enum sp_status edu_start(const struct edu *edu, uint64_t bus_address, uint32_t bytes,
			 enum edu_direction direction)
{
	const bool to_bus = direction == EDU_TO_BUS;

	if (bytes == 0 || bytes > EDU_TRANSFER_MAX)
		return SP_INVALID;
	if (!IS_64_BIT && bus_address >> 32 != 0)
		return SP_RANGE;
	if (edu_is_busy(edu))
		return SP_BUSY;

	write_address(edu, DMA_SOURCE, to_bus ? BUFFER : bus_address);
	write_address(edu, DMA_TARGET, to_bus ? bus_address : BUFFER);
	write32(edu, DMA_COUNT, bytes);
	write32(edu, DMA_COMMAND, COMMAND_RUN | (to_bus ? COMMAND_TO_BUS : 0));
	return SP_OK;
}

bool edu_is_aimed(const struct edu *edu, uint64_t bus_address, uint32_t bytes,
		  enum edu_direction direction)
{
	const bool to_bus = direction == EDU_TO_BUS;

	return read_address(edu, to_bus ? DMA_TARGET : DMA_SOURCE) == bus_address &&
	       read_address(edu, to_bus ? DMA_SOURCE : DMA_TARGET) == BUFFER &&
	       read32(edu, DMA_COUNT) == bytes &&
	       !!(read32(edu, DMA_COMMAND) & COMMAND_TO_BUS) == to_bus;
}
