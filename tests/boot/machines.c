/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/machines.c - the table of machines, rows and refusals. Data only.
 */
#include "machines.h"

#include <string.h>

/* Virtual time: a run does not depend on the host's load, and edu's 100 ms pass in an instant. */
#define VIRTUAL_TIME "shift=10,sleep=off"
#define CPU	     "EPYC"
#define ENGINES_GOOD "8 of 8 shots as they should be, 2 devices"

const struct row row_table[ROW_COUNT + 1] = {
	[1] = { "the guest's own memory", false },
	[2] = { "beyond the guest's memory", true },
	[3] = { "a second guest's memory", true },
	[4] = { "the hypervisor's image", true },
	[5] = { "the page tables", true },
	[6] = { "the IOMMU's registers", true },
	[7] = { "forged interrupt messages", true },
	[8] = { "a 4K page after its unmap", true },
	[9] = { "4K unmapped out of a 2M page", true },
	[10] = { "a write after rw became ro", true },
	[11] = { "a frame that was replaced", true },
	[12] = { "a transfer under way at unmap", true },
	[13] = { "after the device's release", true },
	[14] = { "after the hand-over to B", true },
	[15] = { "another CPU after an unmap", true },
};

const struct machine machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, CPU, "tables=shared", VIRTUAL_TIME, 5, 0 },
	{ "amdvi-separate", UNIT_AMDVI, CPU, "tables=separate", VIRTUAL_TIME, 5, 0 },
	/* QEMU lets compatibility-format messages pass with remapping on (docs/lab.md, 2). */
	{ "vtd-separate", UNIT_VTD, CPU, "tables=separate", VIRTUAL_TIME, 5, 7 },
	{ "vtd-scalable", UNIT_VTD_SCALABLE, CPU, "tables=separate vtd=scalable", VIRTUAL_TIME, 5,
	  7 },
};
const size_t machine_count = sizeof(machine_table) / sizeof(machine_table[0]);

/* Real time: a guest that sleeps would otherwise sleep for as long as the host computes. */
const struct machine guest_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, CPU, "tables=shared run=guests", NULL, 60, 0 },
	{ "amdvi-separate", UNIT_AMDVI, CPU, "tables=separate run=guests", NULL, 60, 0 },
	{ "vtd-separate", UNIT_VTD, CPU, "tables=separate run=guests", NULL, 60, 0 },
};
const size_t guest_machine_count = sizeof(guest_machine_table) / sizeof(guest_machine_table[0]);

/* clang-format off */
const struct probe probe_table[] = {
	{ { "no-iommu", UNIT_NONE, CPU, "tables=separate", VIRTUAL_TIME, 5, 0 },
	  "refused: ", "IOMMU", false, PROBE_PLAIN },
	{ { "no-svm", UNIT_AMDVI, "qemu64,-svm", "tables=separate", VIRTUAL_TIME, 5, 0 },
	  "refused: ", "SVM", false, PROBE_PLAIN },
	{ { "vtd-shared", UNIT_VTD, CPU, "tables=shared", VIRTUAL_TIME, 5, 0 },
	  "tables ", "shared was asked for, but VT-d", true, PROBE_PLAIN },
	{ { "unknown-option", UNIT_AMDVI, CPU, "tabels=shared", VIRTUAL_TIME, 5, 0 },
	  "refused: ", "tabels", false, PROBE_PLAIN },
	{ { "unknown-value", UNIT_AMDVI, CPU, "tables=both", VIRTUAL_TIME, 5, 0 },
	  "refused: ", "tables=both", false, PROBE_PLAIN },
	{ { "vfs-no-count", UNIT_AMDVI, CPU, "run=guests vfs=00:02.0", VIRTUAL_TIME, 5, 0 },
	  "refused: ", "vfs=0000:00:03.0/2", false, PROBE_PLAIN },
	{ { "vfs-none", UNIT_AMDVI, CPU, "run=guests vfs=00:02.0/1", VIRTUAL_TIME, 5, 0 },
	  "refused: ", "no 1 virtual functions of 0000:00:02.0", false, PROBE_PLAIN },
	{ { "help", UNIT_AMDVI, CPU, "help=1", VIRTUAL_TIME, 5, 0 },
	  "  tables", "", true, PROBE_PLAIN },
	{ { "engines-amdvi", UNIT_AMDVI, CPU, "tables=shared run=engines", VIRTUAL_TIME, 5, 0 },
	  "engines ", ENGINES_GOOD, true, PROBE_ENGINES },
	{ { "engines-vtd", UNIT_VTD, CPU, "tables=separate run=engines", VIRTUAL_TIME, 5, 0 },
	  "engines ", ENGINES_GOOD, true, PROBE_ENGINES },
	{ { "engines-controls", UNIT_AMDVI, CPU, "tables=separate run=engines", VIRTUAL_TIME, 5, 0 },
	  "engines ", ENGINES_GOOD, true, PROBE_ENGINE_CONTROLS },
};
/* clang-format on */
const size_t probe_count = sizeof(probe_table) / sizeof(probe_table[0]);

const struct machine *machine_named(const char *name)
{
	for (size_t i = 0; i < machine_count; i++)
		if (strcmp(machine_table[i].name, name) == 0)
			return &machine_table[i];
	return NULL;
}
