/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/machine.h - the ways in which a run ends. */
#pragma once

#include <stdbool.h>

/* Exit status 33 (success) or 35 under QEMU's isa-debug-exit; elsewhere the machine halts. */
_Noreturn void machine_end(bool success);

/* The machine or its user's wishes cannot be served: `refused: <reason; what to do>`. */
__attribute__((format(printf, 1, 2))) _Noreturn void machine_refuse(const char *format, ...);

/* The hypervisor itself is at fault. */
__attribute__((format(printf, 1, 2))) _Noreturn void machine_panic(const char *format, ...);
