/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/perform_test.c - what an instruction does, against the CPU that runs this test.
 *
 *   the same bytes, registers and memory --> the CPU executes them
 *                                        '-> decode, perform
 *   and then registers, flags and memory must be the same
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "platform/metal/perform.h"

#define RSP    4
#define RBP    5
#define RDI    7
#define FLAGS  0x8d5ull /* carry, parity, adjust, zero, sign, overflow */
#define ADJUST 0x10ull
#define TRIES  40

/* In the order that native_run() knows. */
struct native {
	struct perform_registers registers;
	uint64_t own_rsp;
};

void native_run(struct native *native, const void *code);

/* All registers but RSP are the instruction's; the way back is on the stack. */
__asm__(".text\n"
	".globl native_run\n"
	"native_run:\n"
	"	push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
	"	push %rdi\n"
	"	push %rsi\n"
	"	push 128(%rdi)\n popf\n"
	"	mov 0(%rdi), %rax\n mov 8(%rdi), %rcx\n mov 16(%rdi), %rdx\n mov 24(%rdi), %rbx\n"
	"	mov 40(%rdi), %rbp\n mov 48(%rdi), %rsi\n mov 64(%rdi), %r8\n mov 72(%rdi), %r9\n"
	"	mov 80(%rdi), %r10\n mov 88(%rdi), %r11\n mov 96(%rdi), %r12\n"
	"	mov 104(%rdi), %r13\n mov 112(%rdi), %r14\n mov 120(%rdi), %r15\n"
	"	mov 56(%rdi), %rdi\n"
	"	call *(%rsp)\n"
	"	pushf\n"
	"	xchg %rdi, 16(%rsp)\n"
	"	mov %rax, 0(%rdi)\n mov %rcx, 8(%rdi)\n mov %rdx, 16(%rdi)\n mov %rbx, 24(%rdi)\n"
	"	mov %rbp, 40(%rdi)\n mov %rsi, 48(%rdi)\n mov %r8, 64(%rdi)\n mov %r9, 72(%rdi)\n"
	"	mov %r10, 80(%rdi)\n mov %r11, 88(%rdi)\n mov %r12, 96(%rdi)\n"
	"	mov %r13, 104(%rdi)\n mov %r14, 112(%rdi)\n mov %r15, 120(%rdi)\n"
	"	mov 16(%rsp), %rax\n mov %rax, 56(%rdi)\n"
	"	pop 128(%rdi)\n"
	"	add $16, %rsp\n"
	"	pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
	"	ret\n");

struct bench {
	uint8_t *code; /* a page that can be executed, and written */
	uint64_t *memory;
	uint64_t random;
};

static uint64_t next_random(struct bench *bench)
{
	bench->random ^= bench->random << 13;
	bench->random ^= bench->random >> 7;
	bench->random ^= bench->random << 17;
	return bench->random;
}

/* Values at whose edges flags change come often. */
static uint64_t some_value(struct bench *bench)
{
	static const uint64_t edges[] = { 0,	      1,	 0x7f,	    0x80,	0xff,
					  0x7fff,     0x8000,	 0xffff,    0x7fffffff, 0x80000000,
					  0xffffffff, INT64_MAX, UINT64_MAX };
	uint64_t random = next_random(bench);

	if (random & 1)
		return next_random(bench);
	return edges[(random >> 1) % (sizeof(edges) / sizeof(edges[0]))];
}

static int create_bench(void **state)
{
	static struct bench bench;
	void *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
			   MAP_PRIVATE | 0x20 /* anonymous */, -1, 0);

	if (pages == MAP_FAILED)
		return -1;
	bench = (struct bench){ pages, (uint64_t *)((uint8_t *)pages + 4096), 88172645463325252 };
	*state = &bench;
	return 0;
}

static int destroy_bench(void **state)
{
	const struct bench *bench = *state;

	return munmap(bench->code, 8192);
}

/* The memory operand is [rdi]. What an instruction does to RSP and RDI is not tried. */
static struct native some_registers(struct bench *bench)
{
	struct native native = { .own_rsp = 0 };

	for (uint32_t i = 0; i < 16; i++)
		native.registers.general[i] = some_value(bench);
	native.registers.general[RSP] = 0;
	native.registers.general[RDI] = (uintptr_t)bench->memory;
	native.registers.rflags = 0x202 | (next_random(bench) & FLAGS);
	return native;
}

