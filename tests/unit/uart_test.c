/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/uart_test.c - a guest's serial port: what goes out, in front of what, and what comes in.
 *
 * The console is this file's: it keeps what it is told.
 */
#include "platform/metal/uart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform/metal/console.h"

#define DATA		 0u
#define INTERRUPT_ENABLE 1u
#define INTERRUPT_ID	 2u
#define LINE_STATUS	 5u

static char shown[4096];

static void show(const char *text, size_t length)
{
	const size_t used = strlen(shown);

	assert_true(used + length < sizeof(shown));
	memcpy(shown + used, text, length);
	shown[used + length] = '\0';
}

void console_line(const char *format, ...)
{
	char line[CONSOLE_LINE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	show(line, strlen(line));
	show("\n", 1);
}

/* Pieces are marked, so that they can be told from lines. */
void console_part(const char *prefix, const char *text, size_t length)
{
	(void)prefix;
	show("<", 1);
	show(text, length);
	show(">", 1);
}

void console_part_ends(const char *prefix)
{
	(void)prefix;
	show("|", 1);
}

void console_clear_rest(const char *prefix)
{
	(void)prefix;
	show("<clear>", 7);
}

static struct uart fresh(void)
{
	struct uart uart = { .prefix = "web| " };

	shown[0] = '\0';
	return uart;
}

static void write_text(struct uart *uart, const char *text)
{
	for (; *text; text++)
		uart_write(uart, DATA, (uint8_t)*text);
}

static void lines_go_out_whole_with_the_name_in_front(void **state)
{
	struct uart uart = fresh();

	(void)state;
	write_text(&uart, "one\r\ntw");
	assert_string_equal(shown, "web| one\n|");
	write_text(&uart, "o\n");
	assert_string_equal(shown, "web| one\n|web| two\n|");
}

static void what_could_move_a_cursor_does_not_go_out(void **state)
{
	struct uart uart = fresh();

	(void)state;
	write_text(&uart, "a\b\b\x1b[2Ab\x1b[1;31mc\x1bMd\x7f\xff\n");
	assert_string_equal(shown, "web| abcd\n|");
}

static void who_is_typed_to_writes_at_once(void **state)
{
	struct uart uart = fresh();

	(void)state;
	write_text(&uart, "lo");
	atomic_store(&uart.live, true);
	write_text(&uart, "g\b\x1b[J");
	assert_string_equal(shown, "<lo><g><><\b><clear>");
}

static void a_line_that_was_shown_in_pieces_is_ended_not_repeated(void **state)
{
	struct uart uart = fresh();

	(void)state;
	atomic_store(&uart.live, true);
	write_text(&uart, "a\n");
	assert_string_equal(shown, "<><a><>|");
}

static void a_silent_port_says_nothing(void **state)
{
	struct uart uart = fresh();

	(void)state;
	uart.is_silent = true;
	write_text(&uart, "secret\n");
	assert_string_equal(shown, "");
}

static void a_line_without_end_is_cut(void **state)
{
	struct uart uart = fresh();

	(void)state;
	for (unsigned int i = 0; i < 3 * UART_LINE; i++)
		uart_write(&uart, DATA, 'x');
	assert_int_equal(strlen(shown), 3 * (strlen("web| \n|") + UART_LINE));
}

static void what_is_typed_is_read_in_its_order(void **state)
{
	struct uart uart = fresh();

	(void)state;
	uart_write(&uart, INTERRUPT_ENABLE, 1);
	assert_false(uart_wants_interrupt(&uart));
	assert_true(uart_type(&uart, 'a'));
	assert_true(uart_type(&uart, 'b'));
	assert_true(uart_wants_interrupt(&uart));
	assert_int_equal(uart_read(&uart, INTERRUPT_ID) & 0xf, 4);
	assert_int_equal(uart_read(&uart, LINE_STATUS) & 1, 1);
	assert_int_equal(uart_read(&uart, DATA), 'a');
	assert_int_equal(uart_read(&uart, DATA), 'b');
	assert_int_equal(uart_read(&uart, LINE_STATUS) & 1, 0);
	assert_int_equal(uart_read(&uart, INTERRUPT_ID) & 0xf, 1);
}

static void a_full_port_takes_no_more(void **state)
{
	struct uart uart = fresh();

	(void)state;
	for (unsigned int i = 0; i < UART_RECEIVE; i++)
		assert_true(uart_type(&uart, 'x'));
	assert_false(uart_type(&uart, 'y'));
	(void)uart_read(&uart, DATA);
	assert_true(uart_type(&uart, 'y'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_go_out_whole_with_the_name_in_front),
		cmocka_unit_test(what_could_move_a_cursor_does_not_go_out),
		cmocka_unit_test(who_is_typed_to_writes_at_once),
		cmocka_unit_test(a_line_that_was_shown_in_pieces_is_ended_not_repeated),
		cmocka_unit_test(a_silent_port_says_nothing),
		cmocka_unit_test(a_line_without_end_is_cut),
		cmocka_unit_test(what_is_typed_is_read_in_its_order),
		cmocka_unit_test(a_full_port_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
