/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/patch.h - code is written over while two CPUs of a guest execute it (A2.10, A2.11).
 *
 *   patch 1 good "4000 patches of 8 bytes at 0x40414040 ..."           sallyport.elf
 *   patch-control 1 bad "7 patches of 8 bytes at 0x40414040 ..."       sallyport-mutants.elf
 *   end patch
 *
 * Both boots end with success only if all frames came back.
 */
#pragma once

#include "nic.h"

enum patch_step {
	PATCH_EIGHT,
	PATCH_LONGER,
	PATCH_TWO_PAGES,
	PATCH_LARGE,
	PATCH_WINDOW,
	PATCH_CONTROL_BYTES,
	PATCH_CONTROL_FLUSH,
	PATCH_CONTROL_NONE,
	PATCH_CONTROL_TWO_PAGES,
	PATCH_CONTROL_LARGE,
	PATCH_CONTROL_WINDOW,
	PATCH_END,
	PATCH_STEPS
};

enum {
	PATCH_ROWS = PATCH_CONTROL_BYTES,
	PATCH_CONTROLS = PATCH_END - PATCH_CONTROL_BYTES
};

extern const struct machine patch_machine_table[];
extern const size_t patch_machine_count;

struct patch {
	const struct machine *machine;
	double seconds;
	bool is_said[PATCH_STEPS]; /* once: twice is a defect of its own */
	unsigned int ends, refused;
	struct nic_finding step[PATCH_STEPS];
};

void patch_begin(struct patch *patch, const struct machine *machine);
/* Of either boot: the lines say whose they are. */
void patch_read_line(struct patch *patch, const char *line);
void patch_judge(struct patch *patch, const struct boot_result *rows,
		 const struct boot_result *controls);
bool patch_is_good(const struct patch *patch);

void patch_run(const struct runner *runner, const struct machine *machine, struct patch *patch);
void patch_print(const struct patch *patch, FILE *output);
bool patch_write(const char *path, const struct patch *patches, size_t count, const char *qemu);
