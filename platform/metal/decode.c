/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/decode.c - instructions that touch a trapped page, from their bytes.
 * APM vol. 3, chapter 1 (encoding), appendix A (opcode maps).
 *
 *   read_prefixes -> read_opcode: a row of forms[] -> read_modrm (or an offset) -> read_immediate
 *
 * The guest wrote the bytes, and another of its CPUs may have changed them since they were
 * executed: whoever asks still applies to the answer all that holds for the page.
 */
#include "platform/metal/decode.h"

#include "platform/metal/print.h"

/* Where the two operands are, besides the one in memory. */
enum other {
	OTHER_REGISTER, /* ModRM.reg */
	OTHER_ACCUMULATOR,
	OTHER_IMMEDIATE, /* as wide as memory, but at most 4 bytes */
	OTHER_IMMEDIATE8,
};

#define TWO_BYTE  0x0f00u /* opcodes behind 0f */
#define ANY_DIGIT 0xffu

struct form {
	uint16_t opcode;
	uint8_t digit; /* ModRM.reg, where it belongs to the opcode */
	enum decode_verb verb;
	enum other other;
	bool to_register;
	bool sign;
	uint8_t bytes; /* of memory; 0: the operand size */
};

/* clang-format off */
static const struct form forms[] = {
	{0x88, ANY_DIGIT, VERB_STORE, OTHER_REGISTER, false, false, 1},
	{0x89, ANY_DIGIT, VERB_STORE, OTHER_REGISTER, false, false, 0},
	{0x8a, ANY_DIGIT, VERB_LOAD, OTHER_REGISTER, true, false, 1},
	{0x8b, ANY_DIGIT, VERB_LOAD, OTHER_REGISTER, true, false, 0},
	{0xa0, ANY_DIGIT, VERB_LOAD, OTHER_ACCUMULATOR, true, false, 1},
	{0xa1, ANY_DIGIT, VERB_LOAD, OTHER_ACCUMULATOR, true, false, 0},
	{0xa2, ANY_DIGIT, VERB_STORE, OTHER_ACCUMULATOR, false, false, 1},
	{0xa3, ANY_DIGIT, VERB_STORE, OTHER_ACCUMULATOR, false, false, 0},
	{0xc6, 0, VERB_STORE, OTHER_IMMEDIATE, false, false, 1},
	{0xc7, 0, VERB_STORE, OTHER_IMMEDIATE, false, false, 0},

	{TWO_BYTE | 0xb6, ANY_DIGIT, VERB_LOAD, OTHER_REGISTER, true, false, 1}, /* MOVZX */
	{TWO_BYTE | 0xb7, ANY_DIGIT, VERB_LOAD, OTHER_REGISTER, true, false, 2},
	{TWO_BYTE | 0xbe, ANY_DIGIT, VERB_LOAD, OTHER_REGISTER, true, true, 1}, /* MOVSX */
	{TWO_BYTE | 0xbf, ANY_DIGIT, VERB_LOAD, OTHER_REGISTER, true, true, 2},
	{0x63, ANY_DIGIT, VERB_LOAD, OTHER_REGISTER, true, true, 4}, /* MOVSXD: is_movsxd() */

	{0x86, ANY_DIGIT, VERB_EXCHANGE, OTHER_REGISTER, false, false, 1},
	{0x87, ANY_DIGIT, VERB_EXCHANGE, OTHER_REGISTER, false, false, 0},
	{0x84, ANY_DIGIT, VERB_TEST, OTHER_REGISTER, false, false, 1},
	{0x85, ANY_DIGIT, VERB_TEST, OTHER_REGISTER, false, false, 0},
	{0xf6, 0, VERB_TEST, OTHER_IMMEDIATE, false, false, 1},
	{0xf7, 0, VERB_TEST, OTHER_IMMEDIATE, false, false, 0},

	{0x08, ANY_DIGIT, VERB_OR, OTHER_REGISTER, false, false, 1},
	{0x09, ANY_DIGIT, VERB_OR, OTHER_REGISTER, false, false, 0},
	{0x0a, ANY_DIGIT, VERB_OR, OTHER_REGISTER, true, false, 1},
	{0x0b, ANY_DIGIT, VERB_OR, OTHER_REGISTER, true, false, 0},
	{0x20, ANY_DIGIT, VERB_AND, OTHER_REGISTER, false, false, 1},
	{0x21, ANY_DIGIT, VERB_AND, OTHER_REGISTER, false, false, 0},
	{0x22, ANY_DIGIT, VERB_AND, OTHER_REGISTER, true, false, 1},
	{0x23, ANY_DIGIT, VERB_AND, OTHER_REGISTER, true, false, 0},
	{0x30, ANY_DIGIT, VERB_XOR, OTHER_REGISTER, false, false, 1},
	{0x31, ANY_DIGIT, VERB_XOR, OTHER_REGISTER, false, false, 0},
	{0x32, ANY_DIGIT, VERB_XOR, OTHER_REGISTER, true, false, 1},
	{0x33, ANY_DIGIT, VERB_XOR, OTHER_REGISTER, true, false, 0},
	{0x38, ANY_DIGIT, VERB_COMPARE, OTHER_REGISTER, false, false, 1},
	{0x39, ANY_DIGIT, VERB_COMPARE, OTHER_REGISTER, false, false, 0},
	{0x3a, ANY_DIGIT, VERB_COMPARE, OTHER_REGISTER, true, false, 1},
	{0x3b, ANY_DIGIT, VERB_COMPARE, OTHER_REGISTER, true, false, 0},

	{0x80, 1, VERB_OR, OTHER_IMMEDIATE, false, false, 1},
	{0x80, 4, VERB_AND, OTHER_IMMEDIATE, false, false, 1},
	{0x80, 6, VERB_XOR, OTHER_IMMEDIATE, false, false, 1},
	{0x80, 7, VERB_COMPARE, OTHER_IMMEDIATE, false, false, 1},
	{0x81, 1, VERB_OR, OTHER_IMMEDIATE, false, false, 0},
	{0x81, 4, VERB_AND, OTHER_IMMEDIATE, false, false, 0},
	{0x81, 6, VERB_XOR, OTHER_IMMEDIATE, false, false, 0},
	{0x81, 7, VERB_COMPARE, OTHER_IMMEDIATE, false, false, 0},
	{0x83, 1, VERB_OR, OTHER_IMMEDIATE8, false, false, 0},
	{0x83, 4, VERB_AND, OTHER_IMMEDIATE8, false, false, 0},
	{0x83, 6, VERB_XOR, OTHER_IMMEDIATE8, false, false, 0},
	{0x83, 7, VERB_COMPARE, OTHER_IMMEDIATE8, false, false, 0},
};
/* clang-format on */

