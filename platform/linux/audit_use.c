/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit_use.c - what the host has in use of the device, or of its group.
 */
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "memory.h"

static enum audit_verdict weight_of(enum use_kind kind)
{
	switch (kind) {
	case USE_ROOT_DISK:
	case USE_SWAP:
	case USE_ROUTE:
		return AUDIT_UNSAFE;
	case USE_DISK:
	case USE_CONSOLE:
	case USE_KEYBOARD:
		return AUDIT_CONDITIONAL;
	}
	return AUDIT_UNSAFE;
}

static const char *id_of(enum use_kind kind)
{
	switch (kind) {
	case USE_ROOT_DISK:
		return "in-use-root-disk";
	case USE_SWAP:
		return "in-use-swap";
	case USE_DISK:
		return "in-use-disk";
	case USE_ROUTE:
		return "in-use-default-route";
	case USE_CONSOLE:
		return "in-use-console";
	case USE_KEYBOARD:
		return "in-use-keyboard";
	}
	return "in-use";
}

static char *next_of(const struct use *use)
{
	switch (use->kind) {
	case USE_ROOT_DISK:
		return memory_copy("give another disk away, or move the system first");
	case USE_SWAP:
		return memory_print("swapoff what lies on %s, then audit again", use->child);
	case USE_DISK:
		return strncmp(use->purpose, "part of", 7)
			       ? memory_print("unmount %s, then audit again", use->purpose)
			       : memory_copy(
					 "stop what it is part of (vgchange -an, mdadm --stop), then audit again");
	case USE_ROUTE:
		return memory_copy(
			"give another interface away, or lead the route over another first");
	case USE_CONSOLE:
		return memory_copy("have another way in (ssh, a serial console) before it goes");
	case USE_KEYBOARD:
		return memory_copy(
			"have another way in (ssh, a keyboard at another controller) before it goes");
	}
	return NULL;
}

static void add_use(const struct check *check, const struct use *use)
{
	char *sentence = use_sentence(use);
	struct audit_finding *finding;

	finding =
		finding_add(check->out, id_of(use->kind), weight_of(use->kind),
			    memory_copy(sentence),
			    memory_print("In use by the host: %s, says %s.", sentence, use->source),
			    next_of(use));
	finding->in_use = true;
	free(sentence);
}

static void add_use_of_mate(const struct check *check, const struct use *use)
{
	const char *name = check->machine->function[use->function].name;
	char *sentence = use_sentence(use);
	struct audit_finding *finding;

	finding = finding_add(
		check->out, "mate-in-use", weight_of(use->kind),
		memory_print("its group mate %s is in use: %s", name, sentence),
		memory_print("%s is in the same group %u and goes along; the host uses it: %s, says "
			     "%s.",
			     name, check->group->number, sentence, use->source),
		next_of(use));
	finding->in_use = true;
	finding_add_peer(finding, use->function);
	free(sentence);
}

void audit_uses(const struct check *check)
{
	const struct uses *uses = check->audit->uses;

	if (check->function->is_bridge || left_out("in-use"))
		return;
	for (size_t i = 0; i < uses->count; i++) {
		if (uses->use[i].function == check->index)
			add_use(check, &uses->use[i]);
	}
	for (size_t i = 0; i < uses->count && !left_out("mate-in-use"); i++) {
		if (function_is_mate(check, uses->use[i].function))
			add_use_of_mate(check, &uses->use[i]);
	}
}
