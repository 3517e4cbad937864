/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/config.c - configuration space, one function for each width.
 */
#include "pci/config.h"

#include "lib/text.h"

uint32_t config_read8(const struct sp_host *host, sp_sbdf_t function, uint32_t offset)
{
	return platform_config_read(host->embedder, function, offset, 1) & 0xff;
}

uint32_t config_read16(const struct sp_host *host, sp_sbdf_t function, uint32_t offset)
{
	return platform_config_read(host->embedder, function, offset, 2) & 0xffff;
}

uint32_t config_read32(const struct sp_host *host, sp_sbdf_t function, uint32_t offset)
{
	return platform_config_read(host->embedder, function, offset, 4);
}

void config_write8(const struct sp_host *host, sp_sbdf_t function, uint32_t offset, uint32_t value)
{
	platform_config_write(host->embedder, function, offset, 1, value);
}

void config_write16(const struct sp_host *host, sp_sbdf_t function, uint32_t offset, uint32_t value)
{
	platform_config_write(host->embedder, function, offset, 2, value);
}

void config_write32(const struct sp_host *host, sp_sbdf_t function, uint32_t offset, uint32_t value)
{
	platform_config_write(host->embedder, function, offset, 4, value);
}

void config_pause(const struct sp_host *host, uint64_t nanoseconds)
{
	uint64_t start = platform_now(host->embedder);

	while (platform_now(host->embedder) - start < nanoseconds)
		platform_relax(host->embedder);
}

void config_log(const struct sp_host *host, enum sp_log level, sp_sbdf_t function, const char *what)
{
	struct text text = { .length = 0 };

	text_add(text_add(text_sbdf(&text, function), ": "), what);
	host_log(host, level, text.line);
}
