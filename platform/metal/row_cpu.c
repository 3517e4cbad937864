/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/row_cpu.c - row 15: a page goes while another CPU's guest writes to it.
 *
 *   CPU 1, guest A   write write write write |fault
 *   CPU 0            ................. unmap, kick, wait | canary | 50 ms | look
 */
#include "platform/metal/aim.h"
#include "platform/metal/forgotten.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/memory.h"
#include "platform/metal/rows.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define SPIN_WITHIN (2 * NS_PER_S)
#define SPIN_ROUNDS 1000u
#define WATCH_FOR   (50 * NS_PER_MS)
#define STOP_WITHIN (2 * NS_PER_S)

/* Seen in the page itself, which nobody else writes. */
static bool is_spinning(const volatile uint32_t *word)
{
	const uint64_t until = time_now() + SPIN_WITHIN;
	const uint32_t first = *word;

	while (*word - first < SPIN_ROUNDS) {
		if (time_now() > until)
			return false;
		pause();
	}
	return true;
}

/* The same instruction runs again once the page is back; then the guest sees that it is to stop. */
static enum sp_status put_back(struct stage *stage, uint32_t address, sp_mfn_t frame)
{
	enum sp_status status;

	guest_stop_command(&stage->a);
	status = guest_memory_map(&stage->a, address, frame, 1);
	if (status != SP_OK)
		return status;
	if (!guest_is_running(&stage->a))
		guest_start(&stage->a, stage->a.cpu);
	return guest_await(&stage->a, STOP_WITHIN).status == CALL_ANSWERED ? SP_OK : SP_PENDING;
}

/* The exit is hardware's word, not the guest's. */
static bool has_faulted_at(const struct guest *guest, uint32_t address)
{
	return atomic_load(&guest->state) == GUEST_FAULTED &&
	       guest->exit.kind == SVM_EXIT_NESTED_FAULT &&
	       guest->exit.address / SP_FRAME_BYTES == address / SP_FRAME_BYTES;
}

/*
 * An intact canary alone is not enough: a guest that had stopped by itself would leave it alone too.
 * So the guest must have been seen to fault, at this very page.
 */
static void judge(struct stage *stage, uint32_t address, sp_mfn_t frame,
		  const struct canary *canary, struct finding *finding)
{
	struct canary found = canary_get(memory_frame(frame));
	const struct guest *a = &stage->a;

	if (!canary_is(&found, canary, CANARY_BYTES))
		report_find(finding, ROW_LEAKED,
			    "A on CPU 1 writes on to mfn 0x%lx, unmapped from gfn 0x%lx: canary %s "
			    "became %s",
			    frame.mfn, guest_gfn(address).gfn, canary_text(canary).chars,
			    canary_text(&found).chars);
	else if (has_faulted_at(a, address))
		report_find(
			finding, ROW_CONTAINED,
			"A on CPU 1 wrote to gfn 0x%lx until it was unmapped, then took a nested "
			"fault there (error 0x%lx); canary %s in mfn 0x%lx is intact",
			guest_gfn(address).gfn, a->exit.error, canary_text(canary).chars,
			frame.mfn);
	else
		report_find(finding, ROW_UNOBSERVABLE,
			    "A on CPU 1 neither writes to mfn 0x%lx nor faulted at gfn 0x%lx",
			    frame.mfn, guest_gfn(address).gfn);
}

/* The frame is somebody else's when it was handed back: that is when the canary goes in. */
static enum sp_status unmap_and_watch(struct stage *stage, uint32_t address, sp_mfn_t frame,
				      struct finding *finding)
{
	const struct canary canary = canary_fresh();
	const uint64_t mark = forgotten_mark();
	enum sp_status status = guest_memory_unmap(&stage->a, address, 1);

	if (status != SP_OK)
		return status;
	if (!stage_settle(stage) || !forgotten_since(mark, stage->a.number, frame)) {
		report_find(finding, ROW_UNOBSERVABLE, "mfn 0x%lx was not handed back", frame.mfn);
		return SP_OK;
	}
	canary_put(memory_frame(frame), &canary);
	time_wait(WATCH_FOR);
	judge(stage, address, frame, &canary, finding);
	return SP_OK;
}

/* Whatever came of it, A is told to stop and the page is there again for the next time. */
void row_other_cpu(struct stage *stage, struct finding *finding)
{
	const uint32_t address = aim_page(PAGE_SPUN_ON);
	const sp_mfn_t frame = guest_memory_home(&stage->a, address);
	enum sp_status status = SP_OK;

	guest_post(&stage->a,
		   &(struct guest_command){ .verb = GUEST_SPIN, .address = address, .value = 1 });
	if (is_spinning(memory_frame(frame)))
		status = unmap_and_watch(stage, address, frame, finding);
	else
		report_find(finding, ROW_UNOBSERVABLE, "A does not write to gfn 0x%lx",
			    guest_gfn(address).gfn);
	if (status == SP_OK)
		status = put_back(stage, address, frame);
	if (status != SP_OK)
		report_find(finding, ROW_UNOBSERVABLE,
			    "the page could not be unmapped and put back: %s",
			    sp_status_text(status));
}
