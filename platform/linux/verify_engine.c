/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/verify_engine.c - the tree's drivers of DMA engines, with a deadline each.
 *
 *   edu      ENGINE_SOURCE -> its buffer -> the address       100 ms under way
 *   NVMe     block 0 of namespace 1 -> the address            reads alone: nothing is written to the medium
 *   82574    ENGINE_SOURCE -> a frame to itself -> the address      in loopback: nothing reaches the wire
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "verify_ground.h"

#define BYTES	   512u
#define DEADLINE   2000000000u /* nanoseconds */
#define EDU_TAKES  90000000u   /* less than its 100 ms */
#define LOOK_EVERY 200000u

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void *page_of(const struct engine *engine, enum engine_page page)
{
	return engine->memory + (size_t)page * VERIFY_PAGE_BYTES;
}

static uint64_t address_of(const struct engine *engine, enum engine_page page)
{
	return engine->address + (uint64_t)page * VERIFY_PAGE_BYTES;
}

enum engine_kind engine_of(const struct machine_function *function)
{
	if (function->vendor == EDU_VENDOR && function->device == EDU_DEVICE)
		return ENGINE_EDU;
	if (function->vendor == E1000E_VENDOR && function->device == E1000E_DEVICE)
		return ENGINE_E1000E;
	return function->class_code == NVME_CLASS ? ENGINE_NVME : ENGINE_NONE;
}

const char *engine_text(enum engine_kind kind)
{
	switch (kind) {
	case ENGINE_EDU:
		return "edu";
	case ENGINE_NVME:
		return "nvme";
	case ENGINE_E1000E:
		return "82574";
	case ENGINE_NONE:
		break;
	}
	return "none";
}

/* SP_PENDING as long as it is under way. */
static enum sp_status progress(struct engine *engine)
{
	switch (engine->kind) {
	case ENGINE_EDU:
		return edu_is_busy(&engine->edu) ? SP_PENDING : SP_OK;
	case ENGINE_NVME:
		return nvme_progress(&engine->nvme);
	case ENGINE_E1000E:
		return e1000e_progress(&engine->e1000e);
	case ENGINE_NONE:
		break;
	}
	return SP_LOST;
}

static enum sp_status wait_for(struct engine *engine)
{
	const struct timespec pause = { .tv_nsec = LOOK_EVERY };
	const uint64_t began = now();
	enum sp_status status;

	while ((status = progress(engine)) == SP_PENDING && now() - began < DEADLINE)
		nanosleep(&pause, NULL);
	return status;
}

/* What a device sends is no canary: it is the same each time. */
static void fill_source(struct engine *engine)
{
	unsigned char *source = page_of(engine, ENGINE_SOURCE);

	for (size_t i = 0; i < VERIFY_PAGE_BYTES; i++)
		source[i] = (unsigned char)(0x5a ^ i ^ i >> 3);
}

bool engine_begin(struct engine *engine)
{
	enum sp_status status = SP_OK;

	engine->is_unsupported = false;
	engine->is_loaded = engine->is_under_way = false;
	fill_source(engine);
	switch (engine->kind) {
	case ENGINE_EDU:
		engine->edu = (struct edu){ engine->registers };
		if (!edu_is_present(&engine->edu))
			return false;
		break;
	case ENGINE_NVME:
		engine->nvme = (struct nvme){ .registers = engine->registers,
					      .memory = page_of(engine, ENGINE_QUEUES),
					      .memory_bus = address_of(engine, ENGINE_QUEUES) };
		status = nvme_begin(&engine->nvme);
		break;
	case ENGINE_E1000E:
		engine->e1000e = (struct e1000e){ .registers = engine->registers,
						  .memory = page_of(engine, ENGINE_QUEUES),
						  .memory_bus = address_of(engine, ENGINE_QUEUES) };
		status = e1000e_begin(&engine->e1000e);
		break;
	case ENGINE_NONE:
		return false;
	}
	if (status == SP_OK)
		status = wait_for(engine);
	engine->is_unsupported = status == SP_UNSUPPORTED;
	return status == SP_OK;
}

const char *engine_trouble(const struct engine *engine)
{
	if (engine->kind == ENGINE_NVME && engine->is_unsupported)
		return "it is not an NVMe controller that can be driven: namespace 1 must be there, with "
		       "blocks of at most 4096 bytes without metadata (nvme id-ns -H shows its format)";
	return "it does not come up: its registers, or its DMA to the memory that it was given, do not "
	       "work";
}

size_t engine_bytes(const struct engine *engine)
{
	return engine->kind == ENGINE_NVME ? engine->nvme.block_bytes : BYTES;
}

/* To show what it read NVMe would have to write it to its medium, which is somebody's. */
bool engine_can_read(const struct engine *engine)
{
	return engine->kind != ENGINE_NVME;
}

uint64_t engine_slow(const struct engine *engine)
{
	return engine->kind == ENGINE_EDU ? EDU_TAKES : 0;
}

/* edu's buffer is filled from memory first. */
static bool load_edu(struct engine *engine, uint64_t from)
{
	return edu_start(&engine->edu, from, BYTES, EDU_FROM_BUS) == SP_OK &&
	       wait_for(engine) == SP_OK;
}

void engine_start(struct engine *engine, uint64_t address)
{
	enum sp_status status = SP_LOST;

	if (engine->kind == ENGINE_EDU) {
		engine->is_loaded =
			engine->is_loaded || load_edu(engine, address_of(engine, ENGINE_SOURCE));
		status = edu_start(&engine->edu, address, BYTES, EDU_TO_BUS);
	} else if (engine->kind == ENGINE_NVME) {
		status = nvme_start(&engine->nvme, address, engine->nvme.block_bytes, 0,
				    NVME_TO_BUS);
	} else if (engine->kind == ENGINE_E1000E) {
		status = e1000e_start(&engine->e1000e, address_of(engine, ENGINE_SOURCE), address,
				      BYTES);
	}
	engine->is_under_way = status == SP_OK;
}

/* A device that a fault has stopped is begun anew; its next transfer shall say something again. */
static enum verify_shot end_or_restart(struct engine *engine)
{
	if (engine->is_under_way && wait_for(engine) == SP_OK) {
		engine->is_under_way = false;
		return VERIFY_OVER;
	}
	return engine_begin(engine) ? VERIFY_STUCK : VERIFY_DEAD;
}

enum verify_shot engine_finish(struct engine *engine)
{
	return end_or_restart(engine);
}

enum verify_shot engine_read(struct engine *engine, uint64_t address, unsigned char *got)
{
	unsigned char *inbox = page_of(engine, ENGINE_INBOX);
	enum verify_shot shot;

	memset(inbox, 0, VERIFY_PAGE_BYTES);
	if (engine->kind == ENGINE_EDU) {
		engine->is_loaded = false;
		engine->is_under_way = load_edu(engine, address) &&
				       edu_start(&engine->edu, address_of(engine, ENGINE_INBOX),
						 BYTES, EDU_TO_BUS) == SP_OK;
	} else if (engine->kind == ENGINE_E1000E) {
		engine->is_under_way =
			e1000e_start(&engine->e1000e, address, address_of(engine, ENGINE_INBOX),
				     BYTES) == SP_OK;
	}
	shot = end_or_restart(engine);
	memcpy(got, inbox, engine_bytes(engine));
	return shot;
}
