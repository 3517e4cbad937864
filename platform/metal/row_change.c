/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/row_change.c - rows 8 to 11: what the IOTLB holds when a page of A changes.
 *
 *   warm: it arrives --> the change, waited for --> fire at the same dfn --> the page put back
 */
#include "platform/metal/aim.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/memory.h"
#include "platform/metal/rows.h"

#define PUNCHED	    (GUEST_LARGE + 0x64000u) /* somewhere within the large page */
#define LARGE_ORDER 9u

/* A later row would be judged by what this one left: that ends the demo. */
static void refuse_status(enum sp_status status, const char *what, struct finding *finding)
{
	if (status != SP_OK)
		report_find(finding, ROW_UNOBSERVABLE, "%s: %s", what, sp_status_text(status));
}

static void fire(struct stage *stage, uint32_t address, sp_mfn_t frame, const char *what,
		 struct finding *finding)
{
	const struct aim_text text = aim_text_of_frame(frame, what);

	aim_fire(stage,
		 &(struct shot){ .driver = &stage->a,
				 .address = address,
				 .at = memory_frame(frame),
				 .what = text.chars },
		 finding);
}

/* Unmapped, the frame is the hypervisor's again: what the device leaves there, it leaves outside A. */
static void unmap_and_fire(struct stage *stage, uint32_t address, const char *what,
			   struct finding *finding)
{
	sp_mfn_t frame = guest_memory_home(&stage->a, address);
	enum sp_status status;

	if (!aim_warm(stage, &stage->a, address, finding))
		return;
	status = guest_memory_unmap(&stage->a, address, 1);
	if (status == SP_OK) {
		fire(stage, address, frame, what, finding);
		status = guest_memory_map(&stage->a, address, frame, 1);
	}
	refuse_status(status, "the page could not be unmapped and mapped again", finding);
}

/* Its table holds other pages, so one leaf goes and the table stays. */
void row_unmapped(struct stage *stage, struct finding *finding)
{
	unmap_and_fire(stage, aim_page(PAGE_UNMAPPED), "A's until its page was unmapped", finding);
}

/*
 * The IOTLB may hold all 2 MiB in one entry: what is invalidated must be as wide as the old page, not
 * as the piece. The earlier rows' merges are done, so it is one page again; that is looked at.
 */
void row_punched(struct stage *stage, struct finding *finding)
{
	struct sp_mapping mapping;
	enum sp_status status = sp_p2m_find(stage->a.domain, guest_gfn(PUNCHED), &mapping);

	if (status != SP_OK || mapping.order != LARGE_ORDER)
		report_find(finding, ROW_UNOBSERVABLE, "gfn 0x%lx is no part of a 2M page",
			    guest_gfn(PUNCHED).gfn);
	else
		unmap_and_fire(stage, PUNCHED, "A's until it was unmapped out of a 2M page",
			       finding);
}

/* Reading stays allowed; only the write has to be stopped. */
void row_revoked(struct stage *stage, struct finding *finding)
{
	const uint32_t address = aim_page(PAGE_REVOKED);
	enum sp_status status;

	if (!aim_warm(stage, &stage->a, address, finding))
		return;
	status = guest_memory_set_type(&stage->a, address, 1, SP_RAM_READONLY);
	if (status == SP_OK) {
		fire(stage, address, guest_memory_home(&stage->a, address), "A's, now read-only",
		     finding);
		status = guest_memory_set_type(&stage->a, address, 1, SP_RAM);
	}
	refuse_status(status, "the page's type could not be changed and changed back", finding);
}

/* Contained is not enough: the new frame must have got what the old one did not. */
static void look_at_new(struct stage *stage, sp_mfn_t frame, struct finding *finding)
{
	struct canary found = canary_get(memory_frame(frame));
	bool arrived = canary_is(&found, &stage->payload, CANARY_BYTES);
	struct finding old = *finding;

	if (old.result == ROW_CONTAINED && arrived)
		report_find(finding, ROW_CONTAINED,
			    "%s; mfn 0x%lx, now behind it, has the 64 bytes", old.evidence,
			    frame.mfn);
	else if (old.result == ROW_CONTAINED)
		report_find(finding, ROW_UNOBSERVABLE, "%s; but mfn 0x%lx, now behind it, has %s",
			    old.evidence, frame.mfn, canary_text(&found).chars);
}

/* The page is mapped all the time: not once does the device find it absent. */
void row_replaced(struct stage *stage, struct finding *finding)
{
	const uint32_t address = aim_page(PAGE_REPLACED);
	const sp_mfn_t old = guest_memory_home(&stage->a, address);
	const sp_mfn_t new = guest_memory_spare(&stage->a, 0);
	const struct canary empty = canary_fresh();
	enum sp_status status;

	if (!aim_warm(stage, &stage->a, address, finding))
		return;
	canary_put(memory_frame(new), &empty);
	status = guest_memory_map(&stage->a, address, new, 1);
	if (status == SP_OK) {
		fire(stage, address, old, "A's until another frame took its place", finding);
		look_at_new(stage, new, finding);
		status = guest_memory_map(&stage->a, address, old, 1);
	}
	refuse_status(status, "the frame could not be replaced and put back", finding);
}
