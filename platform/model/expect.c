/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/expect.c - oracle E: the commands that each change owes, no more and no fewer.
 *
 * The table is section 7 of docs/acceptance.md, typed in that section's own notation and read at
 * run time:
 *
 *   I, A        the CPUs forget            P(s,h), V(s,p)   pages; h = 1: leaves alone,
 *                                                         p = 1: links too
 *   C, DTE      the device's entry         D                every page of the domain, links too
 *   C0          the same, under domain 0   D(new)           and of the new domain
 *   Cd          all entries of the domain  ?                may be remembered instead
 *   |D          D does as well             T(s), T*  a function's own cache: pages, all
 *   PC          the PASID entry; PC0, PCd  as C0, Cd
 *   Ca          C, of a function with a cache of its own
 *   S(s), S*    shadows of the frames, all  Q(s), Q*  what an emulator maps of the pages, all
 */
#include <stdio.h>
#include <string.h>

#include "machine.h"

/* clang-format off */
static const char *const section7[MODEL_CHANGE_END][MODEL_COLUMN_EMULATOR + 1] = {
	/*                             EPT   NPT   VT-d CM=0   VT-d CM=1   AMD-Vi   NpCache   ATC    shadow emulator */
	[MODEL_CHANGE_LEAF_SET]      = { "-",  "-",  "-",        "P(n,1)",   "-",            "V(n,0)", "-", "-", "-" },
	[MODEL_CHANGE_TABLE_SET]     = { "-",  "-",  "-",        "P(t,0)",   "-",            "V(t,1)", "-", "-", "-" },
	[MODEL_CHANGE_LEAF_CLEARED]  = { "I",  "A",  "P(o,1)",   "P(o,1)",   "V(o,0)",       "V(o,0)", "T(o)", "S(o)", "Q(o)" },
	[MODEL_CHANGE_RIGHTS_UP]     = { "-",  "-",  "P(o,1)",   "P(o,1)",   "V(o,0)",       "V(o,0)", "T(o)", "-", "-" },
	[MODEL_CHANGE_RIGHTS_DOWN]   = { "I",  "A",  "P(o,1)",   "P(o,1)",   "V(o,0)",       "V(o,0)", "T(o)", "S(o)", "Q(o)" },
	[MODEL_CHANGE_FRAME]         = { "I",  "A",  "P(o,1)",   "P(o,1)",   "V(o,0)",       "V(o,0)", "T(o)", "S(o)", "Q(o)" },
	[MODEL_CHANGE_SPLIT]         = { "I?", "A?", "P(o,0)?",  "P(o,0)",   "V(o,1)?",      "V(o,1)", "T(o)?", "-", "-" },
	[MODEL_CHANGE_COLLAPSE]      = { "I",  "A",  "P(t,0)",   "P(t,0)",   "V(t,1)",       "V(t,1)", "-", "-", "-" },
	[MODEL_CHANGE_TABLE_CLEARED] = { "I",  "A",  "P(t,0)|D", "P(t,0)|D", "V(t,1)",       "V(t,1)", "T(t)", "S*", "Q(t)" },
	[MODEL_CHANGE_ATTRIBUTE]     = { "I",  "A",  "P(o,1)",   "P(o,1)",   "V(o,0)",       "V(o,0)", "T(o)", "S(o)", "-" },
	[MODEL_CHANGE_ROOT]          = { "I?", "A",  "C D",      "C D D(new)", "DTE V(all,1)", "DTE V(all,1)", "T*", "S*", "Q*" },
	[MODEL_CHANGE_TAG_REUSED]    = { "I",  "A",  "Cd D",     "Cd D",     "V(all,1)",     "V(all,1)", "T*", "-", "-" },
	[MODEL_CHANGE_ENTRY]         = { "-",  "-",  "C D",      "C D",      "DTE V(all,1)", "DTE V(all,1)", "T*", "-", "-" },
	[MODEL_CHANGE_ENTRY_SET]     = { "-",  "-",  "-",        "C0 D(new)", "DTE",         "DTE", "-", "-", "-" },
};

