/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vapic_test.c - a guest's local APIC: what passes, whom commands reach, what is
 * refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mutant.h"
#include "platform/metal/vapic.h"
#include "platform/metal/vapic_registers.h"

#define BASE  0xfee00000u
#define BSP   0x100u
#define ON    0x800u
#define CPUS  3u
#define ALONE 0x7u /* all CPUs of the guest */

static struct vapic_guest guest;

/* Three CPUs with the machine's ids 4, 5 and 9; the others belong to somebody else. */
static int make_guest(void **state)
{
	static const uint32_t ids[CPUS] = { 4, 5, 9 };

	(void)state;
	memset(&guest, 0, sizeof(guest));
	guest.cpu_count = CPUS;
	for (uint32_t i = 0; i < CPUS; i++)
		vapic_reset(&guest.cpu[i], ids[i], BASE | ON | (i == 0 ? BSP : 0), true);
	return 0;
}

static int make_x2apic_guest(void **state)
{
	make_guest(state);
	for (uint32_t i = 0; i < CPUS; i++) {
		struct vapic_act act =
			vapic_base_write(&guest, i, guest.cpu[i].base_low | BASE_X2APIC);

		if (act.kind != VAPIC_X2APIC)
			return -1;
	}
	return 0;
}

static struct vapic_act command(uint32_t target, uint32_t low)
{
	assert_int_equal(vapic_write(&guest, 0, APIC_TARGET, target << 24).kind, VAPIC_NOTHING);
	return vapic_write(&guest, 0, APIC_COMMAND, low);
}

static struct vapic_act command_x2(uint32_t target, uint32_t low)
{
	return vapic_msr_write(&guest, 0, 0x830, (uint64_t)target << 32 | low);
}

static void must_send(struct vapic_act act, enum vapic_act_kind kind, uint32_t targets,
		      uint32_t vector)
{
	assert_int_equal(act.kind, kind);
	assert_int_equal(act.targets, targets);
	assert_int_equal(act.vector, vector);
}

/* Refused for this reason, and counted once. */
static void must_refuse(struct vapic_act act, enum vapic_refusal refusal)
{
	assert_int_equal(act.kind, VAPIC_REFUSED);
	assert_int_equal(act.refusal, refusal);
	assert_int_equal(act.targets, 0);
	assert_true(guest.cpu[0].refused[refusal] == 1);
	guest.cpu[0].refused[refusal] = 0;
}

static uint32_t read_kept(uint32_t offset)
{
	uint32_t value;

	assert_true(vapic_read(&guest.cpu[0], offset, &value));
	return value;
}

static bool is_the_cpus_own(uint32_t offset)
{
	uint32_t value;

	return !vapic_read(&guest.cpu[0], offset, &value);
}

/* ---- registers ---- */

static void what_concerns_the_cpu_alone_passes(void **state)
{
	static const struct {
		uint32_t offset, written, passed;
	} rows[] = {
		{ APIC_TASK_PRIORITY, 0x120, 0x20 },	      { APIC_EOI, 5, 0 },
		{ APIC_SPURIOUS, 0xffff11ff, 0x1ff },	      { APIC_ERROR, 7, 0 },
		{ APIC_COUNT_START, 0xffffffff, 0xffffffff }, { APIC_DIVIDE, 0xffb, 0xb },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vapic_act act = vapic_write(&guest, 0, rows[i].offset, rows[i].written);

		assert_int_equal(act.kind, VAPIC_PASS);
		assert_int_equal(act.offset, rows[i].offset);
		assert_int_equal(act.value, rows[i].passed);
	}
	assert_true(is_the_cpus_own(APIC_TASK_PRIORITY));
	assert_true(is_the_cpus_own(APIC_COUNT));
	assert_true(is_the_cpus_own(APIC_VERSION));
	assert_int_equal(read_kept(APIC_EOI), 0);
}

/* In service, trigger modes, requested: to be read, all 24. */
static void what_is_in_service_can_be_read(void **state)
{
	(void)state;
	for (uint32_t offset = APIC_IN_SERVICE; offset < APIC_REQUESTED_END; offset += 16) {
		assert_true(is_the_cpus_own(offset));
		must_refuse(vapic_write(&guest, 0, offset, 1), VAPIC_REFUSED_REGISTER);
	}
}

