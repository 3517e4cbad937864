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
};

bool p2m_type_of(uint32_t cpu_rights, enum memory_type memory, enum sp_type *type)
{
	for (uint32_t i = 0; i < SP_TYPE_COUNT; i++) {
		if ((p2m_types[i].rights & CPU_RIGHTS) != (cpu_rights & CPU_RIGHTS) ||
		    p2m_types[i].memory != memory)
			continue;
		*type = (enum sp_type)i;
		return true;
	}
	return false;
}
