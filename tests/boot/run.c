/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/run.c - boots a machine, shows how far it is, and reads what it said.
 *
 *   out/boot-logs/<machine>-<what>.log      the serial line
 *   out/boot-logs/<machine>-<what>.qemu     how QEMU was called and what it said itself
 */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char rows_image[] = "sallyport.elf";
static const char controls_image[] = "sallyport-mutants.elf";

/* One boot and everything that is known about it. */
struct attempt {
	const struct runner *runner;
	const struct machine *machine;
	const char *what; /* rows, controls, probe */
	enum report_kind kind;
	const char *const *more; /* words for QEMU */
	char image[PATH_SIZE];
	char serial[PATH_SIZE];
	char errors[PATH_SIZE];
	struct boot_result ended;
	struct report report;
};

static bool name_files(struct attempt *attempt, const char *image)
{
	const char *out = attempt->runner->out;
	const char *name = attempt->machine->name;
	size_t size = PATH_SIZE;

	return snprintf(attempt->image, size, "%s/%s", out, image) < PATH_SIZE &&
	       snprintf(attempt->serial, size, "%s/boot-logs/%s-%s.log", out, name, attempt->what) <
		       PATH_SIZE &&
	       snprintf(attempt->errors, size, "%s/boot-logs/%s-%s.qemu", out, name,
			attempt->what) < PATH_SIZE;
}

static void read_serial(struct attempt *attempt)
{
	FILE *serial = fopen(attempt->serial, "r");

	report_start(&attempt->report, attempt->kind);
	if (!serial)
		return;
	report_read(&attempt->report, serial);
	fclose(serial);
}

static void show_progress(void *context, double seconds)
{
	struct attempt *attempt = context;

	read_serial(attempt);
	printf("\r  %s: %s, %u of %d, %.0f s ", attempt->machine->name, attempt->what,
	       attempt->report.last, ROW_COUNT, seconds);
	fflush(stdout);
}

/* A line that was being rewritten is cleared for what comes next. */
static void clear_progress(const struct runner *runner)
{
	if (runner->terminal.is_terminal)
		printf("\r%*s\r", 60, "");
}

static void boot(struct attempt *attempt, const char *image, const char *append)
{
	struct boot boot = {
		.machine = attempt->machine,
		.image = attempt->image,
		.append_more = append,
		.more = attempt->more,
		.serial = attempt->serial,
		.errors = attempt->errors,
		.context = attempt,
	};

	if (!name_files(attempt, image)) {
		errno = ENAMETOOLONG;
		attempt->ended = (struct boot_result){ .end = BOOT_NOT_STARTED };
		report_start(&attempt->report, attempt->kind);
		return;
	}
	if (attempt->runner->terminal.is_terminal)
		boot.progress = show_progress;
	attempt->ended = qemu_boot(&attempt->runner->qemu, &boot);
	read_serial(attempt);
	clear_progress(attempt->runner);
}

/* What QEMU said last; the first line of the file is how it was called. */
static void last_words(const char *path, char *words, size_t size)
{
	FILE *file = fopen(path, "r");
	char line[QEMU_TEXT];
	bool first = true;

	words[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (!first && line[0] != '\n')
			snprintf(words, size, "%.*s", (int)strcspn(line, "\n"), line);
		first = first && !strchr(line, '\n');
	}
	if (file)
		fclose(file);
}

/* Who ended it: the hypervisor by its debug exit, the machine by a reset, or QEMU by itself. */
static const char *who_ended(int status)
{
	switch (status) {
	case QEMU_EXIT_SUCCESS:
		return "the hypervisor ended with success";
	case QEMU_EXIT_FAILURE:
		return "the hypervisor ended with failure";
	case 0:
		return "the machine reset itself";
	default:
		return "QEMU ended";
	}
}

static void tell_exit(struct matrix *matrix, const struct attempt *attempt)
{
	const struct report *report = &attempt->report;
	int status = attempt->ended.status;
	char said[256];

	last_words(attempt->errors, said, sizeof(said));
	if (report->refused[0] != '\0')
		matrix_trouble(matrix, "%s: the hypervisor refused: %s", attempt->what,
			       report->refused);
	else if (report->line == 0 && said[0] != '\0')
		matrix_trouble(matrix, "%s: QEMU ended with status %d and said: %s (%s)",
			       attempt->what, status, said, attempt->errors);
	else
		matrix_trouble(matrix, "%s: %s (status %d) before `end %s`, after row %u (%s)",
			       attempt->what, who_ended(status), status, attempt->what,
			       report->last, attempt->serial);
}

static void tell_end(struct matrix *matrix, const struct attempt *attempt)
{
	switch (attempt->ended.end) {
	case BOOT_EXITED:
		if (!attempt->report.ended)
			tell_exit(matrix, attempt);
		return;
	case BOOT_KILLED:
		matrix_trouble(matrix, "%s: QEMU was ended by signal %d (%s)", attempt->what,
			       attempt->ended.status, attempt->errors);
		return;
	case BOOT_TIMED_OUT:
		matrix_trouble(matrix, "%s: no end after %u s, the last row was %u (%s)",
			       attempt->what, qemu_time_limit(attempt->machine),
			       attempt->report.last, attempt->serial);
		return;
	case BOOT_STOPPED: /* no row has marks */
		return;
	case BOOT_NOT_STARTED:
		matrix_trouble(matrix, "%s: QEMU cannot be started: %s", attempt->what,
			       strerror(errno));
		return;
	}
}

