/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync/invalidate.c - what each change owes to each kind of observer: the one place where that is
 * decided.
 *
 * The table has the shape of docs/acceptance.md section 7. Safety: no cell is weaker. Exactness: no
 * cell is stronger. The model judges by its own transcription, so that a typing error in one is
 * found by the other.
 *
 *   change --kind, span--> cell --> debt, joined --> commands, in the order of execution
 */
#include "sync/domain.h"

enum width {
	WIDTH_NOTHING,
	WIDTH_SPAN, /* the frames that the old entry spanned */
	WIDTH_ALL   /* all that carries the observer's name for the domain */
};

struct cell {
	uint8_t width; /* enum width */
	bool links;    /* paging-structure entries too */
	bool entry;    /* the requester's context or device table entry before it */
};

/* clang-format off */
#define NOTHING { WIDTH_NOTHING, false, false }
#define LEAVES  { WIDTH_SPAN, false, false }
#define LINKS   { WIDTH_SPAN, true, false }
#define ALL     { WIDTH_ALL, true, false }
#define ENTRY   { WIDTH_ALL, true, true }

static const struct cell table[KIND_COUNT][COLUMN_COUNT] = {
	/*
	 * A device's cache never remembers an absent page (PCI Express base 6.0, 10.2.3). Nobody walks
	 * a software map: shadows hear of frames, never of its tables (note n9). With direct paging the
	 * linear map's column is of both: of frames that go or lose a right, and of entries above the
	 * last level of the guest's own tables; the root's is of the root's entries alone, whose copies
	 * lack also what is new.
	 */
	/*                    EPT      NPT      VT-d     caching  RWBF     AMD-Vi   NpCache  ATC      shadow   emulator linear   root */
	[KIND_MAP]       = { NOTHING, NOTHING, NOTHING, LEAVES,  LEAVES,  NOTHING, LEAVES,  NOTHING, NOTHING, NOTHING,  NOTHING, NOTHING },
	[KIND_LINK]      = { NOTHING, NOTHING, NOTHING, LINKS,   LEAVES,  NOTHING, LINKS,   NOTHING, NOTHING, NOTHING,  NOTHING, ALL },
	[KIND_UNMAP]     = { ALL,     ALL,     LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,   ALL,     NOTHING },
	/* A CPU that faults on an old right walks again; a device's fault is lost. */
	[KIND_GRANT]     = { NOTHING, NOTHING, LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  NOTHING, NOTHING,  NOTHING, ALL },
	[KIND_REVOKE]    = { ALL,     ALL,     LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,   ALL,     ALL },
	[KIND_REPLACE]   = { ALL,     ALL,     LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,   ALL,     ALL },
	[KIND_SPLIT]     = { ALL,     ALL,     LINKS,   LINKS,   LINKS,   LINKS,   LINKS,   LEAVES,  NOTHING, NOTHING,  NOTHING, NOTHING },
	[KIND_PUNCH]     = { ALL,     ALL,     LINKS,   LINKS,   LINKS,   LINKS,   LINKS,   LEAVES,  LEAVES,  LEAVES,   ALL,     NOTHING },
	[KIND_MERGE]     = { ALL,     ALL,     LINKS,   LINKS,   LINKS,   LINKS,   LINKS,   NOTHING, NOTHING, NOTHING,  NOTHING, NOTHING },
	/* The frames under a table are not counted in the change that lets it go. */
	[KIND_UNLINK]    = { ALL,     ALL,     LINKS,   LINKS,   LINKS,   LINKS,   LINKS,   LEAVES,  ALL,     LEAVES,   ALL,     ALL },
	[KIND_ATTRIBUTE] = { ALL,     ALL,     LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  LEAVES,  NOTHING,  ALL,     NOTHING },
	/* A device's root is in its entry, and changes with that. */
	[KIND_ROOT]      = { ALL,     ALL,     NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, ALL,     ALL,     ALL,     NOTHING },
	[KIND_RELEASE]   = { NOTHING, NOTHING, ENTRY,   ENTRY,   ENTRY,   ENTRY,   ENTRY,   ALL,     NOTHING, NOTHING,  NOTHING, NOTHING },
	[KIND_HAND_OVER] = { NOTHING, NOTHING, ENTRY,   ENTRY,   ENTRY,   ENTRY,   ENTRY,   ALL,     NOTHING, NOTHING,  NOTHING, NOTHING },
	[KIND_ASSIGN]    = { NOTHING, NOTHING, ENTRY,   ENTRY,   ENTRY,   ENTRY,   ENTRY,   ALL,     NOTHING, NOTHING,  NOTHING, NOTHING },
};
/* clang-format on */

