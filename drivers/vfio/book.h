/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vfio/book.h - what the kernel has mapped for the domain's devices, piece by piece.
 *
 *   piece: | gfn | gfn | gfn | gfn |     2^order frames, one mapping of the kernel's
 *
 * Sorted by guest frame; no two overlap. A piece is in the book from before it is mapped for good until
 * the kernel has said that all of it is unmapped.
 */
#pragma once

#include <sallyport/vfio.h>

struct piece {
	uint64_t gfn, mfn;
	uint8_t order;
	uint8_t type; /* enum sp_type */
	bool is_lost; /* the kernel was asked to unmap it, and did not say that it has */
};

struct book {
	struct piece *piece;
	uint32_t count, capacity;
	uint32_t limit;
};

static inline uint64_t piece_frames(const struct piece *piece)
{
	return 1ull << piece->order;
}

static inline uint64_t piece_end(const struct piece *piece)
{
	return piece->gfn + piece_frames(piece);
}

/* Index of the first piece that ends behind this frame; book->count where there is none. */
uint32_t book_find(const struct book *book, uint64_t gfn);
/* Room for so many more: SP_NO_SPACE over the limit, SP_NO_MEMORY. */
SP_MUST_USE enum sp_status book_reserve(struct book *book, uint32_t more);
/* Pieces that follow one another, where no other is; there is room. */
void book_insert(struct book *book, const struct piece *first, uint32_t count);
void book_remove(struct book *book, uint32_t first, uint32_t count);
void book_free(struct book *book);