/* Every offset: nothing passes but the twelve that are meant to. */
static void nothing_else_passes(void **state)
{
	uint32_t passed = 0;

	(void)state;
	for (uint32_t offset = 0; offset < VAPIC_PAGE; offset += 16) {
		struct vapic_act act = vapic_write(&guest, 0, offset, LOCAL_MASKED | 0x40);

		if (act.kind == VAPIC_PASS)
			passed++;
		else
			assert_true(act.kind == VAPIC_NOTHING || act.kind == VAPIC_REFUSED ||
				    offset == APIC_COMMAND);
	}
	assert_int_equal(passed, 5 + 1 + VAPIC_LOCALS);
	for (uint32_t offset = 0x400; offset < VAPIC_PAGE; offset += 16)
		assert_int_equal(read_kept(offset), 0);
}

static void the_id_is_the_machines(void **state)
{
	(void)state;
	assert_int_equal(read_kept(APIC_ID), 4u << 24);
	assert_int_equal(vapic_write(&guest, 0, APIC_ID, 9u << 24).kind, VAPIC_NOTHING);
	assert_int_equal(read_kept(APIC_ID), 4u << 24);
}

static void what_is_kept_reads_back(void **state)
{
	(void)state;
	(void)vapic_write(&guest, 0, APIC_LOGICAL, 0x01ffffff);
	(void)vapic_write(&guest, 0, APIC_FORMAT, 0);
	(void)command(5, 0x40fd | COMMAND_PENDING);
	assert_int_equal(read_kept(APIC_LOGICAL), 0x01000000);
	assert_int_equal(read_kept(APIC_FORMAT), FORMAT_CLUSTER);
	assert_int_equal(read_kept(APIC_TARGET), 5u << 24);
	assert_int_equal(read_kept(APIC_COMMAND), 0x40fd);
}

static void the_page_has_one_width(void **state)
{
	(void)state;
	assert_true(vapic_check_width(&guest.cpu[0], 0x300, 4));
	assert_false(vapic_check_width(&guest.cpu[0], 0x300, 1));
	assert_false(vapic_check_width(&guest.cpu[0], 0x300, 8));
	assert_false(vapic_check_width(&guest.cpu[0], 0x304, 4));
	assert_true(guest.cpu[0].refused[VAPIC_REFUSED_WIDTH] == 3);
}

/* ---- the local vector table ---- */

static void fixed_local_interrupts_pass(void **state)
{
	struct vapic_act act;

	(void)state;
	for (uint32_t entry = 0; entry < VAPIC_LOCALS; entry++) {
		uint32_t offset = APIC_LOCAL + 16 * entry;
		bool pin = entry == LOCAL_LINT0 || entry == LOCAL_LINT1;

		act = vapic_write(&guest, 0, offset, 0x000000ef);
		assert_int_equal(act.kind, VAPIC_PASS);
		assert_int_equal(act.offset, offset);
		assert_int_equal(act.value, pin ? LOCAL_MASKED : 0xef);
		assert_int_equal(read_kept(offset), 0xef);
	}
	assert_true(guest.cpu[0].refused[VAPIC_REFUSED_LOCAL] == 2);
}

/* SMI, NMI, INIT, external, reserved: masked on the CPU, as written for the guest. */
static void other_local_interrupts_stay_masked(void **state)
{
	(void)state;
	for (uint32_t delivery = 0x100; delivery <= 0x700; delivery += 0x100) {
		for (uint32_t entry = 0; entry < VAPIC_LOCALS; entry++) {
			uint32_t offset = APIC_LOCAL + 16 * entry;
			struct vapic_act act = vapic_write(&guest, 0, offset, delivery | 0x20);

			assert_int_equal(act.kind, VAPIC_PASS);
			assert_int_equal(act.value, LOCAL_MASKED);
			assert_int_equal(read_kept(offset), delivery | 0x20);
			(void)vapic_write(&guest, 0, offset, LOCAL_MASKED | delivery | 0x20);
		}
	}
	/* What the guest masks itself is no offence, nor what any kernel writes for the two pins. */
	assert_true(guest.cpu[0].refused[VAPIC_REFUSED_LOCAL] == 7 * VAPIC_LOCALS - 2);
}