static bool is_cpu(enum observer_column column)
{
	return column == COLUMN_EPT || column == COLUMN_NPT || column >= COLUMN_LINEAR;
}

static bool is_external(enum observer_column column)
{
	return column == COLUMN_SHADOW || column == COLUMN_EMULATOR;
}

/* The negative controls: one kind of change that units are not told of. */
static bool is_left_out(const struct sp_host *host, enum observer_column column,
			enum change_kind kind)
{
	if (is_cpu(column) || is_external(column))
		return false;
	return (MUTANT(host, SP_MUT_UNMAP_UNPAID) && kind == KIND_UNMAP) ||
	       (MUTANT(host, SP_MUT_PUNCH_UNPAID) && kind == KIND_PUNCH) ||
	       (MUTANT(host, SP_MUT_REVOKE_UNPAID) && kind == KIND_REVOKE) ||
	       (MUTANT(host, SP_MUT_REPLACE_UNPAID) && kind == KIND_REPLACE) ||
	       (MUTANT(host, SP_MUT_UNLINK_UNPAID) && kind == KIND_UNLINK) ||
	       (MUTANT(host, SP_MUT_SPLIT_UNPAID) && kind == KIND_SPLIT) ||
	       (MUTANT(host, SP_MUT_GRANT_UNPAID) && kind == KIND_GRANT) ||
	       (MUTANT(host, SP_MUT_ABSENT_NOT_TOLD) && (kind == KIND_MAP || kind == KIND_LINK)) ||
	       (MUTANT(host, SP_MUT_WRITE_BUFFER_KEPT) && column == COLUMN_VTD_BUFFER &&
		(kind == KIND_MAP || kind == KIND_LINK));
}

/* A cell that is another: weaker or stronger, as data. */
static struct cell mutated(const struct sp_host *host, enum observer_column column,
			   enum change_kind kind, struct cell cell)
{
	if (MUTANT(host, SP_MUT_CELL(kind, column, SP_MUT_CELL_NOTHING)))
		return (struct cell)NOTHING;
	if (MUTANT(host, SP_MUT_CELL(kind, column, SP_MUT_CELL_LEAVES)))
		return (struct cell)LEAVES;
	if (MUTANT(host, SP_MUT_CELL(kind, column, SP_MUT_CELL_LINKS)))
		return (struct cell)LINKS;
	if (MUTANT(host, SP_MUT_CELL(kind, column, SP_MUT_CELL_ALL)))
		return (struct cell)ALL;
	if (MUTANT(host, SP_MUT_CELL(kind, column, SP_MUT_CELL_DOMAIN)))
		cell.entry = false;
	if (MUTANT(host, SP_MUT_CELL(kind, column, SP_MUT_CELL_ENTRY)))
		cell.width = WIDTH_NOTHING;
	return cell;
}

static struct cell cell_of(const struct sp_host *host, enum observer_column column,
			   enum change_kind kind)
{
	struct cell cell = table[kind][column];

	if (is_left_out(host, column, kind))
		cell = (struct cell)NOTHING;
	if (MUTANT(host, SP_MUT_LINKS_KEPT))
		cell.links = false;
	return MUTANTS_BUILT ? mutated(host, column, kind, cell) : cell;
}

/* Ranges that touch become one; one too many and the whole domain is cheaper (note n3). */
static void add_range(struct debt_range *ranges, uint8_t *count, bool *whole,
		      const struct sp_host *host, struct debt_range added)
{
	for (uint32_t i = 0; i < *count; i++) {
		struct debt_range *range = &ranges[i];

		if (added.span.first > range->span.end || range->span.first > added.span.end)
			continue;
		if (!MUTANT(host, SP_MUT_JOINED_SPAN_LOST))
			range->span = span_join(range->span, added.span);
		range->links |= added.links && !MUTANT(host, SP_MUT_JOINED_LINKS_LOST);
		return;
	}
	if (*count == DEBT_RANGES)
		*whole = !MUTANT(host, SP_MUT_ALL_FORGOTTEN);
	else
		ranges[(*count)++] = added;
}

