/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/wire_test.c - frames that go round: what is seen of one that is wrong, lost, old, or cut. */
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcntl.h>

#include <cmocka.h>

#define BYTES  60u
#define ROUNDS 5u

/* A file as filter-dump writes it, while it grows. */
struct file {
	unsigned char bytes[1 << 16];
	size_t count;
};

static struct file file;
static struct wire wire;

static void add(const void *bytes, size_t count)
{
	memcpy(file.bytes + file.count, bytes, count);
	file.count += count;
}

static void begin(void)
{
	static const uint32_t header[6] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65536, 1 };

	file.count = 0;
	add(header, sizeof(header));
	wire_begin(&wire);
}

static void add_frame(unsigned int number, unsigned int wrong_byte)
{
	const uint32_t record[4] = { 7, 8, BYTES, BYTES };
	unsigned char frame[BYTES] = { 0x52, 0x54 };

	frame[26] = (unsigned char)number;
	if (wrong_byte < BYTES)
		frame[wrong_byte] ^= 0x10;
	add(record, sizeof(record));
	add(frame, sizeof(frame));
}

static void add_rounds(unsigned int rounds)
{
	for (unsigned int i = 0; i < rounds * WIRE_ROUND; i++)
		add_frame(i % WIRE_ROUND, BYTES);
}

static void read_all(void)
{
	wire_read(&wire, file.bytes, file.count);
}

static void frames_that_go_round_are_whole(void **state)
{
	(void)state;
	begin();
	add_rounds(ROUNDS);
	read_all();
	assert_int_equal(wire.frames, ROUNDS * WIRE_ROUND);
	assert_int_equal(wire.wrong, 0);
	assert_true(wire.round_differs);
	assert_string_equal(wire.amiss, "");
}

static void pieces_may_be_of_any_size(void **state)
{
	(void)state;
	for (size_t size = 1; size < 200; size += 7) {
		begin();
		add_rounds(2);
		for (size_t at = 0; at < file.count; at += size)
			wire_read(&wire, file.bytes + at,
				  file.count - at < size ? file.count - at : size);
		assert_int_equal(wire.frames, 2 * WIRE_ROUND);
		assert_int_equal(wire.wrong, 0);
	}
}

static void each_byte_counts(void **state)
{
	(void)state;
	for (unsigned int byte = 0; byte < BYTES; byte++) {
		begin();
		add_rounds(1);
		add_frame(0, byte);
		add_frame(1, BYTES);
		read_all();
		assert_int_equal(wire.wrong, 1);
		assert_non_null(strstr(wire.amiss, byte == 26 ? "is number 16 of the round"
							      : "none that was ever sent"));
	}
}

static void a_frame_that_is_lost_is_seen(void **state)
{
	(void)state;
	begin();
	add_rounds(1);
	add_frame(1, BYTES);
	read_all();
	assert_int_equal(wire.wrong, 1);
	assert_string_equal(wire.amiss, "frame 32 is number 1 of the round, number 0 was to come");
}

static void an_old_frame_in_anothers_place_is_seen(void **state)
{
	(void)state;
	begin();
	add_rounds(1);
	add_frame(0, BYTES);
	add_frame(0, BYTES);
	add_frame(2, BYTES);
	read_all();
	assert_int_equal(wire.wrong, 1);
}

static void a_round_with_two_alike_is_told(void **state)
{
	(void)state;
	begin();
	for (unsigned int i = 0; i < WIRE_ROUND; i++)
		add_frame(i == 9 ? 3 : i, BYTES);
	read_all();
	assert_false(wire.round_differs);
}

static void nothing_sent_is_no_round(void **state)
{
	(void)state;
	begin();
	read_all();
	assert_int_equal(wire.frames, 0);
	assert_false(wire.round_differs);
}

static void a_file_that_is_none_is_told(void **state)
{
	static const char none[64] = "no file of that kind";
	static const uint32_t too_long[4] = { 7, 8, WIRE_FRAME + 1, WIRE_FRAME + 1 };
	static const uint32_t cut[4] = { 7, 8, 60, 64 };

	(void)state;
	wire_begin(&wire);
	wire_read(&wire, none, sizeof(none));
	assert_int_equal(wire.wrong, 1);
	begin();
	add(too_long, sizeof(too_long));
	add_rounds(1);
	read_all();
	assert_int_equal(wire.wrong, 1);
	begin();
	add(cut, sizeof(cut));
	add_rounds(1);
	read_all();
	assert_int_equal(wire.wrong, 1);
}

/* As QEMU does it: opened, written in pieces, closed. */
static void a_pipe_is_read_to_its_end(void **state)
{
	char path[] = "/tmp/wire_test.XXXXXX";
	struct wire_tap *tap = calloc(1, sizeof(*tap));
	int writer;

	(void)state;
	assert_int_not_equal(close(mkstemp(path)), -1);
	begin();
	add_rounds(ROUNDS);
	assert_non_null(tap);
	assert_true(wire_tap_open(tap, path));
	writer = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(writer >= 0);
	for (size_t at = 0; at < file.count; at += 77)
		assert_true(write(writer, file.bytes + at,
				  file.count - at < 77 ? file.count - at : 77) > 0);
	close(writer);
	wire_tap_close(tap);
	assert_int_equal(tap->wire.frames, ROUNDS * WIRE_ROUND);
	assert_int_equal(tap->wire.wrong, 0);
	assert_int_not_equal(access(path, F_OK), 0);
	free(tap);
}

static void a_pipe_that_nobody_writes_to_ends_too(void **state)
{
	char path[] = "/tmp/wire_test.XXXXXX";
	struct wire_tap *tap = calloc(1, sizeof(*tap));

	(void)state;
	assert_int_not_equal(close(mkstemp(path)), -1);
	assert_non_null(tap);
	assert_true(wire_tap_open(tap, path));
	wire_tap_close(tap);
	assert_int_equal(tap->wire.frames, 0);
	free(tap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_that_go_round_are_whole),
		cmocka_unit_test(pieces_may_be_of_any_size),
		cmocka_unit_test(each_byte_counts),
		cmocka_unit_test(a_frame_that_is_lost_is_seen),
		cmocka_unit_test(an_old_frame_in_anothers_place_is_seen),
		cmocka_unit_test(a_round_with_two_alike_is_told),
		cmocka_unit_test(nothing_sent_is_no_round),
		cmocka_unit_test(a_file_that_is_none_is_told),
		cmocka_unit_test(a_pipe_is_read_to_its_end),
		cmocka_unit_test(a_pipe_that_nobody_writes_to_ends_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
