/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/serial.h - COM1, polled. */
#pragma once

#include <stddef.h>

void serial_start(void);
void serial_write(const char *text, size_t size);
