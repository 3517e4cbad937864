/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/requester.h - the requester ids that a function's requests may carry.
 */
#pragma once

#include "pci/config.h"

/*
 * Adds an id to a function's list, once. A function with more ids than fit becomes unusable
 * (logged).
 */
void requester_add(const struct sp_host *host, struct function *function, uint16_t id);

/*
 * Its own, those of bridges above it, those of its phantom functions. Everything above it is
 * scanned.
 */
void requester_collect(const struct sp_host *host, struct function *function);

/* A requester id of the one may come from the other. */
bool requester_is_shared(const struct function *a, const struct function *b);
bool requester_has(const struct function *function, uint16_t id);