/* On a CPU that the guest has left it would be taken for an exception of the hypervisor's. */
static void local_interrupts_are_no_exceptions(void **state)
{
	struct vapic_act act = vapic_write(&guest, 0, APIC_LOCAL, 31);

	(void)state;
	assert_int_equal(act.kind, VAPIC_PASS);
	assert_int_equal(act.value, LOCAL_MASKED);
	assert_true(guest.cpu[0].refused[VAPIC_REFUSED_LOCAL] == 1);
	act = vapic_write(&guest, 0, APIC_LOCAL, 32);
	assert_int_equal(act.value, 32);
}

static void without_the_check_a_local_source_raises_an_smi(void **state)
{
	struct vapic_act act;

	(void)state;
	guest.mutant = SP_MUT_LOCAL_DELIVERY_UNCHECKED;
	act = vapic_write(&guest, 0, APIC_LOCAL + 0x50, 0x200);
	assert_int_equal(act.kind, VAPIC_PASS);
	assert_int_equal(act.value, 0x200);
}

static void the_timer_has_its_modes(void **state)
{
	struct vapic_act act = vapic_write(&guest, 0, APIC_LOCAL, 0x200ec);

	(void)state;
	assert_int_equal(act.kind, VAPIC_PASS);
	assert_int_equal(act.value, 0x200ec);
	act = vapic_write(&guest, 0, APIC_LOCAL, MODE_RESERVED | 0xec);
	assert_int_equal(act.value, LOCAL_MASKED);
	act = vapic_write(&guest, 0, APIC_LOCAL, MODE_DEADLINE | 0xec);
	assert_int_equal(act.kind, VAPIC_DEADLINE);
	assert_int_equal(act.value, 0xec);
	assert_int_equal(read_kept(APIC_LOCAL), MODE_DEADLINE | 0xec);
	/* The count belongs to the hypervisor meanwhile. */
	assert_int_equal(vapic_write(&guest, 0, APIC_COUNT_START, 5).kind, VAPIC_NOTHING);
	assert_int_equal(vapic_write(&guest, 0, APIC_DIVIDE, 3).kind, VAPIC_NOTHING);
	act = vapic_write(&guest, 0, APIC_LOCAL, 0xec);
	assert_int_equal(act.kind, VAPIC_PASS);
	assert_int_equal(vapic_write(&guest, 0, APIC_COUNT_START, 5).kind, VAPIC_PASS);
}

/* ---- commands ---- */

static void commands_reach_cpus_of_the_guest(void **state)
{
	(void)state;
	must_send(command(4, 0xfd), VAPIC_SEND, 1, 0xfd);
	must_send(command(5, 0xfd), VAPIC_SEND, 2, 0xfd);
	must_send(command(9, 0x31), VAPIC_SEND, 4, 0x31);
	must_send(command(0xff, 0x31), VAPIC_SEND, ALONE, 0x31);
	must_send(command(0, SHORTHAND_SELF | 0xf6), VAPIC_SEND, 1, 0xf6);
	must_send(command(0, SHORTHAND_ALL | 0xf6), VAPIC_SEND, ALONE, 0xf6);
	must_send(command(0, SHORTHAND_OTHERS | 0xf6), VAPIC_SEND, 6, 0xf6);
	must_send(command(0xff, DELIVERY_LOWEST | 0x31), VAPIC_SEND, 1, 0x31);
}

/* All 256 physical names, in each way of delivery. */
static void commands_reach_nobody_else(void **state)
{
	(void)state;
	for (uint32_t target = 0; target < 255; target++) {
		if (target == 4 || target == 5 || target == 9)
			continue;
		must_refuse(command(target, 0xfd), VAPIC_REFUSED_TARGET);
		must_refuse(command(target, DELIVERY_NMI), VAPIC_REFUSED_TARGET);
		must_refuse(command(target, DELIVERY_INIT | COMMAND_ASSERT), VAPIC_REFUSED_TARGET);
		must_refuse(command(target, DELIVERY_STARTUP | 0x9a), VAPIC_REFUSED_TARGET);
	}
}

