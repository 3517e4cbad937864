/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/embed/embed.c - the smallest hypervisor that links libsallyport.a. docs/porting.md walks through it.
 *
 *   firmware's table -> sp_iommu_discover_ivrs() -> sp_pci_scan() -> sp_iommu_start()
 *   sp_domain_create() -> sp_p2m_map() -> sp_device_assign() -> DMA -> sp_p2m_unmap() -> DMA
 *
 * The machine is the model: memory, CPUs, an AMD-Vi unit and a DMA device in this process. The model
 * supplies the platform_* functions; on hardware they are the embedder's own, about a page of code.
 */
#include <stdio.h>
#include <stdlib.h>

#include <sallyport/passthrough.h>

#include "model.h"

#define GUEST_FIRST  0x100u /* gfn */
#define GUEST_FRAMES 16u

static const sp_sbdf_t device = { 0x10 }; /* 0000:00:02.0 */

static void must(enum sp_status status, const char *what)
{
	if (status == SP_OK)
		return;
	fprintf(stderr, "embed: %s: %s\n", what, sp_status_text(status));
	exit(1);
}

/* A platform tells when nobody remembers a frame any more: only now may it be used for something else. */
static void frames_forgotten(struct model *model, const struct sp_forgotten *run, void *argument)
{
	(void)model;
	(void)argument;
	printf("  forgotten: %llu frame(s) from mfn %#llx\n", (unsigned long long)run->count,
	       (unsigned long long)run->first.mfn);
}

static struct model *make_machine(void)
{
	const struct model_config config = {
		.cpus = 1,
		.unit_count = 1,
		.unit = { { .vendor = MODEL_AMDVI, .answers = MODEL_LATE } },
		.device_count = 1,
		.device = { { .sbdf = 0x10, .unit = 0, .reset = MODEL_RESET_FLR } },
		.on_forgotten = frames_forgotten,
	};
	struct model *model = model_create(&config);

	if (!model)
		exit(1);
	model_make_current(model);
	return model;
}

/* All of the library's state lives in memory that the embedder gives it once. */
static struct sp_host *make_host(struct model *model)
{
	const struct sp_limits limits = { .cpus = 1, .domains = 1, .functions = 8 };
	size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;
	struct sp_host *host = sp_host_create(aligned_alloc(64, bytes), bytes, &limits, model);

	if (!host)
		must(SP_INVALID, "host");
	return host;
}

/* From here on every function is in quarantine: translation on, nothing mapped. */
static void start_iommu(struct model *model, struct sp_host *host)
{
	static unsigned char table[4096];
	size_t bytes = model_ivrs(model, MODEL_TABLE_SOUND, table, sizeof(table));

	must(sp_iommu_discover_ivrs(host, table, bytes), "discover");
	must(sp_pci_scan(host, 0), "scan");
	must(sp_iommu_start(host), "start");
}

static struct sp_domain *make_guest(struct model *model, struct sp_host *host)
{
	const struct sp_domain_config config = { .number = 1,
						 .cpu = SP_CPU_NPT,
						 .tables = SP_TABLES_SHARED,
						 .table_budget = 64,
						 .cpu_large_pages = 6,
						 .asid = 1 };
	struct sp_domain *guest;

	must(sp_domain_create(host, &config, &guest), "domain");
	for (unsigned int i = 0; i < GUEST_FRAMES; i++) {
		struct sp_result result;

		must(sp_p2m_map(guest, (sp_gfn_t){ GUEST_FIRST + i },
				(sp_mfn_t){ model_guest_frame(model) }, 1, SP_RAM, &result),
		     "map");
		must(sp_wait(host, result.ticket), "wait");
	}
	return guest;
}

/* What the device tries, and what comes of it. True if it arrived. */
static bool try_dma(struct model *model, unsigned long long gfn, const char *what)
{
	char data[] = "written by the device";
	struct model_dma dma = model_dma(model, device.sbdf, gfn << 12, data, sizeof(data), true);

	printf("  DMA to %s (dfn %#llx): %s\n", what, gfn, dma.fault ? "blocked" : "arrived");
	return !dma.fault && dma.done == sizeof(data);
}

static void print_faults(struct sp_host *host)
{
	struct sp_fault fault;
	char line[128];

	while (sp_iommu_next_fault(host, &fault) == SP_OK) {
		sp_fault_text(&fault, line, sizeof(line));
		printf("  fault: %s\n", line);
	}
}

/* The guest gives a page back: it is nobody's until the CPU and the device have forgotten it. */
static void take_page_back(struct sp_host *host, struct sp_domain *guest)
{
	struct sp_result result;

	must(sp_p2m_unmap(guest, (sp_gfn_t){ GUEST_FIRST }, 1, &result), "unmap");
	must(sp_wait(host, result.ticket), "wait");
	while (sp_progress(host, 1000) != UINT64_MAX)
		;
}

static void shut_down(struct sp_host *host, struct sp_domain *guest)
{
	must(sp_device_release(guest, device), "release");
	while (sp_domain_destroy(guest) == SP_PENDING)
		(void)sp_progress(host, 1000);
	sp_iommu_stop(host);
}

int main(void)
{
	struct model *model = make_machine();
	struct sp_host *host = make_host(model);
	struct sp_domain *guest;
	bool contained = true;

	start_iommu(model, host);
	printf("quarantine:\n");
	must(sp_device_set_master(host, device, true), "bus master");
	contained &= !try_dma(model, GUEST_FIRST, "any address");

	printf("assigned:\n");
	guest = make_guest(model, host);
	must(sp_device_assign(guest, device), "assign");
	must(sp_device_set_master(host, device, true), "bus master");
	contained &= try_dma(model, GUEST_FIRST, "the guest's page");
	contained &= !try_dma(model, GUEST_FIRST + GUEST_FRAMES, "what is not the guest's");
	print_faults(host);

	printf("page taken back:\n");
	take_page_back(host, guest);
	contained &= !try_dma(model, GUEST_FIRST, "the page that was taken back");
	print_faults(host);

	printf("released:\n");
	shut_down(host, guest);
	if (model_verdict(model))
		printf("the model objects: %s\n", model_verdict(model));
	printf("%s\n", contained && !model_verdict(model) ? "contained" : "NOT CONTAINED");
	return contained && !model_verdict(model) ? 0 : 1;
}
