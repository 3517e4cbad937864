/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/serve.c - one Linux guest serves another: the verdict. */
#include "serve.h"

#include "steps.h"

#include <string.h>

void serve_begin(struct serve *serve, const struct machine *machine)
{
	*serve = (struct serve){
		.machine = machine,
		.first = { .guest = "first" },
		.second = { .guest = "second" },
	};
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void read_guest(struct serve *serve, const char *line)
{
	const char *first = starts(line, "first| ") ? strstr(line, "nic: ") : NULL;
	const char *second = starts(line, "second| ") ? strstr(line, "nic: ") : NULL;

	if (first) {
		sscanf(first, "nic: serve served %u", &serve->served);
		sscanf(first, "nic: serve given %u, exchanged %u, of which %u", &serve->given,
		       &serve->exchanged, &serve->served_again);
		sscanf(first, "nic: hung gave %u after %u ms, the other CPU stood still for %u ms",
		       &serve->hung, &serve->waited, &serve->stood);
	} else if (second) {
		sscanf(second, "nic: serve mapped %u", &serve->mapped);
		sscanf(second, "nic: serve answered %u, let go %u, wrote %u, of those hanging %u",
		       &serve->answered, &serve->let_go, &serve->wrote, &serve->wrote_hanging);
	}
}

void serve_read_line(struct serve *serve, const char *line)
{
	static const char broken[] = "balloon  canary broken: ";

	nic_read_line(&serve->first, line);
	nic_read_line(&serve->second, line);
	read_guest(serve, line);
	if (starts(line, "serve "))
		sscanf(line,
		       "serve second: %u pages of first mapped, %u let go, %u requests; first "
		       "stayed out %u",
		       &serve->book, &serve->unbooked, &serve->requests, &serve->stayed_out);
	if (starts(line, "balloon "))
		sscanf(line, "balloon %u pages with canaries, %u whole, %u broken", &serve->planted,
		       &serve->whole, &serve->broken);
	if (starts(line, broken) && serve->leak[0] == '\0')
		snprintf(serve->leak, EVIDENCE_SIZE, "%.*s",
			 (int)strcspn(line + strlen(broken), "\r\n"), line + strlen(broken));
}

static void judge_pages(struct serve *serve)
{
	steps_find(&serve->step[SERVE_MAPS],
		   serve->mapped == SERVE_BUFFERS && serve->served == SERVE_BUFFERS,
		   "%u mapped by the server; its client sees it write to %u", serve->mapped,
		   serve->served);
	steps_find(&serve->step[SERVE_LETS_GO],
		   serve->given == SERVE_GIVEN && serve->exchanged == SERVE_EXCHANGED &&
			   serve->planted == SERVE_LEFT && serve->whole == serve->planted &&
			   serve->requests >= SERVE_LEFT && serve->let_go >= SERVE_LEFT,
		   "%u given, %u exchanged, by %u requests; of %u frames that are another's %u are "
		   "whole, while the server wrote %u times; %s",
		   serve->given, serve->exchanged, serve->requests, serve->planted, serve->whole,
		   serve->wrote, serve->leak[0] ? serve->leak : "none is broken");
	steps_find(&serve->step[SERVE_GOES_ON],
		   serve->exchanged == SERVE_EXCHANGED && serve->served_again == serve->exchanged,
		   "%u of %u pages that have another frame", serve->served_again, serve->exchanged);
}

void serve_judge(struct serve *serve, const struct boot_result *ended, const struct serve *control)
{
	struct nic *first = &serve->first, *second = &serve->second;

	nic_judge(first, ended);
	nic_judge(second, ended);
	judge_pages(serve);
	steps_find(
		&serve->step[SERVE_HANGS],
		serve->hung == 1 && serve->waited >= SERVE_HANG_MS &&
			serve->stood >= SERVE_HANG_MS && serve->stayed_out != 0 &&
			serve->wrote_hanging != 0,
		"the page went after %u ms, its guest's other CPU stood still for %u, %u entries were "
		"refused; the server wrote %u times meanwhile",
		serve->waited, serve->stood, serve->stayed_out, serve->wrote_hanging);
	steps_find(&serve->step[SERVE_FRAMES],
		   first->step[NIC_FRAMES].good && second->step[NIC_FRAMES].good &&
			   first->step[NIC_END].good && serve->book != 0 &&
			   serve->unbooked == serve->book,
		   "first: %s; second: %s; %s; of %u mappings %u were let go",
		   first->step[NIC_FRAMES].evidence, second->step[NIC_FRAMES].evidence,
		   first->step[NIC_END].evidence, serve->book, serve->unbooked);
	steps_find(&serve->step[SERVE_CONTROL], control->leak[0] != '\0', "%s",
		   control->leak[0] ? control->leak : "no canary broke");
}

bool serve_is_good(const struct serve *serve)
{
	for (unsigned int i = 0; i < SERVE_STEPS; i++)
		if (!serve->step[i].good)
			return false;
	return true;
}