static void without_the_check_commands_go_to_the_bus(void **state)
{
	struct vapic_act act;

	(void)state;
	guest.mutant = SP_MUT_COMMAND_UNCHECKED;
	act = command(0, DELIVERY_INIT | COMMAND_ASSERT);
	assert_int_equal(act.kind, VAPIC_PASS);
	assert_int_equal(act.offset, APIC_COMMAND);
}

static void cpus_are_started_by_the_hypervisor(void **state)
{
	(void)state;
	must_send(command(5, DELIVERY_INIT | COMMAND_LEVEL | COMMAND_ASSERT), VAPIC_INIT, 2, 0);
	assert_int_equal(command(5, DELIVERY_INIT | COMMAND_LEVEL).kind, VAPIC_NOTHING);
	must_send(command(5, DELIVERY_STARTUP | 0x9a), VAPIC_STARTUP, 2, 0x9a);
	must_send(command(0, SHORTHAND_OTHERS | DELIVERY_NMI), VAPIC_NMI, 6, 0);
	must_send(command(4, DELIVERY_NMI), VAPIC_NMI, 1, 0);
}

static void nobody_resets_himself(void **state)
{
	(void)state;
	must_refuse(command(4, DELIVERY_INIT | COMMAND_ASSERT), VAPIC_REFUSED_TARGET);
	must_refuse(command(0, SHORTHAND_ALL | DELIVERY_INIT | COMMAND_ASSERT),
		    VAPIC_REFUSED_TARGET);
	must_refuse(command(0, SHORTHAND_SELF | DELIVERY_STARTUP), VAPIC_REFUSED_TARGET);
}

static void other_deliveries_are_refused(void **state)
{
	static const uint32_t deliveries[] = { 0x200, 0x300, 0x700 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		must_refuse(command(5, deliveries[i] | 0x31), VAPIC_REFUSED_DELIVERY);
		must_refuse(command(0, SHORTHAND_OTHERS | deliveries[i]), VAPIC_REFUSED_DELIVERY);
	}
}

static void vectors_of_exceptions_are_refused(void **state)
{
	(void)state;
	must_refuse(command(5, 15), VAPIC_REFUSED_VECTOR);
	must_refuse(command(5, 31), VAPIC_REFUSED_VECTOR);
	must_refuse(command(5, DELIVERY_LOWEST | 2), VAPIC_REFUSED_VECTOR);
	must_send(command(5, 32), VAPIC_SEND, 2, 32);
}

static void without_the_check_an_exceptions_vector_is_sent(void **state)
{
	(void)state;
	assert_false(vapic_may_send(&guest, 31));
	assert_true(vapic_may_send(&guest, 32));
	guest.mutant = SP_MUT_EXCEPTION_SENT;
	must_send(command(5, 18), VAPIC_SEND, 2, 18);
	assert_int_equal(vapic_write(&guest, 0, APIC_LOCAL, 18).value, 18);
	assert_true(vapic_may_send(&guest, 18));
}

/* Its names and what it was told are gone, who it is and what was refused stays. */
static void init_leaves_the_id_and_the_counts(void **state)
{
	struct vapic *cpu = &guest.cpu[1];

	(void)state;
	(void)vapic_write(&guest, 1, APIC_LOGICAL, 2u << 24);
	(void)vapic_write(&guest, 1, APIC_FORMAT, 0);
	(void)vapic_write(&guest, 1, APIC_TARGET, 9u << 24);
	(void)vapic_write(&guest, 1, APIC_LOCAL, MODE_DEADLINE | 0xec);
	(void)vapic_write(&guest, 1, APIC_DIVIDE, 3);
	(void)vapic_write(&guest, 1, APIC_COMMAND, DELIVERY_LOWEST | 3);
	vapic_init(cpu);
	assert_int_equal(cpu->id, 5);
	assert_int_equal(vapic_base_read(cpu), BASE | ON);
	assert_int_equal(cpu->logical, 0);
	assert_int_equal(cpu->format, FORMAT_FLAT);
	assert_int_equal(cpu->target, 0);
	assert_int_equal(cpu->command, 0);
	assert_int_equal(cpu->divide, 0);
	for (uint32_t i = 0; i < VAPIC_LOCALS; i++)
		assert_int_equal(cpu->local[i], LOCAL_MASKED);
	assert_true(cpu->refused[VAPIC_REFUSED_VECTOR] == 1);
	must_refuse(command(2, COMMAND_LOGICAL | 0x31), VAPIC_REFUSED_TARGET);
}

