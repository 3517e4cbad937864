/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vm_pci.c - the functions of a guest: what it does to its bus is carried out on the
 * machine's.
 *
 *   command, BARs  --> vpci.h --> VPCI_DECODE --> sp_device_map_bar, less the MSI-X table's pages
 *                                 VPCI_MASTER --> sp_device_set_master
 *   MSI, MSI-X     --> vpci.h --> VPCI_MSI, VPCI_MSIX, the table --> vm_message.h
 *
 * Runs on one of the guest's CPUs, which is out of guest mode meanwhile, with the guest's lock.
 */
#include "platform/metal/vm_pci.h"

#include "lib/mutant.h"
#include "platform/metal/hypercall.h"
#include "platform/metal/machine_host.h"
#include "platform/metal/memory.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/print.h"
#include "platform/metal/vacpi.h"
#include "platform/metal/vm.h"
#include "platform/metal/vm_cpu.h"
#include "platform/metal/vm_message.h"
#include "platform/metal/vpci_registers.h"

/*
 * From the end of memory to the APICs, and above 4 GiB. A kernel that finds a function later puts its
 * registers right behind memory, so all from there on must be good.
 */
#define LOW_END	   0xfec00000ull
#define HIGH_FIRST 0x2000000000ull
#define HIGH_END   0x4000000000ull

static uint32_t read_config(void *context, sp_sbdf_t function, uint32_t offset, uint32_t bytes)
{
	(void)context;
	return pci_config_read(function, offset, bytes);
}

static void write_config(void *context, sp_sbdf_t function, uint32_t offset, uint32_t bytes,
			 uint32_t value)
{
	(void)context;
	pci_config_write(function, offset, bytes, value);
}

void vm_pci_begin(struct vm *vm)
{
	struct vpci *bus = &vm->pci.bus;

	bus->read = read_config;
	bus->write = write_config;
	bus->low = (struct vpci_window){ vm->frames * SP_FRAME_BYTES,
					 vm->acpi ? VACPI_ECAM : LOW_END };
	bus->high = (struct vpci_window){ HIGH_FIRST, HIGH_END };
	vpci_begin(bus);
}

static struct vm_pci_function *state_of(struct vm *vm, const struct vpci_function *function)
{
	return &vm->pci.of[function - vm->pci.bus.function];
}

/* ---- registers ---- */

static enum sp_status unmap(struct vm *vm, uint64_t gfn, uint64_t count)
{
	enum sp_status status = SP_OK;

	while (count != 0 && status == SP_OK) {
		struct sp_result result;

		status = sp_p2m_unmap(vm->domain, (sp_gfn_t){ gfn }, count, &result);
		if (status == SP_OK || status == SP_BUSY)
			status = sp_wait(vm->host, result.ticket);
		gfn += result.done;
		count -= result.done;
	}
	return status;
}

static enum sp_status map_some(struct vm *vm, const struct vpci_function *function, uint32_t bar,
			       sp_gfn_t first)
{
	enum sp_status status = sp_device_map_bar(vm->domain, function->sbdf, bar, first);
	uint64_t page = 0, run;
	bool trapped;

	while (status == SP_OK &&
	       (run = vpci_bar_run(&vm->pci.bus, function, bar, page, &trapped)) != 0) {
		if (trapped)
			status = unmap(vm, first.gfn + page, run);
		page += run;
	}
	return status;
}

/* No CPU of the guest is in guest mode, so none ever sees the table's pages mapped. */
static enum sp_status map(struct vm *vm, const struct vpci_function *function, uint32_t bar,
			  sp_gfn_t first)
{
	const bool has_table = function->msix != 0 && function->table_bar == bar &&
			       !MUTANT_IS(vm->mutant, SP_MUT_TABLE_UNPAUSED);
	enum sp_status status;

	if (has_table)
		vm_pause(vm);
	status = map_some(vm, function, bar, first);
	if (has_table)
		vm_resume(vm);
	return status;
}

static void place_bar(struct vm *vm, const struct vpci_function *function, uint32_t bar)
{
	struct vm_pci_function *state = state_of(vm, function);
	const uint64_t frames = function->bar[bar].bytes >> SP_FRAME_ORDER;
	sp_gfn_t first = { 0 };
	const enum vpci_place place = vpci_bar_place(&vm->pci.bus, function, bar, &first);
	const bool wanted = place == VPCI_ON;
	enum sp_status status = SP_OK;

	if (place == VPCI_OUTSIDE || place == VPCI_OVERLAPS)
		vm_log_refusal(vm, "BAR %u of %s where it %s", bar,
			       print_sbdf(function->sbdf).chars,
			       place == VPCI_OUTSIDE ? "cannot be" : "hides another");
	if (state->mapped[bar] && (!wanted || first.gfn != state->first[bar].gfn))
		status = unmap(vm, state->first[bar].gfn, frames);
	else if (state->mapped[bar])
		return;
	state->mapped[bar] = wanted && status == SP_OK;
	if (!state->mapped[bar])
		return;
	state->first[bar] = first;
	status = map(vm, function, bar, first);
	if (status != SP_OK)
		vm_log_refusal(vm, "BAR %u of %s: %s", bar, print_sbdf(function->sbdf).chars,
			       sp_status_text(status));
}

