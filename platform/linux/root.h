/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/root.h - the tree that is looked at: this machine's, a directory's, or a snapshot's.
 *
 *   commands --> machine --> root_read(), root_link(), root_list() --+--> / or DIR    root_directory.c
 *                                |                                   +--> FILE        root_file.c
 *                                +--> what was answered, noted: that is what a snapshot is
 *
 * A path has no '/' at its head. A link within it leads no further than the tree. Nothing is ever opened for
 * writing. What is answered lives as long as the root.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct root;

enum root_answer {
	ROOT_OK,
	ROOT_ABSENT,
	ROOT_DENIED, /* it is there, but not for us */
};

struct root_bytes {
	const char *data; /* and a zero behind them */
	size_t count;
};

struct root_names {
	char **name; /* sorted; numbers within names by value */
	size_t count;
};

/* NULL: the machine that this runs on. A directory, or a file that is a snapshot. Ends the program where it is neither. */
struct root *root_open(const char *path);
bool root_is_live(const struct root *root);
void root_close(struct root *root);

enum root_answer root_read(struct root *root, const char *path, struct root_bytes *bytes);
enum root_answer root_link(struct root *root, const char *path, const char **target);
enum root_answer root_list(struct root *root, const char *path, struct root_names *names);

/* What commands ask for most. */
/* The first line; NULL where it cannot be read. */
const char *root_text(struct root *root, const char *path);
/* The same below a directory. */
const char *root_text_in(struct root *root, const char *directory, const char *name);
/* Decimal or 0x..; false where there is no number. */
bool root_number_in(struct root *root, const char *directory, const char *name, uint64_t *number);
/* Of a link below a directory, the last part; NULL. */
const char *root_link_name_in(struct root *root, const char *directory, const char *name);
/* Where a link leads, from the head of the tree: "sys/devices/..". NULL: no link. */
const char *root_follow(struct root *root, const char *path);

/* What was answered so far, in the order of paths. */
struct root_note {
	enum root_kind {
		ROOT_FILE,
		ROOT_LINK,
		ROOT_DIRECTORY
	} kind;
	enum root_answer answer; /* never ROOT_ABSENT */
	char *path;
	struct root_bytes bytes; /* of a file; of a link, its target */
	struct root_names names; /* of a directory */
	char *line; /* of a file its first, of a link where it leads; made when asked for */
};
const struct root_note *root_notes(struct root *root, size_t *count);
