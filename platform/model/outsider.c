/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/outsider.c - observers that are no hardware (M14): shadows of a guest's page tables,
 * and emulators of devices.
 *
 *   shadows    gfn --find()--> mfn, remembered; CPUs fill their TLBs from here, and never look
 *              elsewhere while something is here
 *   emulator   the same for itself: a mapping is used for as long as it is there
 *
 * Both look up whenever they like, also between any two stores of the core, and keep what they found
 * until they have answered a request to forget it; that may take as long as the test says. What they
 * were asked is kept for oracle E.
 */
#include "machine.h"

#define RELAXES 4u

/* --- coming and going ------------------------------------------------------------------------ */

uint32_t model_outsider_add(struct model *model, const struct model_outsider_config *config)
{
	uint32_t number = 0;

	model_take_lock(model);
	while (number < MODEL_MAX_OUTSIDERS && model->outsider[number].used)
		number++;
	if (number < MODEL_MAX_OUTSIDERS)
		model->outsider[number] = (struct outsider){ .used = true, .config = *config };
	model_drop_lock(model);
	return number;
}

void model_outsider_remove(struct model *model, uint32_t number)
{
	model_take_lock(model);
	cache_free(&model->outsider[number].cache);
	model->outsider[number] = (struct outsider){ .used = false };
	model_drop_lock(model);
}

void model_set_outsider_answers(struct model *model, uint32_t number, enum model_answers answers)
{
	model->outsider[number].config.answers = answers;
}

/* --- looking up ------------------------------------------------------------------------------ */

/* Answers what is remembered from now on, in *leaf. */
static bool fill(struct model *model, struct outsider *outsider, uint64_t gfn, struct entry *leaf)
{
	bool looking = model->looking, found;
	struct model_found there;

	/* The embedder's look-up is no occasion for another look. */
	model->looking = true;
	found = outsider->config.find(outsider->config.argument, gfn, &there);
	model->looking = looking;
	if (!found || (outsider->config.kind == MODEL_EMULATOR && !there.is_ram))
		return false;
	*leaf = (struct entry){ .kind = ENTRY_LEAF,
				.first = gfn,
				.frame = there.mfn,
				.rights = there.rights,
				.memory = there.memory };
	cache_add(model, &outsider->cache, leaf);
	return true;
}

void outsider_speculate(struct model *model, struct outsider *outsider, uint64_t gfn)
{
	struct entry leaf;

	(void)fill(model, outsider, gfn, &leaf);
}

static bool is_at(const struct entry *entry, const void *gfn)
{
	return entry->first == *(const uint64_t *)gfn;
}

bool outsider_leaf(struct model *model, struct outsider *outsider, uint64_t gfn,
		   enum model_access access, struct entry *leaf)
{
	const struct entry *known = cache_find(model, &outsider->cache, ENTRY_LEAF, 0, gfn);

	if (known && (known->rights & access) == access) {
		*leaf = *known;
		return true;
	}
	/* A fault: what was there denied the access, so it is looked up again. */
	cache_drop(&outsider->cache, is_at, &gfn);
	return fill(model, outsider, gfn, leaf);
}

struct model_reach model_outsider_access(struct model *model, uint32_t number, uint64_t gfn,
					 enum model_access access)
{
	struct model_reach reach = { .why = "not found" };
	struct entry leaf;

	model_take_lock(model);
	buffer_drain_all(model);
	model->recent[model->recent_next++ % 4] = gfn;
	if (outsider_leaf(model, &model->outsider[number], gfn, access, &leaf)) {
		reach.ok = (leaf.rights & access) == access;
		reach.mfn = leaf.frame;
		reach.why = reach.ok ? "" : "no right";
	}
	model_drop_lock(model);
	return reach;
}

bool model_outsider_remembers(const struct model *model, uint32_t number, uint64_t mfn)
{
	const struct cache *cache = &model->outsider[number].cache;

	for (uint32_t i = 0; i < cache->count; i++)
		if (entry_reaches(&cache->entry[i], mfn, 1))
			return true;
	return false;
}

