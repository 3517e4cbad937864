/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/lab.c - `sallyport lab`: the QEMU machines of the demo, each option with its reason, and started.
 *
 *   tests/boot/machines.h, spelling.h --> --print, with reasons
 *   the same                          --> QEMU, at this terminal
 */
#include <argp.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "memory.h"
#include "say.h"
#include "table.h"
#include "tests/boot/qemu.h"

/* What `--print` is spelled for where there is no QEMU to ask. */
#define NEWEST_VERSION 110000
#define NEWEST_NAME    "11.0"

enum {
	LAB_LIST = 0x100,
	LAB_PRINT,
	LAB_JSON,
	LAB_IMAGE,
	LAB_KERNEL,
	LAB_INITRD,
	LAB_APPEND,
};

struct lab {
	const char *name; /* of a machine; NULL: none was named */
	const char *image, *kernel, *initrd, *append;
	bool list, print, json;
};

static const struct argp_option lab_options[] = {
	{ "list", LAB_LIST, NULL, 0, "the machines (also without MACHINE)", 0 },
	{ "print", LAB_PRINT, NULL, 0,
	  "the command line, an option a line with its reason; starts nothing", 0 },
	{ "image", LAB_IMAGE, "FILE", 0, "the hypervisor that boots, instead of out/sallyport.elf",
	  0 },
	{ "kernel", LAB_KERNEL, "FILE", 0, "a Linux kernel that boots instead of the hypervisor",
	  0 },
	{ "initrd", LAB_INITRD, "FILE", 0, "the kernel's initial file system", 0 },
	{ "append", LAB_APPEND, "TEXT", 0, "more words for the command line of what boots", 0 },
	{ "json", LAB_JSON, NULL, 0, "with --list: print JSON", 0 },
	{ 0 },
};

static const struct column columns[] = {
	{ "MACHINE", "name", "as `sallyport lab` takes it", true, false, false },
	{ "UNIT", "unit", "the IOMMU that QEMU emulates", true, false, false },
	{ "CPU", "cpu", "as QEMU names it", true, false, false },
	{ "APPEND", "append", "what the hypervisor is told", true, false, false },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct lab *lab = state->input;
	const char **text = key == LAB_IMAGE	? &lab->image
			    : key == LAB_KERNEL ? &lab->kernel
			    : key == LAB_INITRD ? &lab->initrd
			    : key == LAB_APPEND ? &lab->append
						: NULL;

	if (text) {
		*text = argument;
		return 0;
	}
	switch (key) {
	case LAB_LIST:
		lab->list = true;
		return 0;
	case LAB_PRINT:
		lab->print = true;
		return 0;
	case LAB_JSON:
		lab->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (lab->name)
			argp_error(state, "one MACHINE at a time");
		lab->name = argument;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void list(bool json)
{
	struct table table = { .column = columns,
			       .column_count = sizeof(columns) / sizeof(columns[0]) };
	json_t *rows = json_array();

	for (size_t i = 0; i < machine_count; i++) {
		const struct machine *machine = &machine_table[i];

		json_array_append_new(rows,
				      json_pack("{s:s, s:s, s:s, s:s}", "name", machine->name,
						"unit", spelling_unit_name(machine->unit), "cpu",
						machine->cpu, "append", machine->append));
	}
	if (json) {
		table_print_json("machines", rows);
		return;
	}
	table_print(&table, rows);
	json_decref(rows);
}

/* For the shell, where it has anything that a shell would touch. */
static void print_word(const char *word)
{
	printf(strpbrk(word, " ;*?$&|<>()\"") ? "'%s'" : "%s", word);
}

static void print(const struct qemu *qemu, const struct spelling *spelling)
{
	printf("# QEMU %s\n", qemu->version);
	for (size_t i = 0; qemu->words[i]; i++)
		printf("%s%s", i ? " " : "", qemu->words[i]);
	puts(" \\");
	for (size_t i = 0; i < spelling->count; i++) {
		const struct spelling_option *option = &spelling->option[i];

		printf("\t`# %s` \\\n\t%s", option->why, option->name);
		if (option->value) {
			putchar(' ');
			print_word(option->value);
		}
		puts(i + 1 < spelling->count ? " \\" : "");
	}
}

static void need_file(const char *path, const char *advice)
{
	if (access(path, R_OK) != 0)
		say_fatal(EXIT_UNKNOWN, "%s: %s; %s", path, strerror(errno), advice);
}

/* The hypervisor ends QEMU by a port; a Linux that powers off ends it with 0. */
static int exit_from_status(const struct lab *lab, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == QEMU_EXIT_SUCCESS)
		return EXIT_FINE;
	if (WIFEXITED(status) && WEXITSTATUS(status) == QEMU_EXIT_FAILURE)
		return EXIT_FINDINGS;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && lab->kernel)
		return EXIT_FINE;
	if (WIFSIGNALED(status))
		say_error("QEMU was ended by signal %d", WTERMSIG(status));
	else
		say_error("QEMU ended with status %d before the machine said how it went",
			  WEXITSTATUS(status));
	return EXIT_UNKNOWN;
}

