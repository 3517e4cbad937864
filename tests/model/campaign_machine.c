/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_machine.c - the modes, the machine of each, and guests that come and go.
 */
#include "campaign_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mutant.h"

#define FRAMES	   16384u
#define PATIENCE   200000u /* looks before something that should end is said not to */
#define TICK	   20000u  /* nanoseconds; resets take 100 ms, and units have a second */

#define AMDVI	   .vendor = MODEL_AMDVI
#define VTD	   .vendor = MODEL_VTD, .domain_bits = 4 /* few, so that ids are soon used again */
#define SHARED_NPT SP_CPU_NPT, SP_TABLES_SHARED
#define SPLIT_NPT  SP_CPU_NPT, SP_TABLES_SEPARATE
#define SHARED_EPT SP_CPU_EPT, SP_TABLES_SHARED
#define SPLIT_EPT  SP_CPU_EPT, SP_TABLES_SEPARATE
#define SHADOW	   SP_CPU_SHADOW, SP_TABLES_SHARED /* which means nothing there (A1.6) */

/* clang-format off */
const struct campaign_mode campaign_modes[] = {
	{ "NPT shared with AMD-Vi", SHARED_NPT, 1, { { AMDVI } } },
	{ "NPT, AMD-Vi separate", SPLIT_NPT, 1, { { AMDVI } } },
	{ "NPT, AMD-Vi separate, NpCache", SPLIT_NPT, 1, { { AMDVI, .caches_not_present = true } } },
	{ "EPT shared with VT-d", SHARED_EPT, 1, { { VTD } } },
	{ "EPT, VT-d separate", SPLIT_EPT, 1, { { VTD } } },
	{ "NPT, VT-d separate, caching mode", SPLIT_NPT, 1, { { VTD, .caches_not_present = true } } },
	{ "NPT shared with two AMD-Vi", SHARED_NPT, 2, { { AMDVI }, { AMDVI } } },
	{ "NPT shared with AMD-Vi, late", SHARED_NPT, 2,
	  { { AMDVI, .answers = MODEL_LATE }, { AMDVI, .answers = MODEL_LATE } } },
	{ "EPT shared with VT-d, late", SHARED_EPT, 2,
	  { { VTD, .answers = MODEL_LATE }, { VTD, .answers = MODEL_LATE } } },
	{ "EPT, two VT-d separate, late", SPLIT_EPT, 2,
	  { { VTD, .answers = MODEL_LATE }, { VTD } } },
	{ "EPT, VT-d does not snoop", SHARED_EPT, 1, { { VTD, .not_coherent = true } } },
	{ "EPT, VT-d of 3 levels", SHARED_EPT, 1, { { VTD, .walk_levels = 1 << 3 } } },
	{ "EPT, VT-d without large pages", SHARED_EPT, 1, { { VTD, .large_pages = 1 } } },
	{ "EPT shared with VT-d, no page-selective invalidation", SHARED_EPT, 1,
	  { { VTD, .no_psi = true } } },
	{ "EPT, VT-d with a write buffer", SPLIT_EPT, 1,
	  { { VTD, .write_buffer = true, .caches_not_present = true } } },
	{ "NPT shared with AMD-Vi, devices that cache", SHARED_NPT, 1, { { AMDVI, .ats = true } } },
	{ "EPT, two VT-d separate, devices that cache", SPLIT_EPT, 2,
	  { { VTD, .ats = true }, { VTD, .ats = true, .answers = MODEL_LATE } } },
	{ "EPT shared with VT-d, queue errors", SHARED_EPT, 1,
	  { { VTD, .ats = true, .queue_errors = true, .patience = 10000000 } } },
	{ "EPT shared with VT-d, scalable, devices that cache", SHARED_EPT, 1,
	  { { VTD, .scalable = true, .ats = true } } },
	{ "NPT, two VT-d separate, scalable, caching mode, late", SPLIT_NPT, 2,
	  { { VTD, .scalable = true, .caches_not_present = true },
	    { VTD, .scalable = true, .answers = MODEL_LATE, .not_coherent = true } } },
	{ "EPT, two unlike VT-d", SHARED_EPT, 2,
	  { { VTD, .max_mask = 9, .answers = MODEL_LATE },
	    { VTD, .walk_levels = 1 << 3, .large_pages = 1 << 1, .not_coherent = true } } },
	{ "shadow, AMD-Vi", SHADOW, 1, { { AMDVI } } },
	{ "shadow, two VT-d, late", SHADOW, 2,
	  { { VTD, .answers = MODEL_LATE }, { VTD, .caches_not_present = true } } },
};
/* clang-format on */
const uint32_t campaign_mode_count = sizeof(campaign_modes) / sizeof(campaign_modes[0]);

