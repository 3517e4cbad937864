/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/engines.c - the engines beside edu, each aimed where it may and where it may not.
 *
 *   assign to A -> registers, queues in A's large page -> load a payload -> shots -> release
 *
 * The hypervisor drives; the device is A's all the while, so what it reaches is what A may reach.
 */
#include "platform/metal/engines.h"

#include "engines/e1000e.h"
#include "engines/nvme.h"
#include "lib/mutant.h"
#include "platform/metal/aim.h"
#include "platform/metal/console.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/memory.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/print.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define STEP_WITHIN    (2 * NS_PER_S)
#define SHOT_BYTES     512u
#define BLOCK	       0u /* of the NVMe namespace; what it held is overwritten */
#define CONFIG_COMMAND 0x04u
#define MEMORY_SPACE   0x2u

/* Where things lie in A's page of 2 MiB. */
#define QUEUES	       GUEST_LARGE
#define PAYLOAD	       (GUEST_LARGE + 0x10000u)

struct engine {
	const struct engine_kind *kind;
	struct stage *stage;
	struct sp_function_info info;
	struct nvme nvme;
	struct e1000e e1000e;
	uint32_t shots, good;
};

/* How one kind of device is driven. Each call waits until the device says that it is done. */
struct engine_kind {
	const char *name;
	bool (*is_one)(const struct sp_function_info *info);
	bool (*open)(struct engine *engine, uintptr_t registers, void *queues);
	bool (*load)(struct engine *engine); /* from PAYLOAD */
	bool (*fire)(struct engine *engine, uint64_t address);
	void (*close)(struct engine *engine);
};

/* ---- NVMe ---- */

static bool nvme_is_one(const struct sp_function_info *info)
{
	return info->class_code == NVME_CLASS;
}

static bool nvme_wait(struct engine *engine)
{
	const uint64_t until = time_now() + STEP_WITHIN;
	enum sp_status status = nvme_progress(&engine->nvme);

	for (; status == SP_PENDING && time_now() < until; pause())
		status = nvme_progress(&engine->nvme);
	return status == SP_OK;
}

static bool nvme_open(struct engine *engine, uintptr_t registers, void *queues)
{
	engine->nvme =
		(struct nvme){ .registers = registers, .memory = queues, .memory_bus = QUEUES };
	return nvme_begin(&engine->nvme) == SP_OK && nvme_wait(engine);
}

/* An error of the controller here is no evidence: its own page must be readable. */
static bool nvme_load(struct engine *engine)
{
	return nvme_start(&engine->nvme, PAYLOAD, SHOT_BYTES, BLOCK, NVME_FROM_BUS) == SP_OK &&
	       nvme_wait(engine) && engine->nvme.answer == 0;
}

/* Blocked or not, it answers; QEMU's with success (docs/lab.md, 3.2). The memory is looked at. */
static bool nvme_fire(struct engine *engine, uint64_t address)
{
	return nvme_start(&engine->nvme, address, SHOT_BYTES, BLOCK, NVME_TO_BUS) == SP_OK &&
	       nvme_wait(engine);
}

/* The queues are in memory that goes back to the guest: first it must have stopped. */
static void nvme_close(struct engine *engine)
{
	const uint64_t until = time_now() + STEP_WITHIN;

	nvme_stop(&engine->nvme);
	while (!nvme_is_off(&engine->nvme) && time_now() < until)
		pause();
}

/* ---- 82574 ---- */

static bool e1000e_is_one(const struct sp_function_info *info)
{
	return info->vendor == E1000E_VENDOR && info->device == E1000E_DEVICE;
}

static bool e1000e_wait(struct engine *engine)
{
	const uint64_t until = time_now() + STEP_WITHIN;
	enum sp_status status = e1000e_progress(&engine->e1000e);

	for (; status == SP_PENDING && time_now() < until; pause())
		status = e1000e_progress(&engine->e1000e);
	return status == SP_OK;
}

static bool e1000e_open(struct engine *engine, uintptr_t registers, void *queues)
{
	engine->e1000e =
		(struct e1000e){ .registers = registers, .memory = queues, .memory_bus = QUEUES };
	return e1000e_begin(&engine->e1000e) == SP_OK && e1000e_wait(engine);
}

/* It holds nothing: each shot reads the payload again. */
static bool e1000e_load(struct engine *engine)
{
	(void)engine;
	return true;
}

/* It reports what it wrote even if the unit let nothing through. */
static bool e1000e_fire(struct engine *engine, uint64_t address)
{
	return e1000e_start(&engine->e1000e, PAYLOAD, address, SHOT_BYTES) == SP_OK &&
	       e1000e_wait(engine) && engine->e1000e.written == SHOT_BYTES;
}

static void e1000e_close(struct engine *engine)
{
	e1000e_abandon(&engine->e1000e);
}

static const struct engine_kind kinds[] = {
	{ "nvme", nvme_is_one, nvme_open, nvme_load, nvme_fire, nvme_close },
	{ "e1000e", e1000e_is_one, e1000e_open, e1000e_load, e1000e_fire, e1000e_close },
};

/* ---- shots ---- */

