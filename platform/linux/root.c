/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/root.c - the tree that is looked at, and a note of all that it answered.
 */
#include "root.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "memory.h"
#include "root_back.h"
#include "say.h"

struct root {
	const struct root_back *is;
	void *back;
	bool live;
	void *notes; /* a tree of struct root_note, by path and kind */
	struct root_note *sorted;
	size_t count;
};

struct root *root_open(const char *path)
{
	struct root *root = memory_take(1, sizeof(*root));
	struct stat stat_of;

	root->live = !path;
	root->is = &root_directory;
	if (path && stat(path, &stat_of) < 0)
		say_fatal(
			EXIT_USAGE,
			"%s: no such directory or file; --sysroot wants a tree with sys/ and proc/, "
			"or what `sallyport snapshot` wrote",
			path);
	if (path && !S_ISDIR(stat_of.st_mode))
		root->is = &root_file;
	root->back = root->is == &root_file ? root_file_open(path)
					    : root_directory_open(path ? path : "/");
	if (!root->back)
		exit(EXIT_USAGE);
	return root;
}

bool root_is_live(const struct root *root)
{
	return root->live;
}

static int compare(const void *a, const void *b)
{
	const struct root_note *left = a, *right = b;
	int order = strverscmp(left->path, right->path);

	return order ? order : (int)left->kind - (int)right->kind;
}

static void forget(void *item)
{
	struct root_note *note = item;

	for (size_t i = 0; i < note->names.count; i++)
		free(note->names.name[i]);
	free(note->names.name);
	free(note->line);
	free((char *)(uintptr_t)note->bytes.data);
	free(note->path);
	free(note);
}

void root_close(struct root *root)
{
	tdestroy(root->notes, forget);
	root->is->close(root->back);
	free(root->sorted);
	free(root);
}

/* Asked before: the same answer, from the same memory. So one run sees one state of each file. */
static struct root_note *note_of(struct root *root, enum root_kind kind, const char *path)
{
	struct root_note asked = { .kind = kind, .path = (char *)(uintptr_t)path };
	void *found = tfind(&asked, &root->notes, compare);
	struct root_note *note;

	if (found)
		return *(struct root_note **)found;
	note = memory_take(1, sizeof(*note));
	note->kind = kind;
	note->path = memory_copy(path);
	switch (kind) {
	case ROOT_FILE:
		note->answer = root->is->read(root->back, path, &note->bytes);
		break;
	case ROOT_LINK:
		note->answer = root->is->link(root->back, path, &note->bytes);
		break;
	case ROOT_DIRECTORY:
		note->answer = root->is->list(root->back, path, &note->names);
		break;
	}
	if (!tsearch(note, &root->notes, compare))
		say_fatal(EXIT_UNKNOWN, "out of memory");
	return note;
}

enum root_answer root_read(struct root *root, const char *path, struct root_bytes *bytes)
{
	const struct root_note *note = note_of(root, ROOT_FILE, path);

	*bytes = note->bytes;
	return note->answer;
}

enum root_answer root_link(struct root *root, const char *path, const char **target)
{
	const struct root_note *note = note_of(root, ROOT_LINK, path);

	*target = note->bytes.data;
	return note->answer;
}

enum root_answer root_list(struct root *root, const char *path, struct root_names *names)
{
	const struct root_note *note = note_of(root, ROOT_DIRECTORY, path);

	*names = note->names;
	return note->answer;
}

const char *root_text(struct root *root, const char *path)
{
	struct root_note *note = note_of(root, ROOT_FILE, path);
	size_t length;

	if (note->answer != ROOT_OK)
		return NULL;
	if (!note->line) {
		length = strcspn(note->bytes.data, "\n");
		note->line = memory_take(length + 1, 1);
		memcpy(note->line, note->bytes.data, length);
	}
	return note->line;
}

const char *root_text_in(struct root *root, const char *directory, const char *name)
{
	char *path = memory_print("%s/%s", directory, name);
	const char *text = root_text(root, path);

	free(path);
	return text;
}

bool root_number_in(struct root *root, const char *directory, const char *name, uint64_t *number)
{
	const char *text = root_text_in(root, directory, name);
	char *end;

	if (!text || !*text)
		return false;
	*number = strtoull(text, &end, 0);
	return *end == 0;
}

const char *root_link_name_in(struct root *root, const char *directory, const char *name)
{
	char *path = memory_print("%s/%s", directory, name);
	const char *target, *slash;
	enum root_answer answer = root_link(root, path, &target);

	free(path);
	if (answer != ROOT_OK)
		return NULL;
	slash = strrchr(target, '/');
	return slash ? slash + 1 : target;
}

char *root_join(const char *link, const char *target)
{
	const char *slash = strrchr(link, '/');
	size_t length = *target == '/' || !slash ? 0 : (size_t)(slash - link);
	char *path = memory_take(strlen(link) + strlen(target) + 2, 1);

	memcpy(path, link, length);
	while (*target) {
		size_t part = strcspn(target, "/");

		if (part == 2 && !strncmp(target, "..", 2)) {
			while (length && path[--length] != '/')
				;
		} else if (part && !(part == 1 && *target == '.')) {
			if (length)
				path[length++] = '/';
			memcpy(path + length, target, part);
			length += part;
		}
		target += part + (target[part] == '/');
	}
	path[length] = 0;
	return path;
}

const char *root_follow(struct root *root, const char *path)
{
	struct root_note *note = note_of(root, ROOT_LINK, path);

	if (note->answer != ROOT_OK)
		return NULL;
	if (!note->line)
		note->line = root_join(path, note->bytes.data);
	return note->line;
}

static int compare_names(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

void root_names_sort(struct root_names *names)
{
	if (names->count)
		qsort(names->name, names->count, sizeof(char *), compare_names);
}

static void add_note(const void *node, VISIT visit, void *argument)
{
	const struct root_note *note = *(const struct root_note *const *)node;
	struct root *root = argument;

	if ((visit != postorder && visit != leaf) || note->answer == ROOT_ABSENT)
		return;
	root->sorted = memory_grow(root->sorted, root->count, sizeof(*root->sorted));
	root->sorted[root->count++] = *note;
}

const struct root_note *root_notes(struct root *root, size_t *count)
{
	root->count = 0;
	free(root->sorted);
	root->sorted = NULL;
	twalk_r(root->notes, add_note, root);
	*count = root->count;
	return root->sorted;
}
