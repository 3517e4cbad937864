/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable/root.c - another root: everything that a tree maps goes at once, however much it is.
 *
 *   root ---> [ link | . | link ]          root ---> [ . | . | . ]      [ link | . | link ]
 *                |          |        ->                                    |          |
 *              [....]     [....]                                         [....]     [....]
 *                                                                        let go, untouched
 *
 * Whoever walks by the old root walks what it was; whoever begins afterwards begins at the new one.
 */
#include "pagetable/walk.h"

void tree_clear(const struct tree *tree, sp_mfn_t page)
{
	uint64_t *table = table_at(tree, page.mfn);

	clear(table, slots_per_table(tree->format));
	write_back(tree, table, slots_per_table(tree->format));
}

void tree_begin_anew(struct tree *tree, sp_mfn_t root, struct stale *stale)
{
	const struct let_go old = { .kind = GONE_SUBTREE,
				    .mfn = tree->root.mfn,
				    .count = 1,
				    .level = (uint8_t)(tree->levels - 1u) };

	write_barrier();
	store64(&tree->root.mfn, root.mfn);
	store64(&tree->top, (uintptr_t)table_at(tree, root.mfn));
	tree->shape++;
	stale_add_seen(stale, tree->format, KIND_ROOT, (struct span){ 0, tree->frames });
	stale_let_go(stale, old);
}
