/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/apic.c - the local APIC of the CPU that runs, in xAPIC mode (APM vol. 2, 16). */
#include "platform/metal/apic.h"

#include "platform/metal/layout.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/x86.h"

/* APM vol. 2, 16.3.1: where the registers are, and in which mode. */
#define MSR_APIC_BASE	   0x1b
#define APIC_BASE_ENABLE   (1ull << 11)
#define APIC_BASE_X2APIC   (1ull << 10)
#define APIC_BASE_ADDRESS  0x000ffffffffff000

/* APM vol. 2, table 16-2; each register is 4 bytes at a multiple of 16. */
#define APIC_ID		   0x020
#define APIC_TASK_PRIORITY 0x080
#define APIC_EOI	   0x0b0
#define APIC_SPURIOUS	   0x0f0
#define APIC_IN_SERVICE	   0x100
#define APIC_ICR_LOW	   0x300
#define APIC_ICR_HIGH	   0x310
#define APIC_LVT_TIMER	   0x320
#define APIC_LVT_LINT0	   0x350
#define APIC_LVT_LINT1	   0x360
#define APIC_LVT_ERROR	   0x370

#define SPURIOUS_ENABLE	   0x100u
#define LVT_MASKED	   0x10000u
/* APM vol. 2, 16.5, Interrupt Command Register, low half; the target is in the high one. */
#define ICR_FIXED	   0x00000u
#define ICR_NMI		   0x00400u
#define ICR_INIT	   0x00500u
#define ICR_STARTUP	   0x00600u
#define ICR_PENDING	   0x01000u
#define ICR_ASSERT	   0x04000u
#define ICR_TRIES	   10000000u

static volatile uint32_t *registers; /* the same address on every CPU; constant after apic_start */

uint32_t apic_read(uint32_t offset)
{
	return registers[offset / sizeof(uint32_t)];
}

void apic_write(uint32_t offset, uint32_t value)
{
	registers[offset / sizeof(uint32_t)] = value;
}

/*
 * Nothing but messages may come in: the timer and the error line of the APIC are masked, and so
 * are its two pins, by which the old interrupt controller would reach the CPU that booted.
 */
void apic_start(void)
{
	uint64_t base = read_msr(MSR_APIC_BASE);

	if (base & APIC_BASE_X2APIC)
		machine_refuse(
			"firmware left the local APIC in x2APIC mode; switch that off in its setup");
	if ((base & APIC_BASE_ADDRESS) >= LOW_LIMIT)
		machine_refuse(
			"the local APIC lies above 4 GiB, at 0x%lx; this hypervisor maps the "
			"first 4 GiB only",
			base & APIC_BASE_ADDRESS);
	write_msr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	registers = memory_pointer((sp_maddr_t){ base & APIC_BASE_ADDRESS });

	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED | ICR_NMI);
	apic_write(APIC_LVT_ERROR, LVT_MASKED | VECTOR_SPURIOUS);
	apic_write(APIC_TASK_PRIORITY, 0);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
}

uint32_t apic_id(void)
{
	return apic_read(APIC_ID) >> 24;
}

/* For the embedder to forbid: no guest and no device may ever reach this page. */
sp_maddr_t apic_registers(void)
{
	return (sp_maddr_t){ (uintptr_t)registers };
}

void apic_end_interrupt(void)
{
	apic_write(APIC_EOI, 0);
}

bool apic_is_in_service(uint8_t vector)
{
	return apic_read(APIC_IN_SERVICE + vector / 32u * 16u) >> vector % 32u & 1;
}

/* The two halves of the command belong together: no interrupt may send another in between. */
static void send(uint32_t apic_id, uint32_t command)
{
	bool were_on = interrupts_save();

	for (uint32_t i = 0; i < ICR_TRIES && apic_read(APIC_ICR_LOW) & ICR_PENDING; i++)
		pause();
	apic_write(APIC_ICR_HIGH, apic_id << 24);
	apic_write(APIC_ICR_LOW, command);
	interrupts_restore(were_on);
}

void apic_send(uint32_t apic_id, uint8_t vector)
{
	send(apic_id, ICR_FIXED | ICR_ASSERT | vector);
}

void apic_send_nmi(uint32_t apic_id)
{
	send(apic_id, ICR_NMI | ICR_ASSERT);
}

/* Resets the target and leaves it waiting for a start-up message (APM vol. 2, 16.5). */
void apic_send_init(uint32_t apic_id)
{
	send(apic_id, ICR_INIT | ICR_ASSERT);
}

/* The vector of this message is the number of the page to start at. */
void apic_send_startup(uint32_t apic_id, sp_maddr_t page)
{
	send(apic_id, ICR_STARTUP | ICR_ASSERT | (uint32_t)(page.maddr >> SP_FRAME_ORDER));
}
