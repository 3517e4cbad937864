/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/serial.c - COM1, polled: a 16550 at 115200 8N1. */
#include "platform/metal/serial.h"

#include "platform/metal/layout.h"
#include "platform/metal/x86.h"

#define DATA	      (COM1_PORT + 0) /* divisor low while DLAB is set */
#define INT_ENABLE    (COM1_PORT + 1) /* divisor high while DLAB is set */
#define FIFO_CONTROL  (COM1_PORT + 2)
#define LINE_CONTROL  (COM1_PORT + 3)
#define MODEM_CONTROL (COM1_PORT + 4)
#define LINE_STATUS   (COM1_PORT + 5)

#define LINE_8N1      0x03
#define LINE_DLAB     0x80
#define STATUS_TYPED  0x01
#define STATUS_EMPTY  0x20
#define EMPTY_TRIES   100000 /* a stuck port must not stop the machine: then characters are lost */

void serial_start(void)
{
	out8(INT_ENABLE, 0);
	out8(LINE_CONTROL, LINE_DLAB);
	out8(DATA, 1);
	out8(INT_ENABLE, 0);
	out8(LINE_CONTROL, LINE_8N1);
	out8(FIFO_CONTROL, 0x07);
	out8(MODEM_CONTROL, 0x03);
}

static void write_char(char c)
{
	for (unsigned int i = 0; i < EMPTY_TRIES; i++) {
		if (in8(LINE_STATUS) & STATUS_EMPTY)
			break;
	}
	out8(DATA, (uint8_t)c);
}

void serial_write(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		write_char(text[i]);
}

/* A port that is not there reads as ones: that is not a line status. */
bool serial_read(char *c)
{
	const uint8_t status = in8(LINE_STATUS);

	if (status == 0xff || !(status & STATUS_TYPED))
		return false;
	*c = (char)in8(DATA);
	return true;
}
