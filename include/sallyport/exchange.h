/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/exchange.h - who refers to a frame, counted exactly; memory that guests exchange by that.
 *
 *   reference   one for each leaf that maps the frame in any guest, and one for each that the embedder
 *               takes for what it maps elsewhere: there before the slot is stored, gone when it is cleared
 *   exchange    frames with exactly that one reference, their own leaf's, go; others come in their place
 *   role        a frame that nobody may write any more (a table of a PV guest's own): only when no leaf
 *               allows it, and all who may remember one that did have forgotten
 *
 * Counting is the embedder's choice, once for the host. With it one call of sp_p2m_*() changes at most
 * SP_STEP_SLOTS frames.
 */
#pragma once

#include <sallyport/p2m.h>

/* What is counted of one frame. The library's, in the embedder's memory; zero at first. */
struct sp_frame {
	uint32_t references;
	uint32_t writers; /* of the leaves, those that allow CPU or device to write */
	uint32_t stale;	  /* leaves that did, and may still be remembered */
	uint32_t marks;
};

/*
 * From now on the frames [first, first + count) are counted; frames elsewhere are nobody's. The array is
 * the embedder's until the end. Before the first domain.
 */
void sp_host_count_frames(struct sp_host *host, struct sp_frame *frames, sp_mfn_t first,
			  uint64_t count);

/*
 * A reference of the embedder's own: its mapping, a guest's page table that names the frame.
 * SP_REFERENCED while an exchange gives the frame up; SP_INVALID where it is not counted. Any context but
 * NMI.
 */
SP_MUST_USE enum sp_status sp_frame_get(struct sp_host *host, sp_mfn_t frame);
void sp_frame_put(struct sp_host *host, sp_mfn_t frame);

/*
 * The guest gives up `gone[i]` at gfn first + i, and [frame, frame + count) comes there, as SP_RAM. All or
 * nothing, of up to SP_STEP_SLOTS frames. SP_REFERENCED where a frame has another reference than that leaf,
 * or one that comes has any; SP_NOT_FOUND where another frame lies there, or no memory; SP_INVALID where
 * frames are not counted, or a frame is given twice. Else as sp_p2m_map().
 *
 * Nobody is told yet, as with sp_p2m_unmap_lazy(): the frames that went reach nobody before all have
 * forgotten them, and nobody maps them before platform_forgotten(). Who needs the new ones to be seen
 * everywhere waits for the ticket.
 */
SP_MUST_USE enum sp_status sp_memory_exchange(struct sp_domain *domain, sp_gfn_t first,
					      uint64_t count, const sp_mfn_t *gone, sp_mfn_t frame,
					      struct sp_result *result);

/*
 * From now on no leaf allows the frame to be written. SP_REFERENCED while one does; SP_BUSY while one that
 * did may be remembered: wait for its change's ticket, then call again; SP_INVALID where it is not counted.
 */
SP_MUST_USE enum sp_status sp_frame_forbid_write(struct sp_host *host, sp_mfn_t frame);
void sp_frame_permit_write(struct sp_host *host, sp_mfn_t frame);
