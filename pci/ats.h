/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/ats.h - a function's cache of translations, by Address Translation Services.
 * PCI Express base 6.0: chapter 10; 10.5.1, the extended capability.
 */
#pragma once

#include "pci/config.h"
#include "pci/function.h"

/* Where the extended capability stands; 0: it has none. */
uint16_t ats_find(const struct sp_host *host, const struct function *function);

/* Invalidations that the function can hold back unanswered, 1 to 32. It has the capability. */
uint32_t ats_depth(const struct sp_host *host, const struct function *function);

/* 10.5.1.3: on, with pages of 4 KiB as the smallest. It has the capability. */
void ats_set(const struct sp_host *host, const struct function *function, bool on);
