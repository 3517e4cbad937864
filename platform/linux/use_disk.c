/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/use_disk.c - disks that hold what is mounted or swapped to.
 *
 *   36 1 253:0 / / rw - ext4 /dev/mapper/vg-root rw          proc/self/mountinfo
 *        |
 *   sys/dev/block/253:0 -> ../../devices/virtual/block/dm-0
 *        slaves/ md0  -->  slaves/ sda2 sdb2  -->  sda, sdb  -->  the functions that they are children of
 *
 * A partition has no slaves: those of its disk count (md126p2: what md126 is made of).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "use_back.h"

#define DEEPEST 16 /* dm on md on dm .. */

struct disks {
	const struct machine *machine;
	struct uses *uses;
	enum use_kind kind;
	const char *purpose, *source;
};

/* With native multipath, nvme0n1 is a device of its own, and nvme0c1n1 is the way to it by controller 1. */
static bool is_path_of(const char *child, const char *disk)
{
	unsigned int child_system, controller, child_space, system, space;
	int child_length = 0, length = 0;

	if (sscanf(child, "nvme%uc%un%u%n", &child_system, &controller, &child_space,
		   &child_length) != 3 ||
	    sscanf(disk, "nvme%un%u%n", &system, &space, &length) != 2)
		return false;
	return !child[child_length] && !disk[length] && system == child_system &&
	       space == child_space;
}

/* False: no function has it. */
static bool add_disk(struct disks *disks, const char *disk, const char *way)
{
	bool found = false;

	for (size_t i = 0; i < disks->machine->function_count; i++) {
		const struct machine_function *function = &disks->machine->function[i];

		for (size_t j = 0; j < function->child.count; j++) {
			const char *child = function->child.name[j];

			if (strcmp(child, disk) && !is_path_of(child, disk))
				continue;
			use_add(disks->uses, disks->kind, (int)i, disk, disks->purpose,
				disks->source, way);
			found = true;
		}
	}
	return found;
}

/* "sys/devices/../block/sda/sda2": the disk is what comes behind "block/", or its parent where that is a partition. */
static char *disk_of(const char *path)
{
	const char *block = strstr(path, "/block/"), *name;

	if (!block) {
		name = strrchr(path, '/');
		return memory_copy(name ? name + 1 : path);
	}
	name = block + strlen("/block/");
	return memory_print("%.*s", (int)strcspn(name, "/"), name);
}

/* Where the whole disk is. NVMe's are not below "block/": sys/devices/../0000:01:00.0/nvme/nvme0/nvme0n1/nvme0n1p2 */
static char *whole_of(const struct machine *machine, const char *path)
{
	char *whole = memory_copy(path), *slash = strrchr(whole, '/');

	if (slash && root_text_in(machine->root, path, "partition"))
		*slash = 0;
	return whole;
}

/* What has no disk of this machine below it; a loop's file lies on what is mounted too. */
static bool is_diskless(const char *disk)
{
	static const char *const diskless[] = { "loop", "zram", "ram", "nbd", "rbd" };

	for (size_t i = 0; i < sizeof(diskless) / sizeof(diskless[0]); i++) {
		size_t length = strlen(diskless[i]);

		if (!strncmp(disk, diskless[i], length) && strspn(disk + length, "0123456789"))
			return true;
	}
	return false;
}

/* A volume of ZFS (zd0), or what else nothing in sysfs leads away from. */
static void lose_disk(struct disks *disks, const char *whole, const char *disk)
{
	static const char made_up[] = "sys/devices/virtual/block/";

	if (strncmp(whole, made_up, strlen(made_up)) != 0 || is_diskless(disk))
		return;
	use_lose(disks->uses, USE_OF_DISKS,
		 memory_print("%s is in use (%s, says %s): sysfs does not tell which disks hold it",
			      disk, disks->purpose, disks->source));
}

