/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/verdict_test.c - what is made of logs that are known to be good or bad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check.h"
#include "json.h"
#include "qemu.h"

#include <string.h>

enum {
	VERSION_7_2 = 70222,
	VERSION_11 = 110103
};

static struct report rows;
static struct report controls;
static struct matrix matrix;

/* A machine on which all is well. */
static int start_good(void **state)
{
	char line[64];

	(void)state;
	report_start(&rows, REPORT_ROWS);
	report_start(&controls, REPORT_CONTROLS);
	report_read_line(&rows, "row 1 arrives \"64 bytes\"\n");
	for (unsigned int i = 2; i <= ROW_COUNT; i++) {
		snprintf(line, sizeof(line), "row %u contained \"canary kept\"\n", i);
		report_read_line(&rows, line);
		snprintf(line, sizeof(line), "control %u leaked \"canary lost\"\n", i);
		report_read_line(&controls, line);
	}
	report_read_line(&rows, "end rows\n");
	report_read_line(&controls, "end controls\n");
	matrix = (struct matrix){ .machine = &machine_table[0] };
	return 0;
}

static void set_row(unsigned int number, enum result result)
{
	rows.rows[number].result = result;
}

static bool judge(void)
{
	matrix_judge(&matrix, &rows, &controls);
	return matrix_totals(&matrix, 1).good;
}

static void a_machine_on_which_all_is_well_is_good(void **state)
{
	(void)state;
	assert_true(judge());
	struct totals totals = matrix_totals(&matrix, 1);

	assert_int_equal(totals.contained, 14);
	assert_int_equal(totals.leaked, 0);
	assert_int_equal(totals.unobservable, 0);
	assert_int_equal(totals.missing, 0);
	assert_int_equal(totals.controls, 14);
	assert_int_equal(totals.controls_leaked, 14);
	assert_true(rows.ended);
	assert_true(controls.ended);
}

static void no_machine_at_all_is_not_good(void **state)
{
	(void)state;
	assert_false(matrix_totals(NULL, 0).good);
}

static void one_leak_is_not_good(void **state)
{
	(void)state;
	set_row(5, RESULT_LEAKED);
	assert_false(judge());
	assert_int_equal(matrix_totals(&matrix, 1).leaked, 1);
}

static void a_control_that_did_not_leak_is_not_good(void **state)
{
	(void)state;
	controls.rows[8].result = RESULT_CONTAINED;
	assert_false(judge());
	assert_int_equal(matrix_totals(&matrix, 1).controls_leaked, 13);
	assert_int_equal(matrix_totals(&matrix, 1).contained, 14);
}

static void a_control_that_was_not_seen_is_not_good(void **state)
{
	(void)state;
	controls.rows[15].result = RESULT_MISSING;
	assert_false(judge());
}

static void a_missing_row_is_not_good_and_not_contained(void **state)
{
	(void)state;
	set_row(9, RESULT_MISSING);
	assert_false(judge());
	assert_int_equal(matrix_totals(&matrix, 1).missing, 1);
	assert_int_equal(matrix_totals(&matrix, 1).contained, 13);
}

static void without_row_1_nothing_is_observable(void **state)
{
	(void)state;
	set_row(1, RESULT_CONTAINED);
	set_row(4, RESULT_LEAKED);
	assert_false(judge());
	for (unsigned int i = 1; i <= ROW_COUNT; i++)
		assert_int_equal(matrix.rows[i].result, RESULT_UNOBSERVABLE);
	assert_non_null(strstr(matrix.rows[4].evidence, "said leaked"));
	assert_int_equal(matrix_totals(&matrix, 1).contained, 0);
}

static void a_missing_row_1_hides_what_the_others_say(void **state)
{
	(void)state;
	set_row(1, RESULT_MISSING);
	assert_false(judge());
	assert_int_equal(matrix.rows[1].result, RESULT_MISSING);
	assert_int_equal(matrix.rows[2].result, RESULT_UNOBSERVABLE);
}

