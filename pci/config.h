/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/config.h - configuration space, register by register. PCI Express base 6.0: 7.5.1.
 *
 * What a device answers is never trusted: an offset, a size, a bus number from here is checked
 * before it is used.
 */
#pragma once

#include "pci/function.h"

/* 7.5.1.1: common to every header. */
#define CONFIG_VENDOR	      0x00
#define CONFIG_DEVICE	      0x02
#define CONFIG_COMMAND	      0x04
#define COMMAND_IO	      0x1u
#define COMMAND_MEMORY	      0x2u
#define COMMAND_MASTER	      0x4u
#define CONFIG_STATUS	      0x06
#define STATUS_CAPABILITIES   0x10u
#define CONFIG_CLASS_REVISION 0x08
#define CONFIG_CACHE_LINE     0x0c
#define CONFIG_HEADER	      0x0e
#define HEADER_MULTIFUNCTION  0x80u
#define CONFIG_BAR(n)	      (0x10 + 4 * (n))
#define CONFIG_CAPABILITIES   0x34
#define CONFIG_INTERRUPT_LINE 0x3c

/* 7.5.1.3: bridges. */
#define CONFIG_SECONDARY      0x19
#define CONFIG_SUBORDINATE    0x1a

#define VENDOR_NOBODY	      0xffffu

uint32_t config_read8(const struct sp_host *host, sp_sbdf_t function, uint32_t offset);
uint32_t config_read16(const struct sp_host *host, sp_sbdf_t function, uint32_t offset);
uint32_t config_read32(const struct sp_host *host, sp_sbdf_t function, uint32_t offset);
void config_write8(const struct sp_host *host, sp_sbdf_t function, uint32_t offset, uint32_t value);
void config_write16(const struct sp_host *host, sp_sbdf_t function, uint32_t offset,
		    uint32_t value);
void config_write32(const struct sp_host *host, sp_sbdf_t function, uint32_t offset,
		    uint32_t value);

/* Time that a function is to be left alone; platform_relax() serves meanwhile. */
void config_pause(const struct sp_host *host, uint64_t nanoseconds);

/* A line that begins with the function's name. */
void config_log(const struct sp_host *host, enum sp_log level, sp_sbdf_t function,
		const char *what);
