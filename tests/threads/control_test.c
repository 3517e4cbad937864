/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/control_test.c - the harness can fail: with a defect chosen, each of these runs is
 * complained of.
 *
 * A run with a defect races by intent. So it is a process of its own, in which ThreadSanitizer is
 * told to report nothing: what counts is that the tags tell. Each defect here shows within a second
 * or two. A look-up that nobody waits for shows by chance alone: its control is the one in
 * unit/change_test.c, which stops a look-up between two loads.
 */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define SLICE	    100u /* milliseconds; so long until somebody looks for complaints */
#define SLICES	    20u
#define SLICES_MOST 1200u /* a defect may take this long to show, on a busy computer */
#define EACH	    256u
#define TOLD	    3 /* exit status: somebody complained */
#define NOBODY_TOLD 0
#define BROKEN	    99

/* Runs until the first complaint; nothing after that means anything. */
_Noreturn static void await_complaint(struct machine *machine, uint32_t slices)
{
	for (uint32_t i = 0; i < slices; i++) {
		machine_sleep(SLICE);
		if (machine_has_complaints(machine))
			_exit(TOLD);
	}
	_exit(NOBODY_TOLD);
}

_Noreturn static void run_with(uint32_t mutant)
{
	struct machine *machine = machine_make(2, 2 * EACH);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SHARED);
	struct worker workers[] = {
		{ .run = life_of_changes, .mfn = FRAME_MFN, .count = EACH },
		{ .run = life_of_changes, .first = EACH, .mfn = FRAME_MFN + EACH, .count = EACH },
		{ .run = life_in_guest },
		{ .run = life_of_looks },
	};

	for (uint32_t i = 0; i < machine->unit_count; i++)
		if (machine_assign(machine, domain, i) != SP_OK)
			_exit(BROKEN);
	if (sp_mutant_choose(machine->host, mutant) != SP_OK)
		_exit(BROKEN);
	for (uint32_t i = 0; i < 4; i++) {
		workers[i].domain = domain;
		if (!worker_begin(machine, &workers[i], i + 1))
			_exit(BROKEN);
	}
	await_complaint(machine, mutant == SP_MUT_NONE ? SLICES : SLICES_MOST);
}

static int status_with(const char *program, uint32_t mutant)
{
	char number[12];
	pid_t child;
	int status = 0;

	snprintf(number, sizeof(number), "%u", mutant);
	child = fork();
	if (child == 0) {
		setenv("TSAN_OPTIONS", "report_bugs=0", 1);
		execl(program, program, number, (char *)NULL);
		_exit(BROKEN);
	}
	assert_int_not_equal(child, -1);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void is_told(uint32_t mutant)
{
	assert_int_equal(status_with("/proc/self/exe", mutant), TOLD);
}

static void a_skipped_kick_is_told(void **state)
{
	(void)state;
	is_told(SP_MUT_KICK_SKIPPED);
}

static void a_leaf_that_units_are_not_told_of_is_told(void **state)
{
	(void)state;
	is_told(SP_MUT_UNMAP_UNPAID);
}

static void a_table_that_units_are_not_told_of_is_told(void **state)
{
	(void)state;
	is_told(SP_MUT_LINKS_KEPT);
}

static void a_second_unit_that_is_not_told_is_told(void **state)
{
	(void)state;
	is_told(SP_MUT_FIRST_UNIT_ONLY);
}

static void release_at_once_is_told(void **state)
{
	(void)state;
	is_told(SP_MUT_RELEASE_WITHOUT_WAIT);
}

static void release_after_cpus_alone_is_told(void **state)
{
	(void)state;
	is_told(SP_MUT_RELEASE_AFTER_CPUS);
}

static void a_wait_that_is_not_awaited_is_told(void **state)
{
	(void)state;
	is_told(SP_MUT_WAIT_NOT_AWAITED);
}

/* The same run, in the same build, without a defect. */
static void without_a_defect_nothing_is_told(void **state)
{
	(void)state;
	assert_int_equal(status_with("/proc/self/exe", SP_MUT_NONE), NOBODY_TOLD);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_skipped_kick_is_told),
		cmocka_unit_test(a_leaf_that_units_are_not_told_of_is_told),
		cmocka_unit_test(a_table_that_units_are_not_told_of_is_told),
		cmocka_unit_test(a_second_unit_that_is_not_told_is_told),
		cmocka_unit_test(release_at_once_is_told),
		cmocka_unit_test(release_after_cpus_alone_is_told),
		cmocka_unit_test(a_wait_that_is_not_awaited_is_told),
		cmocka_unit_test(without_a_defect_nothing_is_told),
	};

	if (argc > 1)
		run_with((uint32_t)strtoul(argv[1], NULL, 10));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