static void on_panic(struct model *model, const char *line, void *argument)
{
	struct world *world = argument;

	(void)model;
	complain(world, "panic: %s", line);
	longjmp(world->panic, 1);
}

static void on_lost(struct model *model, const struct sp_lost *lost, void *argument)
{
	(void)model;
	complain(argument, "a unit that answers is lost: asked %llu, reached %llu",
		 (unsigned long long)lost->asked, (unsigned long long)lost->reached);
}

static struct model_config machine_of(struct world *world)
{
	const struct campaign_mode *mode = world->config.mode;
	struct model_config machine = {
		.ram_frames = FRAMES,
		.cpus = CPUS,
		.unit_count = mode->unit_count,
		.device_count = DEVICES,
		.reserved_count = 1,
		.adversary = world->config.adversary,
		.seed = world->config.seed,
		.tick = TICK,
		.exit_cpu = cpu_exit,
		.on_forgotten = frame_forgotten,
		.on_panic = on_panic,
		.on_lost = on_lost,
		.argument = world,
	};

	for (uint32_t i = 0; i < mode->unit_count; i++)
		machine.unit[i] = mode->unit[i];
	for (uint32_t i = 0; i < DEVICES; i++)
		machine.device[i] = (struct model_device_config){
			.sbdf = world->device[i].sbdf,
			.unit = i % mode->unit_count,
			.reset = MODEL_RESET_FLR,
			.ats = mode->unit[i % mode->unit_count].ats,
			.bar_bytes = { 0x2000, 0x1000 },
		};
	machine.reserved[0] = (struct model_reserved){ .sbdf = world->device[1].sbdf,
						       .base = (uint64_t)RANGE << 12,
						       .bytes = RANGE_FRAMES << 12 };
	return machine;
}

static bool start(struct world *world)
{
	unsigned char table[8192];
	enum sp_status status;
	size_t bytes;

	sp_iommu_prefer_scalable(world->host, true);
	if (world->config.mode->unit[0].vendor == MODEL_VTD) {
		bytes = model_dmar(world->model, MODEL_TABLE_SOUND, table, sizeof(table));
		status = sp_iommu_discover_dmar(world->host, table, bytes);
	} else {
		bytes = model_ivrs(world->model, MODEL_TABLE_SOUND, table, sizeof(table));
		status = sp_iommu_discover_ivrs(world->host, table, bytes);
	}
	if (status == SP_OK)
		status = sp_pci_scan(world->host, 0);
	if (status == SP_OK)
		status = sp_iommu_start(world->host);
	if (status == SP_OK)
		status = sp_mutant_choose(world->host, world->config.mutant);
	if (status != SP_OK)
		complain(world, "the machine does not start: %s", sp_status_text(status));
	return status == SP_OK;
}

static bool make_host(struct world *world, struct dice *dice)
{
	const struct sp_limits limits = {
		.cpus = CPUS,
		.domains = GUESTS,
		.functions = 8,
		.limbo = dice_one_in(dice, 2) ? SP_STEP_SLOTS + 16 : 0,
	};
	size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;

	world->arena = aligned_alloc(64, bytes);
	world->host = sp_host_create(world->arena, bytes, &limits, world->model);
	if (!world->host || !start(world))
		return false;
	for (uint32_t i = 0; i < DEVICES; i++)
		device_know_bars(world, &world->device[i]);
	return true;
}

/* Two guests, and both devices with the first: what most steps want to begin from. */
static bool furnish(struct world *world, struct dice *dice)
{
	world->tables = model_table_frames(world->model);
	for (uint32_t i = 0; i < GUESTS; i++)
		if (!guest_create(world, &world->guest[i], dice_one_in(dice, 3) ? 30 : 2000, dice))
			return false;
	for (uint32_t i = 0; i < DEVICES; i++) {
		struct device *device = &world->device[i];

		if (sp_device_assign(world->guest[0].domain, (sp_sbdf_t){ device->sbdf }) !=
		    SP_OK) {
			complain(world, "a device cannot be assigned to an empty guest");
			return false;
		}
		device->owner = &world->guest[0];
		device_begin(world, device, true, true);
	}
	if (dice_one_in(dice, 2))
		step_emulator(world, &world->guest[0], dice);
	return true;
}

