/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/serve.h - emulators that are told by rings, on a bench: what docs/acceptance.md section 5
 * asks of them, as scenes that the oracles judge.
 *
 *   struct serve --- bench: machine, guest, oracles
 *                `-- server[n]: a ring, read by its documented layout; a cache, the model's
 */
#pragma once

#include "bench.h"

#include <sallyport/server.h>

#define SERVE_SERVERS SP_MAX_OBSERVERS
#define SERVE_CPUS    5 /* 0 is the hypervisor's, the others are the guest's */

struct server {
	struct bench_outsider outsider;
	struct sp_observer_config forgets; /* the way to the model's cache */
	unsigned char *page;
	uint64_t consumed; /* entries of the ring */
	bool is_quick;	   /* it answers in the doorbell */
	bool no_ranges;	   /* it knows no ranges, and does nothing where it is told some */
	bool lies;	   /* it says that it has forgotten, and has not */
	bool is_there;
};

struct serve {
	struct bench *bench;
	uint32_t count;
	struct server server[SERVE_SERVERS];
};

/* So many servers come. serve_end() takes away those that are left, and is the bench's last word. */
struct serve *serve_begin(struct bench *bench, uint32_t count);
const char *serve_end(struct serve *serve);

void server_come(struct serve *serve, struct server *server);
/* Its process is dead. */
void server_go(struct serve *serve, struct server *server);
/* Reads its ring, forgets and says so; false: nothing new is there. */
bool server_step(struct server *server);
/* A word of its page. */
uint64_t server_word(const struct server *server, uint32_t offset);
void server_write(struct server *server, uint32_t offset, uint64_t value);
#define RING_PRODUCED	  8u
#define RING_ASKED	  16u
#define RING_ACKNOWLEDGED 64u

/* Pages at BENCH_GFN + i, apart from each other in the machine; every server knows the first ones. */
uint64_t serve_map(struct serve *serve, uint64_t count);
void serve_look(struct serve *serve, uint64_t gfn);
void serve_progress(struct serve *serve);
/* Each of the guest's CPUs tries to enter, and uses what it gets. How many did. */
uint32_t serve_enter(struct serve *serve);

struct sp_result serve_unmap(struct serve *serve, uint64_t at, uint64_t count);
/* The guest's CPUs: all but CPU 0. */
uint32_t serve_cpus(const struct serve *serve);
#define SERVE_PATIENCE 20 /* rounds of progress */
/* Else a complaint. */
void serve_must(struct serve *serve, bool is_so, const char *what);
bool serve_has_released(struct serve *serve, uint64_t mfn);
/* Nobody is asked anything, everybody may enter, and what went has come back. */
void serve_must_be_over(struct serve *serve, uint64_t mfn);

/* serve_scenes.c: each answers the first complaint, or NULL. Any number of CPUs but where it is said. */
const char *serve_gate(struct bench *bench);	     /* A4.2, 5 CPUs */
const char *serve_remote(struct bench *bench);	     /* A4.3 */
const char *serve_kick(struct bench *bench);	     /* A4.3, 3 CPUs */
const char *serve_early(struct bench *bench);	     /* A4.3 */
const char *serve_two_removals(struct bench *bench); /* A4.4, 3 CPUs */
const char *serve_steps(struct bench *bench);	     /* A4.5 */
const char *serve_liar(struct bench *bench);	     /* A4.6 */
const char *serve_newcomer(struct bench *bench);     /* A4.7 */
const char *serve_leaver(struct bench *bench);	     /* A4.7 */
const char *serve_hang(struct bench *bench);	     /* A4.7 */
const char *serve_silence(struct bench *bench);	     /* A4.8 */
const char *serve_quiet(struct bench *bench);	     /* A4.9 */
const char *serve_batch(struct bench *bench);	     /* A4.10 */
const char *serve_all(struct bench *bench);	     /* A4.10 */
/* serve_ring.c: what stands in the ring is hostile. */
const char *serve_future(struct bench *bench);
const char *serve_twice(struct bench *bench);
const char *serve_stale(struct bench *bench);
const char *serve_index(struct bench *bench);
