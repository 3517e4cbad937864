/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/vfio/main.c - a hypervisor in a Linux process, as far as its guest's memory goes: the library
 * keeps the CPU's map, the kernel's VFIO the devices'. docs/vfio.md walks through it.
 *
 *   vfio 0000:00:01.0     an edu that is bound to vfio-pci
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vfio.h"

#define GFN   0x100u /* where the guest's memory begins */
#define ORDER 2u     /* pieces of 16 KiB: what can go is 16 KiB */
#define BYTES 64u

static struct machine machine;
static struct device device;
static struct sp_host *host;
static struct sp_vfio *mirror;
static bool good = true;

static void must(enum sp_status status, const char *what)
{
	if (status == SP_OK)
		return;
	fprintf(stderr, "vfio: %s: %s\n", what, sp_status_text(status));
	exit(3);
}

static unsigned char *page(uint64_t n)
{
	return machine.memory + n * SP_FRAME_BYTES;
}

/* A transfer takes edu 100 ms, and it does not say what came of it. */
static void transfer(uint64_t n, enum edu_direction direction)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	must(edu_start(&device.edu, (GFN + n) << SP_FRAME_ORDER, BYTES, direction), "edu");
	while (edu_is_busy(&device.edu))
		nanosleep(&pause, NULL);
}

/* From page 0 into the device, and from there to page n: does it change what stands there? */
static void write_to(uint64_t n, bool shall_arrive, const char *what)
{
	bool arrives;

	memset(page(0), 0xa5, BYTES);
	memset(page(n), 0x11, BYTES);
	transfer(0, EDU_FROM_BUS);
	transfer(n, EDU_TO_BUS);
	arrives = memcmp(page(0), page(n), BYTES) == 0;
	printf("%s %s: %s\n", arrives == shall_arrive ? "ok" : "not ok", what,
	       arrives ? "arrives" : "does not arrive");
	good = good && arrives == shall_arrive;
}

static struct sp_domain *make_guest(void)
{
	static const struct sp_limits limits = { .cpus = 1, .domains = 1, .functions = 1 };
	const struct sp_domain_config config = { .number = 1,
						 .cpu = SP_CPU_NPT,
						 .tables = SP_TABLES_SEPARATE,
						 .table_budget = 64,
						 .asid = 1 };
	const size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;
	struct sp_domain *guest = NULL;

	host = sp_host_create(aligned_alloc(64, bytes), bytes, &limits, &machine);
	must(host ? sp_domain_create(host, &config, &guest) : SP_NO_MEMORY, "guest");
	return guest;
}

static void take_piece_back(uint64_t n)
{
	struct sp_result result;

	must(sp_vfio_unmap(mirror, (sp_gfn_t){ GFN + n }, 1u << ORDER, &result), "unmap");
	must(sp_vfio_wait(mirror, result.ticket), "wait");
	while (sp_progress(host, 1000) != UINT64_MAX)
		;
	printf("%s forgotten: %llu frames\n", machine.forgotten == 1u << ORDER ? "ok" : "not ok",
	       (unsigned long long)machine.forgotten);
	good = good && machine.forgotten == 1u << ORDER;
}

int main(int count, char **words)
{
	struct sp_vfio_config config = { .calls = &sp_vfio_kernel,
					 .container = &device.container,
					 .address = machine_address,
					 .argument = &machine };
	struct sp_result result;
	enum sp_status status;

	if (count != 2 || !machine_make(&machine)) {
		fprintf(stderr, "usage: vfio SEGMENT:BUS:DEVICE.FUNCTION\n");
		return 2;
	}
	device_open(&device, words[1]);
	config.domain = make_guest();
	config.host = host;
	must(sp_vfio_open(&config, &mirror), "mirror");
	must(sp_vfio_map(mirror, (sp_gfn_t){ GFN }, (sp_mfn_t){ 0 }, 64, SP_RAM, ORDER, &result),
	     "map");
	write_to(8, true, "the guest's memory");
	write_to(64, false, "what is not the guest's");
	status = sp_vfio_unmap(mirror, (sp_gfn_t){ GFN + 9 }, 1, &result);
	printf("%s a page out of a piece: %s\n", status == SP_UNSUPPORTED ? "ok" : "not ok",
	       sp_status_text(status));
	good = good && status == SP_UNSUPPORTED;
	take_piece_back(8);
	write_to(8, false, "what was taken back");
	write_to(12, true, "the piece beside it");
	must(sp_vfio_close(mirror), "close");
	return good ? 0 : 1;
}
