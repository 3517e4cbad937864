/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/testcard.c - a test card, pixel by pixel.
 *
 * Measured in cells of the grid, a twelfth of its height: the circle's centre is the card's, its radius
 * 5.5 cells. A band says how many half cells below the upper edge it begins.
 */
#include "guests/testcard.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "guests/letters.h"

#define CELLS  12u /* in its height */
#define HALVES (2 * CELLS)
#define WHITE  0xffffffu
#define BLACK  0x000000u
#define STEPS  11u /* of grey, black and white among them */

/* A pixel, as the bands see it. */
struct spot {
	const struct testcard *card;
	uint32_t x, y; /* of the card */
	uint32_t left; /* of the circle's square */
	uint32_t size; /* ... and how wide that is */
	uint32_t band_top, band_height;
};

static uint32_t grey(uint32_t level)
{
	return level << 16 | level << 8 | level;
}

/* ---- bands ---- */

/* Centred in its band, as large as fits into so many cells; each letter's pixel is a square. */
static bool has_ink(const struct spot *spot, const char *text, uint32_t cells)
{
	const uint32_t width = letters_width(text), cell = spot->card->height / CELLS;
	const uint32_t by_width = cells * cell / (width ? width : 1);
	const uint32_t by_height = spot->band_height * 4 / 5 / LETTER_HEIGHT;
	const uint32_t scale = by_width < by_height ? by_width : by_height;
	const uint32_t left = (spot->card->width - width * scale) / 2;
	const uint32_t top = spot->band_top + (spot->band_height - LETTER_HEIGHT * scale) / 2;

	return scale != 0 && spot->x >= left && spot->y >= top &&
	       letters_has_ink(text, (spot->x - left) / scale, (spot->y - top) / scale);
}

static uint32_t title(const struct spot *spot)
{
	return has_ink(spot, "SALLYPORT", 5) ? BLACK : WHITE;
}

static uint32_t blank(const struct spot *spot)
{
	(void)spot;
	return WHITE;
}

/* Of three quarters, from the brightest to the darkest. */
static uint32_t bars(const struct spot *spot)
{
	static const uint32_t colours[] = { 0xbfbfbf, 0xbfbf00, 0x00bfbf, 0x00bf00,
					    0xbf00bf, 0xbf0000, 0x0000bf, 0x101010 };

	return colours[(spot->x - spot->left) * 8 / spot->size];
}

static uint32_t display(const struct spot *spot)
{
	return has_ink(spot, spot->card->display, 9) ? WHITE : BLACK;
}

static uint32_t place(const struct spot *spot)
{
	return has_ink(spot, spot->card->place, 10) ? 0xffc040 : BLACK;
}

static uint32_t grey_steps(const struct spot *spot)
{
	return grey((spot->x - spot->left) * STEPS / spot->size * 255 / (STEPS - 1));
}

static uint32_t grey_ramp(const struct spot *spot)
{
	return grey((spot->x - spot->left) * 256 / spot->size);
}

/* Pairs of a black and a white line, 6 to 1 pixels each. */
static uint32_t fine_lines(const struct spot *spot)
{
	static const uint32_t widths[] = { 6, 4, 3, 2, 1, 1, 2, 3, 4, 6 };
	const uint32_t at = spot->x - spot->left, field = at * 10 / spot->size;
	const uint32_t first = (field * spot->size + 9) / 10;

	return (at - first) / widths[field] % 2 == 0 ? WHITE : BLACK;
}

static uint32_t ramp_of(const struct spot *spot, uint32_t shift)
{
	return ((spot->x - spot->left) * 256 / spot->size) << shift;
}

static uint32_t red_ramp(const struct spot *spot)
{
	return ramp_of(spot, 16);
}

static uint32_t green_ramp(const struct spot *spot)
{
	return ramp_of(spot, 8);
}

static uint32_t blue_ramp(const struct spot *spot)
{
	return ramp_of(spot, 0);
}

static const struct {
	uint32_t first; /* half cell */
	uint32_t (*draw)(const struct spot *spot);
} bands[] = {
	{ 0, blank },	  { 2, title },	      { 5, bars },	 { 10, display },
	{ 12, place },	  { 14, grey_steps }, { 16, grey_ramp }, { 18, fine_lines },
	{ 20, red_ramp }, { 21, green_ramp }, { 22, blue_ramp }, { HALVES, NULL },
};

/* ---- the whole ---- */

static uint32_t draw_band(const struct testcard *card, uint32_t x, uint32_t y)
{
	const uint32_t size = 11 * (card->height / CELLS);
	struct spot spot = {
		.card = card, .x = x, .y = y, .left = (card->width - size) / 2, .size = size
	};
	size_t band = 0;

	while (y >= bands[band + 1].first * card->height / HALVES)
		band++;
	spot.band_top = bands[band].first * card->height / HALVES;
	spot.band_height = bands[band + 1].first * card->height / HALVES - spot.band_top;
	return bands[band].draw(&spot);
}

/* Twice the distances from the centre, which lies between pixels. */
static uint64_t distance(const struct testcard *card, uint32_t x, uint32_t y)
{
	const int64_t across = 2 * (int64_t)x + 1 - card->width;
	const int64_t down = 2 * (int64_t)y + 1 - card->height;

	return (uint64_t)(across * across + down * down);
}

/* Every other cell at the edge is darker; the lines between cells are brighter. */
static uint32_t draw_ground(const struct testcard *card, uint32_t x, uint32_t y)
{
	const uint32_t cell = card->height / CELLS;
	const uint32_t column = x / cell, row = y / cell;
	const bool at_edge = column == 0 || row == 0 || (column + 2) * cell > card->width ||
			     (row + 2) * cell > card->height;

	if (x % cell == 0 || y % cell == 0)
		return 0xa0a8b0;
	return at_edge && (column + row) % 2 == 0 ? card->ground >> 1 & 0x7f7f7f : card->ground;
}

uint32_t testcard_pixel(const struct testcard *card, uint32_t x, uint32_t y)
{
	const uint64_t radius = 11 * (card->height / CELLS), line = 4;
	const uint64_t from_centre = distance(card, x, y);

	if (x == 0 || y == 0 || x == card->width - 1 || y == card->height - 1)
		return WHITE;
	if (from_centre < (radius - line) * (radius - line))
		return draw_band(card, x, y);
	return from_centre < radius * radius ? WHITE : draw_ground(card, x, y);
}

struct testcard testcard_of(const char *driver, const char *place, uint32_t width, uint32_t height)
{
	static const struct {
		const char *driver, *display;
		uint32_t ground;
	} displays[] = {
		{ "bochs-drm", "BOCHS-DISPLAY", 0x284860 },
		{ "virtio_gpu", "VIRTIO-GPU-PCI", 0x58345c },
	};

	for (size_t i = 0; i < sizeof(displays) / sizeof(displays[0]); i++)
		if (strcmp(displays[i].driver, driver) == 0)
			return (struct testcard){ width, height, displays[i].ground,
						  displays[i].display, place };
	return (struct testcard){ .width = 0 };
}

/* The reflected polynomial EDB88320, four bits at a time: one by one would take a guest seconds. */
uint32_t testcard_sum(uint32_t sum, uint32_t pixel)
{
	static const uint32_t table[] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	sum = ~sum;
	for (uint32_t colour = 0; colour < 3; colour++) {
		sum ^= pixel >> (16 - 8 * colour) & 0xff;
		sum = table[sum & 15] ^ sum >> 4;
		sum = table[sum & 15] ^ sum >> 4;
	}
	return ~sum;
}
