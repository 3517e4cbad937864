/* SPDX-License-Identifier: BSD-2-Clause */
/* guests/physical.c - a Linux guest's physical memory, an 82574's registers, and the hypervisor's calls. */
#include "guests/physical.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PORT_BYTES 0x20000u

static const char *name = "guest";

void physical_name(const char *word)
{
	name = word;
	/* A line is one message of the kernel's. */
	setvbuf(stdout, NULL, _IOLBF, 0);
}

void physical_fail(const char *what)
{
	printf("%s cannot %s\n", name, what);
	exit(1);
}

int64_t physical_call(uint64_t number, uint64_t first, uint64_t count)
{
	int64_t answer;

	__asm__ volatile("vmmcall" : "=a"(answer) : "a"(number), "b"(first), "c"(count) : "memory");
	return answer;
}

/* ---- memory ---- */

void *physical_take(uint32_t count)
{
	const size_t bytes = (size_t)count * PHYSICAL_PAGE;
	void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);

	if (pages == MAP_FAILED || madvise(pages, bytes, MADV_NOHUGEPAGE) != 0)
		physical_fail("lock pages");
	memset(pages, 0x5a, bytes);
	return pages;
}

uint64_t physical_gfn(const void *page)
{
	const off_t at = (off_t)((uintptr_t)page / PHYSICAL_PAGE * 8);
	const int map = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (map < 0 || pread(map, &entry, sizeof(entry), at) != sizeof(entry))
		physical_fail("read the page map");
	close(map);
	return entry & ((1ull << 55) - 1);
}

/* /proc/kcore is a core file with a segment for each range of RAM. */
void physical_read(uint64_t address, void *to, size_t bytes)
{
	static int core = -1;
	Elf64_Ehdr header;
	Elf64_Phdr segment;

	if (core < 0)
		core = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	if (core < 0 || pread(core, &header, sizeof(header), 0) != sizeof(header))
		physical_fail("read /proc/kcore");
	for (int i = 0; i < header.e_phnum; i++) {
		const off_t at = (off_t)(header.e_phoff + (uint64_t)i * sizeof(segment));

		if (pread(core, &segment, sizeof(segment), at) != sizeof(segment))
			break;
		if (segment.p_type != PT_LOAD || address < segment.p_paddr ||
		    address - segment.p_paddr >= segment.p_memsz)
			continue;
		if (pread(core, to, bytes, (off_t)(segment.p_offset + address - segment.p_paddr)) ==
		    (ssize_t)bytes)
			return;
	}
	physical_fail("find an address in /proc/kcore");
}

/* ---- registers ---- */

volatile void *physical_registers(uint64_t address, size_t bytes)
{
	const int memory = open("/dev/mem", O_RDWR | O_SYNC);
	void *registers =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, (off_t)address);

	if (memory < 0 || registers == MAP_FAILED)
		physical_fail("map a device's registers");
	close(memory);
	return registers;
}

volatile uint32_t *physical_port(const char *bar)
{
	return physical_registers(strtoull(bar, NULL, 0), PORT_BYTES);
}

struct port_descriptor physical_received(const volatile uint32_t *port, uint32_t at)
{
	const uint64_t ring = (uint64_t)port_read(port, PORT_RECEIVE_HIGH) << 32 |
			      port_read(port, PORT_RECEIVE_LOW);
	const uint32_t count = port_read(port, PORT_RECEIVE_BYTES) / sizeof(struct port_descriptor);
	struct port_descriptor descriptor;

	if (count == 0)
		physical_fail("find a ring");
	physical_read(ring + at % count * sizeof(descriptor), &descriptor, sizeof(descriptor));
	return descriptor;
}
