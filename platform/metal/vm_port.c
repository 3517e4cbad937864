/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_port.c - a guest's I/O ports: all of them exit.
 *
 *   3f8-3ff  its serial port        cf8, cfc-cff  its PCI configuration space
 *   70, 71   the machine's clock, to be read
 *   40-43    a PIT that only seems to count: loops that wait for it give up at once
 *   64, cf9  reset; 64 reads as a keyboard controller that never has done: drivers give it up at once,
 *            and who wants to reset need not wait
 *   600      with ACPI: off                  601  nothing there woke it
 *   others   nothing there: ones
 */
#include "platform/metal/vm_port.h"

#include "platform/metal/layout.h"
#include "platform/metal/spinlock.h"
#include "platform/metal/vacpi.h"
#include "platform/metal/vmcb.h"

#define PIT_FIRST	0x40u
#define PIT_LAST	0x43u
#define CLOCK_INDEX	0x70u
#define CLOCK_DATA	0x71u
#define KEYBOARD	0x64u
#define CLOCK_REGISTERS 0x0eu /* time, date and state; what follows is firmware's own */
#define KEYBOARD_RESET	0xfeu
#define KEYBOARD_STATUS 0xfdu /* its output is full, always; its input is not */
#define RESET_CONTROL	0xcf9u
#define RESET_NOW	0x04u

struct port_access {
	uint32_t port, bytes;
	bool in;
	uint32_t value; /* out: what is written; in: what is read */
};

/* APM vol. 2, 15.10.2. */
static struct port_access read_exit(const struct vm_cpu *cpu)
{
	const uint32_t info = (uint32_t)cpu->vcpu.vmcb->exit_info1;
	const uint32_t bytes = (info & IOIO_SIZE) >> 4;

	return (struct port_access){ .port = info >> IOIO_PORT_SHIFT,
				     .bytes = bytes,
				     .in = info & IOIO_IN,
				     .value = (uint32_t)cpu->vcpu.vmcb->rax &
					      (0xffffffffu >> (32 - 8 * bytes)) };
}

/* Narrow reads leave the rest of RAX alone, those of 32 bits clear its upper half. */
static void put_result(struct vm_cpu *cpu, const struct port_access *access)
{
	const uint64_t mask = 0xffffffffu >> (32 - 8 * access->bytes);
	uint64_t *rax = &cpu->vcpu.vmcb->rax;

	*rax = access->bytes == 4 ? access->value : (*rax & ~mask) | (access->value & mask);
}

static bool is_within(uint32_t port, uint32_t first, uint32_t count)
{
	return port >= first && port < first + count;
}

/* Index and data belong together; bit 7 of the index would switch NMIs off, on which kicks rely. */
static uint32_t read_clock(const struct vm *vm)
{
	static struct spinlock lock;
	bool were_on;
	uint32_t value;

	if (vm->clock_index >= CLOCK_REGISTERS)
		return 0;
	were_on = spinlock_take(&lock);
	out8(CLOCK_INDEX, vm->clock_index);
	value = in8(CLOCK_DATA);
	spinlock_drop(&lock, were_on);
	return value;
}

/* With ACPI it is by memory. */
static bool is_config(const struct vm *vm, const struct port_access *access)
{
	return !vm->acpi && vpci_has_port(access->port, access->bytes);
}

static uint32_t read_port(struct vm *vm, const struct port_access *access)
{
	if (is_within(access->port, COM1_PORT, UART_PORTS) && access->bytes == 1)
		return uart_read(&vm->uart, access->port - COM1_PORT);
	if (is_within(access->port, PIT_FIRST, PIT_LAST - PIT_FIRST + 1))
		return vm->pit += 0x55;
	if (access->port == KEYBOARD)
		return KEYBOARD_STATUS;
	if (access->port == CLOCK_DATA)
		return read_clock(vm);
	if (is_config(vm, access))
		return vm_pci_port_read(vm, access->port, access->bytes);
	if (vm->acpi && is_within(access->port, VACPI_SLEEP_CONTROL, 2))
		return 0;
	return 0xffffffff;
}

static void write_port(struct vm *vm, const struct port_access *access)
{
	if (is_within(access->port, COM1_PORT, UART_PORTS) && access->bytes == 1)
		uart_write(&vm->uart, access->port - COM1_PORT, (uint8_t)access->value);
	else if (is_config(vm, access))
		vm_pci_port_write(vm, access->port, access->bytes, access->value);
	else if (access->port == CLOCK_INDEX)
		vm->clock_index = access->value & 0x7f;
	else if (access->port == KEYBOARD && access->value == KEYBOARD_RESET)
		vm_end(vm, "it reset itself by the keyboard controller");
	else if (access->port == RESET_CONTROL && access->value & RESET_NOW)
		vm_end(vm, "it reset itself by port cf9");
	else if (vm->acpi && access->port == VACPI_SLEEP_CONTROL &&
		 access->value == VACPI_SWITCH_OFF)
		vm_end(vm, "it switched itself off");
}

/* One access after the other: what is behind the ports is all CPUs'. */
static void perform(struct vm_cpu *cpu, struct port_access *access)
{
	const bool were_on = vm_lock(cpu->vm);

	if (access->in)
		access->value = read_port(cpu->vm, access);
	else
		write_port(cpu->vm, access);
	vm_unlock(cpu->vm, were_on);
}

enum vm_exit vm_port_exit(struct vm_cpu *cpu)
{
	struct port_access access = read_exit(cpu);

	/* INS and OUTS move memory: no driver of a device that is here uses them. */
	if (cpu->vcpu.vmcb->exit_info1 & IOIO_STRING) {
		vm_log_refusal(cpu->vm, "string access to port 0x%x", access.port);
		vm_refuse_protection(cpu);
		return VM_EXIT_PORT;
	}
	perform(cpu, &access);
	if (access.in)
		put_result(cpu, &access);
	/* EXITINFO2 is the address of the next instruction. */
	vm_skip(cpu, (uint32_t)(cpu->vcpu.vmcb->exit_info2 - cpu->vcpu.vmcb->rip));
	return is_config(cpu->vm, &access) ? VM_EXIT_CONFIG : VM_EXIT_PORT;
}
