/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit.h - may a device be given to a guest? The verdict on each function of a machine, and why.
 *
 *   struct machine --> audit_machine() --> struct audit
 *                                            host       findings that hold for whatever is given away
 *                                            device[i]  of machine->function[i]: its verdict, findings of its own
 *
 * A verdict is the gravest among the findings of the device and of the host. A finding that is AUDIT_SAFE is a note:
 * it tells what is good to know and takes nothing away. Ids never change their meaning; docs/linux.md lists them.
 *
 *   for (size_t i = 0; i < audit->device[index].found.count; i++)
 *           use(&audit->device[index].found.finding[i]);          the gravest first
 */
#pragma once

#include <jansson.h>

#include "machine.h"
#include "settings.h"
#include "use.h"

enum audit_verdict {
	AUDIT_SAFE, /* VFIO takes it as it stands, and its DMA and interrupts reach its guest alone */
	AUDIT_CONDITIONAL, /* .. once what the findings name is done or known */
	AUDIT_UNKNOWN,	   /* something that decides could not be read */
	AUDIT_UNSAFE, /* it can be given away, and then reaches others or takes what the host lives on */
	AUDIT_IMPOSSIBLE, /* VFIO refuses it, or nothing is there to contain it */
};

struct audit_finding {
	const char *id; /* "group-mates"; static */
	enum audit_verdict weight;
	bool in_use; /* the host needs it (in-use-*, mate-in-use): `bind` refuses it without --force */
	char *brief;	/* some words: the reason in a table */
	char *evidence; /* a sentence that names the file or register */
	char *next; /* a command, a kernel parameter, a firmware setting; NULL: nothing is to be done */
	int *peer; /* functions that it is about: group mates, whom a path reaches; indices of machine.function */
	size_t peer_count;
};

struct audit_findings {
	struct audit_finding *finding; /* the gravest first */
	size_t count;
};

struct audit_device {
	enum audit_verdict verdict; /* of its own findings and the host's */
	const char *reason; /* the brief of the gravest finding; "" where there is but notes */
	struct audit_findings found;
};

struct audit {
	const struct machine *machine;
	struct settings settings;
	struct uses *uses;
	struct audit_findings host;
	struct audit_device *device; /* machine->function_count of them, bridges too */
};

/* Reads through machine->root what it needs beyond the machine: so a snapshot has it once this was run. */
struct audit *audit_machine(const struct machine *machine);
void audit_free(struct audit *audit);

/* "safe", "conditional", "could not tell", "unsafe", "impossible"; of a finding, "note" and the like. */
const char *audit_verdict_text(enum audit_verdict verdict);
const char *audit_weight_text(enum audit_verdict weight);

/*
 * {"host": [FINDING..], "devices": [{"sbdf", "group", "name", "verdict", "reason", "findings": [FINDING..]}..]}, of the
 * functions that are chosen. FINDING: {"id", "weight", "brief", "evidence", "next", "peers": [sbdf..], "in_use"}.
 */
json_t *audit_describe(const struct audit *audit, const bool *chosen);
