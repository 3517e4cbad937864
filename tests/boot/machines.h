/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/machines.h - the machines that are booted, and the rows each has to show.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum unit_kind {
	UNIT_NONE,
	UNIT_AMDVI,
	UNIT_VTD,
	UNIT_VTD_SCALABLE,
	UNIT_VTD_CACHING /* as under a hypervisor that shadows its tables */
};

/* Rows are counted as the hypervisor counts them: 1 is the first, element 0 is unused. */
enum {
	ROW_COUNT = 15,
	ROW_ARRIVES = 1
};

struct row {
	const char *name;
	bool has_control;
};

/* What one machine consists of, apart from the image that it boots. */
struct machine {
	const char *name;
	enum unit_kind unit;
	const char *cpu;
	const char *append;
	const char *icount; /* NULL: real time, one host thread for each CPU */
	unsigned int expected_seconds;
	unsigned int blind_row; /* that no QEMU so far can show on this machine; 0: none */
};

/* What a probe boots. */
enum probe_kind {
	PROBE_PLAIN,
	PROBE_ENGINES,	       /* with an NVMe controller and an 82574 */
	PROBE_ENGINE_CONTROLS, /* the same, by the image with mutants */
};

/* A machine on which the hypervisor has to say one line, and how it has to end. */
struct probe {
	struct machine machine;
	const char *starts; /* how the line starts */
	const char *names;  /* what else must stand in it */
	bool ends_well;
	enum probe_kind kind;
};

extern const struct row row_table[ROW_COUNT + 1];
extern const struct machine machine_table[];
extern const size_t machine_count;
/* Those on which most parts boot Linux guests; the same names. */
extern const struct machine guest_machine_table[];
extern const size_t guest_machine_count;
extern const struct probe probe_table[];
extern const size_t probe_count;

const struct machine *machine_named(const char *name);
