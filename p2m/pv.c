/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m/pv.c - types of frames, and how often each is used as its type.
 *
 * A frame has one type at a time, and changes it when nobody uses it as that and everybody has
 * forgotten that it was used: "referenced now" says who may make new ways to it, the ledger's number
 * who may still remember an old one (A0.6). What is owed is judged by the old type (A3.7): a frame that
 * devices and the guest could write loses that right by an ordinary change of the p2m, and becomes a
 * table when that is paid.
 *
 * Validation goes slot by slot and may stop after any: `validated` says how far the references reach.
 */
#include "p2m/pv.h"

#include "memory.h"
#include "p2m/types.h"

size_t sp_pv_size(uint64_t frames)
{
	return sizeof(struct pv) + frames * sizeof(struct pv_frame);
}

bool pv_is_sound(const struct sp_pv_config *config)
{
	return config->frames && config->frames < UINT32_MAX && config->memory &&
	       (uintptr_t)config->memory % 16 == 0 && config->own_slots &&
	       config->linear_slot < DIRECT_SLOTS &&
	       config->own_slots <= DIRECT_SLOTS - config->linear_slot && config->pointer &&
	       config->linear_write && config->load && config->flush;
}

void pv_open(struct sp_domain *domain, const struct sp_pv_config *config)
{
	struct pv *pv = config->memory;

	pv->first = config->first.mfn;
	pv->count = config->frames;
	pv->apart = 0;
	for (uint64_t i = 0; i < pv->count; i++)
		pv->frame[i] = (struct pv_frame){ .is_owned = false };
	domain->pv = pv;
	linear_open(domain, config);
}

struct pv_frame *pv_find(const struct sp_domain *domain, uint64_t mfn)
{
	struct pv *pv = domain->pv;

	if (mfn < pv->first || mfn - pv->first >= pv->count || !pv->frame[mfn - pv->first].is_owned)
		return NULL;
	return &pv->frame[mfn - pv->first];
}

uint64_t *pv_pointer(const struct sp_domain *domain, uint64_t mfn)
{
	return domain->direct.pointer(domain->direct.argument, (sp_mfn_t){ mfn });
}

/* ---- what an entry leads to ---- */

enum sp_status pv_get_entry(struct sp_domain *domain, uint32_t level, uint64_t entry,
			    struct pv_step *step)
{
	uint64_t mfn = direct_frame(entry);
	enum sp_status status = SP_OK;
	struct pv_frame *frame;

	if (!(entry & DIRECT_PRESENT))
		return SP_OK;
	frame = pv_find(domain, mfn);
	if (!frame || !direct_is_sound(entry))
		return SP_INVALID;
	if (level)
		return pv_get_type(domain, mfn, (enum sp_pv_type)(SP_PV_L1 + level - 1), step);
	if (entry & DIRECT_WRITABLE)
		status = pv_get_type(domain, mfn, SP_PV_WRITABLE, step);
	if (status == SP_OK)
		frame->mapped++;
	return status;
}

void pv_put_entry(struct sp_domain *domain, uint32_t level, uint64_t entry)
{
	uint64_t mfn = direct_frame(entry);

	if (!(entry & DIRECT_PRESENT))
		return;
	if (!level)
		pv_find(domain, mfn)->mapped--;
	if (level || (entry & DIRECT_WRITABLE))
		pv_put_type(domain, mfn);
}

/* ---- tables that lost their last use ---- */

void pv_list_apart(struct sp_domain *domain, uint64_t mfn)
{
	struct pv_frame *frame = pv_find(domain, mfn);

	if (frame->is_listed)
		return;
	frame->is_listed = true;
	frame->next = domain->pv->apart;
	domain->pv->apart = (uint32_t)(mfn - domain->pv->first) + 1;
}

/* Lets go of a slot at a time; its own tables may lose their last use by that, and go first. */
static bool take_table_apart(struct sp_domain *domain, uint32_t index, struct pv_step *step)
	MUST_HOLD(domain->lock)
{
	struct pv *pv = domain->pv;
	struct pv_frame *frame = &pv->frame[index];
	const uint64_t *table = pv_pointer(domain, pv->first + index);

	while (frame->validated && pv->apart == index + 1) {
		if (!step->budget)
			return false;
		step->budget--;
		frame->validated--;
		if (!pv_is_own_slot(domain, pv_level(frame), frame->validated))
			pv_put_entry(domain, pv_level(frame),
				     direct_load(&table[frame->validated]));
	}
	return true;
}

bool pv_take_apart(struct sp_domain *domain, struct pv_step *step)
{
	struct pv *pv = domain->pv;

	while (pv->apart) {
		uint32_t index = pv->apart - 1;
		struct pv_frame *frame = &pv->frame[index];

		if (!take_table_apart(domain, index, step))
			return false;
		if (pv->apart != index + 1)
			continue;
		frame->type = SP_PV_NONE;
		frame->is_listed = false;
		pv->apart = frame->next;
	}
	return true;
}

/* ---- types ---- */

