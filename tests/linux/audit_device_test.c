/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/audit_device_test.c - what `audit` finds of a device whose kernel or registers are out of the ordinary.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/linux/acs.h"
#include "platform/linux/audit.h"
#include "tests/linux/fake_root.h"

struct seen {
	struct root *root;
	struct machine *machine;
	struct audit *audit;
};

static struct seen look(const char *text)
{
	struct seen seen = { .root = fake_root("sallyport-snapshot 1\n", text) };

	seen.machine = machine_read(seen.root);
	seen.audit = audit_machine(seen.machine);
	return seen;
}

static void forget(struct seen *seen)
{
	audit_free(seen->audit);
	machine_free(seen->machine);
	root_close(seen->root);
}

static const struct audit_finding *finding_of(const struct seen *seen, const char *id)
{
	const struct audit_findings *found = &seen->audit->device[0].found;

	for (size_t i = 0; i < found->count; i++) {
		if (!strcmp(found->finding[i].id, id))
			return &found->finding[i];
	}
	return NULL;
}

#define NOT_FOUND (-1)

/* The first function has a finding of this weight, or NOT_FOUND. */
static void expect(const char *text, const char *id, int weight)
{
	struct seen seen = look(text);
	const struct audit_finding *finding;

	assert_true(seen.machine->function_count > 0);
	finding = finding_of(&seen, id);
	assert_int_equal(finding ? (int)finding->weight : NOT_FOUND, weight);
	forget(&seen);
}

/* --- groups --- */

#define DEVICE                                                                \
	"sys/bus/pci/devices/0000:00:03.0 -> ../../../devices/0000:00:03.0\n" \
	"sys/devices/0000:00:03.0/class = 0x020000\n"

#define UNIT                                                           \
	"sys/class/iommu/dmar0 -> ../../devices/virtual/iommu/dmar0\n" \
	"sys/devices/virtual/iommu/dmar0/intel-iommu/cap = d2008c40660462\n"

#define GROUP(NAME)                                                                            \
	"sys/devices/0000:00:03.0/iommu_group -> ../../kernel/iommu_groups/7\n"                \
	"sys/kernel/iommu_groups/7/devices/0000:00:03.0 -> ../../../../devices/0000:00:03.0\n" \
	"sys/kernel/iommu_groups/7/name = " NAME "\n"

#define NOIOMMU "sys/module/vfio/parameters/enable_unsafe_noiommu_mode = Y\n"

static void a_made_up_group_beside_a_unit_contains_nothing(void **state)
{
	(void)state;
	expect(UNIT DEVICE, "no-group", AUDIT_IMPOSSIBLE);
	expect(UNIT DEVICE NOIOMMU, "no-group", AUDIT_UNSAFE);
	expect(UNIT DEVICE NOIOMMU GROUP("vfio-noiommu"), "no-group", AUDIT_UNSAFE);
	expect(UNIT DEVICE NOIOMMU GROUP("7"), "no-group", NOT_FOUND);
}

/* --- what vfio-pci refuses --- */

#define ID(DEVICE)                                   \
	"sys/devices/0000:00:03.0/vendor = 0x8086\n" \
	"sys/devices/0000:00:03.0/device = 0x" DEVICE "\n"
#define KERNEL(RELEASE) "proc/sys/kernel/osrelease = " RELEASE "\n"
#define PARAMETER	"sys/module/vfio_pci/parameters/disable_denylist = "
#define WITH(DRIVER)	"sys/devices/0000:00:03.0/driver -> ../../bus/pci/drivers/" DRIVER "\n"

