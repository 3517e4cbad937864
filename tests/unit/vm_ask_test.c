/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vm_ask_test.c - INIT, start-up and NMI: what a guest's CPU does, whatever the order in
 * which others ask.
 */
#include "platform/metal/vm_ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PAGE_A 0x9au
#define PAGE_B 0x08u

/* A CPU, and the word that others write. */
struct cpu {
	uint32_t asked;
	bool waits;
	uint32_t resets, starts, nmis;
	uint8_t page;
};

static void ask(struct cpu *cpu, uint32_t what)
{
	cpu->asked = vm_ask_add(cpu->asked, what);
}

static void start(struct cpu *cpu, uint8_t page)
{
	ask(cpu, VM_ASK_START | VM_ASK_PAGE(page));
}

/* One look at the word. */
static enum vm_step look(struct cpu *cpu)
{
	const struct vm_next next = vm_ask_next(cpu->asked, cpu->waits);

	assert_int_equal(next.taken & ~cpu->asked, 0);
	cpu->asked &= ~next.taken;
	switch (next.step) {
	case VM_STEP_RESET:
		cpu->resets++;
		cpu->waits = true;
		break;
	case VM_STEP_START:
		cpu->starts++;
		cpu->waits = false;
		cpu->page = next.page;
		break;
	case VM_STEP_NMI:
		cpu->nmis++;
		break;
	case VM_STEP_NOTHING:
	case VM_STEP_PAUSE:
		break;
	}
	return next.step;
}

static void a_cpu_is_started_at_its_page(void **state)
{
	struct cpu cpu = { .waits = true };

	(void)state;
	ask(&cpu, VM_ASK_INIT);
	assert_int_equal(look(&cpu), VM_STEP_RESET);
	assert_int_equal(look(&cpu), VM_STEP_NOTHING);
	start(&cpu, PAGE_A);
	assert_int_equal(look(&cpu), VM_STEP_START);
	assert_int_equal(cpu.page, PAGE_A);
	assert_int_equal(cpu.asked, 0);
}

/* As kernels do it: INIT, then two messages, before the CPU looks at all. */
static void init_and_two_messages_start_it_once(void **state)
{
	struct cpu cpu = { .waits = false };

	(void)state;
	ask(&cpu, VM_ASK_INIT);
	start(&cpu, PAGE_A);
	start(&cpu, PAGE_A);
	assert_int_equal(look(&cpu), VM_STEP_RESET);
	assert_true(cpu.waits);
	assert_int_equal(look(&cpu), VM_STEP_START);
	assert_int_equal(look(&cpu), VM_STEP_NOTHING);
	assert_int_equal(cpu.resets, 1);
	assert_int_equal(cpu.starts, 1);
	assert_int_equal(cpu.page, PAGE_A);
}

static void who_runs_hears_no_start(void **state)
{
	struct cpu cpu = { .waits = false };

	(void)state;
	start(&cpu, PAGE_A);
	assert_int_equal(look(&cpu), VM_STEP_NOTHING);
	assert_int_equal(cpu.asked, 0);
	/* Nor later, when it waits. */
	ask(&cpu, VM_ASK_INIT);
	assert_int_equal(look(&cpu), VM_STEP_RESET);
	assert_int_equal(look(&cpu), VM_STEP_NOTHING);
	assert_true(cpu.waits);
}

static void the_first_of_two_pages_counts(void **state)
{
	struct cpu cpu = { .waits = true };

	(void)state;
	start(&cpu, PAGE_A);
	start(&cpu, PAGE_B);
	assert_int_equal(look(&cpu), VM_STEP_START);
	assert_int_equal(cpu.page, PAGE_A);
	assert_int_equal(cpu.asked, 0);
}

static void an_init_undoes_what_came_before(void **state)
{
	struct cpu cpu = { .waits = true };

	(void)state;
	start(&cpu, PAGE_A);
	ask(&cpu, VM_ASK_NMI);
	ask(&cpu, VM_ASK_INIT);
	assert_int_equal(look(&cpu), VM_STEP_RESET);
	assert_int_equal(look(&cpu), VM_STEP_NOTHING);
	start(&cpu, PAGE_B);
	assert_int_equal(look(&cpu), VM_STEP_START);
	assert_int_equal(cpu.page, PAGE_B);
	assert_int_equal(cpu.nmis, 0);
}

static void an_nmi_comes_to_who_runs(void **state)
{
	struct cpu running = { .waits = false }, waiting = { .waits = true };

	(void)state;
	ask(&running, VM_ASK_NMI);
	assert_int_equal(look(&running), VM_STEP_NMI);
	assert_int_equal(look(&running), VM_STEP_NOTHING);
	ask(&waiting, VM_ASK_NMI);
	assert_int_equal(look(&waiting), VM_STEP_NOTHING);
	assert_int_equal(waiting.asked, 0);
}

/* Whatever else is asked waits until the pause is over, and is then done. */
static void a_pause_comes_first_and_loses_nothing(void **state)
{
	struct cpu cpu = { .waits = false };

	(void)state;
	ask(&cpu, VM_ASK_PAUSE);
	ask(&cpu, VM_ASK_NMI);
	assert_int_equal(look(&cpu), VM_STEP_PAUSE);
	ask(&cpu, VM_ASK_INIT);
	start(&cpu, PAGE_B);
	assert_int_equal(look(&cpu), VM_STEP_PAUSE);
	cpu.asked &= ~VM_ASK_PAUSE;
	assert_int_equal(look(&cpu), VM_STEP_RESET);
	assert_int_equal(look(&cpu), VM_STEP_START);
	assert_int_equal(cpu.page, PAGE_B);
}

/* Every word of bits, waiting or not: after three looks at most nothing is asked any more. */
static void every_word_is_done_with(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 64; bits++) {
		struct cpu cpu = { .waits = bits & 32 };

		cpu.asked = vm_ask_add(0, bits & 31 & ~VM_ASK_PAUSE);
		for (uint32_t i = 0; i < 3; i++)
			(void)look(&cpu);
		assert_int_equal(cpu.asked, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cpu_is_started_at_its_page),
		cmocka_unit_test(init_and_two_messages_start_it_once),
		cmocka_unit_test(who_runs_hears_no_start),
		cmocka_unit_test(the_first_of_two_pages_counts),
		cmocka_unit_test(an_init_undoes_what_came_before),
		cmocka_unit_test(an_nmi_comes_to_who_runs),
		cmocka_unit_test(a_pause_comes_first_and_loses_nothing),
		cmocka_unit_test(every_word_is_done_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
