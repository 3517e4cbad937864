/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit.c - may a device be given to a guest? The checks, and the verdict that follows from them.
 */
#include "audit.h"

#include <stdlib.h>

#include "describe.h"
#include "finding.h"
#include "memory.h"
#include "names.h"
#include "value.h"

/* The order of findings that weigh the same. */
static void (*const checks[])(const struct check *) = {
	audit_kind,   audit_denylist, audit_silence,  audit_uses,	audit_group,
	audit_sriov,  audit_acs,      audit_reserved, audit_requesters, audit_reset,
	audit_widths, audit_seen,     audit_msix,     audit_small_bars, audit_ats,
};

const char *audit_verdict_text(enum audit_verdict verdict)
{
	switch (verdict) {
	case AUDIT_SAFE:
		return "safe";
	case AUDIT_CONDITIONAL:
		return "conditional";
	case AUDIT_UNKNOWN:
		return "could not tell";
	case AUDIT_UNSAFE:
		return "unsafe";
	case AUDIT_IMPOSSIBLE:
		return "impossible";
	}
	return "?";
}

const char *audit_weight_text(enum audit_verdict weight)
{
	if (weight == AUDIT_SAFE)
		return "note";
	return weight == AUDIT_CONDITIONAL ? "condition" : audit_verdict_text(weight);
}

/* Stable: what was found first stays before what weighs the same. */
static void sort(struct audit_findings *found)
{
	for (size_t i = 1; i < found->count; i++) {
		struct audit_finding moved = found->finding[i];
		size_t j = i;

		for (; j > 0 && found->finding[j - 1].weight < moved.weight; j--)
			found->finding[j] = found->finding[j - 1];
		found->finding[j] = moved;
	}
}

static const struct audit_finding *gravest(const struct audit_findings *found)
{
	return found->count && found->finding[0].weight > AUDIT_SAFE ? &found->finding[0] : NULL;
}

/* What is wrong with the device itself tells more than what is wrong with the host, if both weigh the same. */
static void judge(const struct audit *audit, struct audit_device *device)
{
	const struct audit_finding *own = gravest(&device->found), *host = gravest(&audit->host);

	if (host && (!own || host->weight > own->weight))
		own = host;
	device->verdict = own ? own->weight : AUDIT_SAFE;
	device->reason = own ? own->brief : "";
}

static struct check check_of(struct audit *audit, size_t index)
{
	const struct machine *machine = audit->machine;
	const struct machine_function *function = &machine->function[index];

	return (struct check){
		.audit = audit,
		.machine = machine,
		.function = function,
		.index = (int)index,
		.group = function->group == MACHINE_NONE ? NULL : &machine->group[function->group],
		.out = &audit->device[index].found,
	};
}

static void look(struct audit *audit, size_t index)
{
	struct check check = check_of(audit, index);

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](&check);
}

/* What one device reaches is another's finding too. */
static void look_again(struct audit *audit, size_t index)
{
	struct check check = check_of(audit, index);

	audit_acs_reached(&check);
	audit_driver(&check);
	sort(check.out);
	judge(audit, &audit->device[index]);
}

struct audit *audit_machine(const struct machine *machine)
{
	struct audit *audit = memory_take(1, sizeof(*audit));

	audit->machine = machine;
	audit->settings = settings_read(machine);
	audit->uses = uses_read(machine);
	audit->device = memory_take(machine->function_count, sizeof(*audit->device));
	audit_host(audit);
	sort(&audit->host);
	for (size_t i = 0; i < machine->function_count; i++)
		look(audit, i);
	for (size_t i = 0; i < machine->function_count; i++)
		look_again(audit, i);
	return audit;
}

static void free_findings(struct audit_findings *found)
{
	for (size_t i = 0; i < found->count; i++) {
		free(found->finding[i].brief);
		free(found->finding[i].evidence);
		free(found->finding[i].next);
		free(found->finding[i].peer);
	}
	free(found->finding);
}

void audit_free(struct audit *audit)
{
	for (size_t i = 0; i < audit->machine->function_count; i++)
		free_findings(&audit->device[i].found);
	free_findings(&audit->host);
	uses_free(audit->uses);
	free(audit->device);
	free(audit);
}

/* --- as JSON --- */

static json_t *describe_findings(const struct audit *audit, const struct audit_findings *found)
{
	json_t *list = json_array();

	for (size_t i = 0; i < found->count; i++) {
		const struct audit_finding *finding = &found->finding[i];
		json_t *peers = json_array();

		for (size_t j = 0; j < finding->peer_count; j++)
			json_array_append_new(
				peers,
				json_string(audit->machine->function[finding->peer[j]].name));
		json_array_append_new(
			list, describe_made(json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b}", "id",
						      finding->id, "weight",
						      audit_weight_text(finding->weight), "brief",
						      finding->brief, "evidence", finding->evidence,
						      "next", value_or_null(finding->next), "peers",
						      peers, "in_use", finding->in_use)));
	}
	return list;
}

static json_t *describe_device(const struct audit *audit, size_t index)
{
	const struct machine_function *function = &audit->machine->function[index];
	const struct audit_device *device = &audit->device[index];
	char *name = names_device(function->vendor, function->device);
	json_t *group = function->group == MACHINE_NONE
				? json_null()
				: json_integer(audit->machine->group[function->group].number);
	json_t *row = json_pack("{s:s, s:s, s:o, s:s, s:s, s:o}", "sbdf", function->name, "verdict",
				audit_verdict_text(device->verdict), "group", group, "name", name,
				"reason", device->reason, "findings",
				describe_findings(audit, &device->found));

	free(name);
	return describe_made(row);
}

json_t *audit_describe(const struct audit *audit, const bool *chosen)
{
	json_t *devices = json_array();

	for (size_t i = 0; i < audit->machine->function_count; i++) {
		if (chosen[i])
			json_array_append_new(devices, describe_device(audit, i));
	}
	return describe_made(json_pack("{s:o, s:o}", "host", describe_findings(audit, &audit->host),
				       "devices", devices));
}
