/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m/p2m.c - map, unmap, retype, look up: one change over all maps of the domain.
 *
 * The p2m never asks whether there is an IOMMU: the domain has a list of maps, and each takes of a
 * type's rights what its walkers see. On the way up the device's map is written before the CPU's,
 * on the way down the CPU's first: a vCPU never sees memory that its device cannot reach.
 */
#include "memory.h"
#include "p2m/types.h"

static enum sp_status change(struct sp_domain *domain, uint64_t first, uint64_t count,
			     const struct target *target, bool down, bool reserved,
			     const uint64_t *sample, struct sp_result *result)
{
	if (count == 0 || first + count < first) {
		*result = (struct sp_result){ .ticket = { domain, 0 } };
		return SP_INVALID;
	}
	return domain_change(domain, (struct span){ first, first + count }, target, down, reserved,
			     sample, result);
}

static void log_refusal(const struct sp_domain *domain, const char *why)
{
	host_log(domain->host, SP_LOG_WARNING, why);
}

/* Before anything changes: what no map of a guest may hold, and where no memory may lie. */
static enum sp_status check_map(const struct sp_domain *domain, sp_gfn_t first, sp_mfn_t frame,
				uint64_t count, enum sp_type type)
{
	const char *why;

	if (type == SP_HOLE || type >= SP_TYPE_COUNT || count == 0 || first.gfn + count < first.gfn)
		return SP_INVALID;
	if (frame.mfn + count < frame.mfn || frame.mfn + count > BIT(52 - SP_FRAME_ORDER))
		return SP_RANGE;
	why = host_forbids(domain->host, frame.mfn, count);
	if (!why && (p2m_types[type].rights & DEVICE_RIGHTS) &&
	    !MUTANT(domain->host, SP_MUT_SPECIAL_UNCHECKED))
		why = host_treats_specially(domain->host, first.gfn, count);
	if (!why)
		return SP_OK;
	log_refusal(domain, why);
	return SP_RESERVED_RANGE;
}

static struct target target_of(enum sp_type type, uint64_t mfn, bool keep_frames)
{
	return (struct target){ .mfn = mfn,
				.rights = p2m_types[type].rights,
				.memory = p2m_types[type].memory,
				.keep_frames = keep_frames };
}

static enum sp_status map(struct sp_domain *domain, sp_gfn_t first, sp_mfn_t frame, uint64_t count,
			  enum sp_type type, const uint64_t *sample, struct sp_result *result)
{
	struct target target;
	enum sp_status status = check_map(domain, first, frame, count, type);

	*result = (struct sp_result){ .ticket = { domain, 0 } };
	if (status != SP_OK)
		return status;
	if (domain->pv)
		return SP_UNSUPPORTED;
	/* passthrough/ alone, for a function's ranges; patch.c alone. */
	if (type == SP_RESERVED || type == SP_RAM_HELD)
		return SP_INVALID;
	target = target_of(type, frame.mfn, false);
	return change(domain, first.gfn, count, &target, false, false, sample, result);
}

enum sp_status sp_p2m_map(struct sp_domain *domain, sp_gfn_t first, sp_mfn_t frame, uint64_t count,
			  enum sp_type type, struct sp_result *result)
{
	return map(domain, first, frame, count, type, NULL, result);
}

uint64_t sp_p2m_sample(const struct sp_domain *domain)
{
	return load64(&domain->generation);
}

enum sp_status sp_p2m_map_sampled(struct sp_domain *domain, uint64_t sample, sp_gfn_t first,
				  sp_mfn_t frame, uint64_t count, enum sp_type type,
				  struct sp_result *result)
{
	return map(domain, first, frame, count, type, &sample, result);
}

enum sp_status sp_p2m_invalidate_all(struct sp_domain *domain, struct sp_result *result)
{
	if (domain->pv) {
		*result = (struct sp_result){ .ticket = { domain, 0 } };
		return SP_UNSUPPORTED;
	}
	return domain_begin_anew(domain, result);
}

enum sp_status sp_p2m_unmap(struct sp_domain *domain, sp_gfn_t first, uint64_t count,
			    struct sp_result *result)
{
	struct target target = { .rights = 0 };

	if (domain->pv) {
		*result = (struct sp_result){ .ticket = { domain, 0 } };
		return SP_UNSUPPORTED;
	}
	return change(domain, first.gfn, count, &target, true, false, NULL, result);
}

/* As change(). */
enum sp_status sp_p2m_unmap_lazy(struct sp_domain *domain, sp_gfn_t first, uint64_t count,
				 struct sp_result *result)
{
	const struct target target = { .rights = 0, .lazy = true };

	*result = (struct sp_result){ .ticket = { domain, 0 } };
	if (domain->pv)
		return SP_UNSUPPORTED;
	if (count == 0 || first.gfn + count < first.gfn)
		return SP_INVALID;
	return domain_change(domain, (struct span){ first.gfn, first.gfn + count }, &target, true,
			     false, NULL, result);
}

static bool is_ram(const struct found *found)
{
	enum sp_type type;

	return found->rights && p2m_type_of(found->rights, found->memory, &type) &&
	       (type == SP_RAM || type == SP_RAM_READONLY);
}

