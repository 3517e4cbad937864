/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/controls.h - the negative controls: each row with its guard left out must leak, or
 * its verdict proves nothing.
 */
#pragma once

#include "platform/metal/stage.h"

/* Refuses an image that was built without mutants. */
void controls_check(struct stage *stage);

/* Before anything translates: rows 2 to 7. False: one did not arrive. */
bool controls_without_translation(struct stage *stage);

/* Rows 8 to 15, one defect each. False: one did not leak, or more than its own row changed. */
bool controls_with_defects(struct stage *stage);
