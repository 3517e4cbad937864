/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/uart.c - a guest's serial port: the registers of a 16550A (National Semiconductor's
 * PC16550D data sheet, 8).
 */
#include "platform/metal/uart.h"

#include <stdatomic.h>

#include "platform/metal/console.h"

#define DATA		 0u /* divisor's low half while DLAB is set */
#define INTERRUPT_ENABLE 1u /* divisor's high half while DLAB is set */
#define INTERRUPT_ID	 2u /* written: FIFO control */
#define LINE_CONTROL	 3u
#define MODEM_CONTROL	 4u
#define LINE_STATUS	 5u
#define MODEM_STATUS	 6u
#define SCRATCH		 7u

#define ENABLE_RECEIVED	 0x01u
#define ENABLE_TRANSMIT	 0x02u
#define ID_NONE		 0x01u
#define ID_TRANSMIT	 0x02u
#define ID_RECEIVED	 0x04u
#define ID_FIFO		 0xc0u
#define FIFO_ENABLE	 0x01u
#define FIFO_CLEAR	 0x02u
#define CONTROL_DLAB	 0x80u
#define MODEM_LOOP	 0x10u
#define STATUS_RECEIVED	 0x01u
#define STATUS_EMPTY	 0x60u /* transmitter and its shift register */
#define ESCAPE		 0x1b
#define MODEM_PRESENT	 0xb0u /* carrier, data set ready, clear to send */

static bool has_received(const struct uart *uart)
{
	return atomic_load(&uart->put) != atomic_load(&uart->taken);
}

static uint8_t take(struct uart *uart)
{
	const uint32_t taken = atomic_load(&uart->taken);
	char c;

	if (!has_received(uart))
		return 0;
	c = uart->received[taken % UART_RECEIVE];
	atomic_store(&uart->taken, taken + 1);
	return (uint8_t)c;
}

bool uart_type(struct uart *uart, char c)
{
	const uint32_t put = atomic_load(&uart->put);

	if (put - atomic_load(&uart->taken) == UART_RECEIVE)
		return false;
	uart->received[put % UART_RECEIVE] = c;
	atomic_store(&uart->put, put + 1);
	return true;
}

void uart_flush(struct uart *uart)
{
	if (uart->used != 0)
		console_line("%s%.*s", uart->prefix, (int)uart->used, uart->line);
	uart->used = 0;
	console_part_ends(uart->prefix);
}

static void end_line(struct uart *uart)
{
	if (uart->used != 0 || !atomic_load(&uart->live))
		console_line("%s%.*s", uart->prefix, (int)uart->used, uart->line);
	else
		console_part(uart->prefix, "", 0);
	uart->used = 0;
	console_part_ends(uart->prefix);
}

static void write_live(struct uart *uart, char c)
{
	console_part(uart->prefix, uart->line, uart->used);
	uart->used = 0;
	console_part(uart->prefix, &c, 1);
}

/* Sequences are swallowed, but for those that clear the rest of a line, which shells need. */
static bool is_sequence(struct uart *uart, char c)
{
	switch (uart->escape) {
	case UART_PLAIN:
		uart->escape = c == ESCAPE ? UART_ESCAPE : UART_PLAIN;
		return c == ESCAPE;
	case UART_ESCAPE:
		uart->escape = c == '[' ? UART_SEQUENCE : UART_PLAIN;
		return true;
	case UART_SEQUENCE:
		if (c < '@')
			return true;
		uart->escape = UART_PLAIN;
		if ((c == 'J' || c == 'K') && atomic_load(&uart->live))
			console_clear_rest(uart->prefix);
		return true;
	}
	return false;
}

