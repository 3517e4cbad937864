/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/unit.c - a unit that is a thread: a driver on this side, a device on the other.
 *
 *   driver (queue lock)            thread
 *   ring[tail] = command           ring[head]: forget; late, after some DMA
 *   ring[tail] = wait, number      completed = number
 *   reached = completed            DMA: entry -> walk -> frame, all remembered
 *
 * The two meet over single words, as with hardware: tail, completed, the entries.
 */
#include <sched.h>
#include <stdio.h>

#include "machine.h"

#include "memory.h"

#define DMA_A_TURN 16u

/* root 63:16, levels 15:12, name 11:0; 0: no entry */
static uint64_t pack(const struct unit_entry *entry)
{
	return entry->root.mfn << 16 | (uint64_t)entry->levels << 12 | entry->name;
}

static struct fake_unit *fake_of(struct unit *unit)
{
	return (struct fake_unit *)unit;
}

static uint32_t function_of(uint16_t requester)
{
	return (requester >> 3) - 1u;
}

/* ---- the driver's side ---- */

static enum sp_status start(struct unit *unit)
{
	(void)unit;
	return SP_OK;
}

static void stop(struct unit *unit)
{
	(void)unit;
}

static void attach(struct unit *unit, uint16_t requester, const struct unit_entry *entry)
{
	store64(&fake_of(unit)->entry[function_of(requester)], pack(entry));
}

static enum sp_status prepare_entry(struct unit *unit, uint16_t requester)
{
	(void)unit;
	(void)requester;
	return SP_OK;
}

static enum sp_status post(struct unit *unit, const struct command *commands, uint32_t count,
			   uint64_t *number)
{
	struct fake_unit *fake = fake_of(unit);
	uint64_t tail = fake->tail;

	if (UNIT_RING - (tail - load64(&fake->head)) < count + 1)
		return SP_BUSY;
	for (uint32_t i = 0; i < count; i++, tail++) {
		fake->ring[tail % UNIT_RING] = commands[i];
		fake->number[tail % UNIT_RING] = 0;
	}
	*number = unit->asked + 1;
	fake->number[tail % UNIT_RING] = *number;
	store64(&fake->tail, tail + 1);
	return SP_OK;
}

static enum sp_status progress(struct unit *unit)
{
	struct fake_unit *fake = fake_of(unit);

	store64(&unit->reached, load64(&fake->completed));
	if (load32(&fake->dead) && unit->reached != unit->asked)
		return SP_LOST;
	return SP_OK;
}

static void fence(struct unit *unit, uint16_t requester)
{
	store64(&fake_of(unit)->entry[function_of(requester)], 0);
}

static enum sp_status next_fault(struct unit *unit, struct sp_fault *fault)
{
	struct fake_unit *fake = fake_of(unit);

	if (__atomic_exchange_n(&fake->faults, 0, __ATOMIC_ACQ_REL) == 0)
		return SP_NOT_FOUND;
	*fault = (struct sp_fault){ .kind = SP_FAULT_NOT_PRESENT };
	return SP_OK;
}

static enum sp_status set_irte(struct unit *unit, uint32_t index, const struct irte *irte)
{
	(void)unit;
	(void)index;
	(void)irte;
	return SP_UNSUPPORTED;
}

static struct sp_message message(uint32_t index)
{
	return (struct sp_message){ 0xfee00000, index };
}

static const struct iommu_ops fake_ops = {
	.start = start,
	.stop = stop,
	.attach = attach,
	.prepare_entry = prepare_entry,
	.post = post,
	.progress = progress,
	.fence = fence,
	.next_fault = next_fault,
	.set_irte = set_irte,
	.message = message,
};

struct fake_unit *unit_make(struct machine *machine, uint32_t index)
{
	struct unit *unit = unit_new(machine->host, sizeof(struct fake_unit), &fake_ops);
	struct fake_unit *fake = (struct fake_unit *)unit;

