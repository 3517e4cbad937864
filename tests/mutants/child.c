/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/mutants/child.c - one trial in a process of its own: a defect may do anything, and here only
 * an oracle's words count.
 */
#include "mutants.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/mutant.h"

#define SECONDS 10

/* Set for the machine that bench_make() asks for next: the bench itself has no such knobs. */
static bool write_buffer, no_reset;

/* The linker leads the bench's calls here. */
struct model *__real_model_create(const struct model_config *config);
struct model *__wrap_model_create(const struct model_config *config);

struct model *__wrap_model_create(const struct model_config *config)
{
	struct model_config machine = *config;

	for (uint32_t i = 0; i < machine.unit_count; i++)
		machine.unit[i].write_buffer |= write_buffer;
	for (uint32_t i = 0; i < machine.device_count && no_reset; i++)
		machine.device[i].reset = MODEL_RESET_NONE;
	return __real_model_create(&machine);
}

static struct ending mine; /* what this process, a child, has heard */

/* Entries that lead, or let through, where no map does are more than any map allows: A. */
static enum oracle oracle_of(const char *line)
{
	const char *letter = NULL;

	if (strncmp(line, "window: ", 8) == 0 || strncmp(line, "format: ", 8) == 0)
		return ORACLE_A;
	if (strncmp(line, "oracle ", 7) == 0 && line[7])
		letter = strchr(ORACLE_LETTERS, line[7]);
	return letter ? (enum oracle)(letter - ORACLE_LETTERS) : ORACLE_NONE;
}

static void hear(const char *line)
{
	char *said = mine.said[oracle_of(line)];

	if (!said[0])
		snprintf(said, LINE, "%s", line);
}

/* The bench keeps the first complaint alone; here each oracle has a say. */
void __real_bench_complain(struct bench *bench, const char *format, ...);
void __wrap_bench_complain(struct bench *bench, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void __wrap_bench_complain(struct bench *bench, const char *format, ...)
{
	char line[LINE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	hear(line);
	__real_bench_complain(bench, "%s", line);
}

static struct bench *make(const struct trial *trial)
{
	const struct bench_config config = {
		.mode = &bench_modes[trial->mode],
		.adversary = trial->adversary,
		.answers = trial->answers,
		.not_coherent = trial->not_coherent,
		.two_units = trial->two_units,
		.counted = trial->counted,
		.cpu_outside = trial->cpu_outside,
		.ats = trial->ats,
		.phantom = trial->phantom,
		.outsiders = trial->outsiders,
		.emulator = trial->emulator,
		.cpus = trial->cpus ? trial->cpus : 2,
	};

	write_buffer = trial->write_buffer;
	no_reset = trial->no_reset;
	return bench_make(&config);
}

/* What a defect leaves behind is not looked at, but a sound run must end well. */
static void run_on_bench(const struct trial *trial, uint32_t mutant)
{
	struct bench *bench = make(trial);

	assert_int_equal(sp_mutant_choose(bench->host, mutant), SP_OK);
	(void)trial->run(bench, trial);
	if (model_verdict(bench->model))
		hear(model_verdict(bench->model));
	if (mutant == SP_MUT_NONE && !trial->stays_lost)
		bench_free(bench);
}

/* Ends the process. */
static void run_here(const struct trial *trial, uint32_t mutant, int out)
{
	const char *said = "";

	if (trial->alone)
		said = trial->alone(mutant);
	else
		run_on_bench(trial, mutant);
	if (said[0])
		hear(said);
	if (write(out, mine.said, sizeof(mine.said)) != sizeof(mine.said))
		_exit(2);
	_exit(0);
}

/* What it printed last says most about why it broke. */
static void tell_broken(struct ending *ending, int status, FILE *log)
{
	char line[LINE / 2], last[LINE / 2] = "no last words";
	char *said = ending->said[ORACLE_NONE];

	rewind(log);
	while (fgets(line, sizeof(line), log)) {
		line[strcspn(line, "\n")] = 0;
		if (line[0])
			memcpy(last, line, sizeof(last));
	}
	ending->kind = BROKEN;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(said, LINE, "no end after %d s: %s", SECONDS, last);
	else if (WIFSIGNALED(status))
		snprintf(said, LINE, "signal %d: %s", WTERMSIG(status), last);
	else
		snprintf(said, LINE, "status %d%s: %s", WEXITSTATUS(status),
			 WEXITSTATUS(status) == 255 ? ", an assertion of the bench" : "", last);
}

static void start(const struct trial *trial, uint32_t mutant, int out, FILE *log)
{
	if (dup2(fileno(log), STDOUT_FILENO) < 0 || dup2(fileno(log), STDERR_FILENO) < 0)
		_exit(2);
	alarm(SECONDS);
	run_here(trial, mutant, out);
}

static bool read_all(int in, void *to, size_t bytes)
{
	size_t length = 0;
	ssize_t more;

	while (length < bytes && (more = read(in, (char *)to + length, bytes - length)) > 0)
		length += (size_t)more;
	return length == bytes;
}

struct ending child_run(const struct trial *trial, uint32_t mutant)
{
	struct ending ending = { .kind = CONTENT };
	FILE *log = tmpfile();
	int ends[2], status = -1;
	bool whole;
	pid_t child;

	if (!log || pipe(ends) < 0) {
		perror("mutants: no log or pipe for a child");
		exit(2);
	}
	fflush(NULL);
	child = fork();
	if (child == 0)
		start(trial, mutant, ends[1], log);
	close(ends[1]);
	whole = read_all(ends[0], ending.said, sizeof(ending.said));
	close(ends[0]);
	if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0 || !whole)
		tell_broken(&ending, status, log);
	else if (ending_oracle(&ending) != ORACLE_NONE)
		ending.kind = OBJECTED;
	else if (ending.said[ORACLE_NONE][0])
		ending.kind = BROKEN;
	fclose(log);
	return ending;
}

enum oracle ending_oracle(const struct ending *ending)
{
	uint32_t oracle = ORACLE_R;

	while (oracle < ORACLE_NONE && !ending->said[oracle][0])
		oracle++;
	return (enum oracle)oracle;
}
