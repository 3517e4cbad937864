/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/options.h - the command line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <sallyport/address.h>

enum option_tables {
	TABLES_SHARED,
	TABLES_SEPARATE,
};

enum option_vtd {
	VTD_LEGACY,
	VTD_SCALABLE,
};

enum option_run {
	RUN_MATRIX,
	RUN_CONTROLS,
	RUN_ENGINES,
	RUN_PATCH,
	RUN_IDLE,
	RUN_GUESTS,
};

enum option_typing {
	TYPING_MONITOR,
	TYPING_GUEST,
};

enum option_leave_out {
	LEAVE_OUT_NOTHING,
	LEAVE_OUT_EXCHANGE,
	LEAVE_OUT_SMP,
	LEAVE_OUT_VIRTIO,
	LEAVE_OUT_SERVE,
};

/* Each field is an index into its option's choices. */
struct options {
	unsigned int help;
	unsigned int tables;	/* enum option_tables */
	unsigned int vtd;	/* enum option_vtd */
	unsigned int run;	/* enum option_run */
	unsigned int typing;	/* enum option_typing */
	unsigned int leave_out; /* enum option_leave_out */
	sp_sbdf_t physical;	/* vfs=: whose virtual functions */
	unsigned int vf_count;	/* ... and how many; 0: none */
};

#define OPTION_VFS 64u /* a device has more rarely, and one guest gets eight */

struct option_error {
	char text[192];
};

/* False: `error` says what is wrong. The first word is the image's name, unless it is an option. */
bool options_parse(const char *command_line, struct options *options, struct option_error *error);
void options_print_help(void);
const char *options_word_of_tables(const struct options *options);
const char *options_word_of_run(const struct options *options);
