/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_message.c - interrupts of a guest's functions.
 *
 *   vpci_message: vector, CPU --> the guest's own? --> sp_device_set_message: the unit's entry
 *                                                         '--> the function's own table: what it
 *                                                              must send for the entry to be used
 */
#include "platform/metal/vm_message.h"

#include "platform/metal/memory.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/print.h"
#include "platform/metal/vpci_registers.h"

/* What a guest's message says: PCI 3.0, 6.8; APM vol. 2, 16. */
#define MESSAGE_WINDOW	 0xfee00000ull
#define MESSAGE_LOGICAL	 0x4ull
#define MESSAGE_CPU(a)	 ((uint32_t)((a) >> 12) & 0xff)
#define MESSAGE_DELIVERY 0x700u /* 0: fixed, 1: lowest priority */
#define MESSAGE_VECTOR	 0xffu

/*
 * The guest may name its own CPUs, and no delivery but an ordinary one. An entry has one target: of
 * several that a message names, the first. False: it may not.
 */
static bool find_target(const struct vm *vm, const struct vpci_message *wanted, uint8_t *cpu)
{
	const uint32_t targets = vapic_named(&vm->apic, MESSAGE_CPU(wanted->address),
					     wanted->address & MESSAGE_LOGICAL);

	if ((wanted->address & ~0xfffffull) != MESSAGE_WINDOW ||
	    (wanted->data & MESSAGE_DELIVERY) > 0x100 ||
	    !vapic_may_send(&vm->apic, wanted->data & MESSAGE_VECTOR) || targets == 0)
		return false;
	*cpu = (uint8_t)__builtin_ctz(targets);
	return true;
}

/* The function's own entry; `message` NULL masks it. PCI Express base 6.0, 7.7.2. */
static void write_table(const struct vpci_function *function, uint32_t vector,
			const struct sp_message *message)
{
	volatile uint32_t *entry =
		memory_pointer((sp_maddr_t){ function->bar[function->table_bar].machine +
					     function->table_offset + vector * VPCI_TABLE_ENTRY });

	entry[VECTOR_CONTROL] = VECTOR_MASKED;
	if (message == NULL)
		return;
	entry[VECTOR_ADDRESS_LOW] = (uint32_t)message->address;
	entry[VECTOR_ADDRESS_HIGH] = (uint32_t)(message->address >> 32);
	entry[VECTOR_DATA] = message->data;
	entry[VECTOR_CONTROL] = 0;
}

/* The same in its MSI capability, 7.7.1. */
static void write_msi(const struct vpci_function *function, const struct sp_message *message)
{
	const uint32_t at = function->msi;
	const uint32_t control = pci_config_read(function->sbdf, at + 2, 2);
	const bool is_wide = control & MSI_64;

	pci_config_write(function->sbdf, at + 2, 2, control & ~(MSI_ENABLE | MSI_GRANTED));
	if (message == NULL)
		return;
	pci_config_write(function->sbdf, at + 4, 4, (uint32_t)message->address);
	if (is_wide)
		pci_config_write(function->sbdf, at + 8, 4, (uint32_t)(message->address >> 32));
	pci_config_write(function->sbdf, at + (is_wide ? 12 : 8), 2, message->data & 0xffff);
	if (control & MSI_MASKS)
		pci_config_write(function->sbdf, at + (is_wide ? 16 : 12), 4, 0);
	pci_config_write(function->sbdf, at + 2, 2, (control & ~MSI_GRANTED) | MSI_ENABLE);
}

static void tell_function(const struct vpci_function *function, uint32_t vector,
			  const struct sp_message *message)
{
	if (vpci_uses_msix(function))
		write_table(function, vector, message);
	else if (function->msi != 0)
		write_msi(function, message);
}

/* The entry first, then the function that uses it. */
void vm_message_route(struct vm *vm, struct vpci_function *function, uint32_t vector)
{
	const struct vpci_message wanted = vpci_message(function, vector);
	struct vm_pci_function *state = &vm->pci.of[function - vm->pci.bus.function];
	struct sp_message message;
	enum sp_status status;
	uint8_t cpu;

	if (vector >= SP_MESSAGES)
		return;
	if (!wanted.on) {
		tell_function(function, vector, NULL);
		return;
	}
	if (!find_target(vm, &wanted, &cpu)) {
		vm_log_refusal(vm, "interrupt %u of %s: message 0x%x to 0x%lx", vector,
			       print_sbdf(function->sbdf).chars, wanted.data, wanted.address);
		return;
	}
	status = sp_device_set_message(vm->domain, function->sbdf, vector,
				       (uint8_t)(wanted.data & MESSAGE_VECTOR),
				       vm->apic.cpu[cpu].id, &message);
	if (status != SP_OK) {
		vm_log_refusal(vm, "interrupt %u of %s: %s", vector,
			       print_sbdf(function->sbdf).chars, sp_status_text(status));
		return;
	}
	vm->pci.moved += state->vector[vector] != 0 && state->cpu[vector] != cpu;
	state->vector[vector] = (uint8_t)(wanted.data & MESSAGE_VECTOR);
	state->cpu[vector] = cpu;
	vm->pci.messages++;
	tell_function(function, vector, &message);
}

/* The function's own mask for all vectors stays off: each vector has one, and that is used. */
void vm_message_switch(struct vm *vm, struct vpci_function *function)
{
	const bool on = vpci_uses_msix(function);
	uint32_t control = pci_config_read(function->sbdf, function->msix + 2u, 2);

	for (uint32_t i = 0; i < function->table_real; i++)
		write_table(function, i, NULL);
	control &= ~(MSIX_ENABLE | MSIX_MASKED);
	pci_config_write(function->sbdf, function->msix + 2u, 2, control | (on ? MSIX_ENABLE : 0));
	for (uint32_t i = 0; on && i < function->vector_count; i++)
		vm_message_route(vm, function, i);
}
