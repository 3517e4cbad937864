/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/vfio.h - a domain's map as a mirror over VFIO: for a hypervisor in a Linux process, whose
 * devices the kernel's IOMMU contains. libsallyport-vfio.a; needs a C library and threads.
 *
 *   sp_vfio_map()     VFIO_IOMMU_MAP_DMA, then the CPU's map     a vCPU never sees memory that its
 *   sp_vfio_unmap()   the CPU's map ...                          device cannot reach
 *   sp_vfio_progress()            ... then VFIO_IOMMU_UNMAP_DMA; only when that has returned, with the
 *                                 whole size, are the frames released
 *
 * Type 1 (v2) can take a mapping away whole or not at all, and has no way to change one. What would need
 * more, a part of a piece unmapped, other rights, another frame, would be a hole for DMA that is under
 * way, and is refused: SP_UNSUPPORTED. So memory is mapped in pieces of a size that the embedder
 * chooses, call by call, and goes in such pieces. Who wants a hole makes it: unmap, wait, map.
 *
 * All changes of the domain go through these calls. What is changed by sp_p2m_*() past them is released
 * no earlier; but where a part of a piece went, the rest holds it back until all of it has gone, and
 * CPUs stay at the gate (struct sp_observer_config) meanwhile.
 */
#pragma once

#include <sallyport/p2m.h>

#define SP_VFIO_ORDER_MAX 9u /* pieces of 4 KiB to 2 MiB */
#define SP_VFIO_RANGES	  16u

struct sp_vfio_info {
	uint64_t page_sizes; /* bit n: mappings of 2^n bytes */
	uint32_t entries; /* mappings that can be made yet; UINT32_MAX: the kernel does not say */
	uint32_t range_count;
	struct {
		sp_dfn_t first;
		uint64_t count;
	} range[SP_VFIO_RANGES]; /* what may be mapped; none: the kernel does not say */
};

/*
 * What is asked of the kernel; sp_vfio_kernel asks it, tests ask something that is worse. Each answers
 * 0 or a negative errno, and may sleep.
 */
struct sp_vfio_calls {
	int (*info)(void *container, struct sp_vfio_info *info);
	/* Nothing is mapped when it fails. */
	int (*map)(void *container, uint64_t iova, void *address, uint64_t bytes, bool writable);
	/* Returns when no device can reach it any more; `unmapped` of its bytes were mapped. */
	int (*unmap)(void *container, uint64_t iova, uint64_t bytes, uint64_t *unmapped);
};

/* `container` points to an int: /dev/vfio/vfio with VFIO_TYPE1v2_IOMMU set. */
extern const struct sp_vfio_calls sp_vfio_kernel;

struct sp_vfio_config {
	struct sp_host *host;
	struct sp_domain *domain; /* without units of the library's own */
	const struct sp_vfio_calls *calls;
	void *container; /* there until the mirror is closed; nobody else maps in it */
	/* Where this process has these frames in a row; NULL: it has not. */
	void *(*address)(void *argument, sp_mfn_t first, uint64_t count);
	void *argument;
	uint32_t limit; /* pieces; 0: as many as the kernel says (dma_entry_limit, 65535) */
};

struct sp_vfio;

/*
 * SP_INVALID: the kernel does not answer as a type 1 container does, or the configuration lacks
 * something. SP_NO_SPACE: the domain has SP_MAX_OBSERVERS. SP_NO_MEMORY. What the domain maps already
 * is not mapped yet: sp_vfio_map() it again, as it is.
 */
SP_MUST_USE enum sp_status sp_vfio_open(const struct sp_vfio_config *config,
					struct sp_vfio **mirror);

/*
 * As sp_p2m_map(), to the end of 2 MiB at most a call, in pieces of 2^order frames; first, frame and
 * count are multiples of that. SP_MMIO is the CPU's alone. Beside what sp_p2m_map() answers:
 * - SP_NO_SPACE: pieces are used up; larger ones would do. SP_NO_MEMORY: the kernel may not pin as much
 *   (RLIMIT_MEMLOCK).
 * - SP_UNSUPPORTED: something else is mapped there. SP_BUSY: it is on its way out; wait for
 *   result->ticket.
 * - SP_RANGE, SP_RESERVED_RANGE: the kernel's IOMMU cannot map it.
 * - SP_LOST: what this call had mapped could not be unmapped again. These frames stay the devices' until
 *   the container is closed.
 * Other answers than SP_OK: no device reaches what this call was asked for.
 */
SP_MUST_USE enum sp_status sp_vfio_map(struct sp_vfio *mirror, sp_gfn_t first, sp_mfn_t frame,
				       uint64_t count, enum sp_type type, uint32_t order,
				       struct sp_result *result);

/*
 * As sp_p2m_unmap(), at most SP_STEP_SLOTS frames a call. SP_UNSUPPORTED: a piece is only partly in the
 * range; nothing has changed. The frames come by platform_forgotten() when sp_vfio_progress() has
 * unmapped them.
 */
SP_MUST_USE enum sp_status sp_vfio_unmap(struct sp_vfio *mirror, sp_gfn_t first, uint64_t count,
					 struct sp_result *result);

/*
 * As sp_p2m_set_type() where no device is concerned; SP_UNSUPPORTED where a piece would need other
 * rights: that is unmap, wait and map, and DMA in between is lost.
 */
SP_MUST_USE enum sp_status sp_vfio_set_type(struct sp_vfio *mirror, sp_gfn_t first, uint64_t count,
					    enum sp_type type, struct sp_result *result);

/*
 * Unmaps what went, and tells the library. May sleep; no lock of the library's held, not from
 * platform_relax(). SP_OK: nothing is owed. SP_PENDING: more came meanwhile. SP_UNSUPPORTED: part of a
 * piece went past this interface; the rest holds it. SP_LOST: the kernel did not unmap what it was
 * asked for; the frames are held until the container is closed.
 */
SP_MUST_USE enum sp_status sp_vfio_progress(struct sp_vfio *mirror);

/* As sp_wait(), with sp_vfio_progress(). SP_LOST and SP_UNSUPPORTED: as that says, and never settled. */
SP_MUST_USE enum sp_status sp_vfio_wait(struct sp_vfio *mirror, struct sp_ticket ticket);

/* Pieces that devices can reach, those on their way out and those that are lost included. */
uint32_t sp_vfio_pieces(struct sp_vfio *mirror);

/*
 * Everything is unmapped, the domain's CPU map stays; then the mirror is gone. SP_LOST: the kernel did
 * not unmap it all, and the mirror is as before: close the container, then sp_vfio_closed().
 */
SP_MUST_USE enum sp_status sp_vfio_close(struct sp_vfio *mirror);

/*
 * The container is closed, and every group and device of it: the kernel has nothing mapped any more.
 * The mirror is gone, and what it held back is released.
 */
void sp_vfio_closed(struct sp_vfio *mirror);
