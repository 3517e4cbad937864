/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/interactive.h - `make run`: a machine with the guests of a file, at the user's terminal. */
#pragma once

#include "run.h"

/*
 * Becomes QEMU; returns, with a message said, only where that cannot be. `conf` is a guest.conf, whose
 * kernels and initial RAM disks are looked for beside it and in OUT/guests.
 */
void interactive_run(const struct runner *runner, const char *conf, const char *machine);
