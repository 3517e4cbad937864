/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/serial.h - COM1, polled. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void serial_start(void);
void serial_write(const char *text, size_t size);

/* What was typed; false where nothing was. */
bool serial_read(char *c);