/* Every pair: from each CPU to each other one, and what comes of it is the other's alone. */
static void any_cpu_starts_any_other(void **state)
{
	static const uint32_t ids[CPUS] = { 4, 5, 9 };

	(void)state;
	for (uint32_t from = 0; from < CPUS; from++) {
		for (uint32_t to = 0; to < CPUS; to++) {
			struct vapic_act act;

			(void)vapic_write(&guest, from, APIC_TARGET, ids[to] << 24);
			act = vapic_write(&guest, from, APIC_COMMAND,
					  DELIVERY_INIT | COMMAND_LEVEL | COMMAND_ASSERT);
			assert_int_equal(act.kind, from == to ? VAPIC_REFUSED : VAPIC_INIT);
			assert_int_equal(act.targets, from == to ? 0 : 1u << to);
			act = vapic_write(&guest, from, APIC_COMMAND, DELIVERY_STARTUP | 0x9a);
			assert_int_equal(act.kind, from == to ? VAPIC_REFUSED : VAPIC_STARTUP);
			assert_int_equal(act.targets, from == to ? 0 : 1u << to);
		}
	}
}

/* ---- messages of devices ---- */

static void messages_name_cpus_of_the_guest(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < CPUS; i++)
		(void)vapic_write(&guest, i, APIC_LOGICAL, 1u << (24 + i));
	assert_int_equal(vapic_named(&guest, 4, false), 1);
	assert_int_equal(vapic_named(&guest, 9, false), 4);
	assert_int_equal(vapic_named(&guest, 0xff, false), ALONE);
	assert_int_equal(vapic_named(&guest, 2, true), 2);
	assert_int_equal(vapic_named(&guest, 6, true), 6);
	for (uint32_t name = 0; name < 255; name++) {
		const bool own = name == 4 || name == 5 || name == 9;

		assert_int_equal(vapic_named(&guest, name, false) != 0, own);
		assert_int_equal(vapic_named(&guest, name, true), name & ALONE);
	}
}

static void messages_in_x2apic_mode_have_the_same_names(void **state)
{
	(void)state;
	assert_int_equal(vapic_named(&guest, 9, false), 4);
	assert_int_equal(vapic_named(&guest, 0xff, false), 0);
	assert_int_equal(vapic_named(&guest, 1u << 5, true), 2);
}

/* A kernel that stops stops all others, also where there are none. */
static void a_guest_of_one_cpu_has_no_others(void **state)
{
	(void)state;
	guest.cpu_count = 1;
	assert_int_equal(command(0, SHORTHAND_OTHERS | 0xf7).kind, VAPIC_NOTHING);
	assert_int_equal(command(0, SHORTHAND_OTHERS | DELIVERY_NMI).kind, VAPIC_NOTHING);
	must_send(command(0xff, 0x40), VAPIC_SEND, 1, 0x40);
	must_refuse(command(5, 0x40), VAPIC_REFUSED_TARGET);
}

/* The highest number of CPUs has a bit each. */
static void a_guest_of_all_cpus_is_reached_whole(void **state)
{
	(void)state;
	guest.cpu_count = VAPIC_CPUS;
	for (uint32_t i = 0; i < VAPIC_CPUS; i++)
		vapic_reset(&guest.cpu[i], i, BASE | ON, false);
	must_send(command(0, SHORTHAND_ALL | 0x40), VAPIC_SEND, 0xffffffff, 0x40);
	must_send(command(31, 0x40), VAPIC_SEND, 0x80000000, 0x40);
	must_send(command(0, SHORTHAND_OTHERS | 0x40), VAPIC_SEND, 0xfffffffe, 0x40);
}