static void what_vfio_has_on_its_list_is_refused(void **state)
{
	static const char *const quickassist[] = { DEVICE ID("0435"), DEVICE ID("0443"),
						   DEVICE ID("19e2"), DEVICE ID("19e3"),
						   DEVICE ID("37c8"), DEVICE ID("37c9") };

	(void)state;
	for (size_t i = 0; i < sizeof(quickassist) / sizeof(quickassist[0]); i++)
		expect(quickassist[i], "vfio-denylist", AUDIT_IMPOSSIBLE);
	expect(DEVICE ID("37ca"), "vfio-denylist", NOT_FOUND);
	expect(DEVICE "sys/devices/0000:00:03.0/vendor = 0x8087\n"
		      "sys/devices/0000:00:03.0/device = 0x37c8\n",
	       "vfio-denylist", NOT_FOUND);
	/* The list came with 5.9. */
	expect(DEVICE ID("37c8") KERNEL("5.10.0-32-amd64"), "vfio-denylist", AUDIT_IMPOSSIBLE);
	expect(DEVICE ID("37c8") KERNEL("5.8.18"), "vfio-denylist", NOT_FOUND);
	/* It has it already. */
	expect(DEVICE ID("37c8") WITH("vfio-pci"), "vfio-denylist", NOT_FOUND);
	expect(DEVICE ID("37c8") WITH("c6xx"), "vfio-denylist", AUDIT_IMPOSSIBLE);
}

static void the_list_can_be_switched_off(void **state)
{
	(void)state;
	expect(DEVICE ID("37c8") PARAMETER "N\n", "vfio-denylist", AUDIT_IMPOSSIBLE);
	expect(DEVICE ID("37c8") PARAMETER "Y\n", "vfio-denylist", NOT_FOUND);
	expect(DEVICE ID("37c8") "proc/cmdline = vfio_pci.disable_denylist=1\n", "vfio-denylist",
	       NOT_FOUND);
	expect(DEVICE ID("37c8") "proc/cmdline = vfio-pci.disable_denylist=1\n", "vfio-denylist",
	       NOT_FOUND);
	expect(DEVICE ID("37c8") "proc/cmdline = vfio-pci.disable_denylist=0\n", "vfio-denylist",
	       AUDIT_IMPOSSIBLE);
}

static void what_came_late_to_the_list_is_a_condition_before(void **state)
{
	(void)state;
	expect(DEVICE ID("0b25") KERNEL("6.12.9-amd64"), "vfio-denylist", AUDIT_IMPOSSIBLE);
	expect(DEVICE ID("0cfe") KERNEL("6.10.0"), "vfio-denylist", AUDIT_IMPOSSIBLE);
	expect(DEVICE ID("0b25") KERNEL("6.1.90"), "vfio-denylist", AUDIT_CONDITIONAL);
	expect(DEVICE ID("0cfe"), "vfio-denylist", AUDIT_CONDITIONAL);
}

/* --- units --- */

#define AMD_UNIT(FEATURES)                                             \
	"sys/class/iommu/ivhd0 -> ../../devices/virtual/iommu/ivhd0\n" \
	"sys/devices/virtual/iommu/ivhd0/amd-iommu/cap = 1b03000f\n"   \
	"sys/devices/virtual/iommu/ivhd0/amd-iommu/features = " FEATURES "\n"

static void expect_features(const char *text, uint64_t features)
{
	struct seen seen = look(text);

	assert_int_equal(seen.machine->unit_count, 1);
	assert_true(seen.machine->unit[0].extended == features);
	forget(&seen);
}

static void extended_features_are_found_in_either_order(void **state)
{
	(void)state;
	expect_features(DEVICE AMD_UNIT("58f77ef22294ade"), 0x58f77ef22294ade);
	expect_features(DEVICE AMD_UNIT("1d:25bf732fa2295afe"), 0x25bf732fa2295afe);
	expect_features(DEVICE AMD_UNIT("25bf732fa2295afe:1d"), 0x25bf732fa2295afe);
	expect_features(DEVICE AMD_UNIT("0:25bf732fa2295afe"), 0x25bf732fa2295afe);
	expect_features(DEVICE AMD_UNIT("25bf732fa2295afe:"), 0x25bf732fa2295afe);
	expect_features(DEVICE AMD_UNIT("0"), 0);
}

/* HATS of EFR2 would be 4 levels, 48 bits; of EFR it is 5. */
static void a_width_is_that_of_the_first_features(void **state)
{
	static const char more[] = "sys/devices/0000:00:03.0/iommu -> ../virtual/iommu/ivhd0\n"
				   "proc/cpuinfo |\n\taddress sizes\t: 52 bits physical\n";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "%s%s", DEVICE AMD_UNIT("1d:25bf732fa22956fe"), more);
	expect(text, "address-width", NOT_FOUND);
	snprintf(text, sizeof(text), "%s%s", DEVICE AMD_UNIT("1d:25bf732fa22952fe"), more);
	expect(text, "address-width", AUDIT_SAFE);
}

