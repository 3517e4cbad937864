/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/hypercall_check.h - may this guest make this call? Decided from the call alone, before
 * anything is looked at or changed.
 */
#pragma once

#include <stdint.h>

#include "platform/metal/balloon.h"

/* As the registers have it: hypercall.h. */
struct hypercall {
	uint64_t number, first, count;
	uint32_t ring;
};

/* Who calls. */
struct hypercall_guest {
	enum balloon_right right;
	uint64_t frames; /* of its memory, from gfn 0 on */
	uint32_t mutant; /* of lib/mutant.h: tests only */
};

/* 0: it is carried out; else an error of hypercall.h. */
int64_t hypercall_check(const struct hypercall_guest *guest, const struct hypercall *call);
