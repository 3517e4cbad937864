/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/memory_stub.h - the model's hooks of memory.h, for a test that brings its own platform and
 * has nobody who looks.
 */
#pragma once

#include "memory.h"

void model_before_load(const void *from, uint32_t bytes)
{
	(void)from;
	(void)bytes;
}

uint64_t model_after_load(const void *from, uint32_t bytes, uint64_t value)
{
	(void)from;
	(void)bytes;
	return value;
}

void model_before_store(const void *to, uint32_t bytes)
{
	(void)to;
	(void)bytes;
}

void model_at_barrier(bool full)
{
	(void)full;
}

void model_at_locked(const void *at)
{
	(void)at;
}

void model_after_past_cache(const void *to)
{
	(void)to;
}

void model_at_past_cache_barrier(void) {}
