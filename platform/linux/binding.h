/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/binding.h - functions go from one driver to another: first the whole plan, then its steps, each noted
 * before it is taken.
 *
 *   options --> binding_plan() --> struct binding --> binding_perform() --> struct actor
 *                  refuses             steps               |
 *                                                          +--> struct journal --> binding_undo()
 *
 * Of a function: unbind, override, bind. Backwards these are: unbind, the old override, bind to the old driver, which the
 * kernel accepts only once the override is the old one.
 */
#pragma once

#include "actor.h"
#include "journal.h"
#include "use.h"

struct binding_step {
	int function; /* index in machine.function */
	enum journal_act act;
	const char *was, *to; /* NULL: none */
};

struct binding_refusal {
	int function;
	char *why;  /* with the evidence */
	bool final; /* --force does not help */
};

struct binding {
	const struct machine *machine;
	int *target; /* functions whose driver changes; those that have it already are left */
	size_t target_count;
	int *mate; /* of these, who was not asked for but is in the group of one that was */
	size_t mate_count;
	struct binding_step *step;
	size_t step_count;
	struct binding_refusal *refusal;
	size_t refusal_count;
};

enum binding_want {
	BINDING_DRIVER,	 /* `driver` */
	BINDING_NONE,	 /* no driver */
	BINDING_DEFAULT, /* what the kernel chooses without an override */
};

struct binding_order {
	enum binding_want want;
	const char *driver;
	bool alone; /* mates are left */
};

#define BINDING_USUAL "vfio-pci"

/* Undoing this step takes the function from the driver that it has now. */
bool binding_takes(const struct journal_step *step, const char *driver);

/*
 * What speaks against undoing what the journal has of these functions, all where `sbdf` is empty: what the host has come to
 * need of those that would be taken from a driver that is not VFIO's. It has targets and refusals, and no steps.
 */
struct binding *binding_plan_undo(const struct machine *machine, const struct journal *journal,
				  char *const *sbdf, size_t sbdf_count);

/* The kernel has this driver for PCI functions. */
bool binding_has_driver(struct root *root, const char *driver);

/* What of the host may be in use is judged by uses_read(), whose files a snapshot therefore has. */
struct binding *binding_plan(const struct machine *machine, const bool *chosen,
			     const struct binding_order *order);
void binding_free(struct binding *binding);

/* False where a step failed, which is said; those before it were taken. `journal` NULL: nothing really happens. */
bool binding_perform(const struct binding *binding, struct actor *actor, struct journal *journal);

/* Is this one of them? None named: all are meant. */
bool binding_is_meant(const char *sbdf, char *const *of, size_t count);

/*
 * Undoes what the journal has of these functions, all where `sbdfs` is empty, the newest first; as far as it is still
 * so. From `since` on: steps before it are left. How many steps could not be undone, each said.
 */
size_t binding_undo(struct actor *actor, struct journal *journal, char *const *sbdf,
		    size_t sbdf_count, size_t since);
