/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/perform.h - carries out an instruction that decode.h understood, in two halves
 * around the access to the device's register that it stands for.
 *
 *   decode_reads:  read = the register's value      decode_writes: perform_stored(.., read)
 *   then always    perform_finish(.., read)         and RIP moves on by instruction->length
 */
#pragma once

#include <stdint.h>

#include "platform/metal/decode.h"

/* A guest CPU's, in the order of their encoding: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 ... */
struct perform_registers {
	uint64_t general[16];
	uint64_t rflags;
};

/*
 * The address in its segment, whose base the caller adds. `rip` is the instruction's own. The
 * offset in the page is to be compared with that of the fault: where they differ, the bytes are not
 * those that were executed.
 */
uint64_t perform_address(const struct instruction *instruction,
			 const struct perform_registers *registers, uint64_t rip);

/* The value for memory, of instruction->bytes; what is above them is 0. */
uint64_t perform_stored(const struct instruction *instruction,
			const struct perform_registers *registers, uint64_t read);

/* What becomes of registers and flags; `read` is not looked at if the instruction reads nothing. */
void perform_finish(const struct instruction *instruction, struct perform_registers *registers,
		    uint64_t read);
