/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/bind_test.c - functions go to another driver and back, on a tree of files that a small kernel of ours keeps:
 * whatever step fails, and wherever the program dies, what was before comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/linux/binding.h"
#include "platform/linux/memory.h"
#include "tests/linux/fake_kernel.h"

static char journal_file[96];

static int set_up(void **state)
{
	(void)state;
	fake_tree_make();
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

/* --- what is tried --- */

struct trial {
	struct root *root;
	struct machine *machine;
	struct binding *binding;
};

static struct trial plan(const char *sbdf, struct binding_order order)
{
	struct trial trial;
	sp_sbdf_t id;
	bool *chosen;

	trial.root = root_open(fake_tree);
	trial.machine = machine_read(trial.root);
	chosen = memory_take(trial.machine->function_count, sizeof(bool));
	assert_true(machine_parse_sbdf(sbdf, &id));
	chosen[machine_find(trial.machine, id)] = true;
	trial.binding = binding_plan(trial.machine, chosen, &order);
	free(chosen);
	return trial;
}

static void end(struct trial *trial)
{
	binding_free(trial->binding);
	machine_free(trial->machine);
	root_close(trial->root);
}

static const struct binding_order to_vfio = { BINDING_DRIVER, "vfio-pci", false };

static bool perform(struct fake_kernel *kernel, const char *sbdf, struct binding_order order)
{
	struct trial trial = plan(sbdf, order);
	struct journal *journal = journal_open(journal_file, false);
	bool good = binding_perform(trial.binding, &kernel->actor, journal);

	journal_close(journal);
	end(&trial);
	return good;
}

static size_t restore(struct fake_kernel *kernel, char *only)
{
	struct journal *journal = journal_open(journal_file, false);
	size_t left = binding_undo(&kernel->actor, journal, &only, only ? 1 : 0, 0);

	journal_close(journal);
	return left;
}

static void journal_is_empty(void)
{
	struct stat stat_of;

	assert_int_equal(stat(journal_file, &stat_of), 0);
	assert_int_equal(stat_of.st_size, 0);
}

static void a_group_goes_as_a_whole_but_for_its_bridge(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();
	struct trial trial = plan("0000:01:00.0", to_vfio);

	(void)state;
	assert_int_equal(trial.binding->target_count, 2);
	assert_int_equal(trial.binding->mate_count, 1);
	assert_int_equal(trial.binding->refusal_count, 0);
	end(&trial);
	assert_true(perform(&kernel, "0000:01:00.0", to_vfio));
	fake_has(
		"0000:00:01.0 pcieport -;0000:01:00.0 vfio-pci vfio-pci;0000:01:00.1 vfio-pci vfio-pci;"
		"0000:01:00.2 - -;");
	fake_kernel_stop(&kernel);
}

static void alone_leaves_the_mates(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	assert_true(perform(&kernel, "0000:01:00.0",
			    (struct binding_order){ BINDING_DRIVER, "vfio-pci", true }));
	fake_has("0000:01:00.1 snd_hda_intel -;");
	fake_kernel_stop(&kernel);
}

static void restore_brings_back_what_was(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();
	char *before = fake_state(), *after;

	(void)state;
	assert_true(perform(&kernel, "0000:01:00.0", to_vfio));
	assert_true(perform(&kernel, "0000:03:00.0", to_vfio));
	assert_int_equal(restore(&kernel, NULL), 0);
	after = fake_state();
	assert_string_equal(after, before);
	journal_is_empty();
	free(after);
	free(before);
	fake_kernel_stop(&kernel);
}

static void restore_of_one_leaves_the_others(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();
	char one[] = "0000:03:00.0";

	(void)state;
	assert_true(perform(&kernel, "0000:01:00.0", to_vfio));
	assert_true(perform(&kernel, one, to_vfio));
	assert_int_equal(restore(&kernel, one), 0);
	fake_has("0000:01:00.0 vfio-pci vfio-pci;");
	fake_has("0000:03:00.0 e1000e -;");
	assert_int_equal(restore(&kernel, NULL), 0);
	fake_has("0000:01:00.0 nouveau -;");
	fake_kernel_stop(&kernel);
}

static void a_second_driver_is_undone_before_the_first(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	fake_put(fake_path("sys/bus/pci/drivers/pci-stub/unbind"), "");
	assert_true(perform(&kernel, "0000:03:00.0", to_vfio));
	assert_true(perform(&kernel, "0000:03:00.0",
			    (struct binding_order){ BINDING_DRIVER, "pci-stub", false }));
	fake_has("0000:03:00.0 pci-stub pci-stub;");
	assert_int_equal(restore(&kernel, NULL), 0);
	fake_has("0000:03:00.0 e1000e -;");
	fake_kernel_stop(&kernel);
}

static void unbind_leaves_no_driver_or_the_kernels(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	assert_true(perform(&kernel, "0000:01:00.0", to_vfio));
	assert_true(
		perform(&kernel, "0000:01:00.0", (struct binding_order){ .want = BINDING_NONE }));
	fake_has("0000:01:00.0 - -;0000:01:00.1 vfio-pci vfio-pci;");
	assert_true(perform(&kernel, "0000:01:00.1",
			    (struct binding_order){ .want = BINDING_DEFAULT }));
	fake_has("0000:01:00.1 snd_hda_intel -;");
	assert_int_equal(restore(&kernel, NULL), 0);
	fake_has("0000:01:00.0 nouveau -;0000:01:00.1 snd_hda_intel -;");
	fake_kernel_stop(&kernel);
}

/* How many writes a bind of the group takes. */
#define WRITES 6u

static void every_step_may_fail_and_is_undone(void **state)
{
	char *before = fake_state();

	(void)state;
	for (unsigned int n = 1; n <= WRITES + 1; n++) {
		for (unsigned int after = 0; after < 2; after++) {
			struct fake_kernel kernel = fake_kernel_start();
			char *now;

			kernel.fail_at = n;
			kernel.after = after;
			assert_int_equal(perform(&kernel, "0000:01:00.0", to_vfio), n > WRITES);
			kernel.fail_at = 0;
			assert_int_equal(restore(&kernel, NULL), 0);
			now = fake_state();
			assert_string_equal(now, before);
			journal_is_empty();
			free(now);
			fake_kernel_stop(&kernel);
		}
	}
	free(before);
}

/* Each write of the undoing fails in turn; what is left stays in the journal, and a second restore does it. */
static void an_undoing_that_fails_can_be_tried_again(void **state)
{
	char *before = fake_state();

	(void)state;
	for (unsigned int n = 1; n <= WRITES; n++) {
		struct fake_kernel kernel = fake_kernel_start();
		char *now;

		assert_true(perform(&kernel, "0000:01:00.0", to_vfio));
		kernel.fail_at = kernel.writes + n;
		assert_true(restore(&kernel, NULL) > 0);
		assert_int_equal(restore(&kernel, NULL), 0);
		now = fake_state();
		assert_string_equal(now, before);
		journal_is_empty();
		free(now);
		fake_kernel_stop(&kernel);
	}
	free(before);
}

/* In a child that dies at the n-th write, before or after it. True: it died. */
static bool dies(unsigned int n, bool after, bool undoing)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct fake_kernel kernel = fake_kernel_start();

		kernel.die_at = n;
		kernel.after = after;
		if (undoing)
			restore(&kernel, NULL);
		else
			perform(&kernel, "0000:01:00.0", to_vfio);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == FAKE_DIED;
}

