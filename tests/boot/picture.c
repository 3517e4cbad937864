/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/picture.c - a picture, compared with the test card that it should be. */
#include "picture.h"

#include <png.h>
#include <stdlib.h>

enum {
	COLOURS = 3
};

static uint32_t pixel_at(const png_byte *at)
{
	return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

/* NULL: there is none, or it is no PNG. */
static png_byte *read_pixels(const char *path, png_image *image)
{
	png_byte *pixels = NULL;

	*image = (png_image){ .version = PNG_IMAGE_VERSION };
	if (png_image_begin_read_from_file(image, path)) {
		image->format = PNG_FORMAT_RGB;
		pixels = malloc(PNG_IMAGE_SIZE(*image));
		if (pixels && !png_image_finish_read(image, NULL, pixels, 0, NULL)) {
			free(pixels);
			pixels = NULL;
		}
	}
	png_image_free(image);
	return pixels;
}

static void compare(struct picture *picture, const png_byte *pixels, const struct testcard *card)
{
	for (uint32_t i = 0; i < picture->width * picture->height; i++) {
		const uint32_t x = i % picture->width, y = i / picture->width;
		const uint32_t is = pixel_at(pixels + (size_t)i * COLOURS);
		const uint32_t wanted = picture->same_size ? testcard_pixel(card, x, y) : is;

		picture->sum = testcard_sum(picture->sum, is);
		if (is == wanted)
			continue;
		if (picture->differ++ == 0) {
			picture->x = x;
			picture->y = y;
			picture->is = is;
			picture->wanted = wanted;
		}
	}
}

struct picture picture_compare(const char *path, const struct testcard *card)
{
	png_image image;
	png_byte *pixels = read_pixels(path, &image);
	struct picture picture = { .there = pixels != NULL };

	if (!pixels)
		return picture;
	picture.width = image.width;
	picture.height = image.height;
	picture.same_size = image.width == card->width && image.height == card->height;
	compare(&picture, pixels, card);
	free(pixels);
	return picture;
}
