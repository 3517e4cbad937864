/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/interactive.c - `make run`: a machine with the guests of a file, at the user's terminal.
 *
 *   GUEST=FILE --> the files that it names --> -initrd FILE,vmlinuz,...
 *   00:10.0, 00:11.0, 00:12.0    ports on one cable; behind it a network of QEMU's own, which leads nowhere
 */
#include "interactive.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MODULES_SIZE = 8 * PATH_SIZE
};

static const struct machine machines[] = {
	{ "amdvi-shared", UNIT_AMDVI, "EPYC", "tables=shared", NULL, 0, 0 },
	{ "amdvi-separate", UNIT_AMDVI, "EPYC", "tables=separate", NULL, 0, 0 },
	{ "vtd-separate", UNIT_VTD, "EPYC", "tables=separate", NULL, 0, 0 },
};

static const struct machine *find_machine(const char *name)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (strcmp(machines[i].name, name) == 0)
			return &machines[i];
	return NULL;
}

/* "kernel = vmlinuz" -> "vmlinuz", for the two keys that name files. */
static bool read_name(const char *line, char *name, size_t size)
{
	char key[16], value[PATH_SIZE];

	if (sscanf(line, " %15[a-z-] = %511s", key, value) != 2 ||
	    (strcmp(key, "kernel") != 0 && strcmp(key, "initrd") != 0))
		return false;
	snprintf(name, size, "%s", value);
	return true;
}

/* Is the file of this name among the modules already? They are separated by commas. */
static bool has_module(const char *modules, const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = strstr(modules, name); at; at = strstr(at + 1, name))
		if (at[-1] == '/' && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

/* A file that is nowhere is left out: the hypervisor says which line of the file wants it. */
static void add_module(char *modules, const char *conf, const char *out, const char *name)
{
	const char *slash = strrchr(conf, '/');
	const int folder = slash ? (int)(slash - conf) : 1;
	const size_t used = strlen(modules);
	char path[2 * PATH_SIZE];

	if (has_module(modules, name))
		return;
	snprintf(path, sizeof(path), "%.*s/%s", folder, slash ? conf : ".", name);
	if (access(path, R_OK) != 0)
		snprintf(path, sizeof(path), "%s/guests/%s", out, name);
	if (access(path, R_OK) == 0)
		snprintf(modules + used, MODULES_SIZE - used, ",%s", path);
}

/* False: the file cannot be read. One more CPU than guests have is the hypervisor's. */
static bool list_modules(const char *conf, const char *out, char *modules, unsigned int *cpus)
{
	FILE *file = fopen(conf, "r");
	char *line = NULL, name[PATH_SIZE];
	size_t size = 0;
	unsigned int more;

	if (!file)
		return false;
	snprintf(modules, MODULES_SIZE, "%s", conf);
	for (*cpus = 1; getline(&line, &size, file) > 0;) {
		if (read_name(line, name, sizeof(name)))
			add_module(modules, conf, out, name);
		if (line[0] == '[')
			(*cpus)++;
		if (sscanf(line, " cpus = %u", &more) == 1 && more > 0 && more <= 32)
			*cpus += more - 1;
	}
	free(line);
	fclose(file);
	return true;
}

void interactive_run(const struct runner *runner, const char *conf, const char *name)
{
	const struct machine *machine = find_machine(name);
	char modules[MODULES_SIZE], image[PATH_SIZE], cpus[16];
	/* clang-format off */
	const char *more[] = {
		"-smp", cpus, "-m", "1G",
		"-chardev", "stdio,id=line,signal=off",
		"-netdev", "user,id=network,restrict=on",
		"-netdev", "hubport,hubid=0,id=up,netdev=network",
		"-netdev", "hubport,hubid=0,id=port0",
		"-netdev", "hubport,hubid=0,id=port1",
		"-netdev", "hubport,hubid=0,id=port2",
		"-device", "e1000e,addr=0x10,netdev=port0,romfile=,mac=52:54:00:12:34:01",
		"-device", "e1000e,addr=0x11,netdev=port1,romfile=,mac=52:54:00:12:34:02",
		"-device", "e1000e,addr=0x12,netdev=port2,romfile=,mac=52:54:00:12:34:03",
		"-initrd", modules, NULL
	};
	/* clang-format on */
	const struct boot boot = { .machine = machine,
				   .image = image,
				   .append_more = " run=guests typing=guest",
				   .more = more,
				   .line = "chardev:line" };
	unsigned int count;

	if (!machine) {
		fprintf(stderr, "boot: there is no machine %s to run guests on\n", name);
		return;
	}
	if (!list_modules(conf, runner->out, modules, &count)) {
		fprintf(stderr, "boot: %s cannot be read; GUEST=FILE names a guest.conf\n", conf);
		return;
	}
	snprintf(image, sizeof(image), "%s/sallyport.elf", runner->out);
	snprintf(cpus, sizeof(cpus), "%u", count);
	printf("Ctrl-] leads from the guest to the monitor, where `help` helps and `stop GUEST` ends it\n");
	fflush(stdout);
	qemu_become(&runner->qemu, &boot);
	fprintf(stderr, "boot: QEMU cannot be started\n");
}
