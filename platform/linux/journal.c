/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/journal.c - what was done to drivers, so that it can be undone.
 */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "say.h"

#define READ_MOST (16u << 20)

static const char *const acts[] = { "unbind", "override", "bind" };

#define ACTS (sizeof(acts) / sizeof(acts[0]))

static char *copy_or_none(const char *text)
{
	return text ? memory_copy(text) : NULL;
}

static void add(struct journal *journal, const struct journal_step *step)
{
	journal->step = memory_grow(journal->step, journal->count, sizeof(*journal->step));
	journal->step[journal->count++] = *step;
}

static bool read_step(struct journal *journal, const json_t *line)
{
	const char *sbdf = json_string_value(json_object_get(line, "sbdf")),
		   *act = json_string_value(json_object_get(line, "act")),
		   *was = json_string_value(json_object_get(line, "was")),
		   *to = json_string_value(json_object_get(line, "to"));
	struct journal_step step = { 0 };
	size_t which = 0;

	while (act && which < ACTS && strcmp(acts[which], act) != 0)
		which++;
	if (!sbdf || !act || which == ACTS)
		return false;
	step.number = (unsigned int)json_integer_value(json_object_get(line, "step"));
	step.act = (enum journal_act)which;
	step.sbdf = memory_copy(sbdf);
	step.was = copy_or_none(was);
	step.to = copy_or_none(to);
	add(journal, &step);
	return true;
}

static void set_got(struct journal_step *step, const char *driver)
{
	free(step->got);
	step->got = copy_or_none(driver);
}

static bool read_line(struct journal *journal, const char *text)
{
	json_t *line = json_loads(text, 0, NULL);
	const json_t *undone = json_object_get(line, "undone"), *got = json_object_get(line, "got");
	bool good = line != NULL;

	for (size_t i = 0; undone && i < journal->count; i++) {
		if ((json_int_t)journal->step[i].number == json_integer_value(undone))
			journal->step[i].undone = true;
	}
	for (size_t i = 0; got && i < journal->count; i++) {
		if ((json_int_t)journal->step[i].number ==
		    json_integer_value(json_object_get(line, "step")))
			set_got(&journal->step[i], json_string_value(got));
	}
	if (good && !undone && !got)
		good = read_step(journal, line);
	json_decref(line);
	return good;
}

/* A line without its end was being written when the machine or the program stopped: its step was not taken. */
static bool read_all(struct journal *journal, char *text)
{
	size_t number = 0, kept = 0;
	char *end;

	for (char *at = text; (end = strchr(at, '\n')); at = end + 1) {
		*end = 0;
		number++;
		if (!read_line(journal, at)) {
			say_error(
				"%s:%zu: this is no line of a journal; look at it, and at `sallyport list`, then "
				"remove it",
				journal->path, number);
			return false;
		}
		kept = (size_t)(end + 1 - text);
	}
	return journal->dry || !ftruncate(journal->fd, (off_t)kept);
}

static bool read_file(struct journal *journal)
{
	char *text = memory_take(READ_MOST + 1, 1);
	ssize_t count = read(journal->fd, text, READ_MOST);
	bool good = count >= 0 && count < READ_MOST;

	if (!good)
		say_error("%s: %s", journal->path, count < 0 ? strerror(errno) : "too long");
	good = good && read_all(journal, text);
	free(text);
	return good;
}

static void make_directory(const char *path)
{
	char *directory = memory_copy(path), *slash = strrchr(directory, '/');

	if (slash && slash != directory) {
		*slash = 0;
		mkdir(directory, 0700);
	}
	free(directory);
}

static bool open_file(struct journal *journal)
{
	int flags = journal->dry ? O_RDONLY : O_RDWR | O_CREAT | O_APPEND;

	if (!journal->dry)
		make_directory(journal->path);
	journal->fd = open(journal->path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (journal->fd < 0 && !(journal->dry && errno == ENOENT)) {
		say_error(
			"%s: %s; nothing is done that could not be undone: run as root, or name another place by "
			"--journal",
			journal->path, strerror(errno));
		return false;
	}
	if (!journal->dry && flock(journal->fd, LOCK_EX | LOCK_NB) < 0) {
		say_error("%s: another sallyport is at work with it", journal->path);
		return false;
	}
	return journal->fd < 0 || read_file(journal);
}

struct journal *journal_open(const char *path, bool dry)
{
	struct journal *journal = memory_take(1, sizeof(*journal));

	journal->path = path;
	journal->dry = dry;
	if (open_file(journal))
		return journal;
	journal_close(journal);
	return NULL;
}

void journal_close(struct journal *journal)
{
	for (size_t i = 0; i < journal->count; i++) {
		free(journal->step[i].sbdf);
		free(journal->step[i].was);
		free(journal->step[i].to);
		free(journal->step[i].got);
	}
	free(journal->step);
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal);
}

static bool append(const struct journal *journal, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT), *whole;
	off_t before = lseek(journal->fd, 0, SEEK_END);
	bool good;

	json_decref(line);
	if (!text)
		return false;
	whole = memory_print("%s\n", text);
	free(text);
	good = write(journal->fd, whole, strlen(whole)) == (ssize_t)strlen(whole) &&
	       fsync(journal->fd) == 0;
	free(whole);
	if (good)
		return true;
	say_error("%s: %s", journal->path, strerror(errno));
	/* Half a line would spoil the next. */
	if (ftruncate(journal->fd, before) < 0)
		say_error("%s: %s", journal->path, strerror(errno));
	return false;
}

bool journal_note(struct journal *journal, const char *sbdf, enum journal_act act, const char *was,
		  const char *to)
{
	unsigned int number = journal->count ? journal->step[journal->count - 1].number + 1 : 1;
	struct journal_step step = { .number = number, .act = act };

	if (!append(journal, json_pack("{s:i, s:s, s:s, s:s?, s:s?}", "step", (int)number, "sbdf",
				       sbdf, "act", acts[act], "was", was, "to", to)))
		return false;
	step.sbdf = memory_copy(sbdf);
	step.was = copy_or_none(was);
	step.to = copy_or_none(to);
	add(journal, &step);
	return true;
}

bool journal_got(struct journal *journal, const char *driver)
{
	struct journal_step *step = &journal->step[journal->count - 1];

	if (!append(journal, json_pack("{s:i, s:s}", "step", (int)step->number, "got", driver)))
		return false;
	set_got(step, driver);
	return true;
}

bool journal_undo(struct journal *journal, struct journal_step *step)
{
	step->undone = true;
	if (journal->dry)
		return true;
	for (size_t i = 0; i < journal->count; i++) {
		if (!journal->step[i].undone)
			return append(journal, json_pack("{s:i}", "undone", (int)step->number));
	}
	return ftruncate(journal->fd, 0) == 0 && fsync(journal->fd) == 0;
}
