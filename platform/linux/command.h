/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/command.h - what `sallyport` can be asked to do.
 */
#pragma once

/* The exit status of every command. */
enum command_exit {
	EXIT_FINE = 0,
	EXIT_FINDINGS = 1, /* something is not as it should be */
	EXIT_USAGE = 2,	   /* asked wrongly, or for what is not there; nothing was done */
	EXIT_UNKNOWN = 3,  /* could not tell: rights, hardware or evidence are lacking */
};

struct command {
	const char *name;
	const char *what; /* one line */
	int (*run)(int argc, char **argv);
};

int list_run(int argc, char **argv);
int tree_run(int argc, char **argv);
int audit_run(int argc, char **argv);
int faults_run(int argc, char **argv);
int bind_run(int argc, char **argv);
int unbind_run(int argc, char **argv);
int restore_run(int argc, char **argv);
int snapshot_run(int argc, char **argv);
int verify_run(int argc, char **argv);
int lab_run(int argc, char **argv);
int report_run(int argc, char **argv);

/* NULL: no such. In main.c. */
const struct command *command_find(const char *name);
