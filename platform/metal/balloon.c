/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/balloon.c - memory that leaves a running guest, and comes again.
 *
 *   owner[]     frame -> the number of the guest whose it is; 0: nobody's, or not a guest's
 *   canaries[]  frames that went from one guest to another, and what was written to them
 *
 * Guests call this on CPUs of their own, each with its guest's lock; what guests share is behind one lock
 * of this file, which is never held while the library waits.
 */
#include "platform/metal/balloon.h"

#include "platform/metal/canary.h"
#include "platform/metal/console.h"
#include "platform/metal/forgotten.h"
#include "platform/metal/hypercall.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/spinlock.h"
#include "platform/metal/string.h"
#include "platform/metal/time.h"
#include "platform/metal/vm_cpu.h"

#define FRAMES	      (LOW_LIMIT / SP_FRAME_BYTES)
#define CANARIES      512u
#define BUSY_MAX      1000u /* far more than a limbo full of frames takes to empty */
#define BACK_WITHIN   (1 * NS_PER_S)
#define WORDS_OF_PAGE (SP_FRAME_BYTES / sizeof(uint64_t))

/* A page that was given to another guest; nobody is to write to it but this file. */
struct planted {
	const struct vm *from, *to;
	uint64_t gfn; /* of `to` */
	sp_mfn_t frame;
	struct canary canary;
	bool broken;
};

static struct spinlock lock;
static uint8_t owner[FRAMES];		  /* lock */
static struct planted canaries[CANARIES]; /* lock for adding; CPU 0 reads those below the count */
static _Atomic uint32_t canary_count;

static void set_owner(sp_mfn_t first, uint64_t count, uint32_t number)
{
	const bool were_on = spinlock_take(&lock);

	for (uint64_t i = first.mfn; i < first.mfn + count; i++)
		owner[i] = (uint8_t)number;
	spinlock_drop(&lock, were_on);
}

static uint32_t owner_of(sp_mfn_t frame)
{
	return frame.mfn < FRAMES ? owner[frame.mfn] : 0;
}

void balloon_begin(struct vm *vm, sp_mfn_t first, uint64_t count)
{
	set_owner(first, count, vm->number);
}

void balloon_end(struct vm *vm)
{
	for (uint64_t i = 0; i < FRAMES; i++) {
		if (owner[i] != vm->number)
			continue;
		set_owner((sp_mfn_t){ i }, 1, 0);
		memory_give((sp_mfn_t){ i }, 1);
	}
}

/* ---- one page ---- */

/* A split that is in the way is waited for. */
enum sp_status balloon_change(struct vm *vm, uint64_t gfn, const sp_mfn_t *frame)
{
	struct sp_result result = { .ticket = { vm->domain, 0 } };
	enum sp_status status = SP_BUSY;

	for (uint32_t tries = 0; status == SP_BUSY && tries < BUSY_MAX; tries++) {
		if (frame != NULL)
			status = sp_p2m_map(vm->domain, (sp_gfn_t){ gfn }, *frame, 1, SP_RAM,
					    &result);
		else
			status = sp_p2m_unmap(vm->domain, (sp_gfn_t){ gfn }, 1, &result);
		if (status == SP_BUSY && sp_wait(vm->host, result.ticket) != SP_OK)
			return SP_LOST;
	}
	if (status == SP_OK && frame != NULL)
		atomic_fetch_add(&vm->frames_mapped, 1);
	return status == SP_OK ? sp_wait(vm->host, result.ticket) : status;
}

bool balloon_find_own(struct vm *vm, uint64_t gfn, sp_mfn_t *frame)
{
	struct sp_mapping mapping;

	if (sp_p2m_find(vm->domain, (sp_gfn_t){ gfn }, &mapping) != SP_OK ||
	    mapping.type != SP_RAM || owner_of(mapping.frame) != vm->number)
		return false;
	*frame = mapping.frame;
	return true;
}

