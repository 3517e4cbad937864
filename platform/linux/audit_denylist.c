/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit_denylist.c - devices that vfio-pci does not take: with them a guest could stop the host.
 *
 *   Intel QuickAssist DH895xCC, C62x, C3xxx and their virtual functions: Linux 5.9
 *   Intel DSA and IAX of Sapphire Rapids: Linux 6.10, and stable kernels before it (CVE-2024-21823)
 */
#include <string.h>

#include "finding.h"
#include "memory.h"

#define VENDOR_INTEL 0x8086u

static const struct denied {
	uint16_t device;
	const char *what;
	unsigned int since; /* the kernel that has it on the list */
	bool before;	    /* stable kernels before that one may have it */
} list[] = {
	{ 0x0435, "QuickAssist DH895xCC", SETTINGS_KERNEL(5, 9), false },
	{ 0x0443, "QuickAssist DH895xCC", SETTINGS_KERNEL(5, 9), false },
	{ 0x19e2, "QuickAssist C3xxx", SETTINGS_KERNEL(5, 9), false },
	{ 0x19e3, "QuickAssist C3xxx", SETTINGS_KERNEL(5, 9), false },
	{ 0x37c8, "QuickAssist C62x", SETTINGS_KERNEL(5, 9), false },
	{ 0x37c9, "QuickAssist C62x", SETTINGS_KERNEL(5, 9), false },
	{ 0x0b25, "DSA", SETTINGS_KERNEL(6, 10), true },
	{ 0x0cfe, "IAX", SETTINGS_KERNEL(6, 10), true },
};

static const struct denied *find(const struct machine_function *function)
{
	if (function->vendor != VENDOR_INTEL)
		return NULL;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (list[i].device == function->device)
			return &list[i];
	}
	return NULL;
}

static bool has_driver(const struct machine_function *function, const char *name)
{
	return function->driver && !strcmp(function->driver, name);
}

/* What vfio-pci has, it did not refuse. */
void audit_denylist(const struct check *check)
{
	const struct machine_function *function = check->function;
	const struct settings *settings = &check->audit->settings;
	const struct denied *denied = find(function);
	bool sure;

	if (!denied || settings->denylist_off || has_driver(function, "vfio-pci") ||
	    left_out("vfio-denylist"))
		return;
	/* A kernel that is not known is taken for a new one, but where only some have it. */
	sure = settings->kernel >= denied->since || (!settings->kernel && !denied->before);
	if (!sure && !denied->before)
		return;
	finding_add(
		check->out, "vfio-denylist", sure ? AUDIT_IMPOSSIBLE : AUDIT_CONDITIONAL,
		memory_print("vfio-pci %s: its list of devices with errata",
			     sure ? "refuses it" : "may refuse it"),
		memory_print(
			"It is %04x:%04x (%s; /sys/bus/pci/devices/%s/device). vfio-pci has that on its list of devices with which a "
			"guest could stop the host, and disable_denylist "
			"(/sys/module/vfio_pci/parameters/disable_denylist) is not on%s.",
			function->vendor, function->device, denied->what, function->name,
			sure ? ""
			     : "; kernels before 6.10 have it there where the fix was taken back to them"),
		memory_copy(
			"if the guest is trusted not to stop the host: vfio-pci.disable_denylist=1 on the kernel's command line"));
}
