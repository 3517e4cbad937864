/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/serve.c - a guest that serves another.
 *
 *   SERVE_MAP    book the place, full barrier, look up, map        a page that leaves meanwhile
 *   doorbell     mark the places that must go                      finds the place in the book, or was
 *   holds        any left?                                         gone before the look-up
 */
#include "platform/metal/serve.h"

#include "platform/metal/balloon.h"
#include "platform/metal/console.h"
#include "platform/metal/memory.h"
#include "platform/metal/spinlock.h"
#include "platform/metal/vm.h"

static struct spinlock lock; /* of every book; taken under the library's locks, calls nobody */

static bool is_asked(const struct sp_forget *what, uint64_t gfn)
{
	for (uint32_t i = 0; i < what->run_count; i++) {
		if (gfn - what->run[i].first < what->run[i].count)
			return true;
	}
	return what->all;
}

static void doorbell(void *argument, const struct sp_forget *what)
{
	struct serve *serve = argument;
	const bool were_on = spinlock_take(&lock);

	for (uint32_t i = 0; i < HYPERCALL_SERVE_PLACES; i++)
		serve->page[i].must_go |=
			serve->page[i].is_used && is_asked(what, serve->page[i].gfn);
	spinlock_drop(&lock, were_on);
	atomic_fetch_add(&serve->requests, 1);
}

static bool holds(void *argument)
{
	const struct serve *serve = argument;
	const bool were_on = spinlock_take(&lock);
	bool any = false;

	for (uint32_t i = 0; i < HYPERCALL_SERVE_PLACES; i++)
		any = any || serve->page[i].must_go;
	spinlock_drop(&lock, were_on);
	return any;
}

static void set_page(struct serve *serve, uint64_t place, uint64_t gfn, bool is_used)
{
	const bool were_on = spinlock_take(&lock);

	serve->page[place] = (struct serve_page){ .gfn = gfn, .is_used = is_used };
	spinlock_drop(&lock, were_on);
	/* Who makes a page leave writes its map, then looks into the book; here it is the other way round. */
	atomic_thread_fence(memory_order_seq_cst);
}

bool serve_begin(struct vm *server, struct vm *served)
{
	struct serve *serve = &server->serve;
	struct sp_server_config config = { .doorbell = doorbell,
					   .holds = holds,
					   .argument = serve };

	serve->ring = memory_take_for_guest(1, 1);
	if (serve->ring.mfn == 0 ||
	    balloon_change(server, HYPERCALL_SERVE_RING, &serve->ring) != SP_OK)
		return false;
	config.ring = memory_frame(serve->ring);
	if (sp_server_add(served->domain, &config, &serve->observer) != SP_OK)
		return false;
	serve->served = served;
	console_log("serve", "%s serves %s", server->name, served->name);
	return true;
}

void serve_end(struct vm *server)
{
	struct serve *serve = &server->serve;

	if (serve->served == NULL)
		return;
	(void)serve_unmap(server, 0, HYPERCALL_SERVE_PLACES);
	sp_observer_remove(serve->observer);
	if (balloon_change(server, HYPERCALL_SERVE_RING, NULL) == SP_OK)
		memory_give(serve->ring, 1);
	console_log("serve",
		    "%s: %lu pages of %s mapped, %lu let go, %lu requests; %s stayed out %lu times",
		    server->name, serve->mapped, serve->served->name, serve->unmapped,
		    atomic_load(&serve->requests), serve->served->name,
		    vm_count_gated(serve->served));
	serve->served = NULL;
}

int64_t serve_map(struct vm *server, uint64_t gfn, uint64_t place)
{
	struct serve *serve = &server->serve;
	int64_t answer = HYPERCALL_NOT_THERE;
	sp_mfn_t frame;

	if (serve->page[place].is_used)
		return HYPERCALL_THERE;
	set_page(serve, place, gfn, true);
	if (balloon_find_own(serve->served, gfn, &frame)) {
		answer = balloon_change(server, HYPERCALL_SERVE_PAGES + place, &frame) == SP_OK
				 ? 1
				 : HYPERCALL_NO_MEMORY;
	}
	if (answer != 1)
		set_page(serve, place, 0, false);
	serve->mapped += answer == 1;
	return answer;
}

/* From the book only when its CPUs have forgotten it. */
int64_t serve_unmap(struct vm *server, uint64_t place, uint64_t count)
{
	struct serve *serve = &server->serve;
	int64_t done = 0;

	for (; count-- != 0; place++) {
		if (!serve->page[place].is_used)
			continue;
		if (balloon_change(server, HYPERCALL_SERVE_PAGES + place, NULL) != SP_OK)
			return HYPERCALL_NO_MEMORY;
		set_page(serve, place, 0, false);
		done++;
	}
	serve->unmapped += (uint64_t)done;
	return done;
}
