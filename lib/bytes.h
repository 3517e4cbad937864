/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/bytes.h - numbers as firmware's tables hold them: little-endian, at any address.
 */
#pragma once

#include <stdint.h>

static inline uint16_t bytes_get16(const uint8_t *from)
{
	return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t bytes_get32(const uint8_t *from)
{
	return bytes_get16(from) | (uint32_t)bytes_get16(from + 2) << 16;
}

static inline uint64_t bytes_get64(const uint8_t *from)
{
	return bytes_get32(from) | (uint64_t)bytes_get32(from + 4) << 32;
}
