/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/actor_printer.c - what would be written, as lines of shell that a person could run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "memory.h"

/* Of each function, what it would have by now. */
struct state {
	char *driver, *override; /* NULL: none */
};

struct printer {
	struct actor actor; /* first */
	const struct machine *machine;
	struct state *state;
};

static char *copy_or_none(const char *text)
{
	return text && *text ? memory_copy(text) : NULL;
}

static void replace(char **text, const char *with)
{
	char *copy = copy_or_none(with);

	free(*text);
	*text = copy;
}

static struct state *state_of(const struct printer *printer, const char *sbdf)
{
	sp_sbdf_t id;
	int index =
		machine_parse_sbdf(sbdf, &id) ? machine_find(printer->machine, id) : MACHINE_NONE;

	return index == MACHINE_NONE ? NULL : &printer->state[index];
}

/* The kernel's answer to each of the three orders. */
static void follow(const struct printer *printer, const char *path, const char *text)
{
	char name[128];
	int length = 0;
	struct state *state;

	if (sscanf(path, ACTOR_DEVICES "/%127[^/]/driver_override%n", name, &length) == 1 &&
	    length) {
		state = state_of(printer, name);
		if (state)
			replace(&state->override, text);
	} else if (sscanf(path, ACTOR_DRIVERS "/%127[^/]/bind%n", name, &length) == 1 && length &&
		   !path[length]) {
		state = state_of(printer, text);
		if (state)
			replace(&state->driver, name);
	} else {
		state = state_of(printer, text);
		if (state)
			replace(&state->driver, NULL);
	}
}

static int print_write(struct actor *actor, const char *path, const char *text)
{
	char *plain = memory_copy(text);

	plain[strcspn(plain, "\n")] = 0;
	printf("echo%s%s > /%s\n", *plain ? " " : "", plain, path);
	follow((struct printer *)actor, path, plain);
	free(plain);
	return 0;
}

static char *driver_of(struct actor *actor, const char *sbdf)
{
	const struct state *state = state_of((struct printer *)actor, sbdf);

	return state ? copy_or_none(state->driver) : NULL;
}

static char *override_of(struct actor *actor, const char *sbdf)
{
	const struct state *state = state_of((struct printer *)actor, sbdf);

	return state ? copy_or_none(state->override) : NULL;
}

static void close_printer(struct actor *actor)
{
	struct printer *printer = (struct printer *)actor;

	for (size_t i = 0; i < printer->machine->function_count; i++) {
		free(printer->state[i].driver);
		free(printer->state[i].override);
	}
	free(printer->state);
	free(printer);
}

struct actor *actor_printer(const struct machine *machine)
{
	struct printer *printer = memory_take(1, sizeof(*printer));

	printer->actor = (struct actor){ print_write, driver_of, override_of, close_printer };
	printer->machine = machine;
	printer->state = memory_take(machine->function_count, sizeof(*printer->state));
	for (size_t i = 0; i < machine->function_count; i++) {
		printer->state[i].driver = copy_or_none(machine->function[i].driver);
		printer->state[i].override = copy_or_none(machine->function[i].override);
	}
	return &printer->actor;
}