static void fill(sp_mfn_t frame, const struct canary *canary)
{
	for (uint32_t at = 0; at < SP_FRAME_BYTES; at += CANARY_BYTES)
		canary_put((char *)memory_frame(frame) + at, canary);
}

/* Written before it is in the receiver's map: that never sees what was in the page. */
static bool plant(const struct vm *from, struct vm *to, sp_mfn_t frame)
{
	bool were_on = spinlock_take(&lock);
	const uint32_t count = atomic_load(&canary_count);
	const bool has_room = count < CANARIES;

	if (has_room) {
		canaries[count] = (struct planted){
			.from = from,
			.to = to,
			.gfn = BALLOON_FIRST_GFN + atomic_fetch_add(&to->balloon.received, 1),
			.frame = frame,
			.canary = canary_fresh(),
		};
		fill(frame, &canaries[count].canary);
		atomic_store(&canary_count, count + 1);
	}
	spinlock_drop(&lock, were_on);
	if (!has_room)
		return false;
	set_owner(frame, 1, to->number);
	return balloon_change(to, canaries[count].gfn, &frame) == SP_OK;
}

/* A settled ticket says that all have forgotten; the frame comes back with progress, a little later. */
static bool await_forgotten(struct vm *vm, sp_mfn_t frame, uint64_t mark)
{
	const uint64_t until = time_now() + BACK_WITHIN;

	while (!forgotten_since(mark, vm->number, frame)) {
		if (time_now() > until)
			return false;
		(void)sp_progress(vm->host, SP_STEP_SLOTS);
	}
	return true;
}

/* The library's word that nobody remembers a way to it is what lets the frame go on. */
static void pass_on(struct vm *vm, sp_mfn_t frame, uint64_t mark)
{
	struct vm *to = atomic_load(&vm->balloon.receiver);

	if (!await_forgotten(vm, frame, mark)) {
		console_log("balloon", "%s: frame 0x%lx is remembered: it stays where it is",
			    vm->name, frame.mfn);
		return;
	}
	if (to != NULL) {
		if (!plant(vm, to, frame))
			console_log("balloon", "%s cannot take a page from %s", to->name, vm->name);
	} else {
		set_owner(frame, 1, 0);
		memory_give(frame, 1);
	}
	atomic_fetch_add(&vm->balloon.left, 1);
}

static int64_t give_one(struct vm *vm, uint64_t gfn)
{
	const uint64_t mark = forgotten_mark();
	sp_mfn_t frame;

	if (!balloon_find_own(vm, gfn, &frame))
		return HYPERCALL_NOT_THERE;
	if (balloon_change(vm, gfn, NULL) != SP_OK)
		return HYPERCALL_NO_MEMORY;
	pass_on(vm, frame, mark);
	vm->balloon.given++;
	return 1;
}

static int64_t get_one(struct vm *vm, uint64_t gfn)
{
	struct sp_mapping mapping;
	sp_mfn_t frame;

	if (sp_p2m_find(vm->domain, (sp_gfn_t){ gfn }, &mapping) != SP_NOT_FOUND)
		return HYPERCALL_THERE;
	frame = memory_take_for_guest(1, 1);
	if (frame.mfn == 0)
		return HYPERCALL_NO_MEMORY;
	if (balloon_change(vm, gfn, &frame) != SP_OK) {
		memory_give(frame, 1);
		return HYPERCALL_NO_MEMORY;
	}
	set_owner(frame, 1, vm->number);
	vm->balloon.got++;
	return 1;
}

/*
 * No CPU of the guest runs meanwhile: what one wrote to the old frame late could be older than what it
 * wrote to the new one. A device may write to the old frame until it has forgotten it. What changed there since the copy was
 * made is written to the new one, so that not even a packet under way is lost.
 */
static void copy_late(uint64_t *new, const volatile uint64_t *old, const uint64_t *copy)
{
	for (uint32_t i = 0; i < WORDS_OF_PAGE; i++) {
		if (old[i] != copy[i])
			new[i] = old[i];
	}
}

