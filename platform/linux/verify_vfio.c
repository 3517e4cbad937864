/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/verify_vfio.c - a device by VFIO: container, group, function, type 1 (v2).
 * Linux, Documentation/driver-api/vfio.rst.
 *
 * A kernel with iommufd (6.2 and later) is asked in the same way: it answers these calls too, or has them beside it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "verify_ground.h"

struct trouble {
	char *text;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct trouble trouble, const char *format,
						       ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(trouble.text, trouble.size, format, arguments);
	va_end(arguments);
	return false;
}

/* ---- may it be had? ---- */

static bool is_for_vfio(const struct machine_function *function)
{
	return function->is_bridge || !function->driver ||
	       strcmp(function->driver, "vfio-pci") == 0 ||
	       strcmp(function->driver, "pci-stub") == 0;
}

/* "0000:02:02.0 (e1000), 0000:02:03.0 (nvme)" */
static void list_mates(const struct machine *machine, const struct machine_function *function,
		       char *text, size_t size)
{
	const struct machine_group *group = &machine->group[function->group];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < group->member_count && used < size; i++) {
		const struct machine_function *mate = &machine->function[group->member[i]];

		if (!is_for_vfio(mate))
			used += (size_t)snprintf(text + used, size - used, "%s%s (%s)",
						 used ? ", " : "", mate->name, mate->driver);
	}
}

static bool may_be_had(const struct machine *machine, const struct machine_function *function,
		       struct trouble trouble)
{
	char mates[256];

	if (function->group == MACHINE_NONE)
		return fail(
			trouble,
			"it is in no IOMMU group: the machine has no IOMMU, or the kernel does not use it "
			"(intel_iommu=on)");
	list_mates(machine, function, mates, sizeof(mates));
	if (!function->driver || strcmp(function->driver, "vfio-pci") != 0)
		return fail(trouble, "%s%s has it, not vfio-pci: `sallyport bind %s`",
			    function->driver ? "driver " : "no driver",
			    function->driver ? function->driver : "", function->name);
	if (mates[0])
		return fail(
			trouble,
			"group %u is not viable, for others of it have drivers of the host: %s; "
			"`sallyport bind` takes them too",
			machine->group[function->group].number, mates);
	return true;
}

/* ---- it is opened ---- */

static bool open_group(struct vfio *vfio, unsigned int number, struct trouble trouble)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[32];

	snprintf(path, sizeof(path), "/dev/vfio/%u", number);
	vfio->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (vfio->container < 0)
		return fail(trouble, "/dev/vfio/vfio: %s; `modprobe vfio-pci` brings it",
			    strerror(errno));
	vfio->group = open(path, O_RDWR | O_CLOEXEC);
	if (vfio->group < 0)
		return fail(trouble, "%s: %s%s", path, strerror(errno),
			    errno == EBUSY ? "; another program has the group" : "");
	if (ioctl(vfio->group, VFIO_GROUP_GET_STATUS, &status) < 0 ||
	    !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return fail(trouble, "the kernel says that group %u is not viable", number);
	if (ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container) < 0)
		return fail(trouble, "group %u gets no container: %s", number, strerror(errno));
	if (ioctl(vfio->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return fail(trouble, "the container gets no IOMMU: %s%s", strerror(errno),
			    errno == EPERM ? "; interrupts are not remapped (vfio_iommu_type1 "
					     "allow_unsafe_interrupts=1 does without)"
					   : "");
	return true;
}

static bool open_registers(struct vfio *vfio, struct trouble trouble)
{
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };

	if (ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &bar) < 0 ||
	    !(bar.flags & VFIO_REGION_INFO_FLAG_MMAP) || bar.size == 0)
		return fail(trouble, "its registers cannot be mapped");
	vfio->registers = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, vfio->device,
			       (off_t)bar.offset);
	if (vfio->registers == MAP_FAILED) {
		vfio->registers = NULL;
		return fail(trouble, "its registers: %s", strerror(errno));
	}
	vfio->register_bytes = bar.size;
	return true;
}

