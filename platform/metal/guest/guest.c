/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guest/guest.c - the built-in guest: obeys its mailbox, and drives an edu device.
 *
 * No interrupts, no paging, no ports. Memory the hypervisor took away faults into the hypervisor.
 */
#include "engines/edu.h"
#include "platform/metal/guest/mailbox.h"

struct answer {
	enum guest_result result;
	uint32_t value;
};

void guest_main(uint32_t cpu);

static struct mailbox *mailbox(uint32_t cpu)
{
	return (struct mailbox *)(uintptr_t)(GUEST_MAILBOX + cpu * GUEST_BOX_BYTES);
}

static volatile uint32_t *words_at(uint64_t address)
{
	return (volatile uint32_t *)(uintptr_t)address;
}

/* The hypervisor gave up waiting, or has seen enough. */
static bool is_stopped(const struct mailbox *box)
{
	return atomic_load(&box->stop) != 0;
}

static void relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Through volatile: each word is really stored, in order, once. */
static struct answer fill(const struct mailbox *box)
{
	volatile uint32_t *word = words_at(box->address);

	for (uint32_t i = 0; i < box->bytes / sizeof(*word); i++)
		word[i] = pattern_word(box->value, i);
	return (struct answer){ GUEST_DONE, 0 };
}

static struct answer checksum(const struct mailbox *box)
{
	volatile uint32_t *word = words_at(box->address);
	uint32_t sum = 0;

	for (uint32_t i = 0; i < box->bytes / sizeof(*word); i++)
		sum = pattern_sum(sum, word[i]);
	return (struct answer){ GUEST_DONE, sum };
}

/* The device does not tell whether the transfer arrived, only that it is over. */
static struct answer edu_wait(const struct mailbox *box)
{
	const struct edu edu = { (uintptr_t)box->registers };

	while (edu_is_busy(&edu)) {
		if (is_stopped(box))
			return (struct answer){ GUEST_STOPPED, 0 };
		relax();
	}
	return (struct answer){ GUEST_DONE, 0 };
}

static struct answer edu_begin(const struct mailbox *box)
{
	const struct edu edu = { (uintptr_t)box->registers };
	enum edu_direction direction = box->value == EDU_TO_BUS ? EDU_TO_BUS : EDU_FROM_BUS;
	enum sp_status status = edu_start(&edu, box->address, box->bytes, direction);

	if (status != SP_OK)
		return (struct answer){ GUEST_REFUSED, status };
	return (struct answer){ GUEST_DONE, 0 };
}

static struct answer edu_transfer(const struct mailbox *box)
{
	struct answer answer = edu_begin(box);

	return answer.result == GUEST_DONE ? edu_wait(box) : answer;
}

/*
 * No pause in this loop: the translation of the word must stay in use without a break, or the
 * hypervisor's test of a forgotten flush would find it forgotten by chance.
 */
static struct answer spin(struct mailbox *box)
{
	volatile uint32_t *word = words_at(box->address);
	const uint32_t step = box->value != 0;
	uint32_t rounds = 0;

	atomic_store(&box->progress, 0);
	while (!is_stopped(box)) {
		uint32_t seen = *word;

		if (step != 0)
			*word = seen + step;
		atomic_store_explicit(&box->progress, ++rounds, memory_order_release);
	}
	return (struct answer){ GUEST_STOPPED, rounds };
}

/* Once more of what was seen. Nobody but this CPU writes it. */
static void count(_Atomic uint32_t *of)
{
	atomic_store_explicit(of, atomic_load_explicit(of, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/* At full rate: whoever writes over the code meanwhile has no pause to rely on. */
static struct answer execute_code(struct mailbox *box)
{
	uint32_t (*code)(void) = (uint32_t(*)(void))(uintptr_t)box->address;

	box->mixed = 0;
	atomic_store(&box->ran[0], 0);
	atomic_store(&box->ran[1], 0);
	atomic_store(&box->ran_mixed, 0);
	atomic_store(&box->progress, 0);
	while (!is_stopped(box)) {
		const uint32_t result = code();

		if (result == box->whole[0] || result == box->whole[1]) {
			count(&box->ran[result == box->whole[1]]);
		} else {
			box->mixed = box->mixed != 0 ? box->mixed : result;
			count(&box->ran_mixed);
		}
		atomic_store_explicit(&box->progress, box->progress + 1, memory_order_release);
	}
	return (struct answer){ GUEST_STOPPED, 0 };
}

/* A command that makes the guest fault is never answered; the hypervisor sees the fault. */
static struct answer execute(struct mailbox *box)
{
	switch (box->verb) {
	case GUEST_PING:
		return (struct answer){ GUEST_DONE, ~box->value };
	case GUEST_WRITE:
		*words_at(box->address) = box->value;
		return (struct answer){ GUEST_DONE, 0 };
	case GUEST_READ:
		return (struct answer){ GUEST_DONE, *words_at(box->address) };
	case GUEST_FILL:
		return fill(box);
	case GUEST_CHECKSUM:
		return checksum(box);
	case GUEST_EDU_TRANSFER:
		return edu_transfer(box);
	case GUEST_EDU_START:
		return edu_begin(box);
	case GUEST_EDU_WAIT:
		return edu_wait(box);
	case GUEST_SPIN:
		return spin(box);
	case GUEST_EXECUTE:
		return execute_code(box);
	}
	return (struct answer){ GUEST_UNKNOWN_VERB, 0 };
}

/* The answer is complete before its number is stored. */
void guest_main(uint32_t cpu)
{
	struct mailbox *box = mailbox(cpu);
	uint32_t done = 0;

	for (;;) {
		uint32_t asked = atomic_load_explicit(&box->asked, memory_order_acquire);
		struct answer answer;

		if (asked == done) {
			relax();
			continue;
		}
		answer = execute(box);
		box->result = answer.result;
		box->answer = answer.value;
		done = asked;
		atomic_store_explicit(&box->answered, done, memory_order_release);
	}
}
