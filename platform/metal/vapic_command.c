/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vapic_command.c - interrupts from a guest's CPU to others.
 * APM vol. 2, 16.5, 16.6.1.
 *
 *   shorthand, physical or logical name --> CPUs of the guest --> fixed, NMI, INIT, start-up
 *                                       '-> none: refused      '-> others: refused
 *
 * Names are resolved here, among the guest's CPUs alone: no name of the guest's ever reaches the
 * bus.
 */
#include "platform/metal/vapic_command.h"

#include "lib/mutant.h"
#include "platform/metal/vapic_registers.h"

#define BROADCAST    0xffu
#define BROADCAST_X2 0xffffffffu

static uint32_t all_of(const struct vapic_guest *guest)
{
	return guest->cpu_count == VAPIC_CPUS ? ~0u : (1u << guest->cpu_count) - 1;
}

static bool has_physical_name(const struct vapic *sender, const struct vapic *cpu)
{
	uint32_t name = sender->x2apic ? sender->target : sender->target >> 24;

	return name == cpu->id || name == (sender->x2apic ? BROADCAST_X2 : BROADCAST);
}

/* 16.6.1: flat, eight CPUs with a bit each; cluster, four in each of fifteen. */
static bool has_short_name(uint32_t name, uint32_t logical, uint32_t format)
{
	if (name == BROADCAST)
		return true;
	logical >>= 24;
	if (format == FORMAT_FLAT)
		return (name & logical) != 0;
	return name >> 4 == logical >> 4 && (name & logical & 0xf) != 0;
}

/* The other CPU may be changing its names: each is read once, and whole. */
static bool has_logical_name(const struct vapic *sender, const struct vapic *cpu)
{
	if (!sender->x2apic)
		return has_short_name(sender->target >> 24, cpu->logical, cpu->format);
	return sender->target == BROADCAST_X2 || (sender->target >> 16 == cpu->logical >> 16 &&
						  (sender->target & cpu->logical & 0xffff) != 0);
}

static uint32_t named_targets(const struct vapic_guest *guest, const struct vapic *sender)
{
	bool logical = (sender->command & COMMAND_LOGICAL) != 0;
	uint32_t targets = 0;

	for (uint32_t i = 0; i < guest->cpu_count; i++) {
		const struct vapic *cpu = &guest->cpu[i];

		if (logical ? has_logical_name(sender, cpu) : has_physical_name(sender, cpu))
			targets |= 1u << i;
	}
	return targets;
}

/* In x2APIC mode such a name is the lowest part of a longer one (SDM vol. 3A, 11.12.10.2). */
uint32_t vapic_named(const struct vapic_guest *guest, uint32_t name, bool logical)
{
	const struct vapic *first = &guest->cpu[0];
	const struct vapic sender = { .x2apic = first->x2apic,
				      .target = first->x2apic ? name : name << 24,
				      .command = logical ? COMMAND_LOGICAL : 0 };

	return named_targets(guest, &sender);
}

static uint32_t find_targets(const struct vapic_guest *guest, uint32_t cpu)
{
	switch (guest->cpu[cpu].command & COMMAND_SHORTHAND) {
	case SHORTHAND_SELF:
		return 1u << cpu;
	case SHORTHAND_ALL:
		return all_of(guest);
	case SHORTHAND_OTHERS:
		return all_of(guest) & ~(1u << cpu);
	}
	return named_targets(guest, &guest->cpu[cpu]);
}

static struct vapic_act refuse(struct vapic *apic, enum vapic_refusal refusal)
{
	apic->refused[refusal]++;
	return (struct vapic_act){ .kind = VAPIC_REFUSED,
				   .refusal = refusal,
				   .offset = APIC_COMMAND,
				   .value = apic->command };
}

static struct vapic_act send(enum vapic_act_kind kind, const struct vapic *apic, uint32_t targets)
{
	return (struct vapic_act){ .kind = kind,
				   .targets = targets,
				   .vector = (uint8_t)(apic->command & COMMAND_VECTOR) };
}

/*
 * One that is pending on a CPU when the guest leaves it comes to the hypervisor, as whatever its vector
 * stands for there.
 */
bool vapic_may_send(const struct vapic_guest *guest, uint32_t vector)
{
	return vector >= VAPIC_VECTOR_FIRST || MUTANT_IS(guest->mutant, SP_MUT_EXCEPTION_SENT);
}

/* The lowest priority is the first CPU's: which one it is the manual leaves to the machine. */
static struct vapic_act send_fixed(const struct vapic_guest *guest, struct vapic *apic,
				   uint32_t targets)
{
	bool lowest = (apic->command & COMMAND_DELIVERY) == DELIVERY_LOWEST;

	if (!vapic_may_send(guest, apic->command & COMMAND_VECTOR))
		return refuse(apic, VAPIC_REFUSED_VECTOR);
	return send(VAPIC_SEND, apic, lowest ? targets & -targets : targets);
}

/* What resets or starts whom: never the sender, and never without being asserted (16.5). */
static struct vapic_act send_init(struct vapic *apic, uint32_t targets, uint32_t self)
{
	if ((apic->command & (COMMAND_LEVEL | COMMAND_ASSERT)) == COMMAND_LEVEL)
		return (struct vapic_act){ .kind = VAPIC_NOTHING };
	if (targets & self)
		return refuse(apic, VAPIC_REFUSED_TARGET);
	return send((apic->command & COMMAND_DELIVERY) == DELIVERY_INIT ? VAPIC_INIT
									: VAPIC_STARTUP,
		    apic, targets);
}

static bool is_known_delivery(uint32_t command)
{
	switch (command & COMMAND_DELIVERY) {
	case DELIVERY_FIXED:
	case DELIVERY_LOWEST:
	case DELIVERY_NMI:
	case DELIVERY_INIT:
	case DELIVERY_STARTUP:
		return true;
	}
	return false;
}

struct vapic_act vapic_command(struct vapic_guest *guest, uint32_t cpu)
{
	struct vapic *apic = &guest->cpu[cpu];
	uint32_t targets = find_targets(guest, cpu);
	bool others = (apic->command & COMMAND_SHORTHAND) == SHORTHAND_OTHERS;

	if (!is_known_delivery(apic->command))
		return refuse(apic, VAPIC_REFUSED_DELIVERY);
	/* A guest of one CPU has no others: kernels stop "all others" all the same. */
	if (targets == 0 && others)
		return (struct vapic_act){ .kind = VAPIC_NOTHING };
	if (targets == 0 && MUTANT_IS(guest->mutant, SP_MUT_COMMAND_UNCHECKED))
		return (struct vapic_act){ .kind = VAPIC_PASS,
					   .offset = APIC_COMMAND,
					   .value = apic->command };
	if (targets == 0)
		return refuse(apic, VAPIC_REFUSED_TARGET);
	switch (apic->command & COMMAND_DELIVERY) {
	case DELIVERY_NMI:
		return send(VAPIC_NMI, apic, targets);
	case DELIVERY_INIT:
	case DELIVERY_STARTUP:
		return send_init(apic, targets, 1u << cpu);
	}
	return send_fixed(guest, apic, targets);
}
