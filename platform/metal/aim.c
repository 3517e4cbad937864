/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/aim.c - the shots that rows are made of.
 *
 *   payload   fresh; what the device holds and would leave behind
 *   canary    fresh; what lies in the target and must stay
 *
 * So three findings are told apart: the canary is intact, the payload lies there, something else does.
 */
#include "platform/metal/aim.h"

#include "platform/metal/guest_memory.h"
#include "platform/metal/print.h"

/* The rows that are tried without translation come before the guests run: nobody else can drive. */
struct guest *aim_driver(struct stage *stage)
{
	return stage->translating ? &stage->a : NULL;
}

/* What the device calls a page of A or B: its gfn, or the frame while nothing translates. */
static uint64_t bus_address(const struct stage *stage, const struct guest *owner, uint32_t address)
{
	if (stage->translating)
		return address;
	return sp_maddr_from_mfn(guest_memory_home(owner, address)).maddr;
}

/* B has a page of its own number for it: A's translation of that number may be remembered still. */
bool aim_load(struct stage *stage, struct guest *driver, const struct canary *payload)
{
	struct guest *owner = driver != NULL ? driver : &stage->a;
	uint32_t page = aim_page(owner == &stage->b ? PAGE_PAYLOAD_OF_B : PAGE_PAYLOAD);
	const struct transfer transfer = { .driver = driver,
					   .address = bus_address(stage, owner, page),
					   .bytes = CANARY_BYTES,
					   .direction = EDU_FROM_BUS };

	stage->payload = *payload;
	canary_put(guest_pointer(owner, page), payload);
	return transfer_run(stage, &transfer);
}

/* What was loaded last goes out; the buffer keeps it, so that it can be sent again. */
bool aim_write(struct stage *stage, struct guest *driver, uint64_t address, uint32_t bytes)
{
	return transfer_run(stage, &(struct transfer){ .driver = driver,
						       .address = address,
						       .bytes = bytes,
						       .direction = EDU_TO_BUS });
}

/*
 * The unit walks its table for this transfer and may keep what it found. Nothing may invalidate
 * between here and the change that a row is about, so callers settle first and map nothing after.
 */
bool aim_warm(struct stage *stage, struct guest *driver, uint32_t address, struct finding *finding)
{
	const struct canary payload = canary_fresh();
	struct canary found;
	bool done = aim_load(stage, driver, &payload) &&
		    aim_write(stage, driver, address, CANARY_BYTES);

	found = canary_get(guest_pointer(&stage->a, address));
	if (done && canary_is(&found, &payload, CANARY_BYTES))
		return true;
	report_find(finding, ROW_UNOBSERVABLE, "%s gfn 0x%lx, a page of A's own%s",
		    done ? "a transfer did not arrive (is edu's dma_mask 64 bits wide?) at"
			 : "the device was not seen to make its transfer to",
		    guest_gfn(address).gfn, transfer_faults(stage).text);
	return false;
}

/*
 * A leak is any change, not only the payload: a device that wrote half, or wrote zeroes, has been
 * where it may not be.
 */
void aim_judge(struct stage *stage, const struct shot *shot, const struct canary *canary,
	       struct finding *finding)
{
	struct canary found = canary_get(shot->at);
	struct fault_line fault = transfer_faults(stage);

	if (canary_is(&found, canary, CANARY_BYTES))
		report_find(finding, ROW_CONTAINED,
			    "64 bytes sent to dfn 0x%lx: canary %s in %s is intact%s",
			    shot->address >> SP_FRAME_ORDER, canary_text(canary).chars, shot->what,
			    fault.text);
	else
		report_find(finding, ROW_LEAKED,
			    "64 bytes sent to dfn 0x%lx: canary %s in %s became %s%s",
			    shot->address >> SP_FRAME_ORDER, canary_text(canary).chars, shot->what,
			    canary_text(&found).chars,
			    canary_is(&found, &stage->payload, CANARY_BYTES)
				    ? ", which is what the device sent"
				    : "");
}

/* A shot that was not seen to be fired proves nothing, whatever the canary looks like. */
void aim_fire(struct stage *stage, const struct shot *shot, struct finding *finding)
{
	const struct canary canary = canary_fresh();

	(void)transfer_faults(stage);
	canary_put(shot->at, &canary);
	if (aim_write(stage, shot->driver, shot->address, CANARY_BYTES))
		aim_judge(stage, shot, &canary, finding);
	else
		report_find(finding, ROW_UNOBSERVABLE,
			    "the device was not seen to make its transfer to dfn 0x%lx",
			    shot->address >> SP_FRAME_ORDER);
}

struct aim_text aim_text_of_frame(sp_mfn_t frame, const char *what)
{
	struct aim_text text = { "" };

	print(text.chars, sizeof(text.chars), "mfn 0x%lx (%s)", frame.mfn, what);
	return text;
}
