/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vm_load.h - a Linux kernel into a guest's memory. */
#pragma once

#include "platform/metal/module.h"
#include "platform/metal/vm.h"

struct vm_files {
	struct module kernel;
	struct module initrd; /* no bytes: none */
	const char *command_line;
	size_t command_line_length;
};

/* What cannot be loaded, and why; NULL: the vCPU is about to execute the kernel's first instruction. */
const char *vm_load(struct vm *vm, const struct vm_files *files);
