/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/run.h - boots a machine, shows how far it is, and reads what it said.
 */
#pragma once

#include "matrix.h"
#include "qemu.h"
#include "table.h"

enum {
	PATH_SIZE = 512
};

struct runner {
	struct qemu qemu;
	const char *out; /* the directory of the images, the logs and matrix.json */
	struct terminal terminal;
};

/* Both images, rows and controls; what goes wrong is in the matrix. */
void run_machine(const struct runner *runner, const struct machine *machine, struct matrix *matrix);

/* Empty when the hypervisor said and did what the probe wants, else what was amiss. */
void run_probe(const struct runner *runner, const struct probe *probe, char *amiss, size_t size);

/* Hands on a file line by line; one that is not there has none. */
void run_read_lines(const char *path, void (*read)(void *context, const char *line), void *context);

/* False with a message when an image or the directory for the logs is not there. */
bool run_prepare(const struct runner *runner, char *message, size_t size);
