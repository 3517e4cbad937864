/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vapic.c - what a guest may do with the local APIC of its CPU: registers.
 *
 *   priorities, EOI, in service, error, timer's count   the CPU's own, both ways
 *   id, version                                         to be read
 *   logical names, command                              kept here: vapic_command.c sends
 *   local vector table                                  fixed interrupts pass; its pins never
 */
#include "platform/metal/vapic.h"

#include "lib/mutant.h"
#include "platform/metal/print.h"
#include "platform/metal/vapic_command.h"
#include "platform/metal/vapic_registers.h"

/* Whose a register is. */
enum owner {
	OWNER_NOBODY,
	OWNER_CPU,	/* the CPU's own, both ways */
	OWNER_CPU_READ, /* ... but not to be written */
	OWNER_HERE,
};

/*
 * What is not named here does not exist for the guest: AMD's extended registers (500 and up) can
 * route interrupts by the way of delivery, as the local vector table does.
 */
static enum owner owner_of(uint32_t offset)
{
	if (offset >= APIC_IN_SERVICE && offset < APIC_REQUESTED_END)
		return OWNER_CPU_READ;
	if (offset >= APIC_LOCAL && offset < APIC_LOCAL_END)
		return OWNER_HERE;
	switch (offset) {
	case APIC_TASK_PRIORITY:
	case APIC_EOI:
	case APIC_SPURIOUS:
	case APIC_ERROR:
	case APIC_COUNT_START:
		return OWNER_CPU;
	case APIC_VERSION:
	case APIC_ARBITRATION:
	case APIC_PRIORITY:
	case APIC_COUNT:
		return OWNER_CPU_READ;
	case APIC_ID:
	case APIC_LOGICAL:
	case APIC_FORMAT:
	case APIC_COMMAND:
	case APIC_TARGET:
	case APIC_DIVIDE:
		return OWNER_HERE;
	}
	return OWNER_NOBODY;
}

/* Counted where it is born; whoever logs it may log less. */
static struct vapic_act refuse(struct vapic *apic, uint32_t offset, uint32_t value,
			       enum vapic_refusal refusal)
{
	apic->refused[refusal]++;
	return (struct vapic_act){
		.kind = VAPIC_REFUSED, .refusal = refusal, .offset = offset, .value = value
	};
}

static struct vapic_act pass(uint32_t offset, uint32_t value)
{
	return (struct vapic_act){ .kind = VAPIC_PASS, .offset = offset, .value = value };
}

/* As the guest wrote it: the CPU's own timer runs in one-shot mode meanwhile. */
static bool in_deadline_mode(const struct vapic *apic)
{
	return (apic->local[LOCAL_TIMER] & LOCAL_TIMER_MODE) == MODE_DEADLINE;
}

/* SDM vol. 3A, 11.12.10.2: in x2APIC mode logical names are made of the physical. */
static uint32_t logical_of(uint32_t id)
{
	return (id >> 4) << 16 | 1u << (id & 15);
}

void vapic_reset(struct vapic *apic, uint32_t id, uint64_t base, bool can_x2apic)
{
	*apic = (struct vapic){
		.id = id,
		.base_low = (uint32_t)base & (BASE_PAGE | BASE_LOW),
		.can_x2apic = can_x2apic,
		.x2apic = (base & BASE_X2APIC) != 0,
	};
	vapic_init(apic);
}

/* 16.3.3. What was refused stays counted. */
void vapic_init(struct vapic *apic)
{
	apic->logical = apic->x2apic ? logical_of(apic->id) : 0;
	apic->format = FORMAT_FLAT;
	apic->target = 0;
	apic->command = 0;
	apic->divide = 0;
	for (uint32_t i = 0; i < VAPIC_LOCALS; i++)
		apic->local[i] = LOCAL_MASKED;
}

/* In x2APIC mode the id has 32 bits, before that it stands in the upper eight. */
static uint32_t kept(const struct vapic *apic, uint32_t offset)
{
	switch (offset) {
	case APIC_ID:
		return apic->x2apic ? apic->id : apic->id << 24;
	case APIC_LOGICAL:
		return apic->logical;
	case APIC_FORMAT:
		return apic->format;
	case APIC_COMMAND:
		return apic->command;
	case APIC_TARGET:
		return apic->target;
	case APIC_DIVIDE:
		return apic->divide;
	}
	return apic->local[(offset - APIC_LOCAL) / 16];
}

/* End of interrupt has nothing to read; CPUs answer with an error or with 0. */
bool vapic_read(const struct vapic *apic, uint32_t offset, uint32_t *value)
{
	*value = 0;
	switch (owner_of(offset)) {
	case OWNER_CPU:
	case OWNER_CPU_READ:
		return offset == APIC_EOI;
	case OWNER_HERE:
		*value = kept(apic, offset);
		return true;
	case OWNER_NOBODY:
		break;
	}
	return true;
}

