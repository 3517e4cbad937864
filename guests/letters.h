/* SPDX-License-Identifier: BSD-2-Clause */
/* guests/letters.h - capital letters and digits, of five pixels by seven. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	LETTER_STEP = 6, /* from one letter to the next */
	LETTER_HEIGHT = 7
};

/* Pixels of a line of text. */
uint32_t letters_width(const char *text);
/* Is there ink? Small letters are written as capitals; what has no letter is blank. */
bool letters_has_ink(const char *text, uint32_t x, uint32_t y);
