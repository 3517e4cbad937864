/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/smp.c - what guests/smp.init cannot do by a shell: static, for the guest's initial RAM disk.
 *
 *   smp threads ROUNDS        two threads, one on each CPU; one maps and unmaps what the other reads
 *   smp ipi TARGET COMMAND    an interrupt command to the local APIC, as root may
 *   smp race ROUNDS FUNCTION  one thread switches a function's registers off and on (FUNCTION is its
 *                             folder in sysfs), the other one writes to its MSI-X table meanwhile
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	APIC = 0xfee00000,
	TARGET = 0x310,
	COMMAND = 0x300,
	TARGET_SHIFT = 24,
	CONFIG_COMMAND = 4,
	DECODES = 2,
	TABLE_CONTROL = 3 /* words: of the first vector */
};

#define PATTERN 0xfffffffeu

static _Atomic(uint32_t *) offered; /* the first thread's; the second takes it by NULL */
static atomic_ulong wrong;
static atomic_bool ended;

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Each page holds one more than the last: another value is one that its CPU should have forgotten. */
static void *read_pages(void *unused)
{
	uint32_t expected = 0;

	run_on(1);
	while (!atomic_load(&ended)) {
		const uint32_t *page = atomic_load(&offered);

		if (page == NULL)
			continue;
		if (*page != expected++)
			atomic_fetch_add(&wrong, 1);
		atomic_store(&offered, NULL);
	}
	return unused;
}

/* A page that goes is told to the other CPU, on which the same memory is in use. */
static int run_threads(unsigned long rounds)
{
	pthread_t reader;

	run_on(0);
	if (pthread_create(&reader, NULL, read_pages, NULL) != 0)
		return 1;
	for (uint32_t i = 0; i < rounds; i++) {
		uint32_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			return 1;
		*page = i;
		atomic_store(&offered, page);
		while (atomic_load(&offered) != NULL)
			;
		munmap(page, PAGE);
	}
	atomic_store(&ended, true);
	pthread_join(reader, NULL);
	printf("smp: threads %lu %lu\n", rounds, atomic_load(&wrong));
	return 0;
}

/* Target, then command, with nothing in between that could send another. */
static int send(uint32_t target, uint32_t command)
{
	int memory = open("/dev/mem", O_RDWR | O_SYNC);
	volatile uint32_t *apic;

	if (memory < 0)
		return 1;
	apic = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, APIC);
	if (apic == MAP_FAILED)
		return 1;
	run_on(0);
	apic[TARGET / 4] = target << TARGET_SHIFT;
	apic[COMMAND / 4] = command;
	return 0;
}

/*
 * In the hypervisor's copy of the table no bit of this word but the lowest can be set; where the
 * registers are off ones are read. QEMU's own table keeps any bit; once it was reached, that is enough.
 */
static volatile uint32_t *control_word;
static atomic_ulong trapped, reached;

static void *write_table(void *unused)
{
	run_on(1);
	while (!atomic_load(&ended)) {
		uint32_t value;

		*control_word = PATTERN;
		value = *control_word;
		atomic_fetch_add(&trapped, value == 0);
		atomic_fetch_add(&reached, value == PATTERN);
	}
	return unused;
}

static int open_in(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return open(path, O_RDWR | O_SYNC);
}

static int race(unsigned long rounds, const char *function)
{
	const int config = open_in(function, "config"), table = open_in(function, "resource3");
	unsigned long done = 0;
	uint16_t command, off;
	pthread_t writer;
	uint32_t *page;

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, table, 0);
	if (config < 0 || page == MAP_FAILED ||
	    pread(config, &command, sizeof(command), CONFIG_COMMAND) != sizeof(command))
		return 1;
	control_word = page + TABLE_CONTROL;
	command |= DECODES;
	off = (uint16_t)(command & ~DECODES);
	run_on(0);
	if (pthread_create(&writer, NULL, write_table, NULL) != 0)
		return 1;
	for (; done < rounds && atomic_load(&reached) == 0; done++) {
		if (pwrite(config, &off, sizeof(off), CONFIG_COMMAND) != sizeof(off) ||
		    pwrite(config, &command, sizeof(command), CONFIG_COMMAND) != sizeof(command))
			return 1;
	}
	atomic_store(&ended, true);
	pthread_join(writer, NULL);
	printf("smp: race %lu %lu %lu\n", done, atomic_load(&trapped), atomic_load(&reached));
	return 0;
}

int main(int count, char **words)
{
	if (count == 4 && strcmp(words[1], "race") == 0)
		return race(strtoul(words[2], NULL, 0), words[3]);
	if (count == 3 && strcmp(words[1], "threads") == 0)
		return run_threads(strtoul(words[2], NULL, 0));
	if (count == 4 && strcmp(words[1], "ipi") == 0)
		return send((uint32_t)strtoul(words[2], NULL, 0),
			    (uint32_t)strtoul(words[3], NULL, 0));
	fprintf(stderr, "usage: smp threads ROUNDS | smp ipi TARGET COMMAND | "
			"smp race ROUNDS FUNCTION\n");
	return 2;
}
