/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/root_file.c - a tree that is one file, as `sallyport snapshot` writes it, or a person.
 *
 *   sallyport-snapshot 1
 *   # a comment
 *   sys/class/net/ eth0 lo                  a directory; what is named below it needs no naming here
 *   sys/class/net/eth0 -> ../../devices/..  a link
 *   proc/cmdline = quiet iommu=pt           a file of one line
 *   proc/mounts |                           a file of lines, each behind a tab
 *   	/dev/sda1 / ext4 rw 0 0
 *   sys/devices/../config : 256             a file of as many bytes; rows that are zero may be left out
 *   	000: 86 80 d3 10
 *   sys/firmware/acpi/tables/DMAR ! denied  it was there, but not to be read
 *
 * A space or a backslash within a name is \x20 or \x5c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "root_back.h"
#include "say.h"
#include "text.h"

#define HEAD	   "sallyport-snapshot 1"
#define LINKS_MOST 40 /* as the kernel has it */
#define BYTES_MOST (1u << 20)

struct file {
	const char *path;
	FILE *stream;
	char *line;
	size_t line_room, line_number;
	bool again; /* the line is to be looked at once more */
	struct root_note *notes;
	size_t count;
};

static bool refuse(const struct file *file, const char *what)
{
	say_error("%s:%zu: %s", file->path, file->line_number, what);
	return false;
}

/* False at the end. */
static bool next_line(struct file *file)
{
	ssize_t length;

	if (file->again) {
		file->again = false;
		return true;
	}
	length = getline(&file->line, &file->line_room, file->stream);
	if (length < 0)
		return false;
	file->line_number++;
	if (length && file->line[length - 1] == '\n')
		file->line[length - 1] = 0;
	return true;
}

/* A line that belongs to the entry above it. */
static bool next_inner(struct file *file)
{
	if (!next_line(file))
		return false;
	if (*file->line == '\t')
		return true;
	file->again = true;
	return false;
}

static char *unescape(const char *text, size_t length)
{
	char *plain = memory_take(length + 1, 1);
	size_t out = 0;

	for (size_t i = 0; i < length; i++) {
		int code = length - i < TEXT_ESCAPE ? -1 : text_escape(text + i);

		plain[out++] = code < 0 ? text[i] : (char)(unsigned char)code;
		i += code < 0 ? 0 : TEXT_ESCAPE - 1;
	}
	return plain;
}

static void set_text(struct root_note *note, const char *text, bool line_feed)
{
	char *data = memory_print("%s%s", text, line_feed ? "\n" : "");

	note->bytes = (struct root_bytes){ data, strlen(data) };
}

static void read_names(struct root_note *note, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, " ");

		if (length) {
			note->names.name =
				memory_grow(note->names.name, note->names.count, sizeof(char *));
			note->names.name[note->names.count++] = unescape(text, length);
		}
		text += length + (text[length] == ' ');
	}
}

static void read_lines(struct file *file, struct root_note *note)
{
	char *data = memory_take(1, 1);
	size_t count = 0;

	while (next_inner(file)) {
		size_t length = strlen(file->line + 1);
		char *more = memory_take(count + length + 2, 1);

		memcpy(more, data, count);
		memcpy(more + count, file->line + 1, length);
		more[count + length] = '\n';
		free(data);
		data = more;
		count += length + 1;
	}
	note->bytes = (struct root_bytes){ data, count };
}

/* "000: 86 80 .." */
static bool read_row(const struct file *file, char *data, size_t count)
{
	char *at = file->line + 1, *end;
	unsigned long offset = strtoul(at, &end, 16);

	if (end == at || *end != ':')
		return refuse(file, "a row of bytes begins with its offset: 040: 01 02");
	for (at = end + 1; *at; offset++) {
		unsigned long byte;

		while (*at == ' ')
			at++;
		if (!*at)
			return true;
		byte = strtoul(at, &end, 16);
		if (end == at || byte > 0xff)
			return refuse(file, "a byte is two hexadecimal digits");
		if (offset >= count)
			return refuse(file, "more bytes than the file was said to have");
		data[offset] = (char)byte;
		at = end;
	}
	return true;
}