static void tell_bad_lines(struct matrix *matrix, const struct attempt *attempt)
{
	const struct report *report = &attempt->report;

	if (report->bad_lines == 0)
		return;
	matrix_trouble(matrix, "%s: %u line(s) cannot be read, %s (%s)", attempt->what,
		       report->bad_lines, report->first_bad, attempt->serial);
}

static void boot_and_tell(struct attempt *attempt, const char *image, const char *append,
			  struct matrix *matrix)
{
	boot(attempt, image, append);
	tell_end(matrix, attempt);
	tell_bad_lines(matrix, attempt);
	matrix->seconds += attempt->ended.seconds;
	printf("  %s: %s done, %u lines of log, %.1f s\n", attempt->machine->name, attempt->what,
	       attempt->report.line, attempt->ended.seconds);
	fflush(stdout);
}

void run_machine(const struct runner *runner, const struct machine *machine, struct matrix *matrix)
{
	struct attempt rows = { runner, machine, .what = "rows", .kind = REPORT_ROWS };
	struct attempt controls = { runner, machine, .what = "controls", .kind = REPORT_CONTROLS };

	*matrix = (struct matrix){ .machine = machine };
	boot_and_tell(&rows, rows_image, "", matrix);
	boot_and_tell(&controls, controls_image, " run=controls", matrix);
	matrix_judge(matrix, &rows.report, &controls.report);
}

static bool file_says(const char *path, const struct probe *probe)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	while (file && !found && getline(&line, &size, file) > 0)
		found = strncmp(line, probe->starts, strlen(probe->starts)) == 0 &&
			strstr(line, probe->names) != NULL;
	free(line);
	if (file)
		fclose(file);
	return found;
}

static bool ended_as_wanted(const struct boot_result *ended, bool well)
{
	return ended->end == BOOT_EXITED &&
	       ended->status == (well ? QEMU_EXIT_SUCCESS : QEMU_EXIT_FAILURE);
}

/* The NVMe controller's blocks are the image's own bytes; what is written to them is not kept. */
static void boot_probe(struct attempt *attempt, enum probe_kind kind)
{
	char disk[PATH_SIZE + 64];
	const char *const devices[] = {
		"-drive",	   disk, "-device", "nvme,serial=1,drive=disk", "-device",
		"e1000e,romfile=", NULL
	};

	snprintf(disk, sizeof(disk), "if=none,id=disk,format=raw,snapshot=on,file=%s/%s",
		 attempt->runner->out, rows_image);
	if (kind != PROBE_PLAIN)
		attempt->more = devices;
	boot(attempt, kind == PROBE_ENGINE_CONTROLS ? controls_image : rows_image, "");
	attempt->more = NULL;
}

void run_probe(const struct runner *runner, const struct probe *probe, char *amiss, size_t size)
{
	struct attempt attempt = { runner, &probe->machine, .what = "probe", .kind = REPORT_ROWS };

	amiss[0] = '\0';
	boot_probe(&attempt, probe->kind);
	if (attempt.ended.end == BOOT_NOT_STARTED)
		snprintf(amiss, size, "QEMU cannot be started: %s", strerror(errno));
	else if (!file_says(attempt.serial, probe))
		snprintf(amiss, size, "no line \"%s...%s\" (%s)", probe->starts, probe->names,
			 attempt.serial);
	else if (attempt.ended.end == BOOT_TIMED_OUT)
		snprintf(amiss, size, "no end after %u s (%s)", qemu_time_limit(&probe->machine),
			 attempt.serial);
	else if (!ended_as_wanted(&attempt.ended, probe->ends_well))
		snprintf(amiss, size, "it ended with status %d, %d was expected (%s)",
			 attempt.ended.status,
			 probe->ends_well ? QEMU_EXIT_SUCCESS : QEMU_EXIT_FAILURE, attempt.serial);
}

static bool is_readable(const char *out, const char *name, char *message, size_t size)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", out, name);
	if (access(path, R_OK) == 0)
		return true;
	snprintf(message, size, "%s: %s; `make` builds it", path, strerror(errno));
	return false;
}

bool run_prepare(const struct runner *runner, char *message, size_t size)
{
	char logs[PATH_SIZE];

	if (!is_readable(runner->out, rows_image, message, size) ||
	    !is_readable(runner->out, controls_image, message, size))
		return false;
	snprintf(logs, sizeof(logs), "%s/boot-logs", runner->out);
	if (mkdir(logs, 0755) == 0 || errno == EEXIST)
		return true;
	snprintf(message, size, "%s: %s", logs, strerror(errno));
	return false;
}

void run_read_lines(const char *path, void (*read)(void *context, const char *line), void *context)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0)
		read(context, line);
	free(line);
	if (file)
		fclose(file);
}
