/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/layout.h - numbers that C and assembly must agree on.
 * Plain #defines only: the assembler reads this file too.
 */
#pragma once

#define MAX_CPUS	    8
#define CPU_STACK_SIZE	    16384
#define TRAP_STACK_SIZE	    4096

#define COM1_PORT	    0x3f8

/* QEMU's isa-debug-exit ends the machine with status 2 * code + 1: 33 and 35. */
#define EXIT_PORT	    0xf4
#define EXIT_SUCCESS_CODE   0x10
#define EXIT_FAILURE_CODE   0x11

/* One GDT per CPU, of this shape; the boot GDT is its first three entries. */
#define SELECTOR_CODE	    0x08
#define SELECTOR_DATA	    0x10
#define SELECTOR_TSS	    0x18
#define GDT_CODE64	    0x00af9b000000ffff
#define GDT_DATA	    0x00cf93000000ffff

/* Those that Linux' 32-bit boot protocol asks for; the built-in guest takes any. */
#define SELECTOR_GUEST_CODE 0x10
#define SELECTOR_GUEST_DATA 0x18

#define MSR_EFER	    0xc0000080
#define EFER_LME	    0x00000100
#define EFER_NXE	    0x00000800
#define EFER_SVME	    0x00001000

#define BOOT_CR0	    0x80010033 /* PG WP NE ET MP PE */
#define BOOT_CR4	    0x00000020 /* PAE */
#define BOOT_LINK	    0x003      /* present, writable */
#define BOOT_LEAF	    0x083      /* and a 2 MiB page */

/* Intercepted vectors; everything from 32 on that is not listed is counted as unexpected. */
#define VECTOR_DEBUG	    1
#define VECTOR_NMI	    2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT   14
#define VECTOR_FIRST_IRQ    32
#define VECTOR_COUNTING	    0x51
#define VECTOR_KICK	    0xf1
#define VECTOR_SPURIOUS	    0xff
