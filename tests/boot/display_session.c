/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/display_session.c - a boot with somebody at the serial line and at QEMU's monitor.
 *
 *   the guest says ready -----------> it is told where it is, and draws, one pixel wrong
 *             that this is shown ---> pictures are taken, and it is told to go on
 *             that all is right ----> pictures again; the hypervisor is asked where the frame buffer lies
 */
#include "display_session.h"

#include "cable.h"
#include "qmp.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRONT	 "front debian\r"
#define BACK	 "\x1d" /* Ctrl-] */
#define PIECE	 ((uint64_t)0x200000)
#define PAGE_GFN 12

enum {
	SCREEN = 1 << 18,
	OURS = 0,
	QEMUS = 1
};

static const char *const head_names[HEADS] = { "bochs", "virtio" };
static const char *const turn_names[TURNS] = { "-wrong", "", "-past" };

/* What differs between the run that counts, and the one where nobody refuses. */
struct variant {
	const char *log, *image, *append, *virtio;
	enum display_turn first; /* what its pictures are of */
};

/* One run with somebody at the serial line and at QEMU's monitor. */
struct session {
	const struct runner *runner;
	struct display *display;
	const struct variant *variant;
	int line[2], monitor[2];
	FILE *log;
	bool started;
	unsigned int stage;
	char screen[SCREEN];
	size_t used;
};

/* ---- pictures ---- */

void display_session_picture(char *path, const struct runner *runner, const struct display *display,
			     enum display_turn turn, enum display_head head)
{
	snprintf(path, PATH_SIZE, "%s/boot-logs/%s-display-%s%s.png", runner->out,
		 display->machine->name, head_names[head], turn_names[turn]);
}

static void take_pictures(struct session *session, enum display_turn turn)
{
	struct display *display = session->display;
	char path[PATH_SIZE];

	for (unsigned int head = 0; head < HEADS; head++) {
		display_session_picture(path, session->runner, display, turn, head);
		if (!qmp_picture(session->monitor[OURS], head_names[head], path, display->amiss,
				 sizeof(display->amiss)))
			unlink(path);
	}
}

/* Those of an earlier run are no evidence of this one. */
static void forget_pictures(const struct runner *runner, const struct display *display,
			    enum display_turn turn)
{
	char path[PATH_SIZE];

	for (unsigned int head = 0; head < HEADS; head++) {
		display_session_picture(path, runner, display, turn, head);
		unlink(path);
	}
}

/* Now that it is known what the guest has drawn. */
static void compare(const struct runner *runner, struct display *display, enum display_turn turn)
{
	char path[PATH_SIZE];

	for (unsigned int head = 0; head < HEADS; head++) {
		const struct display_card *drawn = &display->drawn[turn][head];
		const struct testcard card = testcard_of(
			display_drivers[head], display->machine->name, drawn->width, drawn->height);

		display_session_picture(path, runner, display, turn, head);
		display->shown[turn][head] = picture_compare(path, &card);
	}
}

/* ---- the serial line ---- */

static void type(const struct session *session, const char *text)
{
	(void)send(session->line[OURS], text, strlen(text), MSG_NOSIGNAL);
}

static void type_place(struct session *session)
{
	type(session, FRONT);
	type(session, session->display->machine->name);
	type(session, "\n" BACK);
}

static void take_wrong(struct session *session)
{
	take_pictures(session, session->variant->first);
	type(session, FRONT "\n" BACK);
}

static void ask_for_pieces(const struct session *session)
{
	const char *at = strstr(session->screen, "display: frame buffer ");
	uint64_t first = 0, last = 0;
	char text[40];

	if (at)
		sscanf(at, "display: frame buffer %" SCNx64 " %" SCNx64, &first, &last);
	for (unsigned int i = 0; i < DISPLAY_PIECES && first + i * PIECE < last; i++) {
		snprintf(text, sizeof(text), "map debian %" PRIx64 "\r",
			 (first + i * PIECE) >> PAGE_GFN);
		type(session, text);
	}
}

/* In the control nothing is to be seen of it. */
static void take_right(struct session *session)
{
	if (session->variant->first == TURN_WRONG) {
		take_pictures(session, TURN_RIGHT);
		ask_for_pieces(session);
	}
	type(session, FRONT "\n" BACK);
}

/* What is waited for, and what is done then. */
static const struct {
	const char *said;
	void (*act)(struct session *session);
} stages[] = {
	{ "display: ready", type_place },
	{ "display: wrong is shown", take_wrong },
	{ "display: right is shown", take_right },
};
#define STAGES (sizeof(stages) / sizeof(stages[0]))

