/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/fault.c - faults of all units, and the line that people read.
 */
#include "iommu/unit.h"
#include "lib/text.h"
#include "memory.h"

/* clang-format off */
static const char *const fault_why[SP_FAULT_KIND_COUNT] = {
	[SP_FAULT_NOT_PRESENT] = "not present",
	[SP_FAULT_WRITE]       = "no right to write",
	[SP_FAULT_READ]	       = "no right to read",
	[SP_FAULT_ENTRY]       = "no device entry",
	[SP_FAULT_TABLE]       = "bad page table",
	[SP_FAULT_INTERRUPT]   = "no interrupt entry",
	[SP_FAULT_ADDRESS]     = "bad address",
	[SP_FAULT_OTHER]       = "other",
};
/* clang-format on */

static enum sp_status next_of_unit(struct unit *unit, struct sp_fault *fault)
{
	enum sp_status status;

	lock_take(&unit->queue, unit->host->embedder);
	status = unit->started ? unit->ops->next_fault(unit, fault) : SP_NOT_FOUND;
	lock_drop(&unit->queue);
	fault->unit = unit->registers;
	fault->vendor = unit->vendor;
	return status;
}

/* Another unit is asked first each time, so that one that floods does not hide the others. */
enum sp_status sp_iommu_next_fault(struct sp_host *host, struct sp_fault *fault)
{
	uint32_t first = load32(&host->fault_next);

	/* Two CPUs at once may begin with the same unit. */
	store32(&host->fault_next, first + 1);

	for (uint32_t i = 0; i < host->unit_count; i++) {
		if (next_of_unit(host->units[(first + i) % host->unit_count], fault) == SP_OK)
			return SP_OK;
	}
	return SP_NOT_FOUND;
}

static void add_where(struct text *text, const struct sp_fault *fault)
{
	if (fault->kind == SP_FAULT_INTERRUPT)
		text_hex(text_add(text, " interrupt index "), fault->frame.dfn);
	else if (fault->has_address)
		text_hex(text_add(text, fault->write ? " write dfn " : " read dfn "),
			 fault->frame.dfn);
	else
		text_add(text, fault->write ? " write, address unknown" : " read, address unknown");
}

void sp_fault_text(const struct sp_fault *fault, char *line, size_t bytes)
{
	struct text text = { .length = 0 };
	size_t i = 0;

	text_sbdf(text_add(&text, "sbdf "), fault->requester);
	add_where(&text, fault);
	text_add(text_add(&text, ": "), fault_why[fault->kind]);
	text_add(text_add(&text, " ("),
		 fault->vendor == SP_VENDOR_VTD ? "VT-d reason 0x" : "AMD-Vi event 0x");
	text_add(text_digits(&text, fault->reason, 16, 2),
		 fault->overflow ? "), faults before it were lost" : ")");
	for (; i + 1 < bytes && text.line[i]; i++)
		line[i] = text.line[i];
	if (bytes)
		line[i] = 0;
}
