/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/pv_type_test.c - direct paging: types of frames and their counts, what devices may do, what is
 * refused, and each cell of the two columns that it has in sync/invalidate.c.
 */
#include "pv_scenes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sync/domain.h"

static struct pv_bench *make(void)
{
	const struct pv_config config = { .adversary = MODEL_ADVERSARY_MAX, .answers = MODEL_LATE };

	return pv_make(&config, SP_MUT_NONE);
}

static void end(struct pv_bench *bench)
{
	pv_settle(bench);
	assert_string_equal(pv_complaint(bench), "");
	pv_free(bench);
}

static void check(struct pv_guest *guest, uint64_t frame, enum sp_pv_type type, uint32_t uses,
		  uint32_t mapped)
{
	struct sp_pv_info info;

	assert_int_equal(sp_pv_find(guest->domain, (sp_mfn_t){ frame }, &info), SP_OK);
	assert_int_equal(info.type, type);
	assert_int_equal(info.uses, uses);
	assert_int_equal(info.mapped, mapped);
}

static void refused(struct pv_guest *guest, struct sp_pv_op op)
{
	uint64_t done;

	assert_int_equal(pv_do(guest, 0, &op, 1, &done), SP_INVALID);
	assert_int_equal(done, 0);
}

/* ---- types and counts ---- */

static void a_pinned_tree_gives_each_frame_its_type(void **state)
{
	struct pv_bench *bench = make();
	struct pv_guest *guest = &bench->guest[0];
	struct sp_pv_op unpin = { SP_PV_UNPIN, guest->table[3], 0 };
	struct sp_pv_info info;

	(void)state;
	check(guest, guest->page, SP_PV_WRITABLE, 1, 1);
	check(guest, guest->table[0], SP_PV_L1, 1, 0);
	check(guest, guest->table[1], SP_PV_L2, 1, 0);
	check(guest, guest->table[2], SP_PV_L3, 1, 0);
	check(guest, guest->table[3], SP_PV_L4, 0, 0);
	check(guest, guest->next, SP_PV_NONE, 0, 0);
	assert_int_equal(sp_pv_find(guest->domain, (sp_mfn_t){ guest->first - 1 }, &info),
			 SP_NOT_FOUND);
	/* The linear map, which no guest's entry may be. */
	assert_int_equal(pv_look_at(guest, guest->table[3], PV_SLOT) >> 12 & 0xffffffffff,
			 guest->table[3]);
	pv_must(guest, 0, &unpin, 1);
	pv_settle(bench);
	for (uint32_t level = 0; level < 4; level++)
		check(guest, guest->table[level], SP_PV_NONE, 0, 0);
	check(guest, guest->page, SP_PV_WRITABLE, 0, 0);
	end(bench);
}

static void a_table_that_is_used_has_no_other_use(void **state)
{
	struct pv_bench *bench = make();
	struct pv_guest *guest = &bench->guest[0];
	uint64_t l1 = guest->table[0], fresh = pv_frame(guest);

	(void)state;
	/* Writable, as a table of another level, as itself again, by a slot of the hypervisor's. */
	refused(guest, pv_set(l1, 0, pv_entry(l1, PV_RW)));
	refused(guest, pv_set(guest->table[2], 0, pv_entry(l1, PV_RW)));
	refused(guest, pv_set(guest->table[1], 0, pv_entry(guest->table[1], PV_RW)));
	refused(guest, pv_set(guest->table[3], PV_SLOT, 0));
	refused(guest, pv_set(guest->table[3], PV_SLOT + PV_OWN - 1, pv_entry(fresh, PV_RW)));
	/* A frame that is somebody else's, bits that are not the guest's, a page as a table. */
	refused(guest, pv_set(l1, 0, pv_entry(bench->guest[1].page, PV_RO)));
	refused(guest, pv_set(l1, 0, pv_entry(fresh, PV_RO | 1 << 8)));
	refused(guest, pv_set(guest->table[1], 0, pv_entry(fresh, PV_RW | 1 << 7)));
	refused(guest, pv_set(guest->table[1], 0, pv_entry(guest->page, PV_RW)));
	refused(guest, pv_set(fresh, 0, pv_entry(fresh, PV_RW)));
	refused(guest, (struct sp_pv_op){ SP_PV_PIN, l1, SP_PV_L2 });
	refused(guest, (struct sp_pv_op){ SP_PV_PIN, l1, SP_PV_WRITABLE });
	refused(guest, (struct sp_pv_op){ SP_PV_UNPIN, l1, 0 });
	refused(guest, pv_set_at(PV_ADDRESS, 0));
	/* Read-only it may be mapped. */
	pv_must(guest, 0, &(struct sp_pv_op){ SP_PV_SET, l1 << 12, pv_entry(l1, PV_RO) }, 1);
	check(guest, l1, SP_PV_L1, 1, 1);
	assert_int_equal(pv_give(guest, l1), SP_INVALID);
	assert_int_equal(pv_give(guest, guest->page), SP_INVALID);
	end(bench);
}

