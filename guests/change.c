/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/change.c - a program for a Linux guest with `balloon = user` whose ports DPDK drives: what lies
 * under their traffic changes.
 *
 *   change all BAR...         in turn
 *     split, merge    a page that nobody uses of each large page in which the ports' rings and buffers
 *                     are is protected, and unprotected
 *     memory          pages of its own are given, as the monitor asks, and got again
 *     a device        edu comes, moves memory, is stopped by a protected page, and goes
 *     exchange        pages that the ports receive into get other frames
 *   change exchange BAR...    the last of these alone
 *
 * BAR is the address of a port's registers. What it says begins with "dpdk: change", for tests/boot.
 *
 * with: guests/physical.c engines/edu.c
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engines/edu.h"
#include "guests/physical.h"

#define PAGE	    PHYSICAL_PAGE
#define LARGE	    0x200000u
#define LARGE_PAGES (LARGE / PAGE)
#define SPARE_RUN   4u /* pages without a bit set, one after the other: nobody uses them */
#define LARGE_MAX   32u
#define PORTS	    4
#define ROUNDS	    10u
#define ROUND_US \
	370000 /* not half a second: whoever looks each second would always see the same half */
#define REST_US	       1500000
#define OWN_PAGES      128u
#define PAUSE_US       20000
#define EXCHANGED      64u
#define MOVED	       512u
#define DEVICE_SECONDS 90
#define COMMAND	       4
#define MEMORY_MASTER  "\006\004" /* decodes memory, masters the bus, by interrupts of no wire */

/* The large pages that the ports use, and of each a page that nobody does; 0: there is none. */
struct used {
	uint64_t large[LARGE_MAX], spare[LARGE_MAX];
	unsigned int count;
};

struct ports {
	volatile uint32_t *port[PORTS];
	unsigned int count;
};

/* ---- large pages ---- */

static void add_used(struct used *used, uint64_t address)
{
	const uint64_t large = address / LARGE;

	for (unsigned int i = 0; i < used->count; i++)
		if (used->large[i] == large)
			return;
	if (used->count < LARGE_MAX)
		used->large[used->count++] = large;
}

static void find_used(const struct ports *ports, struct used *used)
{
	for (unsigned int i = 0; i < ports->count; i++) {
		const volatile uint32_t *port = ports->port[i];
		const uint32_t count =
			port_read(port, PORT_RECEIVE_BYTES) / sizeof(struct port_descriptor);

		add_used(used, (uint64_t)port_read(port, PORT_RECEIVE_HIGH) << 32 |
				       port_read(port, PORT_RECEIVE_LOW));
		add_used(used, (uint64_t)port_read(port, PORT_TRANSMIT_HIGH) << 32 |
				       port_read(port, PORT_TRANSMIT_LOW));
		for (uint32_t at = 0; at < count; at++)
			add_used(used, physical_received(port, at).buffer);
	}
}

static int is_zero(uint64_t page)
{
	static const unsigned char zeros[PAGE];
	unsigned char there[PAGE];

	physical_read(page * PAGE, there, PAGE);
	return memcmp(there, zeros, PAGE) == 0;
}

/* The middle of the last pages that are all zero: a program's heap is filled from one end. */
static uint64_t find_spare(uint64_t large)
{
	unsigned int run = 0;

	for (uint64_t page = (large + 1) * LARGE_PAGES - 1; page > large * LARGE_PAGES; page--) {
		run = is_zero(page) ? run + 1 : 0;
		if (run == SPARE_RUN)
			return page + SPARE_RUN / 2;
	}
	return 0;
}

static unsigned int call_each(const struct used *used, uint64_t number)
{
	unsigned int done = 0;

	for (unsigned int i = 0; i < used->count; i++)
		done += used->spare[i] != 0 && physical_call(number, used->spare[i], 1) == 1;
	usleep(ROUND_US);
	return done;
}

static void split_and_merge(const struct ports *ports)
{
	struct used used = { .count = 0 };
	unsigned int spares = 0, splits = 0, merges = 0;

	find_used(ports, &used);
	for (unsigned int i = 0; i < used.count; i++) {
		used.spare[i] = find_spare(used.large[i]);
		spares += used.spare[i] != 0;
	}
	for (unsigned int i = 0; i < ROUNDS; i++) {
		splits += call_each(&used, HYPERCALL_PROTECT);
		merges += call_each(&used, HYPERCALL_UNPROTECT);
	}
	usleep(REST_US);
	printf("dpdk: change large pages %u, with a spare page %u, splits %u, merges %u\n",
	       used.count, spares, splits, merges);
}

/* ---- memory ---- */

static void give_and_get(void)
{
	unsigned char *own = physical_take(OWN_PAGES);
	unsigned int given = 0, again = 0;

	while (physical_call(HYPERCALL_WANTED, 0, 0) == 0)
		usleep(PAUSE_US);
	while (physical_call(HYPERCALL_WANTED, 0, 0) > 0 && given < OWN_PAGES) {
		given += physical_call(HYPERCALL_GIVE, physical_gfn(own + given * PAGE), 1) == 1;
		usleep(PAUSE_US);
	}
	for (unsigned int i = 0; i < given; i++) {
		again += physical_call(HYPERCALL_GET, physical_gfn(own + i * PAGE), 1) == 1 &&
			 own[i * PAGE] == 0;
		usleep(PAUSE_US);
	}
	printf("dpdk: change given %u, got again %u\n", given, again);
}

