/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/server.c - emulators that are told by a ring in shared memory (sallyport/server.h).
 *
 *   private           shared page                            server
 *   produced ------> entry[produced % 16], produced, asked
 *   asked, reached   acknowledged <--------------------------- number
 *
 * The page is a hostile place: what is read of it is read once, into a local, and compared with what
 * only the library knows. XSA-155 is what comes of reading twice.
 */
#include <sallyport/server.h>

#include "memory.h"
#include "sync/domain.h"

/* ---- requests ---- */

static void put(struct sp_observer *server, uint64_t number, uint64_t first, uint64_t count)
{
	struct sp_ring *ring = server->server.ring;
	bool is_shared = MUTANT(server->domain->host, SP_MUT_RING_INDEX_SHARED);
	uint64_t at = is_shared ? load64(&ring->produced) : server->produced;
	struct sp_ring_entry *entry = &ring->entry[at % SP_RING_ENTRIES];

	store64(&entry->first, first);
	store64(&entry->count, count);
	store64(&entry->number, number);
	store64(&entry->reserved, 0);
	server->produced++;
}

/* What stood there before it was asked is no answer to it. */
static bool post_to_ring(void *argument, const struct sp_forget *what)
{
	struct sp_observer *server = argument;
	struct sp_ring *ring = server->server.ring;
	const struct sp_host *host = server->domain->host;

	if (!MUTANT(host, SP_MUT_RING_STALE_ANSWER))
		server->heard = load64(&ring->acknowledged);
	if (what->all || (server->server.no_ranges && !MUTANT(host, SP_MUT_RANGES_TO_ALL)))
		put(server, what->number, 0, SP_RING_ALL);
	else
		for (uint32_t i = 0; i < what->run_count; i++)
			put(server, what->number, what->run[i].first, what->run[i].count);
	store64(&ring->asked, what->number);
	write_barrier();
	store64(&ring->produced, server->produced);
	if (server->server.doorbell)
		server->server.doorbell(server->server.argument, what);
	return false;
}

static bool server_holds(void *argument)
{
	const struct sp_observer *server = argument;

	return server->server.holds && server->server.holds(server->server.argument);
}

/* ---- answers ---- */

void server_look(struct sp_observer *server)
{
	const struct sp_host *host = server->domain->host;
	uint64_t said = load64(&server->server.ring->acknowledged);

	if (said == server->heard)
		return;
	server->heard = said;
	if ((said <= server->asked || MUTANT(host, SP_MUT_RING_FUTURE)) && said > server->reached) {
		if (MUTANT(host, SP_MUT_RING_READ_TWICE))
			said = load64(&server->server.ring->acknowledged);
		server->reached = said;
		return;
	}
	/* It may write what it likes as often as it likes; the log hears of it once. */
	if (!server->was_distrusted)
		host_log(host, SP_LOG_WARNING,
			 "a server acknowledged a number that it was not asked: not believed");
	server->was_distrusted = true;
}

/* ---- coming ---- */

enum sp_status sp_server_add(struct sp_domain *domain, const struct sp_server_config *config,
			     struct sp_observer **server)
{
	const struct sp_observer_config observer = { .forget = post_to_ring,
						     .holds = server_holds };

	if (!config->ring || (uintptr_t)config->ring % SP_FRAME_BYTES)
		return SP_INVALID;
	/* Nobody reads it yet; nothing of what another server left, or this one wrote early, is kept. */
	*config->ring = (struct sp_ring){ .version = SP_RING_VERSION, .entries = SP_RING_ENTRIES };
	return external_add(domain, &observer, config, server);
}