/* A table whose last entry is bad: nothing of it keeps a reference. */
static void a_table_that_is_refused_leaves_no_reference(void **state)
{
	struct pv_bench *bench = make();
	struct pv_guest *guest = &bench->guest[0];
	uint64_t table = pv_frame(guest), page = pv_frame(guest), good = pv_frame(guest);

	(void)state;
	pv_put(guest, table, 0, pv_entry(page, PV_RW));
	pv_put(guest, table, 1, pv_entry(page, PV_RO));
	pv_put(guest, table, 511, pv_entry(bench->guest[1].page, PV_RO));
	refused(guest, pv_set(guest->table[1], 0, pv_entry(table, PV_RW)));
	pv_must(guest, 0, &(struct sp_pv_op){ SP_PV_SET, guest->table[0] << 12, 0 }, 1);
	check(guest, table, SP_PV_NONE, 0, 0);
	check(guest, page, SP_PV_WRITABLE, 0, 0);
	/* The same page as a table, at last. */
	pv_must(guest, 0, &(struct sp_pv_op){ SP_PV_PIN, page, SP_PV_L1 }, 1);
	check(guest, page, SP_PV_L1, 0, 0);
	pv_must(guest, 0, &(struct sp_pv_op){ SP_PV_UNPIN, page, 0 }, 1);
	assert_int_equal(pv_give(guest, good), SP_OK);
	refused(guest, pv_set(guest->table[0], 0, pv_entry(good, PV_RO)));
	end(bench);
}

/* A way back to where validation came from, writable or as another level: an answer, and no end without. */
static void a_table_that_leads_to_itself_is_refused(void **state)
{
	struct pv_bench *bench = make();
	struct pv_guest *guest = &bench->guest[0];
	uint64_t l1 = pv_frame(guest), l2 = pv_frame(guest);

	(void)state;
	pv_put(guest, l1, 3, pv_entry(l1, PV_RW));
	refused(guest, (struct sp_pv_op){ SP_PV_PIN, l1, SP_PV_L1 });
	pv_put(guest, l1, 3, pv_entry(l2, PV_RW));
	pv_put(guest, l2, 5, pv_entry(l1, PV_RW));
	refused(guest, (struct sp_pv_op){ SP_PV_PIN, l2, SP_PV_L2 });
	pv_put(guest, l2, 5, pv_entry(l2, PV_RO));
	refused(guest, (struct sp_pv_op){ SP_PV_PIN, l2, SP_PV_L2 });
	pv_put(guest, l1, 3, pv_entry(l1, PV_RO));
	pv_must(guest, 0, &(struct sp_pv_op){ SP_PV_PIN, l1, SP_PV_L1 }, 1);
	check(guest, l1, SP_PV_L1, 0, 1);
	end(bench);
}

static void a_guest_with_its_tables_loaded_is_not_destroyed(void **state)
{
	struct pv_bench *bench = make();
	struct pv_guest *guest = &bench->guest[0];
	struct sp_result result;
	enum sp_status status;

	(void)state;
	assert_int_equal(sp_p2m_map(guest->domain, (sp_gfn_t){ guest->first },
				    (sp_mfn_t){ guest->first }, 1, SP_RAM, &result),
			 SP_UNSUPPORTED);
	assert_int_equal(sp_p2m_unmap(guest->domain, (sp_gfn_t){ guest->first }, 1, &result),
			 SP_UNSUPPORTED);
	pv_load(guest, 1, guest->table[3]);
	assert_int_equal(sp_domain_destroy(guest->domain), SP_BUSY);
	model_set_cpu(1);
	model_linear_load(bench->model, 1, 0);
	sp_pv_unload(guest->domain);
	model_set_cpu(0);
	while ((status = sp_domain_destroy(guest->domain)) == SP_PENDING)
		(void)sp_progress(bench->host, 4096);
	assert_int_equal(status, SP_OK);
	for (uint64_t i = 0; i < PV_FRAMES; i++)
		assert_int_equal(model_forgotten_times(bench->model, guest->first + i), 1);
	end(bench);
}

