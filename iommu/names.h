/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/names.h - the domain ids of a unit. Given back only when the unit has forgotten all that
 * carried the name.
 */
#pragma once

#include "iommu/unit.h"

/* SP_NO_SPACE where all are in use. Queue lock not held. */
SP_MUST_USE enum sp_status name_take(struct unit *unit, uint16_t *name);
void name_give(struct unit *unit, uint16_t name);
