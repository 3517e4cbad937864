/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/vfio_fake.c - a kernel's VFIO that is as bad as it may be, and what must not happen with it. */
#include "vfio_fake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS 0x7f0000000000u /* where this process has frame 0 */

static void complain(struct fake *fake, const char *what, uint64_t where)
{
	if (!fake->complaint[0])
		snprintf(fake->complaint, sizeof(fake->complaint), "%s: %#llx", what,
			 (unsigned long long)where);
}

/* ---- the kernel ---- */

static int fake_info(void *container, struct sp_vfio_info *info)
{
	struct fake *fake = container;

	*info = (struct sp_vfio_info){ .page_sizes = ~0xfffull,
				       .entries = fake->limit - fake->count };
	if (fake->has_window) {
		info->range_count = 2;
		info->range[0].first.dfn = 0;
		info->range[0].count = 0xfee00;
		info->range[1].first.dfn = 0xfef00;
		info->range[1].count = (1ull << 27) - 0xfef00;
	}
	return fake->info_error;
}

static bool overlaps(const struct fake_mapping *mapping, uint64_t iova, uint64_t bytes)
{
	return mapping->iova < iova + bytes && iova < mapping->iova + mapping->bytes;
}

static int fake_map_dma(void *container, uint64_t iova, void *address, uint64_t bytes,
			bool writable)
{
	struct fake *fake = container;
	struct sp_mapping there;

	if (++fake->maps == fake->fail_map)
		return fake->map_error;
	if (fake->count == fake->limit || fake->count == FAKE_MAPPINGS)
		return -ENOSPC;
	for (uint32_t i = 0; i < fake->count; i++)
		if (overlaps(&fake->mapping[i], iova, bytes))
			return -EEXIST;
	fake->seen_by_cpu_first |=
		sp_p2m_find(fake->domain, (sp_gfn_t){ iova >> SP_FRAME_ORDER }, &there) == SP_OK;
	fake->mapping[fake->count++] =
		(struct fake_mapping){ iova, bytes, (uintptr_t)address, writable };
	if (fake->count > fake->largest)
		fake->largest = fake->count;
	return 0;
}

static bool has_guests_page(struct fake *fake, const struct fake_mapping *mapping)
{
	for (uint64_t at = 0; at < mapping->bytes; at += SP_FRAME_BYTES) {
		const sp_gfn_t gfn = { (mapping->iova + at) >> SP_FRAME_ORDER };
		struct sp_mapping there;

		if (sp_p2m_find(fake->domain, gfn, &there) == SP_OK &&
		    ADDRESS + there.frame.mfn * SP_FRAME_BYTES == mapping->address + at)
			return true;
	}
	return false;
}

static void drop_mapping(struct fake *fake, uint32_t i)
{
	if (!fake->is_closing && has_guests_page(fake, &fake->mapping[i]))
		complain(fake, "hole: the guest has what is unmapped at",
			 fake->mapping[i].iova >> SP_FRAME_ORDER);
	fake->mapping[i] = fake->mapping[--fake->count];
}

/* Version 2 touches no mapping that is only partly meant. */
static int fake_unmap_dma(void *container, uint64_t iova, uint64_t bytes, uint64_t *unmapped)
{
	struct fake *fake = container;

	fake->unmaps++;
	*unmapped = 0;
	if (fake->unmap_error)
		return fake->unmap_error;
	for (uint32_t i = 0; i < fake->count; i++)
		if (!fake->is_version_1 && overlaps(&fake->mapping[i], iova, bytes) &&
		    (fake->mapping[i].iova < iova ||
		     fake->mapping[i].iova + fake->mapping[i].bytes > iova + bytes))
			return -EINVAL;
	/* It sleeps; whoever else is there goes on. */
	for (uint32_t round = 0; round < 4; round++)
		(void)sp_progress(fake->host, 1000);
	for (uint32_t i = fake->count; i-- > 0;) {
		const struct fake_mapping *mapping = &fake->mapping[i];

		if (!overlaps(mapping, iova, bytes - fake->short_by))
			continue;
		*unmapped += mapping->bytes;
		drop_mapping(fake, i);
	}
	return 0;
}

static const struct sp_vfio_calls fake_calls = { fake_info, fake_map_dma, fake_unmap_dma };

/* ---- the machine ---- */

static void on_forgotten(struct model *model, const struct sp_forgotten *run, void *argument)
{
	struct fake *fake = argument;

	(void)model;
	fake->forgotten += run->count;
	for (uint32_t i = 0; i < fake->count; i++) {
		const struct fake_mapping *mapping = &fake->mapping[i];
		const uintptr_t first = ADDRESS + run->first.mfn * SP_FRAME_BYTES;

		if (mapping->address < first + run->count * SP_FRAME_BYTES &&
		    first < mapping->address + mapping->bytes)
			complain(fake, "release: devices reach the frame", run->first.mfn);
	}
}

