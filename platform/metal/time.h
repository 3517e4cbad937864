/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/time.h - nanoseconds since boot, the same on all CPUs. */
#pragma once

#include <stdint.h>

#define NS_PER_US 1000ull
#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

/*
 * Measures the TSC against the ACPI PM timer, or the PIT where there is none. After acpi_start().
 */
void time_start(void);
uint64_t time_now(void);

/* The TSC's rate, for guests that have nothing to measure it by. */
uint64_t time_tsc_khz(void);

/* Spends the time; other CPUs run. */
void time_wait(uint64_t nanoseconds);