/*
 * The pins lead to the machine's old interrupt controller and its NMI line. A mode that the manual
 * reserves is none that the CPU's APIC should see.
 */
static bool may_pass(const struct vapic_guest *guest, uint32_t entry, uint32_t value)
{
	if (entry == LOCAL_LINT0 || entry == LOCAL_LINT1)
		return false;
	if (!vapic_may_send(guest, value & LOCAL_VECTOR))
		return false;
	if (entry == LOCAL_TIMER && (value & LOCAL_TIMER_MODE) == MODE_RESERVED)
		return false;
	return (value & LOCAL_DELIVERY) == DELIVERY_FIXED;
}

/*
 * What every PC's kernel writes for the pins: external interrupts at the first, NMI at the second.
 * Nothing is connected there; that they stay masked is no refusal.
 */
static bool is_usual(uint32_t entry, uint32_t value)
{
	const uint32_t delivery = value & LOCAL_DELIVERY;

	return (entry == LOCAL_LINT0 && delivery == DELIVERY_EXTERNAL) ||
	       (entry == LOCAL_LINT1 && delivery == DELIVERY_NMI);
}

/* What the guest masks itself is no offence, whatever it says. */
static struct vapic_act write_local(struct vapic_guest *guest, struct vapic *apic, uint32_t offset,
				    uint32_t value)
{
	uint32_t entry = (offset - APIC_LOCAL) / 16, bits = LOCAL_MASKED | LOCAL_VECTOR;
	struct vapic_act act;

	apic->local[entry] = value;
	if (MUTANT_IS(guest->mutant, SP_MUT_LOCAL_DELIVERY_UNCHECKED))
		return pass(offset, value);
	if (!may_pass(guest, entry, value)) {
		if (!(value & LOCAL_MASKED) && !is_usual(entry, value))
			refuse(apic, offset, value, VAPIC_REFUSED_LOCAL);
		return pass(offset, LOCAL_MASKED);
	}
	if (entry != LOCAL_TIMER)
		return pass(offset, value & bits);
	act = pass(offset, value & (bits | LOCAL_TIMER_MODE));
	if (in_deadline_mode(apic)) {
		act.kind = VAPIC_DEADLINE;
		act.value = value & bits;
	}
	return act;
}

/* 16.4.1: vectors of devices do not change by what is written here. */
static struct vapic_act write_here(struct vapic_guest *guest, uint32_t cpu, uint32_t offset,
				   uint32_t value)
{
	struct vapic *apic = &guest->cpu[cpu];
	const struct vapic_act nothing = { .kind = VAPIC_NOTHING };

	switch (offset) {
	case APIC_COMMAND:
		apic->command = value & ~COMMAND_PENDING;
		return vapic_command(guest, cpu);
	case APIC_TARGET:
		apic->target = value;
		return nothing;
	case APIC_LOGICAL:
		if (!apic->x2apic)
			apic->logical = value & 0xff000000;
		return nothing;
	case APIC_FORMAT:
		apic->format = value | FORMAT_CLUSTER;
		return nothing;
	case APIC_DIVIDE:
		apic->divide = value & 0xb;
		return in_deadline_mode(apic) ? nothing : pass(offset, apic->divide);
	case APIC_ID:
		return nothing; /* some kernels write back what they read */
	}
	return write_local(guest, apic, offset, value);
}

/* In x2APIC mode any other bit would be a fault, and not the guest's: the hypervisor stores it. */
static uint32_t defined_bits(uint32_t offset)
{
	switch (offset) {
	case APIC_TASK_PRIORITY:
		return 0xff;
	case APIC_SPURIOUS:
		return SPURIOUS_BITS;
	case APIC_COUNT_START:
		return 0xffffffff;
	}
	return 0; /* end of interrupt, error: the store itself is what counts */
}

struct vapic_act vapic_write(struct vapic_guest *guest, uint32_t cpu, uint32_t offset,
			     uint32_t value)
{
	struct vapic *apic = &guest->cpu[cpu];

	switch (owner_of(offset)) {
	case OWNER_CPU:
		if (offset == APIC_COUNT_START && in_deadline_mode(apic))
			return (struct vapic_act){ .kind = VAPIC_NOTHING };
		return pass(offset, value & defined_bits(offset));
	case OWNER_HERE:
		return write_here(guest, cpu, offset, value);
	case OWNER_CPU_READ:
	case OWNER_NOBODY:
		break;
	}
	return refuse(apic, offset, value, VAPIC_REFUSED_REGISTER);
}

/* The manual leaves other accesses undefined; to try one on the real page helps nobody. */
bool vapic_check_width(struct vapic *apic, uint32_t offset, uint32_t bytes)
{
	if (bytes == 4 && offset % 16 == 0)
		return true;
	apic->refused[VAPIC_REFUSED_WIDTH]++;
	return false;
}

