/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/vfio/book.c - what the kernel has mapped, piece by piece. */
#include "drivers/vfio/book.h"

#include <stdlib.h>
#include <string.h>

enum {
	FIRST_CAPACITY = 64
};

uint32_t book_find(const struct book *book, uint64_t gfn)
{
	uint32_t low = 0, high = book->count;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (piece_end(&book->piece[middle]) <= gfn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum sp_status book_reserve(struct book *book, uint32_t more)
{
	uint32_t capacity = book->capacity ? book->capacity : FIRST_CAPACITY;
	struct piece *piece;

	if (more > book->limit - book->count)
		return SP_NO_SPACE;
	if (book->count + more <= book->capacity)
		return SP_OK;
	while (capacity < book->count + more)
		capacity *= 2;
	piece = realloc(book->piece, capacity * sizeof(*piece));
	if (!piece)
		return SP_NO_MEMORY;
	book->piece = piece;
	book->capacity = capacity;
	return SP_OK;
}

void book_insert(struct book *book, const struct piece *first, uint32_t count)
{
	const uint32_t at = book_find(book, first->gfn);

	memmove(&book->piece[at + count], &book->piece[at],
		(book->count - at) * sizeof(*book->piece));
	memcpy(&book->piece[at], first, count * sizeof(*first));
	book->count += count;
}

void book_remove(struct book *book, uint32_t first, uint32_t count)
{
	memmove(&book->piece[first], &book->piece[first + count],
		(book->count - first - count) * sizeof(*book->piece));
	book->count -= count;
}

void book_free(struct book *book)
{
	free(book->piece);
	*book = (struct book){ .count = 0 };
}
