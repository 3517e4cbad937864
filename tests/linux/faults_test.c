/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/faults_test.c - lines of kernels' logs, and what they tell of a fault.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/linux/faults.h"

/* Of each form that kernels from 3.0 to 6.12 print: what its only row is to be. */
static const struct form {
	const char *text;
	const char *sbdf, *kind, *address, *code, *flags;
} forms[] = {
	/* VT-d, from old to new */
	{ "DMAR:[DMA Read] Request device [02:00.0] fault addr ffffff000 \nDMAR:[fault reason 06] PTE Read access is not set",
	  "0000:02:00.0", "read, not mapped", "0xffffff000", "reason 0x06", NULL },
	{ "dmar: DMAR:[DMA Write] Request device [02:00.0] fault addr 7f000 \nDMAR:[fault reason 05] PTE Write access is not set",
	  "0000:02:00.0", "write, not mapped", "0x7f000", "reason 0x05", NULL },
	{ "[    0.05] DMAR: INTR-REMAP: Request device [[f0:1f.0] fault index 0\n     INTR-REMAP:[fault reason 37] Blocked",
	  "0000:f0:1f.0", "interrupt blocked", "index 0", "reason 0x25", NULL },
	{ "DMAR: [DMA Read] Request device [02:00.1] fault addr fe000 [fault reason 06] PTE Read access is not set",
	  "0000:02:00.1", "read, not mapped", "0xfe000", "reason 0x06", NULL },
	{ "DMAR: [DMA Write] Request device [00:02.0] PASID ffffffff fault addr 3c000 [fault reason 12] non-zero reserved fields in PTE",
	  "0000:00:02.0", "write, bad page table", "0x3c000", "reason 0x0c", NULL },
	{ "DMAR: [INTR-REMAP] Request device [03:00.0] fault index 1c [fault reason 38] Blocked an interrupt request due to source-id verification failure",
	  "0000:03:00.0", "interrupt blocked", "index 0x1c", "reason 0x26", NULL },
	{ "DMAR: [DMA Read NO_PASID] Request device [0x02:0x00.0] fault addr 0x7d000000 [fault reason 0x06] PTE",
	  "0000:02:00.0", "read, not mapped", "0x7d000000", "reason 0x06", NULL },
	{ "DMAR: [DMA Write NO_PASID] Request device [0000:02:00.0] fault addr 0xfee01000 [fault reason 0x05] PTE",
	  "0000:02:00.0", "write, not mapped", "0xfee01000", "reason 0x05", NULL },
	{ "DMAR: [DMA Read PASID 0x1] Request device [6a:01.0] fault addr 0x7f00 [fault reason 0x58] SM: x",
	  "0000:6a:01.0", "read, no entry for the device", "0x7f00", "reason 0x58", NULL },
	{ "DMAR: [DMA Read NO_PASID] Request device [00:02.0] fault addr 0x1000 [fault reason 0x02] Present bit in context entry is clear",
	  "0000:00:02.0", "read, no entry for the device", "0x1000", "reason 0x02", NULL },
	{ "DMAR: [DMA Read NO_PASID] Request device [00:02.0] fault addr 0xffffffffff000 [fault reason 0x71] SM: x",
	  "0000:00:02.0", "read, first stage: not mapped", "0xffffffffff000", "reason 0x71", NULL },
	{ "DMAR: [INTR-REMAP] Request device [f0:1f.0] fault index 0x0 [fault reason 0x22] Present field in the IRTE entry is clear",
	  "0000:f0:1f.0", "interrupt blocked", "index 0", "reason 0x22", NULL },
	{ "DMAR: VT-d detected Invalidation Time-out Error: SID 200", "0000:02:00.0",
	  "cache not answering", NULL, NULL, NULL },
	{ "DMAR: VT-d detected Invalidation Time-out Error: SID 0", NULL, "cache not answering",
	  NULL, NULL, NULL },
	{ "DMAR: VT-d detected Invalidation Completion Error: SID 5300", "0000:53:00.0",
	  "cache answered wrongly", NULL, NULL, NULL },
	{ "DMAR: VT-d detected Invalidation Queue Error: Reason f", NULL, "command refused", NULL,
	  NULL, NULL },
	{ "DMAR: VT-d detected invalid descriptor: low=0, high=0", NULL, "command refused", NULL,
	  NULL, NULL },
	/* AMD-Vi, from old to new */
	{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=02:00.0 domain=0x000e address=0x00000000fe000000 flags=0x0020]",
	  "0000:02:00.0", "write, not mapped", "0xfe000000", "IO_PAGE_FAULT", "0x20" },
	{ "AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:02:00.0 domain=0x000e address=0xfe000000 flags=0x0000]",
	  "0000:02:00.0", "read, not mapped", "0xfe000000", "IO_PAGE_FAULT", "0" },
	{ "AMD-Vi: Event logged [IO_PAGE_FAULT pci_id=0001:02:00.0 domain=0x000e address=0xfe000000 flags=0x0030]",
	  "0001:02:00.0", "write, not allowed", "0xfe000000", "IO_PAGE_FAULT", "0x30" },
	{ "vfio-pci 0000:0b:00.3: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0017 address=0xdf000000 flags=0x0050]",
	  "0000:0b:00.3", "read, not allowed", "0xdf000000", "IO_PAGE_FAULT", "0x50" },
	{ "nvme 0001:01:00.0: Event logged [IO_PAGE_FAULT domain=0x0000 address=0xc000 flags=0x0008]",
	  "0001:01:00.0", "interrupt blocked", "0xc000", "IO_PAGE_FAULT", "0x8" },
	{ "AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY device=00:00.1 address=0xfdf8000000 flags=0x0a00]",
	  "0000:00:00.1", "read, no entry for the device", "0xfdf8000000",
	  "ILLEGAL_DEV_TABLE_ENTRY", "0xa00" },
	{ "iommu ivhd0: AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY device=0000:23:00.0 pasid=0x00000 address=0x0 flags=0x0080]",
	  "0000:23:00.0", "read, no entry for the device", "0", "ILLEGAL_DEV_TABLE_ENTRY", "0x80" },
	{ "AMD-Vi: Event logged [DEV_TAB_HARDWARE_ERROR device=02:00.0 address=0x0000000000000000 flags=0x0000]",
	  "0000:02:00.0", "read, no entry for the device", "0", "DEV_TAB_HARDWARE_ERROR", "0" },
	{ "AMD-Vi: Event logged [PAGE_TAB_HARDWARE_ERROR device=02:00.0 domain=0x0001 address=0x1000 flags=0x0020]",
	  "0000:02:00.0", "write, bad page table", "0x1000", "PAGE_TAB_HARDWARE_ERROR", "0x20" },
	{ "AMD-Vi: Event logged [ILLEGAL_COMMAND_ERROR address=0x000000042dfc0f60]", NULL,
	  "command refused", "0x42dfc0f60", "ILLEGAL_COMMAND_ERROR", NULL },
	{ "AMD-Vi: Event logged [COMMAND_HARDWARE_ERROR address=0x1230 flags=0x0100]", NULL,
	  "command refused", "0x1230", "COMMAND_HARDWARE_ERROR", "0x100" },
	{ "iommu ivhd0: AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=63:00.0 address=0x42b5b01a0]",
	  "0000:63:00.0", "cache not answering", "0x42b5b01a0", "IOTLB_INV_TIMEOUT", NULL },
	{ "AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:02:00.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a00]",
	  "0000:02:00.0", "read, bad address", "0xfffffffdf8000000", "INVALID_DEVICE_REQUEST",
	  "0xa00" },
	{ "AMD-Vi: Event logged [INVALID_PPR_REQUEST device=0000:02:00.0 pasid=0x00012 address=0x7f00 flags=0x0000 tag=0x003]",
	  "0000:02:00.0", "bad page request", "0x7f00", "INVALID_PPR_REQUEST", "0" },
	{ "mlx5_core 0000:41:00.0: AMD-Vi: Event logged [RMP_PAGE_FAULT vmg_tag=0x0000, gpa=0x7f00, flags_rmp=0x0001, flags=0x0020]",
	  "0000:41:00.0", "memory of another", "0x7f00", "RMP_PAGE_FAULT", "0x20" },
	{ "AMD-Vi: Event logged [RMP_PAGE_FAULT devid=0x4100, vmg_tag=0x0000, gpa=0x7f00, flags_rmp=0x0001, flags=0x0020]",
	  "0000:41:00.0", "memory of another", "0x7f00", "RMP_PAGE_FAULT", "0x20" },
	{ "AMD-Vi: Event logged [RMP_HW_ERROR device=0000:41:00.0, vmg_tag=0x0000, spa=0x7f00, flags=0x0000]",
	  "0000:41:00.0", "RMP unreadable", "0x7f00", "RMP_HW_ERROR", "0" },
	{ "AMD-Vi: Event logged [UNKNOWN event[0]=0x00000000 event[1]=0xb0000000 event[2]=0x00000000 event[3]=0x00000000",
	  NULL, "unknown event", NULL, NULL, NULL },
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