	if (!unit)
		return NULL;
	unit->observer.column = index ? COLUMN_AMDVI_CACHING : COLUMN_AMDVI;
	unit->observer.widest_order = 51;
	unit->vendor = SP_VENDOR_AMDVI;
	unit->registers.maddr = 0xfed80000 + index * 0x10000;
	unit->register_bytes = 0x4000;
	unit->format = &format_amdvi;
	unit->shared_format = index ? NULL : &format_npt_amdvi;
	unit->levels = BIT(3) | BIT(4);
	unit->leaf_levels = 7;
	unit->address_bits = 48;
	unit->name_count = 16; /* so that names come back soon */
	unit->coherent = true;
	unit->interrupt_remapping = true;
	unit->not_present_cached = index != 0;
	fake->machine = machine;
	fake->index = index;
	fake->seed = 77 + index;
	return fake;
}

/* ---- the device's side ---- */

static void execute(struct fake_unit *fake, const struct command *command)
{
	switch (command->kind) {
	case COMMAND_ENTRY:
		fake->cached_entry[function_of(command->requester)] = 0;
		break;
	case COMMAND_ENTRIES:
		for (uint32_t i = 0; i < MACHINE_FUNCTIONS; i++)
			fake->cached_entry[i] = 0;
		break;
	case COMMAND_PAGES:
		cache_forget_span(&fake->cache, command->name, command->first, command->order,
				  command->links);
		break;
	case COMMAND_DOMAIN:
		cache_forget_name(&fake->cache, command->name);
		break;
	case COMMAND_FLUSH:
	case COMMAND_RUN:
	case COMMAND_ALL:
	case COMMAND_ATC_PAGES:
	case COMMAND_ATC_ALL:
		machine_complain(fake->machine, "a unit was told command %d", (int)command->kind);
		break;
	}
}

static void execute_one(struct fake_unit *fake)
{
	uint64_t head = fake->head, number;

	if (head == load64(&fake->tail) || load32(&fake->dead))
		return;
	number = fake->number[head % UNIT_RING];
	if (number)
		store64(&fake->completed, number);
	else
		execute(fake, &fake->ring[head % UNIT_RING]);
	store64(&fake->head, head + 1);
	fake->executed++;
}

/* From before the assignment to after the release its owner may be reached, and nobody else. */
static void check_owner(struct fake_unit *fake, uint32_t function, uint32_t before, uint32_t domain)
{
	uint32_t after = load32(&fake->machine->owner[function]);

	if (domain && domain != before && domain != after)
		machine_complain(fake->machine, "function %u of nobody's reached domain %u",
				 function, domain);
}

static void touch(struct fake_unit *fake)
{
	uint32_t function = (uint32_t)random_below(&fake->seed, MACHINE_FUNCTIONS), domain;
	uint32_t owner = load32(&fake->machine->owner[function]);
	uint64_t frame = random_below(&fake->seed, fake->machine->span), entry;
	struct way way = { .format = &format_amdvi };

	if (!fake->cached_entry[function])
		fake->cached_entry[function] = load64(&fake->entry[function]);
	entry = fake->cached_entry[function];
	if (!entry)
		return;
	way.root = entry >> 16;
	way.levels = entry >> 12 & 15;
	way.name = entry & 0xfff;
	if (!walk_touch(fake->machine, &fake->cache, &way, frame, &domain)) {
		__atomic_fetch_add(&fake->faults, 1, __ATOMIC_RELAXED);
		return;
	}
	fake->touched += domain != 0;
	check_owner(fake, function, owner, domain);
}

static void *live(void *argument)
{
	struct fake_unit *fake = argument;

	here.cpu = MACHINE_CPUS; /* a unit is no CPU */
	while (load32(&fake->machine->power)) {
		uint64_t turns = random_below(&fake->seed, DMA_A_TURN);

		while (turns--)
			touch(fake);
		execute_one(fake);
		sched_yield();
	}
	return NULL;
}

void unit_power(struct fake_unit *unit)
{
	if (pthread_create(&unit->thread, NULL, live, unit))
		machine_complain(unit->machine, "no thread for a unit");
}

void unit_join(struct fake_unit *unit)
{
	pthread_join(unit->thread, NULL);
}

_Static_assert(sizeof(struct fake_unit) <= HOST_UNIT_BYTES, "what sp_host_size() reckons with");