static void exchange(const struct ports *ports)
{
	unsigned int done = 0;

	for (unsigned int turn = 0; turn < EXCHANGED; turn++) {
		const volatile uint32_t *port = ports->port[turn % ports->count];
		const uint32_t at = port_read(port, PORT_RECEIVE_HEAD) + turn;

		done += physical_call(HYPERCALL_EXCHANGE, physical_received(port, at).buffer / PAGE,
				      1) == 1;
		usleep(PAUSE_US);
	}
	printf("dpdk: change exchanged %u of %u\n", done, EXCHANGED);
}

/* ---- a device ---- */

static int has_identity(const char *folder)
{
	char path[300];
	unsigned int vendor = 0, device = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/vendor", folder);
	file = fopen(path, "r");
	if (file && fscanf(file, "%x", &vendor) != 1)
		vendor = 0;
	if (file)
		fclose(file);
	snprintf(path, sizeof(path), "%s/device", folder);
	file = fopen(path, "r");
	if (file && fscanf(file, "%x", &device) != 1)
		device = 0;
	if (file)
		fclose(file);
	return vendor == EDU_VENDOR && device == EDU_DEVICE;
}

static void write_text(const char *path, const char *text, size_t bytes, off_t at)
{
	const int file = open(path, O_WRONLY);

	if (file < 0 || pwrite(file, text, bytes, at) != (ssize_t)bytes)
		physical_fail(path);
	close(file);
}

/* Its registers, with the function switched on; 0: the kernel has not found one. */
static uintptr_t open_device(void)
{
	glob_t folders;
	uintptr_t registers = 0;
	unsigned long long bar;
	char path[300];
	FILE *file;

	write_text("/sys/bus/pci/rescan", "1", 1, 0);
	if (glob("/sys/bus/pci/devices/*", 0, NULL, &folders) != 0)
		return 0;
	for (size_t i = 0; i < folders.gl_pathc && registers == 0; i++) {
		if (!has_identity(folders.gl_pathv[i]))
			continue;
		snprintf(path, sizeof(path), "%s/resource", folders.gl_pathv[i]);
		file = fopen(path, "r");
		if (!file || fscanf(file, "%llx", &bar) != 1)
			physical_fail("find a BAR");
		fclose(file);
		snprintf(path, sizeof(path), "%s/config", folders.gl_pathv[i]);
		write_text(path, MEMORY_MASTER, 2, COMMAND);
		registers = (uintptr_t)physical_registers(bar, EDU_BAR_BYTES);
	}
	globfree(&folders);
	return registers;
}

static struct edu wait_for_device(void)
{
	struct edu edu = { 0 };

	for (int i = 0; i < 2 * DEVICE_SECONDS; i++) {
		if (edu.registers == 0)
			edu.registers = open_device();
		if (edu.registers != 0 && edu_is_present(&edu))
			return edu;
		usleep(500000);
	}
	physical_fail("find a second device");
}

/* From one page to the other, by DMA. */
static int moves(const struct edu *edu, const unsigned char *from, unsigned char *to)
{
	const enum edu_direction direction[] = { EDU_FROM_BUS, EDU_TO_BUS };
	const unsigned char *page[] = { from, to };

	for (unsigned int i = 0; i < 2; i++) {
		if (edu_start(edu, physical_gfn(page[i]) * PAGE, MOVED, direction[i]) != SP_OK)
			return 0;
		for (unsigned int tries = 0; tries < 200 && edu_is_busy(edu); tries++)
			usleep(10000);
	}
	return memcmp(from, to, MOVED) == 0;
}

/* A protected page keeps what is in it, whoever writes: a device, then a CPU. Then both may again. */
static void use_device(const struct edu *edu)
{
	unsigned char *from = physical_take(1), *to = physical_take(1), *kept = physical_take(1);
	volatile unsigned char *stored = kept;
	int moved, blocked, lost, again;

	memset(from, 0xa5, PAGE);
	moved = moves(edu, from, to);
	if (physical_call(HYPERCALL_PROTECT, physical_gfn(kept), 1) != 1)
		physical_fail("protect a page");
	blocked = !moves(edu, from, kept) && kept[0] == 0x5a && kept[MOVED - 1] == 0x5a;
	stored[0] = 1;
	lost = stored[0] == 0x5a;
	if (physical_call(HYPERCALL_UNPROTECT, physical_gfn(kept), 1) != 1)
		physical_fail("unprotect a page");
	again = moves(edu, from, kept);
	stored[0] = 1;
	again = again && stored[0] == 1;
	printf("dpdk: change device moved %d, blocked %d, store lost %d, again %d\n", moved,
	       blocked, lost, again);
}

static void have_device(void)
{
	const struct edu edu = wait_for_device();
	int left = 10 * DEVICE_SECONDS;

	use_device(&edu);
	for (; left > 0 && edu_is_present(&edu); left--)
		usleep(100000);
	printf("dpdk: change device went %d\n", left > 0);
}

int main(int count, char **words)
{
	struct ports ports = { .count = 0 };

	physical_name("dpdk: change");
	for (int i = 2; i < count && ports.count < PORTS; i++)
		ports.port[ports.count++] = physical_port(words[i]);
	if (ports.count == 0 ||
	    (strcmp(words[1], "all") != 0 && strcmp(words[1], "exchange") != 0)) {
		fprintf(stderr, "usage: change all BAR... | exchange BAR...\n");
		return 2;
	}
	puts("dpdk: change begins");
	if (strcmp(words[1], "all") == 0) {
		split_and_merge(&ports);
		give_and_get();
		have_device();
	}
	exchange(&ports);
	puts("dpdk: change ends");
	return 0;
}
