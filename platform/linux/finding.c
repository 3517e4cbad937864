/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/finding.c - how the checks of `audit` write down what they find.
 */
#include "finding.h"

#include <stdlib.h>

#include "memory.h"

struct audit_finding *finding_add(struct audit_findings *out, const char *id,
				  enum audit_verdict weight, char *brief, char *evidence,
				  char *next)
{
	struct audit_finding *finding;

	out->finding = memory_grow(out->finding, out->count, sizeof(*out->finding));
	finding = &out->finding[out->count++];
	*finding = (struct audit_finding){
		.id = id, .weight = weight, .brief = brief, .evidence = evidence, .next = next
	};
	return finding;
}

void finding_add_peer(struct audit_finding *finding, int peer)
{
	finding->peer = memory_grow(finding->peer, finding->peer_count, sizeof(int));
	finding->peer[finding->peer_count++] = peer;
}

bool finding_has_peer(const struct audit_finding *finding, int peer)
{
	for (size_t i = 0; i < finding->peer_count; i++) {
		if (finding->peer[i] == peer)
			return true;
	}
	return false;
}

char *finding_list(const struct machine *machine, const int *peer, size_t count)
{
	char *text = memory_copy("");

	for (size_t i = 0; i < count; i++) {
		const struct machine_function *function = &machine->function[peer[i]];
		const char *driver = function->driver;
		char *more = memory_print("%s%s%s%s%s%s", text, i ? ", " : "", function->name,
					  driver ? " (" : "", driver ?: "", driver ? ")" : "");

		free(text);
		text = more;
	}
	return text;
}

bool function_is_endpoint(const struct machine_function *function)
{
	return !function->is_bridge;
}

bool function_is_mate(const struct check *check, int index)
{
	const struct machine_function *other = &check->machine->function[index];

	return index != check->index && function_is_endpoint(other) &&
	       check->function->group != MACHINE_NONE && other->group == check->function->group;
}