/* ---- the guest's accesses ---- */

static void carry_out(struct vm *vm, const struct vpci_change *change)
{
	struct vpci_function *function = change->function;
	enum sp_status status = SP_OK;

	for (uint32_t bar = 0; change->what & VPCI_DECODE && bar < SP_BARS; bar++) {
		if (function->bar[bar].bytes != 0)
			place_bar(vm, function, bar);
	}
	if (change->what & VPCI_MSIX)
		vm_message_switch(vm, function);
	if (change->what & VPCI_MSI && !vpci_uses_msix(function))
		vm_message_route(vm, function, 0);
	if (change->what & VPCI_MASTER)
		status = sp_device_set_master(vm->host, function->sbdf, vpci_is_master(function));
	if (status != SP_OK)
		vm_log_refusal(vm, "bus mastering of %s: %s", print_sbdf(function->sbdf).chars,
			       sp_status_text(status));
}

uint32_t vm_pci_port_read(struct vm *vm, uint32_t port, uint32_t bytes)
{
	return vpci_port_read(&vm->pci.bus, port, bytes);
}

void vm_pci_port_write(struct vm *vm, uint32_t port, uint32_t bytes, uint32_t value)
{
	const struct vpci_change change = vpci_port_write(&vm->pci.bus, port, bytes, value);

	if (change.function != NULL)
		carry_out(vm, &change);
}

bool vm_pci_has_ecam(const struct vm *vm, uint64_t address)
{
	return vm->acpi && address - VACPI_ECAM < VPCI_ECAM_BYTES;
}

/* An access that leaves the space at its end is none. */
uint64_t vm_pci_ecam_read(struct vm *vm, uint64_t address, uint32_t bytes)
{
	const uint32_t offset = (uint32_t)(address - VACPI_ECAM);

	if (offset + bytes > VPCI_ECAM_BYTES)
		return ~0ull;
	return vpci_ecam_read(&vm->pci.bus, offset, bytes);
}

void vm_pci_ecam_write(struct vm *vm, uint64_t address, uint32_t bytes, uint64_t value)
{
	const uint32_t offset = (uint32_t)(address - VACPI_ECAM);
	struct vpci_change change;

	if (offset + bytes > VPCI_ECAM_BYTES)
		return;
	change = vpci_ecam_write(&vm->pci.bus, offset, bytes, value);
	if (change.function != NULL)
		carry_out(vm, &change);
}

bool vm_pci_has(struct vm *vm, uint64_t address)
{
	uint64_t offset;
	uint32_t bar;

	return vpci_find_address(&vm->pci.bus, address, &bar, &offset) != NULL;
}

/* Beside the table there may be other registers in its pages: those are the function's. */
static volatile void *real(const struct vpci_function *function, uint32_t bar, uint64_t offset)
{
	return memory_pointer((sp_maddr_t){ function->bar[bar].machine + offset });
}

uint64_t vm_pci_read(struct vm *vm, uint64_t address, uint32_t bytes)
{
	const struct vpci_function *function;
	uint64_t offset;
	uint32_t bar;

	function = vpci_find_address(&vm->pci.bus, address, &bar, &offset);
	if (vpci_is_table(function, bar, offset))
		return vpci_table_read(function, offset, bytes);
	if (offset % bytes != 0)
		return 0;
	switch (bytes) {
	case 1:
		return *(volatile uint8_t *)real(function, bar, offset);
	case 2:
		return *(volatile uint16_t *)real(function, bar, offset);
	case 4:
		return *(volatile uint32_t *)real(function, bar, offset);
	}
	return *(volatile uint64_t *)real(function, bar, offset);
}

static void write_real(volatile void *at, uint32_t bytes, uint64_t value)
{
	switch (bytes) {
	case 1:
		*(volatile uint8_t *)at = (uint8_t)value;
		return;
	case 2:
		*(volatile uint16_t *)at = (uint16_t)value;
		return;
	case 4:
		*(volatile uint32_t *)at = (uint32_t)value;
		return;
	}
	*(volatile uint64_t *)at = value;
}

