/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/bind.c - `sallyport bind`, `unbind` and `restore`: which driver has a function.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "binding.h"
#include "command.h"
#include "describe.h"
#include "memory.h"
#include "options.h"
#include "say.h"
#include "version.h"

struct bind {
	struct options options; /* first */
	const char *journal;	/* its path */
	struct binding_order order;
	bool dry_run, force;
};

enum {
	OPTION_JOURNAL = 0x200,
	OPTION_DRIVER,
	OPTION_FORCE,
	OPTION_ALONE,
	OPTION_DEFAULT,
};

#define OPTION_LINE_JOURNAL                                                 \
	{                                                                   \
		"journal", OPTION_JOURNAL, "FILE", 0,                       \
			"what was done, for restore; else " JOURNAL_PATH, 1 \
	}
#define OPTION_LINE_DRY                                                                   \
	{                                                                                 \
		"dry-run", 'n', NULL, 0, "print what would be done, as lines of shell", 1 \
	}
#define OPTION_LINE_FORCE                                                                \
	{                                                                                \
		"force", OPTION_FORCE, NULL, 0,                                          \
			"also what the host needs: its disks, its route, its console", 1 \
	}

static const struct argp_option bind_options[] = {
	{ "driver", OPTION_DRIVER, "NAME", 0, "instead of vfio-pci", 0 },
	{ "alone", OPTION_ALONE, NULL, 0, "leave the others of its group as they are", 0 },
	OPTION_LINE_FORCE,
	OPTION_LINE_DRY,
	OPTION_LINE_JOURNAL,
	{ 0 },
};

static const struct argp_option unbind_options[] = {
	{ "default", OPTION_DEFAULT, NULL, 0, "then let the kernel choose a driver for it", 0 },
	OPTION_LINE_FORCE,
	OPTION_LINE_DRY,
	OPTION_LINE_JOURNAL,
	{ 0 },
};

