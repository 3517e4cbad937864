/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/linux.c - host tools on a Linux of its own: what was announced, what was said, the verdict. */
#include "linux.h"

#include "steps.h"

#include <string.h>

static const char our_own[] = "nothing else was said, and the machine ends";

/* What follows `start`, NULL where the line begins otherwise. */
static const char *behind(const char *line, const char *start)
{
	return strncmp(line, start, strlen(start)) == 0 ? line + strlen(start) : NULL;
}

/* The machines have spaces between them. */
static bool is_among(const char *words, const char *word)
{
	const size_t length = strlen(word);

	for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
		const size_t this = strcspn(words, " \r\n");

		if (this == length && strncmp(words, word, length) == 0)
			return true;
		words += this ? this : 1;
	}
	return false;
}

static void add(struct linux_host *host, const char *name)
{
	if (host->count == LINUX_STEPS)
		return;
	snprintf(host->name[host->count], LINUX_NAME, "%.*s", (int)strcspn(name, "\r\n"), name);
	steps_find(&host->step[host->count], false, "was not said");
	host->names[host->count] = host->name[host->count];
	host->count++;
}

void linux_host_announce(struct linux_host *host, const char *line, bool *is_on)
{
	const char *on = behind(line, "# on: "), *step = behind(line, "# step: ");

	if (on)
		*is_on = is_among(on, host->machine->name);
	/* Room for our own is left. */
	if (step && *is_on && host->count < LINUX_STEPS - 1)
		add(host, step);
}

/* A name may begin as another does. */
static unsigned int find_step(const struct linux_host *host, const char *said, size_t length)
{
	for (unsigned int i = 0; i < host->count; i++)
		if (strlen(host->name[i]) == length && strncmp(host->name[i], said, length) == 0)
			return i;
	return host->count;
}

/* "NAME: evidence"; a name may have colons itself, so the longest that was announced is meant. */
static unsigned int step_of(const struct linux_host *host, const char *said, const char **evidence)
{
	unsigned int found = host->count;

	*evidence = "";
	for (const char *colon = strstr(said, ": "); colon; colon = strstr(colon + 1, ": ")) {
		const unsigned int step = find_step(host, said, (size_t)(colon - said));

		if (step == host->count)
			continue;
		found = step;
		*evidence = colon + 2;
	}
	return found;
}

static void read_step(struct linux_host *host, const char *said, bool good, bool blind)
{
	const char *evidence;
	const unsigned int step = step_of(host, said, &evidence);

	if (step == host->count || host->is_said[step]) {
		if (!host->odd[0])
			snprintf(host->odd, EVIDENCE_SIZE, "%s: %.*s",
				 step == host->count ? "was not announced" : "was said twice",
				 (int)strcspn(said, "\r\n"), said);
		return;
	}
	host->is_said[step] = true;
	steps_find(&host->step[step], good, "%.*s", (int)strcspn(evidence, "\r\n"), evidence);
	host->step[step].blind = blind;
}

void linux_host_read_line(struct linux_host *host, const char *line)
{
	/* The kernel's time is in front; the first bracket that closes is its. */
	const char *time = line[0] == '[' ? strchr(line, ']') : NULL, *rest;
	const char *said = time ? behind(time, "] linux: ") : NULL;

	if (!said)
		return;
	if ((rest = behind(said, "ok ")))
		read_step(host, rest, true, false);
	else if ((rest = behind(said, "not ok ")))
		read_step(host, rest, false, false);
	else if ((rest = behind(said, "blind ")))
		read_step(host, rest, true, true);
	else if (behind(said, "end at "))
		host->has_ended = true;
}

void linux_host_judge(struct linux_host *host)
{
	const bool ended = host->has_ended && host->ended.end == BOOT_EXITED;

	add(host, our_own);
	steps_find(&host->step[host->count - 1], ended && !host->odd[0] && host->count > 1,
		   "%s%s%s", ended ? "it ended by itself" : "it did not come to its end",
		   host->odd[0] ? "; " : "", host->odd);
}

bool linux_host_is_good(const struct linux_host *host)
{
	for (unsigned int i = 0; i < host->count; i++)
		if (!host->step[i].good)
			return false;
	return host->count > 0;
}