static void follow(struct disks *disks, const char *path, const char *way, unsigned int depth)
{
	char *whole = whole_of(disks->machine, path), *disk = disk_of(whole),
	     *slaves = memory_print("%s/slaves", whole);
	struct root_names names;
	bool has_slaves = root_list(disks->machine->root, slaves, &names) == ROOT_OK && names.count;

	if (!has_slaves && !add_disk(disks, disk, way))
		lose_disk(disks, whole, disk);
	for (size_t i = 0; has_slaves && i < names.count && depth < DEEPEST; i++) {
		char *link = memory_print("%s/%s", slaves, names.name[i]);
		const char *below = root_follow(disks->machine->root, link);
		char *longer = memory_print("%s%s%s", way, *way ? ", " : "", disk);

		if (below)
			follow(disks, below, longer, depth + 1);
		free(longer);
		free(link);
	}
	free(slaves);
	free(disk);
	free(whole);
}

/* "/dev/mapper/vg-root", "/dev/sda2": where sysfs has it. NULL: it is no disk's name. */
static const char *path_of_device(const struct machine *machine, const char *device)
{
	const char *target, *name, *path;
	char *link;

	if (strncmp(device, "/dev/", 5) != 0)
		return NULL;
	target = root_follow(machine->root, device + 1);
	name = strrchr(target ?: device, '/');
	link = memory_print("sys/class/block/%s", name ? name + 1 : target);
	path = root_follow(machine->root, link);
	free(link);
	return path;
}

static const char *path_of_number(const struct machine *machine, unsigned int major,
				  unsigned int minor)
{
	char *link = memory_print("sys/dev/block/%u:%u", major, minor);
	const char *path = root_follow(machine->root, link);

	free(link);
	return path;
}

/* What the machine cannot run or boot without. */
bool use_is_vital(const char *mount)
{
	static const char *const vital[] = { "/",	  "/usr", "/var", "/etc",      "/boot",
					     "/boot/efi", "/efi", "/nix", "/nix/store" };

	for (size_t i = 0; i < sizeof(vital) / sizeof(vital[0]); i++) {
		if (!strcmp(mount, vital[i]))
			return true;
	}
	return false;
}

/* The kernel writes a space as \\040. */
void use_unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		unsigned int code;
		int length = 0;

		if (*text == '\\' && sscanf(text, "\\%3o%n", &code, &length) == 1 && length == 4) {
			*out++ = (char)code;
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = 0;
}

/* A btrfs lies on all of these; the mount names one. False: this directory is of another one. */
static bool follow_btrfs(struct disks *disks, const char *devices, const char *base)
{
	struct root_names names;
	bool is_it = false;

	if (root_list(disks->machine->root, devices, &names) != ROOT_OK)
		return false;
	for (size_t i = 0; i < names.count; i++)
		is_it = is_it || !strcmp(names.name[i], base);
	for (size_t i = 0; i < names.count && is_it; i++) {
		char *link = memory_print("sys/class/block/%s", names.name[i]);
		const char *path = root_follow(disks->machine->root, link);

		if (path)
			follow(disks, path, "", 0);
		free(link);
	}
	return is_it;
}

/* sys/fs/btrfs/UUID/devices/: sda2, dm-0. `path` is of one of them. */
static void read_btrfs(struct disks *disks, const char *path)
{
	const char *base = strrchr(path, '/');
	struct root_names names;
	bool found = false;

	if (root_list(disks->machine->root, "sys/fs/btrfs", &names) != ROOT_OK)
		names.count = 0;
	for (size_t i = 0; i < names.count && !found; i++) {
		char *devices = memory_print("sys/fs/btrfs/%s/devices", names.name[i]);

		found = follow_btrfs(disks, devices, base ? base + 1 : path);
		free(devices);
	}
	if (!found)
		use_lose(
			disks->uses, USE_OF_DISKS,
			memory_print(
				"%s is btrfs (says %s): /sys/fs/btrfs does not tell which other disks hold it",
				disks->purpose, disks->source));
}

/* bcachefs names all of its disks: /dev/sda2:/dev/sdb2 */
static void read_devices(struct disks *disks, char *devices)
{
	char *device;

	while ((device = strsep(&devices, ":"))) {
		const char *path = path_of_device(disks->machine, device);

		if (path)
			follow(disks, path, "", 0);
	}
}

