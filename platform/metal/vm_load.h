/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vm_load.h - a Linux kernel into a guest's memory. */
#pragma once

#include "platform/metal/conf_text.h"
#include "platform/metal/module.h"
#include "platform/metal/vm.h"

struct vm_files {
	const struct module *kernel;
	const struct module *initrd; /* NULL: none */
	struct conf_text command_line;
};

/* What cannot be loaded, and why; NULL: the vCPU is about to execute the kernel's first instruction. */
const char *vm_load(struct vm *vm, const struct vm_files *files);
