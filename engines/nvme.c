/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engines/nvme.c - an NVMe controller, made to read and write memory on command. NVM Express base
 * specification 2.0: 3.1.3 (registers), 3.3.3 (queue entries), 4.1.1 (PRP); chapter 5 (Identify,
 * Create I/O Completion Queue, Create I/O Submission Queue). NVM command set: Read, Write.
 *
 *   memory  | admin submission | admin completion | io submission | io completion | identify |
 *   bus address <--- NVME_FROM_BUS, NVME_TO_BUS ---> blocks of namespace 1
 *
 * Each queue has one command under way at most.
 */
#include "engines/nvme.h"

#define CAP		  0x00u
#define CAP_COMMANDS	  0x00000020u /* of the upper half: the NVM command set */
#define CAP_STRIDE	  0x0000000fu
#define CAP_PAGE_MIN	  0x000f0000u
#define CONFIG		  0x14u
#define CONFIG_ENABLE	  0x1u
#define CONFIG_ENTRIES	  0x00460000u /* 2^4 bytes a completion, 2^6 a command */
#define STATUS		  0x1cu
#define STATUS_READY	  0x1u
#define STATUS_FATAL	  0x2u
#define ADMIN_SIZES	  0x24u
#define ADMIN_SUBMISSION  0x28u
#define ADMIN_COMPLETION  0x30u
#define DOORBELLS	  0x1000u

#define ENTRIES		  16u
#define COMMAND_WORDS	  16u
#define COMPLETION_WORDS  4u
#define COMPLETION_PHASE  0x00010000u
#define COMPLETION_ANSWER 17	 /* the status field is above the phase */
#define ANSWER_MASK	  0x7ffu /* type and code, without the hints */

#define PAGE_OF_IDENTIFY  4u
#define OPCODE_IDENTIFY	  0x06u
#define OPCODE_COMPLETION 0x05u
#define OPCODE_SUBMISSION 0x01u
#define OPCODE_WRITE	  0x01u
#define OPCODE_READ	  0x02u
#define NAMESPACE	  1u
#define QUEUE_ID	  1u
#define QUEUE_CONTIGUOUS  0x1u
#define FORMAT_OF	  26u	/* of Identify Namespace: which format, in its low bits */
#define FORMATS		  128u	/* 4 bytes each */
#define FORMAT_MORE	  0x60u /* bits of FORMAT_OF: one of the formats beyond the sixteenth */
#define FORMAT_METADATA	  0xffffu
#define FORMAT_ORDER	  16 /* log2 of the block's bytes */

static uint32_t read32(const struct nvme *nvme, uint32_t offset)
{
	return *(volatile uint32_t *)(nvme->registers + offset);
}

static void write32(const struct nvme *nvme, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(nvme->registers + offset) = value;
}

/* 3.1: two aligned halves are allowed, and all that a caller of 32 bits has. */
static void write_address(const struct nvme *nvme, uint32_t offset, uint64_t value)
{
	write32(nvme, offset, (uint32_t)value);
	write32(nvme, offset + 4, (uint32_t)(value >> 32));
}

static uint64_t bus_of_page(const struct nvme *nvme, uint32_t page)
{
	return nvme->memory_bus + (uint64_t)page * NVME_PAGE;
}

/* What the device reads and writes: volatile, so that no doorbell overtakes a command. */
static volatile uint32_t *words_of_page(const struct nvme *nvme, uint32_t page)
{
	return (volatile uint32_t *)nvme->memory + page * (NVME_PAGE / sizeof(uint32_t));
}

static uint32_t submission_page(const struct nvme_queue *queue)
{
	return 2 * queue->id;
}

static uint32_t completion_page(const struct nvme_queue *queue)
{
	return 2 * queue->id + 1;
}

/* ---- one command, one completion ---- */

static void ring(const struct nvme *nvme, const struct nvme_queue *queue, bool completion,
		 uint32_t value)
{
	write32(nvme, DOORBELLS + (2 * queue->id + completion) * nvme->stride, value);
}

static void send(const struct nvme *nvme, struct nvme_queue *queue, const uint32_t *command)
{
	volatile uint32_t *slot =
		words_of_page(nvme, submission_page(queue)) + queue->tail * COMMAND_WORDS;

	for (uint32_t i = 0; i < COMMAND_WORDS; i++)
		slot[i] = command[i];
	queue->tail = (queue->tail + 1) % ENTRIES;
	ring(nvme, queue, false, queue->tail);
}

