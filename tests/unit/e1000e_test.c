/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/e1000e_test.c - the 82574 engine against a controller made of memory.
 *
 *   engine --> registers[], tails --> controller_step() --> ram[], but for blocked pages
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engines/e1000e.h"

#define PAGE	   4096u
#define PAGES	   8u
#define BUS	   0x123400000ull
#define RINGS	   1u
#define FROM	   2u
#define TO	   4u
#define BLOCKED	   6u
#define RECEIVE_ON 0x0400805au /* on, promiscuous, loopback, broadcasts, without the CRC */

struct controller {
	uint32_t registers[E1000E_BAR_BYTES / 4];
	uint8_t ram[PAGES * PAGE] __attribute__((aligned(PAGE)));
	uint32_t reset_for; /* steps */
	bool is_silent;
	uint32_t broken; /* promises */
	struct e1000e e1000e;
};

static struct controller c;

static uint32_t *register_at(uint32_t offset)
{
	return &c.registers[offset / 4];
}

static void *translate(uint64_t bus, uint32_t bytes)
{
	uint64_t at = bus - BUS;

	if (bus < BUS || at + bytes > sizeof(c.ram) || at / PAGE == BLOCKED)
		return NULL;
	return &c.ram[at];
}

/* The next descriptor of a ring; NULL: none. */
static uint32_t *take_descriptor(uint32_t ring)
{
	uint64_t bus = *register_at(ring) | (uint64_t)*register_at(ring + 4) << 32;
	uint32_t *head = register_at(ring + 0x10), count = *register_at(ring + 8) / 16, at = *head;

	if (at == *register_at(ring + 0x18))
		return NULL;
	if (bus % 16 || count % 8)
		c.broken++;
	*head = (at + 1) % count;
	return translate(bus + at * 16, 16);
}

static uint64_t address_of(const uint32_t *descriptor)
{
	return descriptor[0] | (uint64_t)descriptor[1] << 32;
}

/* Reads that are blocked give zeros, writes vanish; descriptors are written back all the same. */
static void receive(const uint8_t *frame, uint32_t bytes)
{
	uint32_t *descriptor = *register_at(0x100) & 2 ? take_descriptor(0x2800) : NULL;
	void *to;

	if (*register_at(0x100) != RECEIVE_ON)
		c.broken++;
	if (!descriptor)
		return;
	to = translate(address_of(descriptor), bytes);
	if (to)
		memcpy(to, frame, bytes);
	descriptor[2] = bytes;
	descriptor[3] = 3;
}

static void transmit(void)
{
	uint32_t *descriptor = take_descriptor(0x3800), bytes;
	uint8_t frame[2048] = { 0 };
	const void *from;

	if (!descriptor)
		return;
	if (descriptor[2] >> 16 != 0x0b00)
		c.broken++;
	bytes = descriptor[2] & 0xffff;
	from = translate(address_of(descriptor), bytes);
	if (from)
		memcpy(frame, from, bytes);
	receive(frame, bytes);
	descriptor[3] |= 1;
}

static void controller_step(void)
{
	uint32_t *control = register_at(0);

	if (*control & 0x04000000) {
		if (c.reset_for-- == 0)
			memset(c.registers, 0, sizeof(c.registers));
	} else if (*register_at(0x400) & 2 && !c.is_silent) {
		transmit();
	}
}

static int make_controller(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	for (size_t i = 0; i < sizeof(c.ram); i++)
		c.ram[i] = (uint8_t)(i * 31 + i / 256);
	c.reset_for = 2;
	*register_at(0x400) = 2; /* firmware left it on */
	c.e1000e = (struct e1000e){ .registers = (uintptr_t)c.registers,
				    .memory = &c.ram[RINGS * PAGE],
				    .memory_bus = BUS + RINGS * PAGE };
	return 0;
}

static enum sp_status wait_for_it(void)
{
	enum sp_status status = SP_PENDING;

	for (int i = 0; i < 100 && status == SP_PENDING; i++) {
		controller_step();
		status = e1000e_progress(&c.e1000e);
	}
	return status;
}

static void bring_up(void)
{
	assert_int_equal(e1000e_begin(&c.e1000e), SP_OK);
	assert_int_equal(e1000e_progress(&c.e1000e), SP_PENDING);
	assert_int_equal(wait_for_it(), SP_OK);
}

static enum sp_status start(uint32_t from, uint32_t to, uint32_t bytes)
{
	return e1000e_start(&c.e1000e, BUS + from * PAGE, BUS + to * PAGE, bytes);
}

