/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/serve.h - a guest that serves another: it maps the other's pages, and lets go of them
 * when they leave (guest.conf's `serves`). An emulator of docs/emulators.md, in a guest of its own.
 *
 *   SERVE_MAP gfn, place     the other's frame, at HYPERCALL_SERVE_PAGES + place of the server's
 *   the ring's page          at HYPERCALL_SERVE_RING: what it must forget, and its answer
 *   SERVE_UNMAP place, n     gone from the server's map, and forgotten by its CPUs
 *
 * The book of these mappings is the hypervisor's: an answer in the ring counts when no mapping is left
 * that was asked for, whatever the server says.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <sallyport/server.h>

#include "platform/metal/hypercall.h"

struct vm;

/* Of the other's, at one place. */
struct serve_page {
	uint64_t gfn;
	bool is_used, must_go;
};

/* A guest's part of it. */
struct serve {
	struct vm *served; /* NULL: it serves nobody */
	struct sp_observer *observer;
	sp_mfn_t ring;
	struct serve_page page[HYPERCALL_SERVE_PLACES]; /* a lock of serve.c */
	uint64_t mapped, unmapped;			/* the guest's lock */
	_Atomic uint64_t requests;
};

/* Both are made, neither runs. False: no memory for the ring. */
bool serve_begin(struct vm *server, struct vm *served);
/* Its CPUs have left: what it mapped is gone, and that is its last answer. Nothing where it serves nobody. */
void serve_end(struct vm *server);

/* For hypercalls that were checked, on a CPU of the server's, with its lock. As in hypercall.h. */
int64_t serve_map(struct vm *server, uint64_t gfn, uint64_t place);
int64_t serve_unmap(struct vm *server, uint64_t place, uint64_t count);