static struct fault_rows *rows_of(const char *text, size_t length)
{
	struct log *log = log_parse(text, length);
	struct fault_rows *rows = fault_rows_read(log);

	log_free(log);
	return rows;
}

static void same(const char *what, const char *text, const json_t *row, const char *wanted)
{
	const char *is = json_string_value(json_object_get(row, what));

	if ((is == NULL) != (wanted == NULL) || (is && strcmp(is, wanted) != 0))
		fail_msg("%s is \"%s\", not \"%s\", in: %s", what, is ?: "-", wanted ?: "-", text);
}

static void is_told(const struct form *form, const char *text)
{
	struct fault_rows *rows = rows_of(text, strlen(text));
	json_t *list = faults_describe(NULL, rows);
	const json_t *row = json_array_get(list, 0);

	if (json_array_size(list) != 1)
		fail_msg("%zu rows, not 1: %s", json_array_size(list), text);
	same("sbdf", text, row, form->sbdf);
	same("kind", text, row, form->kind);
	same("address", text, row, form->address);
	same("code", text, row, form->code);
	same("flags", text, row, form->flags);
	assert_true(strlen(json_string_value(json_object_get(row, "means"))) > 20);
	assert_true(strlen(json_string_value(json_object_get(row, "next"))) > 20);
	json_decref(list);
	fault_rows_free(rows);
}

