/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/binding_perform.c - the steps, and their undoing.
 *
 * The kernel's orders are files: what is written says who, the file says what. What an order has done is looked at, not
 * believed: some of them answer that all is well where nothing happened.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"
#include "finding.h"
#include "memory.h"
#include "say.h"

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool has_driver(struct actor *actor, const char *sbdf, const char *driver)
{
	char *now = actor->driver(actor, sbdf);
	bool same = is_same(now, driver);

	free(now);
	return same;
}

static bool has_override(struct actor *actor, const char *sbdf, const char *override)
{
	char *now = actor->override(actor, sbdf);
	bool same = is_same(now, override);

	free(now);
	return same;
}

/* Takes the path. */
static int write_and_free(struct actor *actor, char *path, const char *text)
{
	int error = actor->write(actor, path, text);

	free(path);
	return error;
}

static int unbind(struct actor *actor, const char *sbdf)
{
	return write_and_free(actor, memory_print(ACTOR_DEVICES "/%s/driver/unbind", sbdf), sbdf);
}

/* A line feed alone takes the override away. */
static int override(struct actor *actor, const char *sbdf, const char *driver)
{
	return write_and_free(actor, memory_print(ACTOR_DEVICES "/%s/driver_override", sbdf),
			      driver ?: "\n");
}

/* NULL: whichever driver the kernel finds for it. */
static int bind(struct actor *actor, const char *sbdf, const char *driver)
{
	if (!driver)
		return write_and_free(actor, memory_copy("sys/bus/pci/drivers_probe"), sbdf);
	return write_and_free(actor, memory_print(ACTOR_DRIVERS "/%s/bind", driver), sbdf);
}

static int order(struct actor *actor, const char *sbdf, const struct binding_step *step)
{
	switch (step->act) {
	case JOURNAL_UNBIND:
		return unbind(actor, sbdf);
	case JOURNAL_OVERRIDE:
		return override(actor, sbdf, step->to);
	case JOURNAL_BIND:
		break;
	}
	return bind(actor, sbdf, step->to);
}

static bool is_done(struct actor *actor, const char *sbdf, const struct binding_step *step)
{
	switch (step->act) {
	case JOURNAL_UNBIND:
		return has_driver(actor, sbdf, NULL);
	case JOURNAL_OVERRIDE:
		return has_override(actor, sbdf, step->to);
	case JOURNAL_BIND:
		break;
	}
	return !step->to || has_driver(actor, sbdf, step->to);
}

static const char *act_text(enum journal_act act)
{
	return act == JOURNAL_UNBIND ? "unbind from"
	       : act == JOURNAL_BIND ? "bind to"
				     : "driver_override";
}

/* Which driver the kernel chose: what comes later is somebody else's, and stays. Also where the order failed half-way. */
static bool note_choice(struct actor *actor, struct journal *journal, const char *sbdf,
			const struct binding_step *step)
{
	char *driver;
	bool good;

	if (!journal || step->act != JOURNAL_BIND || step->to)
		return true;
	driver = actor->driver(actor, sbdf);
	good = !driver || journal_got(journal, driver);
	free(driver);
	return good;
}

static bool take_step(struct actor *actor, struct journal *journal, const char *sbdf,
		      const struct binding_step *step)
{
	bool late = left_out("journal-first");
	int error;

	if (journal && !late && !journal_note(journal, sbdf, step->act, step->was, step->to))
		return false;
	error = order(actor, sbdf, step);
	if (journal && late && !journal_note(journal, sbdf, step->act, step->was, step->to))
		return false;
	if (!note_choice(actor, journal, sbdf, step))
		return false;
	if (!error && is_done(actor, sbdf, step))
		return true;
	say_error("%s: %s %s: %s", sbdf, act_text(step->act),
		  (step->act == JOURNAL_UNBIND ? step->was : step->to) ?: "the kernel's choice",
		  error ? strerror(error) : "the kernel took the order, and nothing changed");
	return false;
}

bool binding_perform(const struct binding *binding, struct actor *actor, struct journal *journal)
{
	for (size_t i = 0; i < binding->step_count; i++) {
		const struct binding_step *step = &binding->step[i];

		if (!take_step(actor, journal, binding->machine->function[step->function].name,
			       step))
			return false;
	}
	return true;
}

/* --- back --- */

bool binding_takes(const struct journal_step *step, const char *driver)
{
	const char *given = step->to ?: step->got;

	return step->act == JOURNAL_BIND && given && driver && !strcmp(given, driver);
}

static bool undo_bind(struct actor *actor, const struct journal_step *step)
{
	char *now = actor->driver(actor, step->sbdf);
	bool takes = binding_takes(step, now);
	int error;

	free(now);
	/* Never taken, or somebody else has given it away since. */
	if (!takes)
		return true;
	error = unbind(actor, step->sbdf);
	if (!error && has_driver(actor, step->sbdf, NULL))
		return true;
	say_error("%s: it cannot be taken from %s: %s", step->sbdf, step->to ?: step->got,
		  error ? strerror(error) : "nothing changed");
	return false;
}

static bool undo_override(struct actor *actor, const struct journal_step *step)
{
	int error;

	if (!has_override(actor, step->sbdf, step->to))
		return true;
	error = override(actor, step->sbdf, step->was);
	if (!error && has_override(actor, step->sbdf, step->was))
		return true;
	say_error("%s: driver_override cannot be %s again: %s", step->sbdf, step->was ?: "empty",
		  error ? strerror(error) : "nothing changed");
	return false;
}

static bool undo_unbind(struct actor *actor, const struct journal_step *step)
{
	int error;

	if (!has_driver(actor, step->sbdf, NULL))
		return true;
	error = bind(actor, step->sbdf, step->was);
	if (!error && has_driver(actor, step->sbdf, step->was))
		return true;
	say_error("%s: %s cannot be given it back: %s; modprobe %s, then sallyport restore %s",
		  step->sbdf, step->was, error ? strerror(error) : "nothing changed", step->was,
		  step->sbdf);
	return false;
}

static bool undo(struct actor *actor, const struct journal_step *step)
{
	switch (step->act) {
	case JOURNAL_UNBIND:
		return undo_unbind(actor, step);
	case JOURNAL_OVERRIDE:
		return undo_override(actor, step);
	case JOURNAL_BIND:
		break;
	}
	return undo_bind(actor, step);
}

bool binding_is_meant(const char *sbdf, char *const *of, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(of[i], sbdf))
			return true;
	}
	return !count;
}

/* A step that could not be undone holds up those before it, of the same function: they build on each other. */
static bool is_held_up(const struct journal *journal, const bool *failed, size_t at)
{
	for (size_t i = at + 1; i < journal->count; i++) {
		if (failed[i] && !strcmp(journal->step[i].sbdf, journal->step[at].sbdf))
			return true;
	}
	return false;
}

size_t binding_undo(struct actor *actor, struct journal *journal, char *const *sbdf,
		    size_t sbdf_count, size_t since)
{
	bool *failed = memory_take(journal->count, sizeof(bool));
	size_t count = 0;

	for (size_t i = journal->count; i-- > since;) {
		struct journal_step *step = &journal->step[i];

		if (step->undone || !binding_is_meant(step->sbdf, sbdf, sbdf_count))
			continue;
		failed[i] = is_held_up(journal, failed, i) || !undo(actor, step) ||
			    !journal_undo(journal, step);
		count += failed[i];
	}
	free(failed);
	return count;
}