void pv_put_type(struct sp_domain *domain, uint64_t mfn)
{
	struct pv_frame *frame = pv_find(domain, mfn);

	if (--frame->uses || !pv_is_table(frame))
		return;
	/* Whoever remembers it is told by what has been entered up to here. */
	frame->number = domain->ledger;
	if (!frame->pinned)
		pv_list_apart(domain, mfn);
}

/* What the guest left there while the frame was its own must not be what the hypervisor runs on. */
static void fill_own_slots(const struct sp_domain *domain, uint64_t *table, uint64_t mfn)
{
	uint32_t first = domain->direct.linear_slot;

	for (uint32_t i = 1; i < domain->direct.own_slots; i++)
		direct_store(&table[first + i], 0);
	direct_store(&table[first], direct_linear_entry(mfn));
}

/* SP_BUSY, SP_PENDING: it stops here and goes on when it is called again. */
static enum sp_status validate_slots(struct sp_domain *domain, uint64_t mfn, struct pv_frame *frame,
				     struct pv_step *step) MUST_HOLD(domain->lock)
{
	uint64_t *table = pv_pointer(domain, mfn);
	uint32_t level = pv_level(frame);

	for (; frame->validated < DIRECT_SLOTS; frame->validated++) {
		enum sp_status status;

		if (!step->budget)
			return SP_BUSY;
		step->budget--;
		if (pv_is_own_slot(domain, level, frame->validated))
			continue;
		status = pv_get_entry(domain, level, direct_load(&table[frame->validated]), step);
		if (status == SP_INVALID)
			pv_list_apart(domain, mfn);
		if (status != SP_OK)
			return status;
	}
	if (level == DIRECT_ROOT)
		fill_own_slots(domain, table, mfn);
	return SP_OK;
}

static enum sp_status validate(struct sp_domain *domain, uint64_t mfn, struct pv_step *step)
	MUST_HOLD(domain->lock)
{
	struct pv_frame *frame = pv_find(domain, mfn);
	enum sp_status status;

	frame->validating = true;
	status = validate_slots(domain, mfn, frame, step);
	frame->validating = false;
	return status;
}

/* From nothing to a type: everybody has forgotten what it was. */
static enum sp_status promote(struct sp_domain *domain, uint64_t mfn, enum sp_pv_type type,
			      struct pv_step *step) MUST_HOLD(domain->lock)
{
	struct pv_frame *frame = pv_find(domain, mfn);
	enum sp_status status = ledger_state(domain, frame->number);

	if (status != SP_OK)
		return status == SP_LOST ? SP_LOST : SP_BUSY;
	if (type == SP_PV_WRITABLE) {
		step->turn = mfn;
		step->writable = true;
		return SP_PENDING;
	}
	frame->type = (uint8_t)type;
	frame->validated = 0;
	return validate(domain, mfn, step);
}

/* What it is not is not used any more; then it becomes nothing first. */
static enum sp_status demote(struct sp_domain *domain, uint64_t mfn, struct pv_step *step)
	MUST_HOLD(domain->lock)
{
	struct pv_frame *frame = pv_find(domain, mfn);

	if (frame->uses || frame->pinned)
		return SP_INVALID;
	if (pv_is_table(frame)) {
		pv_list_apart(domain, mfn);
		return SP_BUSY;
	}
	step->turn = mfn;
	step->writable = false;
	return SP_PENDING;
}

static enum sp_status become(struct sp_domain *domain, uint64_t mfn, enum sp_pv_type type,
			     struct pv_step *step) MUST_HOLD(domain->lock)
{
	struct pv_frame *frame = pv_find(domain, mfn);

	/* A table that leads to itself, and wants to be something else there. */
	if (frame->validating)
		return SP_INVALID;
	if (frame->turning || frame->is_listed)
		return SP_BUSY;
	if (frame->type == SP_PV_WRITABLE && type != SP_PV_WRITABLE && !frame->uses &&
	    MUTANT(domain->host, SP_MUT_PV_NEW_TYPE))
		frame->type = SP_PV_NONE;
	if (frame->type == SP_PV_NONE)
		return promote(domain, mfn, type, step);
	if (frame->type != type)
		return demote(domain, mfn, step);
	return pv_is_table(frame) && frame->validated < DIRECT_SLOTS ? validate(domain, mfn, step)
								     : SP_OK;
}

enum sp_status pv_get_type(struct sp_domain *domain, uint64_t mfn, enum sp_pv_type type,
			   struct pv_step *step)
{
	enum sp_status status = pv_find(domain, mfn) ? become(domain, mfn, type, step) : SP_INVALID;

	if (status == SP_OK)
		pv_find(domain, mfn)->uses++;
	return status;
}

/* ---- what devices may do ---- */

/* False: somebody was faster, or has it. */
static bool begin_turn(struct sp_domain *domain, const struct pv_step *step)
{
	struct pv_frame *frame;
	bool begun;

	domain_take(domain);
	frame = pv_find(domain, step->turn);
	begun = frame && !frame->turning && !frame->uses &&
		frame->type == (step->writable ? SP_PV_NONE : SP_PV_WRITABLE);
	if (begun)
		frame->turning = true;
	domain_drop(domain);
	return begun;
}

