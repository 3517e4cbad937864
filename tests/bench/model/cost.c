/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/model/cost.c - what waiting costs, on the model: a table, and JSON for the report.
 *
 *   cost JSON
 *
 * Each piece of work is done twice, by our policy and by a synchronous one (tests/model/cost.h). What
 * make check holds of it is in tests/model/cost_test.c.
 */
#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/model/cost.h"

#define SHARED	 0u /* of bench_modes */
#define SEPARATE 4u

static const uint32_t modes[] = { SHARED, SEPARATE };
static const uint32_t unit_counts[] = { 1, 2, 8 };

enum column {
	COLUMN_WORK,
	COLUMN_MAPS,
	COLUMN_UNITS,
	COLUMN_COMMANDS,
	COLUMN_REQUIRED,
	COLUMN_WAITS,
	COLUMN_KICKS,
	COLUMN_NS,
	COLUMN_TRIPS,
	COLUMN_HELD,
	COLUMN_THEIR_COMMANDS,
	COLUMN_THEIR_KICKS,
	COLUMN_THEIR_NS,
	COLUMN_COUNT
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "cost: %s\n", what);
	exit(1);
}

static struct libscols_table *make_table(void)
{
	static const char *const names[COLUMN_COUNT] = {
		"work", "tables", "units",	"commands",	  "required", "waits", "kicks",
		"ns",	"trips",  "slots held", "sync: commands", "kicks",    "ns",
	};
	struct libscols_table *table = scols_new_table();

	if (!table)
		fail("no memory");
	for (uint32_t i = 0; i < COLUMN_COUNT; i++)
		if (!scols_table_new_column(table, names[i], 0,
					    i <= COLUMN_MAPS ? 0 : SCOLS_FL_RIGHT))
			fail("no memory");
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	return table;
}

static void put(struct libscols_line *line, enum column column, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	(void)scols_line_set_data(line, column, text);
}

static void add_line(struct libscols_table *table, const struct cost_case *wanted,
		     const struct cost *ours, const struct cost *theirs)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char trips[16];

	if (!line)
		fail("no memory");
	snprintf(trips, sizeof(trips), "%.1f", (double)ours->ns / (double)cost_round_trip(wanted));
	(void)scols_line_set_data(line, COLUMN_WORK, cost_name(wanted->work));
	(void)scols_line_set_data(line, COLUMN_MAPS, bench_modes[wanted->mode].name);
	(void)scols_line_set_data(line, COLUMN_TRIPS, trips);
	put(line, COLUMN_UNITS, wanted->units);
	put(line, COLUMN_COMMANDS, ours->commands);
	put(line, COLUMN_REQUIRED, ours->required);
	put(line, COLUMN_WAITS, ours->waits);
	put(line, COLUMN_KICKS, ours->kicks);
	put(line, COLUMN_NS, ours->ns);
	put(line, COLUMN_HELD, ours->held);
	put(line, COLUMN_THEIR_COMMANDS, theirs->commands);
	put(line, COLUMN_THEIR_KICKS, theirs->kicks);
	put(line, COLUMN_THEIR_NS, theirs->ns);
}

/* The same keys as a row of tests/bench/json.c; the synchronous policy stands where a roofline does. */
static void add_object(json_t *list, const struct cost_case *wanted, const struct cost *ours,
		       const struct cost *theirs)
{
	uint64_t trip = cost_round_trip(wanted);
	bool has_aim = wanted->work == COST_UNMAP_1;
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:f, s:n, s:s, s:s}", "scenario",
			  cost_name(wanted->work), "format", bench_modes[wanted->mode].name, "path",
			  "model", "unit", "call", "ns", (json_int_t)ours->ns, "roofline",
			  "synchronous", "roofline_ns", (json_int_t)theirs->ns, "ratio",
			  theirs->ns ? (double)ours->ns / (double)theirs->ns : 1.0, "instructions",
			  "aim", has_aim ? "<= 2 round trips" : "-", "verdict",
			  !has_aim		 ? "none"
			  : ours->ns <= 2 * trip ? "reached"
						 : "missed");

	if (!object ||
	    json_object_set_new(object, "cost",
				json_pack("{s:i, s:i, s:i, s:i, s:i, s:I, s:I}", "units",
					  (int)wanted->units, "commands", (int)ours->commands,
					  "commands_required", (int)ours->required, "waits",
					  (int)ours->waits, "kicks", (int)ours->kicks, "slots_held",
					  (json_int_t)ours->held, "round_trip_ns",
					  (json_int_t)trip)) ||
	    json_object_set_new(object, "synchronous",
				json_pack("{s:i, s:i, s:i}", "commands", (int)theirs->commands,
					  "waits", (int)theirs->waits, "kicks",
					  (int)theirs->kicks)) ||
	    json_array_append_new(list, object))
		fail("no memory");
}

static void measure(struct libscols_table *table, json_t *list, struct cost_case wanted)
{
	struct cost ours, theirs;

	wanted.policy = COST_OURS;
	ours = cost_measure(&wanted);
	wanted.policy = COST_SYNCHRONOUS;
	theirs = cost_measure(&wanted);
	add_line(table, &wanted, &ours, &theirs);
	add_object(list, &wanted, &ours, &theirs);
}

int main(int count, char **words)
{
	struct libscols_table *table = make_table();
	json_t *list = json_array();

	if (count != 2) {
		fputs("usage: cost JSON\n", stderr);
		return 2;
	}
	for (uint32_t mode = 0; mode < 2; mode++)
		for (uint32_t work = 0; work < COST_WORK_COUNT; work++)
			for (uint32_t i = 0; i < 3; i++)
				measure(table, list,
					(struct cost_case){ .work = work,
							    .mode = modes[mode],
							    .units = unit_counts[i] });
	printf("\nOn the model, where a unit takes %u ns for each command and a CPU %u ns to leave "
	       "its guest:\n",
	       COST_COMMAND_NS, COST_KICK_NS);
	if (scols_print_table(table) || json_dump_file(list, words[1], JSON_INDENT(1)))
		fail("the report cannot be written");
	printf("trips: round trips to the slowest observer; sync: a call for each page, each observer "
	       "in turn.\n");
	scols_unref_table(table);
	json_decref(list);
	return 0;
}
