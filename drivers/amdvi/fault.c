/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/fault.c - what the unit blocked: the event log, decoded. 48882 2.5 Event Logging.
 *
 *   head (ours) --> | event | event | ... | <-- tail (hardware's)
 *
 * QEMU before 11 never writes an event: head and tail are then equal for ever, which reads as "no fault".
 */
#include "drivers/amdvi/unit.h"

#include "memory.h"

#define EVENT_PATIENCE 1000u

enum event_code {
	EVENT_ILLEGAL_ENTRY = 1,
	EVENT_PAGE_FAULT = 2,
	EVENT_ENTRY_UNREADABLE = 3,
	EVENT_TABLE_UNREADABLE = 4,
	EVENT_ILLEGAL_COMMAND = 5,
	EVENT_COMMAND_UNREADABLE = 6,
	EVENT_ATC_SILENT = 7,
	EVENT_INVALID_REQUEST = 8
};

/*
 * 2.5.3: a message's fault has I set and the message's address. QEMU 11 sets I always and leaves the address 0,
 * where no message is: that is taken for what it is, a fault of a transfer without its address.
 */
static bool is_interrupt(uint64_t low, uint64_t high)
{
	return low & EVENT_INTERRUPT && high;
}

static enum sp_fault_kind kind_of_page_fault(uint64_t low, uint64_t high)
{
	if (is_interrupt(low, high))
		return SP_FAULT_INTERRUPT;
	if (low & EVENT_RESERVED)
		return SP_FAULT_TABLE;
	if (!(low & EVENT_PRESENT))
		return SP_FAULT_NOT_PRESENT;
	return low & EVENT_WRITE ? SP_FAULT_WRITE : SP_FAULT_READ;
}

static enum sp_fault_kind kind_of(uint64_t low, uint64_t high)
{
	switch (field_get(low, EVENT_CODE)) {
	case EVENT_PAGE_FAULT:
		return kind_of_page_fault(low, high);
	case EVENT_ILLEGAL_ENTRY:
	case EVENT_ENTRY_UNREADABLE:
		return is_interrupt(low, high) ? SP_FAULT_INTERRUPT : SP_FAULT_ENTRY;
	case EVENT_TABLE_UNREADABLE:
		return SP_FAULT_TABLE;
	case EVENT_INVALID_REQUEST:
		return SP_FAULT_ADDRESS;
	case EVENT_ILLEGAL_COMMAND:
	case EVENT_COMMAND_UNREADABLE:
	case EVENT_ATC_SILENT:
		return SP_FAULT_OTHER;
	}
	return SP_FAULT_OTHER;
}

enum sp_fault_kind sp_fault_kind_amdvi(uint32_t code, uint32_t flags, uint64_t address)
{
	return kind_of(field_put(EVENT_CODE, code) | field_put(EVENT_FLAGS, flags), address);
}

/* The address of a command's event is the command's, not a device's. */
static bool has_device_address(uint64_t low, uint64_t high)
{
	uint64_t code = field_get(low, EVENT_CODE);

	if (code == EVENT_ILLEGAL_COMMAND || code == EVENT_COMMAND_UNREADABLE ||
	    code == EVENT_ATC_SILENT)
		return false;
	return !(low & EVENT_INTERRUPT) && (code != EVENT_ILLEGAL_ENTRY || high);
}

static void decode(const struct amdvi_unit *amdvi, uint64_t low, uint64_t high,
		   struct sp_fault *fault)
{
	*fault = (struct sp_fault){
		.unit = amdvi->unit.registers,
		.vendor = SP_VENDOR_AMDVI,
		.requester = { (uint32_t)amdvi->unit.segment << 16 |
			       (uint32_t)field_get(low, EVENT_DEVICE) },
		.frame = { field_get(high, EVENT_ADDRESS) },
		.write = low & EVENT_WRITE,
		.has_address = has_device_address(low, high),
		.kind = kind_of(low, high),
		.reason = (uint8_t)field_get(low, EVENT_CODE),
		.overflow = amdvi->faults_lost,
	};
}

/*
 * 3.4.11: after an overflow nothing more is written until the log was off and on again. Called when all that was
 * written is taken; the log runs on from where it stands.
 */
static void restart_after_overflow(struct amdvi_unit *amdvi)
{
	if (!(unit_read64(&amdvi->unit, AMDVI_STATUS) & STATUS_EVENT_OVERFLOW) ||
	    MUTANT(amdvi->unit.host, SP_MUT_LOG_NOT_RESTARTED))
		return;
	amdvi_set_control(amdvi, CONTROL_EVENT_LOG, 0);
	unit_write64(&amdvi->unit, AMDVI_STATUS, STATUS_EVENT_OVERFLOW);
	amdvi_set_control(amdvi, 0, CONTROL_EVENT_LOG);
	amdvi->faults_lost = !MUTANT(amdvi->unit.host, SP_MUT_OVERFLOW_NOT_TOLD);
}

/*
 * The tail may be seen before the event behind it; then its code is still the 0 that we left there. Looked at
 * again at the next call, and passed over when it never comes.
 */
static bool is_written(struct amdvi_unit *amdvi, uint64_t low)
{
	if (field_get(low, EVENT_CODE) || amdvi->event_looks == EVENT_PATIENCE) {
		amdvi->event_looks = 0;
		return true;
	}
	amdvi->event_looks++;
	return false;
}

static void pass_event(struct amdvi_unit *amdvi, uint64_t *event)
{
	store64(event, 0);
	store64(event + 1, 0);
	amdvi->event_head = (amdvi->event_head + 1) % EVENT_ENTRIES;
	unit_write64(&amdvi->unit, AMDVI_EVENT_HEAD, field_put(RING_PLACE, amdvi->event_head));
}

enum sp_status amdvi_next_fault(struct unit *unit, struct sp_fault *fault)
{
	struct amdvi_unit *amdvi = amdvi_unit_of(unit);
	uint64_t tail = field_get(unit_read64(unit, AMDVI_EVENT_TAIL), RING_PLACE) % EVENT_ENTRIES;
	uint64_t *event = (uint64_t *)amdvi_pointer(amdvi, amdvi->events) + 2 * amdvi->event_head;
	uint64_t low;

	if (tail == amdvi->event_head) {
		restart_after_overflow(amdvi);
		return SP_NOT_FOUND;
	}
	low = load64(event);
	if (!is_written(amdvi, low))
		return SP_NOT_FOUND;
	decode(amdvi, low, load64(event + 1), fault);
	amdvi->faults_lost = false;
	pass_event(amdvi, event);
	return SP_OK;
}

/* The log is off. Firmware's events say nothing about ours. */
void amdvi_fault_start(struct amdvi_unit *amdvi)
{
	amdvi->event_head = 0;
	amdvi->event_looks = 0;
	amdvi->faults_lost = false;
	unit_write64(&amdvi->unit, AMDVI_EVENT_BASE,
		     field_put(RING_BASE, amdvi->events.mfn) |
			     field_put(RING_LENGTH, order_floor(EVENT_ENTRIES)));
	unit_write64(&amdvi->unit, AMDVI_EVENT_HEAD, 0);
	unit_write64(&amdvi->unit, AMDVI_EVENT_TAIL, 0);
	unit_write64(&amdvi->unit, AMDVI_STATUS,
		     STATUS_EVENT_OVERFLOW | STATUS_EVENT_WRITTEN | STATUS_WAIT_DONE);
}

_Static_assert(EVENT_ENTRIES * sizeof(struct descriptor) == SP_FRAME_BYTES,
	       "48882 2.5: events of 128 bits");
_Static_assert((uint64_t)SP_AMDVI_FLAG_INTERRUPT << 48 == EVENT_INTERRUPT &&
		       (uint64_t)SP_AMDVI_FLAG_PRESENT << 48 == EVENT_PRESENT &&
		       (uint64_t)SP_AMDVI_FLAG_WRITE << 48 == EVENT_WRITE,
	       "48882 2.5.3: the public flags are those of the event");
