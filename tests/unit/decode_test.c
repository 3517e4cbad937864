/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/decode_test.c - the decoder, instruction by instruction, with what assemblers write
 * for it. decode_capstone_test.c goes through all encodings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/metal/decode.h"

struct code {
	uint8_t bytes[20];
	size_t count;
};

/* "89 07" */
static struct code code_of(const char *text)
{
	struct code code = { .count = 0 };
	unsigned int byte;
	int used;

	while (sscanf(text, "%2x %n", &byte, &used) == 1) {
		code.bytes[code.count++] = (uint8_t)byte;
		text += used;
	}
	return code;
}

static struct instruction must_decode(const char *text, enum decode_mode mode)
{
	struct code code = code_of(text);
	struct instruction instruction;

	assert_int_equal(decode(code.bytes, code.count, mode, &instruction), DECODE_OK);
	assert_int_equal(instruction.length, code.count);
	return instruction;
}

static void must_refuse(const char *text, enum decode_mode mode, enum decode_result result)
{
	struct code code = code_of(text);
	struct instruction instruction;

	assert_int_equal(decode(code.bytes, code.count, mode, &instruction), result);
	assert_true(instruction.length <= DECODE_BYTES_MAX);
}

/* mov eax, [0xfffffffffee00300]: what an accessor to the local APIC is compiled into. */
static void a_load_from_an_absolute_address(void **state)
{
	struct instruction i = must_decode("8b 04 25 00 03 e0 fe", DECODE_64);

	(void)state;
	assert_int_equal(i.verb, VERB_LOAD);
	assert_int_equal(i.bytes, 4);
	assert_int_equal(i.register_bytes, 4);
	assert_int_equal(i.reg, 0);
	assert_int_equal(i.address.base, DECODE_NO_REGISTER);
	assert_int_equal(i.address.index, DECODE_NO_REGISTER);
	assert_true(i.address.displacement == (int32_t)0xfee00300);
	assert_true(decode_reads(&i));
	assert_false(decode_writes(&i));
}

static void a_store_of_a_register(void **state)
{
	struct instruction i = must_decode("44 89 bf 10 03 00 00", DECODE_64);

	(void)state;
	assert_int_equal(i.verb, VERB_STORE);
	assert_int_equal(i.reg, 15);
	assert_int_equal(i.address.base, 7);
	assert_int_equal(i.address.displacement, 0x310);
	assert_false(decode_reads(&i));
	assert_true(decode_writes(&i));
}

static void a_store_of_an_immediate_is_extended_by_its_sign(void **state)
{
	struct instruction i = must_decode("48 c7 07 ff ff ff ff", DECODE_64);

	(void)state;
	assert_true(i.has_immediate);
	assert_int_equal(i.bytes, 8);
	assert_true(i.immediate == UINT64_MAX);
	i = must_decode("66 c7 07 34 12", DECODE_64);
	assert_int_equal(i.bytes, 2);
	assert_true(i.immediate == 0x1234);
	i = must_decode("c6 07 80", DECODE_32);
	assert_int_equal(i.bytes, 1);
	assert_true(i.immediate == 0xffffffffffffff80);
}

/* What old local APICs need for a store. */
static void an_exchange_reads_and_writes(void **state)
{
	struct instruction i = must_decode("87 04 25 80 00 e0 fe", DECODE_64);

	(void)state;
	assert_int_equal(i.verb, VERB_EXCHANGE);
	assert_true(decode_reads(&i));
	assert_true(decode_writes(&i));
}

static void loads_that_extend_have_two_widths(void **state)
{
	struct instruction i = must_decode("0f b6 07", DECODE_64);

	(void)state;
	assert_int_equal(i.bytes, 1);
	assert_int_equal(i.register_bytes, 4);
	assert_false(i.sign);
	i = must_decode("48 0f bf 07", DECODE_64);
	assert_int_equal(i.bytes, 2);
	assert_int_equal(i.register_bytes, 8);
	assert_true(i.sign);
	i = must_decode("48 63 07", DECODE_64);
	assert_int_equal(i.bytes, 4);
	assert_int_equal(i.register_bytes, 8);
	assert_true(i.sign);
}

static void an_offset_is_as_wide_as_addresses(void **state)
{
	struct instruction i = must_decode("a1 88 77 66 55 44 33 22 11", DECODE_64);

	(void)state;
	assert_true(i.address.displacement == 0x1122334455667788);
	i = must_decode("67 a3 44 33 22 11", DECODE_64);
	assert_true(i.address.displacement == 0x11223344);
	assert_int_equal(i.verb, VERB_STORE);
	i = must_decode("a2 34 12", DECODE_16);
	assert_true(i.address.displacement == 0x1234);
	assert_int_equal(i.bytes, 1);
}