/* False: not yet. The phase bit turns with each round of the queue. */
static bool take_answer(struct nvme *nvme, struct nvme_queue *queue)
{
	volatile uint32_t *slot =
		words_of_page(nvme, completion_page(queue)) + queue->head * COMPLETION_WORDS;
	uint32_t word = slot[3];

	if (!!(word & COMPLETION_PHASE) != queue->phase)
		return false;
	nvme->answer = word >> COMPLETION_ANSWER & ANSWER_MASK;
	nvme->result = slot[0];
	queue->head = (queue->head + 1) % ENTRIES;
	if (queue->head == 0)
		queue->phase = !queue->phase;
	ring(nvme, queue, true, queue->head);
	return true;
}

/* ---- bring-up, a step at a time ---- */

static void identify(struct nvme *nvme)
{
	const uint64_t bus = bus_of_page(nvme, PAGE_OF_IDENTIFY);
	const uint32_t command[COMMAND_WORDS] = {
		[0] = OPCODE_IDENTIFY,
		[1] = NAMESPACE,
		[6] = (uint32_t)bus,
		[7] = (uint32_t)(bus >> 32),
	};

	send(nvme, &nvme->admin, command);
}

static void create_queue(struct nvme *nvme, uint32_t opcode, uint32_t page, uint32_t flags)
{
	const uint64_t bus = bus_of_page(nvme, page);
	const uint32_t command[COMMAND_WORDS] = {
		[0] = opcode,
		[6] = (uint32_t)bus,
		[7] = (uint32_t)(bus >> 32),
		[10] = (ENTRIES - 1) << 16 | QUEUE_ID,
		[11] = flags,
	};

	send(nvme, &nvme->admin, command);
}

/*
 * 0: nothing that we may use. A block's metadata would follow it, behind the one PRP that we give, or go to
 * the command's metadata pointer, which is 0: to an address that nobody gave us, either way.
 */
static uint32_t read_block_bytes(const struct nvme *nvme)
{
	volatile uint32_t *words = words_of_page(nvme, PAGE_OF_IDENTIFY);
	uint32_t used = words[FORMAT_OF / 4] >> 8 * (FORMAT_OF % 4) & 0xff;
	uint32_t format = words[FORMATS / 4 + (used & 0xf)];
	uint32_t order = format >> FORMAT_ORDER & 0xff;

	if (used & FORMAT_MORE || format & FORMAT_METADATA)
		return 0;
	return order < 32 ? 1u << order : 0;
}

/* Old completions would be taken for new ones: their phase bits must be 0. */
static void clear_memory(const struct nvme *nvme)
{
	volatile uint32_t *words = words_of_page(nvme, 0);

	for (uint32_t i = 0; i < NVME_MEMORY_BYTES / sizeof(uint32_t); i++)
		words[i] = 0;
}