/* The w of rows 1 and 2, and note n4: what such a unit has besides the column that it is like. */
static const struct variant {
	enum model_column column, like;
	const char *cell[MODEL_CHANGE_END];
} variants[] = {
	{ MODEL_COLUMN_VTD_RWBF, MODEL_COLUMN_VTD,
	  { [MODEL_CHANGE_LEAF_SET]   = "P(n,1)",  [MODEL_CHANGE_TABLE_SET] = "P(t,1)" } },
	{ MODEL_COLUMN_SCALABLE, MODEL_COLUMN_VTD,
	  { [MODEL_CHANGE_ROOT]       = "Ca PC D", [MODEL_CHANGE_TAG_REUSED] = "PCd D",
	    [MODEL_CHANGE_ENTRY]      = "Ca PC D", [MODEL_CHANGE_ENTRY_SET] = "-" } },
	{ MODEL_COLUMN_SCALABLE_CM, MODEL_COLUMN_VTD_CM,
	  { [MODEL_CHANGE_ROOT]       = "Ca PC D D(new)", [MODEL_CHANGE_TAG_REUSED] = "PCd D",
	    [MODEL_CHANGE_ENTRY]      = "Ca PC D", [MODEL_CHANGE_ENTRY_SET] = "PC0 D(new)" } },
};
/* clang-format on */

/* --- reading a cell -------------------------------------------------------------------------- */

static enum model_span span_named(char letter)
{
	switch (letter) {
	case 'o':
		return MODEL_SPAN_OLD;
	case 'n':
		return MODEL_SPAN_NEW;
	case 't':
		return MODEL_SPAN_TABLE;
	default:
		return MODEL_SPAN_ALL;
	}
}

/* "P(o,1)", "V(all,1)": the sense of the last figure differs. */
static void read_pages(const char *word, struct model_owed *owed)
{
	char figure = strchr(word, ',')[1];

	owed->span = span_named(word[2]);
	owed->links = word[0] == 'P' ? figure == '0' : figure == '1';
}

static void read_word(const char *word, struct model_owed *owed)
{
	if (word[0] == 'I' || word[0] == 'A') {
		owed->cpu = true;
	} else if (word[0] == 'T' || word[0] == 'S' || word[0] == 'Q') {
		owed->span = word[1] == '*' ? MODEL_SPAN_ALL : span_named(word[2]);
	} else if (word[0] == 'P' && word[1] == 'C') {
		read_word(word + 1, owed);
		owed->pasid = true;
	} else if (word[0] == 'P' || word[0] == 'V') {
		read_pages(word, owed);
	} else if (strncmp(word, "Ca", 2) == 0) {
		owed->entry_of_atc = true;
	} else if (strncmp(word, "DTE", 3) == 0 || word[0] == 'C') {
		owed->entry = word[1] != 'd';
		owed->entries_of_domain = word[1] == 'd';
		owed->no_domain = word[1] == '0';
	} else if (strncmp(word, "D(new)", 6) == 0) {
		owed->new_domain = true;
	} else if (word[0] == 'D') {
		owed->span = MODEL_SPAN_ALL;
		owed->links = true;
	}
	owed->may_wait |= memchr(word, '?', strcspn(word, " ")) != NULL;
	owed->domain_will_do |= memchr(word, '|', strcspn(word, " ")) != NULL;
}

static const char *cell_of(enum model_change change, enum model_column column)
{
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		if (variants[i].column != column)
			continue;
		if (variants[i].cell[change])
			return variants[i].cell[change];
		column = variants[i].like;
	}
	return section7[change][column];
}

struct model_owed model_expect(enum model_change change, enum model_column column)
{
	struct model_owed owed = { .span = MODEL_SPAN_NONE };
	const char *word = cell_of(change, column);

	while (*word) {
		read_word(word, &owed);
		word += strcspn(word, " ");
		word += strspn(word, " ");
	}
	return owed;
}

/* --- comparing ------------------------------------------------------------------------------- */

#define OWED_AT_MOST (4 + 2 * MODEL_MAX_ATCS)

struct debts {
	struct model_command list[OWED_AT_MOST];
	uint32_t count;
	bool optional, domain_will_do;
};

static enum model_column column_of(const struct unit *unit)
{
	bool absent = unit->config.caches_not_present;

	if (unit->config.vendor == MODEL_VTD && vtd_is_scalable(unit))
		return absent ? MODEL_COLUMN_SCALABLE_CM : MODEL_COLUMN_SCALABLE;
	if (unit->config.vendor == MODEL_VTD && !absent)
		return unit->config.write_buffer ? MODEL_COLUMN_VTD_RWBF : MODEL_COLUMN_VTD;
	if (unit->config.vendor == MODEL_VTD)
		return MODEL_COLUMN_VTD_CM;
	return absent ? MODEL_COLUMN_AMDVI_NP : MODEL_COLUMN_AMDVI;
}

static uint32_t order_of(const struct model_changed *changed, enum model_span span)
{
	switch (span) {
	case MODEL_SPAN_OLD:
		return changed->old_order;
	case MODEL_SPAN_NEW:
		return changed->new_order;
	case MODEL_SPAN_TABLE:
		return changed->table_order;
	case MODEL_SPAN_NONE:
	case MODEL_SPAN_ALL:
		break;
	}
	return ALL_ORDER;
}

