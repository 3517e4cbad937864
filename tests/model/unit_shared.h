/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/unit_shared.h - what both vendors' drivers must do, as tests that either's program runs.
 *
 * The initial state of each test is a struct vendor.
 */
#pragma once

#include "unit_fixture.h"

struct vendor {
	enum model_vendor vendor;
	bool scalable; /* VT-d in scalable mode */
};

void whoever_is_not_attached_is_blocked(void **state);
void translation_that_firmware_left_on_stays_on(void **state);
void firmwares_table_is_forgotten(void **state);
void a_late_unit_starts_like_any_other(void **state);
void a_dead_unit_does_not_start(void **state);
void every_refused_frame_leaves_none_behind(void **state);
void an_unmapped_page_stays_reachable_until_it_is_invalidated(void **state);
void the_other_domains_invalidation_does_not_help(void **state);
void a_number_is_reached_only_when_the_unit_says_so(void **state);
void a_queue_without_room_takes_nothing(void **state);
void without_the_check_a_full_queue_loses_commands(void **state);
void the_queue_goes_round(void **state);
void a_silent_unit_is_lost_and_reaches_nothing(void **state);
void a_number_that_was_never_asked_for_is_not_believed(void **state);
void a_queue_that_an_error_stopped_is_restarted_and_forgets_everything(void **state);
void a_queue_that_stops_twice_is_lost(void **state);
void a_command_that_is_for_cpus_is_refused(void **state);
void an_entry_leads_elsewhere_at_once_and_is_never_half(void **state);
void an_entry_in_two_stores_is_seen_half(void **state);
void a_wait_that_counts_when_written_frees_too_early(void **state);
void a_fenced_requester_reaches_nothing(void **state);
void a_stopped_unit_gives_all_its_memory_back(void **state);
void no_message_passes_before_an_entry_is_made(void **state);
void an_index_beyond_the_table_is_refused(void **state);