void vm_pci_write(struct vm *vm, uint64_t address, uint32_t bytes, uint64_t value)
{
	struct vpci_function *function;
	uint64_t offset;
	uint32_t bar, vector;

	function = vpci_find_address(&vm->pci.bus, address, &bar, &offset);
	if (vpci_is_table(function, bar, offset)) {
		vector = vpci_table_write(function, offset, bytes, value);
		if (vector < function->vector_count && vpci_uses_msix(function))
			vm_message_route(vm, function, vector);
	} else if (offset % bytes == 0 && !vpci_is_table(function, bar, offset + bytes - 1)) {
		write_real(real(function, bar, offset), bytes, value);
	}
}

/* ---- coming and going ---- */

static uint32_t list_functions(struct sp_host *host, struct sp_function_info *all, uint32_t most)
{
	uint32_t count = 0;

	while (count < most && sp_function_info(host, count, &all[count]) == SP_OK)
		count++;
	return count;
}

static enum sp_status show(struct vm *vm, sp_sbdf_t sbdf, struct vpci_text *why)
{
	static struct sp_function_info all[FUNCTIONS_MAX]; /* one caller at a time, says vm_call() */
	const uint32_t count = list_functions(vm->host, all, FUNCTIONS_MAX);

	for (uint32_t i = 0; i < count; i++) {
		if (all[i].sbdf.sbdf == sbdf.sbdf)
			return vpci_add(&vm->pci.bus, all, count, i, why);
	}
	return SP_NOT_FOUND;
}

enum sp_status vm_pci_give(struct vm *vm, sp_sbdf_t function, struct vpci_text *why)
{
	enum sp_status status = sp_device_assign(vm->domain, function);

	print(why->chars, sizeof(why->chars), "%s: %s", print_sbdf(function).chars,
	      sp_status_text(status));
	if (status != SP_OK)
		return status;
	status = show(vm, function, why);
	if (status == SP_OK)
		*state_of(vm, vpci_find(&vm->pci.bus, function)) = (struct vm_pci_function){ 0 };
	if (status != SP_OK && sp_device_release(vm->domain, function) != SP_OK)
		print(why->chars, sizeof(why->chars), "%s is not given back",
		      print_sbdf(function).chars);
	return status;
}

/* The guest's driver finds ones in its registers from now on, as behind a device that was pulled. */
enum sp_status vm_pci_take(struct vm *vm, sp_sbdf_t sbdf)
{
	struct vpci_function *function = vpci_find(&vm->pci.bus, sbdf);

	if (function == NULL)
		return SP_NOT_FOUND;
	vpci_remove(function);
	return sp_device_release(vm->domain, sbdf);
}

/* A release ended the function's DMA, and its faults were read before another guest got it: guests.h. */
void vm_pci_note_fault(struct vm *vm, const struct sp_fault *fault)
{
	const struct vpci_function *function = vpci_find(&vm->pci.bus, fault->requester);
	struct vm_pci_function *state;

	/* What is asked for is DMA; of an interrupt the frame is no address. */
	if (function == NULL || fault->kind == SP_FAULT_INTERRUPT)
		return;
	state = state_of(vm, function);
	/* The count last: who sees it grow finds the address. */
	if (fault->has_address)
		atomic_store(&state->fault_address, fault->frame.dfn * SP_FRAME_BYTES);
	atomic_fetch_add(&state->faults, 1);
}

int64_t vm_pci_faults(struct vm *vm, uint64_t name, uint64_t what)
{
	const struct vpci_function *function = vpci_find_name(&vm->pci.bus, name);
	struct vm_pci_function *state;

	if (function == NULL)
		return HYPERCALL_NO_FUNCTION;
	state = state_of(vm, function);
	return (int64_t)(what == HYPERCALL_FAULT_ADDRESS ? atomic_load(&state->fault_address)
							 : atomic_load(&state->faults));
}

enum sp_status vm_pci_take_all(struct vm *vm)
{
	struct vpci *bus = &vm->pci.bus;
	enum sp_status status = SP_OK;

	for (uint32_t i = 0; i < bus->function_count; i++) {
		enum sp_status released = vm_pci_take(vm, bus->function[i].sbdf);

		/*
		 * Taken before; or it was fenced and knows no reset: back, and blocked for whoever
		 * might want it next.
		 */
		if (released == SP_NOT_FOUND || released == SP_UNSUPPORTED)
			released = SP_OK;
		status = status == SP_OK ? released : status;
	}
	vpci_begin(bus);
	return status;
}