/* Ranges are sorted; their ends are inclusive. */
static uint64_t last_address(const struct vfio *vfio)
{
	union {
		struct vfio_iommu_type1_info info;
		unsigned char bytes[4096];
	} answer = { .info = { .argsz = sizeof(answer) } };
	uint64_t last = (1ull << 39) - 1;
	uint32_t at;

	if (ioctl(vfio->container, VFIO_IOMMU_GET_INFO, &answer) < 0 ||
	    !(answer.info.flags & VFIO_IOMMU_INFO_CAPS))
		return last;
	for (at = answer.info.cap_offset; at != 0 && at < sizeof(answer) - 64;) {
		struct vfio_iommu_type1_info_cap_iova_range range;

		memcpy(&range, answer.bytes + at, sizeof(range));
		if (range.header.id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE && range.nr_iovas) {
			struct vfio_iova_range end;
			const size_t offset =
				at + sizeof(range) + (range.nr_iovas - 1) * sizeof(end);

			if (offset + sizeof(end) <= sizeof(answer)) {
				memcpy(&end, answer.bytes + offset, sizeof(end));
				last = end.end;
			}
		}
		at = range.header.next;
	}
	return last;
}

bool vfio_open(struct vfio *vfio, const struct machine *machine,
	       const struct machine_function *function, char *text, size_t size)
{
	const struct trouble trouble = { text, size };

	*vfio = (struct vfio){ .container = -1, .group = -1, .device = -1 };
	if (!may_be_had(machine, function, trouble) ||
	    !open_group(vfio, machine->group[function->group].number, trouble))
		return false;
	vfio->device = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, function->name);
	if (vfio->device < 0)
		return fail(trouble, "VFIO does not give the device: %s", strerror(errno));
	vfio->last = last_address(vfio);
	return open_registers(vfio, trouble);
}

/* ---- what it can do ---- */

bool vfio_set_master(const struct vfio *vfio, bool on)
{
	struct vfio_region_info config = { .argsz = sizeof(config),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };
	uint16_t command;
	off_t at;

	if (ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &config) < 0)
		return false;
	at = (off_t)config.offset + PCI_COMMAND;
	if (pread(vfio->device, &command, sizeof(command), at) != sizeof(command))
		return false;
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (!on)
		command &= (uint16_t)~PCI_COMMAND_MASTER;
	return pwrite(vfio->device, &command, sizeof(command), at) == sizeof(command);
}

bool vfio_map(const struct vfio *vfio, uint64_t address, void *memory, size_t bytes, bool writable,
	      char *text, size_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | (writable ? VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = (uint64_t)(uintptr_t)memory,
		.iova = address,
		.size = bytes,
	};

	if (ioctl(vfio->container, VFIO_IOMMU_MAP_DMA, &map) == 0)
		return true;
	return fail((struct trouble){ text, size }, "VFIO_IOMMU_MAP_DMA at 0x%llx: %s",
		    (unsigned long long)address, strerror(errno));
}

bool vfio_unmap(const struct vfio *vfio, uint64_t address, size_t bytes, char *text, size_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap),
						    .iova = address,
						    .size = bytes };
	const struct trouble trouble = { text, size };

	if (ioctl(vfio->container, VFIO_IOMMU_UNMAP_DMA, &unmap) < 0)
		return fail(trouble, "VFIO_IOMMU_UNMAP_DMA at 0x%llx: %s",
			    (unsigned long long)address, strerror(errno));
	if (unmap.size != bytes)
		return fail(trouble, "VFIO_IOMMU_UNMAP_DMA at 0x%llx unmapped %llu bytes of %zu",
			    (unsigned long long)address, (unsigned long long)unmap.size, bytes);
	return true;
}

/* The mapped registers hold the device open too. */
void vfio_close(struct vfio *vfio)
{
	int *const descriptors[] = { &vfio->device, &vfio->group, &vfio->container };

	if (vfio->registers)
		munmap(vfio->registers, vfio->register_bytes);
	vfio->registers = NULL;
	for (size_t i = 0; i < sizeof(descriptors) / sizeof(descriptors[0]); i++) {
		if (*descriptors[i] >= 0)
			close(*descriptors[i]);
		*descriptors[i] = -1;
	}
}
