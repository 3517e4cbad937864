/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/bar.h - how large a function's base address registers are.
 */
#pragma once

#include "pci/config.h"

/* A register, and the one behind it where it is wide, as it was found; it is put back. */
struct bar_probe {
	uint64_t address;
	uint64_t bytes; /* 0: there is none */
	bool is_io;	/* then nothing else is said */
	bool prefetchable, wide;
	bool is_sound; /* a size that is one, an address at a multiple of it that requests can carry */
};

/* Its decoding is off meanwhile: the caller's care. `is_last`: there is no register behind it. */
struct bar_probe bar_probe(const struct sp_host *host, sp_sbdf_t function, uint32_t offset,
			   bool is_last);

/* Fills function->bar. Decoding is off meanwhile; every register is put back. */
void bar_size_all(const struct sp_host *host, struct function *function);
