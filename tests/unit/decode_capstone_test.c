/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/decode_capstone_test.c - the decoder against libcapstone, which shares nothing with
 * it.
 *
 *   prefixes x opcode x ModRM x SIB x mode, constant bytes behind them
 *
 * Both must know the same instructions, and of each the same length, widths, registers, address and
 * immediate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <capstone/capstone.h>

#include "platform/metal/decode.h"

#define MODES	3
#define OPCODES 0x200u /* one byte, then two */

struct bench {
	csh capstone[MODES]; /* by enum decode_mode */
	cs_insn *insn;
	uint64_t tried, known;
};

/* What is compared, in the words of both. */
struct view {
	size_t length;
	enum decode_verb verb;
	uint8_t bytes, other_bytes;
	bool sign, to_register, has_immediate, high_byte;
	uint8_t reg, base, index, scale, segment, address_bytes;
	uint64_t immediate, displacement;
};

static const x86_reg registers[5][16] = {
	{ X86_REG_AL, X86_REG_CL, X86_REG_DL, X86_REG_BL, X86_REG_SPL, X86_REG_BPL, X86_REG_SIL,
	  X86_REG_DIL, X86_REG_R8B, X86_REG_R9B, X86_REG_R10B, X86_REG_R11B, X86_REG_R12B,
	  X86_REG_R13B, X86_REG_R14B, X86_REG_R15B },
	{ X86_REG_AX, X86_REG_CX, X86_REG_DX, X86_REG_BX, X86_REG_SP, X86_REG_BP, X86_REG_SI,
	  X86_REG_DI, X86_REG_R8W, X86_REG_R9W, X86_REG_R10W, X86_REG_R11W, X86_REG_R12W,
	  X86_REG_R13W, X86_REG_R14W, X86_REG_R15W },
	{ X86_REG_EAX, X86_REG_ECX, X86_REG_EDX, X86_REG_EBX, X86_REG_ESP, X86_REG_EBP, X86_REG_ESI,
	  X86_REG_EDI, X86_REG_R8D, X86_REG_R9D, X86_REG_R10D, X86_REG_R11D, X86_REG_R12D,
	  X86_REG_R13D, X86_REG_R14D, X86_REG_R15D },
	{ X86_REG_RAX, X86_REG_RCX, X86_REG_RDX, X86_REG_RBX, X86_REG_RSP, X86_REG_RBP, X86_REG_RSI,
	  X86_REG_RDI, X86_REG_R8, X86_REG_R9, X86_REG_R10, X86_REG_R11, X86_REG_R12, X86_REG_R13,
	  X86_REG_R14, X86_REG_R15 },
	{ X86_REG_AH, X86_REG_CH, X86_REG_DH, X86_REG_BH },
};

#define HIGH_BYTES 4

/* EIZ and RIZ stand for an index that is none. */
static uint8_t number_of(x86_reg reg, bool *high)
{
	*high = false;
	if (reg == X86_REG_INVALID || reg == X86_REG_EIZ || reg == X86_REG_RIZ)
		return DECODE_NO_REGISTER;
	if (reg == X86_REG_RIP || reg == X86_REG_EIP)
		return DECODE_RIP;
	for (size_t set = 0; set < 5; set++) {
		for (uint8_t i = 0; i < (set == HIGH_BYTES ? 4 : 16); i++) {
			if (registers[set][i] == reg) {
				*high = set == HIGH_BYTES;
				return i;
			}
		}
	}
	return 0xf0; /* of another kind */
}

static uint8_t segment_of(x86_reg reg, enum decode_mode mode)
{
	static const x86_reg segments[] = { X86_REG_ES, X86_REG_CS, X86_REG_SS,
					    X86_REG_DS, X86_REG_FS, X86_REG_GS };

	for (uint8_t i = 0; i < 6; i++) {
		if (segments[i] == reg)
			return mode == DECODE_64 && i < DECODE_FS ? DECODE_NO_SEGMENT : i;
	}
	return DECODE_NO_SEGMENT;
}