/* The half that a hypervisor does, with `memory` for the device's register. */
static void perform(const struct instruction *instruction, struct perform_registers *registers,
		    uint64_t *memory)
{
	uint64_t read = 0, stored;

	if (decode_reads(instruction))
		memcpy(&read, memory, instruction->bytes);
	if (decode_writes(instruction)) {
		stored = perform_stored(instruction, registers, read);
		if (instruction->bytes < 8)
			assert_true(stored >> 8 * instruction->bytes == 0);
		memcpy(memory, &stored, instruction->bytes);
	}
	perform_finish(instruction, registers, read);
}

static void try_once(struct bench *bench, const struct instruction *instruction)
{
	struct native native = some_registers(bench);
	struct perform_registers ours = native.registers;
	uint64_t memory = some_value(bench), compared = FLAGS;

	*bench->memory = memory;
	perform(instruction, &ours, &memory);
	native_run(&native, bench->code);
	if (instruction->verb != VERB_COMPARE)
		compared &= ~ADJUST; /* not defined after logic */
	assert_true(*bench->memory == memory);
	assert_true((native.registers.rflags & compared) == (ours.rflags & compared));
	for (uint32_t i = 0; i < 16; i++)
		assert_true(native.registers.general[i] == ours.general[i]);
}

static void try_code(struct bench *bench, const uint8_t *code, size_t count)
{
	struct instruction instruction;

	memcpy(bench->code, code, count);
	bench->code[count] = 0xc3; /* RET */
	assert_int_equal(decode(code, count, DECODE_64, &instruction), DECODE_OK);
	assert_int_equal(instruction.length, count);
	for (int i = 0; i < TRIES; i++)
		try_once(bench, &instruction);
}

/* Would the instruction write RDI (or RSP, or half of it) the test would lose its way. */
static bool is_tried(uint8_t rex, uint8_t reg, bool is_byte)
{
	int number = reg | (rex & 4 ? 8 : 0);

	if (is_byte && rex == 0)
		return true; /* AH to BH */
	return number != RSP && number != RDI;
}

/* Each prefix that changes a width, then each register. */
static void try_opcode(struct bench *bench, const uint8_t *opcode, size_t opcode_bytes,
		       bool is_byte)
{
	static const uint8_t rexes[] = { 0, 0x40, 0x44, 0x48, 0x4c };

	for (uint32_t i = 0; i < sizeof(rexes) * 2; i++) {
		uint8_t rex = rexes[i / 2];

		for (uint8_t reg = 0; reg < 8; reg++) {
			uint8_t code[8];
			size_t count = 0;

			if (!is_tried(rex, reg, is_byte))
				continue;
			if (i % 2)
				code[count++] = 0x66;
			if (rex)
				code[count++] = rex;
			memcpy(code + count, opcode, opcode_bytes);
			count += opcode_bytes;
			code[count++] = (uint8_t)(reg << 3 | RDI);
			try_code(bench, code, count);
		}
	}
}

static void one_byte_opcodes_do_what_the_cpu_does(void **state)
{
	static const uint8_t opcodes[] = { 0x88, 0x89, 0x8a, 0x8b, 0x86, 0x87, 0x84, 0x85,
					   0x08, 0x09, 0x0a, 0x0b, 0x20, 0x21, 0x22, 0x23,
					   0x30, 0x31, 0x32, 0x33, 0x38, 0x39, 0x3a, 0x3b };

	for (size_t i = 0; i < sizeof(opcodes); i++)
		try_opcode(*state, &opcodes[i], 1, !(opcodes[i] & 1));
}

static void loads_that_extend_do_what_the_cpu_does(void **state)
{
	static const uint8_t opcodes[] = { 0xb6, 0xb7, 0xbe, 0xbf };

	for (size_t i = 0; i < sizeof(opcodes); i++)
		try_opcode(*state, (const uint8_t[]){ 0x0f, opcodes[i] }, 2, false);
	try_code(*state, (const uint8_t[]){ 0x48, 0x63, 0x07 }, 3);
	try_code(*state, (const uint8_t[]){ 0x4c, 0x63, 0x3f }, 3);
}

