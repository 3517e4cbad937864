/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2m/patch.c - writing over a guest's code, while its CPUs may be executing it.
 *
 *   fits into eight aligned bytes        one store (APM 2 7.6.1: such code is executed old or new);
 *                                        a window where the guest never lets it
 *
 *   else, a window
 *     close    each page: nobody executes it, nobody writes it      an ordinary change, with its debt
 *     ...      paid: each CPU has left its guest or entered anew, and no device writes there
 *     write    no store is seen by who executes
 *     open     each page: as it was
 *
 * No call waits: where something is owed it answers SP_BUSY, and goes on from there when it is called again.
 */
#include "memory.h"
#include "p2m/types.h"

#define WORD  8u
#define TRIES 64u /* under the lock, against a guest that writes beside the bytes */

enum stage {
	STAGE_BEGIN,
	STAGE_CLOSE,
	STAGE_WRITE,
	STAGE_OPEN,
	STAGE_DONE
};

static uint64_t page_of(const struct sp_patch *patch, uint32_t index)
{
	return (patch->address >> SP_FRAME_ORDER) + index;
}

static bool fits_in_a_word(const struct sp_patch *patch)
{
	return patch->address % WORD + patch->count <= WORD;
}

/* Every page that it touches, as it is now; SP_NOT_FOUND where one is no memory. */
static enum sp_status note_pages(struct sp_domain *domain, struct sp_patch *patch)
	MUST_HOLD(domain->lock)
{
	uint64_t end = patch->address + patch->count;

	patch->pages = (uint32_t)(((end - 1) >> SP_FRAME_ORDER) - page_of(patch, 0)) + 1;
	for (uint32_t i = 0; i < patch->pages; i++) {
		struct found found;

		if (!tree_find(&domain->maps[0].tree, page_of(patch, i), &found) ||
		    !p2m_type_of(found.rights, found.memory, &patch->type[i]) ||
		    (patch->type[i] != SP_RAM && patch->type[i] != SP_RAM_READONLY))
			return SP_NOT_FOUND;
		patch->frame[i].mfn = found.mfn;
	}
	return SP_OK;
}

/* ---- the bytes ---- */

/* Eight aligned bytes of a guest's memory. */
struct word {
	uint64_t bytes;
};

static struct word *word_at(const struct sp_domain *domain, const struct sp_patch *patch,
			    uint64_t address)
{
	uint64_t page = (address >> SP_FRAME_ORDER) - page_of(patch, 0);
	uint8_t *bytes = platform_pointer(domain->host->embedder, patch->frame[page]);

	return (struct word *)(void *)(bytes + address % SP_FRAME_BYTES);
}

/* The word at an aligned address, with those of the bytes that lie in it. */
static uint64_t merged(const struct sp_patch *patch, uint64_t address, uint64_t word)
{
	for (uint32_t i = 0; i < WORD; i++) {
		uint64_t at = address + i - patch->address;

		if (address + i < patch->address || at >= patch->count)
			continue;
		word &= ~(0xffull << 8 * i);
		word |= (uint64_t)patch->bytes[at] << 8 * i;
	}
	return word;
}

/* What others write beside the bytes meanwhile stays. False: they never let us. */
static bool write_word(const struct sp_domain *domain, const struct sp_patch *patch,
		       uint64_t address)
{
	struct word *word = word_at(domain, patch, address);
	uint64_t old = load64(&word->bytes);

	for (uint32_t i = 0; i < TRIES; i++)
		if (exchange64(&word->bytes, &old, merged(patch, address, old)))
			return true;
	return false;
}

/* As memcpy() might: a store for each byte. */
static void write_bytewise(const struct sp_domain *domain, const struct sp_patch *patch)
{
	for (uint32_t i = 0; i < patch->count; i++) {
		struct sp_patch one = *patch;

		one.address = patch->address + i;
		one.count = 1;
		one.bytes[0] = patch->bytes[i];
		one.frame[0] = patch->frame[page_of(&one, 0) - page_of(patch, 0)];
		(void)write_word(domain, &one, align_down(one.address, 3));
	}
}

static bool write_bytes(const struct sp_domain *domain, const struct sp_patch *patch)
{
	uint64_t end = patch->address + patch->count;
	bool written = true;

	if (MUTANT(domain->host, SP_MUT_PATCH_BYTEWISE)) {
		write_bytewise(domain, patch);
		return true;
	}
	for (uint64_t address = align_down(patch->address, 3); address < end; address += WORD)
		written &= write_word(domain, patch, address);
	return written;
}

/* ---- the window ---- */

/* SP_OK: the page is of this type now, or was already. */
static enum sp_status retype(struct sp_domain *domain, struct sp_patch *patch, uint32_t index,
			     enum sp_type type)
{
	const struct target target = { .rights = p2m_types[type].rights,
				       .memory = p2m_types[type].memory,
				       .keep_frames = true };
	const uint64_t page = page_of(patch, index);
	struct sp_result result;
	enum sp_status status = domain_change(domain, (struct span){ page, page + 1 }, &target,
					      type == SP_RAM_HELD, false, NULL, &result);

	patch->ticket = result.ticket;
	return status;
}

