/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/verify.c - `sallyport verify`: a device of this machine is driven to where the kernel's IOMMU must not
 * let it, and what came of it is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "options.h"
#include "say.h"
#include "table.h"
#include "verify_ground.h"

#define SAMPLES 300u

static const struct column columns[] = {
	{ "ROW", "row", "what the device is aimed at", true, false, false },
	{ "RESULT", "result", "arrives, contained, LEAKED, unobservable, UNKNOWN", true, false,
	  false },
	{ "CONTROL", "control", "the same without what is to block: arrived, LACKS", true, false,
	  false },
	{ "EVIDENCE", "evidence", "what was seen", true, false, true },
	{ "SBDF", "sbdf", "the device", false, false, false },
};

struct command_line {
	struct options options;
	bool tap;
	unsigned long samples;
};

enum {
	OPTION_TAP = 0x200,
	OPTION_SAMPLES,
};

static const struct argp_option verify_options[] = {
	{ "tap", OPTION_TAP, NULL, 0, "print TAP, a line for each row", 0 },
	{ "samples", OPTION_SAMPLES, "N", 0, "unmaps that are measured, 300 unless said", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct command_line *line = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &line->options;
		return 0;
	case OPTION_TAP:
		line->tap = true;
		return 0;
	case OPTION_SAMPLES:
		line->samples = strtoul(argument, &end, 10);
		if (*end || end == argument || line->samples > 100000)
			argp_error(state, "--samples=%s: a number up to 100000", argument);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* ---- what is told ---- */

/* One device: who it is, and what came of it. */
struct proof {
	const struct machine_function *function;
	const char *unit;
	unsigned int group;
	struct verify verify;
	char trouble[320]; /* it could not be had, and this is why */
	int status;
};

static const char *verdict_of(int status)
{
	return status == EXIT_FINE	 ? "contained"
	       : status == EXIT_FINDINGS ? "NOT CONTAINED"
					 : "could not tell";
}

static json_t *rows_of(const struct proof *proof)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < proof->verify.count; i++) {
		const struct verify_row *row = &proof->verify.row[i];

		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s}", "sbdf",
						      proof->function->name, "row", row->name,
						      "result", verify_result_text(row->result),
						      "control", verify_control_text(row->control),
						      "evidence", row->evidence));
	}
	return rows;
}

static json_t *json_of(const struct proof *proof)
{
	json_t *device =
		json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:o}", "sbdf", proof->function->name,
			  "group", (int)proof->group, "unit", proof->unit, "engine",
			  engine_text(engine_of(proof->function)), "through", "VFIO type 1",
			  "verdict", verdict_of(proof->status), "rows", rows_of(proof));

	if (proof->trouble[0])
		json_object_set_new(device, "trouble", json_string(proof->trouble));
	if (proof->verify.samples)
		json_object_set_new(device, "unmap",
				    json_pack("{s:I, s:I, s:I}", "samples",
					      (json_int_t)proof->verify.samples, "median_ns",
					      (json_int_t)proof->verify.median, "p99_ns",
					      (json_int_t)proof->verify.p99));
	return device;
}

static void print_sum(const struct proof *proof)
{
	unsigned int of[VERIFY_UNKNOWN + 1] = { 0 };

	for (size_t i = 0; i < proof->verify.count; i++)
		of[proof->verify.row[i].result]++;
	printf("%s: %s: %u arrive, %u contained, %u leaked, %u unobservable, %u unknown\n",
	       proof->function->name, verdict_of(proof->status), of[VERIFY_ARRIVES],
	       of[VERIFY_BLOCKED], of[VERIFY_LEAKED], of[VERIFY_UNOBSERVABLE], of[VERIFY_UNKNOWN]);
}

static void print_rows(const json_t *rows, const struct command_line *line)
{
	const struct table table = { .column = columns,
				     .column_count = sizeof(columns) / sizeof(columns[0]),
				     .pick = line->options.columns,
				     .no_headings = line->options.no_headings };

	table_print(&table, rows);
}

/* `-o help` is for any machine; it ends the program. */
static void print_columns(const struct command_line *line)
{
	json_t *none = json_array();

	print_rows(none, line);
	json_decref(none);
}

static void print_table(const struct proof *proof, const struct command_line *line)
{
	json_t *rows = rows_of(proof);

	printf("%s: %s, group %u, unit %s, through VFIO type 1%s\n", proof->function->name,
	       engine_text(engine_of(proof->function)), proof->group, proof->unit,
	       access("/dev/iommu", F_OK) == 0 ? " (iommufd is there, and not used)" : "");
	print_rows(rows, line);
	json_decref(rows);
	if (proof->verify.samples)
		printf("an unmap of 4 KiB takes %.1f us, 99 of 100 no more than %.1f us (of %zu)\n",
		       (double)proof->verify.median / 1000, (double)proof->verify.p99 / 1000,
		       proof->verify.samples);
	print_sum(proof);
}