static void every_form_is_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMS; i++)
		is_told(&forms[i], forms[i].text);
}

static void what_stands_before_it_does_not_matter(void **state)
{
	static const char *const prefixes[] = {
		"<3>",
		"[   12.345678] ",
		"[   12.345678][  T123] ",
		"<3>[   12.345678] ",
		"[Sun Nov 22 17:23:01 2026] ",
		"kern  :err   : [   12.345678] ",
		"Nov 22 17:23:01 host kernel: ",
		"Nov  2 07:23:01 host kernel: [   12.345678] ",
		"2026-11-22T17:23:01.123456+00:00 host kernel: ",
		"2026-11-22T17:23:01,123456+00:00 ",
		"[   12.345678] host kernel: ",
		"3,1042,12345678,-;",
		"3,1042,12345678,c,caller=T12;",
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		for (size_t j = 0; j < FORMS; j++) {
			if (strchr(forms[j].text, '\n') || *forms[j].text == '[')
				continue;
			snprintf(text, sizeof(text), "%s%s", prefixes[i], forms[j].text);
			is_told(&forms[j], text);
		}
	}
}

static void the_kernel_escapes_a_line_feed_in_a_record(void **state)
{
	const char *text =
		"3,7,57770,-;DMAR: INTR-REMAP: Request device [[f0:1f.0] fault index 0\\x0a"
		"INTR-REMAP:[fault reason 37] Blocked\n SUBSYSTEM=pci\n DEVICE=+pci:0000:f0:1f.0\n";
	struct fault_rows *rows = rows_of(text, strlen(text));

	(void)state;
	assert_int_equal(rows->count, 1);
	assert_int_equal(rows->row[0].line.code, 0x25);
	assert_string_equal(rows->row[0].first.when, "0.057770");
	fault_rows_free(rows);
}

