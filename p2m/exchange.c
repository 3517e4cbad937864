/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m/exchange.c - counted frames: the embedder's references, exchange, and roles that forbid to write.
 */
#include "p2m/types.h"
#include "sync/reference.h"

void sp_host_count_frames(struct sp_host *host, struct sp_frame *frames, sp_mfn_t first,
			  uint64_t count)
{
	host->counted = frames;
	host->counted_first = first.mfn;
	host->counted_count = count;
}

enum sp_status sp_frame_get(struct sp_host *host, sp_mfn_t mfn)
{
	enum sp_status status = SP_INVALID;
	struct sp_frame *frame;

	lock_take(&host->counting, host->embedder);
	frame = references_of(host, mfn.mfn);
	if (frame)
		status = frame->marks & FRAME_LEAVES ? SP_REFERENCED : SP_OK;
	if (status == SP_OK)
		frame->references++;
	lock_drop(&host->counting);
	return status;
}

void sp_frame_put(struct sp_host *host, sp_mfn_t mfn)
{
	struct sp_frame *frame;

	lock_take(&host->counting, host->embedder);
	frame = references_of(host, mfn.mfn);
	if (frame && frame->references)
		frame->references--;
	lock_drop(&host->counting);
}

enum sp_status sp_memory_exchange(struct sp_domain *domain, sp_gfn_t first, uint64_t count,
				  const sp_mfn_t *gone, sp_mfn_t frame, struct sp_result *result)
{
	const struct target target = { .mfn = frame.mfn,
				       .rights = p2m_types[SP_RAM].rights,
				       .memory = p2m_types[SP_RAM].memory,
				       .lazy = true };
	struct span span = { first.gfn, first.gfn + count };

	*result = (struct sp_result){ .ticket = { domain, 0 } };
	if (domain->pv)
		return SP_UNSUPPORTED;
	if (count == 0 || count > SP_STEP_SLOTS || span.end < span.first ||
	    !references_are_kept(domain))
		return SP_INVALID;
	if (host_forbids(domain->host, frame.mfn, count))
		return SP_RESERVED_RANGE;
	return domain_exchange(domain, span, &target, gone, result);
}

enum sp_status sp_frame_forbid_write(struct sp_host *host, sp_mfn_t mfn)
{
	enum sp_status status = SP_OK;
	struct sp_frame *frame;

	lock_take(&host->counting, host->embedder);
	frame = references_of(host, mfn.mfn);
	if (!frame)
		status = SP_INVALID;
	else if (frame->writers)
		status = SP_REFERENCED;
	else if (frame->stale)
		status = SP_BUSY;
	else
		frame->marks |= FRAME_READ_ONLY;
	lock_drop(&host->counting);
	return status;
}

void sp_frame_permit_write(struct sp_host *host, sp_mfn_t mfn)
{
	struct sp_frame *frame;

	lock_take(&host->counting, host->embedder);
	frame = references_of(host, mfn.mfn);
	if (frame)
		frame->marks &= ~(uint32_t)FRAME_READ_ONLY;
	lock_drop(&host->counting);
}