/* How many frames from `first` are memory, as far as one step looks. */
static uint64_t count_ram(struct sp_domain *domain, uint64_t first, uint64_t count)
{
	uint64_t ram = 0;

	domain_take(domain);
	for (uint32_t i = 0; i < SP_STEP_SLOTS && ram < count; i++) {
		struct found found;

		(void)tree_find(&domain->maps[0].tree, first + ram, &found);
		if (!is_ram(&found))
			break;
		ram += found.count;
	}
	domain_drop(domain);
	return min_u64(ram, count);
}

enum sp_status sp_p2m_set_type(struct sp_domain *domain, sp_gfn_t first, uint64_t count,
			       enum sp_type type, struct sp_result *result)
{
	struct target target;
	uint64_t ram;

	*result = (struct sp_result){ .ticket = { domain, 0 } };
	if (domain->pv)
		return SP_UNSUPPORTED;
	if ((type != SP_RAM && type != SP_RAM_READONLY) || count == 0 ||
	    first.gfn + count < first.gfn)
		return SP_INVALID;
	ram = count_ram(domain, first.gfn, count);
	if (ram == 0)
		return SP_NOT_FOUND;
	target = target_of(type, 0, true);
	return change(domain, first.gfn, ram, &target, type == SP_RAM_READONLY, false, NULL,
		      result);
}

enum sp_status sp_p2m_find(struct sp_domain *domain, sp_gfn_t frame, struct sp_mapping *mapping)
{
	struct reader reader = readers_enter(domain);
	struct found found;
	bool is_mapped = tree_find(&domain->maps[0].tree, frame.gfn, &found);

	readers_leave(&reader);
	*mapping = (struct sp_mapping){ .count = found.count };
	if (!is_mapped || !p2m_type_of(found.rights, found.memory, &mapping->type))
		return SP_NOT_FOUND;
	mapping->frame.mfn = found.mfn;
	mapping->order = span_order(domain->maps[0].tree.format, found.level);
	return SP_OK;
}

/* ---- firmware's ranges ---- */

static struct span *find_reserved(struct sp_domain *domain, struct span span)
{
	for (uint32_t i = 0; i < domain->reserved_count; i++)
		if (domain->reserved[i].first == span.first && domain->reserved[i].end == span.end)
			return &domain->reserved[i];
	return NULL;
}

static bool is_hole(struct sp_domain *domain, struct span span)
{
	struct found found = { 0 };
	bool is_mapped;

	domain_take(domain);
	is_mapped = tree_find(&domain->maps[0].tree, span.first, &found);
	/* A hole ends where the absent slot ends: look on behind it. */
	while (!is_mapped && found.count < span.end - span.first) {
		span.first += found.count;
		is_mapped = tree_find(&domain->maps[0].tree, span.first, &found);
	}
	domain_drop(domain);
	return !is_mapped;
}

static enum sp_status change_all(struct sp_domain *domain, struct span span, enum sp_type type,
				 bool down)
{
	while (span.first < span.end) {
		struct target target = target_of(type, span.first, false);
		struct sp_result result;
		enum sp_status status = change(domain, span.first, span.end - span.first, &target,
					       down, true, NULL, &result);

		if (status == SP_OK || status == SP_BUSY) {
			enum sp_status waited = sp_wait(domain->host, result.ticket);

			if (waited != SP_OK)
				return waited;
		} else {
			return status;
		}
		span.first += result.done;
	}
	return SP_OK;
}

static enum sp_status reserve_hole(struct sp_domain *domain, struct span span)
{
	enum sp_status status, undone;

	if (!is_hole(domain, span))
		return SP_RESERVED_RANGE;
	status = change_all(domain, span, SP_RESERVED, false);
	if (status == SP_OK)
		return SP_OK;
	undone = change_all(domain, span, SP_HOLE, true);
	return undone == SP_LOST ? SP_LOST : status;
}

/*
 * From the look whether it is a hole until it is reserved, and the other way round, changes of
 * others wait: memory that came in between would go with the range.
 */
static void hold_off(struct sp_domain *domain, struct span span)
{
	domain_take(domain);
	domain->reserving = span;
	domain_drop(domain);
}

enum sp_status p2m_reserve(struct sp_domain *domain, uint64_t first_mfn, uint64_t count)
{
	struct span span = { first_mfn, first_mfn + count };
	enum sp_status status;

	if (find_reserved(domain, span))
		return SP_OK;
	if (domain->reserved_count == DOMAIN_RESERVED)
		return SP_NO_SPACE;
	hold_off(domain, span);
	status = reserve_hole(domain, span);
	domain_take(domain);
	if (status == SP_OK)
		domain->reserved[domain->reserved_count++] = span;
	domain->reserving = (struct span){ 0, 0 };
	domain_drop(domain);
	return status;
}

enum sp_status p2m_unreserve(struct sp_domain *domain, uint64_t first_mfn, uint64_t count)
{
	struct span span = { first_mfn, first_mfn + count };
	struct span *reserved = find_reserved(domain, span);
	enum sp_status status;

	if (!reserved)
		return SP_OK;
	hold_off(domain, span);
	status = change_all(domain, span, SP_HOLE, true);
	domain_take(domain);
	/* Where a unit was lost some of it may be mapped still: nobody else's, until it is tried again. */
	if (status == SP_OK)
		*reserved = domain->reserved[--domain->reserved_count];
	domain->reserving = (struct span){ 0, 0 };
	domain_drop(domain);
	return status;
}
