/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/settings.h - how the kernel was told to run IOMMU and VFIO, and what it made of that.
 *
 *   proc/cmdline, parameters of the modules vfio, vfio-pci and vfio_iommu_type1, proc/interrupts, dev/kmsg, proc/cpuinfo,
 *   proc/meminfo, proc/sys/kernel/osrelease
 */
#pragma once

#include "machine.h"

#define SETTINGS_KERNEL(MAJOR, MINOR) ((MAJOR)*1000u + (MINOR))

enum settings_answer {
	SETTING_NO,
	SETTING_YES,
	SETTING_UNSEEN, /* nothing that could be read tells */
};

struct settings {
	enum settings_answer translation; /* the kernel has an IOMMU on for devices */
	enum settings_answer identity;	  /* default domains let everything through: iommu=pt */
	enum settings_answer interrupts;  /* are remapped */
	const char *interrupts_source;	  /* the file that told */
	bool interrupts_unchecked;	  /* intremap=nosid: an entry serves whoever names it */
	bool acs_override; /* pcie_acs_override=: groups are what was asked for, not what hardware keeps */
	unsigned int
		entry_limit; /* vfio_iommu_type1's dma_entry_limit: mappings of a guest; 0: not known */
	bool noiommu;	     /* vfio's enable_unsafe_noiommu_mode */
	bool unsafe_interrupts; /* vfio_iommu_type1's allow_unsafe_interrupts */
	bool denylist_off;	/* vfio-pci's disable_denylist */
	unsigned int kernel;	/* SETTINGS_KERNEL(6, 12); 0: not known */
	const char *off_by; /* the word of the command line that has the IOMMU off; NULL: none */
	const char *identity_by; /* the word, or the file, that says identity */
	unsigned int cpu_bits;	 /* of a physical address; 0: not known */
	uint64_t memory_bytes;	 /* 0: not known */
};

struct settings settings_read(const struct machine *machine);
