/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/two_test.c - the verdict over two guests of which one attacks, from what was said.
 */
#include "two.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LINE_BYTES 256
#define LINES_MAX  96

static const struct boot_result well = { BOOT_EXITED, QEMU_EXIT_SUCCESS, 60 };

/* A run, line by line, in which single lines can be exchanged. */
struct script {
	unsigned int count;
	char line[LINES_MAX][LINE_BYTES];
};

__attribute__((format(printf, 2, 3))) static void add(struct script *script, const char *format,
						      ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(script->line[script->count++], LINE_BYTES, format, arguments);
	va_end(arguments);
}

static void add_attack(struct script *script, const struct attack *attack)
{
	add(script, "hostile| [ 9.0] two: control %s %s\n", attack->control, attack->control_value);
	add(script, "hostile| [ 9.1] two: attack %s\n", attack->name);
	if (attack->said)
		add(script, "%s hostile: %s and so on\n",
		    attack->by_fault ? "fault   " : "refused ", attack->said);
}

static struct script good_script(void)
{
	static const char *const vectors[] = { "eth0-rx-0", "eth0-tx-0", "eth1-rx-0", "eth1-tx-0" };
	struct script script = { .count = 0 };

	add(&script, "victim| [ 3.0] nic: user space, kernel 6.1\n");
	add(&script, "victim| [ 8.0] nic: link up\n");
	for (unsigned int i = 0; i < 4; i++)
		add(&script, "victim| [ 8.1] nic: before %s 4 PCI-MSI\n", vectors[i]);
	for (unsigned int i = 0; i < TWO_ATTACKS; i++)
		add_attack(&script, &attack_table[i]);
	add(&script,
	    "fault    0000:00:03.0 of hostile: more than 32 in a second, it is stopped, bus mastering off (ok)\n");
	add(&script, "hostile| [ 10.0] two: calls of ring 3: 3292 tried, 3292 refused\n");
	add(&script, "hostile| [ 10.1] two: calls of ring 0, foreign: 9 tried, 9 refused\n");
	add(&script, "hostile| [ 12.0] two: end\n");
	add(&script, "victim| [ 18.0] nic: ping %d %d\n", TWO_PACKETS, TWO_PACKETS);
	for (unsigned int i = 0; i < 4; i++)
		add(&script, "victim| [ 18.1] nic: after %s 900 PCI-MSI\n", vectors[i]);
	add(&script, "guest    victim: 100 frames were mapped, 100 came back (ok)\n");
	add(&script, "guest    hostile: 50 frames were mapped, 50 came back (ok)\n");
	return script;
}

/* The line that holds `what` becomes `instead`. */
static void exchange(struct script *script, const char *what, const char *instead)
{
	for (unsigned int i = 0; i < script->count; i++) {
		if (strstr(script->line[i], what)) {
			snprintf(script->line[i], LINE_BYTES, "%s", instead);
			return;
		}
	}
	fail_msg("no line has %s", what);
}

static struct two judge(const struct script *script, const char *machine)
{
	const struct machine *found = NULL;
	struct two two;

	for (size_t i = 0; i < two_machine_count; i++)
		if (strcmp(two_machine_table[i].name, machine) == 0)
			found = &two_machine_table[i];
	assert_non_null(found);
	two_begin(&two, found, 70222);
	for (unsigned int i = 0; i < script->count; i++)
		two_read_line(&two, script->line[i]);
	two_judge(&two, &well);
	return two;
}

static unsigned int number_of(const char *name)
{
	unsigned int i = 0;

	while (strcmp(attack_table[i].name, name) != 0)
		i++;
	return i;
}

static void a_run_as_it_should_be_is_good(void **state)
{
	const struct script script = good_script();
	const struct two two = judge(&script, "vtd-separate");

	(void)state;
	assert_true(two_is_good(&two));
	assert_false(two.storm.blind);
}

static void an_attack_that_was_not_tried_is_bad(void **state)
{
	struct script script = good_script();
	struct two two;

	(void)state;
	exchange(&script, "attack smi", "");
	two = judge(&script, "vtd-separate");
	assert_false(two.attack[number_of("smi")].good);
}

/* An attack that was announced, and did nothing because its tool did not work, proves nothing. */
static void an_attack_whose_control_failed_is_bad(void **state)
{
	struct script script = good_script();
	struct two two;

	(void)state;
	exchange(&script, "control port-of-its-own 85",
		 "hostile| two: control port-of-its-own 255");
	two = judge(&script, "vtd-separate");
	assert_false(two.attack[number_of("exit-port")].good);
	assert_true(two.attack[number_of("smi")].good);
}

