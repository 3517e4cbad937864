/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/redact.h - a snapshot without what is nobody's business: the same secret is the same word everywhere, and
 * what commands say of the machine is the same but for these words.
 *
 *   /mnt/alice -> /mount-1      dev/mapper/alice-root -> dev/mapper/name-1      wg-alice, enx001122334455 -> net-1
 *   server:/export -> source-1  01:23:45:67:89:ab -> 02:00:00:00:00:01          addresses, UUIDs, serial numbers
 */
#pragma once

#include <stdio.h>

#include "root.h"

struct redact;

/* Collects the names that are secrets, which may stand in other notes than where they are found. */
struct redact *redact_start(const struct root_note *notes, size_t count);
void redact_end(struct redact *redact);

/* What is written instead, in the order of paths. */
struct root_note *redact_notes(struct redact *redact, const struct root_note *notes, size_t count);
void redact_notes_free(struct root_note *notes, size_t count);

/* A line for each: the word, a tab, the secret. */
void redact_print_names(const struct redact *redact, FILE *out);