/* False: something is not as it was. */
static bool crashes_are_undone(void)
{
	char *before = fake_state();
	bool same = true;

	for (unsigned int n = 1; n <= WRITES && same; n++) {
		for (unsigned int after = 0; after < 2 && same; after++) {
			struct fake_kernel kernel = fake_kernel_start();
			char *now;

			assert_true(dies(n, after, false));
			assert_int_equal(restore(&kernel, NULL), 0);
			now = fake_state();
			same = !strcmp(now, before);
			free(now);
			fake_kernel_stop(&kernel);
		}
	}
	free(before);
	return same;
}

static void a_crash_at_any_step_is_undone(void **state)
{
	(void)state;
	assert_true(crashes_are_undone());
	journal_is_empty();
}

/* Negative control. */
static void without_the_journal_first_a_crash_leaves_a_change(void **state)
{
	(void)state;
	setenv("SALLYPORT_LEFT_OUT", "journal-first", 1);
	assert_false(crashes_are_undone());
}

static void a_crash_while_restoring_is_restored(void **state)
{
	char *before = fake_state();

	(void)state;
	for (unsigned int n = 1; n <= WRITES; n++) {
		for (unsigned int after = 0; after < 2; after++) {
			struct fake_kernel kernel = fake_kernel_start();
			char *now;

			assert_true(perform(&kernel, "0000:01:00.0", to_vfio));
			assert_true(dies(n, after, true));
			assert_int_equal(restore(&kernel, NULL), 0);
			now = fake_state();
			assert_string_equal(now, before);
			free(now);
			fake_kernel_stop(&kernel);
		}
	}
	free(before);
}

static void what_somebody_else_changed_stays(void **state)
{
	struct fake_kernel kernel = fake_kernel_start();

	(void)state;
	assert_true(perform(&kernel, "0000:03:00.0", to_vfio));
	assert_int_equal(fake_kernel_write(&kernel.actor,
					   "sys/bus/pci/devices/0000:03:00.0/driver/unbind",
					   "0000:03:00.0"),
			 0);
	assert_int_equal(fake_kernel_write(&kernel.actor,
					   "sys/bus/pci/devices/0000:03:00.0/driver_override",
					   "uio"),
			 0);
	assert_int_equal(fake_kernel_write(&kernel.actor, "sys/bus/pci/drivers/uio/bind",
					   "0000:03:00.0"),
			 0);
	assert_int_equal(restore(&kernel, NULL), 0);
	fake_has("0000:03:00.0 uio uio;");
	fake_kernel_stop(&kernel);
}

