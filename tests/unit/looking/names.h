/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/looking/names.h - the engine's functions under other names.
 *
 * A test program has the whole core and the model in it. The conformance suite wants the engine
 * alone, on a stub platform: engine_alone.c compiles it a second time, and these names keep the
 * two apart. Formats and stale.c touch no memory that others see, so there is one of each.
 */
#pragma once

#define tree_make	    looking_tree_make
#define tree_find	    looking_tree_find
#define tree_prepare	    looking_tree_prepare
#define tree_commit	    looking_tree_commit
#define tree_merge	    looking_tree_merge
#define tree_close	    looking_tree_close
#define tree_dismantle	    looking_tree_dismantle
#define tree_count_beside   looking_tree_count_beside
#define tree_leaf_beside    looking_tree_leaf_beside
#define tree_fill_beside    looking_tree_fill_beside
#define tree_can_link	    looking_tree_can_link
#define tree_link_beside    looking_tree_link_beside
#define run_find	    looking_run_find
#define tree_prepare_one    looking_tree_prepare_one
#define tree_store_one	    looking_tree_store_one
#define tree_note_one	    looking_tree_note_one
#define make_overlooks	    looking_make_overlooks

#define platform_pointer    looking_platform_pointer
#define platform_write_back looking_platform_write_back
#define platform_panic	    looking_platform_panic
