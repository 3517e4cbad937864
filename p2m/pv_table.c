/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m/pv_table.c - a guest's batch of operations on its own tables.
 *
 *   lock   each operation: what the new entry leads to is got, the slot stored, what it owes entered,
 *          what the old one led to put
 *          the linear map is about to be used: what gathered is posted, and must be paid
 *   post   once, for all that was done, whatever became of the last one
 *   drop   kick
 *
 * What has to happen without the lock (devices get or lose a right) ends the hold, not the batch.
 */
#include "p2m/pv.h"

/*
 * Some CPU may find its way through the table by what it finds now. Whoever still remembers a way that was
 * there before has been asked when that went; and what goes here waits for that too, because the ledger's
 * numbers are in order. So no count is ever taken for an answer (A0.6).
 */
static bool is_reachable(const struct sp_domain *domain, const struct pv_frame *frame)
{
	if (MUTANT(domain->host, SP_MUT_PV_COUNT_TRUSTED))
		return frame->uses + frame->pinned > 1u + frame->pinned;
	return frame->uses;
}

/* linear: the guest address by which the L1 entry is reached; NULL: by its machine address. */
static enum sp_status set_entry(struct sp_domain *domain, uint64_t table, uint32_t index,
				const uint64_t *linear, uint64_t entry, struct pv_step *step)
	MUST_HOLD(domain->lock)
{
	const struct pv_frame *frame = pv_find(domain, table);
	uint64_t *slot = pv_pointer(domain, table) + index, old = direct_load(slot);
	uint32_t level = pv_level(frame);
	enum change_kind kind = direct_change(level, old, entry);
	enum sp_status status = pv_get_entry(domain, level, entry, step);

	if (status != SP_OK)
		return status;
	if (linear)
		domain->direct.linear_write(domain->direct.argument, *linear, entry);
	else
		direct_store(slot, entry);
	if (level && kind != KIND_COUNT && is_reachable(domain, frame))
		linear_enter(domain, kind, level, table);
	pv_put_entry(domain, level, old);
	return SP_OK;
}

static enum sp_status set(struct sp_domain *domain, const struct sp_pv_op *op, struct pv_step *step)
	MUST_HOLD(domain->lock)
{
	const struct pv_frame *frame = pv_find(domain, op->at >> SP_FRAME_ORDER);
	uint32_t index = (uint32_t)(op->at >> 3) % DIRECT_SLOTS;

	if (!frame || op->at % 8 || !pv_is_table(frame) || frame->validated < DIRECT_SLOTS ||
	    pv_is_own_slot(domain, pv_level(frame), index))
		return SP_INVALID;
	return set_entry(domain, op->at >> SP_FRAME_ORDER, index, NULL, op->value, step);
}

static enum sp_status set_at(struct sp_domain *domain, const struct sp_pv_op *op,
			     struct pv_step *step) MUST_HOLD(domain->lock)
{
	uint32_t cpu = platform_self(domain->host->embedder);
	uint64_t table = domain->cpu_states[cpu].loaded;
	bool can_write = true;

	if (!table)
		return SP_INVALID;
	for (uint32_t level = DIRECT_ROOT; level; level--) {
		uint32_t index = direct_index(op->at, level);
		uint64_t entry = direct_load(pv_pointer(domain, table) + index);

		if (pv_is_own_slot(domain, level, index))
			return SP_INVALID;
		if (!(entry & DIRECT_PRESENT))
			return SP_NOT_FOUND;
		can_write &= (entry & DIRECT_WRITABLE) != 0;
		table = direct_frame(entry);
	}
	/* What forbids the guest to write forbids it on the linear map's way too. */
	if (!can_write)
		return set_entry(domain, table, direct_index(op->at, 0), NULL, op->value, step);
	/* Its deadline: what this CPU remembers of the way there is what the tables say. */
	if (!linear_is_paid(domain))
		return SP_BUSY;
	return set_entry(domain, table, direct_index(op->at, 0), &op->at, op->value, step);
}

static enum sp_status pin(struct sp_domain *domain, const struct sp_pv_op *op, struct pv_step *step)
	MUST_HOLD(domain->lock)
{
	struct pv_frame *frame = pv_find(domain, op->at);
	enum sp_status status;

	if (!frame || frame->pinned || op->value < SP_PV_L1 || op->value > SP_PV_L4)
		return SP_INVALID;
	status = pv_get_type(domain, op->at, (enum sp_pv_type)op->value, step);
	if (status != SP_OK)
		return status;
	/* The pin holds it from now on, not the use. */
	frame->pinned = true;
	frame->uses--;
	return SP_OK;
}

