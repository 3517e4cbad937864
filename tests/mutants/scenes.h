/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/scenes.h - what happens in a trial; each answers the first thing that an oracle objects
 * to, or NULL.
 */
#pragma once

#include "mutants.h"

const char *scene_change(struct bench *bench, const struct trial *trial); /* of the matrix */
const char *scene_release(struct bench *bench, const struct trial *trial);
const char *scene_hand_over(struct bench *bench, const struct trial *trial);
const char *scene_assign(struct bench *bench, const struct trial *trial);
const char *scene_ats_off(struct bench *bench, const struct trial *trial);
const char *scene_childless(struct bench *bench, const struct trial *trial);
const char *scene_write_buffer(struct bench *bench, const struct trial *trial);
const char *scene_gather(struct bench *bench, const struct trial *trial);
const char *scene_many_ranges(struct bench *bench, const struct trial *trial);
const char *scene_fill_again(struct bench *bench, const struct trial *trial);
const char *scene_shared_by_mistake(struct bench *bench, const struct trial *trial);
const char *scene_error(struct bench *bench, const struct trial *trial);
const char *scene_join_spans(struct bench *bench, const struct trial *trial);
const char *scene_join_links(struct bench *bench, const struct trial *trial);
const char *scene_many_entries(struct bench *bench, const struct trial *trial);
const char *scene_orders(struct bench *bench, const struct trial *trial);
const char *scene_alone(struct bench *bench, const struct trial *trial);
const char *scene_reuse(struct bench *bench, const struct trial *trial);
const char *scene_next_owner(struct bench *bench, const struct trial *trial);
const char *scene_silent_cache(struct bench *bench, const struct trial *trial);
const char *scene_stopped(struct bench *bench, const struct trial *trial);
/* Emulators that are told by rings, pages that go lazily: trial->serve. */
const char *scene_serve(struct bench *bench, const struct trial *trial);
const char *scene_silent(struct bench *bench, const struct trial *trial);
/* trials_root.c */
const char *scene_root(struct bench *bench, const struct trial *trial);
