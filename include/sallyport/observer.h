/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/observer.h - observers of the embedder's own: who else remembers where guest memory lies.
 * Emulators in processes or guests of their own are told by a ring in shared memory: server.h.
 *
 *   shadows     of a guest's own page tables: remember machine frames      with SP_CPU_SHADOW, one a
 *                                                                          domain
 *   emulators   device models that map guest memory: remember guest        sp_observer_add(), up to
 *               frames                                                     SP_MAX_OBSERVERS a domain
 *
 *   a change ---> forget(what)           number n; begins, does not wait
 *                    ... all of it is gone, and nobody uses it any more ...
 *   release  <--- sp_observer_reached(n)
 *
 * Nothing that the observer may remember is released before it has answered; one that never answers
 * holds up its own domain and no other. What it looks up (sp_p2m_find()) and remembers, it remembers
 * under a lock that its forget() takes too, or looks up again afterwards: else a look-up that came
 * before the change is remembered behind it.
 */
#pragma once

#include <sallyport/sync.h>

#define SP_MAX_OBSERVERS 8
#define SP_FORGET_RUNS	 4

/* Machine frames to shadows, guest frames to emulators. */
struct sp_run {
	uint64_t first, count;
};

/* What a change asks to be forgotten. */
struct sp_forget {
	uint64_t number; /* to be said when it is done; one more than the last */
	bool all;	 /* everything of the domain; no runs then */
	uint32_t run_count;
	struct sp_run run[SP_FORGET_RUNS];
};

struct sp_observer_config {
	/*
	 * Begins to forget; true when it is done already. At most one request is under way: the next
	 * comes after that has been answered. Must not wait, nor call the library. Lock: domain. Who tells
	 * the observer by what may overtake stores (a write to an x2APIC register) fences first: else its
	 * answer comes before the number is seen, and is refused.
	 */
	bool (*forget)(void *argument, const struct sp_forget *what);
	void *argument;
	/*
	 * May be NULL. The embedder's own book of what it mapped for the observer: true while a mapping
	 * is left that was asked for in the last forget(), whatever the observer says. Its answer counts
	 * when both agree. Must not wait, nor call the library but for sp_p2m_find(). Lock: domain.
	 */
	bool (*holds)(void *argument);
};

struct sp_observer;

/*
 * An emulator begins to watch the domain: from now on it may look up and remember. It is asked
 * whenever memory goes, is exchanged, or loses a right; until it has answered, sp_cpu_enter() of the
 * domain is refused (sp_domain_config.gate). It is asked of nothing that went before. SP_NO_SPACE after SP_MAX_OBSERVERS;
 * SP_INVALID without forget(), or where the domain is being destroyed; SP_UNSUPPORTED with SP_CPU_PV.
 * Any CPU; takes the domain's lock.
 */
SP_MUST_USE enum sp_status sp_observer_add(struct sp_domain *domain,
					   const struct sp_observer_config *config,
					   struct sp_observer **observer);

/*
 * It remembers nothing any more and cannot look again: its mappings were taken down, or its process is
 * dead. What was asked of it counts as done. All are removed before sp_domain_destroy() can end.
 */
void sp_observer_remove(struct sp_observer *observer);

/*
 * Everything asked up to `number` is forgotten. SP_INVALID for a number that was never asked, or was
 * answered before: the observer is not to be trusted, and nothing changed. Takes no lock; any context
 * but NMI. sp_progress() sees it.
 */
SP_MUST_USE enum sp_status sp_observer_reached(struct sp_observer *observer, uint64_t number);

/* The shadows of a domain with SP_CPU_SHADOW. NULL where it has none. */
struct sp_observer *sp_domain_shadows(struct sp_domain *domain);