static void logical_names_are_the_guests_own(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < CPUS; i++)
		(void)vapic_write(&guest, i, APIC_LOGICAL, 1u << (24 + i));
	must_send(command(0x02, COMMAND_LOGICAL | 0x31), VAPIC_SEND, 2, 0x31);
	must_send(command(0x05, COMMAND_LOGICAL | 0x31), VAPIC_SEND, 5, 0x31);
	must_send(command(0x06, COMMAND_LOGICAL | DELIVERY_LOWEST | 0x31), VAPIC_SEND, 2, 0x31);
	must_send(command(0xff, COMMAND_LOGICAL | 0x31), VAPIC_SEND, ALONE, 0x31);
	must_refuse(command(0x08, COMMAND_LOGICAL | 0x31), VAPIC_REFUSED_TARGET);
	must_refuse(command(0x00, COMMAND_LOGICAL | 0x31), VAPIC_REFUSED_TARGET);
}

static void clusters_have_four_cpus_each(void **state)
{
	static const uint32_t names[CPUS] = { 0x11, 0x12, 0x21 };

	(void)state;
	for (uint32_t i = 0; i < CPUS; i++) {
		(void)vapic_write(&guest, i, APIC_FORMAT, 0);
		(void)vapic_write(&guest, i, APIC_LOGICAL, names[i] << 24);
	}
	must_send(command(0x13, COMMAND_LOGICAL | 0x31), VAPIC_SEND, 3, 0x31);
	must_send(command(0x2f, COMMAND_LOGICAL | 0x31), VAPIC_SEND, 4, 0x31);
	must_refuse(command(0x14, COMMAND_LOGICAL | 0x31), VAPIC_REFUSED_TARGET);
	must_refuse(command(0x31, COMMAND_LOGICAL | 0x31), VAPIC_REFUSED_TARGET);
}

/* ---- x2APIC ---- */

static void x2apic_mode_is_for_those_who_may(void **state)
{
	(void)state;
	assert_int_equal(vapic_base_read(&guest.cpu[0]), BASE | ON | BSP);
	assert_int_equal(vapic_base_write(&guest, 0, BASE | ON | BSP).kind, VAPIC_NOTHING);
	assert_int_equal(vapic_base_write(&guest, 0, BASE | ON | BSP | BASE_X2APIC).kind,
			 VAPIC_X2APIC);
	assert_int_equal(vapic_base_read(&guest.cpu[0]), BASE | ON | BSP | BASE_X2APIC);
	assert_int_equal(read_kept(APIC_ID), 4);
	vapic_reset(&guest.cpu[1], 5, BASE | ON, false);
	assert_int_equal(vapic_base_write(&guest, 1, BASE | ON | BASE_X2APIC).kind, VAPIC_REFUSED);
	assert_int_equal(vapic_base_read(&guest.cpu[1]), BASE | ON);
}

/* Off, elsewhere, without the mark of the CPU that booted, with reserved bits, back from x2APIC. */
static void the_page_stays_where_it_is(void **state)
{
	static const uint64_t bad[] = { BASE | BSP,	     0xfec00000 | ON | BSP,
					BASE | ON,	     0,
					BASE | ON | BSP | 1, (uint64_t)1 << 40 | BASE | ON | BSP };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		must_refuse(vapic_base_write(&guest, 0, bad[i]), VAPIC_REFUSED_BASE);
	assert_int_equal(vapic_base_write(&guest, 0, BASE | ON | BSP | BASE_X2APIC).kind,
			 VAPIC_X2APIC);
	must_refuse(vapic_base_write(&guest, 0, BASE | ON | BSP), VAPIC_REFUSED_BASE);
}

