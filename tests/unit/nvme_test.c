/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/nvme_test.c - the NVMe engine against a controller made of memory.
 *
 *   engine --> registers[], doorbells --> controller_step() --> ram[], but for blocked pages
 *
 * The controller is as strict as the specification lets it be: what it does not understand it
 * answers with an error, and it counts each promise that the engine breaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engines/nvme_virtual.h"

#define PAGES	    16u
#define BUS	    0x123400000ull /* where the RAM is on the bus */
#define MEMORY	    2u		   /* the engine's five pages begin at this one */
#define DATA	    10u
#define BLOCKED	    12u
#define BLOCKS	    8u
#define DATA_ERROR  0x004u /* data transfer error */
#define BAD_OPCODE  0x001u
#define LBA_RANGE   0x080u
#define ENTRIES_MAX 64u

struct queue {
	uint64_t bus;
	uint32_t entries, head, tail;
	bool phase;
};

struct controller {
	uint32_t registers[0x2000 / 4];
	uint8_t ram[PAGES * NVME_PAGE] __attribute__((aligned(NVME_PAGE)));
	uint8_t blocks[BLOCKS][NVME_PAGE];
	uint32_t block_order, stride_order;
	uint8_t metadata;    /* bytes of each block */
	uint8_t more_format; /* bits 6:5 of which format it is */
	struct queue submission[2], completion[2];
	bool never_ready;
	uint32_t refuses; /* this opcode of the bring-up */
	uint32_t broken;  /* promises */
	uint32_t commands;
	uint32_t delay;	    /* steps until it is ready */
	uint32_t asked[16]; /* the last admin command */
	struct nvme nvme;
};

static struct controller c;

/* ---- the controller ---- */

static uint32_t *register_at(uint32_t offset)
{
	return &c.registers[offset / 4];
}

static uint64_t register64(uint32_t offset)
{
	return *register_at(offset) | (uint64_t)*register_at(offset + 4) << 32;
}

/* NULL: the unit does not let it through. */
static void *translate(uint64_t bus, uint32_t bytes)
{
	uint64_t at = bus - BUS;

	if (bus < BUS || at + bytes > sizeof(c.ram) || at / NVME_PAGE == BLOCKED)
		return NULL;
	return &c.ram[at];
}

static uint32_t identify(const uint32_t *command)
{
	uint8_t *to = translate(command[6] | (uint64_t)command[7] << 32, NVME_PAGE);

	if (command[1] != 1 || command[10] != 0)
		return 0x00b;
	if (!to)
		return DATA_ERROR;
	memset(to, 0, NVME_PAGE);
	to[26] = 1 | c.more_format; /* the second format */
	to[128] = 16;
	to[128 + 2] = 3;
	to[132] = c.metadata;
	to[132 + 2] = (uint8_t)c.block_order;
	return 0;
}

static uint32_t create(const uint32_t *command, struct queue *queue)
{
	*queue = (struct queue){ .bus = command[6] | (uint64_t)command[7] << 32,
				 .entries = (command[10] >> 16) + 1,
				 .phase = true };
	if ((command[10] & 0xffff) != 1 || queue->bus % NVME_PAGE || !(command[11] & 1) ||
	    !translate(queue->bus, NVME_PAGE))
		return 0x101;
	return 0;
}

/* A primary with two secondaries, 1 and 2, which are its virtual functions 2 and 1. */
static uint32_t identify_controllers(const uint32_t *command)
{
	static const uint8_t flexible[] = { 6, 0, 0, 0, 0, 0, 0, 0, 5, 0, 3, 0, 2, 0 };
	static const uint8_t second[] = { 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0 };
	static const uint8_t first[] = { 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 3, 0, 4, 1 };
	uint8_t *to = translate(command[6] | (uint64_t)command[7] << 32, NVME_PAGE);

	if (!to)
		return DATA_ERROR;
	memset(to, 0, NVME_PAGE);
	if (command[10] == 0x14) {
		memcpy(to + 32, flexible, sizeof(flexible));
		memcpy(to + 64, flexible, sizeof(flexible));
		to[64 + 2] = 1;
	} else {
		to[0] = 2;
		memcpy(to + 32, second, sizeof(second));
		memcpy(to + 64, first, sizeof(first));
	}
	return 0;
}

/* Answers an error where more is given than there is; an attachment says which controller it names. */
static uint32_t manage(const uint32_t *command)
{
	const uint8_t *from = translate(command[6] | (uint64_t)command[7] << 32, NVME_PAGE);

	if ((command[0] & 0xff) == 0x15)
		return from && from[0] == 1 && from[2] == 0x34 && from[3] == 0x12 ? 0 : 0x11c;
	return command[11] > 6 ? 0x120 : 0;
}

