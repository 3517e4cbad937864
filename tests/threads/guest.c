/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/guest.c - what workers do to a guest, and the lives made of it.
 *
 * A worker's frame n is only ever mapped at its own gfn n, so that whatever reaches it can be judged
 * by the tag alone.
 */
#include <sallyport/passthrough.h>

#include "machine.h"

#include "memory.h"

#define LARGE	 512u
#define GIVE_UP	 20000000000ull /* nanoseconds */
#define IN_GUEST 400u		/* touches, at most, before a CPU leaves by itself */
#define UNWAITED 4u		/* changes, one in so many, that nobody waits for */

void frames_begin(struct machine *machine, const struct sp_domain *domain, uint64_t gfn,
		  uint64_t mfn, uint64_t count)
{
	static uint32_t lives;
	uint32_t life = __atomic_add_fetch(&lives, 1, __ATOMIC_RELAXED);

	for (uint64_t i = 0; i < count; i++) {
		struct frame *frame = &machine->frame[mfn - FRAME_MFN + i];

		frame->tag = (uint64_t)domain->number << 56 | (gfn + i) << 32 | life;
		store32(&frame->mapped, 1);
	}
}

bool frames_are_free(const struct machine *machine, uint64_t mfn, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (load32(&machine->frame[mfn - FRAME_MFN + i].mapped))
			return false;
	return true;
}

void frames_await(struct machine *machine, uint64_t mfn, uint64_t count)
{
	uint64_t begin = platform_now(machine);

	while (!frames_are_free(machine, mfn, count)) {
		if (platform_now(machine) - begin > GIVE_UP) {
			machine_complain(machine, "frames from %#llx on do not come back",
					 (unsigned long long)mfn);
			return;
		}
		(void)sp_progress(machine->host, SP_STEP_SLOTS);
		platform_relax(machine);
	}
}

void guest_wait(struct machine *machine, struct sp_ticket ticket)
{
	enum sp_status status = sp_wait(machine->host, ticket);

	if (status != SP_OK)
		machine_complain(machine, "a wait ended with \"%s\"", sp_status_text(status));
}

/* True: go on with the rest. */
static bool goes_on(struct machine *machine, enum sp_status status, struct sp_ticket ticket)
{
	if (status == SP_BUSY)
		guest_wait(machine, ticket);
	else if (status != SP_OK)
		machine_complain(machine, "a change was refused: \"%s\"", sp_status_text(status));
	return status == SP_OK || status == SP_BUSY;
}

struct sp_ticket guest_map(struct machine *machine, struct sp_domain *domain, uint64_t gfn,
			   uint64_t mfn, uint64_t count)
{
	struct sp_result result = { .ticket = { domain, 0 } };
	bool ok = true;

	if (mfn < NUMBERS_MFN)
		frames_begin(machine, domain, gfn, mfn, count);
	while (count && ok) {
		enum sp_status status = sp_p2m_map(domain, (sp_gfn_t){ gfn }, (sp_mfn_t){ mfn },
						   count, SP_RAM, &result);

		ok = goes_on(machine, status, result.ticket);
		gfn += result.done;
		mfn += result.done;
		count -= result.done;
	}
	return result.ticket;
}

struct sp_ticket guest_unmap(struct machine *machine, struct sp_domain *domain, uint64_t gfn,
			     uint64_t count)
{
	struct sp_result result = { .ticket = { domain, 0 } };
	bool ok = true;

	while (count && ok) {
		enum sp_status status = sp_p2m_unmap(domain, (sp_gfn_t){ gfn }, count, &result);

		ok = goes_on(machine, status, result.ticket);
		gfn += result.done;
		count -= result.done;
	}
	return result.ticket;
}

void worker_clear(struct worker *worker)
{
	guest_wait(worker->machine,
		   guest_unmap(worker->machine, worker->domain, worker->first, worker->count));
	frames_await(worker->machine, worker->mfn, worker->count);
}

/* A page, some pages, or a piece that a large page fits in. */
static struct span random_run(struct worker *worker)
{
	uint64_t first = random_below(&worker->seed, worker->count), count = 1;

	switch (random_below(&worker->seed, 4)) {
	case 0:
		break;
	case 1:
		count += random_below(&worker->seed, 40);
		break;
	case 2:
		first = align_down(first, 9);
		count = LARGE;
		break;
	default:
		count += random_below(&worker->seed, 2 * LARGE);
		break;
	}
	return (struct span){ first, min_u64(first + count, worker->count) };
}

static void maybe_wait(struct worker *worker, struct sp_ticket ticket)
{
	if (random_below(&worker->seed, UNWAITED))
		guest_wait(worker->machine, ticket);
}

