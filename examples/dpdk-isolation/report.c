/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/dpdk-isolation/report.c - who says that something was blocked: Sallyport, if it is there.
 *
 * A guest may ask it for the faults of its own functions (platform/metal/hypercall.h). Where there is
 * no such hypervisor, VMMCALL is an invalid opcode or answers something else.
 */
#include "isolation.h"

#include <setjmp.h>
#include <signal.h>

#include <rte_cycles.h>

#include "platform/metal/hypercall.h"

#define VERSION	  1
#define WAIT_MS	  300u

/*
 * Some units report a frame word by word, and a function of which too many come in one second is
 * stopped: then there is a pause.
 */
#define FEW	  4u
#define SETTLE_US 5000u
#define SECOND_US 1100000u

static bool is_there;
static sigjmp_buf no_such_opcode;

static int64_t call(uint64_t number, uint64_t first, uint64_t second)
{
	int64_t answer;

	__asm__ volatile("vmmcall"
			 : "=a"(answer)
			 : "a"(number), "b"(first), "c"(second)
			 : "memory");
	return answer;
}

static void leave(int signal)
{
	(void)signal;
	siglongjmp(no_such_opcode, 1);
}

static bool has_sallyport(void)
{
	struct sigaction action = { .sa_handler = leave }, before;
	bool has = false;

	sigaction(SIGILL, &action, &before);
	if (sigsetjmp(no_such_opcode, 1) == 0)
		has = call(HYPERCALL_VERSION, 0, 0) == VERSION;
	sigaction(SIGILL, &before, NULL);
	return has;
}

const char *report_find(const struct port ports[2])
{
	if (!has_sallyport())
		return "no Sallyport answers this program: another hypervisor, or none, or "
		       "guest.conf lacks faults = user";
	for (unsigned int i = 0; i < 2; i++) {
		const int64_t count =
			call(HYPERCALL_FAULTS, ports[i].function, HYPERCALL_FAULT_COUNT);

		if (count == HYPERCALL_NOT_PERMITTED || count == HYPERCALL_UNKNOWN)
			return "Sallyport does not tell this program of faults: faults = user in "
			       "guest.conf";
		if (count < 0)
			return "Sallyport does not know a port by the name it has here";
	}
	is_there = true;
	return NULL;
}

uint64_t report_count(const struct port *port)
{
	return is_there ? (uint64_t)call(HYPERCALL_FAULTS, port->function, HYPERCALL_FAULT_COUNT)
			: 0;
}

uint64_t report_last(const struct port *port)
{
	return (uint64_t)call(HYPERCALL_FAULTS, port->function, HYPERCALL_FAULT_ADDRESS);
}

uint64_t report_wait(const struct port *port, uint64_t before)
{
	for (unsigned int i = 0; is_there && i < WAIT_MS && report_count(port) == before; i++)
		rte_delay_us_sleep(1000);
	if (report_count(port) == before)
		return 0;
	rte_delay_us_sleep(SETTLE_US);
	if (report_count(port) - before > FEW)
		rte_delay_us_sleep(SECOND_US);
	return report_count(port) - before;
}