static int start(const struct lab *lab, const struct qemu *qemu, const struct spelling *spelling)
{
	const char *words[QEMU_WORDS + 2 * SPELLING_OPTIONS + 1];
	size_t count = 0;
	int status = 0;
	pid_t child;

	for (; qemu->words[count]; count++)
		words[count] = qemu->words[count];
	count += spelling_words(spelling, words + count);
	words[count] = NULL;
	fflush(NULL);
	child = fork();
	if (child == 0) {
		/* execvp promises not to write, but its type says so only of the pointers. */
		execvp(words[0], (char *const *)(uintptr_t)words);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		say_fatal(EXIT_UNKNOWN, "QEMU could not be started: %s", strerror(errno));
	return exit_from_status(lab, status);
}

static const struct machine *find(const struct lab *lab)
{
	/* A Linux sleeps: its time is not counted in instructions. */
	const struct machine *machine = machine_named(lab->name);

	for (size_t i = 0; lab->kernel && i < guest_machine_count; i++) {
		if (!strcmp(guest_machine_table[i].name, lab->name))
			return &guest_machine_table[i];
	}
	if (!machine)
		say_fatal(EXIT_USAGE, "%s: no such machine; `sallyport lab --list` shows them",
			  lab->name);
	if (lab->kernel)
		say_fatal(EXIT_USAGE, "%s: boots the hypervisor alone; without --kernel",
			  lab->name);
	return machine;
}

/* Of what boots; to be freed. */
static char *command_line(const struct lab *lab, const struct machine *machine)
{
	const char *more = lab->append ?: "";
	const char *unit = machine->unit == UNIT_AMDVI ? "" : " intel_iommu=on";

	if (lab->kernel)
		return memory_print("console=ttyS0%s%s%s", unit, *more ? " " : "", more);
	return memory_print("%s%s%s", machine->append, *more ? " " : "", more);
}

static bool find_qemu(struct qemu *qemu, char *message, size_t size)
{
	const char *command = getenv("QEMU");

	return qemu_find(qemu, command && *command ? command : "qemu-system-x86_64", message, size);
}

static int run(const struct lab *lab)
{
	const struct machine *machine = find(lab);
	const char *image = lab->kernel ?: lab->image ?: "out/sallyport.elf";
	char *append = command_line(lab, machine), message[2 * QEMU_TEXT];
	struct spelling_wish wish = { machine, 0, image, append, "stdio" };
	struct spelling spelling;
	struct qemu qemu;
	bool found = find_qemu(&qemu, message, sizeof(message));
	int status = EXIT_FINE;

	if (!found && !lab->print)
		say_fatal(EXIT_UNKNOWN, "%s", message);
	if (!found) {
		say_warning("%s; what is printed is for QEMU " NEWEST_NAME, message);
		qemu = (struct qemu){ .words = { "qemu-system-x86_64" },
				      .version = NEWEST_NAME,
				      .number = NEWEST_VERSION };
	}
	wish.version = qemu.number;
	spelling_of(&spelling, &wish);
	if (lab->initrd)
		spelling.option[spelling.count++] =
			(struct spelling_option){ "-initrd", lab->initrd,
						  "the kernel's initial file system" };
	if (lab->print) {
		print(&qemu, &spelling);
	} else {
		need_file(image,
			  lab->kernel ? "--kernel takes a kernel, /boot/vmlinuz-.. for one"
				      : "`make images` in Sallyport's tree builds the hypervisor, "
					"--image FILE takes one from elsewhere");
		if (lab->initrd)
			need_file(lab->initrd, "--initrd takes the kernel's initial file system");
		status = start(lab, &qemu, &spelling);
	}
	free(append);
	return status;
}

int lab_run(int argc, char **argv)
{
	static const struct argp argp = {
		lab_options,
		parse,
		"[MACHINE]",
		"Starts a machine of the demo in QEMU, at this terminal.\v"
		"QEMU=/path/qemu-system-x86_64 in the environment chooses another emulator. It ends when the machine "
		"does, or with Ctrl-C. Exit status: 0 all was well, 1 the hypervisor said what was not, 3 it did not "
		"come so far.",
		NULL,
		NULL,
		NULL
	};
	struct lab lab = { 0 };

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &lab);
	if (lab.initrd && !lab.kernel)
		say_fatal(
			EXIT_USAGE,
			"--initrd is of --kernel: the hypervisor's guests take images of their own, "
			"see `make run`");
	if (lab.image && lab.kernel)
		say_fatal(EXIT_USAGE, "--image or --kernel, not both: one thing boots");
	if (lab.list || !lab.name) {
		list(lab.json);
		return EXIT_FINE;
	}
	return run(&lab);
}