static uint32_t run_admin(const uint32_t *command)
{
	uint32_t opcode = command[0] & 0xff;

	memcpy(c.asked, command, sizeof(c.asked));
	if (opcode == c.refuses)
		return BAD_OPCODE;
	if (opcode == 0x1c || opcode == 0x15)
		return manage(command);
	if (opcode == 0x06 && command[10] != 0)
		return identify_controllers(command);
	if (opcode == 0x06)
		return identify(command);
	if (opcode == 0x05)
		return create(command, &c.completion[1]);
	if (opcode != 0x01)
		return BAD_OPCODE;
	/* It names its completion queue, which must be there. */
	if (command[11] >> 16 != 1 || !c.completion[1].entries)
		return 0x100;
	return create(command, &c.submission[1]);
}

static uint32_t run_io(const uint32_t *command)
{
	uint32_t opcode = command[0] & 0xff, bytes;
	uint64_t block = command[10] | (uint64_t)command[11] << 32;
	uint64_t bus = command[6] | (uint64_t)command[7] << 32;
	uint32_t count = (command[12] & 0xffff) + 1;
	void *memory;

	bytes = count << c.block_order;
	if (command[1] != 1 || block >= BLOCKS || block + count > BLOCKS)
		return LBA_RANGE;
	if (bus % NVME_PAGE + bytes > NVME_PAGE)
		c.broken++; /* one PRP would not do */
	memory = translate(bus, bytes);
	if (!memory)
		return DATA_ERROR;
	if (opcode == 0x02)
		memcpy(memory, (uint8_t *)c.blocks + (block << c.block_order), bytes);
	else if (opcode == 0x01)
		memcpy((uint8_t *)c.blocks + (block << c.block_order), memory, bytes);
	else
		return BAD_OPCODE;
	return 0;
}

/* A completion over one that was not taken would be lost. */
static void complete(uint32_t id, uint32_t answer)
{
	struct queue *queue = &c.completion[id];
	uint32_t taken = *register_at(0x1000 + ((2 * id + 1) * 4 << c.stride_order));
	uint32_t *slot = translate(queue->bus + queue->tail * 16, 16);

	if ((queue->tail + 1) % queue->entries == taken)
		c.broken++;
	slot[2] = c.submission[id].head | id << 16;
	slot[3] = answer << 17 | (uint32_t)queue->phase << 16 | 0x77;
	queue->tail = (queue->tail + 1) % queue->entries;
	if (queue->tail == 0)
		queue->phase = !queue->phase;
}

static void run_queue(uint32_t id)
{
	struct queue *queue = &c.submission[id];
	uint32_t tail = *register_at(0x1000 + (2 * id * 4 << c.stride_order));

	if (!queue->entries || tail == queue->head)
		return;
	if (tail >= queue->entries) {
		c.broken++;
		return;
	}
	while (queue->head != tail) {
		const uint32_t *command = translate(queue->bus + queue->head * 64, 64);

		queue->head = (queue->head + 1) % queue->entries;
		c.commands++;
		complete(id, id ? run_io(command) : run_admin(command));
	}
}

static void switch_on(void)
{
	uint32_t sizes = *register_at(0x24);

	c.submission[0] = (struct queue){ .bus = register64(0x28), .entries = (sizes & 0xfff) + 1 };
	c.completion[0] = (struct queue){ .bus = register64(0x30),
					  .entries = (sizes >> 16 & 0xfff) + 1,
					  .phase = true };
	for (uint32_t i = 0; i < 4 * 4u << c.stride_order; i += 4)
		*register_at(0x1000 + i) = 0;
	if (*register_at(0x14) != 0x00460001 || c.submission[0].bus % NVME_PAGE ||
	    c.completion[0].bus % NVME_PAGE || c.submission[0].entries < 2)
		c.broken++;
	*register_at(0x1c) |= 1;
}

static void controller_step(void)
{
	uint32_t *status = register_at(0x1c);

	if (!(*register_at(0x14) & 1)) {
		*status = 0;
		memset(c.submission, 0, sizeof(c.submission));
		memset(c.completion, 0, sizeof(c.completion));
	} else if (!(*status & 1) && !c.never_ready && c.delay-- == 0) {
		switch_on();
	} else if (*status & 1) {
		run_queue(0);
		run_queue(1);
	}
}

/* ---- the engine's user ---- */