static void *guest_bytes(const struct guest *guest, uint32_t address)
{
	return memory_frame(guest_memory_home(guest, address));
}

/* The canary is fresh, and so is what is sent. The device itself must say that it is done. */
static void fire(struct engine *engine, const char *what, uint64_t address, void *at, bool wanted)
{
	const struct canary payload = canary_fresh(), canary = canary_fresh();
	struct canary found;
	bool fired, arrived, intact;

	canary_put(guest_bytes(&engine->stage->a, PAYLOAD), &payload);
	canary_put(at, &canary);
	fired = engine->kind->load(engine) && engine->kind->fire(engine, address);
	found = canary_get(at);
	arrived = canary_is(&found, &payload, CANARY_BYTES);
	intact = canary_is(&found, &canary, CANARY_BYTES);
	engine->shots++;
	engine->good += fired && (wanted ? arrived : intact);
	console_log("engine", "%s at %s to %s, dfn 0x%lx: %s%s", engine->kind->name,
		    print_sbdf(engine->info.sbdf).chars, what, address >> SP_FRAME_ORDER,
		    !fired    ? "was not seen to be done"
		    : arrived ? "arrives"
		    : intact  ? "contained"
			      : "changed something",
		    fired && wanted != arrived ? " (WRONG)" : "");
	(void)transfer_faults(engine->stage);
}

/*
 * The page is A's own and the unit knows the way; then it is not, and the unit must not. In the
 * image with mutants the unit is not told of the unmap: then the shot must get through, or it shows
 * nothing.
 */
static void fire_around_unmap(struct engine *engine)
{
	struct guest *a = &engine->stage->a;
	const uint32_t address = aim_page(PAGE_UNMAPPED);
	sp_mfn_t home = guest_memory_home(a, address);
	bool untold;

	fire(engine, "A's own page", address, memory_frame(home), true);
	untold = sp_mutant_choose(engine->stage->host, SP_MUT_UNMAP_UNPAID) == SP_OK;
	if (guest_memory_unmap(a, address, 1) != SP_OK)
		return;
	fire(engine,
	     untold ? "the page after an unmap that the unit was not told of"
		    : "the page after its unmap",
	     address, memory_frame(home), untold);
	if (untold && sp_mutant_choose(engine->stage->host, SP_MUT_NONE) != SP_OK)
		return;
	if (guest_memory_map(a, address, home, 1) == SP_OK)
		fire(engine, "the page mapped again", address, memory_frame(home), true);
}

/* B's frame by its machine address: in A's map that number is a hole. */
static void fire_all(struct engine *engine)
{
	struct guest *b = &engine->stage->b;
	sp_mfn_t foreign = guest_memory_home(b, aim_page(PAGE_VICTIM));

	fire_around_unmap(engine);
	fire(engine, "B's page", sp_maddr_from_mfn(foreign).maddr, memory_frame(foreign), false);
}

/* Decoding on: firmware leaves what it has no driver for off. */
static uintptr_t registers_of(const struct sp_function_info *info)
{
	uint32_t command = pci_config_read(info->sbdf, CONFIG_COMMAND, 2);

	pci_config_write(info->sbdf, CONFIG_COMMAND, 2, command | MEMORY_SPACE);
	return (uintptr_t)memory_pointer(info->bar[0].address);
}

/* Assigned to A beside edu; the registers stay the hypervisor's, no guest sees them. */
static void try_engine(struct engine *engine)
{
	struct sp_domain *domain = engine->stage->a.domain;
	sp_sbdf_t function = engine->info.sbdf;
	enum sp_status status = sp_device_assign(domain, function);

	if (status == SP_OK)
		status = sp_device_set_master(engine->stage->host, function, true);
	if (status == SP_OK && engine->kind->open(engine, registers_of(&engine->info),
						  guest_bytes(&engine->stage->a, QUEUES))) {
		fire_all(engine);
		engine->kind->close(engine);
	} else {
		console_log("engine", "%s at %s does not come up: %s", engine->kind->name,
			    print_sbdf(function).chars, sp_status_text(status));
		engine->shots++;
	}
	status = sp_device_release(domain, function);
	if (status != SP_OK) {
		console_log("engine", "%s is not released: %s", print_sbdf(function).chars,
			    sp_status_text(status));
		engine->shots++;
	}
}

static const struct engine_kind *find_kind(const struct sp_function_info *info)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].is_one(info) && info->bar[0].bytes != 0 &&
		    info->bar[0].address.maddr < LOW_LIMIT)
			return &kinds[i];
	}
	return NULL;
}

/* In the library's order, so that logs of two runs can be compared. */
bool engines_run(struct stage *stage)
{
	struct engine engine = { .stage = stage };
	uint32_t devices = 0;

	for (uint32_t i = 0; sp_function_info(stage->host, i, &engine.info) == SP_OK; i++) {
		engine.kind = find_kind(&engine.info);
		if (engine.kind == NULL)
			continue;
		devices++;
		try_engine(&engine);
	}
	console_line("engines %u of %u shots as they should be, %u devices", engine.good,
		     engine.shots, devices);
	return devices != 0 && engine.good == engine.shots;
}