#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

#define REX_FIRST  0x40u
#define REX_MASK   0xf0u
#define REX_W	   0x08u
#define REX_R	   0x04u
#define REX_X	   0x02u
#define REX_B	   0x01u

/* The bytes, and what was learned from them so far. */
struct reader {
	const uint8_t *code;
	size_t count;
	size_t at;
	bool ran_out;
	enum decode_mode mode;
	bool operand_override, address_override, lock, repeat;
	uint8_t rex; /* 0: none */
	uint8_t segment;
};

/* Behind the end there are zeros, which nobody sees: ran_out is looked at in the end. */
static uint8_t next_byte(struct reader *reader)
{
	if (reader->at == reader->count) {
		reader->ran_out = true;
		return 0;
	}
	return reader->code[reader->at++];
}

/* Little-endian, extended by its sign. */
static int64_t read_signed(struct reader *reader, uint32_t bytes)
{
	uint64_t value = 0, sign = 1ull << (8 * bytes - 1);

	for (uint32_t i = 0; i < bytes; i++)
		value |= (uint64_t)next_byte(reader) << 8 * i;
	return (int64_t)((value ^ sign) - sign);
}

static bool is_prefix(struct reader *reader, uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		/* APM vol. 3, 1.2.4: 64-bit mode ignores these four. */
		if (reader->mode != DECODE_64)
			reader->segment = (uint8_t)(byte >> 3 & 3);
		return true;
	case 0x64:
	case 0x65:
		reader->segment = byte & 7;
		return true;
	case 0x66:
		reader->operand_override = true;
		return true;
	case 0x67:
		reader->address_override = true;
		return true;
	case 0xf0:
		reader->lock = true;
		return true;
	case 0xf2:
	case 0xf3:
		reader->repeat = true;
		return true;
	}
	return false;
}

/* 1.2.7: REX counts only directly before the opcode. Returns the opcode's first byte. */
static uint8_t read_prefixes(struct reader *reader)
{
	uint8_t byte = next_byte(reader);

	for (;; byte = next_byte(reader)) {
		if (reader->mode == DECODE_64 && (byte & REX_MASK) == REX_FIRST)
			reader->rex = byte;
		else if (is_prefix(reader, byte))
			reader->rex = 0;
		else
			return byte;
	}
}