/* Opcode and digit, with immediates at the edges. */
static void try_immediate(struct bench *bench, uint8_t opcode, uint8_t digit, size_t bytes)
{
	static const uint32_t values[] = { 0,	       1,	   0x7f,       0x80,
					   0x7fffffff, 0x80000000, 0xffffffff, 0x12345678 };
	static const uint8_t prefixes[] = { 0, 0x66, 0x48 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]) * sizeof(prefixes); i++) {
		uint8_t prefix = prefixes[i % sizeof(prefixes)], code[8];
		size_t count = 0;

		if (prefix)
			code[count++] = prefix;
		code[count++] = opcode;
		code[count++] = (uint8_t)(digit << 3 | RDI);
		memcpy(code + count, &values[i / sizeof(prefixes)], 4);
		count += bytes == 4 && prefix == 0x66 ? 2 : bytes;
		try_code(bench, code, count);
	}
}

static void immediates_do_what_the_cpu_does(void **state)
{
	static const uint8_t digits[] = { 1, 4, 6, 7 };

	for (size_t i = 0; i < sizeof(digits); i++) {
		try_immediate(*state, 0x80, digits[i], 1);
		try_immediate(*state, 0x81, digits[i], 4);
		try_immediate(*state, 0x83, digits[i], 1);
	}
	try_immediate(*state, 0xc6, 0, 1);
	try_immediate(*state, 0xc7, 0, 4);
	try_immediate(*state, 0xf6, 0, 1);
	try_immediate(*state, 0xf7, 0, 4);
}

static void offsets_do_what_the_cpu_does(void **state)
{
	struct bench *bench = *state;

	for (uint8_t opcode = 0xa0; opcode <= 0xa3; opcode++) {
		uint8_t code[10] = { 0x48, opcode };
		uint64_t address = (uintptr_t)bench->memory;

		memcpy(code + 2, &address, 8);
		try_code(bench, code, 10);
		try_code(bench, code + 1, 9);
	}
}

static uint64_t address_of(const uint8_t *code, size_t count, enum decode_mode mode)
{
	struct perform_registers registers = { .rflags = 2 };
	struct instruction instruction;

	for (uint64_t i = 0; i < 16; i++)
		registers.general[i] = 0x1000000100000 * i;
	registers.general[RBP] = 0xfffffffffffffff0;
	assert_int_equal(decode(code, count, mode, &instruction), DECODE_OK);
	return perform_address(&instruction, &registers, 0x400000);
}

static void addresses_are_sums_cut_to_their_width(void **state)
{
	(void)state;
	/* mov [rcx + rdx * 4 + 0x10], eax; the same with 32-bit addresses */
	assert_true(address_of((const uint8_t[]){ 0x89, 0x44, 0x91, 0x10 }, 4, DECODE_64) ==
		    0x9000000900010);
	assert_true(address_of((const uint8_t[]){ 0x67, 0x89, 0x44, 0x91, 0x10 }, 5, DECODE_64) ==
		    0x900010);
	/* mov [rip + 0x10], eax */
	assert_true(address_of((const uint8_t[]){ 0x89, 0x05, 0x10, 0, 0, 0 }, 6, DECODE_64) ==
		    0x400016);
	/* mov [rbp + 0x20], eax wraps around */
	assert_true(address_of((const uint8_t[]){ 0x89, 0x45, 0x20 }, 3, DECODE_64) == 0x10);
	/* mov [bp + 0x20], ax */
	assert_true(address_of((const uint8_t[]){ 0x89, 0x46, 0x20 }, 3, DECODE_16) == 0x10);
	/* mov [0xfee00300], eax: a displacement is extended by its sign in 64-bit mode alone */
	assert_true(address_of((const uint8_t[]){ 0x89, 0x05, 0, 3, 0xe0, 0xfe }, 6, DECODE_32) ==
		    0xfee00300);
	assert_true(address_of((const uint8_t[]){ 0x89, 0x04, 0x25, 0, 3, 0xe0, 0xfe }, 7,
			       DECODE_64) == 0xfffffffffee00300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_byte_opcodes_do_what_the_cpu_does),
		cmocka_unit_test(loads_that_extend_do_what_the_cpu_does),
		cmocka_unit_test(immediates_do_what_the_cpu_does),
		cmocka_unit_test(offsets_do_what_the_cpu_does),
		cmocka_unit_test(addresses_are_sums_cut_to_their_width),
	};

	return cmocka_run_group_tests(tests, create_bench, destroy_bench);
}
