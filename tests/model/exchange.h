/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/exchange.h - counted frames (A3.2, A3.3, A3.7), with bench_config.counted: scenes as in
 * lazy.h, and what they are made of.
 */
#pragma once

#include "bench.h"

/* Pages are exchanged one of which somebody else refers to; then none. */
const char *exchange_with_one_referred(struct bench *bench);
/* Everybody goes by pages that are exchanged; then somebody wants them back. */
const char *exchange_of_pages_in_use(struct bench *bench);
/* A page loses its right to be written, and takes a role that forbids it. */
const char *exchange_role(struct bench *bench);
/* The same where the page went. */
const char *exchange_role_of_one_that_went(struct bench *bench);

struct sp_frame *exchange_frame(struct bench *bench, uint64_t mfn);