static void the_row_that_qemu_cannot_show_may_be_unobservable(void **state)
{
	(void)state;
	matrix.machine = machine_named("vtd-separate");
	set_row(7, RESULT_UNOBSERVABLE);
	assert_true(judge());
	assert_int_equal(matrix_totals(&matrix, 1).unobservable, 1);
	assert_int_equal(matrix_totals(&matrix, 1).contained, 13);
	matrix.machine = &machine_table[0];
	assert_false(judge());
}

static void two_unobservable_rows_are_not_good(void **state)
{
	(void)state;
	matrix.machine = machine_named("vtd-separate");
	set_row(7, RESULT_UNOBSERVABLE);
	set_row(10, RESULT_UNOBSERVABLE);
	assert_false(judge());
}

static void row_1_may_never_be_unobservable(void **state)
{
	(void)state;
	set_row(1, RESULT_UNOBSERVABLE);
	for (unsigned int i = 2; i <= ROW_COUNT; i++)
		set_row(i, RESULT_MISSING);
	assert_false(judge());
}

static void trouble_beside_the_rows_is_not_good(void **state)
{
	(void)state;
	matrix_trouble(&matrix, "rows: no end after %u s", 300u);
	assert_false(judge());
	assert_string_equal(matrix.trouble[0], "rows: no end after 300 s");
}

/* One line given to an empty report of rows: is it refused, and with which words? */
static void assert_refused(enum report_kind kind, const char *line, const char *why)
{
	struct report report;

	report_start(&report, kind);
	report_read_line(&report, line);
	assert_int_equal(report.bad_lines, 1);
	assert_non_null(strstr(report.first_bad, why));
	for (unsigned int i = 1; i <= ROW_COUNT; i++)
		assert_int_equal(report.rows[i].result, RESULT_MISSING);
}

static void what_follows_row_must_be_a_report(void **state)
{
	(void)state;
	assert_refused(REPORT_ROWS, "row three contained \"x\"", "no row number");
	assert_refused(REPORT_ROWS, "row 0 contained \"x\"", "no row number");
	assert_refused(REPORT_ROWS, "row 16 contained \"x\"", "no row number");
	assert_refused(REPORT_ROWS, "row 99999999999999999999 contained \"x\"", "no row number");
	assert_refused(REPORT_ROWS, "row -1 contained \"x\"", "no row number");
	assert_refused(REPORT_ROWS, "row 3contained \"x\"", "no row number");
	assert_refused(REPORT_ROWS, "row ", "no row number");
	assert_refused(REPORT_ROWS, "row 3 containedx \"x\"", "no known result");
	assert_refused(REPORT_ROWS, "row 3 \"x\"", "no known result");
	assert_refused(REPORT_ROWS, "row 3 contained x", "no evidence");
	assert_refused(REPORT_ROWS, "row 3 contained \"x", "no evidence");
	assert_refused(REPORT_ROWS, "row 3 contained \"", "no evidence");
	assert_refused(REPORT_ROWS, "row 3 contained \"x\" more", "no evidence");
	assert_refused(REPORT_ROWS, "row 3 arrives \"x\"", "cannot have");
	assert_refused(REPORT_CONTROLS, "control 3 arrives \"x\"", "cannot have");
	assert_refused(REPORT_CONTROLS, "control 3 missing \"x\"", "cannot have");
	assert_refused(REPORT_CONTROLS, "control 1 leaked \"x\"", "has no control");
}

static void a_row_that_is_reported_twice_is_refused(void **state)
{
	(void)state;
	report_read_line(&rows, "row 3 leaked \"second thoughts\"");
	assert_int_equal(rows.bad_lines, 1);
	assert_non_null(strstr(rows.first_bad, "twice"));
	assert_int_equal(rows.rows[3].result, RESULT_CONTAINED);
}

