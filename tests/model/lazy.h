/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/lazy.h - pages that go lazily (A3): each scene answers the first thing that an oracle
 * objects to, or NULL. tests/model/lazy_test.c runs them in every mode, tests/mutants with a guard left
 * out.
 */
#pragma once

#include "bench.h"

/* A page goes, everybody goes on; somebody wants it back; everybody forgets; it is released. */
const char *lazy_unmap(struct bench *bench);
/* A flush under way, or done, when the page goes; each by the number it has. */
const char *lazy_tick(struct bench *bench);
/* Two pages go; between them a CPU flushed, and filled again from the second. */
const char *lazy_second_page(struct bench *bench);
/* A CPU flushes and fills again after the change began, before its slot is stored. */
const char *lazy_interrupted(struct bench *bench);
/* The owner scrubs what it gets back and gives it on, while a device writes all the time. */
const char *lazy_scrub(struct bench *bench);

/* Told later; asserts. */
struct sp_ticket lazy_let_go(struct bench *bench, uint64_t gfn, uint64_t count);
/* New frames, each where the last is not its neighbour; the first frame. */
uint64_t lazy_map(struct bench *bench, uint64_t gfn, uint64_t count);
/* Devices, CPU 1 and the emulator go by the page. */
void lazy_visit(struct bench *bench, uint64_t gfn);
/* CPU 1 leaves its guest, flushes for a reason of its own, and comes again. */
void lazy_flush_cpu(struct bench *bench);
/* Somebody wants it: what is due is told, and whoever answers at once has answered. */
void lazy_want(struct bench *bench, struct sp_ticket ticket);