static void what_a_program_wrote_into_the_log_is_no_fault(void **state)
{
	const char *text =
		"12,7,57770,-;DMAR: [DMA Read] Request device [02:00.0] fault addr fe000 "
		"[fault reason 06] PTE Read access is not set\n";
	struct fault_rows *rows = rows_of(text, strlen(text));

	(void)state;
	assert_int_equal(rows->count, 0);
	fault_rows_free(rows);
}

static void lines_that_tell_of_no_fault_are_none(void **state)
{
	static const char *const lines[] = {
		"DMAR: DRHD base: 0x000000fed91000 flags: 0x1",
		"DMAR: RMRR base: 0x000000370e4000 end: 0x00000037103fff",
		"DMAR: DRHD: handling fault status reg 2",
		"DMAR: Intel(R) Virtualization Technology for Directed I/O",
		"AMD-Vi: Found IOMMU cap 0x40",
		"AMD-Vi: Interrupt remapping enabled",
		"pci 0000:00:01.0: Adding to iommu group 1",
		"DMAR: [DMA Read] Request device [02:00.0] fault addr",
		"DMAR: [DMA Read] Request device [02] fault addr 0x1000 [fault reason 06]",
		"DMAR: [DMA Read] Request device [02:00.9] fault addr 0x1000 [fault reason 06]",
		"AMD-Vi: Event logged [",
		"systemd[1]: Started a fault reason 06",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct fault_rows *rows = rows_of(lines[i], strlen(lines[i]));

		if (rows->count || rows->lost || rows->lost_more)
			fail_msg("taken for a fault: %s", lines[i]);
		fault_rows_free(rows);
	}
}

static void repeats_are_counted_by_range_with_their_times(void **state)
{
	char text[8192];
	size_t length = 0;
	struct fault_rows *rows;

	(void)state;
	for (unsigned int i = 0; i < 11; i++)
		length += (size_t)snprintf(
			text + length, sizeof(text) - length,
			"[   %u.500000] DMAR: [DMA Write] Request device [02:00.0] fault addr %x [fault reason 05] PTE\n",
			10 + i, 0x7f000000 + 0x1000 * (i * 7 % 11));
	length += (size_t)snprintf(
		text + length, sizeof(text) - length,
		"[   30.500000] DMAR: [DMA Write] Request device [02:00.0] fault addr 1f000000 [fault reason 05] PTE\n"
		"[   30.500000] DMAR: [DMA Read] Request device [02:00.0] fault addr 7f000000 [fault reason 06] PTE\n"
		"[   30.600000] dmar_fault: 318 callbacks suppressed\n"
		"[   30.700000] DMAR: DRHD: handling fault status reg 3\n");
	rows = rows_of(text, length);
	assert_int_equal(rows->count, 3);
	assert_int_equal(rows->row[0].count, 11);
	assert_int_equal(rows->row[0].line.address, 0x7f000000);
	assert_int_equal(rows->row[0].last_address, 0x7f00a000);
	assert_string_equal(rows->row[0].first.when, "10.500000");
	assert_string_equal(rows->row[0].last.when, "20.500000");
	assert_true(fault_row_rate(&rows->row[0]) > 0.99 && fault_row_rate(&rows->row[0]) < 1.01);
	assert_true(fault_row_rate(&rows->row[1]) < 0);
	assert_int_equal(rows->lost, 318);
	assert_true(rows->lost_more);
	fault_rows_free(rows);
}