static enum sp_status begin(struct sp_domain *domain, struct sp_patch *patch)
{
	enum sp_status status;

	if (patch->count == 0 || patch->count > SP_PATCH_BYTES ||
	    patch->address + patch->count < patch->address)
		return SP_INVALID;
	if (domain->pv)
		return SP_UNSUPPORTED;
	patch->ticket = (struct sp_ticket){ domain, 0 };
	domain_take(domain);
	status = domain->state == DOMAIN_LIVE ? note_pages(domain, patch) : SP_INVALID;
	/* Under the lock, so that the frame is the guest's still. */
	if (status == SP_OK)
		patch->stage = fits_in_a_word(patch) && write_bytes(domain, patch) ? STAGE_DONE
										   : STAGE_CLOSE;
	domain_drop(domain);
	return status;
}

/* Two fallacies: CPUs that are in the guest run on, and those that flushed come again. */
static bool closes_falsely(struct sp_domain *domain, struct sp_patch *patch)
{
	struct sp_result result;
	struct stale stale;

	if (MUTANT(domain->host, SP_MUT_PATCH_AFTER_ZAP)) {
		(void)!domain_begin_anew(domain, &result);
		patch->ticket.number = 0;
		return true;
	}
	if (!MUTANT(domain->host, SP_MUT_PATCH_AFTER_FLUSH))
		return false;
	domain_take(domain);
	stale_begin(&stale, NULL, 0);
	stale_add(&stale, WALKER_CPU, KIND_REVOKE, (struct span){ 0, 1 });
	patch->ticket.number = ledger_enter(domain, &domain->maps[0], &stale);
	ledger_post(domain);
	domain_drop(domain);
	return true;
}

static enum sp_status close_window(struct sp_domain *domain, struct sp_patch *patch)
{
	enum sp_status status = SP_OK;

	if (!MUTANTS_BUILT || !closes_falsely(domain, patch))
		for (uint32_t i = 0; i < patch->pages && status == SP_OK; i++)
			status = retype(domain, patch, i, SP_RAM_HELD);
	if (status == SP_BUSY)
		return SP_BUSY;
	patch->outcome = status;
	patch->stage = status == SP_OK ? STAGE_WRITE : STAGE_OPEN;
	return SP_OK;
}

/* The frames are those that were closed, and closed they are. */
static bool is_as_left(const struct sp_domain *domain, const struct sp_patch *patch)
	MUST_HOLD(domain->lock)
{
	bool is = true;

	for (uint32_t i = 0; i < patch->pages; i++) {
		struct found found;

		is &= tree_find(&domain->maps[0].tree, page_of(patch, i), &found) &&
		      found.mfn == patch->frame[i].mfn &&
		      (found.rights & CPU_RIGHTS) == (p2m_types[SP_RAM_HELD].rights & CPU_RIGHTS);
	}
	return is || MUTANT(domain->host, SP_MUT_PATCH_AFTER_ZAP) ||
	       MUTANT(domain->host, SP_MUT_PATCH_AFTER_FLUSH);
}

static enum sp_status write_in_window(struct sp_domain *domain, struct sp_patch *patch)
{
	enum sp_status status;

	domain_take(domain);
	ledger_collect(domain);
	status = ledger_state(domain, patch->ticket.number);
	if (status == SP_OK && !is_as_left(domain, patch))
		status = SP_NOT_FOUND;
	/* Nobody writes there now; again, if somebody does. */
	if (status == SP_OK && !write_bytes(domain, patch))
		status = SP_PENDING;
	domain_drop(domain);
	if (status == SP_PENDING)
		return SP_BUSY;
	patch->outcome = status;
	patch->stage = STAGE_OPEN;
	return SP_OK;
}

static bool is_held(struct sp_domain *domain, const struct sp_patch *patch, uint32_t index)
{
	enum sp_type type = SP_HOLE;
	struct found found;

	domain_take(domain);
	if (tree_find(&domain->maps[0].tree, page_of(patch, index), &found))
		(void)p2m_type_of(found.rights, found.memory, &type);
	domain_drop(domain);
	return type == SP_RAM_HELD;
}

/* What is not held any more is somebody else's doing, and stays. */
static enum sp_status open_window(struct sp_domain *domain, struct sp_patch *patch)
{
	for (uint32_t i = 0; i < patch->pages; i++) {
		enum sp_status status = is_held(domain, patch, i)
						? retype(domain, patch, i, patch->type[i])
						: SP_OK;

		if (status != SP_OK)
			return status;
	}
	patch->stage = STAGE_DONE;
	return SP_OK;
}

enum sp_status sp_p2m_patch(struct sp_domain *domain, struct sp_patch *patch)
{
	enum sp_status status = SP_OK;

	while (status == SP_OK && patch->stage != STAGE_DONE) {
		switch ((enum stage)patch->stage) {
		case STAGE_BEGIN:
			status = begin(domain, patch);
			break;
		case STAGE_CLOSE:
			status = close_window(domain, patch);
			break;
		case STAGE_WRITE:
			status = write_in_window(domain, patch);
			break;
		case STAGE_OPEN:
			status = open_window(domain, patch);
			break;
		case STAGE_DONE:
			break;
		}
	}
	return status == SP_OK ? patch->outcome : status;
}