/* There and back, where nobody else changes the range. */
static void retype(struct worker *worker, struct span run)
{
	enum sp_type type = random_below(&worker->seed, 2) ? SP_RAM : SP_RAM_READONLY;

	while (!span_is_empty(run)) {
		struct sp_result result;
		enum sp_status status =
			sp_p2m_set_type(worker->domain, (sp_gfn_t){ worker->first + run.first },
					run.end - run.first, type, &result);

		if (status == SP_NOT_FOUND)
			return;
		if (!goes_on(worker->machine, status, result.ticket))
			return;
		run.first += result.done;
	}
}

static void change_once(struct worker *worker)
{
	struct machine *machine = worker->machine;
	struct span run = random_run(worker);
	uint64_t count = run.end - run.first, gfn = worker->first + run.first;

	if (frames_are_free(machine, worker->mfn + run.first, count)) {
		maybe_wait(worker,
			   guest_map(machine, worker->domain, gfn, worker->mfn + run.first, count));
	} else if (!worker->overlaps && random_below(&worker->seed, 3) == 0) {
		retype(worker, run);
	} else {
		maybe_wait(worker, guest_unmap(machine, worker->domain, gfn, count));
		frames_await(machine, worker->mfn + run.first, count);
	}
}

void life_of_changes(struct worker *worker)
{
	for (; worker_goes_on(worker); worker->rounds++)
		change_once(worker);
	worker_clear(worker);
}

/* What is found is nothing, or the one frame that may be there. */
static void look(struct worker *worker)
{
	uint64_t gfn = random_below(&worker->seed, worker->machine->span);
	struct sp_mapping mapping;
	enum sp_status status = sp_p2m_find(worker->domain, (sp_gfn_t){ gfn }, &mapping);

	if (mapping.count == 0)
		machine_complain(worker->machine, "a look-up at %#llx found no frames at all",
				 (unsigned long long)gfn);
	if (status == SP_OK && mapping.frame.mfn != FRAME_MFN + gfn)
		machine_complain(worker->machine, "a look-up at %#llx found %#llx",
				 (unsigned long long)gfn, (unsigned long long)mapping.frame.mfn);
	if (status == SP_OK && mapping.type != SP_RAM && mapping.type != SP_RAM_READONLY)
		machine_complain(worker->machine, "a look-up found type %d", (int)mapping.type);
}

/* Everything that only reads. */
void life_of_looks(struct worker *worker)
{
	struct sp_host *host = worker->machine->host;

	for (; worker_goes_on(worker); worker->rounds++) {
		struct sp_function_info function;
		struct sp_unit_info unit;
		struct sp_fault fault;

		if (worker->domain)
			look(worker);
		if (sp_unit_info(host, 0, &unit) == SP_OK && unit.reached > unit.posted)
			machine_complain(worker->machine, "a unit reached what it was not asked");
		if (worker->rounds % 16 == 0)
			(void)!sp_iommu_next_fault(host, &fault);
		if (worker->rounds % 64 == 0)
			(void)!sp_function_info(host, 0, &function);
	}
}

static void touch_until_kicked(struct worker *worker, const struct sp_entry *entry)
{
	struct machine *machine = worker->machine;
	struct cpu *cpu = &machine->cpu[worker->index];
	const struct way way = { .format = &format_npt,
				 .root = entry->root.maddr >> SP_FRAME_ORDER,
				 .levels = entry->levels,
				 .name = entry->asid };
	/* At times until somebody wants it out. */
	uint64_t touches =
		random_below(&worker->seed, 8) ? random_below(&worker->seed, IN_GUEST) : UINT64_MAX;

	while (touches-- && !load32(&cpu->kicked) && machine_goes_on(machine)) {
		uint64_t frame = random_below(&worker->seed, machine->span);
		uint32_t domain;

		if (walk_touch(machine, &cpu->cache, &way, frame, &domain) &&
		    domain != worker->domain->number)
			machine_complain(machine, "a CPU of domain %u reached domain %u",
					 worker->domain->number, domain);
	}
	store32(&cpu->kicked, 0);
}

/* One entry in eight is not made after all. */
void life_in_guest(struct worker *worker)
{
	struct cache *cache = &worker->machine->cpu[worker->index].cache;

	for (; worker_goes_on(worker); worker->rounds++) {
		bool enters = random_below(&worker->seed, 8) != 0;
		struct sp_entry entry;

		machine_enter(worker->machine, worker->domain, &entry);
		if (enters && entry.flush)
			cache_forget_name(cache, entry.asid);
		if (enters)
			touch_until_kicked(worker, &entry);
		sp_cpu_leave(worker->domain, enters);
	}
}

void life_of_progress(struct worker *worker)
{
	for (; worker_goes_on(worker); worker->rounds++) {
		if (sp_progress(worker->machine->host,
				1 + (uint32_t)random_below(&worker->seed, 64)) != 0)
			platform_relax(worker->machine);
	}
}
