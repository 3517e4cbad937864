/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/run_test.c - whole runs, with a shell script in the emulator's place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct matrix matrix;

/* A directory with two images and a shell script in the emulator's place. */
struct standin {
	char directory[64];
	char command[96];
	struct runner runner;
};

static void write_file(const char *directory, const char *name, const char *text, mode_t mode)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void start_standin(struct standin *standin, const char *body)
{
	char script[2048];
	char message[1024];

	snprintf(standin->directory, sizeof(standin->directory), "%s/sallyport-boot-XXXXXX",
		 P_tmpdir);
	assert_non_null(mkdtemp(standin->directory));
	snprintf(standin->command, sizeof(standin->command), "%s/qemu", standin->directory);
	snprintf(script, sizeof(script),
		 "#!/bin/sh\n"
		 "[ \"$1\" = --version ] && { echo QEMU emulator version 7.2.22; exit 0; }\n"
		 "while [ $# -gt 0 ]; do\n"
		 "  case $1 in -serial) log=${2#file:} ;; -append) append=$2 ;; esac; shift\n"
		 "done\n%s\n",
		 body);
	write_file(standin->directory, "qemu", script, 0755);
	write_file(standin->directory, "sallyport.elf", "", 0644);
	write_file(standin->directory, "sallyport-mutants.elf", "", 0644);
	standin->runner = (struct runner){ .out = standin->directory };
	assert_true(qemu_find(&standin->runner.qemu, standin->command, message, sizeof(message)));
	assert_true(run_prepare(&standin->runner, message, sizeof(message)));
}

static void stop_standin(const struct standin *standin)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", standin->directory);
	assert_int_equal(system(command), 0);
}

static void run_standin(const char *body)
{
	struct standin standin;

	start_standin(&standin, body);
	run_machine(&standin.runner, &machine_table[0], &matrix);
	stop_standin(&standin);
}

static void a_run_gathers_rows_and_controls(void **state)
{
	(void)state;
	run_standin(
		"case $append in\n"
		"*run=controls) for i in 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do\n"
		"  echo \"control $i leaked \\\"lost\\\"\"; done; echo end controls ;;\n"
		"*) echo 'row 1 arrives \"x\"'; for i in 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do\n"
		"  echo \"row $i contained \\\"kept\\\"\"; done; echo end rows ;;\n"
		"esac >$log; exit 1");
	assert_int_equal(matrix.trouble_count, 0);
	assert_true(matrix_is_good(&matrix));
}

static void a_qemu_that_dies_at_once_is_quoted(void **state)
{
	(void)state;
	run_standin("echo 'qemu: no such device' >&2; exit 1");
	assert_int_equal(matrix.trouble_count, 2);
	assert_non_null(strstr(matrix.trouble[0], "status 1 and said: qemu: no such device"));
	assert_false(matrix_is_good(&matrix));
}

static void a_run_without_its_end_is_trouble(void **state)
{
	(void)state;
	run_standin("echo 'row 1 arrives \"x\"' >$log; exit 1");
	assert_non_null(
		strstr(matrix.trouble[0], "QEMU ended (status 1) before `end rows`, after row 1"));
}

static void an_end_too_early_is_trouble_even_with_success(void **state)
{
	(void)state;
	run_standin("echo 'row 1 arrives \"x\"' >$log; exit 33");
	assert_non_null(strstr(matrix.trouble[0], "the hypervisor ended with success"));
	assert_false(matrix_is_good(&matrix));
}

static void a_reset_and_a_signal_are_told_apart(void **state)
{
	(void)state;
	run_standin("case $append in *controls) kill -9 $$ ;; esac; echo hello >$log; exit 0");
	assert_non_null(strstr(matrix.trouble[0], "the machine reset itself"));
	assert_non_null(strstr(matrix.trouble[1], "ended by signal 9"));
}

/* A machine that is expected to take no time at all is given none. */
static void a_run_that_hangs_is_stopped(void **state)
{
	const struct machine machine = { "hangs", UNIT_AMDVI, "EPYC", "", NULL, 0, 0 };
	struct standin standin;

	(void)state;
	start_standin(&standin, "exec sleep 1000");
	run_machine(&standin.runner, &machine, &matrix);
	stop_standin(&standin);
	assert_non_null(strstr(matrix.trouble[0], "rows: no end after 0 s"));
	assert_false(matrix_is_good(&matrix));
}

static void a_refusal_is_told_as_the_reason(void **state)
{
	(void)state;
	run_standin("echo 'refused: no SVM' >$log; exit 3");
	assert_non_null(strstr(matrix.trouble[0], "the hypervisor refused: no SVM"));
}

static void a_probe_wants_the_words_and_the_end(void **state)
{
	const struct probe *probe = &probe_table[0];
	struct standin standin;
	char body[256];
	char amiss[1024];

	(void)state;
	snprintf(body, sizeof(body), "echo '%s%s' >$log; exit 35", probe->starts, probe->names);
	start_standin(&standin, body);
	run_probe(&standin.runner, probe, amiss, sizeof(amiss));
	assert_string_equal(amiss, "");
	stop_standin(&standin);

	snprintf(body, sizeof(body), "echo '%s%s' >$log; exit 33", probe->starts, probe->names);
	start_standin(&standin, body);
	run_probe(&standin.runner, probe, amiss, sizeof(amiss));
	assert_non_null(strstr(amiss, "ended with status 33, 35 was expected"));
	stop_standin(&standin);

	start_standin(&standin, "echo hello >$log; exit 35");
	run_probe(&standin.runner, probe, amiss, sizeof(amiss));
	assert_non_null(strstr(amiss, "no line \"refused: ...IOMMU\""));
	stop_standin(&standin);
}

static void an_emulator_that_is_none_is_named(void **state)
{
	struct qemu qemu;
	char message[1024];

	(void)state;
	assert_false(qemu_find(&qemu, "/nonexistent/qemu", message, sizeof(message)));
	assert_non_null(strstr(message, "QEMU=/nonexistent/qemu: cannot be run"));
	assert_false(qemu_find(&qemu, "/bin/true", message, sizeof(message)));
	assert_non_null(strstr(message, "does not answer like a QEMU"));
	assert_false(qemu_find(&qemu, "", message, sizeof(message)));
	assert_false(qemu_find(&qemu, "  ", message, sizeof(message)));
}

static void the_emulator_may_be_several_words(void **state)
{
	struct standin standin;
	struct qemu qemu;
	char command[128];
	char message[1024];

	(void)state;
	start_standin(&standin, "exit 0");
	snprintf(command, sizeof(command), "/bin/sh %s", standin.command);
	assert_true(qemu_find(&qemu, command, message, sizeof(message)));
	assert_string_equal(qemu.words[0], "/bin/sh");
	assert_int_equal(qemu.number, 70222);
	stop_standin(&standin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_gathers_rows_and_controls),
		cmocka_unit_test(a_qemu_that_dies_at_once_is_quoted),
		cmocka_unit_test(a_run_without_its_end_is_trouble),
		cmocka_unit_test(an_end_too_early_is_trouble_even_with_success),
		cmocka_unit_test(a_reset_and_a_signal_are_told_apart),
		cmocka_unit_test(a_run_that_hangs_is_stopped),
		cmocka_unit_test(a_refusal_is_told_as_the_reason),
		cmocka_unit_test(a_probe_wants_the_words_and_the_end),
		cmocka_unit_test(an_emulator_that_is_none_is_named),
		cmocka_unit_test(the_emulator_may_be_several_words),
	};

	return cmocka_run_group_tests_name("boot runner against stand-ins", tests, NULL, NULL);
}