/* ---- by mutants ---- */

static void killed(pv_scene scene, uint32_t mutant, char oracle)
{
	char wanted[] = "oracle ?";

	wanted[7] = oracle;
	assert_string_equal(scene(SP_MUT_NONE), "");
	assert_memory_equal(scene(mutant), wanted, 8);
}

static void a_page_that_becomes_a_table_is_written_by_no_device(void **state)
{
	(void)state;
	killed(pv_scene_device_writes, SP_MUT_PV_NEW_TYPE, 'A');
}

static void a_page_that_becomes_a_table_is_written_by_no_guest(void **state)
{
	(void)state;
	killed(pv_scene_page_becomes_table, SP_MUT_PV_NEW_TYPE, 'A');
}

/* What can happen to such a guest of each column: left out, its oracle objects. */
static void each_cell_of_the_linear_map_and_the_roots_is_missed(void **state)
{
	static const struct {
		enum change_kind kind;
		enum observer_column column;
		enum sp_mutant_cell becomes;
		pv_scene scene;
		char oracle;
	} cells[] = {
		{ KIND_UNMAP, COLUMN_LINEAR, SP_MUT_CELL_NOTHING, pv_scene_page_goes, 'R' },
		{ KIND_REVOKE, COLUMN_LINEAR, SP_MUT_CELL_NOTHING, pv_scene_page_becomes_table,
		  'A' },
		{ KIND_REPLACE, COLUMN_LINEAR, SP_MUT_CELL_NOTHING, pv_scene_replay_l3, 'A' },
		{ KIND_UNLINK, COLUMN_LINEAR, SP_MUT_CELL_NOTHING, pv_scene_unhooked, 'R' },
		{ KIND_LINK, COLUMN_LINEAR, SP_MUT_CELL_ALL, pv_scene_nothing_owed, 'E' },
		{ KIND_GRANT, COLUMN_LINEAR, SP_MUT_CELL_ALL, pv_scene_nothing_owed, 'E' },
		{ KIND_LINK, COLUMN_ROOT, SP_MUT_CELL_NOTHING, pv_scene_new_root_entry, 'A' },
		{ KIND_GRANT, COLUMN_ROOT, SP_MUT_CELL_NOTHING, pv_scene_root_granted, 'A' },
		{ KIND_REVOKE, COLUMN_ROOT, SP_MUT_CELL_NOTHING, pv_scene_root_revoked, 'A' },
		{ KIND_REPLACE, COLUMN_ROOT, SP_MUT_CELL_NOTHING, pv_scene_root_replaced, 'A' },
		{ KIND_UNLINK, COLUMN_ROOT, SP_MUT_CELL_NOTHING, pv_scene_root_cleared, 'A' },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		killed(cells[i].scene,
		       SP_MUT_CELL(cells[i].kind, cells[i].column, cells[i].becomes),
		       cells[i].oracle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pinned_tree_gives_each_frame_its_type),
		cmocka_unit_test(a_table_that_is_used_has_no_other_use),
		cmocka_unit_test(a_table_that_is_refused_leaves_no_reference),
		cmocka_unit_test(a_table_that_leads_to_itself_is_refused),
		cmocka_unit_test(a_guest_with_its_tables_loaded_is_not_destroyed),
		cmocka_unit_test(a_page_that_becomes_a_table_is_written_by_no_device),
		cmocka_unit_test(a_page_that_becomes_a_table_is_written_by_no_guest),
		cmocka_unit_test(each_cell_of_the_linear_map_and_the_roots_is_missed),
	};

	return cmocka_run_group_tests_name("pv types", tests, NULL, NULL);
}