static void x2apic_commands_are_one_store(void **state)
{
	(void)state;
	must_send(command_x2(9, 0xfd), VAPIC_SEND, 4, 0xfd);
	must_send(command_x2(0xffffffff, 0xfd), VAPIC_SEND, ALONE, 0xfd);
	must_send(command_x2(0, SHORTHAND_OTHERS | DELIVERY_NMI), VAPIC_NMI, 6, 0);
	must_send(command_x2(5, DELIVERY_INIT | COMMAND_ASSERT), VAPIC_INIT, 2, 0);
	must_send(vapic_msr_write(&guest, 0, 0x83f, 0x45), VAPIC_SEND, 1, 0x45);
	must_refuse(command_x2(0xff, 0xfd), VAPIC_REFUSED_TARGET);
	must_refuse(command_x2(0x04000000, 0xfd), VAPIC_REFUSED_TARGET);
	must_refuse(command_x2(6, DELIVERY_INIT | COMMAND_ASSERT), VAPIC_REFUSED_TARGET);
	must_refuse(vapic_msr_write(&guest, 0, 0x83f, 2), VAPIC_REFUSED_VECTOR);
}

/* 4, 5 and 9 are bits of cluster 0. */
static void x2apic_logical_names_are_made_of_the_physical(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(vapic_msr_read(&guest.cpu[2], 0x80d, &value));
	assert_true(value == 1u << 9);
	must_send(command_x2(1u << 9 | 1u << 4, COMMAND_LOGICAL | 0x31), VAPIC_SEND, 5, 0x31);
	must_send(command_x2(0xffff, COMMAND_LOGICAL | 0x31), VAPIC_SEND, ALONE, 0x31);
	must_refuse(command_x2(0x0001ffff, COMMAND_LOGICAL | 0x31), VAPIC_REFUSED_TARGET);
	must_refuse(command_x2(1u << 6, COMMAND_LOGICAL | 0x31), VAPIC_REFUSED_TARGET);
}

static void x2apic_registers_are_those_of_the_page(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(vapic_msr_read(&guest.cpu[0], 0x802, &value));
	assert_true(value == 4);
	(void)command_x2(9, 0xfd);
	assert_true(vapic_msr_read(&guest.cpu[0], 0x830, &value));
	assert_true(value == 0x9000000fd);
	assert_false(vapic_msr_read(&guest.cpu[0], 0x808, &value));
	assert_int_equal(vapic_msr_write(&guest, 0, 0x832, MODE_DEADLINE | 0xec).kind,
			 VAPIC_DEADLINE);
	must_refuse(vapic_msr_write(&guest, 0, 0x802, 1), VAPIC_REFUSED_REGISTER);
	must_refuse(vapic_msr_write(&guest, 0, 0x80d, 1), VAPIC_REFUSED_REGISTER);
	must_refuse(vapic_msr_write(&guest, 0, 0x80e, 1), VAPIC_REFUSED_REGISTER);
	must_refuse(vapic_msr_write(&guest, 0, 0x831, 1), VAPIC_REFUSED_REGISTER);
	must_refuse(vapic_msr_write(&guest, 0, 0x808, (uint64_t)1 << 32), VAPIC_REFUSED_REGISTER);
}

/* Each MSR, both ways: what is direct is what the filter would have passed as it is. */
static void direct_registers_name_nobody(void **state)
{
	uint32_t direct = 0;

	(void)state;
	for (uint32_t msr = 0x7ff; msr <= 0x840; msr++) {
		uint64_t value;

		if (vapic_msr_is_direct(msr, false, true))
			assert_false(vapic_msr_read(&guest.cpu[0], msr, &value));
		if (!vapic_msr_is_direct(msr, true, false))
			continue;
		assert_int_equal(vapic_msr_write(&guest, 0, msr, 0).kind, VAPIC_PASS);
		direct++;
	}
	assert_int_equal(direct, 4); /* priority, end of interrupt, error, count */
	assert_false(vapic_msr_is_direct(0x830, true, false));
	assert_false(vapic_msr_is_direct(0x830, false, false));
	assert_false(vapic_msr_is_direct(0x83f, true, false));
	assert_false(vapic_msr_is_direct(0x838, true, true));
	assert_false(vapic_msr_is_direct(0x839, false, true));
	assert_true(vapic_msr_is_direct(0x839, false, false));
	assert_false(vapic_msr_is_direct(VAPIC_MSR_BASE, false, false));
	for (uint32_t msr = 0x832; msr <= 0x837; msr++)
		assert_false(vapic_msr_is_direct(msr, true, false));
}

