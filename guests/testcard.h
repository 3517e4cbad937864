/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/testcard.h - a test card: what guests/card.c draws, and tests/boot compares with what QEMU shows.
 *
 *   +--+--+--+--+--+--+--+--+     a border of one pixel, a grid, and in the circle from above: the title,
 *   +--+--+--/-----\--+--+--+     colour bars, what is drawn on and where, steps and a ramp of grey, lines
 *   +--+--+-| ||||| |-+--+--+     that stand ever closer, a ramp of each colour
 *   +--+--+--\-----/--+--+--+
 *   +--+--+--+--+--+--+--+--+
 */
#pragma once

#include <stdint.h>

struct testcard {
	uint32_t width, height;
	uint32_t ground;     /* its colour */
	const char *display; /* on which it is drawn */
	const char *place;   /* where that is */
};

/* Of the display that a driver has; no width where there is none for it. */
struct testcard testcard_of(const char *driver, const char *place, uint32_t width, uint32_t height);
/* 0x00RRGGBB */
uint32_t testcard_pixel(const struct testcard *card, uint32_t x, uint32_t y);

/* CRC-32 (IEEE 802.3) of pixels in their order, red, green and blue of each: begin with 0. */
uint32_t testcard_sum(uint32_t sum, uint32_t pixel);

/* A negative control: one bit of one pixel of a picture is another. */
static inline uint32_t testcard_wrong(uint32_t pixel)
{
	return pixel ^ 1;
}
static inline void testcard_wrong_place(const struct testcard *card, uint32_t *x, uint32_t *y)
{
	*x = card->width / 3;
	*y = card->height / 3;
}