static void other_lines_are_for_people(void **state)
{
	struct report report;

	(void)state;
	report_start(&report, REPORT_ROWS);
	report_read_line(&report, "rows begin");
	report_read_line(&report, "in row 3 contained \"x\"");
	report_read_line(&report, "control 3 leaked \"x\"");
	report_read_line(&report, "end controls");
	report_read_line(&report, "end rowss");
	report_read_line(&report, "");
	assert_int_equal(report.bad_lines, 0);
	assert_int_equal(report.line, 6);
	assert_int_equal(report.rows[3].result, RESULT_MISSING);
	assert_false(report.ended);
}

static void evidence_keeps_inner_quotes_and_loses_controls(void **state)
{
	struct report report;

	(void)state;
	report_start(&report, REPORT_ROWS);
	report_read_line(&report, "row 2 contained \"a \"b\" c\x1b[31m\"\r\n");
	assert_int_equal(report.bad_lines, 0);
	assert_string_equal(report.rows[2].evidence, "a \"b\" c?[31m");
}

static void a_long_line_is_cut_and_refused(void **state)
{
	struct report report;
	char line[4000];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "row 2 contained \"", 17);
	memcpy(line + sizeof(line) - 3, "\"\n", 3);
	report_start(&report, REPORT_ROWS);
	report_read_line(&report, line);
	assert_int_equal(report.bad_lines, 1);
}

static void a_refusal_is_kept(void **state)
{
	struct report report;

	(void)state;
	report_start(&report, REPORT_ROWS);
	report_read_line(&report, "refused: no IOMMU: neither DMAR nor IVRS\r\n");
	assert_string_equal(report.refused, "no IOMMU: neither DMAR nor IVRS");
}

static void a_version_is_read_from_qemus_answer(void **state)
{
	char version[32];

	(void)state;
	assert_int_equal(qemu_version_from_text("QEMU emulator version 7.2.22 (Debian 1:7.2)\n",
						version, sizeof(version)),
			 70222);
	assert_string_equal(version, "7.2.22");
	assert_int_equal(qemu_version_from_text("true (GNU coreutils) 9.1", version, 32), 0);
	assert_int_equal(qemu_version_from_text("QEMU emulator version seven", version, 32), 0);
}

static void each_version_gets_the_devices_it_needs(void **state)
{
	(void)state;
	assert_string_equal(qemu_unit_option(VERSION_7_2, UNIT_AMDVI), "amd-iommu");
	assert_string_equal(qemu_unit_option(100002, UNIT_AMDVI), "amd-iommu,pt=off");
	assert_string_equal(qemu_unit_option(100013, UNIT_AMDVI), "amd-iommu");
	assert_string_equal(qemu_unit_option(VERSION_11, UNIT_AMDVI), "amd-iommu,dma-remap=on");
	assert_string_equal(qemu_unit_option(VERSION_11, UNIT_VTD), "intel-iommu");
	assert_null(qemu_unit_option(VERSION_7_2, UNIT_NONE));
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void the_json_file_has_the_documented_shape(void **state)
{
	json_t *all, *machine, *row;

	(void)state;
	judge();
	snprintf(matrix.rows[3].evidence, EVIDENCE_SIZE, "not \xff UTF-8");
	matrix.rows[4].control = RESULT_MISSING;
	all = json_from_matrices(&matrix, 1, "7.2.22");
	machine = json_array_get(json_object_get(all, "machines"), 0);
	assert_string_equal(text_at(machine, "name"), "amdvi-shared");
	assert_string_equal(text_at(machine, "qemu"), "7.2.22");
	assert_int_equal(json_array_size(json_object_get(machine, "rows")), ROW_COUNT);

	row = json_array_get(json_object_get(machine, "rows"), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "row")), 1);
	assert_string_equal(text_at(row, "result"), "arrives");
	assert_true(json_is_null(json_object_get(row, "control")));

	row = json_array_get(json_object_get(machine, "rows"), 2);
	assert_string_equal(text_at(row, "name"), row_table[3].name);
	assert_string_equal(text_at(row, "control"), "leaked");
	assert_string_equal(text_at(row, "evidence"), "not ? UTF-8");

	row = json_array_get(json_object_get(machine, "rows"), 3);
	assert_true(json_is_null(json_object_get(row, "control")));
	json_decref(all);
}

