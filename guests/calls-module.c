/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/calls-module.c - hypercalls from the hostile guest's kernel, which may make them: what is in
 * order succeeds, what is not is refused. A module without the kernel's headers: guests/images.sh takes
 * the frame of it from a module of Debian's.
 */
#include "guests/calls.h"

#define GFP_KERNEL 0xcc0u /* Linux 6.1: may sleep, reclaim, do I/O */
#define PAGE	   4096u

int _printk(const char *format, ...);
void *__kmalloc(unsigned long bytes, unsigned int flags);
extern unsigned long page_offset_base;

int init_module(void);

static void tell(const char *what, const struct calls_outcome *outcome)
{
	_printk("two: calls of ring 0, %s: %u tried, %u refused\n", what, outcome->tried,
		outcome->refused);
}

/* The same acts where they are in order: a page of its own goes, comes, and gets another frame. */
static void run_controls(void)
{
	volatile unsigned char *page = __kmalloc(PAGE, GFP_KERNEL);
	const uint64_t gfn = ((unsigned long)page - page_offset_base) / PAGE;

	_printk("two: control version-by-kernel %d\n", (int)call(HYPERCALL_VERSION, 0, 0));
	_printk("two: control give-by-kernel %d\n", (int)call(HYPERCALL_GIVE, gfn, 1));
	_printk("two: control get-by-kernel %d\n", (int)call(HYPERCALL_GET, gfn, 1));
	page[7] = 7;
	_printk("two: control exchange-by-kernel %d\n",
		page[7] == 7 ? (int)call(HYPERCALL_EXCHANGE, gfn, 1) : 0);
	_printk("two: control faults-by-kernel %d\n",
		(int)call(HYPERCALL_FAULTS, 1 << 3, HYPERCALL_FAULT_COUNT));
}

int init_module(void)
{
	struct calls_outcome unknown = { 0, 0 }, foreign = { 0, 0 }, unasked = { 0, 0 },
			     functions = { 0, 0 };

	run_controls();
	_printk("two: attack call-unknown\n");
	calls_unknown(&unknown);
	tell("unknown", &unknown);
	_printk("two: attack call-foreign-pages\n");
	for (uint64_t number = HYPERCALL_GIVE; number <= HYPERCALL_UNPROTECT; number++)
		calls_foreign(&foreign, number);
	tell("foreign", &foreign);
	_printk("two: attack call-get-unasked\n");
	calls_get_unasked(&unasked);
	tell("unasked", &unasked);
	_printk("two: attack call-foreign-function\n");
	calls_foreign_functions(&functions);
	tell("functions", &functions);
	return 0;
}
