/* SPDX-License-Identifier: BSD-2-Clause */
/* guests/letters.c - capital letters and digits, of five pixels by seven, drawn by hand. */
#include "guests/letters.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *chars;
	const char *row[LETTER_HEIGHT];
} lines[] = {
	/* clang-format off */
	{ "ABCDEFGHIJ",
	  { " ###  ####   #### ####  ##### #####  #### #   # #####     #",
	    "#   # #   # #     #   # #     #     #     #   #   #       #",
	    "#   # #   # #     #   # #     #     #     #   #   #       #",
	    "##### ####  #     #   # ####  ####  #  ## #####   #       #",
	    "#   # #   # #     #   # #     #     #   # #   #   #       #",
	    "#   # #   # #     #   # #     #     #   # #   #   #   #   #",
	    "#   # ####   #### ####  ##### #      #### #   # #####  ### " } },
	{ "KLMNOPQRST",
	  { "#   # #     #   # #   #  ###  ####   ###  ####   #### #####",
	    "#  #  #     ## ## ##  # #   # #   # #   # #   # #       #  ",
	    "# #   #     # # # ##  # #   # #   # #   # #   # #       #  ",
	    "##    #     # # # # # # #   # ####  #   # ####   ###    #  ",
	    "# #   #     #   # #  ## #   # #     # # # # #       #   #  ",
	    "#  #  #     #   # #  ## #   # #     #  #  #  #      #   #  ",
	    "#   # ##### #   # #   #  ###  #      ## # #   # ####    #  " } },
	{ "UVWXYZ0123",
	  { "#   # #   # #   # #   # #   # #####  ###    #    ###  #### ",
	    "#   # #   # #   # #   # #   #     # #   #  ##   #   #     #",
	    "#   # #   # #   #  # #   # #     #  #  ##   #       #     #",
	    "#   # #   # # # #   #     #     #   # # #   #      #   ### ",
	    "#   #  # #  # # #  # #    #    #    ##  #   #     #       #",
	    "#   #  # #  ## ## #   #   #   #     #   #   #    #        #",
	    " ###    #   #   # #   #   #   #####  ###   ###  ##### #### " } },
	{ "456789-_",
	  { "#  #  #####  ###  #####  ###   ###             ",
	    "#  #  #     #         # #   # #   #            ",
	    "#  #  #     #        #  #   # #   #            ",
	    "##### ####  ####     #   ###   #### #####      ",
	    "   #      # #   #   #   #   #     #            ",
	    "   #      # #   #   #   #   #     #            ",
	    "   #  ####   ###    #    ###   ###        #####" } },
	/* clang-format on */
};

uint32_t letters_width(const char *text)
{
	return text[0] ? (uint32_t)strlen(text) * LETTER_STEP - 1 : 0;
}

bool letters_has_ink(const char *text, uint32_t x, uint32_t y)
{
	const uint32_t column = x % LETTER_STEP;
	char wanted;

	if (x >= letters_width(text) || y >= LETTER_HEIGHT || column == LETTER_STEP - 1)
		return false;
	wanted = (char)toupper((unsigned char)text[x / LETTER_STEP]);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *found = strchr(lines[i].chars, wanted);

		if (found)
			return lines[i].row[y][(found - lines[i].chars) * LETTER_STEP + column] ==
			       '#';
	}
	return false;
}
