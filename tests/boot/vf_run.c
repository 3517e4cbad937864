/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/vf_run.c - boots the guests of guests/vf.conf, and tells what came of it.
 *
 *   out/boot-logs/<machine>-vf.log, .qemu, and -vf-first.img, -vf-second.img while it runs
 */
#include "vf.h"

#include "cable.h"
#include "steps.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const step_names[VF_STEPS] = {
	[VF_ON] = "the hypervisor has switched them on",
	[VF_DRIVER] = "Debian's driver has each, with its own namespace",
	[VF_ALONE] = "no guest sees the physical function",
	[VF_COMES_BACK] = "64 MiB of each come back as they were written",
	[VF_IMAGE] = "they are on its own disk",
	[VF_AT_ONCE] = "both were at it at once",
	[VF_INTERRUPTS] = "a queue's MSI-X interrupts grow",
	[VF_CONTAINED] = "neither reaches beyond its guest",
	[VF_AIMED] = "the first aims its own beyond, and is named",
	[VF_FRAMES] = "every frame comes back, and the guests end",
};

struct image {
	char path[PATH_SIZE];
};

static const char *const names[VF_GUESTS] = { "first", "second" };

static void read_line(void *vf, const char *line)
{
	vf_read_line(vf, line);
}

/*
 * Two queues and two interrupts for each, beside what the physical function keeps.
 * 511 characters are what a path has room for.
 */
static void boot(const struct runner *runner, struct vf *vf, struct image image[VF_GUESTS])
{
	char drives[VF_GUESTS][PATH_SIZE + 64];
	/* clang-format off */
	const char *const more[] = {
		"-drive", drives[0], "-drive", drives[1],
		"-device", "nvme-subsys,id=subsystem",
		"-device", "nvme,addr=0x10,serial=1,subsys=subsystem,sriov_max_vfs=2,"
			   "sriov_vq_flexible=4,sriov_vi_flexible=4",
		"-device", "nvme-ns,nsid=1,drive=first,detached=on",
		"-device", "nvme-ns,nsid=2,drive=second,detached=on",
		NULL
	};
	/* clang-format on */
	const struct cable cable = { .machine = vf->machine,
				     .log = "vf",
				     .append = " vfs=0000:00:10.0/2",
				     .more = more,
				     .files = "guests/vf.conf",
				     .images = { "vmlinuz", "vf.gz" },
				     .read_line = read_line,
				     .context = vf };

	for (unsigned int i = 0; i < VF_GUESTS; i++)
		snprintf(drives[i], sizeof(drives[i]), "if=none,id=%s,format=raw,file=%.511s",
			 names[i], image[i].path);
	vf->ended = cable_boot(runner, &cable);
}

static void run_machine_of(const struct runner *runner, struct vf *vf)
{
	struct image image[VF_GUESTS] = { { "" } };
	bool made = true;

	for (unsigned int i = 0; i < VF_GUESTS; i++) {
		snprintf(image[i].path, PATH_SIZE, "%s/boot-logs/%s-vf-%s.img", runner->out,
			 vf->machine->name, names[i]);
		made = made && disk_make_image(image[i].path, DISK_MIB + 1 + i);
	}
	if (made) {
		boot(runner, vf, image);
		for (unsigned int i = 0; i < VF_GUESTS; i++)
			disk_sum_image(image[i].path, vf->guest[i].image);
	} else {
		vf->ended = (struct boot_result){ .end = BOOT_NOT_STARTED };
		snprintf(vf->guest[0].driver, EVIDENCE_SIZE, "%.400s cannot be written",
			 image[0].path);
	}
	for (unsigned int i = 0; i < VF_GUESTS; i++)
		unlink(image[i].path);
	vf_judge(vf, runner->qemu.number);
}

bool vf_run_all(const struct runner *runner, const struct machine *const *machines, size_t count)
{
	struct vf *vf = calloc(1, sizeof(*vf));
	json_t *list = json_array();
	bool good = vf != NULL;
	char path[PATH_SIZE];

	printf("1..%zu\n", count * VF_STEPS);
	fflush(stdout);
	for (size_t i = 0; vf && i < count; i++) {
		struct steps steps = { .part = "vf",
				       .machine = machines[i]->name,
				       .names = step_names,
				       .found = vf->step,
				       .count = VF_STEPS };

		vf_begin(vf, machines[i]);
		run_machine_of(runner, vf);
		steps.seconds = vf->ended.seconds;
		steps_print(&steps, stdout);
		json_array_append_new(list, steps_json(&steps, runner->qemu.version));
		good = good && steps_are_good(&steps);
	}
	free(vf);
	snprintf(path, sizeof(path), "%s/vf.json", runner->out);
	if (steps_write(path, list))
		return good;
	fprintf(stderr, "boot: %s cannot be written\n", path);
	return false;
}