static enum sp_status unpin(struct sp_domain *domain, const struct sp_pv_op *op)
	MUST_HOLD(domain->lock)
{
	struct pv_frame *frame = pv_find(domain, op->at);

	if (!frame || !frame->pinned)
		return SP_INVALID;
	frame->pinned = false;
	if (!frame->uses)
		pv_list_apart(domain, op->at);
	return SP_OK;
}

static enum sp_status perform(struct sp_domain *domain, const struct sp_pv_op *op,
			      struct pv_step *step) MUST_HOLD(domain->lock)
{
	switch (op->kind) {
	case SP_PV_SET:
		return set(domain, op, step);
	case SP_PV_SET_AT:
		return set_at(domain, op, step);
	case SP_PV_PIN:
		return pin(domain, op, step);
	case SP_PV_UNPIN:
		return unpin(domain, op);
	}
	return SP_INVALID;
}

static enum sp_status perform_all(struct sp_domain *domain, const struct sp_pv_op *ops,
				  uint64_t count, uint64_t *done, struct pv_step *step)
	MUST_HOLD(domain->lock)
{
	enum sp_status status = SP_OK;

	if (domain->state != DOMAIN_LIVE)
		return SP_INVALID;
	ledger_collect(domain);
	while (*done < count && status == SP_OK) {
		if (!step->budget || !pv_take_apart(domain, step))
			return SP_BUSY;
		step->budget--;
		status = perform(domain, &ops[*done], step);
		*done += status == SP_OK;
	}
	/* What is left of it, the next call does. */
	(void)pv_take_apart(domain, step);
	return status;
}

static void post(struct sp_domain *domain, enum sp_status status) MUST_HOLD(domain->lock)
{
	if (MUTANT(domain->host, SP_MUT_PV_ERROR_UNTOLD) && status != SP_OK && status != SP_BUSY &&
	    status != SP_PENDING) {
		domain->watches[CPU_WATCH].gathering = (struct debt){ 0 };
		domain->watches[ROOT_WATCH].gathering = (struct debt){ 0 };
	}
	ledger_post(domain);
	ledger_collect(domain);
}

/* Where it does not come to that, the batch ends here, and what gathered is posted. */
static enum sp_status turn(struct sp_domain *domain, const struct pv_step *step,
			   struct sp_result *result)
{
	enum sp_status status = pv_turn(domain, step, result);

	if (status == SP_PENDING)
		return status;
	domain_take(domain);
	post(domain, status);
	domain_drop(domain);
	return status;
}

enum sp_status sp_pv_update(struct sp_domain *owner, const struct sp_pv_op *ops, uint64_t count,
			    struct sp_result *result)
{
	enum sp_status status;

	*result = (struct sp_result){ .ticket = { owner, 0 } };
	if (!owner->pv)
		return SP_INVALID;
	do {
		struct pv_step step = { .budget = PV_STEP_SLOTS };

		domain_take(owner);
		status = perform_all(owner, ops, count, &result->done, &step);
		/* The batch goes on at once: what it owes gathers. */
		if (status != SP_PENDING)
			post(owner, status);
		result->ticket.number = owner->ledger;
		domain_drop(owner);
		if (status == SP_PENDING)
			status = turn(owner, &step, result);
	} while (status == SP_PENDING);
	return status;
}

/* ---- roots of CPUs ---- */

static enum sp_status load(struct sp_domain *domain, uint64_t root, struct pv_step *step)
	MUST_HOLD(domain->lock)
{
	uint64_t before = domain->cpu_states[platform_self(domain->host->embedder)].loaded;
	enum sp_status status;

	ledger_collect(domain);
	if (domain->state != DOMAIN_LIVE)
		return SP_INVALID;
	if (!pv_take_apart(domain, step))
		return SP_BUSY;
	status = pv_get_type(domain, root, SP_PV_L4, step);
	if (status != SP_OK)
		return status;
	linear_load(domain, root);
	if (before)
		pv_put_type(domain, before);
	return SP_OK;
}

enum sp_status sp_pv_load(struct sp_domain *domain, sp_mfn_t root, struct sp_result *result)
{
	enum sp_status status;

	*result = (struct sp_result){ .ticket = { domain, 0 } };
	if (!domain->pv)
		return SP_INVALID;
	do {
		struct pv_step step = { .budget = PV_STEP_SLOTS };

		domain_take(domain);
		status = load(domain, root.mfn, &step);
		result->ticket.number = domain->ledger;
		domain_drop(domain);
		if (status == SP_PENDING)
			status = pv_turn(domain, &step, result);
	} while (status == SP_PENDING);
	return status;
}

void sp_pv_unload(struct sp_domain *domain)
{
	uint64_t root;

	domain_take(domain);
	root = domain->cpu_states[platform_self(domain->host->embedder)].loaded;
	linear_unload(domain);
	if (root)
		pv_put_type(domain, root);
	domain_drop(domain);
}