static bool read_bytes(struct file *file, struct root_note *note, const char *text)
{
	char *end, *data;
	unsigned long count = strtoul(text, &end, 0);
	bool good = true;

	if (end == text || *end || count > BYTES_MOST)
		return refuse(file, "how many bytes? PATH : 256");
	data = memory_take(count + 1, 1);
	note->bytes = (struct root_bytes){ data, count };
	while (good && next_inner(file))
		good = read_row(file, data, count);
	return good;
}

static bool read_value(struct file *file, struct root_note *note, const char *mark,
		       const char *value)
{
	if (!strcmp(mark, "->"))
		note->kind = ROOT_LINK;
	if (!strcmp(mark, "->") || !strcmp(mark, "=")) {
		set_text(note, value, *mark == '=');
		return true;
	}
	if (!strcmp(mark, "|")) {
		read_lines(file, note);
		return true;
	}
	if (!strcmp(mark, ":"))
		return read_bytes(file, note, value);
	if (strcmp(mark, "!") || strcmp(value, "denied"))
		return refuse(file,
			      "after a path comes one of: -> TARGET, = TEXT, |, : COUNT, ! denied");
	note->answer = ROOT_DENIED;
	return true;
}

static bool read_entry(struct file *file)
{
	size_t length = strcspn(file->line, " ");
	struct root_note *note;
	char *rest = memory_copy(file->line + length + (file->line[length] == ' ')), *space;
	bool good;

	file->notes = memory_grow(file->notes, file->count, sizeof(*file->notes));
	note = &file->notes[file->count++];
	if (length && file->line[length - 1] == '/') {
		note->kind = ROOT_DIRECTORY;
		length--;
	}
	note->path = unescape(file->line, length);
	if (note->kind == ROOT_DIRECTORY && strncmp(rest, "! ", 2)) {
		read_names(note, rest);
		free(rest);
		return true;
	}
	space = strchr(rest, ' ');
	if (space)
		*space = 0;
	good = read_value(file, note, rest, space ? space + 1 : "");
	free(rest);
	return good;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct root_note *)a)->path, ((const struct root_note *)b)->path);
}

static bool read_all(struct file *file)
{
	if (!next_line(file) || strcmp(file->line, HEAD))
		return refuse(file, "this is no snapshot: its first line would be \"" HEAD "\"");
	while (next_line(file)) {
		if (*file->line == '\t')
			return refuse(file,
				      "a line behind a tab belongs to a file of lines or bytes");
		if (*file->line && *file->line != '#' && !read_entry(file))
			return false;
	}
	if (file->count)
		qsort(file->notes, file->count, sizeof(*file->notes), compare);
	return true;
}

static void close_file(void *back)
{
	struct file *file = back;

	for (size_t i = 0; i < file->count; i++) {
		for (size_t j = 0; j < file->notes[i].names.count; j++)
			free(file->notes[i].names.name[j]);
		free(file->notes[i].names.name);
		free((char *)(uintptr_t)file->notes[i].bytes.data);
		free(file->notes[i].path);
	}
	free(file->notes);
	free(file);
}

void *root_file_open(const char *path)
{
	struct file *file = memory_take(1, sizeof(*file));
	bool good = false;

	file->path = path;
	file->stream = fopen(path, "re");
	if (file->stream)
		good = read_all(file);
	else
		say_error("%s: %s", path, strerror(errno));
	if (file->stream)
		fclose(file->stream);
	free(file->line);
	if (good)
		return file;
	close_file(file);
	return NULL;
}

/* --- what is asked of it --- */

