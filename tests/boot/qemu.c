/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/qemu.c - finds the emulator and runs one machine in it.
 *
 *   QEMU= -> words -> --version -> spelling.h -> fork, wait with a deadline -> how it ended
 */
#include "qemu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	TIME_FACTOR = 10,
	VERSION_SECONDS = 20,
	ARGUMENTS = 64
};

unsigned int qemu_time_limit(const struct machine *machine)
{
	return machine->expected_seconds * TIME_FACTOR;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* In the child: from here on nothing returns. Its end must not depend on ours being orderly. */
static _Noreturn void become(const char *const *words, int output, int errors, int report)
{
	int reason;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(output, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0)
		/* execvp promises not to write, but its type says so only of the pointers. */
		execvp(words[0], (char *const *)(uintptr_t)words);
	reason = errno;
	if (write(report, &reason, sizeof(reason)) < 0)
		_exit(126);
	_exit(127);
}

/* The child's pid, or -1 with errno; a command that cannot be run is found out here. */
static pid_t start(const char *const *words, int output, int errors)
{
	int report[2];
	int reason = 0;
	pid_t child;
	ssize_t got;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0)
		become(words, output, errors, report[1]);
	close(report[1]);
	got = child > 0 ? read(report[0], &reason, sizeof(reason)) : 0;
	close(report[0]);
	if (got != (ssize_t)sizeof(reason))
		return child;
	waitpid(child, NULL, 0);
	errno = reason;
	return -1;
}

static void set_end(struct boot_result *result, int status, double seconds)
{
	result->end = WIFEXITED(status) ? BOOT_EXITED : BOOT_KILLED;
	result->status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	result->seconds = seconds;
}

/* Reads on where it stopped; a mark that is not whole yet is found with what follows it. */
struct watch {
	char text[4096];
	size_t used;
	long at;
};

/* User and system time of a thread, 0 if it is gone; its name, in parentheses, may have anything in it. */
static double thread_seconds(const char *path)
{
	char text[512] = "";
	unsigned long user = 0, system = 0;
	FILE *file = fopen(path, "r");
	const char *rest;

	if (!file)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	rest = strrchr(text, ')');
	if (rest)
		sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		       &system);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double busiest_thread(pid_t child)
{
	char path[2 * 256 + 32];
	double most = 0, seconds;
	struct dirent *thread;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)child);
	tasks = opendir(path);
	while (tasks && (thread = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", (int)child, thread->d_name);
		seconds = thread_seconds(path);
		most = seconds > most ? seconds : most;
	}
	if (tasks)
		closedir(tasks);
	return most;
}

static void look_for_marks(struct watch *watch, const struct boot *boot, pid_t child,
			   double seconds)
{
	struct boot_seen *seen = boot->seen;
	FILE *serial = fopen(boot->serial, "r");
	const char *found;
	size_t got;

	if (!serial)
		return;
	while (fseek(serial, watch->at, SEEK_SET) == 0 &&
	       (got = fread(watch->text + watch->used, 1, sizeof(watch->text) - 1 - watch->used,
			    serial)) > 0) {
		watch->at += (long)got;
		watch->used += got;
		watch->text[watch->used] = '\0';
		while (seen->count < QEMU_MARKS && boot->marks[seen->count] &&
		       (found = strstr(watch->text, boot->marks[seen->count]))) {
			seen->cpu[seen->count] = busiest_thread(child);
			seen->at[seen->count++] = seconds;
			watch->used -= (size_t)(found + 1 - watch->text);
			memmove(watch->text, found + 1, watch->used + 1);
		}
		if (watch->used > sizeof(watch->text) / 2) {
			watch->used = sizeof(watch->text) / 4;
			memmove(watch->text, watch->text + strlen(watch->text) - watch->used,
				watch->used + 1);
		}
	}
	fclose(serial);
}

static void stop(pid_t child, struct boot_result *result, enum boot_end end, double seconds)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	result->end = end;
	result->seconds = seconds;
}

static struct boot_result wait_for(pid_t child, double limit, const struct boot *boot)
{
	const bool has_marks = boot && boot->marks;
	const struct timespec pause = { .tv_nsec = (has_marks ? 10 : 50) * 1000 * 1000 };
	struct boot_result result = { .status = 0 };
	struct watch watch = { .used = 0 };
	double began = now();
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (has_marks)
			look_for_marks(&watch, boot, child, now() - began);
		if (has_marks && boot->ends_at_marks && !boot->marks[boot->seen->count]) {
			stop(child, &result, BOOT_STOPPED, now() - began);
			return result;
		}
		if (now() - began > limit) {
			stop(child, &result, BOOT_TIMED_OUT, now() - began);
			return result;
		}
		if (boot && boot->progress)
			boot->progress(boot->context, now() - began);
		nanosleep(&pause, NULL);
	}
	if (has_marks)
		look_for_marks(&watch, boot, child, now() - began);
	set_end(&result, status, now() - began);
	return result;
}