static void an_attack_that_the_hypervisor_did_not_name_is_bad(void **state)
{
	struct script script = good_script();
	struct two two;

	(void)state;
	exchange(&script, "command 0x4400 to APIC 0x1", "");
	two = judge(&script, "vtd-separate");
	assert_false(two.attack[number_of("nmi-to-victim")].good);
}

static void the_attackers_own_word_is_not_the_hypervisors(void **state)
{
	struct script script = good_script();
	struct two two;

	(void)state;
	exchange(&script, "command 0x4400 to APIC 0x1",
		 "hostile| refused  hostile: command 0x4400 to APIC 0x1\n");
	two = judge(&script, "vtd-separate");
	assert_false(two.attack[number_of("nmi-to-victim")].good);
}

static void a_machine_that_stops_under_attack_is_bad(void **state)
{
	struct script script = good_script();
	struct two two;

	(void)state;
	exchange(&script, "two: end", "");
	two = judge(&script, "vtd-separate");
	assert_false(two.attack[number_of("exit-port")].good);
	assert_false(two.victim_works.good);
}

static void a_victim_that_lost_packets_is_bad(void **state)
{
	struct script script = good_script();
	struct two two;

	(void)state;
	exchange(&script, "nic: ping", "victim| nic: ping 12000 11999\n");
	two = judge(&script, "vtd-separate");
	assert_false(two.victim_works.good);
}

static void a_victim_that_ended_before_the_attacks_is_bad(void **state)
{
	struct script script = good_script();
	struct two two;
	char early[LINE_BYTES];

	(void)state;
	snprintf(early, sizeof(early), "victim| nic: ping %d %d\n", TWO_PACKETS, TWO_PACKETS);
	exchange(&script, "nic: ping", "");
	exchange(&script, "control interrupt-to-itself", early);
	two = judge(&script, "vtd-separate");
	assert_false(two.victim_works.good);
}

static void what_a_unit_cannot_report_is_passed_over(void **state)
{
	struct script script = good_script();
	struct two two;

	(void)state;
	for (unsigned int i = 0; i < TWO_ATTACKS; i++)
		if (attack_table[i].by_fault)
			exchange(&script, "fault    hostile", "");
	exchange(&script, "it is stopped", "");
	two = judge(&script, "amdvi-shared");
	assert_true(two_is_good(&two));
	assert_true(two.attack[number_of("edu-outside")].blind);
	assert_true(two.attack[number_of("prp-outside")].blind);
	assert_true(two.attack[number_of("rings-outside")].blind);
	assert_true(two.storm.blind);
	two = judge(&script, "vtd-separate");
	assert_false(two.attack[number_of("rings-outside")].good);
	assert_false(two.storm.good);
}

static void a_call_that_was_not_refused_is_bad(void **state)
{
	struct script script = good_script();
	struct two two;

	(void)state;
	exchange(&script, "9 tried, 9 refused",
		 "hostile| two: calls of ring 0, foreign: 9 tried, 8 refused\n");
	two = judge(&script, "vtd-separate");
	assert_false(two_is_good(&two));
}

static void a_storm_that_is_said_twice_is_bad(void **state)
{
	struct script script = good_script();
	struct two two;

	(void)state;
	add(&script, "fault    0000:00:03.0 of hostile: more than 32 in a second, it is stopped, "
		     "bus mastering off (ok)\n");
	two = judge(&script, "vtd-separate");
	assert_false(two.storm.good);
}

static void a_port_that_stays_master_is_not_stopped(void **state)
{
	struct script script = good_script();
	struct two two;

	(void)state;
	exchange(&script, "bus mastering off",
		 "fault    0000:00:03.0 of hostile: more than 32 in a second, it is stopped, "
		 "bus mastering on (ok)\n");
	two = judge(&script, "vtd-separate");
	assert_false(two.storm.good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(an_attack_that_was_not_tried_is_bad),
		cmocka_unit_test(an_attack_whose_control_failed_is_bad),
		cmocka_unit_test(an_attack_that_the_hypervisor_did_not_name_is_bad),
		cmocka_unit_test(the_attackers_own_word_is_not_the_hypervisors),
		cmocka_unit_test(a_machine_that_stops_under_attack_is_bad),
		cmocka_unit_test(a_victim_that_lost_packets_is_bad),
		cmocka_unit_test(a_victim_that_ended_before_the_attacks_is_bad),
		cmocka_unit_test(a_call_that_was_not_refused_is_bad),
		cmocka_unit_test(a_storm_that_is_said_twice_is_bad),
		cmocka_unit_test(a_port_that_stays_master_is_not_stopped),
		cmocka_unit_test(what_a_unit_cannot_report_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
