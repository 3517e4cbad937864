/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/redact_back.h - words for secrets. For redact*.c alone.
 */
#pragma once

#include "redact.h"

enum redact_kind {
	REDACT_MOUNT,
	REDACT_SWAP,
	REDACT_NAME, /* below dev/ */
	REDACT_SOURCE,
	REDACT_NET,
	REDACT_UUID,
	REDACT_MAC,
	REDACT_ADDRESS,
	REDACT_KINDS
};

/* The word; the same for the same secret. Lives as long as `redact`. */
const char *redact_word(struct redact *redact, enum redact_kind kind, const char *secret);
/* The same, or the name itself where nothing is secret about it. */
const char *redact_net(struct redact *redact, const char *name);

/* Each to be freed. */
char *redact_device(struct redact *redact, const char *device); /* "/dev/mapper/alice-root" */
char *redact_patterns(struct redact *redact, const char *text); /* MAC, UUID, IPv4 addresses */

/* The whole of a file, by its path; data is to be freed. */
struct root_bytes redact_file(struct redact *redact, const char *path,
			      const struct root_bytes *bytes);