/* 1.2.2, table 1-2: REX.W wins over the override. */
static uint8_t operand_bytes(const struct reader *reader)
{
	bool wide = reader->mode != DECODE_16;

	if (reader->rex & REX_W)
		return 8;
	return wide != reader->operand_override ? 4 : 2;
}

/* 1.2.3, table 1-3. There are no 16-bit addresses in 64-bit mode. */
static uint8_t address_bytes(const struct reader *reader)
{
	switch (reader->mode) {
	case DECODE_16:
		return reader->address_override ? 4 : 2;
	case DECODE_32:
		return reader->address_override ? 2 : 4;
	case DECODE_64:
		break;
	}
	return reader->address_override ? 4 : 8;
}

/* Without REX.W this opcode moves 32 bits to 32, and outside 64-bit mode it is ARPL. */
static bool is_movsxd(const struct reader *reader)
{
	return reader->mode == DECODE_64 && reader->rex & REX_W;
}

/* Where ModRM is not at hand any row will do: reading it then says that bytes are missing. */
static bool has_digit(const struct reader *reader, uint8_t digit)
{
	return digit == ANY_DIGIT || reader->at == reader->count ||
	       digit == (reader->code[reader->at] >> 3 & 7);
}

static const struct form *find_form(const struct reader *reader, uint16_t opcode)
{
	if (opcode == 0x63 && !is_movsxd(reader))
		return NULL;
	for (size_t i = 0; i < FORM_COUNT; i++) {
		if (forms[i].opcode == opcode && has_digit(reader, forms[i].digit))
			return &forms[i];
	}
	return NULL;
}

/* Behind 0f 38, 0f 3a, VEX and EVEX is nothing of ours: their first bytes find no row. */
static const struct form *read_opcode(struct reader *reader)
{
	uint16_t opcode = read_prefixes(reader);

	if (opcode == TWO_BYTE >> 8)
		opcode = (uint16_t)(TWO_BYTE | next_byte(reader));
	return find_form(reader, opcode);
}

/* 1.4.2, table 1-14: the pairs of 16-bit addresses. */
static void read_address16(struct reader *reader, uint8_t mod, uint8_t rm,
			   struct decode_address *address)
{
	static const uint8_t base[8] = { 3, 3, 5, 5, 6, 7, 5, 3 };
	static const uint8_t index[4] = { 6, 7, 6, 7 };

	if (mod == 0 && rm == 6) {
		address->displacement = read_signed(reader, 2);
		return;
	}
	address->base = base[rm];
	if (rm < 4)
		address->index = index[rm];
	if (mod != 0)
		address->displacement = read_signed(reader, mod);
}

/* 1.4.3: index 4 is none unless REX.X makes it 12; base 5 without displacement is none. */
static void read_sib(struct reader *reader, uint8_t mod, struct decode_address *address)
{
	uint8_t sib = next_byte(reader);
	uint8_t index = (uint8_t)((sib >> 3 & 7) | (reader->rex & REX_X ? 8 : 0));

	address->scale = (uint8_t)(1u << (sib >> 6));
	if (index != 4)
		address->index = index;
	if ((sib & 7) == 5 && mod == 0)
		address->displacement = read_signed(reader, 4);
	else
		address->base = (uint8_t)((sib & 7) | (reader->rex & REX_B ? 8 : 0));
}

/* 1.4.4, 1.7: in 64-bit mode the lone displacement counts from the next instruction. */
static void read_address32(struct reader *reader, uint8_t mod, uint8_t rm,
			   struct decode_address *address)
{
	if (rm == 4) {
		read_sib(reader, mod, address);
	} else if (mod == 0 && rm == 5) {
		address->displacement = read_signed(reader, 4);
		if (reader->mode == DECODE_64)
			address->base = DECODE_RIP;
	} else {
		address->base = (uint8_t)(rm | (reader->rex & REX_B ? 8 : 0));
	}
	if (mod == 1)
		address->displacement = read_signed(reader, 1);
	else if (mod == 2)
		address->displacement = read_signed(reader, 4);
}

/* 1.2.7: with any REX the numbers 4 to 7 are SPL to DIL, without they are AH to BH. */
static void set_register(const struct reader *reader, uint8_t number,
			 struct instruction *instruction)
{
	if (instruction->register_bytes == 1 && reader->rex == 0 && number >= 4) {
		instruction->high_byte = true;
		number -= 4;
	}
	instruction->reg = (uint8_t)(number | (reader->rex & REX_R ? 8 : 0));
}

