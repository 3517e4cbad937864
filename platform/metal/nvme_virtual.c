/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/nvme_virtual.c - the hypervisor's own driver of an NVMe controller whose virtual functions
 * are on.
 *
 *   open   assign to a domain with five frames, registers, admin queue
 *   keep   nothing that is flexible, of queues and of interrupts
 *   close  release: its reset makes that so, and leaves the virtual functions on
 *   open   again, and then for good: off, it would take them offline
 *   give   each its part, its namespace; online
 *
 * What it can reach are the five frames. It is trusted to keep its virtual functions apart, as anybody must
 * who uses SR-IOV; the guests' memory is kept apart by the units.
 */
#include "platform/metal/nvme_virtual.h"

#include "engines/nvme_virtual.h"
#include "platform/metal/console.h"
#include "platform/metal/forgotten.h"
#include "platform/metal/guest_conf.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/print.h"
#include "platform/metal/time.h"
#include "platform/metal/vpci_registers.h"
#include "platform/metal/x86.h"

#define STEP_WITHIN  (2 * NS_PER_S)
#define NUMBER	     (CONF_GUESTS + 1u) /* after the guests'; its ASID too, which no CPU ever uses */
#define FRAMES	     (NVME_MEMORY_BYTES / SP_FRAME_BYTES)
#define BUS	     0x10000000u /* where its memory is for the controller: not where it is */
#define TABLE_BUDGET 16u

static const char *const not_given[NVME_RESOURCES] = { "does not give queues away",
						       "does not give interrupts away" };

/* CPU 0 */
static struct driver {
	struct sp_host *host;
	struct sp_domain *domain; /* NULL: there is no such controller */
	struct sp_function_info info;
	sp_mfn_t memory;
	struct nvme nvme;
} driver;

static _Noreturn void refuse(const char *what, enum sp_status status)
{
	machine_refuse(
		"NVMe controller %s: %s (%s, answer 0x%x); leave out vfs=, or look at what it "
		"offers",
		print_sbdf(driver.info.sbdf).chars, what, sp_status_text(status),
		driver.nvme.answer);
}

/* ---- its domain ---- */

static bool find_controller(struct sp_host *host, struct sp_function_info *info)
{
	for (uint32_t i = 0; sp_function_info(host, i, info) == SP_OK; i++) {
		if (info->vf_count != 0)
			return true;
	}
	return false;
}

static enum sp_status map_memory(void)
{
	struct sp_result result;
	enum sp_status status = sp_p2m_map(driver.domain, (sp_gfn_t){ BUS >> SP_FRAME_ORDER },
					   driver.memory, FRAMES, SP_RAM, &result);

	if (status == SP_OK && result.done != FRAMES)
		return SP_NO_MEMORY;
	return status == SP_OK ? sp_wait(driver.host, result.ticket) : status;
}

static void make_domain(void)
{
	const struct sp_domain_config config = {
		.number = NUMBER,
		.cpu = SP_CPU_NPT,
		.tables = SP_TABLES_SEPARATE,
		.table_budget = TABLE_BUDGET,
		.allow_physical = true,
		.asid = NUMBER,
	};
	enum sp_status status = SP_NO_MEMORY;

	driver.memory = memory_take_for_guest(FRAMES, 1);
	if (driver.memory.mfn != 0)
		status = sp_domain_create(driver.host, &config, &driver.domain);
	if (status == SP_OK)
		status = map_memory();
	if (status != SP_OK)
		refuse("no domain for it", status);
}

/* ---- one step, waited for ---- */

static enum sp_status wait_for_it(void)
{
	const uint64_t until = time_now() + STEP_WITHIN;
	enum sp_status status = nvme_progress(&driver.nvme);

	for (; status == SP_PENDING && time_now() < until; pause())
		status = nvme_progress(&driver.nvme);
	return status == SP_PENDING ? SP_LOST : status;
}

/* What it answers is the caller's to judge. */
static void ask(const struct nvme_admin command, const char *what)
{
	enum sp_status status = nvme_ask(&driver.nvme, &command);

	if (status == SP_OK)
		status = wait_for_it();
	if (status != SP_OK)
		refuse(what, status);
}

static void demand(const struct nvme_admin command, const char *what)
{
	ask(command, what);
	if (driver.nvme.answer != 0)
		refuse(what, SP_OK);
}

static void open_controller(void)
{
	const sp_sbdf_t id = driver.info.sbdf;
	enum sp_status status = sp_device_assign(driver.domain, id);

	if (status == SP_OK)
		status = sp_device_set_master(driver.host, id, true);
	if (status != SP_OK)
		refuse("cannot be had", status);
	pci_config_write(id, CONFIG_COMMAND, 2,
			 pci_config_read(id, CONFIG_COMMAND, 2) | COMMAND_MEMORY);
	driver.nvme = (struct nvme){
		.registers = (uintptr_t)memory_pointer(driver.info.bar[0].address),
		.memory = memory_frame(driver.memory),
		.memory_bus = BUS,
		.admin_only = true,
	};
	status = nvme_begin(&driver.nvme);
	if (status == SP_OK)
		status = wait_for_it();
	if (status != SP_OK)
		refuse("does not come up", status);
}

