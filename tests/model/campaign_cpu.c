/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/campaign_cpu.c - CPUs that enter guests, touch their memory and leave.
 *
 *   out --sp_cpu_enter()--> ready --entry--> in --kick or leave, sp_cpu_leave()--> out
 *                             `----no entry after all, sp_cpu_leave(false)------->
 *
 * Between ready and in other steps may run, as on another CPU. A kick that comes then waits for the
 * entry, as an interrupt waits while interrupts are off.
 */
#include "campaign_world.h"

static void leave(struct world *world, uint32_t number, bool entered)
{
	struct runner *cpu = &world->cpu[number];

	if (entered)
		model_cpu_leave(world->model, number);
	model_set_cpu(number);
	sp_cpu_leave(cpu->guest->domain, entered);
	model_set_cpu(0);
	world->outcome->operations++;
	cpu->state = CPU_IS_OUT;
}

/* The answer to a kick; the library waits meanwhile. */
void cpu_exit(struct model *model, uint32_t number, void *argument)
{
	(void)model;
	leave(argument, number, true);
}

static bool may_enter(struct world *world, uint32_t number, struct guest *guest)
{
	struct runner *cpu = &world->cpu[number];
	enum sp_status status;

	cpu->kicks = model_cpu_kicks(world->model, number);
	model_set_cpu(number);
	status = sp_cpu_enter(guest->domain, &cpu->entry);
	model_set_cpu(0);
	world->outcome->operations++;
	return status == SP_OK;
}

/* False: an emulator has not let go yet, and the CPU stays out. */
static bool become_ready(struct world *world, uint32_t number, struct guest *guest)
{
	struct runner *cpu = &world->cpu[number];

	if (!may_enter(world, number, guest)) {
		if (guest->emulator.is_there)
			return false;
		/* That the gate is open may be on its way to this CPU; not for long. */
		model_drain(world->model);
		if (!may_enter(world, number, guest)) {
			complain(world, "a CPU is refused where no emulator is");
			return false;
		}
	}
	cpu->guest = guest;
	cpu->state = CPU_IS_READY;
	return true;
}

static void land(struct world *world, uint32_t number)
{
	struct runner *cpu = &world->cpu[number];
	const struct sp_entry *entry = &cpu->entry;
	static const enum model_format formats[] = {
		[SP_CPU_EPT] = MODEL_EPT, [SP_CPU_NPT] = MODEL_NPT, [SP_CPU_SHADOW] = MODEL_ON_SHADOWS
	};
	enum model_format format = formats[world->config.mode->cpu];
	uint64_t root = format == MODEL_ON_SHADOWS ? cpu->guest->shadows.number : entry->root.maddr;

	model_cpu_enter(world->model, number, format, root, entry->levels, entry->asid,
			entry->flush);
	cpu->state = CPU_IS_IN;
	if (model_cpu_kicks(world->model, number) != cpu->kicks)
		leave(world, number, true);
}

void cpu_leave(struct world *world, uint32_t number)
{
	if (world->cpu[number].state != CPU_IS_OUT)
		leave(world, number, world->cpu[number].state == CPU_IS_IN);
}

bool cpu_enter(struct world *world, uint32_t number, struct guest *guest)
{
	cpu_leave(world, number);
	if (!become_ready(world, number, guest))
		return false;
	land(world, number);
	return true;
}

void cpus_land(struct world *world)
{
	for (uint32_t i = 1; i < CPUS; i++)
		if (world->cpu[i].state == CPU_IS_READY)
			land(world, i);
}

/* What a CPU reaches of a guest that dies is oracle R's business alone. */
void cpu_touch(struct world *world, uint32_t number, uint64_t gfn, enum model_access access)
{
	struct guest *guest = world->cpu[number].guest;
	struct model_reach reach;
	struct reached reached = {
		.who = "a CPU", .is_device = false, .gfn = gfn, .access = access
	};

	if (world->cpu[number].state != CPU_IS_IN)
		return;
	reach = model_cpu_access(world->model, number, gfn, access);
	reached.ok = reach.ok;
	reached.mfn = reach.mfn;
	say(world, "cpu %u accesses %#llx, %u: %s mfn %#llx; ", number, (unsigned long long)gfn,
	    (unsigned)access, reach.ok ? "reaches" : "blocked", (unsigned long long)reach.mfn);
	if (guest->state == GUEST_LIVES)
		expect_reach(world, guest, &reached);
}

/* --- steps ----------------------------------------------------------------------------------- */

static uint32_t some_cpu(struct dice *dice)
{
	return 1 + (uint32_t)dice_roll(dice, CPUS - 1);
}

void step_enter(struct world *world, struct guest *guest, struct dice *dice)
{
	uint32_t number = some_cpu(dice);

	if (world->cpu[number].state == CPU_IS_READY)
		land(world, number);
	else if (world->cpu[number].state != CPU_IS_OUT || guest->state != GUEST_LIVES ||
		 !cpu_enter(world, number, guest))
		return;
	say(world, "cpu %u enters %c, flush %d", number,
	    guest_letter(world, world->cpu[number].guest), world->cpu[number].entry.flush);
}

void step_ready(struct world *world, struct guest *guest, struct dice *dice)
{
	uint32_t number = some_cpu(dice);

	if (world->cpu[number].state != CPU_IS_OUT || guest->state != GUEST_LIVES ||
	    !become_ready(world, number, guest))
		return;
	say(world, "cpu %u is about to enter %c, flush %d", number, guest_letter(world, guest),
	    world->cpu[number].entry.flush);
}

void step_leave(struct world *world, struct guest *guest, struct dice *dice)
{
	uint32_t number = some_cpu(dice);

	(void)guest;
	if (world->cpu[number].state == CPU_IS_OUT)
		return;
	cpu_leave(world, number);
	say(world, "cpu %u leaves", number);
}

void step_access(struct world *world, struct guest *guest, struct dice *dice)
{
	uint32_t number = some_cpu(dice);
	uint64_t gfn = some_gfn(dice);

	if (world->cpu[number].state != CPU_IS_IN)
		return;
	if (!dice_one_in(dice, 4))
		expect_poll(world, world->cpu[number].guest);
	(void)guest;
	for (uint32_t i = 0; i < 3; i++)
		cpu_touch(world, number, gfn + i, (enum model_access)(1u << dice_roll(dice, 3)));
}