static void print_tap(const struct proof *proof, unsigned int *count)
{
	for (size_t i = 0; i < proof->verify.count; i++) {
		const struct verify_row *row = &proof->verify.row[i];
		const bool is_bad = row->result == VERIFY_LEAKED || row->result == VERIFY_UNKNOWN;

		printf("%s %u - %s: %s: %s, %s%s\n", is_bad ? "not ok" : "ok", ++*count,
		       proof->function->name, row->name, verify_result_text(row->result),
		       row->evidence, row->result == VERIFY_UNOBSERVABLE ? " # SKIP" : "");
	}
	if (proof->trouble[0])
		printf("not ok %u - %s: %s\n", ++*count, proof->function->name, proof->trouble);
}

/* ---- what is done ---- */

static void prove(struct proof *proof, const struct machine *machine,
		  const struct machine_function *function, const struct command_line *line)
{
	static struct ground ground;

	*proof = (struct proof){ .function = function, .unit = "-", .status = EXIT_UNKNOWN };
	if (function->unit != MACHINE_NONE)
		proof->unit = machine->unit[function->unit].name;
	if (function->group != MACHINE_NONE)
		proof->group = machine->group[function->group].number;
	if (!ground_open(&ground, machine, function, proof->trouble, sizeof(proof->trouble))) {
		say_error("%s: %s", function->name, proof->trouble);
		return;
	}
	proof->verify = (struct verify){ .ground = &ground.ground };
	verify_play(&proof->verify, line->samples);
	proof->status = verify_status(&proof->verify);
	ground_close(&ground);
}

/* A leak is told before that something could not be told. */
static int worse(int one, int other)
{
	return one == EXIT_FINDINGS || other == EXIT_FINE ? one : other;
}

static int prove_all(const struct machine *machine, const bool *chosen,
		     const struct command_line *line)
{
	json_t *devices = json_array();
	unsigned int count = 0;
	int status = EXIT_FINE;

	for (size_t i = 0; i < machine->function_count; i++) {
		struct proof proof;

		if (!chosen[i])
			continue;
		prove(&proof, machine, &machine->function[i], line);
		status = worse(status, proof.status);
		if (line->options.json)
			json_array_append_new(devices, json_of(&proof));
		else if (line->tap)
			print_tap(&proof, &count);
		else if (!proof.trouble[0])
			print_table(&proof, line);
	}
	if (line->options.json)
		table_print_json("verify", devices);
	else
		json_decref(devices);
	if (line->tap)
		printf("1..%u\n", count);
	return status;
}

int verify_run(int argc, char **argv)
{
	static const struct argp argp = {
		verify_options,
		parse,
		"DEVICE...",
		"Proves that a device's DMA is contained by this machine's IOMMU: the device is driven to memory that "
		"it was given, and to memory that it was not given, or not any more.\v"
		"The device has to be bound to vfio-pci (`sallyport bind`), with its whole group, and to be an edu, an NVMe "
		"controller or an 82574. It is reset. Nothing is written to an NVMe controller's medium, nothing sent on a "
		"network. Whatever the IOMMU does, no memory but this program's is reached. Exit status: 0 contained; 1 "
		"something reached what it must not; 3 could not tell.",
		options_children,
		NULL,
		NULL
	};
	struct command_line line = { .samples = SAMPLES };
	struct machine *machine;
	struct root *root;
	bool *chosen;
	int status;

	options_parse(&argp, argc, argv, &line);
	if (line.options.columns && strcmp(line.options.columns, "help") == 0)
		print_columns(&line);
	if (line.options.sysroot)
		say_fatal(EXIT_USAGE,
			  "verify drives devices of this machine; it takes no --sysroot");
	if (line.options.device_count == 0)
		say_fatal(
			EXIT_USAGE,
			"which device? `sallyport list` shows them; it has to be bound to vfio-pci");
	if (line.tap && line.options.json)
		say_fatal(EXIT_USAGE, "--tap or --json, not both");
	root = root_open(NULL);
	machine = machine_read(root);
	chosen = options_select(&line.options, machine);
	status = prove_all(machine, chosen, &line);
	free(chosen);
	free(line.options.device);
	machine_free(machine);
	root_close(root);
	return status;
}
