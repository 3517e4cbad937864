/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/restore_test.c - restore leaves what the host has come to need since, and the driver that somebody else gave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/linux/binding.h"
#include "platform/linux/memory.h"
#include "tests/linux/fake_kernel.h"

static char disk[] = "0000:02:00.0", network[] = "0000:03:00.0";
static char journal_file[96];

static const struct binding_order to_vfio = { BINDING_DRIVER, "vfio-pci", false },
				  to_nvme = { BINDING_DRIVER, "nvme", false },
				  to_default = { .want = BINDING_DEFAULT };

static void mounted(bool is)
{
	fake_put(fake_path("proc/self/mountinfo"),
		 is ? "21 1 259:0 / /srv rw - ext4 /dev/nvme0n1 rw\n" : "");
}

static int set_up(void **state)
{
	(void)state;
	fake_tree_make();
	mounted(false);
	snprintf(journal_file, sizeof(journal_file), "%s/run/journal", fake_tree);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unsetenv("SALLYPORT_LEFT_OUT");
	fake_tree_drop();
	return 0;
}

static void give(struct fake_kernel *kernel, const char *sbdf, struct binding_order order)
{
	struct root *root = root_open(fake_tree);
	struct machine *machine = machine_read(root);
	bool *chosen = memory_take(machine->function_count, sizeof(bool));
	struct journal *journal = journal_open(journal_file, false);
	struct binding *binding;
	sp_sbdf_t id;

	assert_true(machine_parse_sbdf(sbdf, &id));
	chosen[machine_find(machine, id)] = true;
	binding = binding_plan(machine, chosen, &order);
	assert_true(binding_perform(binding, &kernel->actor, journal));
	journal_close(journal);
	binding_free(binding);
	free(chosen);
	machine_free(machine);
	root_close(root);
}

/* Why `restore` of one function, or of all, would be refused; "": it is not. To be freed. */
static char *why_not(char *only)
{
	struct root *root = root_open(fake_tree);
	struct machine *machine = machine_read(root);
	struct journal *journal = journal_open(journal_file, false);
	struct binding *binding = binding_plan_undo(machine, journal, &only, only ? 1 : 0);
	char *why = memory_copy(binding->refusal_count ? binding->refusal[0].why : "");

	assert_int_equal(binding->step_count, 0);
	binding_free(binding);
	journal_close(journal);
	machine_free(machine);
	root_close(root);
	return why;
}

static void refused(char *only, const char *words)
{
	char *why = why_not(only);

	if (*words ? !strstr(why, words) : *why)
		fail_msg("\"%s\" is not why: %s", words, why);
	free(why);
}

static void restore(struct fake_kernel *kernel)
{
	struct journal *journal = journal_open(journal_file, false);

	assert_int_equal(binding_undo(&kernel->actor, journal, NULL, 0, 0), 0);
	journal_close(journal);
}

static void somebody_gives(struct fake_kernel *kernel, const char *sbdf, const char *driver)
{
	char *unbind = memory_print(ACTOR_DEVICES "/%s/driver/unbind", sbdf),
	     *override = memory_print(ACTOR_DEVICES "/%s/driver_override", sbdf),
	     *bind = memory_print(ACTOR_DRIVERS "/%s/bind", driver);

	assert_int_equal(fake_kernel_write(&kernel->actor, unbind, sbdf), 0);
	assert_int_equal(fake_kernel_write(&kernel->actor, override, driver), 0);
	assert_int_equal(fake_kernel_write(&kernel->actor, bind, sbdf), 0);
	free(bind);
	free(override);
	free(unbind);
}

/* --- what the host has come to need --- */

static void a_disk_that_is_mounted_since_is_refused(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	give(&kernel, disk, to_vfio);
	give(&kernel, disk, to_default);
	give(&kernel, network, to_vfio);
	fake_has("0000:02:00.0 nvme -;");
	refused(NULL, "");
	mounted(true);
	refused(NULL, "nvme0n1 holds /srv");
	refused(disk, "/proc/self/mountinfo");
	/* The others can be had back. */
	refused(network, "");
	fake_kernel_stop(&kernel);
}

static void so_is_one_whose_driver_was_named(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	give(&kernel, disk, to_vfio);
	give(&kernel, disk, to_nvme);
	mounted(true);
	refused(disk, "nvme0n1 holds /srv");
	fake_kernel_stop(&kernel);
}

static void so_is_one_that_may_be_needed(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	give(&kernel, disk, to_vfio);
	give(&kernel, disk, to_default);
	fake_put(fake_path("proc/self/mountinfo"), "21 1 0:27 / /srv rw - zfs pool/data rw\n");
	refused(disk, "the host may need it: /srv is ZFS");
	fake_kernel_stop(&kernel);
}

/* Nothing is taken from them: with vfio-pci no mount can be on it, and what somebody else gave stays. */
static void what_is_not_taken_is_not_refused(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	give(&kernel, disk, to_vfio);
	mounted(true);
	refused(disk, "");
	somebody_gives(&kernel, disk, "nvme");
	refused(disk, "");
	restore(&kernel);
	fake_has("0000:02:00.0 nvme nvme;");
	fake_kernel_stop(&kernel);
}

/* Negative control. */
static void without_the_check_restore_takes_a_mounted_disk(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	give(&kernel, disk, to_vfio);
	give(&kernel, disk, to_default);
	mounted(true);
	setenv("SALLYPORT_LEFT_OUT", "restore-in-use", 1);
	refused(disk, "");
	fake_kernel_stop(&kernel);
}

/* --- the driver that the kernel chose --- */

static void the_kernels_choice_is_taken_back(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	somebody_gives(&kernel, disk, "vfio-pci");
	give(&kernel, disk, to_default);
	fake_has("0000:02:00.0 nvme -;");
	restore(&kernel);
	fake_has("0000:02:00.0 vfio-pci vfio-pci;");
	fake_kernel_stop(&kernel);
}

static void a_driver_that_came_after_the_kernels_choice_stays(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	give(&kernel, network, to_default);
	somebody_gives(&kernel, network, "vfio-pci");
	restore(&kernel);
	fake_has("0000:03:00.0 vfio-pci vfio-pci;");
	fake_kernel_stop(&kernel);
}

/* The program died between the order and the note. */
static void a_choice_that_was_not_noted_stays(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	fake_put(
		fake_path("run/journal"),
		"{\"step\":1,\"sbdf\":\"0000:03:00.0\",\"act\":\"bind\",\"was\":null,\"to\":null}\n");
	restore(&kernel);
	fake_has("0000:03:00.0 e1000e -;");
	fake_kernel_stop(&kernel);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_disk_that_is_mounted_since_is_refused),
		TEST(so_is_one_whose_driver_was_named),
		TEST(so_is_one_that_may_be_needed),
		TEST(what_is_not_taken_is_not_refused),
		TEST(without_the_check_restore_takes_a_mounted_disk),
		TEST(the_kernels_choice_is_taken_back),
		TEST(a_driver_that_came_after_the_kernels_choice_stays),
		TEST(a_choice_that_was_not_noted_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