static void *address_of(void *argument, sp_mfn_t first, uint64_t count)
{
	(void)argument;
	(void)count;
	return (void *)(uintptr_t)(ADDRESS + first.mfn * SP_FRAME_BYTES);
}

struct fake *fake_make_bare(void)
{
	const struct sp_limits limits = { .cpus = 1, .domains = 1, .functions = 1 };
	const struct sp_domain_config domain = { .number = 1,
						 .cpu = SP_CPU_NPT,
						 .tables = SP_TABLES_SEPARATE,
						 .table_budget = 64,
						 .cpu_large_pages = 6,
						 .asid = 1 };
	const size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;
	struct fake *fake = calloc(1, sizeof(*fake));
	const struct model_config config = { .cpus = 1,
					     .on_forgotten = on_forgotten,
					     .argument = fake };

	if (!fake)
		return NULL;
	fake->limit = FAKE_MAPPINGS;
	fake->model = model_create(&config);
	model_make_current(fake->model);
	fake->host = sp_host_create(aligned_alloc(64, bytes), bytes, &limits, fake->model);
	if (sp_domain_create(fake->host, &domain, &fake->domain) != SP_OK)
		return NULL;
	fake->mfn = model_guest_frames(fake->model, 10);
	return fake;
}

enum sp_status fake_open(struct fake *fake, uint32_t limit)
{
	const struct sp_vfio_config config = { .host = fake->host,
					       .domain = fake->domain,
					       .calls = &fake_calls,
					       .container = fake,
					       .address = address_of,
					       .limit = limit };

	return sp_vfio_open(&config, &fake->mirror);
}

struct fake *fake_make(uint32_t limit)
{
	struct fake *fake = fake_make_bare();

	if (fake && fake_open(fake, limit) != SP_OK)
		complain(fake, "no mirror", 0);
	return fake;
}

void fake_free(struct fake *fake)
{
	fake->is_closing = true;
	fake->count = 0;
	if (fake->mirror)
		sp_vfio_closed(fake->mirror);
	for (uint32_t i = 0; sp_domain_destroy(fake->domain) == SP_PENDING && i < 1000; i++)
		(void)sp_progress(fake->host, 1000);
	model_make_current(NULL);
	model_destroy(fake->model);
	free(fake->host);
	free(fake);
}

enum sp_status fake_map(struct fake *fake, uint64_t at, uint64_t count, uint32_t order)
{
	while (count) {
		struct sp_result result;
		const enum sp_status status =
			sp_vfio_map(fake->mirror, (sp_gfn_t){ FAKE_GFN + at },
				    (sp_mfn_t){ fake->mfn + at }, count, SP_RAM, order, &result);

		if (status != SP_OK)
			return status;
		at += result.done;
		count -= result.done;
	}
	return SP_OK;
}

enum sp_status fake_unmap(struct fake *fake, uint64_t at, uint64_t count)
{
	while (count) {
		struct sp_result result;
		enum sp_status status =
			sp_vfio_unmap(fake->mirror, (sp_gfn_t){ FAKE_GFN + at }, count, &result);

		if (status == SP_BUSY)
			status = sp_vfio_wait(fake->mirror, result.ticket);
		if (status != SP_OK)
			return status;
		at += result.done;
		count -= result.done;
	}
	return SP_OK;
}

enum sp_status fake_progress(struct fake *fake)
{
	enum sp_status status = SP_OK;

	for (uint32_t round = 0; round < 8; round++) {
		(void)sp_progress(fake->host, 1000);
		status = sp_vfio_progress(fake->mirror);
	}
	(void)sp_progress(fake->host, 1000);
	return status;
}

bool fake_reaches(const struct fake *fake, uint64_t at, bool writable)
{
	const uint64_t iova = (FAKE_GFN + at) << SP_FRAME_ORDER;

	for (uint32_t i = 0; i < fake->count; i++) {
		const struct fake_mapping *mapping = &fake->mapping[i];

		if (overlaps(mapping, iova, SP_FRAME_BYTES) &&
		    mapping->address + (iova - mapping->iova) ==
			    ADDRESS + (fake->mfn + at) * SP_FRAME_BYTES &&
		    mapping->is_writable == writable)
			return true;
	}
	return false;
}

bool fake_is_guests(const struct fake *fake, uint64_t at)
{
	struct sp_mapping mapping;

	return sp_p2m_find(fake->domain, (sp_gfn_t){ FAKE_GFN + at }, &mapping) == SP_OK;
}
