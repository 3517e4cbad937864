/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/subject.c - the formats, as the rooflines write them, and the paths to each.
 *
 * A page that all may read and write (and the CPU execute), write-back. The bits are typed from
 * the manuals, not taken from pagetable/: SDM 3C 29.3.2; APM 2 15.25.5; VT-d 9.8; 48882 2.2.3.
 */
#include "tests/bench/bench.h"

#define DEVICE_BITS   (3ull << 61) /* AMD-Vi: IR and IW */
#define NEXT(n)	      ((uint64_t)(n) << 9)
#define AMDVI_LINK(n) (1ull | DEVICE_BITS | NEXT(n))
#define FUSED_LINK(n) (0x27ull | DEVICE_BITS | NEXT(n))

static const struct shape ept = { "EPT", &format_ept, { 0, 7, 7, 7 }, 0x37 };
static const struct shape ept_vtd = { "EPT + VT-d", &format_ept_vtd, { 0, 7, 7, 7 }, 0x37 };
static const struct shape npt = { "NPT", &format_npt, { 0, 0x27, 0x27, 0x27 }, 0x67 };
static const struct shape npt_amdvi = { "NPT + AMD-Vi",
					&format_npt_amdvi,
					{ 0, FUSED_LINK(1), FUSED_LINK(2), FUSED_LINK(3) },
					0x67 | DEVICE_BITS };
static const struct shape vtd = { "VT-d", &format_vtd, { 0, 3, 3, 3 }, 3 };
static const struct shape amdvi = {
	"AMD-Vi", &format_amdvi, { 0, AMDVI_LINK(1), AMDVI_LINK(2), AMDVI_LINK(3) }, 1 | DEVICE_BITS
};

/* In the order of the report: the engine on every format, then the whole path on the same. */
const struct subject subjects[SUBJECT_COUNT] = {
	{ .name = "EPT", .shape = { &ept }, .maps = 1, .held = true },
	{ .name = "NPT", .shape = { &npt }, .maps = 1 },
	{ .name = "EPT shared", .shape = { &ept_vtd }, .maps = 1 },
	{ .name = "NPT shared", .shape = { &npt_amdvi }, .maps = 1 },
	{ .name = "VT-d", .shape = { &vtd }, .maps = 1 },
	{ .name = "AMD-Vi", .shape = { &amdvi }, .maps = 1 },
	{ "EPT", true, { &ept }, 1, SP_CPU_EPT, SP_TABLES_SEPARATE, false },
	{ "NPT", true, { &npt }, 1, SP_CPU_NPT, SP_TABLES_SEPARATE, false },
	{ "EPT shared", true, { &ept_vtd }, 1, SP_CPU_EPT, SP_TABLES_SHARED, false },
	{ "NPT shared", true, { &npt_amdvi }, 1, SP_CPU_NPT, SP_TABLES_SHARED, true },
	{ "EPT and VT-d", true, { &ept, &vtd }, 2, SP_CPU_EPT, SP_TABLES_SEPARATE, true },
	{ "NPT and AMD-Vi", true, { &npt, &amdvi }, 2, SP_CPU_NPT, SP_TABLES_SEPARATE, false },
};

void side_use(struct side *side, const struct subject *subject, bool write_back)
{
	side->subject = subject;
	side->write_back = write_back;
}
