/* SPDX-License-Identifier: BSD-2-Clause */
/* examples/vfio/device.c - container, group, function: an edu that is bound to vfio-pci. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "vfio.h"

static void must(bool is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "vfio: ");
	perror(what);
	exit(3);
}

/* What the function itself sends comes only with this bit. */
static void set_master(const struct device *device)
{
	struct vfio_region_info config = { .argsz = sizeof(config),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };
	uint16_t command;
	off_t at;

	must(ioctl(device->function, VFIO_DEVICE_GET_REGION_INFO, &config) == 0, "configuration");
	at = (off_t)config.offset + PCI_COMMAND;
	must(pread(device->function, &command, sizeof(command), at) == sizeof(command), "read");
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	must(pwrite(device->function, &command, sizeof(command), at) == sizeof(command), "write");
}

void device_open(struct device *device, const char *sbdf)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };
	char path[128], link[256] = "";
	void *registers;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", sbdf);
	must(readlink(path, link, sizeof(link) - 1) > 0, path);
	snprintf(path, sizeof(path), "/dev/vfio/%s", basename(link));
	device->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	device->group = open(path, O_RDWR | O_CLOEXEC);
	must(device->container >= 0 && device->group >= 0, path);
	must(ioctl(device->group, VFIO_GROUP_GET_STATUS, &status) == 0 &&
		     status.flags & VFIO_GROUP_FLAGS_VIABLE,
	     "a mate in the group has another driver");
	must(ioctl(device->group, VFIO_GROUP_SET_CONTAINER, &device->container) == 0, "container");
	must(ioctl(device->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) == 0, "type 1");
	device->function = ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, sbdf);
	must(device->function >= 0, sbdf);
	must(ioctl(device->function, VFIO_DEVICE_GET_REGION_INFO, &bar) == 0, "BAR 0");
	registers = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device->function,
			 (off_t)bar.offset);
	must(registers != MAP_FAILED, "registers");
	set_master(device);
	device->edu.registers = (uintptr_t)registers;
	must(edu_is_present(&device->edu), "this is no edu");
}
