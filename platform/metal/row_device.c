/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/row_device.c - rows 13 and 14: the device is A's no more.
 *
 *   registers out of A's sight -> warm -> release or hand over -> master on -> fire -> put back
 *
 * The library switches bus mastering off. Here it is switched on again on purpose, so that the unit
 * alone can stop the transfer. The registers are mapped and unmapped before the way is warm: in a
 * shared table those are changes that the unit is told of, under the very domain id that is to be
 * forgotten or that B takes over; they would hide what the control wants to show. So the hypervisor
 * drives the warm-up.
 */
#include "platform/metal/aim.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/memory.h"
#include "platform/metal/rows.h"

#define EDU_FRAMES (EDU_BAR_BYTES / SP_FRAME_BYTES)

static void refuse_status(enum sp_status status, const char *what, struct finding *finding)
{
	if (status != SP_OK)
		report_find(finding, ROW_UNOBSERVABLE, "%s: %s", what, sp_status_text(status));
}

/* The hypervisor drives: nobody else has the registers now. */
static void fire_from_quarantine(struct stage *stage, uint32_t address, struct finding *finding)
{
	sp_mfn_t frame = guest_memory_home(&stage->a, address);
	const struct aim_text text = aim_text_of_frame(frame, "A's, whose device it was");
	enum sp_status status = sp_device_set_master(stage->host, stage->function, true);

	if (status == SP_OK)
		aim_fire(stage,
			 &(struct shot){ .address = address,
					 .at = memory_frame(frame),
					 .what = text.chars },
			 finding);
	refuse_status(status, "bus mastering cannot be switched on", finding);
}

static enum sp_status release_and_fire(struct stage *stage, uint32_t address,
				       struct finding *finding)
{
	enum sp_status status = sp_device_release(stage->a.domain, stage->function);

	if (status == SP_OK)
		fire_from_quarantine(stage, address, finding);
	return status == SP_OK ? stage_give(stage, &stage->a) : status;
}

void row_released(struct stage *stage, struct finding *finding)
{
	const uint32_t address = aim_page(PAGE_RELEASED);
	enum sp_status status = guest_memory_unmap(&stage->a, GUEST_REGISTERS, EDU_FRAMES);

	if (status == SP_OK) {
		if (stage_settle(stage) && aim_warm(stage, NULL, address, finding))
			status = release_and_fire(stage, address, finding);
		else
			status = stage_furnish(stage, &stage->a);
	}
	refuse_status(status, "the device could not be released and given again", finding);
}

/* B must have been reached: else the shot proves nothing about A. */
static void judge_both(struct stage *stage, uint32_t address, const struct canary *canary_of_a,
		       struct finding *finding)
{
	sp_mfn_t of_a = guest_memory_home(&stage->a, address);
	sp_mfn_t of_b = guest_memory_home(&stage->b, address);
	const struct aim_text text = aim_text_of_frame(of_a, "A's, whose device it was");
	struct canary found = canary_get(memory_frame(of_b));
	struct finding old;

	aim_judge(
		stage,
		&(struct shot){ .address = address, .at = memory_frame(of_a), .what = text.chars },
		canary_of_a, finding);
	old = *finding;
	if (old.result == ROW_CONTAINED && canary_is(&found, &stage->payload, CANARY_BYTES))
		report_find(finding, ROW_CONTAINED, "%s; B's mfn 0x%lx has the 64 bytes",
			    old.evidence, of_b.mfn);
	else if (old.result == ROW_CONTAINED)
		report_find(finding, ROW_UNOBSERVABLE, "%s; but B's mfn 0x%lx has %s", old.evidence,
			    of_b.mfn, canary_text(&found).chars);
}

static void fire_by_b(struct stage *stage, uint32_t address, struct finding *finding)
{
	const struct canary payload = canary_fresh(), of_a = canary_fresh(), of_b = canary_fresh();

	(void)transfer_faults(stage);
	canary_put(guest_pointer(&stage->a, address), &of_a);
	canary_put(guest_pointer(&stage->b, address), &of_b);
	if (aim_load(stage, &stage->b, &payload) &&
	    aim_write(stage, &stage->b, address, CANARY_BYTES))
		judge_both(stage, address, &of_a, finding);
	else
		report_find(finding, ROW_UNOBSERVABLE,
			    "the device was not seen to make B's transfers");
}

static enum sp_status move_registers(struct stage *stage)
{
	sp_mfn_t registers = sp_mfn_from_maddr((sp_maddr_t){ stage->edu.registers });
	enum sp_status status = guest_memory_unmap(&stage->a, GUEST_REGISTERS, EDU_FRAMES);

	if (status != SP_OK)
		return status;
	return guest_memory_map_registers(&stage->b, GUEST_REGISTERS, registers, EDU_FRAMES);
}

/* B's mapping of the registers was made by hand, so it is undone by hand. */
static enum sp_status move_back(struct stage *stage)
{
	enum sp_status status = guest_memory_unmap(&stage->b, GUEST_REGISTERS, EDU_FRAMES);

	return status == SP_OK ? stage_furnish(stage, &stage->a) : status;
}

static enum sp_status hand_over_and_fire(struct stage *stage, uint32_t address,
					 struct finding *finding)
{
	enum sp_status status =
		sp_device_hand_over(stage->a.domain, stage->b.domain, stage->function);

	if (status == SP_OK)
		status = sp_device_set_master(stage->host, stage->function, true);
	if (status == SP_OK)
		fire_by_b(stage, address, finding);
	if (status == SP_OK)
		status = sp_device_hand_over(stage->b.domain, stage->a.domain, stage->function);
	return status;
}

void row_handed_over(struct stage *stage, struct finding *finding)
{
	const uint32_t address = aim_page(PAGE_HANDED_OVER);
	enum sp_status status = move_registers(stage);

	if (status == SP_OK && stage_settle(stage) && aim_warm(stage, NULL, address, finding))
		status = hand_over_and_fire(stage, address, finding);
	if (status == SP_OK)
		status = move_back(stage);
	refuse_status(status, "the device could not be handed over and back", finding);
}