/* The lines that `make check` would count. */
static void count_lines(unsigned int *passed, unsigned int *failed, unsigned int *skipped)
{
	FILE *output = tmpfile();
	char line[2 * EVIDENCE_SIZE];

	assert_non_null(output);
	check_matrix(&matrix, output);
	rewind(output);
	*passed = *failed = *skipped = 0;
	while (fgets(line, sizeof(line), output)) {
		if (strncmp(line, "not ok ", 7) == 0)
			++*failed;
		else if (strstr(line, "# SKIP"))
			++*skipped;
		else
			++*passed;
	}
	fclose(output);
}

static void check_passes_skips_and_fails_each_row_by_itself(void **state)
{
	unsigned int passed, failed, skipped;

	(void)state;
	judge();
	count_lines(&passed, &failed, &skipped);
	assert_int_equal(passed, check_count());
	assert_int_equal(failed + skipped, 0);

	matrix.machine = machine_named("vtd-separate");
	set_row(7, RESULT_UNOBSERVABLE);
	controls.rows[8].result = RESULT_CONTAINED;
	judge();
	count_lines(&passed, &failed, &skipped);
	assert_int_equal(passed, check_count() - 2);
	assert_int_equal(failed, 1);
	assert_int_equal(skipped, 1);

	matrix.machine = &machine_table[0];
	judge();
	count_lines(&passed, &failed, &skipped);
	assert_int_equal(failed, 2);
	assert_int_equal(skipped, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_machine_on_which_all_is_well_is_good, start_good),
		cmocka_unit_test_setup(no_machine_at_all_is_not_good, start_good),
		cmocka_unit_test_setup(one_leak_is_not_good, start_good),
		cmocka_unit_test_setup(a_control_that_did_not_leak_is_not_good, start_good),
		cmocka_unit_test_setup(a_control_that_was_not_seen_is_not_good, start_good),
		cmocka_unit_test_setup(a_missing_row_is_not_good_and_not_contained, start_good),
		cmocka_unit_test_setup(without_row_1_nothing_is_observable, start_good),
		cmocka_unit_test_setup(a_missing_row_1_hides_what_the_others_say, start_good),
		cmocka_unit_test_setup(the_row_that_qemu_cannot_show_may_be_unobservable,
				       start_good),
		cmocka_unit_test_setup(two_unobservable_rows_are_not_good, start_good),
		cmocka_unit_test_setup(row_1_may_never_be_unobservable, start_good),
		cmocka_unit_test_setup(trouble_beside_the_rows_is_not_good, start_good),
		cmocka_unit_test(what_follows_row_must_be_a_report),
		cmocka_unit_test_setup(a_row_that_is_reported_twice_is_refused, start_good),
		cmocka_unit_test(other_lines_are_for_people),
		cmocka_unit_test(evidence_keeps_inner_quotes_and_loses_controls),
		cmocka_unit_test(a_long_line_is_cut_and_refused),
		cmocka_unit_test(a_refusal_is_kept),
		cmocka_unit_test(a_version_is_read_from_qemus_answer),
		cmocka_unit_test(each_version_gets_the_devices_it_needs),
		cmocka_unit_test_setup(the_json_file_has_the_documented_shape, start_good),
		cmocka_unit_test_setup(check_passes_skips_and_fails_each_row_by_itself, start_good),
	};

	return cmocka_run_group_tests_name("verdicts of the boot runner", tests, NULL, NULL);
}