/* ---- refusals ---- */

static void a_refusal_names_what_was_tried(void **state)
{
	struct vapic_act act = command(3, DELIVERY_INIT | COMMAND_ASSERT);

	(void)state;
	assert_string_equal(vapic_explain(&guest.cpu[0], &act).chars,
			    "command 0x4500 to APIC 0x3: no CPU of the guest is meant");
	act = vapic_write(&guest, 0, 0x500, 0x10000);
	assert_string_equal(
		vapic_explain(&guest.cpu[0], &act).chars,
		"0x10000 to register 0x500 of the local APIC: not a register to be written");
	act = vapic_base_write(&guest, 0, 0xfee00000);
	assert_string_equal(
		vapic_explain(&guest.cpu[0], &act).chars,
		"0xfee00000 to MSR 0x1b of the local APIC: the local APIC stays on, and "
		"where it is");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_concerns_the_cpu_alone_passes, make_guest),
		cmocka_unit_test_setup(what_is_in_service_can_be_read, make_guest),
		cmocka_unit_test_setup(nothing_else_passes, make_guest),
		cmocka_unit_test_setup(the_id_is_the_machines, make_guest),
		cmocka_unit_test_setup(what_is_kept_reads_back, make_guest),
		cmocka_unit_test_setup(the_page_has_one_width, make_guest),
		cmocka_unit_test_setup(fixed_local_interrupts_pass, make_guest),
		cmocka_unit_test_setup(other_local_interrupts_stay_masked, make_guest),
		cmocka_unit_test_setup(local_interrupts_are_no_exceptions, make_guest),
		cmocka_unit_test_setup(without_the_check_a_local_source_raises_an_smi, make_guest),
		cmocka_unit_test_setup(the_timer_has_its_modes, make_guest),
		cmocka_unit_test_setup(commands_reach_cpus_of_the_guest, make_guest),
		cmocka_unit_test_setup(commands_reach_nobody_else, make_guest),
		cmocka_unit_test_setup(without_the_check_commands_go_to_the_bus, make_guest),
		cmocka_unit_test_setup(cpus_are_started_by_the_hypervisor, make_guest),
		cmocka_unit_test_setup(nobody_resets_himself, make_guest),
		cmocka_unit_test_setup(other_deliveries_are_refused, make_guest),
		cmocka_unit_test_setup(vectors_of_exceptions_are_refused, make_guest),
		cmocka_unit_test_setup(without_the_check_an_exceptions_vector_is_sent, make_guest),
		cmocka_unit_test_setup(init_leaves_the_id_and_the_counts, make_guest),
		cmocka_unit_test_setup(any_cpu_starts_any_other, make_guest),
		cmocka_unit_test_setup(messages_name_cpus_of_the_guest, make_guest),
		cmocka_unit_test_setup(messages_in_x2apic_mode_have_the_same_names,
				       make_x2apic_guest),
		cmocka_unit_test_setup(a_guest_of_one_cpu_has_no_others, make_guest),
		cmocka_unit_test_setup(a_guest_of_all_cpus_is_reached_whole, make_guest),
		cmocka_unit_test_setup(logical_names_are_the_guests_own, make_guest),
		cmocka_unit_test_setup(clusters_have_four_cpus_each, make_guest),
		cmocka_unit_test_setup(x2apic_mode_is_for_those_who_may, make_guest),
		cmocka_unit_test_setup(the_page_stays_where_it_is, make_guest),
		cmocka_unit_test_setup(x2apic_commands_are_one_store, make_x2apic_guest),
		cmocka_unit_test_setup(x2apic_logical_names_are_made_of_the_physical,
				       make_x2apic_guest),
		cmocka_unit_test_setup(x2apic_registers_are_those_of_the_page, make_x2apic_guest),
		cmocka_unit_test_setup(direct_registers_name_nobody, make_x2apic_guest),
		cmocka_unit_test_setup(a_refusal_names_what_was_tried, make_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