static const struct argp_option restore_options[] = {
	OPTION_LINE_FORCE,
	OPTION_LINE_DRY,
	OPTION_LINE_JOURNAL,
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct bind *bind = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &bind->options;
		return 0;
	case OPTION_JOURNAL:
		bind->journal = argument;
		return 0;
	case OPTION_DRIVER:
		bind->order.driver = argument;
		return 0;
	case OPTION_FORCE:
		bind->force = true;
		return 0;
	case OPTION_ALONE:
		bind->order.alone = true;
		return 0;
	case OPTION_DEFAULT:
		bind->order.want = BINDING_DEFAULT;
		return 0;
	case 'n':
		bind->dry_run = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Where to write: nowhere, this machine, or a directory that is like one. */
static struct actor *open_actor(const struct bind *bind, const struct machine *machine)
{
	struct stat stat_of;

	if (bind->dry_run)
		return actor_printer(machine);
	if (bind->options.sysroot && !stat(bind->options.sysroot, &stat_of) &&
	    !S_ISDIR(stat_of.st_mode))
		say_fatal(EXIT_USAGE,
			  "%s: a snapshot is not written to; --dry-run prints what would be done",
			  bind->options.sysroot);
	return actor_open(bind->options.sysroot ?: "/");
}

/* --- what is said --- */

static const char *wanted(const struct binding_order *order)
{
	return order->want == BINDING_DRIVER ? order->driver
	       : order->want == BINDING_NONE ? "no driver"
					     : "the kernel's choice";
}

static bool is_mate(const struct binding *binding, int function)
{
	for (size_t i = 0; i < binding->mate_count; i++) {
		if (binding->mate[i] == function)
			return true;
	}
	return false;
}

static void print_plan(const struct binding *binding, const struct binding_order *order,
		       const char *mark)
{
	for (size_t i = 0; i < binding->target_count; i++) {
		const struct machine_function *function =
			&binding->machine->function[binding->target[i]];

		printf("%s%s: %s -> %s", mark, function->name, function->driver ?: "no driver",
		       wanted(order));
		if (is_mate(binding, binding->target[i]))
			printf(" (in the same group, %u)",
			       binding->machine->group[function->group].number);
		putchar('\n');
	}
	if (!binding->target_count)
		printf("%snothing to do: %s already\n", mark, wanted(order));
}

static bool may_go_on(const struct binding *binding, bool force)
{
	bool refused = false;

	for (size_t i = 0; i < binding->refusal_count; i++) {
		const struct binding_refusal *refusal = &binding->refusal[i];
		const char *name = binding->machine->function[refusal->function].name;

		if (force && !refusal->final) {
			say_warning("%s: %s", name, refusal->why);
			continue;
		}
		say_error("%s: %s%s", name, refusal->why,
			  refusal->final ? "" : "; --force does it all the same");
		refused = true;
	}
	return !refused;
}

static void print_json(const struct binding *binding, const struct binding_order *order, bool done)
{
	json_t *functions = json_array(), *refused = json_array(), *document;

	for (size_t i = 0; i < binding->target_count; i++) {
		const struct machine_function *function =
			&binding->machine->function[binding->target[i]];

		json_array_append_new(functions,
				      describe_made(json_pack(
					      "{s:s, s:s?, s:s?, s:b}", "sbdf", function->name,
					      "was", function->driver, "to",
					      order->want == BINDING_DRIVER ? order->driver : NULL,
					      "mate", is_mate(binding, binding->target[i]))));
	}
	for (size_t i = 0; i < binding->refusal_count; i++)
		json_array_append_new(
			refused,
			describe_made(json_pack(
				"{s:s, s:s, s:b}", "sbdf",
				binding->machine->function[binding->refusal[i].function].name,
				"why", binding->refusal[i].why, "final",
				binding->refusal[i].final)));
	document =
		describe_made(json_pack("{s:s, s:o, s:o, s:b}", "sallyport", SALLYPORT_VERSION,
					"functions", functions, "refused", refused, "done", done));
	json_dumpf(document, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(document);
}

/* --- the commands --- */

static struct journal *open_journal(const struct bind *bind)
{
	struct journal *journal = journal_open(bind->journal, bind->dry_run);

	if (!journal)
		exit(EXIT_UNKNOWN);
	return journal;
}

static int perform(const struct bind *bind, const struct binding *binding)
{
	struct actor *actor = open_actor(bind, binding->machine);
	struct journal *journal = bind->dry_run ? NULL : open_journal(bind);
	size_t since = journal ? journal->count : 0, left = 0;
	bool good;

	if (bind->dry_run)
		print_plan(binding, &bind->order, "# ");
	good = binding_perform(binding, actor, journal);
	if (!good && journal) {
		left = binding_undo(actor, journal, NULL, 0, since);
		say_error(left ? "%zu steps could not be undone; `sallyport restore` tries again"
			       : "what was done before that is undone",
			  left);
	}
	if (good && bind->options.json)
		print_json(binding, &bind->order, !bind->dry_run);
	else if (good && !bind->dry_run)
		print_plan(binding, &bind->order, "");
	actor->close(actor);
	if (journal)
		journal_close(journal);
	return good ? EXIT_FINE : EXIT_UNKNOWN;
}

static int plan_and_perform(const struct bind *bind, const struct machine *machine)
{
	bool *chosen = options_select(&bind->options, machine);
	struct binding *binding;
	int status = EXIT_FINDINGS;

	if (bind->order.want == BINDING_DRIVER &&
	    !binding_has_driver(machine->root, bind->order.driver))
		say_fatal(EXIT_USAGE, "%s: the kernel has no such driver now; modprobe %s",
			  bind->order.driver, bind->order.driver);
	binding = binding_plan(machine, chosen, &bind->order);
	if (may_go_on(binding, bind->force))
		status = perform(bind, binding);
	else if (bind->options.json)
		print_json(binding, &bind->order, false);
	binding_free(binding);
	free(chosen);
	return status;
}

static int change(const struct argp *argp, int argc, char **argv, enum binding_want want)
{
	struct bind bind = { .journal = JOURNAL_PATH,
			     .order = { .want = want, .driver = BINDING_USUAL } };
	struct machine *machine;
	struct root *root;
	int status;

	options_parse(argp, argc, argv, &bind);
	if (bind.dry_run && bind.options.json)
		say_fatal(
			EXIT_USAGE,
			"--dry-run prints lines of shell, and --json something else: one of them");
	if (!bind.options.device_count)
		say_fatal(EXIT_USAGE, "which devices? `sallyport list` shows what is there");
	root = root_open(bind.options.sysroot);
	machine = machine_read(root);
	status = plan_and_perform(&bind, machine);
	free(bind.options.device);
	machine_free(machine);
	root_close(root);
	return status;
}

int bind_run(int argc, char **argv)
{
	static const struct argp argp = {
		bind_options,
		parse,
		"DEVICE...",
		"Gives functions to vfio-pci, so that a guest or a program can have them.\v"
		"VFIO takes a group as a whole, so the others in the group of a DEVICE that have a driver go with it (but no "
		"bridges); --alone leaves them. What the host needs is refused: its disks and swap, its default route, its "
		"console. Each step is noted in the journal before it is taken: `sallyport restore` undoes them. Exit status: "
		"0 done, 1 refused, 2 no such device or driver, 3 it could not be done and is undone.",
		options_plain_children,
		NULL,
		NULL
	};

	return change(&argp, argc, argv, BINDING_DRIVER);
}

int unbind_run(int argc, char **argv)
{
	static const struct argp argp = {
		unbind_options,
		parse,
		"DEVICE...",
		"Takes functions from their driver and forgets driver_override.\v"
		"They have no driver then; with --default the one that the kernel finds for them. `sallyport restore` gives "
		"back what they had before.",
		options_plain_children,
		NULL,
		NULL
	};

	return change(&argp, argc, argv, BINDING_NONE);
}

/* The journal's names, for the functions that were named in whatever way. */
static char **names_of(const struct bind *bind, const struct machine *machine, size_t *count)
{
	bool *chosen = options_select(&bind->options, machine);
	char **names = NULL;

	*count = 0;
	for (size_t i = 0; i < machine->function_count && bind->options.device_count; i++) {
		if (!chosen[i])
			continue;
		names = memory_grow(names, *count, sizeof(char *));
		names[(*count)++] = (char *)(uintptr_t)machine->function[i].name;
	}
	free(chosen);
	return names;
}

static bool is_new(const struct journal *journal, const bool *open, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (open[i] && !strcmp(journal->step[i].sbdf, journal->step[at].sbdf))
			return false;
	}
	return true;
}

static void print_restored(const struct journal *journal, const bool *open, struct actor *actor,
			   const char *mark)
{
	for (size_t i = 0; i < journal->count; i++) {
		const char *sbdf = journal->step[i].sbdf;
		char *driver;

		if (!open[i] || !journal->step[i].undone || !is_new(journal, open, i))
			continue;
		driver = actor->driver(actor, sbdf);
		printf("%s%s: %s again\n", mark, sbdf, driver ?: "no driver");
		free(driver);
	}
}

/* How many steps could not be undone. */
static size_t undo_and_print(const struct bind *bind, struct actor *actor, struct journal *journal,
			     char *const *names, size_t count)
{
	bool *open = memory_take(journal->count, sizeof(bool)), any = false;
	size_t left;

	for (size_t i = 0; i < journal->count; i++) {
		open[i] = !journal->step[i].undone;
		any = any || open[i];
	}
	left = binding_undo(actor, journal, names, count, 0);
	print_restored(journal, open, actor, bind->dry_run ? "# " : "");
	if (!any)
		puts("The journal is empty: there is nothing to restore.");
	if (left)
		say_error("%zu steps are left in %s", left, bind->journal);
	free(open);
	return left;
}

static int restore(const struct bind *bind, const struct machine *machine)
{
	struct actor *actor = open_actor(bind, machine);
	struct journal *journal = open_journal(bind);
	size_t count;
	char **names = names_of(bind, machine, &count);
	struct binding *binding = binding_plan_undo(machine, journal, names, count);
	int status = EXIT_FINDINGS;

	if (may_go_on(binding, bind->force))
		status = undo_and_print(bind, actor, journal, names, count) ? EXIT_UNKNOWN
									    : EXIT_FINE;
	binding_free(binding);
	free(names);
	actor->close(actor);
	journal_close(journal);
	return status;
}

int restore_run(int argc, char **argv)
{
	static const struct argp argp = {
		restore_options,
		parse,
		OPTIONS_DEVICES,
		"Undoes what `bind` and `unbind` did to functions, all of it where none is named.\v"
		"It goes back step by step, also after a crash in the middle of a step, and touches nothing that somebody else "
		"changed since. What the host has come to need is refused: a disk that is mounted since, its default route. "
		"What could not be undone stays in the journal. Exit status: 0 done, 1 refused, 2 no such device, 3 something "
		"is left.",
		options_plain_children,
		NULL,
		NULL
	};
	struct bind bind = { .journal = JOURNAL_PATH };
	struct machine *machine;
	struct root *root;
	int status;

	options_parse(&argp, argc, argv, &bind);
	root = root_open(bind.options.sysroot);
	machine = machine_read(root);
	status = restore(&bind, machine);
	free(bind.options.device);
	machine_free(machine);
	root_close(root);
	return status;
}