/* --- what the host needs --- */

static void refused(const char *sbdf, const char *why)
{
	struct trial trial = plan(sbdf, to_vfio);

	if (!trial.binding->refusal_count)
		fail_msg("%s is not refused", sbdf);
	if (!strstr(trial.binding->refusal[0].why, why))
		fail_msg("\"%s\" is not in: %s", why, trial.binding->refusal[0].why);
	end(&trial);
}

static void what_the_host_needs_is_refused_with_the_evidence(void **state)
{
	(void)state;
	refused("0000:02:00.0", "nvme0n1");
	refused("0000:02:00.0", "proc/self/mountinfo");
	refused("0000:04:00.0", "default route");
	refused("0000:00:01.0", "bridge");
	fake_put(fake_path("sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/boot_vga"), "1\n");
	refused("0000:01:00.0", "display");
	/* As a mate, too. */
	refused("0000:01:00.1", "display");
}

/* Negative control. */
static void without_the_check_a_root_disk_is_taken(void **state)
{
	struct trial trial;

	(void)state;
	setenv("SALLYPORT_LEFT_OUT", "binding-in-use", 1);
	trial = plan("0000:02:00.0", to_vfio);
	assert_int_equal(trial.binding->refusal_count, 0);
	end(&trial);
}

/* --- the journal, the writer --- */

static void a_line_that_was_cut_off_is_a_step_not_taken(void **state)
{
	struct journal *journal;

	(void)state;
	fake_put(
		fake_path("run/journal"),
		"{\"step\":1,\"sbdf\":\"0000:03:00.0\",\"act\":\"unbind\",\"was\":\"e1000e\",\"to\":null}\n"
		"{\"step\":2,\"sbdf\":\"0000:0");
	journal = journal_open(journal_file, false);
	assert_int_equal(journal->count, 1);
	assert_true(journal_note(journal, "0000:03:00.0", JOURNAL_BIND, NULL, "vfio-pci"));
	journal_close(journal);
	journal = journal_open(journal_file, false);
	assert_int_equal(journal->count, 2);
	assert_int_equal(journal->step[1].number, 2);
	journal_close(journal);
}

static void a_journal_that_is_none_is_refused(void **state)
{
	(void)state;
	fake_put(fake_path("run/journal"), "hello\n");
	assert_null(journal_open(journal_file, false));
	fake_put(fake_path("run/journal"),
		 "{\"step\":1,\"sbdf\":\"0000:03:00.0\",\"act\":\"dance\"}\n");
	assert_null(journal_open(journal_file, false));
}

static void two_do_not_write_one_journal(void **state)
{
	struct journal *journal;

	(void)state;
	fake_put(fake_path("run/journal"), "");
	journal = journal_open(journal_file, false);
	assert_null(journal_open(journal_file, false));
	journal_close(journal);
}

static void the_writer_makes_no_file_and_stays_in_its_directory(void **state)
{
	struct actor *files = actor_open(fake_tree);
	char *outside = fake_path("../sallyport-outside-%d", (int)getpid()), *now;

	(void)state;
	assert_int_equal(files->write(files, "sys/bus/pci/drivers/vfio-pci/bind", "x"), ENOENT);
	fake_put(memory_copy(outside), "");
	fake_put_link(fake_path("sys/leak"), memory_copy(outside));
	assert_int_equal(files->write(files, "sys/leak", "x"), ENOENT);
	unlink(outside);
	assert_int_equal(files->write(files, "sys/bus/pci/devices/0000:03:00.0/driver_override",
				      "vfio-pci"),
			 0);
	now = files->override(files, "0000:03:00.0");
	assert_string_equal(now, "vfio-pci");
	free(now);
	free(outside);
	files->close(files);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_group_goes_as_a_whole_but_for_its_bridge),
		TEST(alone_leaves_the_mates),
		TEST(restore_brings_back_what_was),
		TEST(restore_of_one_leaves_the_others),
		TEST(a_second_driver_is_undone_before_the_first),
		TEST(unbind_leaves_no_driver_or_the_kernels),
		TEST(every_step_may_fail_and_is_undone),
		TEST(an_undoing_that_fails_can_be_tried_again),
		TEST(a_crash_at_any_step_is_undone),
		TEST(without_the_journal_first_a_crash_leaves_a_change),
		TEST(a_crash_while_restoring_is_restored),
		TEST(what_somebody_else_changed_stays),
		TEST(what_the_host_needs_is_refused_with_the_evidence),
		TEST(without_the_check_a_root_disk_is_taken),
		TEST(a_line_that_was_cut_off_is_a_step_not_taken),
		TEST(a_journal_that_is_none_is_refused),
		TEST(two_do_not_write_one_journal),
		TEST(the_writer_makes_no_file_and_stays_in_its_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