/* btrfs, ZFS and overlays have numbers of their own; the first two name a device, or a pool. */
static void read_mount(struct disks *disks, const char *line)
{
	unsigned int major, minor;
	char mount[4096], type[64], device[4096];
	const char *behind = strstr(line, " - "), *path;

	if (!behind || sscanf(line, "%*u %*u %u:%u %*s %4095s", &major, &minor, mount) != 3 ||
	    sscanf(behind, " - %63s %4095s", type, device) != 2)
		return;
	use_unescape(mount);
	path = major ? path_of_number(disks->machine, major, minor) : NULL;
	if (!path)
		path = path_of_device(disks->machine, device);
	disks->kind = use_is_vital(mount) ? USE_ROOT_DISK : USE_DISK;
	disks->purpose = mount;
	if (path)
		follow(disks, path, "", 0);
	if (path && !strcmp(type, "btrfs"))
		read_btrfs(disks, path);
	else if (!strcmp(type, "bcachefs"))
		read_devices(disks, device);
	else if (!path && !strcmp(type, "zfs"))
		use_lose(
			disks->uses, USE_OF_DISKS,
			memory_print(
				"%s is ZFS (%s, says /proc/self/mountinfo): sysfs does not tell which disks hold it",
				mount, device));
	disks->purpose = "";
}

static void read_mounts(struct disks *disks)
{
	struct root_bytes bytes;
	char *text, *rest, *line;

	disks->source = "/proc/self/mountinfo";
	if (root_read(disks->machine->root, "proc/self/mountinfo", &bytes) != ROOT_OK) {
		use_lose(
			disks->uses, USE_OF_DISKS,
			memory_copy(
				"/proc/self/mountinfo cannot be read: which disks are mounted is not known"));
		return;
	}
	text = rest = memory_copy(bytes.data);
	while ((line = strsep(&rest, "\n")))
		read_mount(disks, line);
	free(text);
}

static void read_swaps(struct disks *disks)
{
	struct root_bytes bytes;
	char *text, *rest, *line;

	disks->source = "/proc/swaps";
	disks->kind = USE_SWAP;
	disks->purpose = "swap";
	if (root_read(disks->machine->root, "proc/swaps", &bytes) != ROOT_OK)
		return;
	text = rest = memory_copy(bytes.data);
	while ((line = strsep(&rest, "\n"))) {
		const char *path;

		line[strcspn(line, " \t")] = 0;
		path = *line == '/' ? path_of_device(disks->machine, line) : NULL;
		if (path)
			follow(disks, path, "", 0);
	}
	free(text);
}

static bool is_used(const struct uses *uses, int function, const char *child)
{
	for (size_t i = 0; i < uses->count; i++) {
		if (uses->use[i].function == function && uses->use[i].child &&
		    !strcmp(uses->use[i].child, child))
			return true;
	}
	return false;
}

/* The first that holds a disk or one of its partitions: a volume group, an array, that nobody has mounted. */
static const char *holder_of(const struct machine *machine, const char *path, const char *disk)
{
	char *holders = memory_print("%s/holders", path);
	struct root_names names;
	const char *found = NULL;

	if (root_list(machine->root, holders, &names) == ROOT_OK && names.count)
		found = names.name[0];
	free(holders);
	if (found || root_list(machine->root, path, &names) != ROOT_OK)
		return found;
	for (size_t i = 0; i < names.count && !found; i++) {
		char *part = memory_print("%s/%s", path, names.name[i]);

		if (!strncmp(names.name[i], disk, strlen(disk)))
			found = holder_of(machine, part, names.name[i]);
		free(part);
	}
	return found;
}

static void read_holders(struct disks *disks, int function)
{
	const struct machine_function *is = &disks->machine->function[function];

	for (size_t i = 0; i < is->child.count; i++) {
		char *link = memory_print("sys/block/%s", is->child.name[i]), *purpose;
		const char *path = root_follow(disks->machine->root, link), *holder;

		free(link);
		if (!path || is_used(disks->uses, function, is->child.name[i]))
			continue;
		holder = holder_of(disks->machine, path, is->child.name[i]);
		if (!holder)
			continue;
		purpose = memory_print("part of %s", holder);
		use_add(disks->uses, USE_DISK, function, is->child.name[i], purpose,
			"/sys/block/*/holders", "");
		free(purpose);
	}
}

void use_disks(const struct machine *machine, struct uses *uses)
{
	struct disks disks = { .machine = machine, .uses = uses };

	read_mounts(&disks);
	read_swaps(&disks);
	for (size_t i = 0; i < machine->function_count; i++)
		read_holders(&disks, (int)i);
}
