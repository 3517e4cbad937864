/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/picture.h - a picture, compared with the test card that it should be. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guests/testcard.h"

struct picture {
	bool there; /* the file could be read */
	uint32_t width, height;
	uint32_t sum; /* testcard_sum() of all pixels */
	bool same_size;
	uint64_t differ;	   /* pixels that are not the card's, where the size is its */
	uint32_t x, y, is, wanted; /* the first of them */
};

/* A PNG. */
struct picture picture_compare(const char *path, const struct testcard *card);
