/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/json.h - all matrices as one file for programs to read.
 */
#pragma once

#include "matrix.h"

#include <jansson.h>

/* A new reference, or NULL without memory. */
json_t *json_from_matrices(const struct matrix *matrices, size_t count, const char *qemu);

/* False when the file cannot be written. */
bool json_write(const char *path, const struct matrix *matrices, size_t count, const char *qemu);
