/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m/types.c - the table of types.
 */
#include "p2m/types.h"

const struct p2m_type p2m_types[SP_TYPE_COUNT] = {
	[SP_HOLE] = { 0, MEMORY_WRITE_BACK },
	[SP_RAM] = { CPU_READ | CPU_WRITE | CPU_EXECUTE | DEVICE_READ | DEVICE_WRITE,
		     MEMORY_WRITE_BACK },
	[SP_RAM_READONLY] = { CPU_READ | CPU_EXECUTE | DEVICE_READ, MEMORY_WRITE_BACK },
	[SP_MMIO] = { CPU_READ | CPU_WRITE, MEMORY_UNCACHED },
	[SP_RESERVED] = { CPU_READ | CPU_WRITE | DEVICE_READ | DEVICE_WRITE, MEMORY_WRITE_BACK },
	[SP_RAM_HELD] = { CPU_READ | DEVICE_READ, MEMORY_WRITE_BACK },
};

/* The same the other way round, one more than the type; 0: none looks so. */
static const uint8_t by_looks[MEMORY_TYPE_COUNT][1 + CPU_RIGHTS] = {
	[MEMORY_WRITE_BACK] = { [0] = 1 + SP_HOLE,
				[CPU_READ | CPU_WRITE | CPU_EXECUTE] = 1 + SP_RAM,
				[CPU_READ | CPU_EXECUTE] = 1 + SP_RAM_READONLY,
				[CPU_READ] = 1 + SP_RAM_HELD,
				[CPU_READ | CPU_WRITE] = 1 + SP_RESERVED },
	[MEMORY_UNCACHED] = { [CPU_READ | CPU_WRITE] = 1 + SP_MMIO },
};

bool p2m_type_of(uint32_t cpu_rights, enum memory_type memory, enum sp_type *type)
{
	uint8_t known = by_looks[memory][cpu_rights & CPU_RIGHTS];

	if (!known)
		return false;
	*type = (enum sp_type)(known - 1);
	return true;
}
