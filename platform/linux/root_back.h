/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/root_back.h - what is behind a root: a directory or a snapshot. For root*.c alone.
 */
#pragma once

#include "root.h"

struct root_back {
	enum root_answer (*read)(void *back, const char *path, struct root_bytes *bytes);
	enum root_answer (*link)(void *back, const char *path, struct root_bytes *target);
	enum root_answer (*list)(void *back, const char *path, struct root_names *names);
	void (*close)(void *back);
};

/* Each answers NULL, with a line said, where it cannot. */
void *root_directory_open(const char *path);
void *root_file_open(const char *path);

extern const struct root_back root_directory, root_file;

/* Sorts; numbers within names by value. */
void root_names_sort(struct root_names *names);

/* "a/b/c" and "../x": "a/b/x" is what a link at a/b/c with that target means. */
char *root_join(const char *link, const char *target);
