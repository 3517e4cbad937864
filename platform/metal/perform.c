/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/perform.c - carries out an instruction that decode.h understood.
 * APM vol. 3, chapter 3; vol. 1, 3.1.4 (flags).
 */
#include "platform/metal/perform.h"

#define FLAG_CARRY    0x001ull
#define FLAG_PARITY   0x004ull
#define FLAG_ADJUST   0x010ull
#define FLAG_ZERO     0x040ull
#define FLAG_SIGN     0x080ull
#define FLAG_OVERFLOW 0x800ull
#define FLAGS	      (FLAG_CARRY | FLAG_PARITY | FLAG_ADJUST | FLAG_ZERO | FLAG_SIGN | FLAG_OVERFLOW)

/* A shift by 64 is undefined, hence the whole width by itself. */
static uint64_t cut(uint64_t value, uint32_t bytes)
{
	return bytes == 8 ? value : value & ((1ull << 8 * bytes) - 1);
}

static uint64_t sign_of(uint64_t value, uint32_t bytes)
{
	return value >> (8 * bytes - 1) & 1;
}

/* MOVZX and MOVSX; for loads of one width the register is cut to it afterwards. */
static uint64_t extend(uint64_t value, uint32_t bytes, bool sign)
{
	if (sign && sign_of(value, bytes))
		return value | ~cut(~0ull, bytes);
	return cut(value, bytes);
}

static uint64_t address_part(const struct instruction *instruction,
			     const struct perform_registers *registers, uint8_t number,
			     uint64_t rip)
{
	if (number == DECODE_RIP)
		return rip + instruction->length;
	return number == DECODE_NO_REGISTER ? 0 : registers->general[number];
}

/* Wraps around in its own width, as the CPU's does. */
uint64_t perform_address(const struct instruction *instruction,
			 const struct perform_registers *registers, uint64_t rip)
{
	const struct decode_address *address = &instruction->address;
	uint64_t base = address_part(instruction, registers, address->base, rip);
	uint64_t index = address_part(instruction, registers, address->index, rip);

	return cut(base + index * address->scale + (uint64_t)address->displacement, address->bytes);
}

/* The operand that is not in memory. */
static uint64_t other_operand(const struct instruction *instruction,
			      const struct perform_registers *registers)
{
	uint64_t value;

	if (instruction->has_immediate)
		return cut(instruction->immediate, instruction->bytes);
	value = registers->general[instruction->reg];
	return cut(instruction->high_byte ? value >> 8 : value, instruction->bytes);
}

/* Loads and stores combine nothing: what is stored is the other operand. */
static uint64_t combine(enum decode_verb verb, uint64_t first, uint64_t second)
{
	switch (verb) {
	case VERB_AND:
	case VERB_TEST:
		return first & second;
	case VERB_OR:
		return first | second;
	case VERB_XOR:
		return first ^ second;
	case VERB_COMPARE:
		return first - second;
	case VERB_LOAD:
	case VERB_STORE:
	case VERB_EXCHANGE:
		break;
	}
	return second;
}

/* For XCHG and MOV this does not depend on what was read. */
uint64_t perform_stored(const struct instruction *instruction,
			const struct perform_registers *registers, uint64_t read)
{
	uint64_t other = other_operand(instruction, registers);

	return combine(instruction->verb, cut(read, instruction->bytes), other);
}

/* APM vol. 1, 3.1.2: 32 bits clear what is above them, 8 and 16 leave it. */
static void put_register(const struct instruction *instruction, struct perform_registers *registers,
			 uint64_t value)
{
	uint64_t *reg = &registers->general[instruction->reg];
	uint32_t bytes = instruction->register_bytes;
	uint64_t mask = cut(~0ull, bytes);

	if (instruction->high_byte)
		*reg = (*reg & ~0xff00ull) | cut(value, 1) << 8;
	else if (bytes >= 4)
		*reg = cut(value, bytes);
	else
		*reg = (*reg & ~mask) | (value & mask);
}

/* Logic clears carry, overflow and, where the manual leaves it open, the adjust flag. */
static uint64_t flags_of(enum decode_verb verb, uint64_t first, uint64_t second, uint32_t bytes)
{
	uint64_t result = cut(combine(verb, first, second), bytes), flags = 0;

	if (result == 0)
		flags |= FLAG_ZERO;
	if (sign_of(result, bytes))
		flags |= FLAG_SIGN;
	if (!__builtin_parity((unsigned int)(result & 0xff)))
		flags |= FLAG_PARITY;
	if (verb != VERB_COMPARE)
		return flags;
	if (first < second)
		flags |= FLAG_CARRY;
	if ((first & 0xf) < (second & 0xf))
		flags |= FLAG_ADJUST;
	if (sign_of((first ^ second) & (first ^ result), bytes))
		flags |= FLAG_OVERFLOW;
	return flags;
}

/* Which operand is first matters to CMP alone: it subtracts the second. */
static void compute(const struct instruction *instruction, struct perform_registers *registers,
		    uint64_t read)
{
	uint64_t other = other_operand(instruction, registers);
	uint64_t first = instruction->to_register ? other : read;
	uint64_t second = instruction->to_register ? read : other;

	registers->rflags = (registers->rflags & ~FLAGS) |
			    flags_of(instruction->verb, first, second, instruction->bytes);
	if (instruction->to_register && instruction->verb != VERB_COMPARE)
		put_register(instruction, registers, combine(instruction->verb, first, second));
}

/* The register's old value was needed for the store: so registers change last. */
void perform_finish(const struct instruction *instruction, struct perform_registers *registers,
		    uint64_t read)
{
	read = cut(read, instruction->bytes);
	switch (instruction->verb) {
	case VERB_LOAD:
		put_register(instruction, registers,
			     extend(read, instruction->bytes, instruction->sign));
		return;
	case VERB_EXCHANGE:
		put_register(instruction, registers, read);
		return;
	case VERB_STORE:
		return;
	case VERB_AND:
	case VERB_OR:
	case VERB_XOR:
	case VERB_TEST:
	case VERB_COMPARE:
		break;
	}
	compute(instruction, registers, read);
}