/* The first entry whose path is not before this one; a directory may have one of another kind beside it. */
static size_t find_from(const struct file *file, const char *path)
{
	size_t low = 0, high = file->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(file->notes[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct root_note *find(const struct file *file, const char *path, enum root_kind kind)
{
	for (size_t i = find_from(file, path);
	     i < file->count && !strcmp(file->notes[i].path, path); i++) {
		if (file->notes[i].kind == kind)
			return &file->notes[i];
	}
	return NULL;
}

/* The path without links in it; the last part may be left as it is. NULL: a circle. */
static char *resolve(const struct file *file, const char *path, bool last_too)
{
	char *plain = memory_copy(path);
	size_t at = 0;

	for (unsigned int links = 0; links <= LINKS_MOST;) {
		size_t length = at + strcspn(plain + at, "/");
		bool is_last = plain[length] == 0;
		char kept = plain[length], *target, *next;
		const struct root_note *link;

		plain[length] = 0;
		link = is_last && !last_too ? NULL : find(file, plain, ROOT_LINK);
		target = link ? root_join(plain, link->bytes.data) : NULL;
		plain[length] = kept;
		if (!link && is_last)
			return plain;
		at = link ? 0 : length + 1;
		if (!link)
			continue;
		next = memory_print("%s%s", target, plain + length);
		free(target);
		free(plain);
		plain = next;
		links++;
	}
	free(plain);
	return NULL;
}

static enum root_answer copy_bytes(const struct root_note *note, struct root_bytes *bytes)
{
	char *data;

	if (!note)
		return ROOT_ABSENT;
	if (note->answer != ROOT_OK)
		return note->answer;
	data = memory_take(note->bytes.count + 1, 1);
	memcpy(data, note->bytes.data, note->bytes.count);
	*bytes = (struct root_bytes){ data, note->bytes.count };
	return ROOT_OK;
}

/* A snapshot names what was asked for as it was asked for: by way of a link, often. So that path counts, too. */
static const struct root_note *find_either(const struct file *file, const char *path, bool last_too,
					   enum root_kind kind)
{
	char *plain = resolve(file, path, last_too);
	const struct root_note *note = plain ? find(file, plain, kind) : NULL;

	free(plain);
	return note ? note : find(file, path, kind);
}

static enum root_answer read_file(void *back, const char *path, struct root_bytes *bytes)
{
	return copy_bytes(find_either(back, path, true, ROOT_FILE), bytes);
}

static enum root_answer read_link(void *back, const char *path, struct root_bytes *target)
{
	return copy_bytes(find_either(back, path, false, ROOT_LINK), target);
}

static void add_name(struct root_names *names, const char *name, size_t length)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!strncmp(names->name[i], name, length) && !names->name[i][length])
			return;
	}
	names->name = memory_grow(names->name, names->count, sizeof(char *));
	names->name[names->count] = memory_take(length + 1, 1);
	memcpy(names->name[names->count++], name, length);
}

/* What it was said to hold, and whatever is named below it. */
static const struct root_note *add_names(const struct file *file, const char *path,
					 struct root_names *names)
{
	const struct root_note *note = find(file, path, ROOT_DIRECTORY);
	char *below = memory_print("%s/", path);

	for (size_t i = 0; note && i < note->names.count; i++)
		add_name(names, note->names.name[i], strlen(note->names.name[i]));
	for (size_t i = find_from(file, below); i < file->count; i++) {
		const char *name = file->notes[i].path + strlen(below);

		if (strncmp(file->notes[i].path, below, strlen(below)))
			break;
		add_name(names, name, strcspn(name, "/"));
	}
	free(below);
	return note;
}

static enum root_answer list(void *back, const char *path, struct root_names *names)
{
	char *plain = resolve(back, path, true);
	const struct root_note *note = NULL, *asked = NULL;

	if (plain)
		note = add_names(back, plain, names);
	if (!plain || strcmp(plain, path) != 0)
		asked = add_names(back, path, names);
	note = note ? note : asked;
	root_names_sort(names);
	free(plain);
	return note ? note->answer : names->count ? ROOT_OK : ROOT_ABSENT;
}

const struct root_back root_file = { read_file, read_link, list, close_file };