/* What is below 1 MiB is firmware's: never one row with what is above. */
static void low_memory_is_a_row_of_its_own(void **state)
{
	const char *text =
		"DMAR: [DMA Read] Request device [00:14.0] fault addr ff000 [fault reason 06] PTE\n"
		"DMAR: [DMA Read] Request device [00:14.0] fault addr 100000 [fault reason 06] PTE\n";
	struct fault_rows *rows = rows_of(text, strlen(text));

	(void)state;
	assert_int_equal(rows->count, 2);
	fault_rows_free(rows);
}

static void a_fault_whose_end_was_lost_still_counts(void **state)
{
	const char *text = "DMAR:[DMA Read] Request device [02:00.0] fault addr ffffff000 \n"
			   "usb 1-1: new device\n"
			   "DMAR:[fault reason 06] belongs to nothing\n";
	struct fault_rows *rows = rows_of(text, strlen(text));

	(void)state;
	assert_int_equal(rows->count, 1);
	assert_false(rows->row[0].line.has_code);
	fault_rows_free(rows);
}

/* No crash and no report of the sanitizers; that it says anything sensible is not asked. */
static void try_text(const char *text, size_t length)
{
	struct fault_rows *rows = rows_of(text, length);
	json_t *list = faults_describe(NULL, rows);
	char *dump = json_dumps(list, 0);

	assert_non_null(dump);
	free(dump);
	json_decref(list);
	fault_rows_free(rows);
}

static void lines_that_are_cut_or_damaged_do_no_harm(void **state)
{
	uint32_t random = 1;
	char text[512];

	(void)state;
	for (size_t i = 0; i < FORMS; i++) {
		size_t length = strlen(forms[i].text);

		for (size_t cut = 0; cut <= length; cut++) {
			try_text(forms[i].text, cut);
			try_text(forms[i].text + cut, length - cut);
		}
		for (unsigned int round = 0; round < 400; round++) {
			memcpy(text, forms[i].text, length);
			for (unsigned int hit = 0; hit <= round % 4; hit++) {
				random = random * 1664525 + 1013904223;
				text[(random >> 8) % length] = (char)(random >> 24);
			}
			try_text(text, length);
		}
	}
}

/* --- whose it is --- */

static struct machine_function function_of(const char *name, const char *driver, uint16_t also)
{
	struct machine_function function = { .driver = driver, .group = MACHINE_NONE };

	assert_true(machine_parse_sbdf(name, &function.sbdf));
	snprintf(function.name, sizeof(function.name), "%s", name);
	function.requester[function.requester_count++] = sp_sbdf_requester(function.sbdf);
	if (also)
		function.requester[function.requester_count++] = also;
	return function;
}

static json_t *told_of(const struct machine *machine, const char *text)
{
	struct fault_rows *rows = rows_of(text, strlen(text));
	json_t *list = faults_describe(machine, rows), *row;

	assert_int_equal(json_array_size(list), 1);
	row = json_incref(json_array_get(list, 0));
	json_decref(list);
	fault_rows_free(rows);
	return row;
}

static void a_shared_id_names_everybody_behind_the_bridge(void **state)
{
	struct machine_function functions[] = {
		function_of("0000:03:00.0", NULL, 0),
		function_of("0000:05:01.0", "one", 0x0500),
		function_of("0000:05:02.0", "two", 0x0500),
		function_of("0001:05:02.0", "elsewhere", 0x0500),
	};
	struct machine machine = { .function = functions, .function_count = 4 };
	json_t *row = told_of(&machine, "DMAR: [DMA Read] Request device [05:00.0] fault addr "
					"7f000000 [fault reason 06] PTE");

	(void)state;
	same("sbdf", "", row, "0000:05:01.0");
	same("alias", "", row, "0000:05:00.0");
	same("driver", "", row, "one");
	assert_int_equal(json_array_size(json_object_get(row, "shared")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(row, "shared"), 0)),
			    "0000:05:02.0");
	json_decref(row);
}

