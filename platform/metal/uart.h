/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/uart.h - a guest's serial port, as its kernel's driver knows it: a 16550A.
 *
 * What the guest writes goes to the console, line by line, with the guest's name in front; while somebody
 * types to it, character by character.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define UART_PORTS   8u
#define UART_LINE    200u
#define UART_RECEIVE 64u
#define UART_PREFIX  20u

/* Of the sequences that move a terminal's cursor. */
enum uart_escape {
	UART_PLAIN,
	UART_ESCAPE,   /* behind ESC */
	UART_SEQUENCE, /* behind ESC [ */
};

struct uart {
	char prefix[UART_PREFIX]; /* "name| " */
	_Atomic bool live;	  /* somebody types to it: what it writes goes out at once */
	bool is_silent;		  /* guest.conf: console = none */
	enum uart_escape escape;
	uint8_t interrupt_enable, line_control, modem_control, scratch;
	uint8_t divisor_low, divisor_high;
	bool fifo;
	bool transmit_pending; /* an interrupt for the empty transmitter is due */
	char line[UART_LINE];
	uint32_t used;
	char received[UART_RECEIVE]; /* a ring: the console's CPU puts, the guest's takes */
	_Atomic uint32_t put, taken;
};

/* `offset` below UART_PORTS; the guest's CPU alone. */
uint8_t uart_read(struct uart *uart, uint32_t offset);
void uart_write(struct uart *uart, uint32_t offset, uint8_t value);

/* True: it wants its interrupt line high. */
bool uart_wants_interrupt(const struct uart *uart);

/* What was typed; false where the ring is full. Any one CPU. */
bool uart_type(struct uart *uart, char c);

/* The line that has no end yet. */
void uart_flush(struct uart *uart);