static bool verb_of(unsigned int id, bool to_register, enum decode_verb *verb)
{
	switch (id) {
	case X86_INS_MOV:
	case X86_INS_MOVABS:
		*verb = to_register ? VERB_LOAD : VERB_STORE;
		return true;
	case X86_INS_MOVZX:
	case X86_INS_MOVSX:
	case X86_INS_MOVSXD:
		*verb = VERB_LOAD;
		return true;
	case X86_INS_XCHG:
		*verb = VERB_EXCHANGE;
		return true;
	case X86_INS_AND:
		*verb = VERB_AND;
		return true;
	case X86_INS_OR:
		*verb = VERB_OR;
		return true;
	case X86_INS_XOR:
		*verb = VERB_XOR;
		return true;
	case X86_INS_TEST:
		*verb = VERB_TEST;
		return true;
	case X86_INS_CMP:
		*verb = VERB_COMPARE;
		return true;
	}
	return false;
}

static bool is_general(const cs_x86_op *op)
{
	bool high;

	return op->type == X86_OP_IMM || (op->type == X86_OP_REG && number_of(op->reg, &high) < 16);
}

/*
 * MOVSXD without REX.W moves 32 bits to 32; libcapstone 4 says 64 all the same. 82, and f6 and f7
 * with digit 1, are second encodings that no assembler writes.
 */
static bool is_odd(unsigned int id, const cs_x86 *x86)
{
	uint8_t opcode = x86->opcode[0], digit = x86->modrm >> 3 & 7;

	if (id == X86_INS_MOVSXD)
		return !(x86->rex & 8);
	return opcode == 0x82 || ((opcode == 0xf6 || opcode == 0xf7) && digit == 1);
}

/* One of our verbs, two operands, one of them in memory, no LOCK and no REP. */
static bool is_known(const cs_insn *insn, const cs_x86_op **memory, const cs_x86_op **other,
		     enum decode_verb *verb)
{
	const cs_x86 *x86 = &insn->detail->x86;

	if (x86->op_count != 2 || x86->prefix[0] != 0)
		return false;
	*memory = x86->operands[0].type == X86_OP_MEM ? &x86->operands[0] : &x86->operands[1];
	*other = x86->operands[0].type == X86_OP_MEM ? &x86->operands[1] : &x86->operands[0];
	if (is_odd(insn->id, x86))
		return false;
	return (*memory)->type == X86_OP_MEM && is_general(*other) &&
	       verb_of(insn->id, *other == &x86->operands[0], verb);
}

static uint64_t cut(uint64_t value, uint32_t bytes)
{
	return bytes >= 8 ? value : value & ((1ull << 8 * bytes) - 1);
}

static void view_other(const cs_x86_op *other, struct view *view)
{
	view->has_immediate = other->type == X86_OP_IMM;
	view->other_bytes = other->size;
	view->reg = DECODE_NO_REGISTER;
	if (view->has_immediate) {
		view->immediate = cut((uint64_t)other->imm, view->bytes);
		view->other_bytes = view->bytes;
	} else {
		view->reg = number_of(other->reg, &view->high_byte);
	}
}

/* Which operand is first does not matter for these two. */
static bool is_symmetric(enum decode_verb verb)
{
	return verb == VERB_EXCHANGE || verb == VERB_TEST;
}

static bool view_theirs(const cs_insn *insn, enum decode_mode mode, struct view *view)
{
	const cs_x86_op *memory, *other;
	bool high;

	*view = (struct view){ .length = insn->size };
	if (!is_known(insn, &memory, &other, &view->verb))
		return false;
	view->bytes = memory->size;
	view->sign = insn->id == X86_INS_MOVSX || insn->id == X86_INS_MOVSXD;
	view->to_register = !is_symmetric(view->verb) && other < memory;
	view_other(other, view);
	view->base = number_of(memory->mem.base, &high);
	view->index = number_of(memory->mem.index, &high);
	view->scale = (uint8_t)memory->mem.scale;
	view->segment = segment_of(memory->mem.segment, mode);
	view->address_bytes = insn->detail->x86.addr_size;
	view->displacement = cut((uint64_t)memory->mem.disp, view->address_bytes);
	return true;
}

static struct view view_ours(const struct instruction *instruction)
{
	const struct decode_address *address = &instruction->address;

	return (struct view){
		.length = instruction->length,
		.verb = instruction->verb,
		.bytes = instruction->bytes,
		.other_bytes = instruction->register_bytes,
		.sign = instruction->sign,
		.to_register = instruction->to_register,
		.has_immediate = instruction->has_immediate,
		.high_byte = instruction->high_byte,
		.reg = instruction->reg,
		.base = address->base,
		.index = address->index,
		.scale = address->scale,
		.segment = address->segment,
		.address_bytes = address->bytes,
		.immediate = cut(instruction->immediate, instruction->bytes),
		.displacement = cut((uint64_t)address->displacement, address->bytes),
	};
}

