/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/typing.c - `make run`, typed at through a pseudo-terminal.
 *
 *   out/boot-logs/<machine>-typing.log   all that the terminal showed
 */
#include "typing.h"

#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENTER	"\r"
#define ESCAPE	"\x1d" /* Ctrl-] */
#define CONF	"guests/debian.conf"
#define SECONDS 240 /* for a row, far more than a boot takes */

enum {
	SCREEN = 1 << 20
};

/* In their order: each finds the machine as the one before left it. An empty `typed` only waits. */
const struct typing_row typing_table[TYPING_ROWS] = {
	{ "the guest is in front, and has a prompt", "", "debian| debian # " },
	{ "its shell answers", "echo $((6*7))-typed" ENTER, "\ndebian| 42-typed" },
	{ "its port works", "ping -c 2 -W 9 10.0.2.2" ENTER, "2 packets received" },
	/* Backspaces, a carriage return and a cursor that goes up, in front of the hypervisor's words. */
	{ "it cannot write over its name",
	  "printf '\\b\\b\\b\\b\\b\\b\\b\\b\\b\\b\\r\\033[A\\033[1Gmonitor  forged\\n'" ENTER,
	  "\ndebian| monitor  forged" },
	{ "Ctrl-] leads to the monitor", ESCAPE, "what is typed comes here" },
	{ "guests", "guests" ENTER, "\nmonitor  debian: running, 256 MiB, CPU 1" },
	{ "devices", "devices" ENTER, "\nmonitor  0000:00:10.0 8086:10d3 debian" },
	{ "faults", "faults" ENTER, "\nmonitor  no faults" },
	{ "map", "map debian 1000" ENTER, "\nmonitor  debian: gfn 0x1000: mfn 0x" },
	{ "map, where nothing is", "map debian 123456789" ENTER, "gfn 0x123456789: nothing" },
	{ "stats", "stats" ENTER, "\nexits    debian: " },
	{ "balloon, where guest.conf does not allow it", "balloon debian 4" ENTER,
	  "\nmonitor  debian may not call" },
	{ "release", "release debian 00:10.0" ENTER, "0000:00:10.0 was taken from debian" },
	{ "assign", "assign debian 00:10.0" ENTER, "0000:00:10.0 was given to debian" },
	{ "a typing mistake is taken back", "helq\x7fp" ENTER, "\nmonitor  help" },
	{ "an unknown word", "xyzzy" ENTER, "\nmonitor  unknown: xyzzy; try help" },
	{ "a word too few", "map debian" ENTER, "\nmonitor  map needs GUEST GFN" },
	{ "an unknown guest", "front nobody" ENTER, "there is no guest nobody" },
	{ "front leads back to the guest", "front debian" ENTER, "what is typed goes to debian" },
	{ "its shell lives", "echo $((6*6))-again" ENTER, "\ndebian| 36-again" },
	{ "stop ends the guest, and the machine", ESCAPE "stop debian" ENTER,
	  "sallyport: ended with success" },
};

const struct machine typing_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, "EPYC", "", NULL, 0, 0 },
};
const size_t typing_machine_count = sizeof(typing_machine_table) / sizeof(typing_machine_table[0]);

/* A terminal, and what it showed. */
struct terminal_session {
	int line;
	pid_t child;
	char *screen;
	size_t used, seen; /* `seen`: rows look behind it */
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* In the child: our own program, as the user would start it. */
static _Noreturn void become(const char *terminal, const char *out, const char *machine)
{
	const int line = open(terminal, O_RDWR);

	if (line < 0 || dup2(line, 0) < 0 || dup2(line, 1) < 0 || dup2(line, 2) < 0)
		_exit(126);
	execl("/proc/self/exe", "boot", "run", out, CONF, machine, (char *)NULL);
	_exit(127);
}

static bool open_session(struct terminal_session *session, const char *out, const char *machine)
{
	const char *terminal;

	*session = (struct terminal_session){ .line = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC),
					      .screen = calloc(1, SCREEN) };
	if (session->line < 0 || !session->screen || grantpt(session->line) != 0 ||
	    unlockpt(session->line) != 0)
		return false;
	terminal = ptsname(session->line);
	session->child = terminal ? fork() : -1;
	if (session->child == 0) {
		setsid();
		become(terminal, out, machine);
	}
	return session->child > 0;
}

