/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/startup_run.c - the runs that startup.h compares.
 *
 *   out/boot-logs/<machine>-boot-<run>.log, .qemu
 */
#include "startup.h"

#include "steps.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char image[] = "sallyport.elf";

static const char *const step_names[STARTUP_STEPS] = {
	"commands for a guest's memory",
	"commands for a function that is given",
	"commands for a function that is taken",
	"seconds to user space",
	"ratio to the bare machine",
	"exits",
};
enum {
	STEPS_UNTIMED = 3
};

/* What is timed is timed on the first. */
const struct machine startup_machine_table[] = {
	{ "amdvi-shared", UNIT_AMDVI, "EPYC", "tables=shared run=guests", NULL, 30, 0 },
	{ "amdvi-separate", UNIT_AMDVI, "EPYC", "tables=separate run=guests", NULL, 30, 0 },
	{ "vtd-separate", UNIT_VTD, "EPYC", "tables=separate run=guests", NULL, 30, 0 },
};
const size_t startup_machine_count =
	sizeof(startup_machine_table) / sizeof(startup_machine_table[0]);

/* The same words that guests/boot.conf has for its guest, its size and its one CPU. */
static const struct machine bare_machine = {
	"bare", UNIT_NONE, "EPYC", "console=ttyS0 loglevel=5 printk.devkmsg=on", NULL, 30, 0
};

/* Where a run ends: at its last mark, or by itself. */
struct counted {
	const char *name, *append, *conf, *kernel;
	const char *marks[3];
};

/* The line behind the mark proves that all before it was done. */
static const struct counted counted[RUN_COUNT] = {
	[RUN_BRING_UP] = { "bring-up", " run=idle", "stay", "stay", { "idle  ", "\n", NULL } },
	[RUN_STAY] = { "stay", "", "stay", "stay", { "on CPU 1", "\n", NULL } },
	[RUN_STAY_DEVICE] = { "stay-device",
			      "",
			      "stay-device",
			      "stay",
			      { "stay has ", "\n", NULL } },
	[RUN_END] = { "end", "", "end", "end", { NULL } },
	[RUN_END_DEVICE] = { "end-device", "", "end-device", "end", { NULL } },
};

static const char *const port[] = { "-netdev", "hubport,hubid=0,id=port0", "-device",
				    "e1000e,netdev=port0,romfile=,mac=52:54:00:12:34:01" };
#define PORT port[0], port[1], port[2], port[3]
#define TRACE                                                                                 \
	"-trace", "enable=amdvi_*_inval", "-trace", "enable=amdvi_completion_wait", "-trace", \
		"enable=vtd_inv_desc_*"

/* Of one run. */
struct paths {
	char image[PATH_SIZE], serial[PATH_SIZE], errors[PATH_SIZE], modules[4 * PATH_SIZE];
};

static void name_paths(struct paths *paths, const char *out, const char *machine, const char *run)
{
	snprintf(paths->image, PATH_SIZE, "%s/%s", out, image);
	snprintf(paths->serial, PATH_SIZE, "%s/boot-logs/%s-boot-%s.log", out, machine, run);
	snprintf(paths->errors, PATH_SIZE, "%s/boot-logs/%s-boot-%s.qemu", out, machine, run);
}

static void count_line(void *commands, const char *line)
{
	startup_count_line(commands, line);
}

static void exits_line(void *exits, const char *line)
{
	startup_read_exits(exits, "debian", line);
}

static void count(const struct runner *runner, const struct machine *machine,
		  const struct counted *what, struct commands *commands)
{
	struct paths paths;
	const char *more[] = { PORT, TRACE, "-initrd", paths.modules, NULL };
	struct boot_seen seen = { .count = 0 };
	const struct boot boot = { .machine = machine,
				   .image = paths.image,
				   .append_more = what->append,
				   .more = more,
				   .serial = paths.serial,
				   .errors = paths.errors,
				   .marks = what->marks[0] ? what->marks : NULL,
				   .ends_at_marks = true,
				   .seen = &seen };
	struct boot_result ended;

	name_paths(&paths, runner->out, machine->name, what->name);
	snprintf(paths.modules, sizeof(paths.modules), "guests/%s.conf,%s/guests/%s", what->conf,
		 runner->out, what->kernel);
	ended = qemu_boot(&runner->qemu, &boot);
	commands->read = ended.end == BOOT_STOPPED ||
			 (ended.end == BOOT_EXITED && ended.status == QEMU_EXIT_SUCCESS);
	run_read_lines(paths.errors, count_line, commands);
}