/* Note n2: what a unit cannot say in pages is said of the whole domain. */
static struct model_command pages_command(const struct unit *unit,
					  const struct model_changed *changed,
					  const struct model_owed *owed)
{
	struct model_command command = { .unit = unit->index,
					 .kind = MODEL_CMD_IOTLB_PAGES,
					 .domain = changed->domain,
					 .order = order_of(changed, owed->span),
					 .links = owed->links };

	if (unit->config.vendor == MODEL_VTD &&
	    (unit->config.no_psi || command.order > unit->config.max_mask))
		command.order = ALL_ORDER;
	if (command.order >= ALL_ORDER) {
		command.kind = MODEL_CMD_IOTLB_DOMAIN;
		command.links = true;
	} else {
		command.first = changed->first >> command.order << command.order;
	}
	return command;
}

/* Row 7's debt is remembered or paid as the unit's own is. */
static void add_atcs(const struct unit *unit, const struct model_changed *changed,
		     struct debts *debts)
{
	struct model_owed owed = model_expect(changed->change, MODEL_COLUMN_ATC);
	struct model_command command = { .unit = unit->index,
					 .kind = MODEL_CMD_ATC,
					 .order = order_of(changed, owed.span) };

	if (owed.span == MODEL_SPAN_NONE)
		return;
	if (command.order < ALL_ORDER)
		command.first = changed->first >> command.order << command.order;
	for (uint32_t i = 0; i < changed->atc_count; i++) {
		command.requester = changed->atc[i];
		debts->list[debts->count++] = command;
	}
}

/* VT-d names the domain that the entry carried; an entry of scalable mode's context table carries none. */
static void add_entry(const struct unit *unit, const struct model_changed *changed,
		      const struct model_owed *owed, struct debts *debts)
{
	struct model_command entry = { .unit = unit->index, .kind = MODEL_CMD_ENTRY };

	for (uint32_t i = 0; owed->entry_of_atc && i < changed->atc_count; i++) {
		entry.requester = changed->atc[i];
		debts->list[debts->count++] = entry;
	}
	if (!owed->entry && !owed->entries_of_domain)
		return;
	entry.requester = owed->pasid || owed->entries_of_domain ? 0 : changed->requester;
	if (unit->config.vendor == MODEL_VTD && !owed->no_domain)
		entry.domain = changed->domain;
	if (owed->pasid)
		entry.kind = MODEL_CMD_PASID;
	if (owed->entries_of_domain)
		entry.kind = owed->pasid ? MODEL_CMD_PASID_DOMAIN : MODEL_CMD_ENTRY_DOMAIN;
	debts->list[debts->count++] = entry;
}

static struct debts debts_of(const struct unit *unit, const struct model_changed *changed)
{
	struct model_owed owed = model_expect(changed->change, column_of(unit));
	struct debts debts = { .optional = owed.may_wait, .domain_will_do = owed.domain_will_do };

	add_entry(unit, changed, &owed, &debts);
	if (owed.span != MODEL_SPAN_NONE)
		debts.list[debts.count++] = pages_command(unit, changed, &owed);
	if (owed.new_domain)
		debts.list[debts.count++] = (struct model_command){ .unit = unit->index,
								    .kind = MODEL_CMD_IOTLB_DOMAIN,
								    .domain = changed->new_domain,
								    .order = ALL_ORDER,
								    .links = true };
	add_atcs(unit, changed, &debts);
	return debts;
}

static bool is_same(const struct model_command *a, const struct model_command *b)
{
	return a->kind == b->kind && a->domain == b->domain && a->requester == b->requester &&
	       a->first == b->first && a->order == b->order && a->links == b->links;
}

/*
 * Debts are matched once; what is left of them was not paid. Answers whether the command was owed.
 */
static bool match(struct debts *debts, const struct model_command *command)
{
	for (uint32_t i = 0; i < debts->count; i++) {
		struct model_command wider = { .kind = MODEL_CMD_IOTLB_DOMAIN,
					       .domain = debts->list[i].domain,
					       .order = ALL_ORDER,
					       .links = true };

		bool is_unit = debts->list[i].kind != MODEL_CMD_ATC;

		if (!is_same(&debts->list[i], command) &&
		    !(debts->domain_will_do && is_unit && is_same(&wider, command)))
			continue;
		debts->list[i] = debts->list[--debts->count];
		return true;
	}
	return false;
}