/* ---- x2APIC ---- */

/* SDM vol. 3A, table 11-6: no format, no upper half of the command. */
static uint32_t offset_of(uint32_t msr)
{
	uint32_t offset = (msr - VAPIC_MSR_FIRST) * 16;

	return offset == APIC_FORMAT || offset == APIC_TARGET || offset == APIC_ARBITRATION
		       ? VAPIC_PAGE
		       : offset;
}

/* The target is a part of the command here, so that both are read at once. */
bool vapic_msr_read(const struct vapic *apic, uint32_t msr, uint64_t *value)
{
	uint32_t offset = offset_of(msr), low;
	bool mine = vapic_read(apic, offset, &low);

	*value = low;
	if (offset == APIC_COMMAND)
		*value |= (uint64_t)apic->target << 32;
	return mine;
}

/* What the manual makes a fault is a refusal: the caller injects it. */
struct vapic_act vapic_msr_write(struct vapic_guest *guest, uint32_t cpu, uint32_t msr,
				 uint64_t value)
{
	struct vapic *apic = &guest->cpu[cpu];
	uint32_t offset = offset_of(msr);

	if (offset == APIC_COMMAND) {
		apic->target = (uint32_t)(value >> 32);
	} else if (offset == APIC_SELF) {
		apic->command = SHORTHAND_SELF | ((uint32_t)value & COMMAND_VECTOR);
		return vapic_command(guest, cpu);
	} else if (value >> 32 != 0 || offset == APIC_ID || offset == APIC_LOGICAL) {
		return refuse(apic, offset, (uint32_t)value, VAPIC_REFUSED_REGISTER);
	}
	return vapic_write(guest, cpu, offset, (uint32_t)value);
}

/* What passes both ways without a look: nothing that names another CPU, or a way of delivery. */
bool vapic_msr_is_direct(uint32_t msr, bool write, bool deadline)
{
	uint32_t offset;

	if (msr < VAPIC_MSR_FIRST || msr > VAPIC_MSR_LAST)
		return false;
	offset = offset_of(msr);
	switch (offset) {
	case APIC_COUNT_START:
	case APIC_COUNT:
		return !deadline && (offset == APIC_COUNT_START || !write);
	case APIC_TASK_PRIORITY:
	case APIC_ERROR:
		return true;
	case APIC_EOI:
		return write;
	case APIC_PRIORITY:
		return !write;
	}
	return !write && offset >= APIC_IN_SERVICE && offset < APIC_REQUESTED_END;
}

/* ---- MSR 1B ---- */

uint64_t vapic_base_read(const struct vapic *apic)
{
	return apic->base_low;
}

/* 16.9: from x2APIC mode there is no way back but through "off", which nobody needs. */
struct vapic_act vapic_base_write(struct vapic_guest *guest, uint32_t cpu, uint64_t value)
{
	struct vapic *apic = &guest->cpu[cpu];

	if (value == apic->base_low)
		return (struct vapic_act){ .kind = VAPIC_NOTHING };
	if (!apic->can_x2apic || value != (apic->base_low | BASE_X2APIC))
		return refuse(apic, VAPIC_MSR_BASE, (uint32_t)value, VAPIC_REFUSED_BASE);
	apic->base_low |= BASE_X2APIC;
	apic->x2apic = true;
	apic->logical = logical_of(apic->id);
	return (struct vapic_act){ .kind = VAPIC_X2APIC };
}

/* ---- refusals ---- */

struct vapic_text vapic_explain(const struct vapic *apic, const struct vapic_act *act)
{
	static const char *const why[VAPIC_REFUSALS] = {
		[VAPIC_REFUSED_TARGET] = "no CPU of the guest is meant",
		[VAPIC_REFUSED_DELIVERY] = "not a delivery that a guest may use",
		[VAPIC_REFUSED_VECTOR] = "a vector of an exception",
		[VAPIC_REFUSED_LOCAL] = "more than a fixed interrupt",
		[VAPIC_REFUSED_REGISTER] = "not a register to be written",
		[VAPIC_REFUSED_WIDTH] = "not 32 bits at a multiple of 16",
		[VAPIC_REFUSED_BASE] = "the local APIC stays on, and where it is",
	};
	struct vapic_text text = { { 0 } };
	size_t used;

	if (act->offset == APIC_COMMAND)
		used = print(text.chars, sizeof(text.chars), "command 0x%x to APIC 0x%x",
			     act->value, apic->x2apic ? apic->target : apic->target >> 24);
	else
		used = print(text.chars, sizeof(text.chars), "0x%x to %s 0x%x of the local APIC",
			     act->value, act->offset == VAPIC_MSR_BASE ? "MSR" : "register",
			     act->offset);
	print(text.chars + used, sizeof(text.chars) - used, ": %s", why[act->refusal]);
	return text;
}
