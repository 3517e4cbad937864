/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/fault_line.c - a line of the kernel's log that tells of an IOMMU's fault, decoded.
 *
 * What is told apart are the kernel's key words, wherever they stand: prefixes changed more often than they did. What is
 * cut off or makes no sense is no fault, or one without what could not be read.
 */
#include "fault_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define STATUS_OVERFLOW 0x01u /* VT-d 11.4.7.1 PFO */
#define NO_PASID	0xffffffffu

/* clang-format off */
static const struct event {
	const char *name;
	uint32_t code;
	enum fault_event event;
} events[] = {
	{ "ILLEGAL_DEV_TABLE_ENTRY",  0x1, FAULT_TRANSFER },
	{ "IO_PAGE_FAULT",	      0x2, FAULT_TRANSFER },
	{ "DEV_TAB_HARDWARE_ERROR",   0x3, FAULT_TRANSFER },
	{ "PAGE_TAB_HARDWARE_ERROR",  0x4, FAULT_TRANSFER },
	{ "ILLEGAL_COMMAND_ERROR",    0x5, FAULT_QUEUE },
	{ "COMMAND_HARDWARE_ERROR",   0x6, FAULT_QUEUE },
	{ "IOTLB_INV_TIMEOUT",	      0x7, FAULT_SILENCE },
	{ "INVALID_DEVICE_REQUEST",   0x8, FAULT_TRANSFER },
	{ "INVALID_PPR_REQUEST",      0x9, FAULT_PAGES },
	{ "EVENT_COUNTER_ZERO",	      0xa, FAULT_STRANGE },
	{ "RMP_PAGE_FAULT",	      0xd, FAULT_OWNER },
	{ "RMP_HW_ERROR",	      0xe, FAULT_OWNER },
};
/* clang-format on */

const char *fault_event_name(uint32_t code)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (events[i].code == code)
			return events[i].name;
	}
	return NULL;
}

/* Behind the key, or NULL. */
static const char *behind(const char *text, const char *key)
{
	const char *found = strstr(text, key);

	return found ? found + strlen(key) : NULL;
}

static bool number(const char *at, int base, uint64_t *value)
{
	char *end;

	if (!at)
		return false;
	at += strspn(at, " ");
	if (*at == '-' || *at == '+')
		return false;
	*value = strtoull(at, &end, base);
	return end != at;
}

static bool number32(const char *at, uint32_t *value)
{
	uint64_t wide;

	if (!number(at, 16, &wide) || wide > UINT32_MAX)
		return false;
	*value = (uint32_t)wide;
	return true;
}

/* "0000:02:00.0", "02:00.0", "0x02:0x00.0"; what follows is anything. */
static bool read_device(const char *at, struct fault_line *fault)
{
	unsigned int part[3];
	int function, length = 0;
	char *end;

	for (unsigned int i = 0; i < 3; i++) {
		part[i] = (unsigned int)strtoul(at, &end, 16);
		if (end == at || end - at > 6)
			return false;
		at = end + 1;
		if (*end == '.' && i == 1) {
			part[2] = part[1];
			part[1] = part[0];
			part[0] = 0;
			fault->has_segment = false;
			break;
		}
		if (*end != (i == 2 ? '.' : ':'))
			return false;
		fault->has_segment = true;
	}
	if (sscanf(at, "%1x%n", (unsigned int *)&function, &length) != 1 || part[0] > 0xffff ||
	    part[1] > 0xff || part[2] > 31 || function > 7)
		return false;
	fault->device = sp_sbdf(part[0], part[1], part[2], (unsigned int)function);
	return true;
}

/* --- VT-d --- */

static bool read_reason(const char *text, struct fault_line *fault)
{
	const char *at = behind(text, "fault reason ");
	uint64_t reason;

	/* Kernels before 5.13 print it in tens. */
	if (!at || !number(at, strncmp(at, "0x", 2) ? 10 : 16, &reason) || reason > 0xff)
		return false;
	fault->code = (uint32_t)reason;
	fault->has_code = true;
	fault->kind = sp_fault_kind_vtd((uint8_t)reason);
	return true;
}