/* Control characters could rewrite what others said: only tabs and printable ones go out. */
static void transmit(struct uart *uart, char c)
{
	const bool live = atomic_load(&uart->live);

	uart->transmit_pending = true;
	if (uart->is_silent || is_sequence(uart, c))
		return;
	if (c == '\n')
		end_line(uart);
	else if (((uint8_t)c < ' ' && c != '\t' && !(c == '\b' && live)) || (uint8_t)c >= 0x7f)
		return;
	else if (live)
		write_live(uart, c);
	else
		uart->line[uart->used++] = c;
	if (uart->used == UART_LINE)
		end_line(uart);
}

/* In loop-back, outputs of the modem control register come back as inputs (8.6). */
static uint8_t modem_status(const struct uart *uart)
{
	const uint32_t out = uart->modem_control;

	if (!(out & MODEM_LOOP))
		return MODEM_PRESENT;
	return (uint8_t)((out & 0x2) << 3 | (out & 0x1) << 5 | (out & 0xc) << 4);
}

bool uart_wants_interrupt(const struct uart *uart)
{
	return (uart->interrupt_enable & ENABLE_RECEIVED && has_received(uart)) ||
	       (uart->interrupt_enable & ENABLE_TRANSMIT && uart->transmit_pending);
}

/* Reading it takes back the transmitter's interrupt, if that is what it names. */
static uint8_t interrupt_id(struct uart *uart)
{
	const uint32_t fifo = uart->fifo ? ID_FIFO : 0;

	if (uart->interrupt_enable & ENABLE_RECEIVED && has_received(uart))
		return (uint8_t)(fifo | ID_RECEIVED);
	if (uart->interrupt_enable & ENABLE_TRANSMIT && uart->transmit_pending) {
		uart->transmit_pending = false;
		return (uint8_t)(fifo | ID_TRANSMIT);
	}
	return (uint8_t)(fifo | ID_NONE);
}

uint8_t uart_read(struct uart *uart, uint32_t offset)
{
	const bool divisor = uart->line_control & CONTROL_DLAB;

	switch (offset) {
	case DATA:
		return divisor ? uart->divisor_low : take(uart);
	case INTERRUPT_ENABLE:
		return divisor ? uart->divisor_high : uart->interrupt_enable;
	case INTERRUPT_ID:
		return interrupt_id(uart);
	case LINE_CONTROL:
		return uart->line_control;
	case MODEM_CONTROL:
		return uart->modem_control;
	case LINE_STATUS:
		return (uint8_t)(STATUS_EMPTY | (has_received(uart) ? STATUS_RECEIVED : 0));
	case MODEM_STATUS:
		return modem_status(uart);
	case SCRATCH:
		return uart->scratch;
	}
	return 0xff;
}

static void set_interrupt_enable(struct uart *uart, uint8_t value)
{
	/* The transmitter is empty: switching its interrupt on raises it at once. */
	if (value & ~uart->interrupt_enable & ENABLE_TRANSMIT)
		uart->transmit_pending = true;
	uart->interrupt_enable = value & 0x0f;
}

static void set_fifo(struct uart *uart, uint8_t value)
{
	uart->fifo = value & FIFO_ENABLE;
	if (value & FIFO_CLEAR)
		atomic_store(&uart->taken, atomic_load(&uart->put));
}

void uart_write(struct uart *uart, uint32_t offset, uint8_t value)
{
	const bool divisor = uart->line_control & CONTROL_DLAB;

	if (offset == DATA && divisor)
		uart->divisor_low = value;
	else if (offset == DATA && !(uart->modem_control & MODEM_LOOP))
		transmit(uart, (char)value);
	else if (offset == INTERRUPT_ENABLE && divisor)
		uart->divisor_high = value;
	else if (offset == INTERRUPT_ENABLE)
		set_interrupt_enable(uart, value);
	else if (offset == INTERRUPT_ID)
		set_fifo(uart, value);
	else if (offset == LINE_CONTROL)
		uart->line_control = value;
	else if (offset == MODEM_CONTROL)
		uart->modem_control = value & 0x1f;
	else if (offset == SCRATCH)
		uart->scratch = value;
}
