/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/disk_run.c - boots the guest of guests/disk.conf, and tells what came of it.
 *
 *   out/boot-logs/<machine>-disk.log, .qemu, and .img while it runs
 */
#include "disk.h"

#include "cable.h"
#include "steps.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const step_names[DISK_STEPS] = {
	[DISK_DRIVER] = "Debian's driver has the controller",
	[DISK_COMES_BACK] = "64 MiB come back as they were written",
	[DISK_IMAGE] = "they are on the disk",
	[DISK_INTERRUPTS] = "a queue's MSI-X interrupts grow",
	[DISK_ROOT] = "it is the root file system",
	[DISK_CONTAINED] = "the controller does not reach beyond the guest",
	[DISK_FRAMES] = "every frame comes back, and the guest ends",
};

bool disk_make_image(const char *path, unsigned int mib)
{
	const int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	const bool made = file >= 0 && ftruncate(file, (off_t)mib << 20) == 0;

	if (file >= 0)
		close(file);
	return made;
}

void disk_sum_image(const char *path, char sum[DISK_SUM])
{
	char command[PATH_SIZE + 64];
	FILE *answer;

	snprintf(command, sizeof(command), "head -c %dM '%s' | sha256sum", DISK_MIB, path);
	answer = popen(command, "r");
	if (!answer)
		return;
	if (fscanf(answer, "%64s", sum) != 1)
		sum[0] = '\0';
	pclose(answer);
}

static void read_line(void *disk, const char *line)
{
	disk_read_line(disk, line);
}

/* What is written to the root file system is not kept: each run begins with the same. */
static void run(const struct runner *runner, struct disk *disk, const char *image)
{
	char first[PATH_SIZE + 64], second[PATH_SIZE + 64];
	/* clang-format off */
	const char *const more[] = {
		"-drive", first, "-drive", second,
		"-device", "nvme,id=controller,serial=1",
		"-device", "nvme-ns,bus=controller,nsid=1,drive=first",
		"-device", "nvme-ns,bus=controller,nsid=2,drive=second",
		NULL
	};
	/* clang-format on */
	const struct cable cable = { .machine = disk->machine,
				     .log = "disk",
				     .more = more,
				     .files = "guests/disk.conf",
				     .images = { "vmlinuz", "disk.gz" },
				     .read_line = read_line,
				     .context = disk };

	snprintf(first, sizeof(first), "if=none,id=first,format=raw,file=%s", image);
	snprintf(second, sizeof(second),
		 "if=none,id=second,format=raw,snapshot=on,file=%s/guests/disk.ext4", runner->out);
	disk->ended = cable_boot(runner, &cable);
}

static void run_machine_of(const struct runner *runner, struct disk *disk)
{
	char image[PATH_SIZE];

	snprintf(image, sizeof(image), "%s/boot-logs/%s-disk.img", runner->out,
		 disk->machine->name);
	/* One MiB more than is written. */
	if (disk_make_image(image, DISK_MIB + 1)) {
		run(runner, disk, image);
		disk_sum_image(image, disk->image);
	} else {
		disk->ended = (struct boot_result){ .end = BOOT_NOT_STARTED };
		snprintf(disk->driver, sizeof(disk->driver), "%.400s cannot be written", image);
	}
	unlink(image);
	disk_judge(disk);
}

bool disk_run_all(const struct runner *runner, const struct machine *const *machines, size_t count)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	json_t *list = json_array();
	bool good = disk != NULL;
	char path[PATH_SIZE];

	printf("1..%zu\n", count * DISK_STEPS);
	fflush(stdout);
	for (size_t i = 0; disk && i < count; i++) {
		const struct steps steps = { "disk",	 machines[i]->name, step_names,
					     disk->step, DISK_STEPS,	    0 };
		json_t *machine;

		disk_begin(disk, machines[i]);
		run_machine_of(runner, disk);
		steps_print(&steps, stdout);
		machine = steps_json(&steps, runner->qemu.version);
		json_object_set_new(machine, "seconds", json_real(disk->ended.seconds));
		json_object_set_new(machine, "sha256", json_string(disk->came));
		json_array_append_new(list, machine);
		good = good && steps_are_good(&steps);
	}
	free(disk);
	snprintf(path, sizeof(path), "%s/disk.json", runner->out);
	if (steps_write(path, list))
		return good;
	fprintf(stderr, "boot: %s cannot be written\n", path);
	return false;
}
