/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/explore/mutants.c - the negative controls that the explorer must find, and why not the others.
 */
#include "mutants.h"

#define EXACT	"too much is told: exactness is section 7's, judged on the model"
#define ENTRIES "no function is attached here: no entries"
#define SHADOWS "no guest on shadows here"
#define RING	"no server with a ring here"
#define UNTRIED "it came last, and was not tried here yet"
#define ROOTS	"no domain changes its root here"
#define COUNTED "no frames are counted here"
#define SNOOPS	"every walker here snoops, and none has a write buffer"

#define FOUND(which)                         \
	{                                    \
		SP_MUT_##which, #which, NULL \
	}
#define ABSENT(which, why)                  \
	{                                   \
		SP_MUT_##which, #which, why \
	}

/* clang-format off */
const struct explored_mutant explored_mutants[] = {
	FOUND(UNMAP_UNPAID), FOUND(PUNCH_UNPAID), FOUND(REVOKE_UNPAID), FOUND(REPLACE_UNPAID), FOUND(UNLINK_UNPAID),
	FOUND(KICK_SKIPPED), FOUND(SPLIT_UNPAID), FOUND(SPLIT_NOT_AWAITED), FOUND(PUNCH_NOT_AWAITED),
	FOUND(LARGE_NOT_AWAITED), FOUND(GRANT_UNPAID), FOUND(WIDTH_OF_PIECE), FOUND(LINKS_KEPT),
	FOUND(RELEASE_WITHOUT_WAIT), FOUND(RELEASE_AFTER_CPUS), FOUND(RELEASE_AFTER_UNITS), FOUND(RELEASE_AT_UNLOCK),
	FOUND(RELEASE_AFTER_EMULATORS), FOUND(LINK_BEFORE_FILL), FOUND(ENTER_WITHOUT_BARRIER), FOUND(ASK_WITHOUT_BARRIER),
	FOUND(FIRST_UNIT_ONLY), FOUND(WAIT_NOT_AWAITED), FOUND(ABSENT_NOT_TOLD), FOUND(READERS_IGNORED),
	FOUND(NEAR_KEPT), FOUND(RUN_KEPT), FOUND(SENTINELS), FOUND(EMPTY_SKIPPED),
	FOUND(SAME_FRAME), FOUND(OLD_FRAME_OF_NEW), FOUND(SPLIT_DIRECT), FOUND(GATHERED_FORGOTTEN), FOUND(FLUSH_DEFERRED),
	FOUND(JOINED_SPAN_LOST), FOUND(JOINED_LINKS_LOST), FOUND(ATC_UNPAID), FOUND(ATC_BEFORE_IOTLB),
	FOUND(DEVICE_MAP_FIRST), FOUND(EMULATOR_NOT_AWAITED), FOUND(SERVER_UNMAP_ONLY), FOUND(SERVER_LARGE_ONLY),
	FOUND(DOWNGRADE_UNTOLD), FOUND(REMOTE_UNTOLD), FOUND(REQUEST_PUT_OFF),
	FOUND(GATE_ISSUER_ONLY), FOUND(GATE_KICK_SKIPPED),

	ABSENT(REQUEST_EARLY, "open: a schedule must show it, and none of the first 150000 states did"),
	ABSENT(CLAIM_IGNORED, "takes a map of more tables than one step makes, 32"),
	ABSENT(ALL_FORGOTTEN, "takes five ranges that do not touch, behind one that is posted"),
	ABSENT(BUDGET_UNCHECKED, "no budget is short here"),
	ABSENT(CPU_NAME_REUSED, "no tag is used again here"),
	ABSENT(POSTED_IN_TURN, "takes longer, and nothing else: time is not a part of a state"),
	ABSENT(GATE_ATOMIC, "costs more, and nothing else"),
	ABSENT(TOLD_AT_END, "takes a range of more than one step, 512 slots"),
	ABSENT(SERVER_SMALL_ONLY, "takes a page of 512 frames"),
	ABSENT(GATE_BOOL, "takes two emulators"), ABSENT(FIRST_SERVER_ONLY, "takes two emulators"),
	ABSENT(NEWCOMER_OWES, "no emulator comes here"), ABSENT(LEAVER_GATES, "no emulator goes here"),
	ABSENT(SERVER_BELIEVED, "no embedder's book of mappings here"),
	ABSENT(BATCH_IGNORED, EXACT), ABSENT(SERVER_TOLD_ALL, EXACT), ABSENT(RANGES_TO_ALL, RING),
	ABSENT(RING_READ_TWICE, RING), ABSENT(RING_FUTURE, RING), ABSENT(RING_STALE_ANSWER, RING),
	ABSENT(RING_INDEX_SHARED, RING),
	ABSENT(RELEASE_UNPAID, ENTRIES), ABSENT(HAND_OVER_UNPAID, ENTRIES), ABSENT(ENTRY_AFTER_DOMAIN, ENTRIES),
	ABSENT(ENTRIES_FORGOTTEN, ENTRIES),
	ABSENT(SHADOWS_KEPT, SHADOWS), ABSENT(SHADOW_CPUS_KEPT, SHADOWS), ABSENT(CPUS_BEFORE_SHADOWS, SHADOWS),
	ABSENT(ROOT_UNFLUSHED, ROOTS), ABSENT(RECLAIM_CURRENT, ROOTS), ABSENT(SAMPLE_UNCHECKED, ROOTS),
	ABSENT(GENERATION_NARROW, ROOTS), ABSENT(EXCHANGE_TAKEN_FIRST, COUNTED), ABSENT(ROLE_BY_NEW_TYPE, COUNTED),
	ABSENT(LAZY_UNFILTERED, "no change is lazy here"), ABSENT(CLOCK_TICK_LATE, UNTRIED), ABSENT(CLOCK_EQUAL, UNTRIED),
	ABSENT(SCRUB_BEFORE_FLUSH, UNTRIED), ABSENT(CPU_STAMP_EARLY, UNTRIED), ABSENT(STAMP_BEFORE_CLEAR, UNTRIED),
	ABSENT(STAMP_INTERRUPTED, UNTRIED), ABSENT(RECLAIM_NEWEST, UNTRIED), ABSENT(RECLAIM_FLUSHES, UNTRIED),
	ABSENT(CHILD_NOT_WRITTEN_BACK, SNOOPS), ABSENT(SLOT_NOT_WRITTEN_BACK, SNOOPS),
	ABSENT(PAST_CACHE_UNORDERED, SNOOPS), ABSENT(WRITE_BUFFER_KEPT, SNOOPS),
};
/* clang-format on */
const uint32_t explored_mutant_count = sizeof(explored_mutants) / sizeof(explored_mutants[0]);
