/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/hypercall_check.h - may this guest make this call? Decided from the call alone, before
 * anything is looked at or changed.
 */
#pragma once

#include <stdint.h>

struct vpci;

/* Whom guest.conf lets make a kind of call. */
enum call_right {
	CALL_BY_NOBODY,
	CALL_BY_KERNEL, /* ring 0 */
	CALL_BY_USER,	/* every ring */
};

/* As the registers have it: hypercall.h. */
struct hypercall {
	uint64_t number, first, count;
	uint32_t ring;
};

/* Who calls. */
struct hypercall_guest {
	enum call_right balloon, faults;
	uint64_t frames;  /* of its memory, from gfn 0 on */
	struct vpci *bus; /* its functions */
	uint32_t mutant;  /* of lib/mutant.h: tests only */
	uint64_t served;  /* frames of the guest that it serves; 0: it serves none */
};

/* 0: it is carried out; else an error of hypercall.h. */
int64_t hypercall_check(const struct hypercall_guest *guest, const struct hypercall *call);
