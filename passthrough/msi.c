/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * passthrough/msi.c - which interrupts a function may raise.
 *
 *   function->message[number] --> the unit's entry --> vector, CPU
 *
 *   VT-d    one table for all functions: an entry is taken for each number, and names who may use it
 *   AMD-Vi  a table for each requester: the number is the index
 *
 * An entry is given back when the unit has forgotten it: the next to get it may be another's.
 */
#include "passthrough/msi.h"

#include "iommu/interrupt.h"
#include "lib/bits.h"
#include "pci/config.h"

#define VECTOR_FIRST 16u /* below are exceptions; an APIC calls them errors */

static enum sp_status check(const struct sp_host *host, const struct sp_domain *domain,
			    const struct function *function) MUST_HOLD(host->assign)
{
	if (!host->started || function->domain != domain || domain->quarantine)
		return SP_NOT_FOUND;
	if (!function->unit->interrupt_remapping)
		return SP_UNSUPPORTED;
	if (function->requester_count == 1)
		return SP_OK;
	config_log(host, SP_LOG_WARNING, function->sbdf,
		   "its interrupts may carry several requester ids: none is let through");
	return SP_UNSUPPORTED;
}

/* Noted before it is written: whatever comes of it, it is cleared with the rest. */
static enum sp_status take(struct sp_host *host, struct function *function, uint32_t number)
	MUST_HOLD(host->assign)
{
	uint32_t index = number;
	enum sp_status status = SP_OK;

	if (function->message[number])
		return SP_OK;
	if (function->unit->message_count)
		status = interrupt_take(host, function->unit, &index);
	if (status == SP_OK)
		function->message[number] = (uint16_t)(index + 1);
	return status;
}

static enum sp_status clear(struct sp_host *host, struct function *function, uint32_t number)
	MUST_HOLD(host->assign)
{
	const struct irte absent = { .requester = function->requester[0] };
	uint32_t index = function->message[number] - 1u;
	enum sp_status status = SP_OK;

	if (!function->message[number])
		return SP_OK;
	status = interrupt_set(host, function->unit, index, &absent);
	if (status != SP_OK)
		return status;
	if (function->unit->message_count)
		interrupt_give(host, function->unit, index);
	function->message[number] = 0;
	return SP_OK;
}

enum sp_status msi_clear_all(struct sp_host *host, struct function *function)
{
	enum sp_status status = SP_OK;

	if (MUTANT(host, SP_MUT_MESSAGE_KEPT))
		return SP_OK;
	for (uint32_t i = 0; i < SP_MESSAGES; i++) {
		enum sp_status cleared = clear(host, function, i);

		status = status == SP_OK ? cleared : status;
	}
	return status;
}

static enum sp_status set(struct sp_host *host, struct function *function, uint32_t number,
			  const struct irte *irte, struct sp_message *message)
	MUST_HOLD(host->assign)
{
	const bool is_new = !function->message[number];
	enum sp_status status = take(host, function, number), back;
	uint32_t index;

	if (status != SP_OK)
		return status;
	index = function->message[number] - 1u;
	status = interrupt_set(host, function->unit, index, irte);
	if (status == SP_OK)
		*message = interrupt_message(function->unit, index);
	if (status == SP_OK || !is_new)
		return status;
	back = clear(host, function, number);
	return back == SP_LOST ? back : status;
}

enum sp_status sp_device_set_message(struct sp_domain *domain, sp_sbdf_t sbdf, uint32_t number,
				     uint8_t vector, uint32_t apic_id, struct sp_message *message)
{
	struct sp_host *host = domain->host;
	struct function *function = function_find(host, sbdf);
	enum sp_status status;

	if (number >= SP_MESSAGES || vector < VECTOR_FIRST)
		return SP_INVALID;
	if (!function || !function->unit)
		return SP_NOT_FOUND;
	lock_take(&host->assign, host->embedder);
	status = check(host, domain, function);
	if (status == SP_OK) {
		const struct irte irte = { true, vector, apic_id, function->requester[0] };

		status = set(host, function, number, &irte, message);
	}
	lock_drop(&host->assign);
	return status;
}

enum sp_status sp_device_clear_message(struct sp_domain *domain, sp_sbdf_t sbdf, uint32_t number)
{
	struct sp_host *host = domain->host;
	struct function *function = function_find(host, sbdf);
	enum sp_status status;

	if (number >= SP_MESSAGES)
		return SP_INVALID;
	if (!function || !function->unit)
		return SP_NOT_FOUND;
	lock_take(&host->assign, host->embedder);
	status = check(host, domain, function);
	if (status == SP_OK)
		status = clear(host, function, number);
	lock_drop(&host->assign);
	return status;
}