/* --- ACS --- */

/* A port of this type: PCI Express at 40, ACS at 100, where a dword at 4 says 0x0f and one at 8 says 0x0d. */
static void expect_acs(const char *vendor, const char *device, unsigned int type, uint32_t on)
{
	char text[1024];
	struct seen seen;
	struct acs acs;

	snprintf(text, sizeof(text),
		 DEVICE "sys/devices/0000:00:03.0/vendor = 0x%s\n"
			"sys/devices/0000:00:03.0/device = 0x%s\n"
			"sys/devices/0000:00:03.0/config : 4096\n"
			"\t000: 86 80 00 00 00 00 10 00 00 00 04 06 00 00 01 00\n"
			"\t030: 00 00 00 00 40 00 00 00 00 00 00 00 00 00 00 00\n"
			"\t040: 10 00 %u2 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
			"\t100: 0d 00 01 00 0f 00 0a 00 0d 00 00 00 00 00 00 00\n",
		 vendor, device, type);
	seen = look(text);
	acs = acs_of(&seen.machine->function[0]);
	assert_int_equal(acs.answer, ACS_PRESENT);
	assert_int_equal(acs.can, 0x0f);
	assert_int_equal(acs.on, on);
	forget(&seen);
}

static void some_root_ports_have_wide_registers(void **state)
{
	static const char *const wide[] = { "9d10", "9d1b", "a110", "a11f", "a167",
					    "a16a", "a290", "a29f", "a2e7", "a2ee" };
	static const char *const narrow[] = { "9d0f", "9d1c", "a10f", "a120", "a166",
					      "a16b", "a28f", "a2a0", "a2e6", "a2ef" };

	(void)state;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		expect_acs("8086", wide[i], 4, 0x0d);
		expect_acs("8086", narrow[i], 4, 0x0a);
	}
	expect_acs("8086", "a110", 6, 0x0a);
	expect_acs("1022", "a110", 4, 0x0a);
}

/* --- ranges that firmware keeps --- */

#define RANGE                                            \
	"sys/kernel/iommu_groups/7/reserved_regions |\n" \
	"\t0x000000009d500000 0x000000009d51ffff direct\n"

static void a_unity_range_is_let_go_by_old_kernels(void **state)
{
	(void)state;
	expect(AMD_UNIT("290362") DEVICE GROUP("7") RANGE KERNEL("6.12.9-amd64"), "rmrr",
	       AUDIT_IMPOSSIBLE);
	expect(AMD_UNIT("290362") DEVICE GROUP("7") RANGE KERNEL("6.6.0"), "rmrr",
	       AUDIT_IMPOSSIBLE);
	expect(AMD_UNIT("290362") DEVICE GROUP("7") RANGE KERNEL("6.5.13"), "rmrr",
	       AUDIT_CONDITIONAL);
	expect(AMD_UNIT("290362") DEVICE GROUP("7") RANGE, "rmrr", AUDIT_IMPOSSIBLE);
	/* Intel's driver always refused. */
	expect(UNIT DEVICE GROUP("7") RANGE KERNEL("5.10.0-32-amd64"), "rmrr", AUDIT_IMPOSSIBLE);
}

/* A USB controller, for which firmware's table has a unity range, and no groups: 48882 5.2. */
#define USB                                                                   \
	"sys/bus/pci/devices/0000:00:03.0 -> ../../../devices/0000:00:03.0\n" \
	"sys/devices/0000:00:03.0/class = 0x0c0330\n"                         \
	"sys/devices/0000:00:03.0/config : 256\n"                             \
	"\t000: 22 10 9c 14 00 00 00 00 00 30 03 0c 00 00 00 00\n"
