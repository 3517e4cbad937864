/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/fake_kernel.c - a tree of files like sysfs, and a small kernel that keeps it: it takes the three orders that
 * `bind` gives, and can be told to refuse the n-th or to let the program die there.
 */
#include "tests/linux/fake_kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "platform/linux/memory.h"

char fake_tree[64];

/* --- the machine: a disk that holds "/", a card of two functions behind a bridge in one group, a network card --- */

static const struct slot {
	const char *sbdf, *path, *driver, *class;
	int group;
} slots[] = {
	{ "0000:00:01.0", "0000:00:01.0", "pcieport", "0x060400", 1 },
	{ "0000:01:00.0", "0000:00:01.0/0000:01:00.0", "nouveau", "0x030000", 1 },
	{ "0000:01:00.1", "0000:00:01.0/0000:01:00.1", "snd_hda_intel", "0x040300", 1 },
	{ "0000:01:00.2", "0000:00:01.0/0000:01:00.2", NULL, "0x0c0330", 1 },
	{ "0000:02:00.0", "0000:02:00.0", "nvme", "0x010802", 2 },
	{ "0000:03:00.0", "0000:03:00.0", "e1000e", "0x020000", 3 },
	{ "0000:04:00.0", "0000:04:00.0", "igb", "0x020000", 4 },
};

#define SLOTS (sizeof(slots) / sizeof(slots[0]))

char *fake_path(const char *format, ...)
{
	va_list arguments;
	char *path, *whole;

	va_start(arguments, format);
	assert_true(vasprintf(&path, format, arguments) > 0);
	va_end(arguments);
	whole = memory_print("%s/%s", fake_tree, path);
	free(path);
	return whole;
}

static void make_directories(char *path)
{
	for (char *at = path + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		mkdir(path, 0700);
		*at = '/';
	}
}

/* With the directories above it. Takes the path. */
void fake_put(char *path, const char *text)
{
	FILE *file;

	make_directories(path);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	free(path);
}

/* Takes both. */
void fake_put_link(char *path, char *target)
{
	make_directories(path);
	assert_int_equal(symlink(target, path), 0);
	free(path);
	free(target);
}

static void put_driver(const char *sbdf, const char *driver)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (strcmp(slots[i].sbdf, sbdf))
			continue;
		fake_put_link(fake_path("sys/devices/pci0000:00/%s/driver", slots[i].path),
			      memory_print("/sys/bus/pci/drivers/%s", driver));
	}
}

static void put_slot(const struct slot *slot)
{
	/* Header type 1, a bridge, at 0x0e: text up to there will do. */
	bool bridge = !strncmp(slot->class, "0x0604", 6);

	fake_put_link(fake_path("sys/bus/pci/devices/%s", slot->sbdf),
		      memory_print("../../../devices/pci0000:00/%s", slot->path));
	fake_put(fake_path("sys/devices/pci0000:00/%s/vendor", slot->path), "0x8086\n");
	fake_put(fake_path("sys/devices/pci0000:00/%s/device", slot->path), "0x1234\n");
	fake_put(fake_path("sys/devices/pci0000:00/%s/class", slot->path), slot->class);
	fake_put(fake_path("sys/devices/pci0000:00/%s/config", slot->path),
		 bridge ? "aaaaaaaaaaaaaa\1aaaaaaaaaaaaaaaa" : "aaaaaaaaaaaaaa\2aaaaaaaaaaaaaaaa");
	fake_put(fake_path("sys/devices/pci0000:00/%s/driver_override", slot->path), "(null)\n");
	fake_put_link(fake_path("sys/kernel/iommu_groups/%d/devices/%s", slot->group, slot->sbdf),
		      memory_print("../../../../devices/pci0000:00/%s", slot->path));
	if (!slot->driver)
		return;
	fake_put(fake_path("sys/bus/pci/drivers/%s/unbind", slot->driver), "");
	put_driver(slot->sbdf, slot->driver);
}