enum sp_status pv_turn(struct sp_domain *domain, const struct pv_step *step,
		       struct sp_result *result)
{
	enum sp_type type = step->writable ? SP_RAM : SP_RAM_READONLY;
	struct target target = { .rights = p2m_types[type].rights,
				 .memory = p2m_types[type].memory,
				 .keep_frames = true };
	struct span span = { step->turn, step->turn + 1 };
	struct sp_result turned;
	enum sp_status status;

	if (!begin_turn(domain, step))
		return SP_PENDING;
	status = domain_change(domain, span, &target, !step->writable, false, NULL, &turned);
	domain_take(domain);
	pv_find(domain, step->turn)->turning = false;
	if (status == SP_OK) {
		pv_find(domain, step->turn)->type = step->writable ? SP_PV_WRITABLE : SP_PV_NONE;
		pv_find(domain, step->turn)->number = turned.ticket.number;
	}
	domain_drop(domain);
	result->ticket = turned.ticket;
	return status == SP_OK ? SP_PENDING : status;
}

/* ---- frames come and go ---- */

static enum sp_status check_span(const struct sp_domain *domain, sp_mfn_t first, uint64_t count,
				 struct sp_result *result)
{
	const struct pv *pv = domain->pv;

	*result = (struct sp_result){ .ticket = { (struct sp_domain *)(uintptr_t)domain, 0 } };
	if (!pv || !count)
		return SP_INVALID;
	if (first.mfn < pv->first || first.mfn - pv->first > pv->count ||
	    count > pv->count - (first.mfn - pv->first))
		return SP_RANGE;
	return host_forbids(domain->host, first.mfn, count) ? SP_RESERVED_RANGE : SP_OK;
}

enum sp_status sp_pv_add(struct sp_domain *domain, sp_mfn_t first, uint64_t count,
			 struct sp_result *result)
{
	const struct target target = { .mfn = first.mfn,
				       .rights = p2m_types[SP_RAM_READONLY].rights,
				       .memory = p2m_types[SP_RAM_READONLY].memory };
	enum sp_status status = check_span(domain, first, count, result);

	if (status != SP_OK)
		return status;
	if (host_treats_specially(domain->host, first.mfn, count))
		return SP_RESERVED_RANGE;
	count = min_u64(count, PV_STEP_SLOTS);
	domain_take(domain);
	for (uint64_t i = 0; i < count && status == SP_OK; i++)
		if (pv_find(domain, first.mfn + i))
			status = SP_INVALID;
	domain_drop(domain);
	if (status == SP_OK)
		status = domain_change(domain, (struct span){ first.mfn, first.mfn + count },
				       &target, false, false, NULL, result);
	domain_take(domain);
	for (uint64_t i = 0; i < result->done; i++)
		domain->pv->frame[first.mfn + i - domain->pv->first] =
			(struct pv_frame){ .is_owned = true };
	domain_drop(domain);
	return status;
}

/* Nobody uses it for anything; and from now on nobody begins to. */
static enum sp_status hold(struct sp_domain *domain, uint64_t mfn, struct pv_step *step)
	MUST_HOLD(domain->lock)
{
	struct pv_frame *frame = pv_find(domain, mfn);

	if (!frame || frame->uses || frame->mapped || frame->pinned)
		return SP_INVALID;
	if (pv_is_table(frame))
		pv_list_apart(domain, mfn);
	if (frame->turning || !pv_take_apart(domain, step))
		return SP_BUSY;
	frame->turning = true;
	return SP_OK;
}

enum sp_status sp_pv_remove(struct sp_domain *domain, sp_mfn_t first, uint64_t count,
			    struct sp_result *result)
{
	const struct target target = { .rights = 0 };
	enum sp_status status = check_span(domain, first, count, result);
	struct pv_step step = { .budget = PV_STEP_SLOTS };
	uint64_t held = 0;

	if (status != SP_OK)
		return status;
	count = min_u64(count, SP_STEP_SLOTS);
	domain_take(domain);
	while (held < count && status == SP_OK) {
		status = hold(domain, first.mfn + held, &step);
		held += status == SP_OK;
	}
	result->ticket.number = domain->ledger;
	domain_drop(domain);
	if (status == SP_OK)
		status = domain_change(domain, (struct span){ first.mfn, first.mfn + count },
				       &target, true, false, NULL, result);
	domain_take(domain);
	for (uint64_t i = 0; i < held; i++) {
		pv_find(domain, first.mfn + i)->turning = false;
		if (i < result->done)
			pv_find(domain, first.mfn + i)->is_owned = false;
	}
	domain_drop(domain);
	return status;
}

enum sp_status sp_pv_find(struct sp_domain *domain, sp_mfn_t mfn, struct sp_pv_info *info)
{
	const struct pv_frame *frame = NULL;

	domain_take(domain);
	if (domain->pv)
		frame = pv_find(domain, mfn.mfn);
	if (frame)
		*info = (struct sp_pv_info){ .type = (enum sp_pv_type)frame->type,
					     .pinned = frame->pinned,
					     .uses = frame->uses,
					     .mapped = frame->mapped };
	domain_drop(domain);
	return frame ? SP_OK : SP_NOT_FOUND;
}