/* The unit is a function too, 00:1f.0. */
#define UNIT_FUNCTION                                                         \
	"sys/bus/pci/devices/0000:00:1f.0 -> ../../../devices/0000:00:1f.0\n" \
	"sys/devices/0000:00:1f.0/class = 0x080600\n"                         \
	"sys/devices/0000:00:1f.0/config : 256\n"                             \
	"\t000: 22 10 81 14 06 04 10 00 01 00 06 08 00 00 00 00\n"            \
	"\t030: 00 00 00 00 40 00 00 00 00 00 00 00 00 00 00 00\n"            \
	"\t040: 0f 00 03 1b 01 00 b8 fe 00 00 00 00 00 00 00 00\n"            \
	"\t050: 40 28 18 00 00 00 00 00 00 00 00 00 00 00 00 00\n"

#define IVRS                                                       \
	"sys/firmware/acpi/tables/IVRS : 128\n"                    \
	"\t000: 49 56 52 53 80 00 00 00 02 b3 53 41 4c 4c 59 50\n" \
	"\t010: 4d 41 43 48 49 4e 45 20 01 00 00 00 53 4c 59 50\n" \
	"\t020: 01 00 00 00 40 30 20 00 00 00 00 00 00 00 00 00\n" \
	"\t030: 11 b0 30 00 f8 00 40 00 00 00 b8 fe 00 00 00 00\n" \
	"\t040: 00 00 00 00 00 00 00 00 62 03 29 00 00 00 00 00\n" \
	"\t050: 00 00 00 00 00 00 00 00 03 03 00 00 04 fe ff 00\n" \
	"\t060: 21 07 20 00 18 00 00 00 00 00 00 00 00 00 00 00\n" \
	"\t070: 00 00 50 9d 00 00 00 00 00 00 02 00 00 00 00 00\n"

static void a_unity_range_of_usb_is_foreseen_to_stay(void **state)
{
	(void)state;
	expect(USB UNIT_FUNCTION IVRS, "rmrr", AUDIT_IMPOSSIBLE);
	expect(USB UNIT_FUNCTION IVRS, "rmrr-relaxable", NOT_FOUND);
	expect(USB UNIT_FUNCTION IVRS KERNEL("5.10.0"), "rmrr", AUDIT_CONDITIONAL);
}

/* --- reset --- */

/* PCI Express at 40, with FLR. */
#define FLR                                                        \
	"sys/devices/0000:00:03.0/config : 256\n"                  \
	"\t000: 86 80 00 00 00 00 10 00 00 00 00 02 00 00 00 00\n" \
	"\t030: 00 00 00 00 40 00 00 00 00 00 00 00 00 00 00 00\n" \
	"\t040: 10 00 02 00 01 80 00 10 00 00 00 00 00 00 00 00\n"
#define NAMES(MORE) "sys/devices/0000:00:03.0/ config " MORE "\n"

static void an_old_kernel_says_that_it_knows_no_reset(void **state)
{
	(void)state;
	expect(DEVICE FLR NAMES("reset uevent"), "reset", AUDIT_SAFE);
	expect(DEVICE FLR NAMES("uevent"), "reset", NOT_FOUND);
	expect(DEVICE FLR NAMES("uevent"), "reset-none", AUDIT_CONDITIONAL);
	/* Not to be seen by all, and it decides all the same. */
	expect(DEVICE NAMES("uevent"), "reset-none", AUDIT_CONDITIONAL);
	expect(DEVICE NAMES("reset uevent"), "reset-unseen", AUDIT_UNKNOWN);
	/* What a snapshot names by the way is no list. */
	expect(DEVICE FLR, "reset", AUDIT_SAFE);
	/* A kernel that lists methods is asked for these. */
	expect(DEVICE FLR "sys/devices/0000:00:03.0/reset_method = flr\n" NAMES("uevent"), "reset",
	       AUDIT_SAFE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_made_up_group_beside_a_unit_contains_nothing),
		cmocka_unit_test(what_vfio_has_on_its_list_is_refused),
		cmocka_unit_test(the_list_can_be_switched_off),
		cmocka_unit_test(what_came_late_to_the_list_is_a_condition_before),
		cmocka_unit_test(extended_features_are_found_in_either_order),
		cmocka_unit_test(a_width_is_that_of_the_first_features),
		cmocka_unit_test(some_root_ports_have_wide_registers),
		cmocka_unit_test(a_unity_range_is_let_go_by_old_kernels),
		cmocka_unit_test(a_unity_range_of_usb_is_foreseen_to_stay),
		cmocka_unit_test(an_old_kernel_says_that_it_knows_no_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