static void high_bytes_are_those_without_rex(void **state)
{
	struct instruction i = must_decode("88 27", DECODE_64);

	(void)state;
	assert_true(i.high_byte);
	assert_int_equal(i.reg, 0);
	i = must_decode("40 88 27", DECODE_64);
	assert_false(i.high_byte);
	assert_int_equal(i.reg, 4);
	i = must_decode("8a 3f", DECODE_32);
	assert_true(i.high_byte);
	assert_int_equal(i.reg, 3);
}

/* Both overrides, in each mode. */
static void widths_follow_the_mode_and_its_overrides(void **state)
{
	static const struct {
		const char *text;
		enum decode_mode mode;
		uint8_t bytes, address;
	} rows[] = {
		{ "89 07", DECODE_16, 2, 2 },	 { "66 89 07", DECODE_16, 4, 2 },
		{ "67 89 07", DECODE_16, 2, 4 }, { "89 07", DECODE_32, 4, 4 },
		{ "66 89 07", DECODE_32, 2, 4 }, { "67 89 07", DECODE_32, 4, 2 },
		{ "89 07", DECODE_64, 4, 8 },	 { "66 89 07", DECODE_64, 2, 8 },
		{ "67 89 07", DECODE_64, 4, 4 }, { "66 48 89 07", DECODE_64, 8, 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct instruction found = must_decode(rows[i].text, rows[i].mode);

		assert_int_equal(found.bytes, rows[i].bytes);
		assert_int_equal(found.address.bytes, rows[i].address);
	}
}

static void rex_counts_only_before_the_opcode(void **state)
{
	struct instruction i = must_decode("48 66 89 07", DECODE_64);

	(void)state;
	assert_int_equal(i.bytes, 2);
}

static void segments_are_remembered_where_they_mean_something(void **state)
{
	(void)state;
	assert_int_equal(must_decode("89 07", DECODE_32).address.segment, DECODE_NO_SEGMENT);
	assert_int_equal(must_decode("26 89 07", DECODE_32).address.segment, DECODE_ES);
	assert_int_equal(must_decode("2e 89 07", DECODE_32).address.segment, DECODE_CS);
	assert_int_equal(must_decode("36 89 07", DECODE_32).address.segment, DECODE_SS);
	assert_int_equal(must_decode("3e 89 07", DECODE_32).address.segment, DECODE_DS);
	assert_int_equal(must_decode("64 89 07", DECODE_64).address.segment, DECODE_FS);
	assert_int_equal(must_decode("65 89 07", DECODE_64).address.segment, DECODE_GS);
	assert_int_equal(must_decode("2e 89 07", DECODE_64).address.segment, DECODE_NO_SEGMENT);
}

static void what_is_no_move_is_refused(void **state)
{
	static const char *const texts[] = {
		"0f 01 07",
		"ff 07",
		"f6 17",
		"80 07 01",
		"11 07",
		"a4",
		"f3 a5",
		"aa",
		"0f c3 07",
		"0f 29 07",
		"c5 f8 29 07",
		"62 f1 7c 48 29 07",
		"63 07",
		"0f ba 27",
		"0f b0 0f",
		"0f 6f 07",
		"90",
		"f7 0f 00 00 00 00",
		"c7 0f 00 00 00 00",
		"8f 07",
		"8e 07",
		"8c 07",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		must_refuse(texts[i], DECODE_64, DECODE_NO_MOVE);
	must_refuse("63 07", DECODE_32, DECODE_NO_MOVE);
}

static void what_has_no_memory_is_refused(void **state)
{
	(void)state;
	must_refuse("89 c0", DECODE_64, DECODE_NO_MEMORY);
	must_refuse("0f b6 c0", DECODE_32, DECODE_NO_MEMORY);
	must_refuse("c7 c0 01 00 00 00", DECODE_64, DECODE_NO_MEMORY);
}

static void locked_and_repeated_ones_are_refused(void **state)
{
	(void)state;
	must_refuse("f0 09 07", DECODE_64, DECODE_LOCKED);
	must_refuse("f0 87 07", DECODE_64, DECODE_LOCKED);
	must_refuse("f3 89 07", DECODE_64, DECODE_REPEATED);
	must_refuse("f2 89 07", DECODE_64, DECODE_REPEATED);
}

/* Every beginning of it is cut; the whole is not. */
static void what_is_cut_off_is_refused(void **state)
{
	static const char *const texts[] = {
		"48 c7 84 8f 78 56 34 12 ff ff ff ff",
		"66 81 8f 78 56 34 12 34 12",
		"48 a1 88 77 66 55 44 33 22 11",
		"0f b7 80 78 56 34 12",
		"83 3c 25 00 00 e0 fe 01",
		"f6 05 00 00 00 00 01",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct code code = code_of(texts[i]);
		struct instruction instruction;

		for (size_t count = 0; count < code.count; count++) {
			assert_int_equal(decode(code.bytes, count, DECODE_64, &instruction),
					 DECODE_CUT);
			assert_int_equal(instruction.length, count);
		}
		(void)must_decode(texts[i], DECODE_64);
	}
}

static void fifteen_bytes_are_the_most(void **state)
{
	(void)state;
	(void)must_decode("2e 2e 2e 2e 2e 2e 2e 2e 89 87 00 00 00 00", DECODE_64);
	(void)must_decode("2e 2e 2e 2e 2e 2e 2e 2e 2e 89 87 00 00 00 00", DECODE_64);
	must_refuse("2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 89 87 00 00 00 00", DECODE_64, DECODE_TOO_LONG);
	must_refuse("66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66", DECODE_64, DECODE_TOO_LONG);
}

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

/* In memory that ends behind the last byte, so that the sanitizer sees who reads on. */
static enum decode_result decode_exactly(const uint8_t *bytes, size_t count, enum decode_mode mode,
					 struct instruction *instruction)
{
	uint8_t *copy = malloc(count ? count : 1);
	enum decode_result result;

	assert_non_null(copy);
	memcpy(copy, bytes, count);
	result = decode(copy + (count ? 0 : 1), count, mode, instruction);
	free(copy);
	return result;
}

/* What follows an instruction does not matter, and no beginning of it is one. */
static void an_instruction_is_its_own_bytes(void **state)
{
	uint64_t random = 88172645463325252;
	uint32_t good = 0;

	(void)state;
	for (uint32_t i = 0; i < 300000; i++) {
		uint64_t words[2] = { next_random(&random), next_random(&random) };
		enum decode_mode mode = (enum decode_mode)(i % 3);
		const uint8_t *bytes = (const uint8_t *)words;
		struct instruction whole, part;

		if (decode_exactly(bytes, i % 17, mode, &whole) != DECODE_OK) {
			assert_true(whole.length <= i % 17);
			continue;
		}
		good++;
		assert_int_equal(decode_exactly(bytes, whole.length, mode, &part), DECODE_OK);
		assert_int_equal(part.length, whole.length);
		assert_int_equal(part.verb, whole.verb);
		assert_true(part.immediate == whole.immediate);
		assert_true(part.address.displacement == whole.address.displacement);
		for (size_t count = 0; count < whole.length; count++)
			assert_int_equal(decode_exactly(bytes, count, mode, &part), DECODE_CUT);
	}
	assert_true(good > 10000);
}

static void a_refusal_names_the_instruction(void **state)
{
	struct code code = code_of("0f 01 07");
	struct instruction instruction;
	enum decode_result result = decode(code.bytes, code.count, DECODE_64, &instruction);

	(void)state;
	assert_string_equal(
		decode_explain(result, code.bytes, instruction.length, 0xffffffff81000000).chars,
		"instruction 0f 01 at 0xffffffff81000000: not a move");
	code = code_of("f0 09 07");
	result = decode(code.bytes, code.count, DECODE_64, &instruction);
	assert_string_equal(decode_explain(result, code.bytes, instruction.length, 0x1000).chars,
			    "instruction f0 09 07 at 0x1000: has a LOCK prefix, which a device's "
			    "registers cannot honour");
}

/* The longest line is not cut off. */
static void each_refusal_has_a_text_that_fits(void **state)
{
	const uint8_t code[DECODE_BYTES_MAX] = { 0xf0 };

	(void)state;
	for (int result = DECODE_OK; result < DECODE_RESULT_COUNT; result++) {
		struct decode_text text = decode_explain((enum decode_result)result, code,
							 DECODE_BYTES_MAX, UINT64_MAX);

		assert_true(strlen(text.chars) + 1 < sizeof(text.chars));
		assert_non_null(strstr(text.chars, " at 0xffffffffffffffff: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_load_from_an_absolute_address),
		cmocka_unit_test(a_store_of_a_register),
		cmocka_unit_test(a_store_of_an_immediate_is_extended_by_its_sign),
		cmocka_unit_test(an_exchange_reads_and_writes),
		cmocka_unit_test(loads_that_extend_have_two_widths),
		cmocka_unit_test(an_offset_is_as_wide_as_addresses),
		cmocka_unit_test(high_bytes_are_those_without_rex),
		cmocka_unit_test(widths_follow_the_mode_and_its_overrides),
		cmocka_unit_test(rex_counts_only_before_the_opcode),
		cmocka_unit_test(segments_are_remembered_where_they_mean_something),
		cmocka_unit_test(what_is_no_move_is_refused),
		cmocka_unit_test(what_has_no_memory_is_refused),
		cmocka_unit_test(locked_and_repeated_ones_are_refused),
		cmocka_unit_test(what_is_cut_off_is_refused),
		cmocka_unit_test(fifteen_bytes_are_the_most),
		cmocka_unit_test(an_instruction_is_its_own_bytes),
		cmocka_unit_test(a_refusal_names_the_instruction),
		cmocka_unit_test(each_refusal_has_a_text_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
