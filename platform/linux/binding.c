/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/binding.c - which functions change their driver, why some must not, and in which steps.
 */
#include "binding.h"

#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "memory.h"

#define CLASS_STORAGE 0x01u
#define CLASS_NETWORK 0x02u

static void refuse(struct binding *binding, int function, char *why, bool final)
{
	binding->refusal =
		memory_grow(binding->refusal, binding->refusal_count, sizeof(*binding->refusal));
	binding->refusal[binding->refusal_count++] =
		(struct binding_refusal){ .function = function, .why = why, .final = final };
}

bool binding_has_driver(struct root *root, const char *driver)
{
	struct root_names names;
	bool found = false;

	if (root_list(root, ACTOR_DRIVERS, &names) != ROOT_OK)
		return false;
	for (size_t i = 0; i < names.count; i++)
		found = found || !strcmp(names.name[i], driver);
	return found;
}

/* --- who --- */

static bool is_chosen_group(const struct machine *machine, const bool *chosen, int group)
{
	for (size_t i = 0; i < machine->function_count; i++) {
		if (chosen[i] && machine->function[i].group == group)
			return true;
	}
	return false;
}

static bool has_it(const struct machine_function *function, const struct binding_order *order)
{
	switch (order->want) {
	case BINDING_DRIVER:
		return function->driver && !strcmp(function->driver, order->driver);
	case BINDING_NONE:
		return !function->driver && !function->override;
	case BINDING_DEFAULT:
		break;
	}
	return false;
}

/* The kernel gives a group to VFIO when each endpoint in it has a driver of VFIO's or none: those without may stay so. */
static bool is_mate(const struct machine *machine, const bool *chosen,
		    const struct binding_order *order, const struct machine_function *function)
{
	return order->want == BINDING_DRIVER && !order->alone && !function->is_bridge &&
	       function->driver && function->group != MACHINE_NONE &&
	       is_chosen_group(machine, chosen, function->group);
}

static void add_index(int **list, size_t *count, int index)
{
	*list = memory_grow(*list, *count, sizeof(int));
	(*list)[(*count)++] = index;
}

static void choose_targets(struct binding *binding, const bool *chosen,
			   const struct binding_order *order)
{
	for (size_t i = 0; i < binding->machine->function_count; i++) {
		const struct machine_function *function = &binding->machine->function[i];
		bool mate = !chosen[i] && is_mate(binding->machine, chosen, order, function);

		if ((!chosen[i] && !mate) || has_it(function, order))
			continue;
		add_index(&binding->target, &binding->target_count, (int)i);
		if (mate)
			add_index(&binding->mate, &binding->mate_count, (int)i);
	}
}

/* --- why not --- */

static void refuse_use(struct binding *binding, const struct use *use)
{
	char *sentence = use_sentence(use);
	char *why = memory_print("the host needs it: %s (%s)", sentence, use->source);

	free(sentence);
	refuse(binding, use->function, why, false);
}

static bool is_target(const struct binding *binding, int function)
{
	for (size_t i = 0; i < binding->target_count; i++) {
		if (binding->target[i] == function)
			return true;
	}
	return false;
}

/* Of what is in use something could not be followed: it may lead to this one, unless VFIO has it. */
static void check_lost(struct binding *binding, const struct uses *uses, int index)
{
	const struct machine_function *function = &binding->machine->function[index];
	uint32_t class = function->class_code >> 16;

	if (!function->driver || !strcmp(function->driver, BINDING_USUAL))
		return;
	for (size_t i = 0; i < uses->lost_count; i++) {
		const struct use_lost *lost = &uses->lost[i];

		if (class == (lost->side == USE_OF_INTERFACES ? CLASS_NETWORK : CLASS_STORAGE)) {
			refuse(binding, index,
			       memory_print("the host may need it: %s", lost->sentence), false);
			return;
		}
	}
}