static int make_controller(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	memset(c.ram, 0xff, sizeof(c.ram)); /* phase bits of old: all ones */
	c.block_order = 9;
	c.delay = 3;
	*register_at(0) = 0x0f0007ff;
	*register_at(4) = 0x20;
	*register_at(0x1c) = 1; /* firmware left it on */
	*register_at(0x14) = 1;
	c.nvme = (struct nvme){ .registers = (uintptr_t)c.registers,
				.memory = &c.ram[MEMORY * NVME_PAGE],
				.memory_bus = BUS + MEMORY * NVME_PAGE };
	return 0;
}

static enum sp_status wait_for_it(void)
{
	enum sp_status status = SP_PENDING;

	for (int i = 0; i < 100 && status == SP_PENDING; i++) {
		controller_step();
		status = nvme_progress(&c.nvme);
	}
	return status;
}

static enum sp_status bring_up(void)
{
	enum sp_status status = nvme_begin(&c.nvme);

	return status == SP_OK ? wait_for_it() : status;
}

static uint32_t move(uint32_t page, uint32_t bytes, uint64_t block, enum nvme_direction direction)
{
	assert_int_equal(nvme_start(&c.nvme, BUS + page * NVME_PAGE, bytes, block, direction),
			 SP_OK);
	assert_int_equal(nvme_progress(&c.nvme), SP_PENDING);
	assert_int_equal(wait_for_it(), SP_OK);
	assert_int_equal(c.broken, 0);
	return c.nvme.answer;
}

/* ---- tests ---- */

static void a_controller_that_was_on_is_brought_up(void **state)
{
	(void)state;
	assert_int_equal(bring_up(), SP_OK);
	assert_int_equal(c.nvme.block_bytes, 512);
	assert_int_equal(c.commands, 3);
	assert_int_equal(c.broken, 0);
}

static void bytes_go_both_ways(void **state)
{
	uint8_t payload[1024];

	(void)state;
	assert_int_equal(bring_up(), SP_OK);
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + 1);
	memcpy(&c.ram[DATA * NVME_PAGE], payload, sizeof(payload));
	assert_int_equal(move(DATA, 1024, 3, NVME_FROM_BUS), 0);
	assert_memory_equal((uint8_t *)c.blocks + 3 * 512, payload, 1024);
	assert_int_equal(move(DATA + 1, 1024, 3, NVME_TO_BUS), 0);
	assert_memory_equal(&c.ram[(DATA + 1) * NVME_PAGE], payload, 1024);
	assert_int_equal(c.ram[(DATA + 1) * NVME_PAGE + 1024], 0xff);
}

static void a_blocked_transfer_is_answered_with_an_error(void **state)
{
	(void)state;
	assert_int_equal(bring_up(), SP_OK);
	assert_int_equal(move(BLOCKED, 512, 0, NVME_TO_BUS), DATA_ERROR);
	assert_int_equal(move(DATA, 512, 0, NVME_TO_BUS), 0);
	assert_int_equal(move(DATA, 512, BLOCKS, NVME_TO_BUS), LBA_RANGE);
}

/* Three rounds of the queues, each with the other phase. */
static void queues_go_round(void **state)
{
	(void)state;
	assert_int_equal(bring_up(), SP_OK);
	for (uint8_t i = 0; i < 50; i++) {
		c.blocks[0][0] = i;
		assert_int_equal(move(DATA, 512, 0, NVME_TO_BUS), 0);
		assert_int_equal(c.ram[DATA * NVME_PAGE], i);
	}
	assert_int_equal(c.commands, 3 + 50);
}

static void doorbells_may_stand_apart(void **state)
{
	(void)state;
	c.stride_order = 4;
	*register_at(4) |= 4;
	assert_int_equal(bring_up(), SP_OK);
	assert_int_equal(move(DATA, 512, 0, NVME_TO_BUS), 0);
}

static void blocks_may_be_as_large_as_a_page(void **state)
{
	(void)state;
	c.block_order = 12;
	assert_int_equal(bring_up(), SP_OK);
	assert_int_equal(move(DATA, NVME_PAGE, 1, NVME_TO_BUS), 0);
	assert_int_equal(nvme_start(&c.nvme, BUS, 512, 0, NVME_TO_BUS), SP_INVALID);
}

static void larger_blocks_are_refused(void **state)
{
	static const uint32_t orders[] = { 13, 31, 32, 255 };

	for (size_t i = 0; i < 4; i++) {
		make_controller(state);
		c.block_order = orders[i];
		assert_int_equal(bring_up(), SP_UNSUPPORTED);
		assert_int_equal(nvme_progress(&c.nvme), SP_LOST);
	}
}

