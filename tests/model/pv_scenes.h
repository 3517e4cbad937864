/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/pv_scenes.h - what happens to guests with direct paging, A0.1 to A0.10; each scene answers the
 * first thing that an oracle objects to, "" for nothing. For tests/model/pv_*_test.c and `make mutants`.
 */
#pragma once

#include "pv_bench.h"

typedef const char *(*pv_scene)(uint32_t mutant);

/* One run of A0.1. */
struct pv_schedule {
	uint32_t level; /* of the table whose entry is exchanged: 1 an L2, 2 an L3, 3 the root */
	enum model_adversary adversary;
	enum model_answers answers;
	uint32_t seed;
	bool apart;	/* three calls, not one */
	uint32_t warm;	/* bit 0: the linear leaf, 1: everybody looks, 2: the guest has run */
	uint32_t other; /* CPU 1: 0 elsewhere, 1 on the same root, 2 running the guest */
};

const char *pv_replay(const struct pv_schedule *schedule, uint32_t mutant);

const char *pv_scene_replay_root(uint32_t mutant);
const char *pv_scene_replay_l3(uint32_t mutant);
const char *pv_scene_replay_l2(uint32_t mutant);
const char *pv_scene_scope_of_tables(uint32_t mutant);
const char *pv_scene_scope_of_own_root(uint32_t mutant);
const char *pv_scene_scope_of_shared_root(uint32_t mutant);
const char *pv_scene_new_root_entry(uint32_t mutant);
const char *pv_scene_refused_halfway(uint32_t mutant);
const char *pv_scene_owner_elsewhere(uint32_t mutant);
const char *pv_scene_owner_here(uint32_t mutant);
const char *pv_scene_unhooked(uint32_t mutant);
const char *pv_scene_nothing_owed(uint32_t mutant);
const char *pv_scene_idle(uint32_t mutant);
const char *pv_scene_tight_loop(uint32_t mutant);
const char *pv_scene_page_goes(uint32_t mutant);
const char *pv_scene_page_becomes_table(uint32_t mutant);
const char *pv_scene_device_writes(uint32_t mutant);
/* Entries of a root that another CPU runs on. */
const char *pv_scene_root_replaced(uint32_t mutant);
const char *pv_scene_root_cleared(uint32_t mutant);
const char *pv_scene_root_revoked(uint32_t mutant);
const char *pv_scene_root_granted(uint32_t mutant);