static void enable(struct nvme *nvme)
{
	clear_memory(nvme);
	nvme->admin = (struct nvme_queue){ .id = 0, .phase = true };
	nvme->io = (struct nvme_queue){ .id = QUEUE_ID, .phase = true };
	write32(nvme, ADMIN_SIZES, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	write_address(nvme, ADMIN_SUBMISSION, bus_of_page(nvme, submission_page(&nvme->admin)));
	write_address(nvme, ADMIN_COMPLETION, bus_of_page(nvme, completion_page(&nvme->admin)));
	write32(nvme, CONFIG, CONFIG_ENTRIES | CONFIG_ENABLE);
}

enum sp_status nvme_begin(struct nvme *nvme)
{
	uint32_t high = read32(nvme, CAP + 4);

	nvme->state = NVME_FAILED;
	if (!(high & CAP_COMMANDS) || high & CAP_PAGE_MIN)
		return SP_UNSUPPORTED;
	nvme->stride = 4u << (high & CAP_STRIDE);
	nvme_stop(nvme);
	nvme->state = NVME_STOPPING;
	return SP_OK;
}

static enum sp_status fail(struct nvme *nvme, enum sp_status status)
{
	nvme->state = NVME_FAILED;
	return status;
}

static enum sp_status progress_reset(struct nvme *nvme)
{
	uint32_t status = read32(nvme, STATUS);

	if (nvme->state == NVME_STOPPING && !(status & STATUS_READY)) {
		enable(nvme);
		nvme->state = NVME_STARTING;
	} else if (nvme->state == NVME_STARTING && status & STATUS_FATAL) {
		return fail(nvme, SP_LOST);
	} else if (nvme->state == NVME_STARTING && status & STATUS_READY && nvme->admin_only) {
		nvme->state = NVME_READY;
		return SP_OK;
	} else if (nvme->state == NVME_STARTING && status & STATUS_READY) {
		identify(nvme);
		nvme->state = NVME_IDENTIFYING;
	}
	return SP_PENDING;
}

/* The completion queue first: the other one names it. */
static enum sp_status progress_queues(struct nvme *nvme)
{
	if (!take_answer(nvme, &nvme->admin))
		return SP_PENDING;
	if (nvme->answer != 0)
		return fail(nvme, SP_UNSUPPORTED);
	if (nvme->state == NVME_CREATING_SUBMISSION) {
		nvme->state = NVME_READY;
		return SP_OK;
	}
	if (nvme->state == NVME_CREATING_COMPLETION) {
		create_queue(nvme, OPCODE_SUBMISSION, submission_page(&nvme->io),
			     QUEUE_ID << 16 | QUEUE_CONTIGUOUS);
		nvme->state = NVME_CREATING_SUBMISSION;
		return SP_PENDING;
	}
	nvme->block_bytes = read_block_bytes(nvme);
	if (nvme->block_bytes == 0 || nvme->block_bytes > NVME_PAGE)
		return fail(nvme, SP_UNSUPPORTED);
	create_queue(nvme, OPCODE_COMPLETION, completion_page(&nvme->io), QUEUE_CONTIGUOUS);
	nvme->state = NVME_CREATING_COMPLETION;
	return SP_PENDING;
}

static enum sp_status progress_command(struct nvme *nvme, struct nvme_queue *queue)
{
	if (read32(nvme, STATUS) & STATUS_FATAL)
		return fail(nvme, SP_LOST);
	if (!take_answer(nvme, queue))
		return SP_PENDING;
	nvme->state = NVME_READY;
	return SP_OK;
}

enum sp_status nvme_progress(struct nvme *nvme)
{
	switch (nvme->state) {
	case NVME_STOPPING:
	case NVME_STARTING:
		return progress_reset(nvme);
	case NVME_IDENTIFYING:
	case NVME_CREATING_COMPLETION:
	case NVME_CREATING_SUBMISSION:
		return progress_queues(nvme);
	case NVME_MOVING:
		return progress_command(nvme, &nvme->io);
	case NVME_ASKED:
		return progress_command(nvme, &nvme->admin);
	case NVME_READY:
		return SP_OK;
	case NVME_FAILED:
		break;
	}
	return SP_LOST;
}

/* ---- transfers ---- */

/* Within one page one PRP is enough. */
enum sp_status nvme_start(struct nvme *nvme, uint64_t bus_address, uint32_t bytes, uint64_t block,
			  enum nvme_direction direction)
{
	const uint32_t command[COMMAND_WORDS] = {
		[0] = direction == NVME_TO_BUS ? OPCODE_READ : OPCODE_WRITE,
		[1] = NAMESPACE,
		[6] = (uint32_t)bus_address,
		[7] = (uint32_t)(bus_address >> 32),
		[10] = (uint32_t)block,
		[11] = (uint32_t)(block >> 32),
		[12] = nvme->block_bytes ? bytes / nvme->block_bytes - 1 : 0,
	};

	if (nvme->state != NVME_READY || nvme->admin_only)
		return SP_BUSY;
	if (bytes == 0 || bytes % nvme->block_bytes != 0 || bus_address % 4 != 0 ||
	    bytes > NVME_PAGE - bus_address % NVME_PAGE)
		return SP_INVALID;
	nvme->state = NVME_MOVING;
	send(nvme, &nvme->io, command);
	return SP_OK;
}

/* ---- admin commands ---- */

enum sp_status nvme_ask(struct nvme *nvme, const struct nvme_admin *asked)
{
	const uint64_t bus = asked->has_data ? bus_of_page(nvme, PAGE_OF_IDENTIFY) : 0;
	const uint32_t command[COMMAND_WORDS] = {
		[0] = asked->opcode,	     [1] = asked->namespace, [6] = (uint32_t)bus,
		[7] = (uint32_t)(bus >> 32), [10] = asked->word10,   [11] = asked->word11,
	};

	if (nvme->state != NVME_READY)
		return SP_BUSY;
	nvme->state = NVME_ASKED;
	send(nvme, &nvme->admin, command);
	return SP_OK;
}

volatile uint8_t *nvme_data(const struct nvme *nvme)
{
	return (volatile uint8_t *)words_of_page(nvme, PAGE_OF_IDENTIFY);
}

void nvme_stop(struct nvme *nvme)
{
	write32(nvme, CONFIG, 0);
	nvme->state = NVME_FAILED;
}

bool nvme_is_off(const struct nvme *nvme)
{
	return !(read32(nvme, STATUS) & STATUS_READY);
}