bool world_make(struct world *world)
{
	uint64_t mode = (uint64_t)(world->config.mode - campaign_modes);
	struct dice dice = { world->config.seed * 64 + mode };
	struct model_config machine;

	for (uint32_t i = 0; i < DEVICES; i++)
		world->device[i].sbdf = 0x10 + 8 * i;
	machine = machine_of(world);
	world->model = model_create(&machine);
	world->aperture = calloc(GIANT, sizeof(*world->aperture));
	world->frame = calloc(FRAMES, sizeof(*world->frame));
	for (uint32_t i = 0; i < GUESTS; i++)
		world->guest[i].cell = calloc(CELLS, sizeof(*world->guest[i].cell));
	if (!world->model || !world->aperture || !world->frame || !world->guest[0].cell ||
	    !world->guest[1].cell) {
		complain(world, "no memory for the machine");
		return false;
	}
	frames_make(world);
	model_watch(world->model, some_gfn(&dice));
	return make_host(world, &dice) && furnish(world, &dice);
}

void world_free(struct world *world)
{
	model_make_current(NULL);
	model_set_cpu(0);
	if (world->model)
		model_destroy(world->model);
	for (uint32_t i = 0; i < GUESTS; i++) {
		free(world->guest[i].cell);
		free(world->guest[i].emulator.ring);
	}
	free(world->aperture);
	free(world->frame);
	free(world->arena);
}

/* --- guests ---------------------------------------------------------------------------------- */

/* Some table of the guest would need 512 pages for a GiB. */
static bool has_small_pages(const struct campaign_mode *mode, uint32_t cpu_large_pages)
{
	bool small = cpu_large_pages != 6;

	for (uint32_t i = 0; i < mode->unit_count; i++)
		small |= mode->unit[i].large_pages != 0;
	return small;
}

/* The tag is the guest's place: it is used again by whoever comes there next. */
bool guest_create(struct world *world, struct guest *guest, uint32_t budget, struct dice *dice)
{
	static const uint8_t large[] = { 6, 6, 2, 0 };
	const struct campaign_mode *mode = world->config.mode;
	struct sp_domain_config config = {
		.number = world->created + 1,
		.cpu = mode->cpu,
		.tables = mode->tables,
		.table_budget = budget,
		.cpu_levels = dice_one_in(dice, 6) ? 5 : 4,
		.cpu_large_pages = large[dice_roll(dice, 4)],
		.asid = mode->cpu == SP_CPU_NPT ? (uint16_t)(guest - world->guest + 1) : 0,
	};
	struct sp_observer_config shadows;
	enum sp_status status;

	if (mode->cpu == SP_CPU_SHADOW) {
		shadows = outsider_open(world, &guest->shadows, guest, MODEL_SHADOWS, dice);
		config.shadows = &shadows;
	}
	status = sp_domain_create(world->host, &config, &guest->domain);
	if (status != SP_OK)
		outsider_close(world, &guest->shadows);
	else
		guest->shadows.observer = sp_domain_shadows(guest->domain);
	world->outcome->operations++;
	say(world, "create %c, budget %u, levels %u, large pages %u: %s",
	    guest_letter(world, guest), config.table_budget, config.cpu_levels,
	    config.cpu_large_pages, sp_status_text(status));
	if (status == SP_NO_MEMORY && world->refused)
		return false;
	if (status != SP_OK) {
		complain(world, "a guest cannot be made: %s", sp_status_text(status));
		return false;
	}
	guest->state = GUEST_LIVES;
	guest->number = ++world->created;
	guest->budget = config.table_budget;
	guest->tight = config.table_budget < 100;
	guest->most = has_small_pages(mode, config.cpu_large_pages) ? HOME : GIANT;
	guest->past_count = 0;
	guest->settled = 0;
	guest->last = (struct sp_ticket){ guest->domain, 0 };
	return true;
}

bool guest_has_device(const struct world *world, const struct guest *guest)
{
	for (uint32_t i = 0; i < DEVICES; i++)
		if (world->device[i].owner == guest)
			return true;
	return false;
}

/* From the first call on whatever was mapped waits; what CPUs still reach is oracle R's business. */
static void let_go(struct world *world, struct guest *guest)
{
	const struct cell hole = { 0, SP_HOLE };

	for (uint32_t i = 0; i < PLACES; i++)
		expect_change(world, guest, places[i].gfn, places[i].end - places[i].gfn, hole,
			      false, 0);
	guest->state = GUEST_DIES;
}

