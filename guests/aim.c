/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/aim.c - edu and an NVMe controller of the hostile guest's, driven from a program: aimed at its
 * own memory, where what they move arrives, then at memory that is not its own.
 *
 * with: engines/edu.c engines/nvme.c
 *
 * "two: control NAME 1" says that it arrived; of "two: attack NAME" the hypervisor says what came.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engines/edu.h"
#include "engines/nvme.h"

#define OUTSIDE	    0x18000000ull /* behind its 128 MiB, or 192: guests/two.conf, vf.conf */
#define HUGE_BYTES  0x200000u
#define PAGE	    4096u
#define BYTES	    512u
#define TRIES	    200u /* of 10 ms */
#define COMMAND	    4
#define MEMORY_MAST "\006\004" /* decodes memory, masters the bus, by interrupts of no wire */

/* Without a gap on the bus too. */
struct memory {
	unsigned char *at;
	uint64_t bus;
};

static void fail(const char *what)
{
	printf("two: aim: %s\n", what);
	exit(1);
}

static struct memory take_memory(void)
{
	struct memory memory = { mmap(NULL, HUGE_BYTES, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1,
				      0),
				 0 };
	const int map = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (memory.at == MAP_FAILED ||
	    pread(map, &entry, sizeof(entry),
		  (off_t)((uintptr_t)memory.at / PAGE * sizeof(entry))) != (ssize_t)sizeof(entry))
		fail("no huge page, or nobody says where it is");
	close(map);
	memory.bus = (entry & ((1ull << 55) - 1)) * PAGE;
	return memory;
}

static bool has_identity(const char *folder, unsigned int vendor, unsigned int device)
{
	unsigned char bytes[4];
	char path[300];
	int config;
	bool is_it;

	snprintf(path, sizeof(path), "%s/config", folder);
	config = open(path, O_RDWR);
	is_it = pread(config, bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes) &&
		(bytes[0] | bytes[1] << 8) == (int)vendor &&
		(bytes[2] | bytes[3] << 8) == (int)device;
	if (is_it && pwrite(config, MEMORY_MAST, 2, COMMAND) != 2)
		fail("bus mastering cannot be switched on");
	close(config);
	return is_it;
}

/* Its registers. */
static uintptr_t find_device(unsigned int vendor, unsigned int device, size_t bytes)
{
	char path[300];
	void *registers = MAP_FAILED;
	glob_t found;

	glob("/sys/bus/pci/devices/*", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && registers == MAP_FAILED; i++) {
		if (!has_identity(found.gl_pathv[i], vendor, device))
			continue;
		snprintf(path, sizeof(path), "%s/resource0", found.gl_pathv[i]);
		registers = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
				 open(path, O_RDWR | O_SYNC), 0);
	}
	globfree(&found);
	if (registers == MAP_FAILED)
		fail("a device is not there");
	return (uintptr_t)registers;
}

static void move(const struct edu *edu, uint64_t bus, enum edu_direction direction)
{
	if (edu_start(edu, bus, BYTES, direction) != SP_OK)
		fail("edu is busy");
	for (unsigned int i = 0; i < TRIES && edu_is_busy(edu); i++)
		usleep(10000);
}

static void aim_edu(const struct memory *memory)
{
	const struct edu edu = { find_device(EDU_VENDOR, EDU_DEVICE, EDU_BAR_BYTES) };

	memset(memory->at, 0x5a, BYTES);
	move(&edu, memory->bus, EDU_FROM_BUS);
	move(&edu, memory->bus + PAGE, EDU_TO_BUS);
	printf("two: control edu-inside %d\n", memcmp(memory->at, memory->at + PAGE, BYTES) == 0);
	puts("two: attack edu-outside");
	move(&edu, OUTSIDE, EDU_TO_BUS);
	move(&edu, OUTSIDE, EDU_FROM_BUS);
	usleep(200000);
}

static enum sp_status wait(struct nvme *nvme)
{
	enum sp_status status = SP_PENDING;

	for (unsigned int i = 0; i < TRIES && status == SP_PENDING; i++) {
		usleep(10000);
		status = nvme_progress(nvme);
	}
	return status;
}

static bool read_block(struct nvme *nvme, uint64_t bus)
{
	return nvme_start(nvme, bus, BYTES, 0, NVME_TO_BUS) == SP_OK && wait(nvme) == SP_OK;
}

/* Where a command's data goes is said by its PRP. The block is no page of 0xff. */
static void aim_nvme(const struct memory *memory)
{
	struct nvme nvme = { .registers = find_device(0x1b36, 0x0010, 4 * PAGE),
			     .memory = memory->at + 16 * PAGE,
			     .memory_bus = memory->bus + 16 * PAGE };
	unsigned char *page = memory->at + 2 * PAGE, before[BYTES];
	bool arrived;

	memset(page, 0xff, BYTES);
	memcpy(before, page, BYTES);
	if (nvme_begin(&nvme) != SP_OK || wait(&nvme) != SP_OK)
		fail("the NVMe controller does not start");
	arrived = read_block(&nvme, memory->bus + 2 * PAGE) && memcmp(page, before, BYTES) != 0;
	printf("two: control prp-inside %d\n", arrived);
	puts("two: attack prp-outside");
	(void)read_block(&nvme, OUTSIDE);
	usleep(200000);
	nvme_stop(&nvme);
}

/* "aim prp": the NVMe controller alone. */
int main(int count, char **words)
{
	struct memory memory;

	/* A line is one message of the kernel's. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	memory = take_memory();
	if (count < 2 || strcmp(words[1], "prp") != 0)
		aim_edu(&memory);
	aim_nvme(&memory);
	return 0;
}