static bool read_modrm(struct reader *reader, struct instruction *instruction)
{
	uint8_t modrm = next_byte(reader);
	uint8_t mod = modrm >> 6, rm = modrm & 7;

	if (!instruction->has_immediate)
		set_register(reader, modrm >> 3 & 7, instruction);
	if (mod == 3)
		return false;
	if (instruction->address.bytes == 2)
		read_address16(reader, mod, rm, &instruction->address);
	else
		read_address32(reader, mod, rm, &instruction->address);
	return true;
}

/* Of the widths only loads with a width of their own have two. */
static void begin(const struct reader *reader, const struct form *form,
		  struct instruction *instruction)
{
	uint8_t operand = operand_bytes(reader);

	instruction->verb = form->verb;
	instruction->to_register = form->to_register;
	instruction->sign = form->sign;
	instruction->bytes = form->bytes ? form->bytes : operand;
	instruction->register_bytes = instruction->bytes;
	if (form->opcode >= TWO_BYTE || form->sign)
		instruction->register_bytes = operand;
	instruction->has_immediate =
		form->other == OTHER_IMMEDIATE || form->other == OTHER_IMMEDIATE8;
	instruction->reg = instruction->has_immediate ? DECODE_NO_REGISTER : 0;
	instruction->address = (struct decode_address){
		.base = DECODE_NO_REGISTER,
		.index = DECODE_NO_REGISTER,
		.scale = 1,
		.segment = reader->segment,
		.bytes = address_bytes(reader),
	};
}

/* Immediates stand behind the displacement, so ModRM is read to its end first. */
static bool read_operands(struct reader *reader, const struct form *form,
			  struct instruction *instruction)
{
	if (form->other == OTHER_ACCUMULATOR) {
		instruction->address.displacement = read_signed(reader, instruction->address.bytes);
		return true;
	}
	if (!read_modrm(reader, instruction))
		return false;
	if (form->other == OTHER_IMMEDIATE8)
		instruction->immediate = (uint64_t)read_signed(reader, 1);
	else if (form->other == OTHER_IMMEDIATE)
		instruction->immediate = (uint64_t)read_signed(
			reader, instruction->bytes < 4 ? instruction->bytes : 4);
	return true;
}

/* Whoever runs out of bytes decides on zeros that are not there: that is said first. */
static enum decode_result judge(const struct reader *reader, bool known, bool has_memory)
{
	if (reader->ran_out)
		return reader->count == DECODE_BYTES_MAX ? DECODE_TOO_LONG : DECODE_CUT;
	if (!known)
		return DECODE_NO_MOVE;
	if (!has_memory)
		return DECODE_NO_MEMORY;
	if (reader->lock)
		return DECODE_LOCKED;
	return reader->repeat ? DECODE_REPEATED : DECODE_OK;
}

/* The whole instruction is read before it is judged: its length is a part of every answer. */
enum decode_result decode(const uint8_t *code, size_t count, enum decode_mode mode,
			  struct instruction *instruction)
{
	struct reader reader = {
		.code = code,
		.count = count < DECODE_BYTES_MAX ? count : DECODE_BYTES_MAX,
		.mode = mode,
		.segment = DECODE_NO_SEGMENT,
	};
	const struct form *form;
	bool has_memory = false;

	*instruction = (struct instruction){ .length = 0 };
	form = read_opcode(&reader);
	if (form != NULL) {
		begin(&reader, form, instruction);
		has_memory = read_operands(&reader, form, instruction);
	}
	instruction->length = (uint8_t)reader.at;
	return judge(&reader, form != NULL, has_memory);
}

static const char *text_of(enum decode_result result)
{
	static const char *const text[DECODE_RESULT_COUNT] = {
		[DECODE_OK] = "a move",
		[DECODE_NO_MOVE] = "not a move",
		[DECODE_NO_MEMORY] = "has no operand in memory",
		[DECODE_LOCKED] = "has a LOCK prefix, which a device's registers cannot honour",
		[DECODE_REPEATED] = "has a REP prefix",
		[DECODE_TOO_LONG] = "longer than 15 bytes",
		[DECODE_CUT] = "goes on where no byte could be read",
	};

	return text[result];
}

struct decode_text decode_explain(enum decode_result result, const uint8_t *code, uint8_t looked_at,
				  uint64_t rip)
{
	struct decode_text text = { { 0 } };
	size_t used = print(text.chars, sizeof(text.chars), "instruction");

	for (uint8_t i = 0; i < looked_at && i < DECODE_BYTES_MAX; i++)
		used += print(text.chars + used, sizeof(text.chars) - used, " %02x", code[i]);
	print(text.chars + used, sizeof(text.chars) - used, " at 0x%llx: %s",
	      (unsigned long long)rip, text_of(result));
	return text;
}