static void move(uint32_t from, uint32_t to, uint32_t bytes)
{
	assert_int_equal(start(from, to, bytes), SP_OK);
	assert_int_equal(e1000e_progress(&c.e1000e), SP_PENDING);
	assert_int_equal(wait_for_it(), SP_OK);
	assert_int_equal(c.e1000e.written, bytes);
	assert_int_equal(c.broken, 0);
}

static void bytes_go_from_memory_to_memory(void **state)
{
	uint8_t behind = c.ram[TO * PAGE + 300];

	(void)state;
	bring_up();
	move(FROM, TO, 300);
	assert_memory_equal(&c.ram[FROM * PAGE], &c.ram[TO * PAGE], 300);
	assert_int_equal(c.ram[TO * PAGE + 300], behind);
}

static void both_directions_are_off_between_transfers(void **state)
{
	(void)state;
	bring_up();
	assert_int_equal(*register_at(0x100), 0);
	assert_int_equal(*register_at(0x400), 0);
	move(FROM, TO, 64);
	assert_int_equal(*register_at(0x100), 0);
	assert_int_equal(*register_at(0x400), 0);
}

static void many_transfers_follow_each_other(void **state)
{
	(void)state;
	bring_up();
	for (uint8_t i = 0; i < 40; i++) {
		c.ram[FROM * PAGE] = i;
		move(FROM, TO, E1000E_TRANSFER_MAX);
		assert_int_equal(c.ram[TO * PAGE], i);
	}
}

/* The next one does not deliver to where the blocked one was aimed. */
static void a_blocked_transfer_leaves_nothing_behind(void **state)
{
	uint8_t was = c.ram[BLOCKED * PAGE];

	(void)state;
	bring_up();
	move(FROM, BLOCKED, 64);
	assert_int_equal(c.ram[BLOCKED * PAGE], was);
	move(FROM, TO, 64);
	assert_memory_equal(&c.ram[FROM * PAGE], &c.ram[TO * PAGE], 64);
	move(BLOCKED, TO, 64);
	assert_int_equal(c.ram[TO * PAGE + 1], 0);
}

static void a_silent_controller_is_given_up(void **state)
{
	(void)state;
	bring_up();
	c.is_silent = true;
	assert_int_equal(start(FROM, TO, 64), SP_OK);
	assert_int_equal(wait_for_it(), SP_PENDING);
	assert_int_equal(start(FROM, TO, 64), SP_BUSY);
	e1000e_abandon(&c.e1000e);
	c.is_silent = false;
	controller_step();
	assert_int_equal(*register_at(0x3810), 0);
	move(FROM, TO, 64);
}

static void what_no_frame_holds_is_refused(void **state)
{
	(void)state;
	assert_int_equal(e1000e_begin(&c.e1000e), SP_OK);
	assert_int_equal(start(FROM, TO, 64), SP_BUSY);
	assert_int_equal(wait_for_it(), SP_OK);
	assert_int_equal(start(FROM, TO, E1000E_TRANSFER_MIN - 1), SP_INVALID);
	assert_int_equal(start(FROM, TO, E1000E_TRANSFER_MAX + 1), SP_INVALID);
	move(FROM, TO, E1000E_TRANSFER_MIN);
}

static void nobody_there_is_seen(void **state)
{
	(void)state;
	*register_at(8) = 0xffffffff;
	assert_int_equal(e1000e_begin(&c.e1000e), SP_NOT_FOUND);
	assert_int_equal(*register_at(0), 0);
}

static void a_reset_that_does_not_end_keeps_nobody(void **state)
{
	(void)state;
	c.reset_for = 1000;
	assert_int_equal(e1000e_begin(&c.e1000e), SP_OK);
	assert_int_equal(wait_for_it(), SP_PENDING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bytes_go_from_memory_to_memory, make_controller),
		cmocka_unit_test_setup(both_directions_are_off_between_transfers, make_controller),
		cmocka_unit_test_setup(many_transfers_follow_each_other, make_controller),
		cmocka_unit_test_setup(a_blocked_transfer_leaves_nothing_behind, make_controller),
		cmocka_unit_test_setup(a_silent_controller_is_given_up, make_controller),
		cmocka_unit_test_setup(what_no_frame_holds_is_refused, make_controller),
		cmocka_unit_test_setup(nobody_there_is_seen, make_controller),
		cmocka_unit_test_setup(a_reset_that_does_not_end_keeps_nobody, make_controller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