/* Its frames are the hypervisor's again afterwards: first it must have stopped. */
static enum sp_status close_controller(void)
{
	const uint64_t until = time_now() + STEP_WITHIN;

	nvme_stop(&driver.nvme);
	while (!nvme_is_off(&driver.nvme) && time_now() < until)
		pause();
	return sp_device_release(driver.domain, driver.info.sbdf);
}

/* ---- what the virtual functions get ---- */

static void free_flexible(void)
{
	struct nvme_flexible flexible[NVME_RESOURCES];
	enum sp_status status;

	demand(nvme_ask_flexible(), "does not say what it could give away");
	nvme_read_flexible(&driver.nvme, flexible);
	if (flexible[NVME_QUEUES].primary == 0 && flexible[NVME_INTERRUPTS].primary == 0)
		return;
	demand(nvme_keep(NVME_QUEUES, 0), "does not give up its flexible queues");
	demand(nvme_keep(NVME_INTERRUPTS, 0), "does not give up its flexible interrupts");
	status = close_controller();
	if (status != SP_OK)
		refuse("does not come back from its reset", status);
	open_controller();
}

static uint32_t part_of(const struct nvme_flexible *flexible)
{
	uint32_t part = flexible->total / driver.info.vf_count;

	return part < flexible->most ? part : flexible->most;
}

/* A namespace that is not there, or another's, is nothing to end for: the guest then sees no disk. */
static const char *attach(uint32_t function, uint16_t controller)
{
	ask(nvme_attach(&driver.nvme, function, controller), "does not answer");
	switch (driver.nvme.answer) {
	case 0:
		return "is attached";
	case NVME_ATTACHED_ALREADY:
		return "was attached";
	case NVME_NO_NAMESPACE:
		return "is not there";
	default:
		return "cannot be attached";
	}
}

static void furnish(uint32_t function, const struct nvme_flexible *flexible)
{
	struct nvme_secondary secondary;
	uint32_t part[NVME_RESOURCES];
	const char *attached;

	demand(nvme_ask_secondaries(), "does not name its secondary controllers");
	if (!nvme_find_secondary(&driver.nvme, function, &secondary))
		refuse("has no secondary controller for a virtual function", SP_NOT_FOUND);
	for (uint32_t i = 0; i < NVME_RESOURCES; i++) {
		part[i] = part_of(&flexible[i]);
		demand(nvme_give(secondary.controller, i, part[i]), not_given[i]);
	}
	attached = attach(function, secondary.controller);
	demand(nvme_bring_online(secondary.controller), "does not bring a virtual function online");
	console_log("nvme",
		    "%s: virtual function %u is controller %u, online: %u queues, %u interrupts; "
		    "namespace %u %s",
		    print_sbdf(driver.info.sbdf).chars, function, secondary.controller,
		    part[NVME_QUEUES], part[NVME_INTERRUPTS], function, attached);
}

void nvme_virtual_begin(struct sp_host *host)
{
	struct nvme_flexible flexible[NVME_RESOURCES];

	driver = (struct driver){ .host = host };
	if (!find_controller(host, &driver.info))
		return;
	if (driver.info.class_code != NVME_CLASS) {
		console_log(
			"vfs",
			"%s is no NVMe controller: what its driver does for virtual functions is "
			"not done",
			print_sbdf(driver.info.sbdf).chars);
		return;
	}
	if (driver.info.bar[0].bytes == 0 || driver.info.bar[0].address.maddr >= LOW_LIMIT)
		refuse("its registers are not below 4 GiB", SP_RANGE);
	make_domain();
	open_controller();
	free_flexible();
	demand(nvme_ask_flexible(), "does not say what it could give away");
	nvme_read_flexible(&driver.nvme, flexible);
	for (uint32_t i = 1; i <= driver.info.vf_count; i++)
		furnish(i, flexible);
	console_log("nvme", "%s stays the hypervisor's, and reaches %u frames of its own",
		    print_sbdf(driver.info.sbdf).chars, FRAMES);
}

bool nvme_virtual_end(void)
{
	const uint64_t until = time_now() + STEP_WITHIN;
	enum sp_status status, released;

	if (driver.domain == NULL)
		return true;
	released = close_controller();
	do {
		status = sp_domain_destroy(driver.domain);
		(void)sp_progress(driver.host, SP_STEP_SLOTS);
	} while (status == SP_PENDING && time_now() < until);
	console_log("nvme", "%s: %u frames were mapped, %lu came back (%s, %s)",
		    print_sbdf(driver.info.sbdf).chars, FRAMES, forgotten_frames(NUMBER),
		    sp_status_text(released), sp_status_text(status));
	if (released != SP_OK || status != SP_OK || forgotten_frames(NUMBER) != FRAMES)
		return false;
	memory_give(driver.memory, FRAMES);
	return true;
}
