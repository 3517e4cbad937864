/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/faults_lost_test.c - lines that tell that faults came of which no line tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/linux/faults.h"

static struct fault_rows *rows_of(const char *text)
{
	struct log *log = log_parse(text, strlen(text));
	struct fault_rows *rows = fault_rows_read(log);

	log_free(log);
	return rows;
}

static void a_log_of_the_unit_that_overflowed_is_told_of_by_every_kernel(void **state)
{
	static const char *const lines[] = {
		"AMD-Vi: Event log overflow",
		"[172391.642521] AMD-Vi: IOMMU event log overflow",
		"6,911,61000004,-;AMD-Vi: IOMMU Event log restarting",
		"DMAR: DRHD: handling fault status reg 3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct fault_rows *rows = rows_of(lines[i]);

		if (!rows->lost_more || rows->lost || rows->count)
			fail_msg("not taken for an overflow: %s", lines[i]);
		fault_rows_free(rows);
	}
}

static void every_report_that_was_suppressed_is_counted(void **state)
{
	struct fault_rows *rows =
		rows_of("[1.0] dmar_fault: 1 callbacks suppressed\n"
			"[2.0] amd_iommu_report_page_fault: 20 callbacks suppressed\n"
			"[3.0] amd_iommu_report_rmp_fault: 300 callbacks suppressed\n"
			"[4.0] amd_iommu_report_rmp_hw_error: 4000 callbacks suppressed\n");

	(void)state;
	assert_int_equal(rows->lost, 4321);
	assert_int_equal(rows->count, 0);
	fault_rows_free(rows);
}

/* Requests for pages and interrupts have logs of their own; what was suppressed there are no faults. */
static void other_logs_and_other_reports_lose_no_fault(void **state)
{
	static const char *const lines[] = {
		"AMD-Vi: IOMMU PPR log overflow",
		"AMD-Vi: IOMMU PPR log restarting",
		"AMD-Vi: IOMMU GA log restarting",
		"amd_iommu_int_thread: 27 callbacks suppressed",
		"amd_iommu_restart_log: 27 callbacks suppressed",
		"somebody: Event log overflow",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct fault_rows *rows = rows_of(lines[i]);

		if (rows->lost_more || rows->lost || rows->count)
			fail_msg("taken for lost faults: %s", lines[i]);
		fault_rows_free(rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_of_the_unit_that_overflowed_is_told_of_by_every_kernel),
		cmocka_unit_test(every_report_that_was_suppressed_is_counted),
		cmocka_unit_test(other_logs_and_other_reports_lose_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
