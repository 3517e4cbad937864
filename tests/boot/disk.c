/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/disk.c - an NVMe controller of a guest's own: what was said, and the verdict. */
#include "disk.h"

#include "steps.h"

#include <string.h>

static const char guest[] = "debian";

void disk_begin(struct disk *disk, const struct machine *machine)
{
	*disk = (struct disk){ .machine = machine, .nic = { .guest = guest } };
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void keep(char *to, const char *text)
{
	snprintf(to, EVIDENCE_SIZE, "%.*s", (int)strcspn(text, "\r\n"), text);
}

static struct disk_queue *find_queue(struct disk *disk, const char *name)
{
	for (unsigned int i = 0; i < disk->queue_count; i++)
		if (strcmp(disk->queue[i].name, name) == 0)
			return &disk->queue[i];
	if (disk->queue_count == DISK_QUEUES)
		return NULL;
	snprintf(disk->queue[disk->queue_count].name, NIC_NAME, "%s", name);
	return &disk->queue[disk->queue_count++];
}

static void read_queue(struct disk *disk, const char *said)
{
	char when[8], name[NIC_NAME], kind[16];
	struct disk_queue *queue;
	unsigned long count;

	if (sscanf(said, "interrupts %7s %31s %lu %15s", when, name, &count, kind) != 4)
		return;
	queue = find_queue(disk, name);
	if (!queue)
		return;
	queue->is_msi = strcmp(kind, "PCI-MSI") == 0;
	if (strcmp(when, "before") == 0)
		queue->before = count;
	else
		queue->after = count;
}

static void read_guest(struct disk *disk, const char *said)
{
	if (starts(said, "driver "))
		keep(disk->driver, said + strlen("driver "));
	else if (starts(said, "root "))
		keep(disk->root, said + strlen("root "));
	else if (starts(said, "file file: OK"))
		disk->has_file = true;
	else if (starts(said, "new file is whole"))
		disk->has_new = true;
	else if (starts(said, "interrupts "))
		read_queue(disk, said);
	else if (sscanf(said, "made %64s", disk->made) != 1 &&
		 sscanf(said, "came %64s bytes %lu", disk->came, &disk->bytes) < 1 &&
		 sscanf(said, "written in %lu", &disk->wrote) != 1)
		sscanf(said, "read in %lu", &disk->read);
}

void disk_read_line(struct disk *disk, const char *line)
{
	const char *said = starts(line, "debian| ") ? strstr(line, "disk: ") : NULL;

	nic_read_line(&disk->nic, line);
	if (said)
		read_guest(disk, said + strlen("disk: "));
}

static void judge_sums(struct disk *disk)
{
	const bool is_sum = strlen(disk->made) == DISK_SUM - 1;

	steps_find(
		&disk->step[DISK_COMES_BACK],
		is_sum && strcmp(disk->made, disk->came) == 0 &&
			disk->bytes == (unsigned long)DISK_MIB << 20,
		"%.16s... were made, %lu bytes came, %.16s...; written in %.1f s, read in %.1f s",
		disk->made, disk->bytes, disk->came, (double)disk->wrote / 100,
		(double)disk->read / 100);
	steps_find(&disk->step[DISK_IMAGE], is_sum && strcmp(disk->made, disk->image) == 0,
		   "%.16s... of its first %d MiB", disk->image, DISK_MIB);
}

/* The first queue is for the controller's own affairs. */
static void judge_interrupts(struct disk *disk)
{
	char text[EVIDENCE_SIZE] = "";
	size_t used = 0;
	bool grew = false;

	for (unsigned int i = 0; i < disk->queue_count && used < sizeof(text); i++) {
		const struct disk_queue *queue = &disk->queue[i];

		grew = grew || (strcmp(queue->name, "nvme0q0") != 0 && queue->is_msi &&
				queue->after > queue->before);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %lu to %lu",
					 used ? ", " : "", queue->name, queue->before,
					 queue->after);
	}
	steps_find(&disk->step[DISK_INTERRUPTS], grew, "%s",
		   used ? text : "/proc/interrupts names none");
}

void disk_judge(struct disk *disk)
{
	struct nic *nic = &disk->nic;
	const bool has_driver = starts(disk->driver, "nvme ");

	nic_judge(nic, &disk->ended);
	steps_find(&disk->step[DISK_DRIVER], has_driver, "%s",
		   disk->driver[0]   ? disk->driver
		   : nic->refused[0] ? nic->refused
				     : "it said nothing");
	judge_sums(disk);
	judge_interrupts(disk);
	steps_find(&disk->step[DISK_ROOT],
		   starts(disk->root, "/dev/nvme0n2 ext4") && disk->has_file && disk->has_new,
		   "%s; a file that was there is %s, one that was written is %s",
		   disk->root[0] ? disk->root : "none", disk->has_file ? "whole" : "not whole",
		   disk->has_new ? "whole" : "not whole");
	steps_find(&disk->step[DISK_CONTAINED], has_driver && nic->faults == 0, "%u faults%s%s",
		   nic->faults, nic->faults ? ", the first: " : "", nic->fault);
	steps_find(&disk->step[DISK_FRAMES], nic->step[NIC_FRAMES].good && nic->step[NIC_END].good,
		   "%s; %s", nic->step[NIC_FRAMES].evidence, nic->step[NIC_END].evidence);
}
