/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/machine.c - the ways in which a run ends. */
#include "platform/metal/machine.h"

#include "platform/metal/console.h"
#include "platform/metal/layout.h"
#include "platform/metal/print.h"
#include "platform/metal/x86.h"

/* The port exists in QEMU only; a write to it elsewhere goes nowhere, and we halt. */
static _Noreturn void leave(bool success)
{
	interrupts_off();
	out32(EXIT_PORT, success ? EXIT_SUCCESS_CODE : EXIT_FAILURE_CODE);
	for (;;)
		halt();
}

_Noreturn void machine_end(bool success)
{
	console_line(success ? "sallyport: ended with success" : "sallyport: ended with failure");
	leave(success);
}

/* The reason says what to do: it is all that the user will see. */
_Noreturn void machine_refuse(const char *format, ...)
{
	char reason[CONSOLE_LINE - 16];
	va_list arguments;

	va_start(arguments, format);
	print_list(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	console_line("refused: %s", reason);
	machine_end(false);
}

/* Any lock may be held here, by this CPU too: the line is forced out. */
_Noreturn void machine_panic(const char *format, ...)
{
	char reason[CONSOLE_LINE - 16];
	va_list arguments;

	va_start(arguments, format);
	print_list(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	console_line_forced("panic: %s", reason);
	leave(false);
}