/* More of what is shown; false when nothing more comes. */
static bool read_more(struct terminal_session *session)
{
	struct pollfd ready = { .fd = session->line, .events = POLLIN };
	ssize_t got;

	if (poll(&ready, 1, 100) == 0)
		return waitpid(session->child, NULL, WNOHANG | WNOWAIT) == 0 ||
		       kill(session->child, 0) == 0;
	got = read(session->line, session->screen + session->used, SCREEN - 1 - session->used);
	if (got <= 0)
		return false;
	/* What is searched as text has no zeroes. */
	for (char *at = session->screen + session->used; got-- > 0; at++)
		*at = *at ? *at : '?';
	session->used = strlen(session->screen);
	return session->used < SCREEN - 1;
}

static bool wait_for(struct terminal_session *session, const char *wanted)
{
	const double until = now() + SECONDS;
	const char *found;

	while (!(found = strstr(session->screen + session->seen, wanted)))
		if (now() > until || !read_more(session))
			return false;
	session->seen = (size_t)(found - session->screen) + strlen(wanted);
	return true;
}

/* As fast as a hand, for a port of 64 characters that is looked at by a timer. */
static void type(const struct terminal_session *session, const char *text)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

	for (; *text; text++) {
		if (write(session->line, text, 1) != 1)
			return;
		nanosleep(&pause, NULL);
	}
}

/* The line in which it was found, for people. */
static void quote(const struct terminal_session *session, char *text, size_t size)
{
	size_t from = session->seen;
	size_t used = 0;

	while (from > 0 && session->screen[from - 1] != '\n')
		from--;
	for (; used + 1 < size && session->screen[from] && session->screen[from] != '\n'; from++)
		if ((unsigned char)session->screen[from] >= ' ')
			text[used++] = session->screen[from];
	text[used] = '\0';
}

static void run_row(struct terminal_session *session, const struct typing_row *row,
		    struct nic_finding *finding)
{
	char text[EVIDENCE_SIZE / 4];

	type(session, row->typed);
	if (wait_for(session, row->wanted)) {
		quote(session, text, sizeof(text));
		steps_find(finding, true, "%s", text);
	} else {
		steps_find(finding, false, "\"%s\" was not shown",
			   row->wanted[0] == '\n' ? row->wanted + 1 : row->wanted);
	}
}

static void close_session(struct terminal_session *session, struct nic_finding *last,
			  const char *path)
{
	FILE *log = fopen(path, "w");
	int status = 0;

	while (last->good && read_more(session))
		;
	if (!last->good)
		kill(session->child, SIGKILL);
	waitpid(session->child, &status, 0);
	if (last->good && (!WIFEXITED(status) || WEXITSTATUS(status) != QEMU_EXIT_SUCCESS))
		steps_find(last, false, "QEMU ended with status 0x%x", (unsigned int)status);
	if (log) {
		fwrite(session->screen, 1, session->used, log);
		fclose(log);
	}
	close(session->line);
	free(session->screen);
}

void typing_run(const struct runner *runner, const struct machine *machine, struct typing *typing)
{
	struct terminal_session session;
	const double began = now();
	char path[PATH_SIZE];
	bool goes_on = open_session(&session, runner->out, machine->name);

	*typing = (struct typing){ .machine = machine };
	snprintf(path, sizeof(path), "%s/boot-logs/%s-typing.log", runner->out, machine->name);
	for (unsigned int i = 0; i < TYPING_ROWS; i++) {
		if (goes_on)
			run_row(&session, &typing_table[i], &typing->row[i]);
		else
			steps_find(&typing->row[i], false, "was not tried");
		goes_on = goes_on && typing->row[i].good;
	}
	if (session.child > 0)
		close_session(&session, &typing->row[TYPING_ROWS - 1], path);
	typing->seconds = now() - began;
}

bool typing_is_good(const struct typing *typing)
{
	for (unsigned int i = 0; i < TYPING_ROWS; i++)
		if (!typing->row[i].good)
			return false;
	return true;
}

static struct steps steps_of(const struct typing *typing, const char **names)
{
	for (unsigned int i = 0; i < TYPING_ROWS; i++)
		names[i] = typing_table[i].name;
	return (struct steps){ "typing",    typing->machine->name, names,
			       typing->row, TYPING_ROWS,	   typing->seconds };
}

void typing_print(const struct typing *typing, FILE *output)
{
	const char *names[TYPING_ROWS];
	const struct steps steps = steps_of(typing, names);

	steps_print(&steps, output);
}

bool typing_write(const char *path, const struct typing *typings, size_t count, const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const char *names[TYPING_ROWS];
		const struct steps steps = steps_of(&typings[i], names);

		json_array_append_new(list, steps_json(&steps, qemu));
	}
	return steps_write(path, list);
}