/* Metadata would go where the command does not lead it: to 0. */
static void blocks_with_metadata_are_refused(void **state)
{
	static const uint32_t orders[] = { 9, 12 };

	for (size_t i = 0; i < 2; i++) {
		make_controller(state);
		c.block_order = orders[i];
		c.metadata = 8;
		assert_int_equal(bring_up(), SP_UNSUPPORTED);
		assert_int_equal(nvme_start(&c.nvme, BUS, 512, 0, NVME_TO_BUS), SP_BUSY);
	}
}

static void formats_beyond_the_sixteenth_are_refused(void **state)
{
	static const uint8_t more[] = { 0x20, 0x40 };

	for (size_t i = 0; i < 2; i++) {
		make_controller(state);
		c.more_format = more[i];
		assert_int_equal(bring_up(), SP_UNSUPPORTED);
	}
	/* Where metadata stands is of no interest while there is none. */
	make_controller(state);
	c.more_format = 0x10;
	assert_int_equal(bring_up(), SP_OK);
}

static void other_controllers_are_refused(void **state)
{
	static const uint32_t high[] = { 0, 0x10020, 0xf0020, 0x10 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		*register_at(4) = high[i];
		assert_int_equal(nvme_begin(&c.nvme), SP_UNSUPPORTED);
		assert_int_equal(*register_at(0x14), 1);
	}
}

static void a_refused_command_ends_the_bring_up(void **state)
{
	static const uint32_t opcodes[] = { 0x06, 0x05, 0x01 };

	for (size_t i = 0; i < 3; i++) {
		make_controller(state);
		c.refuses = opcodes[i];
		assert_int_equal(bring_up(), SP_UNSUPPORTED);
		assert_int_equal(c.nvme.answer, BAD_OPCODE);
		assert_int_equal(nvme_start(&c.nvme, BUS, 512, 0, NVME_TO_BUS), SP_BUSY);
	}
}

static void a_controller_that_never_gets_ready_keeps_nobody(void **state)
{
	(void)state;
	c.never_ready = true;
	assert_int_equal(bring_up(), SP_PENDING);
}

static void a_controller_that_fails_is_lost(void **state)
{
	(void)state;
	c.never_ready = true;
	assert_int_equal(bring_up(), SP_PENDING);
	*register_at(0x1c) = 2;
	assert_int_equal(nvme_progress(&c.nvme), SP_LOST);
	make_controller(state);
	assert_int_equal(bring_up(), SP_OK);
	assert_int_equal(nvme_start(&c.nvme, BUS, 512, 0, NVME_TO_BUS), SP_OK);
	*register_at(0x1c) |= 2;
	assert_int_equal(nvme_progress(&c.nvme), SP_LOST);
}

static void what_one_page_does_not_hold_is_refused(void **state)
{
	(void)state;
	assert_int_equal(nvme_start(&c.nvme, BUS, 512, 0, NVME_TO_BUS), SP_BUSY);
	assert_int_equal(bring_up(), SP_OK);
	assert_int_equal(nvme_start(&c.nvme, BUS, 0, 0, NVME_TO_BUS), SP_INVALID);
	assert_int_equal(nvme_start(&c.nvme, BUS, 100, 0, NVME_TO_BUS), SP_INVALID);
	assert_int_equal(nvme_start(&c.nvme, BUS, 8192, 0, NVME_TO_BUS), SP_INVALID);
	assert_int_equal(nvme_start(&c.nvme, BUS + 0xf00, 512, 0, NVME_TO_BUS), SP_INVALID);
	assert_int_equal(nvme_start(&c.nvme, BUS + 2, 512, 0, NVME_TO_BUS), SP_INVALID);
	assert_int_equal(nvme_start(&c.nvme, BUS + DATA * NVME_PAGE + 0xe00, 512, 0, NVME_TO_BUS),
			 SP_OK);
	assert_int_equal(nvme_start(&c.nvme, BUS, 512, 0, NVME_TO_BUS), SP_BUSY);
}

static void it_can_be_stopped_and_begun_again(void **state)
{
	(void)state;
	assert_int_equal(bring_up(), SP_OK);
	assert_int_equal(move(DATA, 512, 0, NVME_TO_BUS), 0);
	nvme_stop(&c.nvme);
	assert_false(nvme_is_off(&c.nvme));
	controller_step();
	assert_true(nvme_is_off(&c.nvme));
	c.delay = 1;
	assert_int_equal(bring_up(), SP_OK);
	assert_int_equal(move(DATA, 512, 0, NVME_TO_BUS), 0);
}

/* ---- secondary controllers ---- */