static const char *say(struct model *model, const char *what, const struct model_command *command)
{
	char line[160];

	model_command_text(command, line, sizeof(line));
	snprintf(model->text, sizeof(model->text), "%s: %s", what, line);
	return model->text;
}

/* A flush of the write buffer is what every command does too (6.8): one alone is one too many. */
static bool is_counted(const struct model_command *command, uint32_t unit)
{
	return command->unit == unit && command->kind != MODEL_CMD_INTERRUPTS &&
	       command->kind != MODEL_CMD_WAIT;
}

/* What came before what, so far. */
struct order {
	bool waited, entry_late, atc_early;
	bool translations; /* some were invalidated */
	bool pasids;	   /* some PASID entries were */
	bool atcs;	   /* some device's cache was */
	bool unwaited;	   /* AMD: translations, and no wait behind them yet */
};

static void note_order(struct order *order, const struct model_command *command,
		       enum model_vendor vendor)
{
	bool is_translation =
		command->kind == MODEL_CMD_IOTLB_PAGES || command->kind == MODEL_CMD_IOTLB_DOMAIN;
	bool is_entry = command->kind == MODEL_CMD_ENTRY || command->kind == MODEL_CMD_ENTRY_DOMAIN;
	bool is_pasid = command->kind == MODEL_CMD_PASID || command->kind == MODEL_CMD_PASID_DOMAIN;

	/* VT-d 6.5.2: the entry first, else translations come back through the old one. From the top down. */
	order->entry_late |= order->translations && (is_entry || is_pasid);
	order->entry_late |= order->pasids && is_entry;
	order->pasids |= is_pasid;
	order->translations |= is_translation;
	/* M10: then the device's own cache, else it fills again from the IOTLB. */
	order->atc_early |= order->atcs && is_translation;
	order->atc_early |= command->kind == MODEL_CMD_ATC && order->unwaited;
	order->atcs |= command->kind == MODEL_CMD_ATC;
	order->unwaited |= vendor == MODEL_AMDVI && is_translation;
	order->waited = false;
}

static const char *judge_order(const struct order *order)
{
	if (!order->waited)
		return "no wait behind the last command";
	if (order->atc_early)
		return "a device's cache was invalidated before the unit's own had been";
	return order->entry_late ? "translations were invalidated before the device's entry" : NULL;
}

/* The one thing that shadows or an emulator may be asked; order 0 and no frames: nothing. */
static struct model_command forget_command(const struct model *model, uint32_t outsider,
					   const struct model_changed *changed)
{
	bool by_frame = model->outsider[outsider].config.kind == MODEL_SHADOWS;
	struct model_owed owed = model_expect(changed->change, by_frame ? MODEL_COLUMN_SHADOW
									: MODEL_COLUMN_EMULATOR);
	struct model_command command = { .unit = MODEL_NO_UNIT,
					 .kind = MODEL_CMD_FORGET,
					 .requester = outsider };
	uint32_t order = order_of(changed, owed.span);

	if (owed.span == MODEL_SPAN_NONE)
		return command;
	if (order >= ALL_ORDER) {
		command.order = ALL_ORDER;
		return command;
	}
	command.count = 1ull << order;
	command.first = by_frame ? changed->frame : changed->first >> order << order;
	return command;
}

const char *model_compare_outsider(struct model *model, uint32_t outsider,
				   const struct model_changed *changed)
{
	const struct model_command owed = forget_command(model, outsider, changed);
	bool told = !owed.count && owed.order < ALL_ORDER;

	for (uint32_t i = 0; i < model->command_count; i++) {
		struct model_command command = model_command(model, i);

		if (command.kind != MODEL_CMD_FORGET || command.requester != outsider)
			continue;
		if (told || !is_same(&owed, &command) || owed.count != command.count)
			return say(model, "not owed", &command);
		told = true;
	}
	return told ? NULL : say(model, "owed but not told", &owed);
}

const char *model_compare(struct model *model, const struct model_changed *changed)
{
	struct unit *unit = &model->unit[changed->unit];
	struct debts debts = debts_of(unit, changed);
	struct order order = { .waited = true };
	bool optional = debts.optional;

	for (uint32_t i = 0; i < model->command_count; i++) {
		struct model_command command = model_command(model, i);

		if (command.unit == changed->unit && command.kind == MODEL_CMD_WAIT) {
			order.waited = true;
			order.unwaited = false;
		}
		if (!is_counted(&command, changed->unit))
			continue;
		if (!match(&debts, &command))
			return say(model, "not owed", &command);
		note_order(&order, &command, unit->config.vendor);
		optional = false;
	}
	if (debts.count && !optional)
		return say(model, "owed but not told", &debts.list[0]);
	return judge_order(&order);
}