bool debt_add(struct debt *debt, const struct sp_host *host, enum observer_column column,
	      enum change_kind kind, struct span span)
{
	struct cell cell = cell_of(host, column, kind);
	bool is_atc = column == COLUMN_ATC;
	bool *whole = is_atc ? &debt->atc_whole : &debt->whole;

	switch ((enum width)cell.width) {
	case WIDTH_NOTHING:
		return false;
	case WIDTH_SPAN:
		add_range(is_atc ? debt->atc_range : debt->range,
			  is_atc ? &debt->atc_range_count : &debt->range_count, whole, host,
			  (struct debt_range){ span, cell.links });
		break;
	case WIDTH_ALL:
		*whole = true;
		break;
	}
	debt->owed = true;
	return true;
}

uint32_t debt_kinds(const struct sp_host *host, enum observer_column column)
{
	uint32_t kinds = 0;

	for (uint32_t kind = 0; kind < KIND_COUNT; kind++)
		if (cell_of(host, column, (enum change_kind)kind).width != WIDTH_NOTHING)
			kinds |= 1u << kind;
	return kinds;
}

bool debt_is_whole(const struct sp_host *host, enum observer_column column, enum change_kind kind)
{
	return cell_of(host, column, kind).width == WIDTH_ALL;
}

void debt_add_entry(struct debt *debt, const struct sp_host *host, enum observer_column column,
		    enum change_kind kind, uint16_t requester)
{
	if (!cell_of(host, column, kind).entry)
		return;
	debt->owed = true;
	if (debt->entry_count == DEBT_ENTRIES)
		debt->every_entry = !MUTANT(host, SP_MUT_ENTRIES_FORGOTTEN);
	else
		debt->entry[debt->entry_count++] = requester;
}

static bool has_atc(const struct atc *atc, uint32_t count, uint16_t requester)
{
	for (uint32_t i = 0; i < count; i++)
		if (atc[i].requester == requester)
			return true;
	return false;
}

/*
 * Section 7, row 13: T*. The caller waits before the next function's entry changes, so there is room
 * for each that had ATS.
 */
void debt_add_atc(struct debt *debt, const struct sp_host *host, const struct watch *watch,
		  uint16_t requester, enum change_kind kind)
{
	if (cell_of(host, COLUMN_ATC, kind).width == WIDTH_NOTHING)
		return;
	for (uint32_t i = 0; i < watch->atc_count; i++) {
		if (watch->atc[i].requester != requester ||
		    has_atc(debt->atc_all, debt->atc_all_count, requester))
			continue;
		if (debt->atc_all_count == WATCH_ATCS)
			platform_panic(host->embedder, "more device caches owe than a watch has");
		debt->atc_all[debt->atc_all_count++] = watch->atc[i];
		debt->owed = true;
	}
}

static uint32_t entry_commands(const struct debt *debt, const struct watch *watch,
			       struct command *commands)
{
	if (debt->every_entry) {
		commands[0] = (struct command){ .kind = COMMAND_ENTRIES, .name = watch->name };
		return 1;
	}
	for (uint32_t i = 0; i < debt->entry_count; i++)
		commands[i] = (struct command){ .kind = COMMAND_ENTRY,
						.name = watch->name,
						.requester = debt->entry[i] };
	return debt->entry_count;
}

static bool is_too_wide(const struct debt *debt, const struct observer *observer)
{
	if (debt->whole || observer->no_pages)
		return true;
	for (uint32_t i = 0; i < debt->range_count; i++)
		if (order_covering(debt->range[i].span.first, debt->range[i].span.end) >
		    observer->widest_order)
			return true; /* note n2 */
	return false;
}

