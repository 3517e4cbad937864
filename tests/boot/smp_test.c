/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/smp_test.c - the verdict over two guests with two CPUs each, from what was said.
 */
#include "smp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct boot_result well = { BOOT_EXITED, QEMU_EXIT_SUCCESS, 24 };
static const struct machine machine = { .name = "a machine" };

/* A run that is as it should be: what each guest says, without its name .. */
static const char *const both_lines[] = {
	"[ 2.35] smp: cpus 2 2\n",
	"[ 7.57] smp: link up\n",
	"[ 8.85] smp: ping 0 200 200\n",
	"[ 8.90] smp: vector eth0-rx-0 0 24 0 225 0\n",
	"[ 8.97] smp: vector eth0-tx-0 0 20 4 292 4\n",
	"[ 9.02] smp: vector eth1-rx-0 0 19 5 254 5\n",
	"[ 9.09] smp: vector eth1-tx-0 0 25 0 227 0\n",
	"[ 9.91] smp: ping 1 200 200\n",
	"[ 9.95] smp: vector eth0-rx-0 1 227 20 227 220\n",
	"[ 9.99] smp: vector eth0-tx-0 1 293 38 293 362\n",
	"[ 10.0] smp: vector eth1-rx-0 1 256 45 256 392\n",
	"[ 10.1] smp: vector eth1-tx-0 1 228 19 228 219\n",
	"[ 10.5] smp: between CAL 736 561 918 764\n",
	"[ 11.3] smp: threads 400 0\n",
	"[ 11.3] smp: between TLB 1 0 1 399\n",
	"[ 11.4] smp: stopped 1\n",
	"[ 11.5] smp: started 2\n",
	"[ 11.6] smp: between RES 0 0 87 96\n",
	"[ 12.7] smp: nmi 0 0 0 1\n",
};

