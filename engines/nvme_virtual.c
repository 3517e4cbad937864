/* SPDX-License-Identifier: BSD-2-Clause */
/* engines/nvme_virtual.c - what a primary NVMe controller says to its secondary ones. */
#include "engines/nvme_virtual.h"

#define OPCODE_IDENTIFY	    0x06u
#define IDENTIFY_PRIMARY    0x14u
#define IDENTIFY_SECONDARY  0x15u
#define OPCODE_ATTACHMENT   0x15u
#define OPCODE_MANAGEMENT   0x1cu
#define ACTION_KEEP	    0x1u
#define ACTION_GIVE	    0x8u
#define ACTION_ONLINE	    0x9u

/* Figure 277: queues from byte 32 on, interrupts from byte 64 on. */
#define FLEXIBLE_AT(which)  (32u * ((which) + 1u))
#define FLEXIBLE_TOTAL	    0u
#define FLEXIBLE_PRIMARY    8u
#define FLEXIBLE_MOST	    12u

/* Figure 278: how many, then entries of 32 bytes. */
#define SECONDARY_MOST	    127u
#define SECONDARY_BYTES	    32u
#define SECONDARY_STATE	    4u
#define SECONDARY_FUNCTION  8u
#define SECONDARY_QUEUES    10u
#define SECONDARY_INTERRUPT 12u

static uint32_t data16(const struct nvme *nvme, uint32_t offset)
{
	volatile uint8_t *data = nvme_data(nvme);

	return data[offset] | (uint32_t)data[offset + 1] << 8;
}

struct nvme_admin nvme_ask_flexible(void)
{
	return (struct nvme_admin){ .opcode = OPCODE_IDENTIFY,
				    .word10 = IDENTIFY_PRIMARY,
				    .has_data = true };
}

void nvme_read_flexible(const struct nvme *nvme, struct nvme_flexible flexible[NVME_RESOURCES])
{
	for (uint32_t i = 0; i < NVME_RESOURCES; i++) {
		uint32_t at = FLEXIBLE_AT(i);

		flexible[i] = (struct nvme_flexible){
			.total = data16(nvme, at + FLEXIBLE_TOTAL) |
				 data16(nvme, at + FLEXIBLE_TOTAL + 2) << 16,
			.primary = data16(nvme, at + FLEXIBLE_PRIMARY),
			.most = data16(nvme, at + FLEXIBLE_MOST),
		};
	}
}

struct nvme_admin nvme_ask_secondaries(void)
{
	return (struct nvme_admin){ .opcode = OPCODE_IDENTIFY,
				    .word10 = IDENTIFY_SECONDARY,
				    .has_data = true };
}

bool nvme_find_secondary(const struct nvme *nvme, uint32_t function, struct nvme_secondary *found)
{
	uint32_t count = nvme_data(nvme)[0];

	for (uint32_t i = 0; i < count && i < SECONDARY_MOST; i++) {
		uint32_t at = SECONDARY_BYTES * (i + 1);

		if (data16(nvme, at + SECONDARY_FUNCTION) != function)
			continue;
		*found = (struct nvme_secondary){
			.controller = (uint16_t)data16(nvme, at),
			.function = (uint16_t)function,
			.queues = (uint16_t)data16(nvme, at + SECONDARY_QUEUES),
			.interrupts = (uint16_t)data16(nvme, at + SECONDARY_INTERRUPT),
			.online = nvme_data(nvme)[at + SECONDARY_STATE] & 1,
		};
		return true;
	}
	return false;
}

static struct nvme_admin manage(uint16_t controller, enum nvme_resource resource, uint32_t action,
				uint32_t count)
{
	return (struct nvme_admin){ .opcode = OPCODE_MANAGEMENT,
				    .word10 = (uint32_t)controller << 16 | (uint32_t)resource << 8 |
					      action,
				    .word11 = count };
}

struct nvme_admin nvme_keep(enum nvme_resource resource, uint32_t count)
{
	return manage(0, resource, ACTION_KEEP, count);
}

struct nvme_admin nvme_give(uint16_t controller, enum nvme_resource resource, uint32_t count)
{
	return manage(controller, resource, ACTION_GIVE, count);
}

struct nvme_admin nvme_bring_online(uint16_t controller)
{
	return manage(controller, NVME_QUEUES, ACTION_ONLINE, 0);
}

/* 4.5.1: a list of controllers, here of one. */
struct nvme_admin nvme_attach(const struct nvme *nvme, uint32_t namespace, uint16_t controller)
{
	volatile uint8_t *data = nvme_data(nvme);

	for (uint32_t i = 0; i < NVME_PAGE; i++)
		data[i] = 0;
	data[0] = 1;
	data[2] = (uint8_t)controller;
	data[3] = (uint8_t)(controller >> 8);
	return (struct nvme_admin){ .opcode = OPCODE_ATTACHMENT,
				    .namespace = namespace,
				    .has_data = true };
}