bool guest_destroy(struct world *world, struct guest *guest)
{
	bool is_held = guest_has_device(world, guest);
	enum sp_status status;

	cpus_land(world);
	emulator_remove(world, guest);
	if (guest->state == GUEST_LIVES && !is_held)
		let_go(world, guest);
	status = sp_domain_destroy(guest->domain);
	world->outcome->operations++;
	say(world, "destroy %c: %s", guest_letter(world, guest), sp_status_text(status));
	if (is_held != (status == SP_BUSY) ||
	    (status != SP_BUSY && status != SP_PENDING && status != SP_OK))
		complain(world, "a guest with%s device is destroyed: %s", is_held ? " a" : "out",
			 sp_status_text(status));
	if (status != SP_OK)
		return false;
	outsider_close(world, &guest->shadows);
	guest->state = GUEST_IS_GONE;
	guest->domain = NULL;
	guest->past_count = 0;
	if (guest->waiting)
		complain(world, "ledger: domain %u is gone, %llu frames were never told",
			 guest->number, (unsigned long long)guest->waiting);
	for (uint32_t i = 1; i < CPUS; i++)
		if (world->cpu[i].state != CPU_IS_OUT && world->cpu[i].guest == guest)
			complain(world, "domain %u is gone, cpu %u still runs it", guest->number,
				 i);
	return true;
}

/* --- to the end ------------------------------------------------------------------------------ */

void world_settle(struct world *world)
{
	uint32_t looks = 0;

	cpus_land(world);
	while (sp_progress(world->host, SP_STEP_SLOTS) != UINT64_MAX && ++looks < PATIENCE)
		platform_relax(world->model);
	if (looks == PATIENCE)
		complain(world, "progress finds no end");
	for (uint32_t i = 0; i < GUESTS; i++) {
		struct guest *guest = &world->guest[i];

		if (guest->state != GUEST_LIVES)
			continue;
		expect_poll(world, guest);
		if (guest->past_count)
			complain(world, "nothing is left to do, and a ticket of %c is not settled",
				 guest_letter(world, guest));
		if (guest->waiting)
			complain(world, "ledger: nothing is left to do, %llu frames wait in %c",
				 (unsigned long long)guest->waiting, guest_letter(world, guest));
	}
}

/* Oracle A once more, at places that no step may have asked for. */
static void sweep(struct world *world)
{
	struct dice dice = { world->config.seed };

	for (uint32_t i = 0; i < 100 && !has_complaint(world); i++) {
		uint64_t gfn = some_gfn(&dice);

		for (uint32_t j = 0; j < DEVICES; j++) {
			device_transfer(world, &world->device[j], gfn, true);
			device_transfer(world, &world->device[j], gfn, false);
		}
		for (uint32_t j = 0; j < GUESTS; j++) {
			if (world->guest[j].state != GUEST_LIVES)
				continue;
			expect_find(world, &world->guest[j], gfn);
			if (!cpu_enter(world, j + 1, &world->guest[j]))
				continue;
			cpu_touch(world, j + 1, gfn, MODEL_READ);
			cpu_touch(world, j + 1, gfn, MODEL_WRITE);
			cpu_touch(world, j + 1, gfn, MODEL_EXECUTE);
			cpu_leave(world, j + 1);
		}
	}
}

static void end_guests(struct world *world)
{
	for (uint32_t i = 0; i < DEVICES; i++)
		if (world->device[i].owner && !device_release(world, &world->device[i]))
			complain(world, "a device cannot be released");
	for (uint32_t i = 0; i < GUESTS && !has_complaint(world); i++) {
		struct guest *guest = &world->guest[i];

		for (uint32_t looks = 0; guest->state != GUEST_IS_GONE && !has_complaint(world);) {
			if (guest_destroy(world, guest))
				break;
			if (++looks == PATIENCE)
				complain(world, "a guest's end finds no end");
			(void)sp_progress(world->host, SP_STEP_SLOTS);
			platform_relax(world->model);
		}
	}
}

void world_end(struct world *world)
{
	for (uint32_t i = 1; i < CPUS; i++)
		cpu_leave(world, i);
	world_settle(world);
	sweep(world);
	for (uint32_t i = 0; i < TRANSFERS; i++)
		(void)model_dma_finish(world->model, world->transfer[i]);
	if (!has_complaint(world))
		end_guests(world);
	if (has_complaint(world))
		return;
	frames_judge_end(world);
	if (model_table_frames(world->model) != world->tables)
		complain(world, "ledger: %llu table pages without a guest, %llu at the beginning",
			 (unsigned long long)model_table_frames(world->model),
			 (unsigned long long)world->tables);
	sp_iommu_stop(world->host);
}