static void check_uses(struct binding *binding)
{
	struct uses *uses = uses_read(binding->machine);

	for (size_t i = 0; i < uses->count; i++) {
		if (is_target(binding, uses->use[i].function))
			refuse_use(binding, &uses->use[i]);
	}
	for (size_t i = 0; i < binding->target_count; i++)
		check_lost(binding, uses, binding->target[i]);
	uses_free(uses);
}

static void check_one(struct binding *binding, int index, const struct binding_order *order)
{
	const struct machine_function *function = &binding->machine->function[index];

	if (function->is_bridge)
		refuse(binding, index,
		       memory_copy(
			       "it is a bridge, which stays with the host; the functions behind it are what can be "
			       "given away"),
		       true);
	if (order->want == BINDING_DRIVER && function->group == MACHINE_NONE)
		refuse(binding, index,
		       memory_copy(
			       "it is in no IOMMU group, so nothing would contain it; `sallyport audit` says why"),
		       false);
	if (function->vf_count)
		refuse(binding, index,
		       memory_print(
			       "%u virtual functions of it are on (sriov_numvfs); they would go away",
			       function->vf_count),
		       false);
}

static void check(struct binding *binding, const struct binding_order *order)
{
	for (size_t i = 0; i < binding->target_count; i++)
		check_one(binding, binding->target[i], order);
	if (!left_out("binding-in-use"))
		check_uses(binding);
}

/* --- how --- */

static void add_step(struct binding *binding, int function, enum journal_act act, const char *was,
		     const char *to)
{
	binding->step = memory_grow(binding->step, binding->step_count, sizeof(*binding->step));
	binding->step[binding->step_count++] =
		(struct binding_step){ .function = function, .act = act, .was = was, .to = to };
}

static void add_steps(struct binding *binding, int index, const struct binding_order *order)
{
	const struct machine_function *function = &binding->machine->function[index];
	const char *to = order->want == BINDING_DRIVER ? order->driver : NULL;

	if (function->driver)
		add_step(binding, index, JOURNAL_UNBIND, function->driver, NULL);
	if ((to || function->override) &&
	    !(to && function->override && !strcmp(to, function->override)))
		add_step(binding, index, JOURNAL_OVERRIDE, function->override, to);
	if (to || order->want == BINDING_DEFAULT)
		add_step(binding, index, JOURNAL_BIND, NULL, to);
}

struct binding *binding_plan(const struct machine *machine, const bool *chosen,
			     const struct binding_order *order)
{
	struct binding *binding = memory_take(1, sizeof(*binding));

	binding->machine = machine;
	choose_targets(binding, chosen, order);
	check(binding, order);
	for (size_t i = 0; i < binding->target_count; i++)
		add_steps(binding, binding->target[i], order);
	return binding;
}

static bool is_taken(const struct journal *journal, const struct machine_function *function)
{
	for (size_t i = 0; i < journal->count; i++) {
		const struct journal_step *step = &journal->step[i];

		if (!step->undone && !strcmp(step->sbdf, function->name) &&
		    binding_takes(step, function->driver))
			return true;
	}
	return false;
}

struct binding *binding_plan_undo(const struct machine *machine, const struct journal *journal,
				  char *const *sbdf, size_t sbdf_count)
{
	struct binding *binding = memory_take(1, sizeof(*binding));

	binding->machine = machine;
	for (size_t i = 0; i < machine->function_count; i++) {
		const struct machine_function *function = &machine->function[i];

		/* With vfio-pci it is nobody's disk, whatever the host had of it. */
		if (binding_is_meant(function->name, sbdf, sbdf_count) && function->driver &&
		    strcmp(function->driver, BINDING_USUAL) != 0 && is_taken(journal, function))
			add_index(&binding->target, &binding->target_count, (int)i);
	}
	if (binding->target_count && !left_out("restore-in-use"))
		check_uses(binding);
	return binding;
}

void binding_free(struct binding *binding)
{
	for (size_t i = 0; i < binding->refusal_count; i++)
		free(binding->refusal[i].why);
	free(binding->refusal);
	free(binding->target);
	free(binding->mate);
	free(binding->step);
	free(binding);
}