/* An index that is none has no scale. */
static struct view settle(struct view view)
{
	if (view.index == DECODE_NO_REGISTER)
		view.scale = 1;
	return view;
}

static bool is_same(const struct view *a, const struct view *b)
{
	return a->length == b->length && a->verb == b->verb && a->bytes == b->bytes &&
	       a->other_bytes == b->other_bytes && a->sign == b->sign &&
	       a->to_register == b->to_register && a->has_immediate == b->has_immediate &&
	       a->high_byte == b->high_byte && a->reg == b->reg && a->base == b->base &&
	       a->index == b->index && a->scale == b->scale && a->segment == b->segment &&
	       a->address_bytes == b->address_bytes && a->immediate == b->immediate &&
	       a->displacement == b->displacement;
}

static void show(const char *who, const struct view *v)
{
	print_error("%s: length %zu verb %d bytes %d/%d sign %d to_register %d reg %d%s base %d "
		    "index %d * %d segment %d address %d immediate %d 0x%llx displacement 0x%llx\n",
		    who, v->length, (int)v->verb, v->bytes, v->other_bytes, v->sign, v->to_register,
		    v->reg, v->high_byte ? "h" : "", v->base, v->index, v->scale, v->segment,
		    v->address_bytes, v->has_immediate, (unsigned long long)v->immediate,
		    (unsigned long long)v->displacement);
}

static void complain(const uint8_t *code, enum decode_mode mode, const char *theirs)
{
	char text[64] = "";

	for (size_t i = 0; i < DECODE_BYTES_MAX; i++)
		snprintf(text + 3 * i, sizeof(text) - 3 * i, "%02x ", code[i]);
	fail_msg("mode %d: %s(theirs: %s)", (int)mode, text, theirs);
}

static void compare(struct bench *bench, const uint8_t *code, enum decode_mode mode)
{
	struct instruction instruction;
	bool ours = decode(code, DECODE_BYTES_MAX, mode, &instruction) == DECODE_OK, theirs;
	const uint8_t *at = code;
	size_t left = DECODE_BYTES_MAX;
	uint64_t address = 0;
	struct view a, b = { .length = 0 };

	bench->insn->mnemonic[0] = 0;
	theirs = cs_disasm_iter(bench->capstone[mode], &at, &left, &address, bench->insn) &&
		 view_theirs(bench->insn, mode, &b);
	bench->tried++;
	bench->known += ours;
	a = settle(view_ours(&instruction));
	b = settle(b);
	if (ours == theirs && (!ours || is_same(&a, &b)))
		return;
	if (ours)
		show("ours", &a);
	if (theirs)
		show("theirs", &b);
	complain(code, mode, bench->insn->mnemonic);
}

struct prefixes {
	size_t count;
	uint8_t bytes[4];
};

/* One opcode with one ModRM and SIB, in all modes. What follows has negative bytes too. */
static void try_one(struct bench *bench, const struct prefixes *prefixes, uint32_t opcode,
		    uint8_t modrm, uint8_t sib)
{
	uint8_t code[24] = { 0 };
	size_t at = prefixes->count;

	memcpy(code, prefixes->bytes, at);
	if (opcode > 0xff)
		code[at++] = 0x0f;
	code[at++] = (uint8_t)opcode;
	code[at++] = modrm;
	code[at++] = sib;
	for (uint8_t filler = 0x91; at < sizeof(code); filler += 0x1d)
		code[at++] = filler;
	for (enum decode_mode mode = DECODE_16; mode <= DECODE_64; mode++)
		compare(bench, code, mode);
}

static bool has_sib(uint8_t modrm)
{
	return modrm >> 6 != 3 && (modrm & 7) == 4;
}

/* With all SIBs, or with some whose base or index is special. */
static void try_modrms(struct bench *bench, const struct prefixes *prefixes, uint32_t opcode,
		       bool all_sibs)
{
	static const uint8_t some[] = { 0x24, 0x25, 0x65, 0x8b, 0xfd };

	for (uint32_t modrm = 0; modrm < 256; modrm++) {
		uint32_t count = !has_sib((uint8_t)modrm) ? 1 : all_sibs ? 256 : sizeof(some);

		for (uint32_t i = 0; i < count; i++)
			try_one(bench, prefixes, opcode, (uint8_t)modrm,
				all_sibs ? (uint8_t)i : some[i]);
	}
}

