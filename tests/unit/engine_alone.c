/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine_alone.c - the engine's sources once more, on the fixture's platform and memory.
 */
#include "tests/unit/looking/names.h"

#include "memory.h"
#include "tests/unit/looking/memory.h"

#include "pagetable/find.c"
#include "pagetable/run.c"
#include "pagetable/plan.c"
#include "pagetable/commit.c"
#include "pagetable/one.c"
#include "pagetable/beside.c"
#include "pagetable/merge.c"
#include "pagetable/dismantle.c"
