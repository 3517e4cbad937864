/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/picture_test.c - the test card, and pictures that are compared with it. */
#include "picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <png.h>

#include "guests/letters.h"

enum {
	WIDTH = 160,
	HEIGHT = 120
};

static struct testcard card_of(const char *driver)
{
	return testcard_of(driver, "amdvi-shared", WIDTH, HEIGHT);
}

/* The card as a PNG, with one pixel changed by so many bits. */
static struct picture compare_with(uint32_t x, uint32_t y, uint32_t change)
{
	static png_byte pixels[WIDTH * HEIGHT * 3];
	const struct testcard card = card_of("bochs-drm");
	png_image image = { .version = PNG_IMAGE_VERSION,
			    .width = WIDTH,
			    .height = HEIGHT,
			    .format = PNG_FORMAT_RGB };
	char path[] = "/tmp/picture-XXXXXX";
	const int file = mkstemp(path);
	struct picture picture;

	assert_true(file >= 0);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
		uint32_t pixel = testcard_pixel(&card, i % WIDTH, i / WIDTH);

		if (i == y * WIDTH + x)
			pixel ^= change;
		pixels[3 * i] = (png_byte)(pixel >> 16);
		pixels[3 * i + 1] = (png_byte)(pixel >> 8);
		pixels[3 * i + 2] = (png_byte)pixel;
	}
	assert_true(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
	picture = picture_compare(path, &card);
	close(file);
	unlink(path);
	return picture;
}

static void the_card_is_the_card(void **state)
{
	const struct picture picture = compare_with(0, 0, 0);

	(void)state;
	assert_true(picture.there && picture.same_size);
	assert_int_equal(picture.width, WIDTH);
	assert_int_equal(picture.height, HEIGHT);
	assert_int_equal(picture.differ, 0);
}

static void one_bit_of_any_pixel_is_found(void **state)
{
	static const uint32_t places[][3] = { { 0, 0, 1 },
					      { WIDTH - 1, HEIGHT - 1, 0x800000 },
					      { WIDTH / 2, HEIGHT / 2, 0x100 } };
	const uint32_t sum = compare_with(0, 0, 0).sum;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const uint32_t *place = places[i];
		const struct picture picture = compare_with(place[0], place[1], place[2]);

		assert_int_equal(picture.differ, 1);
		assert_int_equal(picture.x, place[0]);
		assert_int_equal(picture.y, place[1]);
		assert_int_equal(picture.is ^ picture.wanted, place[2]);
		assert_int_not_equal(picture.sum, sum);
	}
}

static void another_size_and_no_picture_are_told(void **state)
{
	const struct testcard card = testcard_of("bochs-drm", "", 640, 480);

	(void)state;
	assert_false(picture_compare("/dev/null", &card).there);
	assert_false(picture_compare("/nowhere/picture.png", &card).there);
	assert_true(picture_compare("docs/display.png", &card).there);
	assert_false(picture_compare("docs/display.png", &card).same_size);
}

/* It is shown to readers: if the card changes, it is to be made anew (docs/guide.md, 6). */
static void the_picture_in_the_documents_is_the_card(void **state)
{
	const struct testcard card = testcard_of("bochs-drm", "amdvi-shared", 1024, 768);
	const struct picture picture = picture_compare("docs/display.png", &card);

	(void)state;
	assert_true(picture.there && picture.same_size);
	assert_int_equal(picture.differ, 0);
}

static void displays_and_places_have_cards_of_their_own(void **state)
{
	const struct testcard first = card_of("bochs-drm"), second = card_of("virtio_gpu");
	const struct testcard elsewhere = testcard_of("bochs-drm", "vtd-separate", WIDTH, HEIGHT);
	uint32_t by_display = 0, by_place = 0;

	(void)state;
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
		const uint32_t pixel = testcard_pixel(&first, i % WIDTH, i / WIDTH);

		by_display += pixel != testcard_pixel(&second, i % WIDTH, i / WIDTH);
		by_place += pixel != testcard_pixel(&elsewhere, i % WIDTH, i / WIDTH);
	}
	assert_true(by_display > WIDTH * HEIGHT / 4);
	assert_true(by_place > 0);
	assert_int_equal(testcard_of("another", "", WIDTH, HEIGHT).width, 0);
}

static void its_border_is_one_pixel_wide(void **state)
{
	const struct testcard card = testcard_of("bochs-drm", "", 1024, 768);

	(void)state;
	for (uint32_t x = 0; x < 1024; x++) {
		assert_int_equal(testcard_pixel(&card, x, 0), 0xffffff);
		assert_int_equal(testcard_pixel(&card, x, 767), 0xffffff);
	}
	assert_int_not_equal(testcard_pixel(&card, 1, 1), 0xffffff);
	assert_int_not_equal(testcard_pixel(&card, 1022, 766), 0xffffff);
}

/* The check value that every description of this CRC has, of "123456789". */
static void the_sum_is_crc_32(void **state)
{
	(void)state;
	assert_int_equal(testcard_sum(testcard_sum(testcard_sum(0, 0x313233), 0x343536), 0x373839),
			 0xcbf43926);
}

static void letters_have_their_places(void **state)
{
	(void)state;
	assert_int_equal(letters_width(""), 0);
	assert_int_equal(letters_width("I"), 5);
	assert_int_equal(letters_width("AMDVI"), 29);
	assert_true(letters_has_ink("I", 2, 3));
	assert_true(letters_has_ink("i", 2, 3));
	assert_false(letters_has_ink("I", 0, 3));
	assert_true(letters_has_ink("--", 6, 3));
	assert_false(letters_has_ink("--", 5, 3));
	assert_false(letters_has_ink("--", 11, 3));
	assert_false(letters_has_ink("I", 2, 7));
	assert_false(letters_has_ink("?", 2, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_card_is_the_card),
		cmocka_unit_test(one_bit_of_any_pixel_is_found),
		cmocka_unit_test(another_size_and_no_picture_are_told),
		cmocka_unit_test(the_picture_in_the_documents_is_the_card),
		cmocka_unit_test(displays_and_places_have_cards_of_their_own),
		cmocka_unit_test(its_border_is_one_pixel_wide),
		cmocka_unit_test(the_sum_is_crc_32),
		cmocka_unit_test(letters_have_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
