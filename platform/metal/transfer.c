/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/transfer.c - one DMA of the edu device, seen to be done. */
#include "platform/metal/transfer.h"

#include "platform/metal/console.h"
#include "platform/metal/print.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define START_WITHIN (2 * NS_PER_S)
#define END_WITHIN   (2 * NS_PER_S)
#define FAULTS_MAX   64u /* a device that faults faster than we read keeps nobody here */

/* Until the device's own register says so. */
static bool wait_for(const struct edu *edu, bool busy, uint64_t nanoseconds)
{
	const uint64_t until = time_now() + nanoseconds;

	while (edu_is_busy(edu) != busy) {
		if (time_now() > until)
			return false;
		pause();
	}
	return true;
}

/* Started and no more: whether and when it ends, the device's register tells. */
static void start_by_guest(const struct transfer *transfer)
{
	guest_post(transfer->driver, &(struct guest_command){ .verb = GUEST_EDU_START,
							      .address = transfer->address,
							      .registers = GUEST_REGISTERS,
							      .bytes = transfer->bytes,
							      .value = transfer->direction });
}

/* The guest's answer frees its mailbox for the next command; what it says is not looked at. */
bool transfer_begin(struct stage *stage, const struct transfer *transfer)
{
	const struct edu *edu = &stage->edu;
	bool begun;

	if (transfer->driver != NULL)
		start_by_guest(transfer);
	else if (edu_start(edu, transfer->address, transfer->bytes, transfer->direction) != SP_OK)
		return false;
	begun = wait_for(edu, true, START_WITHIN);
	if (transfer->driver != NULL)
		(void)guest_await(transfer->driver, START_WITHIN);
	return begun && edu_is_aimed(edu, transfer->address, transfer->bytes, transfer->direction);
}

/* Not busy any more: the device has made its accesses, be they answered or not. */
bool transfer_end(struct stage *stage)
{
	return wait_for(&stage->edu, false, END_WITHIN);
}

/* Even one that did not begin is waited for: an earlier one may still be under way. */
bool transfer_run(struct stage *stage, const struct transfer *transfer)
{
	bool begun = transfer_begin(stage, transfer);

	return transfer_end(stage) && begun;
}

/*
 * A blocked transfer of 64 bytes may be one record or sixteen, as the unit likes; the first says all.
 * Those of other functions are logged, but are no evidence.
 */
struct fault_line transfer_faults(struct stage *stage)
{
	struct fault_line line = { "" };
	struct sp_fault fault;

	for (uint32_t i = 0; i < FAULTS_MAX; i++) {
		char text[sizeof(line.text)];

		if (sp_iommu_next_fault(stage->host, &fault) != SP_OK)
			return line;
		sp_fault_text(&fault, text, sizeof(text));
		console_log("fault", "%s", text);
		if (line.text[0] == '\0' && fault.requester.sbdf == stage->function.sbdf)
			print(line.text, sizeof(line.text), "; fault: %s", text);
	}
	return line;
}