/* Today's map, as the judge sees it. */
bool outsider_still_finds(struct model *model, struct outsider *outsider, uint64_t gfn,
			  uint64_t mfn)
{
	bool looking = model->looking, found;
	struct model_found there;

	model->looking = true;
	found = outsider->config.find(outsider->config.argument, gfn, &there);
	model->looking = looking;
	return found && there.mfn == mfn;
}

static bool has_more(struct model *model, struct outsider *outsider)
{
	bool looking = model->looking, more = false;
	struct model_found there;

	model->looking = true;
	for (uint32_t i = 0; i < outsider->cache.count && !more; i++) {
		const struct entry entry = outsider->cache.entry[i];

		more = !outsider->config.find(outsider->config.argument, entry.first, &there) ||
		       there.mfn != entry.frame || (entry.rights & ~there.rights);
	}
	model->looking = looking;
	return more;
}

bool model_outsider_lags(struct model *model, uint32_t number)
{
	return has_more(model, &model->outsider[number]);
}

bool outsiders_lag(struct model *model, uint32_t cpu)
{
	for (uint32_t i = 0; i < MODEL_MAX_OUTSIDERS; i++) {
		struct outsider *outsider = &model->outsider[i];

		if (outsider->used && outsider->config.serves &&
		    outsider->config.serves(outsider->config.argument, cpu) &&
		    has_more(model, outsider))
			return true;
	}
	return false;
}

/* --- forgetting ------------------------------------------------------------------------------ */

struct request {
	const struct sp_forget *what;
	bool by_frame; /* shadows know machine frames, emulators the guest's */
};

static bool is_asked(const struct entry *entry, const void *argument)
{
	const struct request *request = argument;
	uint64_t at = request->by_frame ? entry->frame : entry->first;

	if (request->what->all)
		return true;
	for (uint32_t i = 0; i < request->what->run_count; i++) {
		const struct sp_run *run = &request->what->run[i];

		if (at >= run->first && at - run->first < run->count)
			return true;
	}
	return false;
}

static void forget(struct outsider *outsider)
{
	struct request request = { &outsider->asked, outsider->config.kind == MODEL_SHADOWS };

	cache_drop(&outsider->cache, is_asked, &request);
	outsider->owes = false;
}

/* One line a run, for oracle E. */
static void log_request(struct model *model, uint32_t number, const struct sp_forget *what)
{
	struct model_command command = { .unit = MODEL_NO_UNIT,
					 .kind = MODEL_CMD_FORGET,
					 .requester = number,
					 .order = ALL_ORDER };

	if (what->all)
		command_log(model, &command);
	for (uint32_t i = 0; i < what->run_count; i++) {
		command.order = 0;
		command.first = what->run[i].first;
		command.count = what->run[i].count;
		command_log(model, &command);
	}
}

bool model_outsider_forget(struct model *model, uint32_t number, const struct sp_forget *what)
{
	struct outsider *outsider = &model->outsider[number];
	bool done;

	model_take_lock(model);
	if (!outsider->used)
		model_violate(model, "contract: an observer that was removed is asked to forget");
	if (outsider->owes)
		model_violate(model, "contract: an observer is asked again before it answered");
	outsider->asked = *what;
	outsider->owes = true;
	outsider->relaxed = 0;
	log_request(model, number, what);
	done = outsider->config.answers == MODEL_AT_ONCE;
	if (done)
		forget(outsider);
	model_drop_lock(model);
	return done;
}

bool model_outsider_step(struct model *model, uint32_t number)
{
	struct outsider *outsider = &model->outsider[number];
	uint64_t reached = outsider->asked.number;

	if (!outsider->owes)
		return false;
	model_take_lock(model);
	forget(outsider);
	model_drop_lock(model);
	outsider->config.reached(outsider->config.argument, reached);
	return true;
}

/* Slower than any unit: software has other things to do. */
void outsiders_relax(struct model *model)
{
	for (uint32_t i = 0; i < MODEL_MAX_OUTSIDERS; i++) {
		struct outsider *outsider = &model->outsider[i];

		if (outsider->owes && outsider->config.answers == MODEL_LATE &&
		    ++outsider->relaxed == RELAXES)
			(void)model_outsider_step(model, i);
	}
}