static int64_t exchange_by(struct vm *vm, uint64_t gfn, sp_mfn_t frame, sp_mfn_t copy)
{
	const uint64_t mark = forgotten_mark();
	sp_mfn_t old;

	if (!balloon_find_own(vm, gfn, &old))
		return HYPERCALL_NOT_THERE;
	memcpy(memory_frame(copy), memory_frame(old), SP_FRAME_BYTES);
	memcpy(memory_frame(frame), memory_frame(copy), SP_FRAME_BYTES);
	/* Whoever serves the guest may map it as soon as it is in the guest's map. */
	set_owner(frame, 1, vm->number);
	if (balloon_change(vm, gfn, &frame) != SP_OK) {
		set_owner(frame, 1, 0);
		return HYPERCALL_NO_MEMORY;
	}
	copy_late(memory_frame(frame), memory_frame(old), memory_frame(copy));
	pass_on(vm, old, mark);
	vm->balloon.exchanged++;
	return 1;
}

static int64_t exchange_one(struct vm *vm, uint64_t gfn)
{
	const sp_mfn_t frame = memory_take_for_guest(1, 1), copy = memory_take(1, 1);
	int64_t done = HYPERCALL_NO_MEMORY;

	if (frame.mfn != 0 && copy.mfn != 0) {
		vm_pause(vm);
		done = exchange_by(vm, gfn, frame, copy);
		vm_resume(vm);
	}
	if (copy.mfn != 0)
		memory_give(copy, 1);
	if (frame.mfn != 0 && done < 0)
		memory_give(frame, 1);
	return done;
}

/* ---- calls ---- */

/* The first page decides about an error; a later one ends the call. */
static int64_t each(struct vm *vm, uint64_t gfn, uint64_t count,
		    int64_t (*one)(struct vm *vm, uint64_t gfn))
{
	int64_t done = 0, answer;

	while (count-- != 0) {
		answer = one(vm, gfn + (uint64_t)done);
		if (answer < 0)
			return done != 0 ? done : answer;
		done++;
	}
	return done;
}

int64_t balloon_give(struct vm *vm, uint64_t gfn, uint64_t count)
{
	return each(vm, gfn, count, give_one);
}

int64_t balloon_get(struct vm *vm, uint64_t gfn, uint64_t count)
{
	return each(vm, gfn, count, get_one);
}

int64_t balloon_exchange(struct vm *vm, uint64_t gfn, uint64_t count)
{
	return each(vm, gfn, count, exchange_one);
}

void balloon_ask(struct vm *vm, uint64_t pages, struct vm *receiver)
{
	atomic_store(&vm->balloon.receiver, receiver);
	atomic_store(&vm->balloon.wanted, atomic_load(&vm->balloon.left) + pages);
}

/* ---- canaries ---- */

static bool is_whole(const struct planted *planted)
{
	for (uint32_t at = 0; at < SP_FRAME_BYTES; at += CANARY_BYTES) {
		const struct canary now =
			canary_get((const char *)memory_frame(planted->frame) + at);

		if (!canary_is(&now, &planted->canary, CANARY_BYTES))
			return false;
	}
	return true;
}

bool balloon_check(bool all)
{
	const uint32_t count = atomic_load(&canary_count);
	uint32_t broken = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct planted *planted = &canaries[i];

		if (!planted->broken && !is_whole(planted)) {
			planted->broken = true;
			console_log("balloon",
				    "canary broken: gfn 0x%lx of %s, frame 0x%lx, which left %s",
				    planted->gfn, planted->to->name, planted->frame.mfn,
				    planted->from->name);
		}
		broken += planted->broken;
	}
	if (all && count != 0)
		console_log("balloon", "%u pages with canaries, %u whole, %u broken", count,
			    count - broken, broken);
	return broken == 0;
}