void fake_tree_make(void)
{
	strcpy(fake_tree, "/tmp/sallyport-bind-XXXXXX");
	assert_non_null(mkdtemp(fake_tree));
	for (size_t i = 0; i < SLOTS; i++)
		put_slot(&slots[i]);
	fake_put(fake_path("sys/bus/pci/drivers/vfio-pci/unbind"), "");
	fake_put(fake_path("sys/devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1/dev"),
		 "259:0\n");
	fake_put_link(fake_path("sys/block/nvme0n1"),
		      memory_copy("../devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1"));
	fake_put_link(fake_path("sys/dev/block/259:0"),
		      memory_copy("../../devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1"));
	fake_put(fake_path("proc/self/mountinfo"), "21 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
	fake_put(fake_path("proc/swaps"), "Filename Type Size Used Priority\n");
	fake_put(fake_path("sys/devices/pci0000:00/0000:04:00.0/net/eth0/mtu"), "1500\n");
	fake_put_link(fake_path("sys/class/net/eth0"),
		      memory_copy("../../devices/pci0000:00/0000:04:00.0/net/eth0"));
	fake_put(
		fake_path("proc/net/route"),
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
		"eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
}

void fake_tree_drop(void)
{
	char *order = memory_print("rm -rf '%s'", fake_tree);

	assert_int_equal(system(order), 0);
	free(order);
}

/* --- a kernel: three orders --- */

static int obey_unbind(struct fake_kernel *kernel, const char *sbdf)
{
	char *driver = kernel->files->driver(kernel->files, sbdf),
	     *path = fake_path("sys/bus/pci/devices/%s/driver", sbdf);
	int error = driver && !unlink(path) ? 0 : ENOENT;

	free(driver);
	free(path);
	return error;
}

static const char *default_driver(const char *sbdf)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (!strcmp(slots[i].sbdf, sbdf))
			return slots[i].driver;
	}
	return NULL;
}

/* An override admits one driver alone; without one, that which knows the device. */
static int obey_bind(struct fake_kernel *kernel, const char *driver, const char *sbdf)
{
	char *has = kernel->files->driver(kernel->files, sbdf),
	     *override = kernel->files->override(kernel->files, sbdf);
	const char *fits = override ?: default_driver(sbdf);
	int error = ENODEV;

	if (!has && fits && (!driver || !strcmp(driver, fits))) {
		put_driver(sbdf, fits);
		error = 0;
	}
	free(has);
	free(override);
	/* drivers_probe is content where nobody fits. */
	return driver ? error : 0;
}

static int obey(struct fake_kernel *kernel, const char *path, const char *text)
{
	char name[64];
	int length = 0;

	if (sscanf(path, "sys/bus/pci/devices/%63[^/]/driver_override%n", name, &length) == 1 &&
	    length) {
		char *file = memory_print("%s/%s", fake_tree, path);
		FILE *stream = fopen(file, "w");

		fprintf(stream, "%s\n", *text == '\n' ? "(null)" : text);
		fclose(stream);
		free(file);
		return 0;
	}
	if (sscanf(path, "sys/bus/pci/devices/%63[^/]/driver/unbind%n", name, &length) == 1 &&
	    length)
		return strcmp(name, text) ? ENODEV : obey_unbind(kernel, name);
	if (sscanf(path, "sys/bus/pci/drivers/%63[^/]/bind%n", name, &length) == 1 && length)
		return obey_bind(kernel, name, text);
	if (!strcmp(path, "sys/bus/pci/drivers_probe"))
		return obey_bind(kernel, NULL, text);
	fail_msg("no such order: %s", path);
	return ENOENT;
}

int fake_kernel_write(struct actor *actor, const char *path, const char *text)
{
	struct fake_kernel *kernel = (struct fake_kernel *)actor;
	bool fails = ++kernel->writes == kernel->fail_at, dies = kernel->writes == kernel->die_at;
	int error;

	if (dies && !kernel->after)
		_exit(FAKE_DIED);
	if (fails && !kernel->after)
		return EIO;
	error = obey(kernel, path, text);
	if (dies)
		_exit(FAKE_DIED);
	return fails ? EIO : error;
}

static char *kernel_driver(struct actor *actor, const char *sbdf)
{
	struct actor *files = ((struct fake_kernel *)actor)->files;

	return files->driver(files, sbdf);
}

static char *kernel_override(struct actor *actor, const char *sbdf)
{
	struct actor *files = ((struct fake_kernel *)actor)->files;

	return files->override(files, sbdf);
}

struct fake_kernel fake_kernel_start(void)
{
	return (struct fake_kernel){ .actor = { fake_kernel_write, kernel_driver, kernel_override,
						NULL },
				     .files = actor_open(fake_tree) };
}

void fake_kernel_stop(struct fake_kernel *kernel)
{
	kernel->files->close(kernel->files);
}

/* "0000:01:00.0 nouveau -;..": to be freed. */
char *fake_state(void)
{
	struct actor *files = actor_open(fake_tree);
	char *all = memory_copy("");

	for (size_t i = 0; i < SLOTS; i++) {
		char *driver = files->driver(files, slots[i].sbdf),
		     *override = files->override(files, slots[i].sbdf);
		char *more = memory_print("%s%s %s %s;", all, slots[i].sbdf, driver ?: "-",
					  override ?: "-");

		free(driver);
		free(override);
		free(all);
		all = more;
	}
	files->close(files);
	return all;
}

void fake_has(const char *words)
{
	char *now = fake_state();

	if (!strstr(now, words))
		fail_msg("\"%s\" is not in: %s", words, now);
	free(now);
}