/* .. and what is said of one, or by one. */
static const char *const single_lines[] = {
	"mp| [ 2.5] smp: config 0 2 3\n",
	"acpi| [ 3.5] smp: config 1 0 3\n",
	"mp| [ 16.4] smp: attack interrupt\n",
	"refused  mp: command 0x4051 to APIC 0x3: no CPU of the guest is meant\n",
	"mp| [ 16.4] smp: attack nmi\n",
	"refused  mp: command 0x4400 to APIC 0x4: no CPU of the guest is meant\n",
	"mp| [ 16.4] smp: attack init\n",
	"refused  mp: command 0x4500 to APIC 0x3: no CPU of the guest is meant\n",
	"mp| [ 16.5] smp: attack startup\n",
	"refused  mp: command 0x4608 to APIC 0x4: no CPU of the guest is meant\n",
	"mp| [ 16.5] smp: attack hypervisor\n",
	"refused  mp: command 0x4500 to APIC 0x0: no CPU of the guest is meant\n",
	"mp| [ 16.5] smp: tried\n",
	"mp| [ 19.5] smp: end\n",
	"acpi| [ 19.1] smp: heard 0\n",
	"acpi| [ 19.1] smp: cpus-at-the-end 2\n",
	"acpi| [ 19.6] smp: threads 100 0\n",
	"acpi| [ 19.7] smp: race 1000 1400 0\n",
	"acpi| [ 19.8] smp: end\n",
	"guest    mp ended: it reset itself by the keyboard controller\n",
	"apic     mp: between its 2 CPUs 2267 interrupts, 1 NMIs, 9 INITs and start-ups; refused 5; "
	"its devices' messages went to another CPU 11 times\n",
	"apic     mp: CPU 0 of the guest, 1 of the machine: 81025 exits, 1383 sent\n",
	"guest    mp: 40960 frames were mapped, 40960 came back (ok)\n",
	"guest    acpi ended: it switched itself off\n",
	"apic     acpi: between its 2 CPUs 2616 interrupts, 1 NMIs, 6 INITs and start-ups; refused "
	"0; its devices' messages went to another CPU 11 times\n",
	"guest    acpi: 40960 frames were mapped, 40960 came back (ok)\n",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A line that holds `what` is said as `instead`. */
static void read_as(struct smp_run *run, const char *line, const char *what, const char *instead)
{
	smp_read_line(run, what && strstr(line, what) ? instead : line);
}

static void read_run(struct smp_run *run, const char *what, const char *instead)
{
	static const char *const names[] = { "mp| ", "acpi| " };
	char line[256];

	for (size_t guest = 0; guest < COUNT(names); guest++) {
		for (size_t i = 0; i < COUNT(both_lines); i++) {
			snprintf(line, sizeof(line), "%s%s", names[guest], both_lines[i]);
			read_as(run, line, what, instead);
		}
	}
	for (size_t i = 0; i < COUNT(single_lines); i++)
		read_as(run, single_lines[i], what, instead);
}

/* What the control says. */
#define HEARD "acpi| [ 10.5] smp: heard 1\n"
#define RACED "acpi| [ 11.5] smp: race 700 900 12\n"

/* The good run, but for one line that is another; in the control `heard` is said. */
static struct smp run_with(const char *what, const char *instead, const char *heard)
{
	struct smp smp;

	smp_begin(&smp, &machine);
	read_run(&smp.run, what, instead);
	smp_read_line(&smp.control, heard);
	smp_read_line(&smp.control, RACED);
	smp_judge(&smp, &well);
	return smp;
}

static void a_run_as_it_should_be_is_good(void **state)
{
	const struct smp smp = run_with(NULL, NULL, HEARD);

	(void)state;
	for (unsigned int i = 0; i < SMP_STEPS; i++) {
		if (!smp.step[i].good)
			fail_msg("%s: %s", smp_step_names[i], smp.step[i].evidence);
	}
	assert_true(smp_is_good(&smp));
}

/* One line each that makes its step bad, whatever else it makes bad too. */
static const struct {
	const char *what, *instead;
	enum smp_step bad;
} defects[] = {
	{ "acpi| [ 2.35] smp: cpus", "acpi| [ 2.3] smp: cpus 1 1\n", SMP_CPUS },
	{ "mp| [ 2.35] smp: cpus", "mp| [ 2.3] smp: cpus 2 1\n", SMP_CPUS },
	{ "config 1 0 3", "acpi| [ 3.5] smp: config 0 0 3\n", SMP_CONFIG },
	{ "config 1 0 3", "acpi| [ 3.5] smp: config 1 1 3\n", SMP_CONFIG },
	{ "config 0 2 3", "mp| [ 3.5] smp: config 0 2 1\n", SMP_CONFIG },
	{ "mp| [ 9.91] smp: ping", "mp| [ 9.9] smp: ping 1 200 199\n", SMP_TRAFFIC },
	{ "acpi| [ 9.91] smp: ping", "", SMP_TRAFFIC },
	{ "mp| [ 9.95]", "mp| [ 9.9] smp: vector eth0-rx-0 1 227 20 427 20\n", SMP_AFFINITY },
	{ "mp| [ 9.95]", "mp| [ 9.9] smp: vector eth0-rx-0 1 227 20 237 220\n", SMP_AFFINITY },
	{ "acpi| [ 9.99]", "", SMP_AFFINITY },
	{ "mp| [ 11.6]", "mp| [ 11.6] smp: between RES 0 0 87 0\n", SMP_BETWEEN },
	{ "acpi| [ 10.5]", "acpi| [ 10.5] smp: between CAL 736 561 736 764\n", SMP_BETWEEN },
	{ "apic     acpi: between",
	  "apic     acpi: between its 2 CPUs 9 interrupts, 1 NMIs, 6 INITs and start-ups; refused "
	  "0; its devices' messages went to another CPU 11 times\n",
	  SMP_BETWEEN },
	{ "mp| [ 11.3] smp: threads", "mp| [ 11.3] smp: threads 400 1\n", SMP_SHOOTDOWN },
	{ "mp| [ 11.3] smp: between TLB", "mp| [ 11.3] smp: between TLB 1 0 1 0\n", SMP_SHOOTDOWN },
	{ "acpi| [ 11.5]", "acpi| [ 11.5] smp: started 1\n", SMP_RESTART },
	{ "mp| [ 11.4]", "mp| [ 11.4] smp: stopped 2\n", SMP_RESTART },
	{ "acpi| [ 12.7]", "acpi| [ 12.7] smp: nmi 0 0 0 0\n", SMP_OWN_NMI },
	{ "mp| [ 12.7]", "mp| [ 12.7] smp: nmi 0 0 1 1\n", SMP_OWN_NMI },
	{ "command 0x4051", "", SMP_FOREIGN_INTERRUPT },
	{ "attack interrupt", "", SMP_FOREIGN_INTERRUPT },
	{ "heard 0", "acpi| [ 19.1] smp: heard 1\n", SMP_FOREIGN_INTERRUPT },
	{ "heard 0", "", SMP_FOREIGN_INTERRUPT },
	{ "command 0x4400", "mp| refused  mp: command 0x4400 to APIC 0x4\n", SMP_FOREIGN_NMI },
	{ "command 0x4500 to APIC 0x3", "", SMP_FOREIGN_INIT },
	{ "command 0x4608", "", SMP_FOREIGN_STARTUP },
	{ "attack hypervisor", "", SMP_HYPERVISOR },
	{ "smp: race", "acpi| [ 19.7] smp: race 1000 1400 1\n", SMP_TABLE },
	{ "smp: race", "acpi| [ 19.7] smp: race 1000 0 0\n", SMP_TABLE },
	{ "smp: race", "", SMP_TABLE },
	{ "smp: tried", "", SMP_WORKS_ON },
	{ "cpus-at-the-end", "acpi| [ 19.1] smp: cpus-at-the-end 1\n", SMP_WORKS_ON },
	{ "threads 100", "acpi| [ 19.6] smp: threads 100 3\n", SMP_WORKS_ON },
	{ "smp: link up", "fault    acpi: sbdf 0000:00:04.0 write dfn 0x80\n", SMP_CONTAINED },
	{ "guest    acpi: ", "guest    acpi: 40960 frames were mapped, 40959 came back (ok)\n",
	  SMP_FRAMES },
	{ "guest    mp: ", "", SMP_FRAMES },
	{ "it switched", "guest    acpi ended: triple fault\n", SMP_END },
	{ "it reset", "", SMP_END },
};

static void each_defect_makes_its_step_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(defects); i++) {
		const struct smp smp = run_with(defects[i].what, defects[i].instead, HEARD);

		if (smp.step[defects[i].bad].good)
			fail_msg("%s is good with \"%s\"", smp_step_names[defects[i].bad],
				 defects[i].instead);
	}
}

