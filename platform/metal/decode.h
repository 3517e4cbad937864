/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/decode.h - instructions that touch a trapped page, from their bytes.
 *
 *   [prefixes] [REX] opcode [ModRM [SIB]] [displacement] [immediate]
 *
 * Known are those that a kernel's accessors to device registers are made of: MOV, MOVZX, MOVSX,
 * MOVSXD, XCHG, TEST, CMP, AND, OR and XOR with one operand in memory. Everything else is refused
 * with a reason. Nothing here touches memory or knows of guests; perform.h carries out what was
 * decoded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECODE_BYTES_MAX 15u /* APM vol. 3, 1.1: the longest instruction */

/* Of the code segment: D and L of its descriptor (APM vol. 3, 1.1.3). */
enum decode_mode {
	DECODE_16,
	DECODE_32,
	DECODE_64,
};

enum decode_result {
	DECODE_OK,
	DECODE_NO_MOVE,	  /* none of the instructions above */
	DECODE_NO_MEMORY, /* its operands are registers: not what touched the page */
	DECODE_LOCKED,
	DECODE_REPEATED,
	DECODE_TOO_LONG, /* more than DECODE_BYTES_MAX bytes: the CPU would refuse it too */
	DECODE_CUT,	 /* goes on behind the bytes that were given */
	DECODE_RESULT_COUNT
};

enum decode_verb {
	VERB_LOAD,  /* memory to register, extended where that is wider */
	VERB_STORE, /* register or immediate to memory */
	VERB_EXCHANGE,
	VERB_AND,
	VERB_OR,
	VERB_XOR,
	VERB_TEST,    /* as AND, but only the flags change */
	VERB_COMPARE, /* as a subtraction, but only the flags change */
};

/* Beside the numbers 0 to 15 of the general registers, in the order of their encoding. */
#define DECODE_NO_REGISTER 0xffu
#define DECODE_RIP	   0xfeu /* the address of the next instruction */

/* The encoding's order of segment registers. */
#define DECODE_ES	   0u
#define DECODE_CS	   1u
#define DECODE_SS	   2u
#define DECODE_DS	   3u
#define DECODE_FS	   4u
#define DECODE_GS	   5u
#define DECODE_NO_SEGMENT  0xffu /* not overridden */

/* base + index * scale + displacement, cut to `bytes`. */
struct decode_address {
	uint8_t base, index, scale;
	uint8_t segment;
	uint8_t bytes; /* 2, 4, 8 */
	int64_t displacement;
};

struct instruction {
	enum decode_verb verb;
	uint8_t length;
	uint8_t bytes;		/* of the access to memory: 1, 2, 4, 8 */
	uint8_t register_bytes; /* of the other operand; wider than `bytes` where a load extends */
	bool sign;		/* extended by its sign, else by zeros */
	bool to_register;	/* the register is the first operand, memory the second */
	bool has_immediate;	/* instead of a register */
	bool high_byte;		/* AH, CH, DH, BH: bits 15:8 of registers 0 to 3 */
	uint8_t reg;
	uint64_t immediate; /* extended by its sign to 64 bits */
	struct decode_address address;
};

/*
 * `count` bytes at `code` are at hand; more than DECODE_BYTES_MAX are not looked at. After a
 * refusal only instruction->length means something: how many bytes were looked at.
 */
enum decode_result decode(const uint8_t *code, size_t count, enum decode_mode mode,
			  struct instruction *instruction);

/* "instruction 0f 01 at 0x1000: not a move"; `looked_at` of the bytes are shown. */
struct decode_text {
	char chars[160];
};
struct decode_text decode_explain(enum decode_result result, const uint8_t *code, uint8_t looked_at,
				  uint64_t rip);

static inline bool decode_reads(const struct instruction *instruction)
{
	return instruction->verb != VERB_STORE;
}

/* TEST and CMP never, the others where memory is the first operand; XCHG always. */
static inline bool decode_writes(const struct instruction *instruction)
{
	if (instruction->verb == VERB_TEST || instruction->verb == VERB_COMPARE)
		return false;
	return instruction->verb == VERB_EXCHANGE || !instruction->to_register;
}
