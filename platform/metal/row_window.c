/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/row_window.c - rows 6 and 7: the unit's own registers, and interrupt messages.
 *
 *   VT-d 5.1.2.2, remappable    0xfeex_xxxx   19:5 index  4 = 1  3 no subhandle    data: nothing
 *   VT-d 5.1.2.1, compatibility 0xfeex_xxxx   19:12 APIC  4 = 0                    data: the vector
 *   AMD-Vi, the only form       the same as the last one
 */
#include "platform/metal/aim.h"
#include "platform/metal/cpu.h"
#include "platform/metal/idt.h"
#include "platform/metal/layout.h"
#include "platform/metal/rows.h"
#include "platform/metal/time.h"

#define MESSAGE_WINDOW	   0xfee00000ull
#define MESSAGE_APIC_SHIFT 12
#define MESSAGE_REMAPPABLE 0x10ull
#define MESSAGE_WITHIN	   (2 * NS_PER_MS)

/* Registers that hold what is written and do nothing, as long as the feature behind them is off. */
#define VTD_FAULT_DATA	   0x3cu /* VT-d 11.4.12; 4 bytes, and QEMU ends itself at 8 */
#define AMDVI_PPR_LOG_BASE 0x38u /* 48882 3.4.8; 8 bytes */

struct target {
	sp_maddr_t address;
	uint32_t bytes;
	uint64_t mask; /* what it keeps, and what is no more than a number */
};

struct form {
	const char *name;
	uint64_t flags;
	uint64_t before, after; /* the count of the vector */
};

static struct target harmless_register(const struct stage *stage)
{
	const uint64_t unit = stage->unit.registers.maddr;

	if (stage->unit.vendor == SP_VENDOR_VTD)
		return (struct target){ { unit + VTD_FAULT_DATA }, 4, 0xffff };
	return (struct target){ { unit + AMDVI_PPR_LOG_BASE }, 8, 0x000ffffffffff000 };
}

static uint64_t read_target(const struct target *target)
{
	return platform_mmio_read(NULL, target->address, target->bytes);
}

/* The payload differs from what lies there, or its arrival would not show. */
static bool fire_at_register(struct stage *stage, const struct target *target, uint64_t lies_there)
{
	struct canary payload = canary_fresh();

	payload.words[0] = ~lies_there & target->mask;
	return aim_load(stage, aim_driver(stage), &payload) &&
	       aim_write(stage, aim_driver(stage), target->address.maddr, target->bytes);
}

void row_registers(struct stage *stage, struct finding *finding)
{
	const struct target target = harmless_register(stage);
	const uint64_t saved = read_target(&target);
	uint64_t canary, found;
	bool done;

	platform_mmio_write(NULL, target.address, target.bytes,
			    canary_fresh().words[0] & target.mask);
	canary = read_target(&target); /* what the register keeps of it */
	done = fire_at_register(stage, &target, canary);
	found = read_target(&target);
	platform_mmio_write(NULL, target.address, target.bytes, saved);
	if (!done)
		report_find(finding, ROW_UNOBSERVABLE,
			    "the device was not seen to make its transfer to 0x%lx",
			    target.address.maddr);
	else if (found == canary)
		report_find(finding, ROW_CONTAINED,
			    "%u bytes sent to 0x%lx, a register of the unit: it reads 0x%lx as "
			    "before%s",
			    target.bytes, target.address.maddr, found, transfer_faults(stage).text);
	else
		report_find(finding, ROW_LEAKED,
			    "%u bytes sent to 0x%lx, a register of the unit: it read 0x%lx, now "
			    "0x%lx",
			    target.bytes, target.address.maddr, canary, found);
}

/*
 * The same message in both forms: as a compatible one the second names APIC 0 and the vector too.
 */
static bool send(struct stage *stage, struct form *form)
{
	const uint64_t address =
		MESSAGE_WINDOW | form->flags |
		(form->flags ? 0 : (uint64_t)cpus[0].apic_id << MESSAGE_APIC_SHIFT);
	struct canary payload = { { VECTOR_COUNTING } };
	bool done = aim_load(stage, aim_driver(stage), &payload);

	form->before = idt_count(VECTOR_COUNTING);
	done = done && aim_write(stage, aim_driver(stage), address, 4);
	time_wait(MESSAGE_WITHIN);
	form->after = idt_count(VECTOR_COUNTING);
	return done;
}

static bool is_delivered(const struct form *form)
{
	return form->after != form->before;
}

static void judge_one(struct stage *stage, const struct form *form, struct finding *finding)
{
	report_find(finding, is_delivered(form) ? ROW_LEAKED : ROW_CONTAINED,
		    "%s message for vector 0x%x of CPU 0: counted %lu, then %lu%s", form->name,
		    VECTOR_COUNTING, form->before, form->after, transfer_faults(stage).text);
}

/*
 * QEMU lets the compatibility form pass although IRE = 1 and CFI = 0 (VT-d 5.1.4 has it blocked),
 * so nothing of ours can be seen there. With remapping off both forms must have been delivered.
 */
static void judge_both(struct stage *stage, const struct form *old, const struct form *new,
		       struct finding *finding)
{
	const bool both = is_delivered(old) && is_delivered(new);
	const bool any = is_delivered(old) || is_delivered(new);
	enum row_result result = any ? ROW_LEAKED : ROW_CONTAINED;
	const char *note = "";

	if (!stage->translating) {
		result = both ? ROW_LEAKED : ROW_CONTAINED;
	} else if (is_delivered(old) && !is_delivered(new) && cpu_is_emulated()) {
		result = ROW_UNOBSERVABLE;
		note = ": QEMU delivers the compatibility form although remapping is on and "
		       "compatibility off";
	}
	report_find(finding, result,
		    "vector 0x%x of CPU 0: %s form counted %lu, then %lu; %s form %lu, then "
		    "%lu%s%s",
		    VECTOR_COUNTING, new->name, new->before, new->after, old->name, old->before,
		    old->after, note, transfer_faults(stage).text);
}

void row_messages(struct stage *stage, struct finding *finding)
{
	const bool is_vtd = stage->unit.vendor == SP_VENDOR_VTD;
	struct form old = { .name = is_vtd ? "compatibility" : "fixed" };
	struct form new = { .name = "remappable", .flags = MESSAGE_REMAPPABLE };
	bool done = send(stage, &old) && (!is_vtd || send(stage, &new));

	if (!done)
		report_find(finding, ROW_UNOBSERVABLE,
			    "the device was not seen to send its message");
	else if (is_vtd)
		judge_both(stage, &old, &new, finding);
	else
		judge_one(stage, &old, finding);
}
