/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/use.c - what the host itself needs of its devices.
 */
#include "use_back.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "text.h"

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static struct use *find(const struct uses *uses, enum use_kind kind, int function,
			const char *child)
{
	for (size_t i = 0; i < uses->count; i++) {
		struct use *use = &uses->use[i];

		if (use->kind == kind && use->function == function && is_same(use->child, child))
			return use;
	}
	return NULL;
}

/* "/" and "/, /boot" have the part "/". */
static bool has_part(const char *purposes, const char *purpose)
{
	size_t length = strlen(purpose);

	for (const char *at = purposes; at; at = strstr(at, ", "), at = at ? at + 2 : NULL) {
		if (!strncmp(at, purpose, length) &&
		    (!at[length] || !strncmp(at + length, ", ", 2)))
			return true;
	}
	return false;
}

static void add_purpose(struct use *use, const char *purpose)
{
	char *more;

	if (has_part(use->purpose, purpose))
		return;
	more = memory_print("%s, %s", use->purpose, purpose);
	free(use->purpose);
	use->purpose = more;
}

void use_add(struct uses *uses, enum use_kind kind, int function, const char *child,
	     const char *purpose, const char *source, const char *way)
{
	char *plain_child = child ? text_plain(child) : NULL, *plain = text_plain(purpose);
	struct use *use = find(uses, kind, function, plain_child);

	if (use) {
		add_purpose(use, plain);
		free(plain);
		free(plain_child);
		return;
	}
	uses->use = memory_grow(uses->use, uses->count, sizeof(*uses->use));
	uses->use[uses->count++] = (struct use){ .kind = kind,
						 .function = function,
						 .child = plain_child,
						 .purpose = plain,
						 .source = source,
						 .way = text_plain(way) };
}

void use_lose(struct uses *uses, enum use_side side, char *told)
{
	char *sentence = text_plain(told);

	free(told);
	for (size_t i = 0; i < uses->lost_count; i++) {
		if (uses->lost[i].side == side && !strcmp(uses->lost[i].sentence, sentence)) {
			free(sentence);
			return;
		}
	}
	uses->lost = memory_grow(uses->lost, uses->lost_count, sizeof(*uses->lost));
	uses->lost[uses->lost_count++] = (struct use_lost){ .side = side, .sentence = sentence };
}

struct uses *uses_read(const struct machine *machine)
{
	struct uses *uses = memory_take(1, sizeof(*uses));

	use_disks(machine, uses);
	use_routes(machine, uses);
	use_console(machine, uses);
	return uses;
}

void uses_free(struct uses *uses)
{
	for (size_t i = 0; i < uses->count; i++) {
		free(uses->use[i].child);
		free(uses->use[i].purpose);
		free(uses->use[i].way);
	}
	for (size_t i = 0; i < uses->lost_count; i++)
		free(uses->lost[i].sentence);
	free(uses->lost);
	free(uses->use);
	free(uses);
}

char *use_sentence(const struct use *use)
{
	static const char *const verbs[] = {
		[USE_ROOT_DISK] = "holds", [USE_SWAP] = "holds", [USE_DISK] = "holds",
		[USE_ROUTE] = "carries",   [USE_CONSOLE] = "is", [USE_KEYBOARD] = "has",
	};
	const char *verb = use->kind == USE_DISK && !strncmp(use->purpose, "part of", 7)
				   ? "is"
				   : verbs[use->kind];

	return memory_print("%s %s %s%s%s%s", use->child ?: "it", verb, use->purpose,
			    *use->way ? " (through " : "", use->way, *use->way ? ")" : "");
}
