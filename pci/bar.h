/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/bar.h - how large a function's base address registers are.
 */
#pragma once

#include "pci/config.h"

/* Fills function->bar. Decoding is off meanwhile; every register is put back. */
void bar_size_all(const struct sp_host *host, struct function *function);