static void every_step_has_a_defect(void **state)
{
	bool has[SMP_STEPS] = { false };

	(void)state;
	for (size_t i = 0; i < COUNT(defects); i++)
		has[defects[i].bad] = true;
	for (unsigned int i = 0; i < SMP_STEPS; i++)
		assert_true(has[i]);
}

static void a_control_that_hears_nothing_is_none(void **state)
{
	const struct smp deaf = run_with(NULL, NULL, "acpi| [ 10.5] smp: heard 0\n");
	const struct smp silent = run_with(NULL, NULL, "");

	(void)state;
	assert_false(deaf.step[SMP_FOREIGN_INTERRUPT].good);
	assert_false(silent.step[SMP_FOREIGN_INTERRUPT].good);
	assert_true(deaf.step[SMP_FOREIGN_NMI].good);
}

static void a_race_needs_its_control(void **state)
{
	struct smp smp;

	(void)state;
	smp_begin(&smp, &machine);
	read_run(&smp.run, NULL, NULL);
	smp_read_line(&smp.control, HEARD);
	smp_read_line(&smp.control, "acpi| [ 11.5] smp: race 20000 900 0\n");
	smp_judge(&smp, &well);
	assert_false(smp.step[SMP_TABLE].good);
}

/* An attack whose act does not succeed where it may proves nothing. */
static void an_attack_needs_its_control(void **state)
{
	const struct smp smp = run_with("mp| [ 12.7]", "mp| [ 12.7] smp: nmi 0 0 0 0\n", HEARD);

	(void)state;
	assert_false(smp.step[SMP_FOREIGN_NMI].good);
	assert_true(smp.step[SMP_FOREIGN_INIT].good);
}

static void a_run_that_does_not_end_is_bad(void **state)
{
	const struct boot_result late = { BOOT_TIMED_OUT, 0, 600 };
	struct smp smp;

	(void)state;
	smp_begin(&smp, &machine);
	read_run(&smp.run, NULL, NULL);
	smp_read_line(&smp.control, HEARD);
	smp_judge(&smp, &late);
	assert_false(smp.step[SMP_END].good);
}

static void a_refusal_to_start_is_told(void **state)
{
	struct smp smp;

	(void)state;
	smp_begin(&smp, &machine);
	smp_read_line(&smp.run, "refused: 1 mistake in smp.conf; no guest was started\n");
	smp_judge(&smp, &well);
	assert_non_null(strstr(smp.step[SMP_CPUS].evidence, "1 mistake in smp.conf"));
	for (unsigned int i = 0; i < SMP_STEPS; i++)
		assert_false(smp.step[i].good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(each_defect_makes_its_step_bad),
		cmocka_unit_test(every_step_has_a_defect),
		cmocka_unit_test(a_control_that_hears_nothing_is_none),
		cmocka_unit_test(a_race_needs_its_control),
		cmocka_unit_test(an_attack_needs_its_control),
		cmocka_unit_test(a_run_that_does_not_end_is_bad),
		cmocka_unit_test(a_refusal_to_start_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