static void read_pasid(const char *text, struct fault_line *fault)
{
	const char *at = strstr(text, "NO_PASID") ? NULL : behind(text, "PASID ");

	fault->has_pasid = number32(at, &fault->pasid) && fault->pasid != NO_PASID;
}

/* "[DMA Read] Request device [02:00.0] fault addr fe000 [fault reason 06] PTE Read access is not set" */
static enum fault_verdict decode_request(const char *text, const char *device,
					 struct fault_line *fault)
{
	const char *address = behind(text, "fault addr "), *index = behind(text, "fault index ");

	*fault = (struct fault_line){ .event = FAULT_TRANSFER, .vendor = SP_VENDOR_VTD };
	fault->has_device = read_device(device + strspn(device, "["), fault);
	fault->has_address = number(address ? address : index, 16, &fault->address);
	if (!fault->has_device || !fault->has_address)
		return FAULT_NONE;
	fault->write = strstr(text, "DMA Write") != NULL;
	read_pasid(text, fault);
	read_reason(text, fault);
	if (index && !address)
		fault->kind = SP_FAULT_INTERRUPT;
	else if (!fault->has_code)
		fault->kind = SP_FAULT_OTHER;
	/* Without a reason it is the first line of two, or its end is lost. */
	return fault->has_code ? FAULT_WHOLE : FAULT_HALF;
}

/* "VT-d detected Invalidation Time-out Error: SID 200". A SID of 0 or ffff is what old units tell of nobody. */
static enum fault_verdict decode_queue(const char *text, struct fault_line *fault)
{
	const char *silent = behind(text, "Invalidation Time-out Error: SID "),
		   *nonsense = behind(text, "Invalidation Completion Error: SID ");
	uint64_t requester;

	*fault = (struct fault_line){ .vendor = SP_VENDOR_VTD, .kind = SP_FAULT_OTHER };
	if (silent || nonsense) {
		fault->event = silent ? FAULT_SILENCE : FAULT_COMPLETION;
		fault->has_device = number(silent ? silent : nonsense, 16, &requester) &&
				    requester && requester < 0xffff;
		fault->device.sbdf = fault->has_device ? (uint32_t)requester : 0;
		return FAULT_WHOLE;
	}
	if (!strstr(text, "VT-d detected Invalidation Queue Error") &&
	    !strstr(text, "VT-d detected invalid descriptor"))
		return FAULT_NONE;
	fault->event = FAULT_QUEUE;
	return FAULT_WHOLE;
}

static enum fault_verdict decode_status(const char *status, struct fault_line *fault)
{
	uint64_t bits;

	if (!number(status, 16, &bits) || !(bits & STATUS_OVERFLOW))
		return FAULT_NONE;
	*fault = (struct fault_line){ .event = FAULT_LOST,
				      .vendor = SP_VENDOR_VTD,
				      .kind = SP_FAULT_OTHER };
	return FAULT_WHOLE;
}

/* "dmar_fault: 42 callbacks suppressed": what the kernel calls the function that reports. */
static enum fault_verdict decode_suppressed(const char *text, struct fault_line *fault)
{
	static const char *const reports[] = { "amd_iommu_report_page_fault: ",
					       "amd_iommu_report_rmp_fault: ",
					       "amd_iommu_report_rmp_hw_error: " };
	const char *intel = behind(text, "dmar_fault: "), *amd = NULL;
	uint64_t lost;

	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]) && !amd; i++)
		amd = behind(text, reports[i]);
	if ((!intel && !amd) || !number(intel ? intel : amd, 10, &lost) ||
	    !strstr(text, " callbacks suppressed"))
		return FAULT_NONE;
	*fault = (struct fault_line){ .event = FAULT_LOST,
				      .vendor = intel ? SP_VENDOR_VTD : SP_VENDOR_AMDVI,
				      .kind = SP_FAULT_OTHER,
				      .lost = lost };
	return FAULT_WHOLE;
}