/* One run to user space under the hypervisor. */
static void time_here(const struct runner *runner, struct startup *startup, unsigned int turn)
{
	static const char *const marks[] = { "guest    debian: ", "boot: user space", NULL };
	static const char *const names[] = { "here-1", "here-2" };
	struct paths paths;
	const char *more[] = { PORT, TRACE, "-initrd", paths.modules, NULL };
	struct boot_seen seen = { .count = 0 };
	const struct boot boot = { .machine = startup->machine,
				   .image = paths.image,
				   .append_more = "",
				   .more = more,
				   .serial = paths.serial,
				   .errors = paths.errors,
				   .marks = marks,
				   .seen = &seen };

	name_paths(&paths, runner->out, startup->machine->name, names[turn]);
	snprintf(paths.modules, sizeof(paths.modules),
		 "guests/boot.conf,%s/guests/vmlinuz,%s/guests/boot.gz", runner->out, runner->out);
	startup->seconds += qemu_boot(&runner->qemu, &boot).seconds;
	startup->before[turn] = seen.at[0];
	startup->here[turn] = seen.at[1];
	run_read_lines(paths.serial, exits_line, &startup->exits);
	if (turn == 0)
		run_read_lines(paths.errors, count_line, &startup->linux);
}

static void time_bare(const struct runner *runner, struct startup *startup)
{
	static const char *const marks[] = { "boot: user space", NULL };
	struct paths paths;
	char initrd[PATH_SIZE];
	const char *more[] = { PORT, "-m", "256M", "-smp", "1", "-initrd", initrd, NULL };
	struct boot_seen seen = { .count = 0 };
	const struct boot boot = { .machine = &bare_machine,
				   .image = paths.image,
				   .append_more = "",
				   .more = more,
				   .serial = paths.serial,
				   .errors = paths.errors,
				   .marks = marks,
				   .ends_at_marks = true,
				   .seen = &seen };

	name_paths(&paths, runner->out, startup->machine->name, "bare");
	snprintf(paths.image, PATH_SIZE, "%s/guests/vmlinuz", runner->out);
	snprintf(initrd, sizeof(initrd), "%s/guests/boot.gz", runner->out);
	startup->seconds += qemu_boot(&runner->qemu, &boot).seconds;
	startup->bare = seen.at[0];
}

void startup_run(const struct runner *runner, const struct machine *machine,
		 struct startup *startup)
{
	*startup = (struct startup){ .machine = machine,
				     .is_timed = strcmp(machine->name,
							startup_machine_table[0].name) == 0 };
	for (unsigned int i = 0; i < RUN_COUNT; i++)
		count(runner, machine, &counted[i], &startup->run[i]);
	if (startup->is_timed) {
		time_here(runner, startup, 0);
		time_bare(runner, startup);
		time_here(runner, startup, 1);
	}
	startup_judge(startup);
}

unsigned int startup_count(const struct machine *machine)
{
	const bool is_timed = strcmp(machine->name, startup_machine_table[0].name) == 0;

	return is_timed ? STARTUP_STEPS : STEPS_UNTIMED;
}

static struct steps steps_of(const struct startup *startup)
{
	return (struct steps){ "boot",	      startup->machine->name,	       step_names,
			       startup->step, startup_count(startup->machine), startup->seconds };
}

void startup_print(const struct startup *startup, FILE *output)
{
	const struct steps steps = steps_of(startup);

	steps_print(&steps, output);
}

bool startup_write(const char *path, const struct startup *startups, size_t machines,
		   const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < machines; i++) {
		const struct startup *startup = &startups[i];
		const struct steps steps = steps_of(startup);
		json_t *machine = steps_json(&steps, qemu);

		if (startup->is_timed)
			json_object_set_new(
				machine, "to user space",
				json_pack("{s:[f,f], s:f, s:f, s:I, s:I}", "here", startup->here[0],
					  startup->here[1], "bare", startup->bare, "ratio",
					  (startup->here[0] + startup->here[1]) / 2 / startup->bare,
					  "exits", (json_int_t)startup->exits.all, "exits a second",
					  (json_int_t)startup->exits.a_second));
		json_array_append_new(list, machine);
	}
	return steps_write(path, list);
}