static void bring_up_for_questions(void)
{
	c.nvme.admin_only = true;
	assert_int_equal(bring_up(), SP_OK);
	assert_int_equal(c.commands, 0);
}

static uint32_t ask(struct nvme_admin command)
{
	assert_int_equal(nvme_ask(&c.nvme, &command), SP_OK);
	assert_int_equal(nvme_ask(&c.nvme, &command), SP_BUSY);
	assert_int_equal(wait_for_it(), SP_OK);
	assert_int_equal(c.broken, 0);
	return c.nvme.answer;
}

static void for_questions_no_namespace_is_needed(void **state)
{
	(void)state;
	c.refuses = 0x06;
	bring_up_for_questions();
	assert_int_equal(nvme_start(&c.nvme, BUS, 512, 0, NVME_TO_BUS), SP_BUSY);
}

static void what_can_be_given_away_is_told(void **state)
{
	struct nvme_flexible flexible[NVME_RESOURCES];

	(void)state;
	bring_up_for_questions();
	assert_int_equal(ask(nvme_ask_flexible()), 0);
	nvme_read_flexible(&c.nvme, flexible);
	assert_int_equal(flexible[NVME_QUEUES].total, 6);
	assert_int_equal(flexible[NVME_QUEUES].primary, 5);
	assert_int_equal(flexible[NVME_QUEUES].most, 2);
	assert_int_equal(flexible[NVME_INTERRUPTS].total, 0x10006);
}

static void secondaries_are_found_by_their_function(void **state)
{
	struct nvme_secondary found;

	(void)state;
	bring_up_for_questions();
	assert_int_equal(ask(nvme_ask_secondaries()), 0);
	assert_true(nvme_find_secondary(&c.nvme, 1, &found));
	assert_int_equal(found.controller, 2);
	assert_int_equal(found.queues, 3);
	assert_int_equal(found.interrupts, 0x104);
	assert_true(found.online);
	assert_true(nvme_find_secondary(&c.nvme, 2, &found));
	assert_false(found.online);
	assert_false(nvme_find_secondary(&c.nvme, 3, &found));
}

static void commands_are_what_the_specification_says(void **state)
{
	(void)state;
	bring_up_for_questions();
	assert_int_equal(ask(nvme_keep(NVME_INTERRUPTS, 0)), 0);
	assert_int_equal(c.asked[10], 0x00000101);
	assert_int_equal(ask(nvme_give(0x1234, NVME_INTERRUPTS, 3)), 0);
	assert_int_equal(c.asked[10], 0x12340108);
	assert_int_equal(c.asked[11], 3);
	assert_int_equal(ask(nvme_give(1, NVME_QUEUES, 7)), 0x120);
	assert_int_equal(ask(nvme_bring_online(2)), 0);
	assert_int_equal(c.asked[10], 0x00020009);
	assert_int_equal(ask(nvme_attach(&c.nvme, 5, 0x1234)), 0);
	assert_int_equal(c.asked[1], 5);
	assert_int_equal(c.asked[10], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_controller_that_was_on_is_brought_up, make_controller),
		cmocka_unit_test_setup(bytes_go_both_ways, make_controller),
		cmocka_unit_test_setup(a_blocked_transfer_is_answered_with_an_error,
				       make_controller),
		cmocka_unit_test_setup(queues_go_round, make_controller),
		cmocka_unit_test_setup(for_questions_no_namespace_is_needed, make_controller),
		cmocka_unit_test_setup(what_can_be_given_away_is_told, make_controller),
		cmocka_unit_test_setup(secondaries_are_found_by_their_function, make_controller),
		cmocka_unit_test_setup(commands_are_what_the_specification_says, make_controller),
		cmocka_unit_test_setup(doorbells_may_stand_apart, make_controller),
		cmocka_unit_test_setup(blocks_may_be_as_large_as_a_page, make_controller),
		cmocka_unit_test_setup(larger_blocks_are_refused, make_controller),
		cmocka_unit_test_setup(blocks_with_metadata_are_refused, make_controller),
		cmocka_unit_test_setup(formats_beyond_the_sixteenth_are_refused, make_controller),
		cmocka_unit_test_setup(other_controllers_are_refused, make_controller),
		cmocka_unit_test_setup(a_refused_command_ends_the_bring_up, make_controller),
		cmocka_unit_test_setup(a_controller_that_never_gets_ready_keeps_nobody,
				       make_controller),
		cmocka_unit_test_setup(a_controller_that_fails_is_lost, make_controller),
		cmocka_unit_test_setup(what_one_page_does_not_hold_is_refused, make_controller),
		cmocka_unit_test_setup(it_can_be_stopped_and_begun_again, make_controller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
