/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vapic_command.h - vapic's own: interrupts from a guest's CPU to others. */
#pragma once

#include "platform/metal/vapic.h"

/* What cpu->command and cpu->target ask for. */
struct vapic_act vapic_command(struct vapic_guest *guest, uint32_t cpu);
