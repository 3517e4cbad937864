/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/finding.h - how the checks of `audit` write down what they find. For audit*.c alone.
 */
#pragma once

#include "audit.h"

/* The id that a second look compares, by its address. */
extern const char AUDIT_ACS_GAP[];

/* What a check looks at: one function of the machine. */
struct check {
	const struct audit *audit;
	const struct machine *machine;
	const struct machine_function *function;
	int index;
	const struct machine_group *group; /* NULL: none */
	struct audit_findings *out;
};

/* Takes the texts, each of memory_print(); `next` may be NULL. What is returned lasts until the next one is added. */
struct audit_finding *finding_add(struct audit_findings *out, const char *id,
				  enum audit_verdict weight, char *brief, char *evidence,
				  char *next);
void finding_add_peer(struct audit_finding *finding, int peer);
bool finding_has_peer(const struct audit_finding *finding, int peer);

/* "0000:01:00.1 (snd_hda_intel), 0000:01:00.2": to be freed. */
char *finding_list(const struct machine *machine, const int *peer, size_t count);

/* What keeps the machine running: host and ISA bridge, SMBus, IOMMU. */
bool function_is_chipset(const struct machine_function *function);
bool function_is_endpoint(const struct machine_function *function);
/* Another endpoint of the same group is at this index. */
bool function_is_mate(const struct check *check, int index);

/* Is this guard left out? Never, but in tests/linux/controls: tests/linux/left_out.c. */
bool left_out(const char *guard);

/* What holds for the host as a whole. */
void audit_host(struct audit *audit);

/* Of a function. */
void audit_kind(const struct check *check);
void audit_denylist(const struct check *check);
void audit_driver(const struct check *check);
void audit_group(const struct check *check);
void audit_requesters(const struct check *check);
void audit_reserved(const struct check *check);
void audit_uses(const struct check *check);
void audit_acs(const struct check *check);
/* When all were looked at: what the others can reach. */
void audit_acs_reached(const struct check *check);
void audit_reset(const struct check *check);
void audit_silence(const struct check *check);
void audit_seen(const struct check *check);
void audit_msix(const struct check *check);
void audit_small_bars(const struct check *check);
void audit_widths(const struct check *check);
void audit_sriov(const struct check *check);
void audit_ats(const struct check *check);