/* --- AMD-Vi --- */

/* "vfio-pci 0000:02:00.0: AMD-Vi: Event logged [..": who has the device says which one it is. */
static bool read_prefix(const char *text, const char *event, struct fault_line *fault)
{
	for (const char *at = text; at && at < event; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (read_device(at, fault) && fault->has_segment)
			return true;
	}
	return false;
}

static bool read_field(const char *inner, const char *key, uint64_t *value)
{
	const char *at = behind(inner, key);

	return number(at, 16, value);
}

static bool read_field32(const char *inner, const char *key, uint32_t *value)
{
	return number32(behind(inner, key), value);
}

static void read_amd_device(const char *text, const char *inner, struct fault_line *fault)
{
	const char *at = behind(inner, "device=");
	uint32_t id;

	at = at ? at : behind(inner, "pci_id=");
	if (at && read_device(at, fault)) {
		fault->has_device = true;
	} else if (read_prefix(text, inner, fault)) {
		fault->has_device = true;
	} else if (read_field32(inner, "devid=", &id) && id <= 0xffff) {
		fault->has_device = true;
		fault->has_segment = false;
		fault->device.sbdf = id;
	}
}

static const struct event *find_event(const char *inner)
{
	size_t length = strcspn(inner, " ]");

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strlen(events[i].name) == length && !strncmp(events[i].name, inner, length))
			return &events[i];
	}
	return NULL;
}

static enum fault_verdict decode_event(const char *text, const char *inner,
				       struct fault_line *fault)
{
	const struct event *event = find_event(inner);

	*fault = (struct fault_line){ .event = FAULT_STRANGE,
				      .vendor = SP_VENDOR_AMDVI,
				      .kind = SP_FAULT_OTHER };
	if (!*inner)
		return FAULT_NONE;
	read_amd_device(text, inner, fault);
	if (!event)
		return FAULT_WHOLE;
	fault->event = event->event;
	fault->code = event->code;
	fault->has_code = true;
	fault->has_address = read_field(inner, "address=", &fault->address) ||
			     read_field(inner, "gpa=", &fault->address) ||
			     read_field(inner, "spa=", &fault->address);
	fault->has_flags = read_field32(inner, " flags=", &fault->flags);
	fault->has_domain = read_field32(inner, "domain=", &fault->domain);
	fault->has_pasid = read_field32(inner, "pasid=", &fault->pasid) && fault->pasid;
	fault->kind = sp_fault_kind_amdvi(fault->code, fault->flags, fault->address);
	fault->write = fault->flags & SP_AMDVI_FLAG_WRITE;
	return FAULT_WHOLE;
}

/* "Event log overflow" at first, then "IOMMU event log overflow", then "IOMMU Event log restarting". */
static bool is_overflow(const char *text)
{
	return strstr(text, "AMD-Vi") &&
	       (strstr(text, "vent log overflow") || strstr(text, "Event log restarting"));
}

static enum fault_verdict decode_other(const char *text, struct fault_line *fault)
{
	const char *status = behind(text, "handling fault status reg ");

	if (status && strstr(text, "DRHD"))
		return decode_status(status, fault);
	if (strstr(text, "VT-d detected"))
		return decode_queue(text, fault);
	if (is_overflow(text)) {
		*fault = (struct fault_line){ .event = FAULT_LOST,
					      .vendor = SP_VENDOR_AMDVI,
					      .kind = SP_FAULT_OTHER };
		return FAULT_WHOLE;
	}
	return decode_suppressed(text, fault);
}

enum fault_verdict fault_line_decode(const char *text, bool half, struct fault_line *fault)
{
	const char *device = behind(text, "Request device ["),
		   *event = behind(text, "Event logged [");

	if (half) {
		read_reason(text, fault);
		return fault->has_code ? FAULT_WHOLE : FAULT_NONE;
	}
	if (device)
		return decode_request(text, device, fault);
	return event ? decode_event(text, event, fault) : decode_other(text, fault);
}