static void a_named_segment_is_heeded(void **state)
{
	struct machine_function functions[] = {
		function_of("0000:05:02.0", "one", 0),
		function_of("0001:05:02.0", "two", 0),
	};
	struct machine machine = { .function = functions, .function_count = 2 };
	json_t *row = told_of(&machine,
			      "AMD-Vi: Event logged [IO_PAGE_FAULT device=0001:05:02.0 domain=0x1 "
			      "address=0x7f000000 flags=0x0020]");

	(void)state;
	same("driver", "", row, "two");
	json_decref(row);
}

static void means(const struct machine *machine, const char *address, const char *words)
{
	char text[256];
	json_t *row;
	const char *said;

	snprintf(text, sizeof(text),
		 "DMAR: [DMA Read] Request device [02:00.0] fault addr %s [fault reason 06] PTE",
		 address);
	row = told_of(machine, text);
	said = json_string_value(json_object_get(row, "means"));
	if (!strstr(said, words))
		fail_msg("%s: \"%s\" is not in: %s", address, words, said);
	json_decref(row);
}

static void the_explanation_looks_at_the_address_and_the_driver(void **state)
{
	struct machine_function functions[] = {
		function_of("0000:01:00.0", "ahci", 0),
		function_of("0000:02:00.0", "xhci_hcd", 0),
	};
	struct machine machine = { .function = functions, .function_count = 2 };

	(void)state;
	functions[0].reserved[0] = (struct machine_range){ .first = 0x7c000000, .bytes = 0x2000 };
	functions[0].reserved_count = 1;
	functions[0].resource[0] = (struct machine_range){ .first = 0xa1000000, .bytes = 0x4000 };
	functions[1].reserved[0] = (struct machine_range){ .first = 0x7d000000, .bytes = 0x2000 };
	functions[1].reserved_count = 1;
	means(&machine, "9f000", "below 1 MiB");
	means(&machine, "7c001000", "0000:01:00.0 alone");
	means(&machine, "7d001000", "asks that it stays mapped");
	means(&machine, "a1003000", "register range of 0000:01:00.0");
	means(&machine, "fee00000", "interrupt messages");
	means(&machine, "55555000", "xhci_hcd unmapped this buffer");
	functions[1].driver = NULL;
	means(&machine, "55555000", "No driver has the device");
	functions[1].driver = "vfio-pci";
	means(&machine, "a1003000", "no memory of the guest");
}

static void a_snapshot_keeps_of_the_log_what_commands_look_for(void **state)
{
	static const char text[] = "5,17,1,-;Linux version 6.12, built by somebody\n"
				   "6,18,2,-;usb 1-1: SerialNumber: 4C5300\n SUBSYSTEM=usb\n"
				   "3,19,3,-;DMAR: DRHD: handling fault status reg 2\n"
				   "12,20,4,-;DMAR: said by a program\n";
	struct root_bytes bytes = { text, sizeof(text) - 1 };
	struct root_bytes kept = log_of_interest(&bytes);

	(void)state;
	assert_string_equal(kept.data,
			    "5,17,1,-;\n3,19,3,-;DMAR: DRHD: handling fault status reg 2\n");
	assert_int_equal(kept.count, strlen(kept.data));
	free((char *)(uintptr_t)kept.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_decoded),
		cmocka_unit_test(what_stands_before_it_does_not_matter),
		cmocka_unit_test(the_kernel_escapes_a_line_feed_in_a_record),
		cmocka_unit_test(what_a_program_wrote_into_the_log_is_no_fault),
		cmocka_unit_test(lines_that_tell_of_no_fault_are_none),
		cmocka_unit_test(repeats_are_counted_by_range_with_their_times),
		cmocka_unit_test(low_memory_is_a_row_of_its_own),
		cmocka_unit_test(a_fault_whose_end_was_lost_still_counts),
		cmocka_unit_test(lines_that_are_cut_or_damaged_do_no_harm),
		cmocka_unit_test(a_shared_id_names_everybody_behind_the_bridge),
		cmocka_unit_test(a_named_segment_is_heeded),
		cmocka_unit_test(the_explanation_looks_at_the_address_and_the_driver),
		cmocka_unit_test(a_snapshot_keeps_of_the_log_what_commands_look_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