static uint32_t translation_commands(const struct debt *debt, const struct watch *watch,
				     struct command *commands)
{
	if (is_too_wide(debt, watch->observer)) {
		commands[0] = (struct command){ .kind = COMMAND_DOMAIN,
						.name = watch->name,
						.links = true };
		return 1;
	}
	for (uint32_t i = 0; i < debt->range_count; i++) {
		const struct debt_range *range = &debt->range[i];
		uint32_t order = order_covering(range->span.first, range->span.end);

		commands[i] = (struct command){ .kind = COMMAND_PAGES,
						.name = watch->name,
						.first = align_down(range->span.first, order),
						.order = (uint8_t)order,
						.links = range->links };
	}
	return debt->range_count;
}

static struct command atc_command(const struct atc *atc, const struct debt_range *range)
{
	struct command command = { .kind = COMMAND_ATC_ALL,
				   .requester = atc->requester,
				   .depth = atc->depth };

	if (!range)
		return command;
	command.kind = COMMAND_ATC_PAGES;
	command.order = (uint8_t)order_covering(range->span.first, range->span.end);
	command.first = align_down(range->span.first, command.order);
	return command;
}

static uint32_t atc_commands(const struct debt *debt, const struct sp_host *host,
			     const struct watch *watch, struct command *commands)
{
	uint32_t count = 0;

	if (MUTANT(host, SP_MUT_ATC_UNPAID))
		return 0;
	for (uint32_t i = 0; i < debt->atc_all_count; i++)
		commands[count++] = atc_command(&debt->atc_all[i], NULL);
	for (uint32_t i = 0; i < watch->atc_count; i++) {
		const struct atc *atc = &watch->atc[i];

		if (has_atc(debt->atc_all, debt->atc_all_count, atc->requester))
			continue;
		if (debt->atc_whole)
			commands[count++] = atc_command(atc, NULL);
		for (uint32_t j = 0; j < debt->atc_range_count && !debt->atc_whole; j++)
			commands[count++] = atc_command(atc, &debt->atc_range[j]);
	}
	return count;
}

/* What the unit itself remembers. */
static uint32_t unit_commands(const struct debt *debt, const struct sp_host *host,
			      const struct watch *watch, struct command *commands)
{
	uint32_t count;

	if (MUTANT(host, SP_MUT_ENTRY_AFTER_DOMAIN)) {
		count = translation_commands(debt, watch, commands);
		return count + entry_commands(debt, watch, commands + count);
	}
	/* VT-d 6.5.2: context cache before IOTLB, else the IOTLB refills through the old entry. */
	count = entry_commands(debt, watch, commands);
	return count + translation_commands(debt, watch, commands + count);
}

/* The embedder's observers know no alignment, and no entries of devices. */
static uint32_t run_commands(const struct debt *debt, struct command *commands)
{
	if (debt->whole) {
		commands[0] = (struct command){ .kind = COMMAND_DOMAIN };
		return 1;
	}
	for (uint32_t i = 0; i < debt->range_count; i++) {
		struct span span = debt->range[i].span;

		commands[i] = (struct command){ .kind = COMMAND_RUN,
						.first = span.first,
						.count = span.end - span.first };
	}
	return debt->range_count;
}

uint32_t debt_commands(const struct debt *debt, const struct sp_host *host,
		       const struct watch *watch, struct command commands[POST_COMMANDS])
{
	uint32_t count;

	if (is_cpu(watch->observer->column)) {
		commands[0] = (struct command){ .kind = COMMAND_FLUSH };
		return 1;
	}
	if (is_external(watch->observer->column))
		return run_commands(debt, commands);
	if (MUTANT(host, SP_MUT_ATC_BEFORE_IOTLB)) {
		count = atc_commands(debt, host, watch, commands);
		return count + unit_commands(debt, host, watch, commands + count);
	}
	/* VT-d 6.5.2.5: IOTLB before the device's cache, else that refills from the IOTLB (M10). */
	count = unit_commands(debt, host, watch, commands);
	return count + atc_commands(debt, host, watch, commands + count);
}

_Static_assert(DEBT_RANGES + DEBT_ENTRIES + WATCH_ATCS * (1 + DEBT_RANGES) <= POST_COMMANDS,
	       "one post carries a whole debt");
