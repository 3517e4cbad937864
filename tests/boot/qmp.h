/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/qmp.h - QEMU's own monitor (QMP), over a socket that is connected. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The greeting is read, and commands are switched on. False: nobody is there. */
bool qmp_begin(int socket);

/* The picture of a display device's first head, as a PNG. False: `amiss` says why. */
bool qmp_picture(int socket, const char *device, const char *path, char *amiss, size_t size);
