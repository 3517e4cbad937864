/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/reserved.c - what functions need of firmware's ranges.
 *
 *   function A    [  read  write  )
 *   function B              [   read    )
 *   pieces        [   rw    |rw   | r   )     each has one answer; without A: [ - | r | r )
 *
 * Ranges of several functions may overlap. Each frame carries what those need who are there, and
 * nothing is joined across a gap (XSA-378).
 */
#include "iommu/reserved.h"

#include "iommu/domain.h"

struct piece {
	struct span span;
	bool read, write;
};

/*
 * A quarantine holds what its functions need even while they are away: they may come back at any
 * moment.
 */
static bool is_of(const struct function *function, const struct sp_domain *domain,
		  const struct function *joining)
{
	return domain->quarantine ? function->quarantine == domain
				  : function->domain == domain || function == joining;
}

static void look_at(struct piece *piece, const struct function_range *range)
{
	uint64_t end = range->first_mfn + range->count;

	if (piece->span.first < range->first_mfn) {
		piece->span.end = min_u64(piece->span.end, range->first_mfn);
	} else if (piece->span.first < end) {
		piece->span.end = min_u64(piece->span.end, end);
		piece->read |= range->read;
		piece->write |= range->write;
	}
}

/* The first frames of the span that all have the same answer. */
static struct piece first_piece(const struct sp_host *host, const struct sp_domain *domain,
				struct span span, const struct function *joining)
{
	struct piece piece = { .span = span };

	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *function = &host->functions[i];

		if (!is_of(function, domain, joining))
			continue;
		for (uint32_t j = 0; j < function->reserved_count; j++)
			look_at(&piece, &function->reserved[j]);
	}
	return piece;
}

/* The device's maps before the CPU's: a vCPU never sees memory that its device cannot reach. */
static uint32_t wish_all(struct sp_domain *domain, const struct piece *piece, uint32_t cpu_rights,
			 struct wish wishes[1 + MAX_UNITS])
{
	uint32_t rights = (piece->read ? DEVICE_READ : 0) | (piece->write ? DEVICE_WRITE : 0),
		 count = 0;

	domain_take(domain);
	for (uint32_t i = 0; i <= MAX_UNITS; i++) {
		uint32_t index = MAX_UNITS - i;

		if (!domain_has_map(domain, index))
			continue;
		wishes[count++] = (struct wish){
			.map = index,
			.target = { .mfn = piece->span.first,
				    .rights = rights ? rights | cpu_rights : 0 },
		};
	}
	domain_drop(domain);
	return count;
}

enum sp_status reserved_update(struct sp_host *host, struct sp_domain *domain, struct span span,
			       uint32_t cpu_rights, const struct function *joining,
			       struct sp_ticket *ticket)
{
	enum sp_status status = SP_OK;

	while (!span_is_empty(span) && status == SP_OK) {
		struct piece piece = first_piece(host, domain, span, joining);
		struct wish wishes[1 + MAX_UNITS];
		uint32_t count = wish_all(domain, &piece, cpu_rights, wishes);

		status = unit_map_change(domain, piece.span, wishes, count, ticket);
		span.first = piece.span.end;
	}
	return status;
}