/*
 * To the log too: QEMU's own (logfile=) has a character twice when the line was full. Until it is read QEMU
 * waits; so a screen that is full, which no good run's ever is, begins anew.
 */
static void read_screen(struct session *session)
{
	ssize_t got;

	while ((got = recv(session->line[OURS], session->screen + session->used,
			   SCREEN - 1 - session->used, MSG_DONTWAIT)) > 0) {
		if (session->log)
			fwrite(session->screen + session->used, 1, (size_t)got, session->log);
		/* What is searched as text has no zeroes. */
		for (char *at = session->screen + session->used; got-- > 0; at++)
			*at = *at ? *at : '?';
		session->used = strlen(session->screen);
		if (session->used == SCREEN - 1) {
			memset(session->screen, 0, SCREEN);
			session->used = 0;
		}
	}
	if (session->log)
		fflush(session->log);
}

/* QEMU has its ends of both lines by now. */
static void begin(struct session *session)
{
	char path[PATH_SIZE];

	close(session->line[QEMUS]);
	close(session->monitor[QEMUS]);
	snprintf(path, sizeof(path), "%s/boot-logs/%s-%s.log", session->runner->out,
		 session->display->machine->name, session->variant->log);
	session->log = fopen(path, "w");
	if (!qmp_begin(session->monitor[OURS]))
		snprintf(session->display->amiss, EVIDENCE_SIZE,
			 "QEMU's monitor does not answer; boot-logs/%s-%s.qemu says why",
			 session->display->machine->name, session->variant->log);
}

static void go_on(void *context)
{
	struct session *session = context;

	if (!session->started)
		begin(session);
	session->started = true;
	read_screen(session);
	if (session->stage < STAGES && strstr(session->screen, stages[session->stage].said))
		stages[session->stage++].act(session);
}

/* ---- boots ---- */

static bool open_pair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 &&
	       fcntl(pair[OURS], F_SETFD, FD_CLOEXEC) == 0;
}

static void read_line(void *context, const char *line)
{
	const struct session *session = context;

	if (session->variant->first == TURN_PAST)
		display_read_past(session->display, line);
	else
		display_read_line(session->display, line);
}

static const struct variant guarded = { "display", NULL, NULL, SESSION_VIRTIO "on", TURN_WRONG };
static const struct variant unguarded = { "display-past", "sallyport-mutants.elf",
					  " leave-out=virtio", SESSION_VIRTIO "off", TURN_PAST };

static struct boot_result run_session(struct session *session)
{
	const struct variant *variant = session->variant;
	char line[64], monitor[64];
	/* clang-format off */
	const char *const more[] = {
		"-chardev", line, "-chardev", monitor, "-mon", "chardev=monitor,mode=control",
		"-device", SESSION_BOCHS, "-device", variant->virtio,
		"-trace", "enable=amdvi_iotlb_hit", "-trace", "enable=amdvi_cache_update",
		"-trace", "enable=vtd_iotlb_page_*", NULL
	};
	/* clang-format on */
	const struct cable cable = { .machine = session->display->machine,
				     .log = variant->log,
				     .image = variant->image,
				     .append = variant->append,
				     .more = more,
				     .files = "guests/display.conf",
				     .images = { "vmlinuz", "display.gz" },
				     .line = "chardev:line",
				     .meanwhile = go_on,
				     .read_line = read_line,
				     .context = session };

	snprintf(line, sizeof(line), "socket,id=line,fd=%d", session->line[QEMUS]);
	snprintf(monitor, sizeof(monitor), "socket,id=monitor,fd=%d", session->monitor[QEMUS]);
	return cable_boot(session->runner, &cable);
}

struct boot_result display_session_run(const struct runner *runner, struct display *display,
				       enum display_turn turn)
{
	struct session *session = calloc(1, sizeof(*session));
	struct boot_result ended = { .end = BOOT_NOT_STARTED };

	if (!session)
		return ended;
	session->runner = runner;
	session->display = display;
	session->variant = turn == TURN_PAST ? &unguarded : &guarded;
	forget_pictures(runner, display, turn);
	if (turn == TURN_WRONG)
		forget_pictures(runner, display, TURN_RIGHT);
	if (open_pair(session->line) && open_pair(session->monitor)) {
		ended = run_session(session);
		close(session->line[OURS]);
		close(session->monitor[OURS]);
	}
	if (session->log)
		fclose(session->log);
	free(session);
	compare(runner, display, turn);
	if (turn == TURN_WRONG)
		compare(runner, display, TURN_RIGHT);
	return ended;
}
