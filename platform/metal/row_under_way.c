/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/row_under_way.c - row 12: a transfer that has started when its page goes.
 *
 *   start        unmap 2 MiB    forgotten: the frame    canary     100 ms: edu translates   look
 *   |------------|--------------|-----------------------|----------|------------------------|
 *
 * edu translates at the end of its 100 ms. So this shows that the invalidation comes before the
 * frame is handed back; that a transfer's own writes are drained, only the model shows.
 */
#include "platform/metal/aim.h"
#include "platform/metal/forgotten.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/memory.h"
#include "platform/metal/rows.h"
#include "platform/metal/time.h"

#define WHOLE_FRAMES  512u
#define HANDED_WITHIN (80 * NS_PER_MS)
#define TRIES	      3u

/* The whole region in one call: its table goes with one store. */
static enum sp_status unmap_whole(struct stage *stage, uint64_t *done)
{
	struct sp_result result;
	enum sp_status status =
		sp_p2m_unmap(stage->a.domain, guest_gfn(GUEST_WHOLE), WHOLE_FRAMES, &result);

	*done = result.done;
	return status == SP_OK ? sp_wait(stage->host, result.ticket) : status;
}

static enum sp_status map_again(struct stage *stage)
{
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < GUEST_WHOLE_PAGES && status == SP_OK; i++) {
		uint32_t address = GUEST_WHOLE + i * SP_FRAME_BYTES;

		status = guest_memory_map(&stage->a, address, guest_memory_home(&stage->a, address),
					  1);
	}
	return status;
}

static bool is_handed_back(struct stage *stage, uint64_t mark, sp_mfn_t frame)
{
	const uint64_t until = time_now() + HANDED_WITHIN;

	while (!forgotten_since(mark, stage->a.number, frame)) {
		if (time_now() > until)
			return false;
		(void)sp_progress(stage->host, SP_STEP_SLOTS);
	}
	return true;
}

/*
 * From the start of the transfer to its end. NULL: the canary lay there in time, and the device
 * went through to the end; else what went wrong.
 */
static const char *shoot(struct stage *stage, sp_mfn_t frame, const struct canary *canary)
{
	const struct transfer transfer = { .driver = &stage->a,
					   .address = GUEST_WHOLE,
					   .bytes = CANARY_BYTES,
					   .direction = EDU_TO_BUS };
	const uint64_t mark = forgotten_mark();
	const char *wrong = NULL;
	uint64_t done = 0;

	if (!transfer_begin(stage, &transfer))
		return "the device was not seen to start its transfer";
	if (unmap_whole(stage, &done) != SP_OK || done != WHOLE_FRAMES)
		wrong = "the 2 MiB were not unmapped in one step";
	else if (!is_handed_back(stage, mark, frame))
		wrong = "the frame was not handed back in time";
	canary_put(memory_frame(frame), canary);
	if (wrong == NULL && !edu_is_busy(&stage->edu))
		wrong = "the transfer was over before the canary lay there";
	if (!transfer_end(stage) && wrong == NULL)
		wrong = "the transfer does not end";
	return wrong;
}

/* On a busy machine 100 ms may pass before the page is gone: then again. */
static bool try(struct stage *stage, struct finding *finding)
{
	const sp_mfn_t frame = guest_memory_home(&stage->a, GUEST_WHOLE);
	const struct aim_text text =
		aim_text_of_frame(frame, "handed back while the transfer was under way");
	const struct shot shot = { .address = GUEST_WHOLE,
				   .at = memory_frame(frame),
				   .what = text.chars };
	const struct canary canary = canary_fresh();
	const char *wrong = shoot(stage, frame, &canary);
	enum sp_status status;

	if (wrong == NULL)
		aim_judge(stage, &shot, &canary, finding);
	else
		report_find(finding, ROW_UNOBSERVABLE, "%s", wrong);
	status = map_again(stage);
	if (status != SP_OK)
		report_find(finding, ROW_UNOBSERVABLE, "the pages could not be mapped again: %s",
			    sp_status_text(status));
	return wrong == NULL || status != SP_OK;
}

void row_under_way(struct stage *stage, struct finding *finding)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		if (!stage_settle(stage) || !aim_warm(stage, &stage->a, GUEST_WHOLE, finding) ||
		    try(stage, finding))
			return;
	}
}