/* Opcodes of which some form is known. */
static bool is_ours(uint32_t opcode)
{
	struct instruction instruction;

	for (uint8_t digit = 0; digit < 8; digit++) {
		uint8_t code[DECODE_BYTES_MAX] = { 0x48, (uint8_t)opcode, (uint8_t)(digit << 3) };

		if (opcode > 0xff) {
			code[1] = 0x0f;
			code[2] = (uint8_t)opcode;
			code[3] = (uint8_t)(digit << 3);
		}
		if (decode(code, sizeof(code), DECODE_64, &instruction) == DECODE_OK)
			return true;
	}
	return false;
}

/* A prefix is no opcode; 0f leads to the second map. */
static bool is_opcode(uint32_t opcode)
{
	static const uint8_t not [] = { 0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64,
					0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3 };

	return opcode > 0xff || !memchr(not, (int)opcode, sizeof(not ));
}

static void every_modrm_and_sib_agrees(void **state)
{
	struct bench *bench = *state;
	const struct prefixes none = { 0, { 0 } };

	for (uint32_t opcode = 0; opcode < OPCODES; opcode++) {
		if (is_opcode(opcode))
			try_modrms(bench, &none, opcode, is_ours(opcode));
	}
	assert_true(bench->known > 300000);
}

/* Outside 64-bit mode REX is an instruction of its own, which both must see. */
static void every_pair_of_prefixes_agrees(void **state)
{
	static const uint8_t legacy[] = { 0x66, 0x67, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0xf0 };
	struct bench *bench = *state;

	for (uint32_t opcode = 0; opcode < OPCODES; opcode++) {
		if (!is_opcode(opcode) || !is_ours(opcode))
			continue;
		for (size_t i = 0; i < sizeof(legacy); i++)
			for (uint32_t rex = 0x3f; rex < 0x50; rex += rex == 0x3f ? 1 : 3) {
				struct prefixes p = { 1, { legacy[i] } };

				if (rex >= 0x40)
					p.bytes[p.count++] = (uint8_t)rex;
				try_modrms(bench, &p, opcode, false);
			}
	}
}

static void every_rex_agrees(void **state)
{
	struct bench *bench = *state;

	for (uint32_t opcode = 0; opcode < OPCODES; opcode++) {
		if (!is_opcode(opcode) || !is_ours(opcode))
			continue;
		for (uint8_t rex = 0x40; rex < 0x50; rex++) {
			const struct prefixes p = { 1, { rex } };

			try_modrms(bench, &p, opcode, rex == 0x4b);
		}
	}
}

/* Of 16, 32 and 64 bits at once. */
static void operand_and_address_overrides_agree_together(void **state)
{
	static const struct prefixes rows[] = {
		{ 2, { 0x66, 0x67 } },	     { 2, { 0x67, 0x66 } },
		{ 3, { 0x66, 0x67, 0x48 } }, { 3, { 0x66, 0x67, 0x4f } },
		{ 3, { 0x65, 0x66, 0x67 } }, { 4, { 0x64, 0x67, 0x66, 0x4c } },
	};
	struct bench *bench = *state;

	for (uint32_t opcode = 0; opcode < OPCODES; opcode++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			if (is_opcode(opcode))
				try_modrms(bench, &rows[i], opcode, false);
		}
	}
}

static int open_capstone(void **state)
{
	static const cs_mode modes[MODES] = { CS_MODE_16, CS_MODE_32, CS_MODE_64 };
	static struct bench bench;

	for (size_t i = 0; i < MODES; i++) {
		if (cs_open(CS_ARCH_X86, modes[i], &bench.capstone[i]) != CS_ERR_OK)
			return -1;
		cs_option(bench.capstone[i], CS_OPT_DETAIL, CS_OPT_ON);
	}
	bench.insn = cs_malloc(bench.capstone[0]);
	*state = &bench;
	return bench.insn ? 0 : -1;
}

static int close_capstone(void **state)
{
	struct bench *bench = *state;

	print_message("# %llu encodings, %llu of them moves\n", (unsigned long long)bench->tried,
		      (unsigned long long)bench->known);
	cs_free(bench->insn, 1);
	for (size_t i = 0; i < MODES; i++)
		cs_close(&bench->capstone[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_modrm_and_sib_agrees),
		cmocka_unit_test(every_pair_of_prefixes_agrees),
		cmocka_unit_test(every_rex_agrees),
		cmocka_unit_test(operand_and_address_overrides_agree_together),
	};

	return cmocka_run_group_tests(tests, open_capstone, close_capstone);
}
