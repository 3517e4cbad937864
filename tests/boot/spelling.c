/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/spelling.c - a machine as options of QEMU, each with its reason.
 */
#include "spelling.h"

#include <stdio.h>
#include <string.h>

/* The version from which on a unit is spelled so; the last line that applies is taken. */
struct unit_option {
	unsigned int since;
	enum unit_kind unit;
	const char *option;
};

static const struct unit_option unit_options[] = {
	{ 0, UNIT_AMDVI, "amd-iommu" },
	/* With its default, pt=on, no DMA is ever translated by the first releases of 10.0. */
	{ 100000, UNIT_AMDVI, "amd-iommu,pt=off" },
	{ 100013, UNIT_AMDVI, "amd-iommu" },
	/* From here on DMA is translated only when asked for. */
	{ 110000, UNIT_AMDVI, "amd-iommu,dma-remap=on" },
	{ 0, UNIT_VTD, "intel-iommu" },
	{ 0, UNIT_VTD_SCALABLE, "intel-iommu,x-scalable-mode=on" },
	{ 0, UNIT_VTD_CACHING, "intel-iommu,intremap=on,caching-mode=on" },
};

const char *qemu_unit_option(unsigned int version, enum unit_kind unit)
{
	const char *option = NULL;

	for (size_t i = 0; i < sizeof(unit_options) / sizeof(unit_options[0]); i++)
		if (unit_options[i].unit == unit && unit_options[i].since <= version)
			option = unit_options[i].option;
	return option;
}

const char *spelling_unit_name(enum unit_kind unit)
{
	switch (unit) {
	case UNIT_NONE:
		return "none";
	case UNIT_AMDVI:
		return "AMD-Vi";
	case UNIT_VTD:
		return "VT-d";
	case UNIT_VTD_SCALABLE:
		return "VT-d in scalable mode";
	case UNIT_VTD_CACHING:
		return "VT-d in caching mode";
	}
	return "none";
}

unsigned int qemu_version_from_text(const char *text, char *version, size_t size)
{
	static const char mark[] = "QEMU emulator version ";
	const char *at = strstr(text, mark);
	unsigned int major, minor, micro;

	if (!at || sscanf(at + strlen(mark), "%3u.%2u.%2u", &major, &minor, &micro) != 3)
		return 0;
	snprintf(version, size, "%u.%u.%u", major, minor, micro);
	return major * 10000 + minor * 100 + micro;
}

/* What all machines have in common. */
static const struct spelling_option common_options[] = {
	{ "-machine", "q35", "a chipset with PCI Express, which an IOMMU of QEMU takes" },
	{ "-m", "512M", "memory" },
	{ "-smp", "3", "CPUs: two for guests, one for the hypervisor" },
	{ "-nodefaults", NULL, "no device but those named here" },
	{ "-no-reboot", NULL, "a machine that resets itself ends QEMU, with its log" },
	{ "-display", "none", "all there is to see is on the serial line" },
	{ "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
	  "a port that ends QEMU with a status: 33 all was well, 35 not" },
};

static void add(struct spelling *spelling, const char *name, const char *value, const char *why)
{
	if (value && spelling->count < SPELLING_OPTIONS)
		spelling->option[spelling->count++] = (struct spelling_option){ name, value, why };
}

void spelling_of(struct spelling *spelling, const struct spelling_wish *wish)
{
	const struct machine *machine = wish->machine;

	memcpy(spelling->option, common_options, sizeof(common_options));
	spelling->count = sizeof(common_options) / sizeof(common_options[0]);
	add(spelling, "-accel", machine->icount ? "tcg" : "tcg,thread=multi",
	    "instructions are emulated: SVM is there on any host, without KVM");
	add(spelling, "-icount", machine->icount,
	    "time is counted in instructions: each run is the same");
	add(spelling, "-cpu", machine->cpu, "a CPU with SVM, which TCG emulates; it has no VMX");
	add(spelling, "-serial", wish->serial, "where the machine talks");
	add(spelling, "-device", qemu_unit_option(wish->version, machine->unit),
	    "the IOMMU; before the devices that it translates for");
	add(spelling, "-device", "edu,dma_mask=0xffffffffffffffff",
	    "a device whose DMA a driver aims, at any address");
	add(spelling, "-kernel", wish->image, "what boots");
	add(spelling, "-append", wish->append, "its command line");
}

size_t spelling_words(const struct spelling *spelling, const char **words)
{
	size_t count = 0;

	for (size_t i = 0; i < spelling->count; i++) {
		words[count++] = spelling->option[i].name;
		if (spelling->option[i].value)
			words[count++] = spelling->option[i].value;
	}
	return count;
}