/* QEMU= may hold several words: a loader and its options before the emulator's own path. */
static bool split(struct qemu *qemu, const char *command)
{
	size_t count = 0;
	char *rest = NULL;
	char *word;

	if (strlen(command) >= sizeof(qemu->text))
		return false;
	strcpy(qemu->text, command);
	if (access(command, X_OK) == 0) {
		qemu->words[0] = qemu->text;
		qemu->words[1] = NULL;
		return true;
	}
	for (word = strtok_r(qemu->text, " \t", &rest); word && count < QEMU_WORDS;
	     word = strtok_r(NULL, " \t", &rest))
		qemu->words[count++] = word;
	qemu->words[count] = NULL;
	return count > 0 && !word;
}

static size_t copy_words(const char **to, const char *const *words)
{
	size_t count = 0;

	for (; words[count]; count++)
		to[count] = words[count];
	return count;
}

static bool ask_version(const struct qemu *qemu, char *answer, size_t size)
{
	const char *words[QEMU_WORDS + 2];
	size_t count = 0;
	FILE *output = tmpfile();
	pid_t child;

	if (!output)
		return false;
	count = copy_words(words, qemu->words);
	words[count++] = "--version";
	words[count] = NULL;
	child = start(words, fileno(output), fileno(output));
	if (child > 0) {
		wait_for(child, VERSION_SECONDS, NULL);
		rewind(output);
		answer[fread(answer, 1, size - 1, output)] = '\0';
	}
	fclose(output);
	return child > 0;
}

bool qemu_find(struct qemu *qemu, const char *command, char *message, size_t size)
{
	char answer[512] = "";

	*qemu = (struct qemu){ .number = 0 };
	if (!split(qemu, command)) {
		snprintf(message, size, "QEMU=%s: this is no command", command);
		return false;
	}
	if (!ask_version(qemu, answer, sizeof(answer))) {
		snprintf(message, size,
			 "QEMU=%s: cannot be run (%s); install qemu-system-x86, or set QEMU= to "
			 "the path of a qemu-system-x86_64",
			 command, strerror(errno));
		return false;
	}
	qemu->number = qemu_version_from_text(answer, qemu->version, sizeof(qemu->version));
	if (qemu->number == 0) {
		answer[strcspn(answer, "\n")] = '\0';
		snprintf(message, size,
			 "QEMU=%s: `--version` does not answer like a QEMU: \"%.200s\"; set QEMU= "
			 "to the path of a qemu-system-x86_64",
			 command, answer);
		return false;
	}
	return true;
}

/* What a run's command line points to, beside constants. */
struct command {
	struct spelling spelling;
	char serial[QEMU_TEXT];
	char append[QEMU_TEXT];
	const char *arguments[ARGUMENTS];
};

static void spell(struct command *to, const struct qemu *qemu, const struct boot *boot)
{
	const struct spelling_wish wish = { .machine = boot->machine,
					    .version = qemu->number,
					    .image = boot->image,
					    .append = to->append,
					    .serial = to->serial };
	size_t count = copy_words(to->arguments, qemu->words);

	if (boot->line)
		snprintf(to->serial, sizeof(to->serial), "%s", boot->line);
	else
		snprintf(to->serial, sizeof(to->serial), "file:%s", boot->serial);
	snprintf(to->append, sizeof(to->append), "%s%s", boot->machine->append, boot->append_more);
	spelling_of(&to->spelling, &wish);
	count += spelling_words(&to->spelling, to->arguments + count);
	if (boot->more)
		count += copy_words(to->arguments + count, boot->more);
	to->arguments[count] = NULL;
}

/* The first line of what QEMU itself said is how it was called: who reads the file can repeat it. */
static void write_command(int errors, const char *const *arguments)
{
	for (; *arguments; arguments++)
		dprintf(errors, strpbrk(*arguments, " ;") ? "'%s' " : "%s ", *arguments);
	dprintf(errors, "\n");
}

void qemu_become(const struct qemu *qemu, const struct boot *boot)
{
	struct command command;

	spell(&command, qemu, boot);
	/* execvp promises not to write, but its type says so only of the pointers. */
	execvp(command.arguments[0], (char *const *)(uintptr_t)command.arguments);
}

struct boot_result qemu_boot(const struct qemu *qemu, const struct boot *boot)
{
	struct command command;
	int errors = open(boot->errors, O_CREAT | O_TRUNC | O_RDWR | O_APPEND | O_CLOEXEC, 0644);
	pid_t child;
	struct boot_result result;

	if (errors < 0)
		return (struct boot_result){ .end = BOOT_NOT_STARTED };
	/* QEMU creates the file anew; what an earlier run said must not be read if it does not. */
	unlink(boot->serial);
	spell(&command, qemu, boot);
	write_command(errors, command.arguments);
	child = start(command.arguments, errors, errors);
	if (child > 0)
		result = wait_for(child, qemu_time_limit(boot->machine), boot);
	else
		result = (struct boot_result){ .end = BOOT_NOT_STARTED };
	close(errors);
	return result;
}
