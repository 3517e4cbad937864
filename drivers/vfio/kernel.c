/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vfio/kernel.c - the kernel's VFIO, type 1 (v2): three of its calls.
 * Linux, Documentation/driver-api/vfio.rst and <linux/vfio.h>.
 */
#include <sallyport/vfio.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <linux/vfio.h>

enum {
	INFO_BYTES = 4096
};

static int call(void *container, unsigned long request, void *argument)
{
	const int *descriptor = container;
	int result;

	do
		result = ioctl(*descriptor, request, argument);
	while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : 0;
}

/* The ranges' ends are inclusive there. */
static void read_ranges(struct sp_vfio_info *info,
			const struct vfio_iommu_type1_info_cap_iova_range *capability)
{
	for (uint32_t i = 0; i < capability->nr_iovas && i < SP_VFIO_RANGES; i++) {
		const uint64_t first =
			(capability->iova_ranges[i].start + SP_FRAME_BYTES - 1) >> SP_FRAME_ORDER;
		/* The last byte of all has no end behind it. */
		const uint64_t end =
			(capability->iova_ranges[i].end >> SP_FRAME_ORDER) +
			((capability->iova_ranges[i].end + 1) % SP_FRAME_BYTES == 0 ? 1 : 0);

		if (end <= first)
			continue;
		info->range[info->range_count].first.dfn = first;
		info->range[info->range_count].count = end - first;
		info->range_count++;
	}
}

static void read_capabilities(struct sp_vfio_info *info, const struct vfio_iommu_type1_info *answer)
{
	const char *bytes = (const char *)answer;
	uint32_t at = answer->flags & VFIO_IOMMU_INFO_CAPS ? answer->cap_offset : 0;

	while (at != 0 && at + sizeof(struct vfio_info_cap_header) <= answer->argsz) {
		const struct vfio_info_cap_header *header = (const void *)(bytes + at);

		if (header->id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			read_ranges(info, (const void *)header);
		else if (header->id == VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL)
			info->entries =
				((const struct vfio_iommu_type1_info_dma_avail *)(const void *)
					 header)
					->avail;
		at = header->next;
	}
}

static int kernel_info(void *container, struct sp_vfio_info *info)
{
	struct vfio_iommu_type1_info *answer = calloc(1, INFO_BYTES);
	int result;

	if (!answer)
		return -ENOMEM;
	answer->argsz = INFO_BYTES;
	result = call(container, VFIO_IOMMU_GET_INFO, answer);
	*info = (struct sp_vfio_info){ .entries = UINT32_MAX };
	/* What does not fit is asked for by another argsz: then there are more ranges than we know. */
	if (result == 0 && answer->argsz > INFO_BYTES)
		result = -E2BIG;
	if (result == 0) {
		if (answer->flags & VFIO_IOMMU_INFO_PGSIZES)
			info->page_sizes = answer->iova_pgsizes;
		read_capabilities(info, answer);
	}
	free(answer);
	return result;
}

static int kernel_map(void *container, uint64_t iova, void *address, uint64_t bytes, bool writable)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | (writable ? VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = (uint64_t)(uintptr_t)address,
		.iova = iova,
		.size = bytes,
	};

	return call(container, VFIO_IOMMU_MAP_DMA, &map);
}

static int kernel_unmap(void *container, uint64_t iova, uint64_t bytes, uint64_t *unmapped)
{
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap),
						    .iova = iova,
						    .size = bytes };
	const int result = call(container, VFIO_IOMMU_UNMAP_DMA, &unmap);

	*unmapped = result == 0 ? unmap.size : 0;
	return result;
}

const struct sp_vfio_calls sp_vfio_kernel = { kernel_info, kernel_map, kernel_unmap };
