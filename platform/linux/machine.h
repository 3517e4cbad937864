/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/machine.h - the PCI functions, units and groups of a Linux machine, as its kernel shows them, and as
 * the core reads them from configuration space and firmware's tables.
 *
 *   sys/bus/pci/devices/ ----------------------------> machine_function              kernel.c
 *   sys/kernel/iommu_groups/, sys/class/iommu/ ------> machine_group, machine_unit
 *   DMAR or IVRS, configuration space --> the core --> requesters, reserved, unit    survey.c
 *
 * Strings live as long as the root that they were read from. What could not be read is said by a flag, never guessed.
 */
#pragma once

#include <sallyport/passthrough.h>

#include "root.h"

#define MACHINE_RESOURCES    7 /* six base address registers and the expansion ROM */
#define MACHINE_CONFIG_BYTES 4096
#define MACHINE_NONE	     (-1)

/* A range of machine addresses. */
struct machine_range {
	uint64_t first, bytes;
	bool is_io, prefetchable, wide; /* of a base address register */
	const char *type; /* of a reserved range, the kernel's word: direct, msi, reserved, .. */
	bool write;	  /* of a range that firmware reserves: not only read */
};

struct machine_function {
	sp_sbdf_t sbdf;
	char name[16];	  /* "0000:00:02.0" */
	const char *path; /* "sys/devices/pci0000:00/0000:00:02.0" */
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_code; /* 24 bits */
	uint8_t revision;
	bool is_bridge;
	uint8_t secondary_bus, subordinate_bus; /* of a bridge */
	int parent;				/* index of the bridge above it, or MACHINE_NONE */

	struct root_bytes config; /* 64 bytes where we may not see more; 256; 4096 */
	struct machine_range resource[MACHINE_RESOURCES];
	const char *driver;   /* NULL: none */
	const char *override; /* driver_override; NULL: none */
	int group;	      /* index in machine.group, or MACHINE_NONE */
	int numa;	      /* MACHINE_NONE: the kernel names no node */
	const char *
		reset; /* "flr bus": the kernel's methods in its order; "": none; NULL: it does not say */
	bool is_boot_vga;
	int physical; /* of a virtual function, the index of its physical one; else MACHINE_NONE */
	uint32_t vf_count, vf_total; /* that are on, that could be */
	struct root_names
		child; /* "nvme0n1", "eth0": disks and network interfaces, by subsystem below */

	int unit; /* index in machine.unit, or MACHINE_NONE */
	uint16_t requester[SP_REQUESTERS];
	uint32_t requester_count;
	struct machine_range reserved[SP_RESERVED_RANGES]; /* by firmware's table */
	uint32_t reserved_count;
};

struct machine_group {
	uint32_t number;
	const char *type; /* "DMA", "DMA-FQ", "identity", ..; NULL: the kernel does not say */
	bool noiommu;	  /* VFIO made it up: there is no IOMMU */
	int *member;	  /* indices of functions */
	size_t member_count;
	struct machine_range *reserved;
	size_t reserved_count;
};

struct machine_unit {
	const char *name; /* the kernel's, "dmar0" or "ivhd0"; "unit 0" where the kernel uses none */
	enum sp_vendor vendor;
	bool used;		    /* the kernel has it on */
	bool has_address, has_caps; /* what follows is known */
	uint64_t address;	    /* of its registers */
	uint64_t caps, extended;    /* VT-d CAP and ECAP; AMD-Vi capability header and EFR */
};

enum machine_table {
	TABLE_NONE,    /* firmware has neither DMAR nor IVRS */
	TABLE_READ,    /* and the core understood it */
	TABLE_DENIED,  /* not for us to read: run as root */
	TABLE_REFUSED, /* the core found it unsound; `trouble` says where */
};

struct machine {
	struct root *root;
	struct machine_function *function; /* by sbdf, upwards */
	size_t function_count;
	struct machine_group *group; /* by number */
	size_t group_count;
	struct machine_unit *unit;
	size_t unit_count;
	const char *cmdline; /* NULL: cannot be read */
	enum machine_table table;
	char *trouble; /* what the core said of the table or of configuration space, lines; NULL: nothing */
};

struct machine *machine_read(struct root *root);
void machine_free(struct machine *machine);

/* MACHINE_NONE: no such. */
int machine_find(const struct machine *machine, sp_sbdf_t sbdf);
/* The function in whose directory, or below it, a path lies. MACHINE_NONE: no such. */
int machine_above(const struct machine *machine, const char *path);

/* "0000:00:02.0", "00:02.0". */
bool machine_parse_sbdf(const char *text, sp_sbdf_t *sbdf);

/* Bytes 1, 2 or 4 of configuration space; all ones where it could not be read. */
uint32_t machine_config(const struct machine_function *function, uint32_t offset, uint32_t bytes);

/* Where the capability stands; 0: not there, or not to be seen (machine_sees_extended()). PCI Express base 6.0: 7.5.1, 7.6.3. */
uint32_t machine_capability(const struct machine_function *function, uint32_t id);
uint32_t machine_extended(const struct machine_function *function, uint32_t id);
/* Capabilities, and those behind 256 bytes, could be read as far as the function has them. */
bool machine_sees_capabilities(const struct machine_function *function);
bool machine_sees_extended(const struct machine_function *function);

/* Is a word of the kernel's command line, "intel_iommu=on"; *value behind '=' where it ends so: "intel_iommu=". */
const char *machine_parameter(const struct machine *machine, const char *name);

/* Part of machine_read(): the core looks at the same machine. */
void survey(struct machine *machine);
