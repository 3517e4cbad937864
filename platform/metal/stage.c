/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/stage.c - what the rows play with: two guests, and one device that can be aimed.
 *
 *   host --> domain 1, guest A, 8 MiB --+--> nested table --------------> CPU 1
 *       |                               '--> the same or another --> unit --> edu
 *       '--> domain 2, guest B, 8 MiB -----> nested table --------------> CPU 2
 */
#include "platform/metal/stage.h"

#include "platform/metal/console.h"
#include "platform/metal/cpu.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/machine.h"
#include "platform/metal/machine_host.h"
#include "platform/metal/memory.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/print.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define COMMAND	      0x04u /* PCI 3.0, 6.2.2 */
#define MEMORY_SPACE  0x2u
#define SETTLE_WITHIN (5 * NS_PER_S)
#define CPU_OF_A      1u
#define CPU_OF_B      2u

/*
 * Registers above 4 GiB would need another map than ours. Firmware may have left decoding off, and
 * then all that is read is ones.
 */
static void find_edu(struct stage *stage)
{
	struct sp_function_info info;
	uint32_t command;

	if (!machine_host_find(stage->host, EDU_VENDOR, EDU_DEVICE, &info))
		machine_refuse("no edu device (%04x:%04x) to aim; start QEMU with "
			       "-device edu,dma_mask=0xffffffffffffffff",
			       EDU_VENDOR, EDU_DEVICE);
	if (info.bar[0].bytes == 0 || info.bar[0].address.maddr >= LOW_LIMIT)
		machine_refuse("edu's registers are not below 4 GiB; use QEMU's q35 or pc machine");
	command = pci_config_read(info.sbdf, COMMAND, 2);
	pci_config_write(info.sbdf, COMMAND, 2, command | MEMORY_SPACE);
	stage->function = info.sbdf;
	stage->edu.registers = (uintptr_t)memory_pointer(info.bar[0].address);
	if (!edu_is_present(&stage->edu))
		machine_refuse("the device at %s does not answer like an edu",
			       print_sbdf(info.sbdf).chars);
}

/*
 * Where a gfn is its own mfn, a device that nobody translates reaches the right frame too: the rows
 * would show nothing.
 */
static void create_guest(struct stage *stage, struct guest *guest, const char *name,
			 uint32_t number, enum sp_tables tables)
{
	enum sp_status status = guest_create(guest, name, number, stage->host, tables);
	uint64_t identical;

	if (status == SP_NO_MEMORY)
		machine_refuse("not enough RAM for two guests of %u MiB; give the machine at least "
			       "128 MiB",
			       GUEST_BYTES / 0x100000);
	if (status != SP_OK)
		machine_panic("guest %s: %s", name, sp_status_text(status));
	identical = guest_memory_count_identical(guest);
	if (identical != 0)
		machine_panic("guest %s: %lu gfns are their own mfn", name, identical);
}

static void log_guest(const struct guest *guest, uint32_t cpu)
{
	console_log("guest",
		    "%s: %lu pages at gfn 0x%x and up, from mfn 0x%lx and up, no gfn is its "
		    "mfn; ASID %u, CPU %u",
		    guest->name, guest->frames_mapped, GUEST_BASE >> SP_FRAME_ORDER,
		    guest->memory.mfn, guest->number, cpu);
}

/* The user asked for one table; where that cannot be, it is said before anything else is. */
static void log_tables(const struct stage *stage, enum sp_tables tables)
{
	const bool is_vtd = stage->unit.vendor == SP_VENDOR_VTD;

	if (tables == SP_TABLES_SHARED && is_vtd)
		console_log("tables",
			    "shared was asked for, but VT-d cannot walk a nested table of "
			    "AMD's: the unit gets a table of its own");
	else if (tables == SP_TABLES_SHARED)
		console_log("tables", "shared: the unit walks the guest's nested table itself");
	else
		console_log("tables", "separate: nested for the CPU, %s for the unit",
			    is_vtd ? "VT-d second stage" : "AMD-Vi");
}

/* In the order in which a user can do something about it: CPUs, device, memory. */
void stage_create(struct stage *stage, struct sp_host *host, enum sp_tables tables)
{
	*stage = (struct stage){ .host = host };
	if (cpu_count <= CPU_OF_B)
		machine_refuse("%u CPU%s, but two guests need one each beside the hypervisor's; "
			       "start QEMU with -smp 3",
			       cpu_count, cpu_count == 1 ? "" : "s");
	if (sp_unit_info(host, 0, &stage->unit) != SP_OK)
		machine_panic("the library forgot its unit");
	find_edu(stage);
	log_tables(stage, tables);
	create_guest(stage, &stage->a, "A", 1, tables);
	create_guest(stage, &stage->b, "B", 2, tables);
	log_guest(&stage->a, CPU_OF_A);
	log_guest(&stage->b, CPU_OF_B);
}

/* Bus mastering last: whoever is to stop the device can reach its registers by then. */
enum sp_status stage_furnish(struct stage *stage, struct guest *owner)
{
	enum sp_status status =
		sp_device_map_bar(owner->domain, stage->function, 0, guest_gfn(GUEST_REGISTERS));

	return status == SP_OK ? sp_device_set_master(stage->host, stage->function, true) : status;
}

enum sp_status stage_give(struct stage *stage, struct guest *guest)
{
	enum sp_status status = sp_device_assign(guest->domain, stage->function);

	return status == SP_OK ? stage_furnish(stage, guest) : status;
}

/* The device is A's before A runs, so that A never sees its registers come. */
void stage_open(struct stage *stage)
{
	enum sp_status status;

	machine_host_start(stage->host);
	stage->translating = true;
	status = stage_give(stage, &stage->a);
	if (status != SP_OK)
		machine_refuse("edu at %s cannot be given to a guest: %s",
			       print_sbdf(stage->function).chars, sp_status_text(status));
	console_log("guest", "A has %s: registers 0x%lx at gfn 0x%x",
		    print_sbdf(stage->function).chars, stage->edu.registers,
		    GUEST_REGISTERS >> SP_FRAME_ORDER);
	guest_start(&stage->a, CPU_OF_A);
	guest_start(&stage->b, CPU_OF_B);
}

/* With interrupts on: a guest's CPU may have to be heard before something is forgotten. */
bool stage_settle(struct stage *stage)
{
	const uint64_t until = time_now() + SETTLE_WITHIN;

	while (sp_progress(stage->host, SP_STEP_SLOTS) != UINT64_MAX) {
		if (time_now() > until)
			return false;
		pause();
	}
	return true;
}

/* The other way round. What does not end well is left as it is: the machine ends anyway. */
bool stage_close(struct stage *stage)
{
	enum sp_status status = sp_device_release(stage->a.domain, stage->function);
	bool whole;

	if (status != SP_OK) {
		console_log("guest", "A does not give its device back: %s", sp_status_text(status));
		return false;
	}
	if (!guest_park(&stage->a) || !guest_park(&stage->b)) {
		console_log("guest", "A or B does not leave its CPU");
		return false;
	}
	whole = guest_destroy(&stage->a);
	whole = guest_destroy(&stage->b) && whole;
	sp_iommu_stop(stage->host);
	stage->translating = false;
	return whole;
}
