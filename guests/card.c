/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/card.c - a program for a Linux guest: draws a test card on each display that the kernel's drivers
 * (DRM) have, first with one pixel wrong, then right.
 *
 *   wait for a line on the serial port, which says where we are --> draw, one pixel wrong
 *   wait for a line --> put it right --> wait for a line --> end
 *
 * with: guests/testcard.c guests/letters.c
 *
 * What it says begins with "display: ", for tests/boot. The kernel has nobody to read the serial port, so it
 * is read here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm.h>
#include <drm_mode.h>

#include "guests/testcard.h"

#define DISPLAYS  2
#define MODES	  64
#define PORT	  0x3f8
#define STATUS	  (PORT + 5)
#define RECEIVED  0x01
#define PAUSE_US  20000
#define CONNECTED 1

struct display {
	int file;
	char driver[32];
	uint32_t connector, crtc, buffer;
	struct drm_mode_modeinfo mode;
	uint32_t pitch; /* bytes */
	uint32_t *pixels;
};

static void fail(const char *driver, const char *what)
{
	printf("display: no card on %s: %s\n", driver, what);
	exit(1);
}

/* ---- the serial port ---- */

/* Without the line's end; what is too long is dropped. */
static void read_line(char *text, size_t size)
{
	size_t used = 0;

	for (;;) {
		while (!(inb(STATUS) & RECEIVED))
			usleep(PAUSE_US);
		text[used] = (char)inb(PORT);
		if (text[used] == '\r' || text[used] == '\n')
			break;
		used += used + 1 < size;
	}
	text[used] = '\0';
}

/* ---- a display, by the kernel's interface ---- */

static uint64_t address_of(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

static void read_driver(struct display *display)
{
	struct drm_version version = { .name = display->driver,
				       .name_len = sizeof(display->driver) - 1 };

	if (ioctl(display->file, DRM_IOCTL_VERSION, &version) != 0)
		fail("?", "its driver has no name");
}

static void find_connector(struct display *display)
{
	uint32_t connectors[4], crtcs[4];
	struct drm_mode_card_res all = { .connector_id_ptr = address_of(connectors),
					 .count_connectors = 4,
					 .crtc_id_ptr = address_of(crtcs),
					 .count_crtcs = 4 };

	if (ioctl(display->file, DRM_IOCTL_MODE_GETRESOURCES, &all) != 0 ||
	    all.count_connectors == 0 || all.count_crtcs == 0)
		fail(display->driver, "no connector");
	display->connector = connectors[0];
	display->crtc = crtcs[0];
}

/* The mode that the display prefers. */
static void find_mode(struct display *display)
{
	static struct drm_mode_modeinfo modes[MODES];
	struct drm_mode_get_connector connector = { .connector_id = display->connector };

	/* The first call looks for modes, and counts them. */
	if (ioctl(display->file, DRM_IOCTL_MODE_GETCONNECTOR, &connector) != 0 ||
	    connector.connection != CONNECTED || connector.count_modes == 0)
		fail(display->driver, "nothing is connected");
	connector = (struct drm_mode_get_connector){ .connector_id = display->connector,
						     .modes_ptr = address_of(modes),
						     .count_modes = connector.count_modes < MODES
									    ? connector.count_modes
									    : MODES };
	if (ioctl(display->file, DRM_IOCTL_MODE_GETCONNECTOR, &connector) != 0)
		fail(display->driver, "no mode");
	display->mode = modes[0];
	for (uint32_t i = connector.count_modes < MODES ? connector.count_modes : MODES; i-- > 0;)
		if (modes[i].type & DRM_MODE_TYPE_PREFERRED)
			display->mode = modes[i];
}

static void make_buffer(struct display *display)
{
	struct drm_mode_create_dumb buffer = { .width = display->mode.hdisplay,
					       .height = display->mode.vdisplay,
					       .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	struct drm_mode_fb_cmd frame;

	if (ioctl(display->file, DRM_IOCTL_MODE_CREATE_DUMB, &buffer) != 0)
		fail(display->driver, "no buffer");
	frame = (struct drm_mode_fb_cmd){ .width = buffer.width,
					  .height = buffer.height,
					  .pitch = buffer.pitch,
					  .bpp = 32,
					  .depth = 24,
					  .handle = buffer.handle };
	map.handle = buffer.handle;
	if (ioctl(display->file, DRM_IOCTL_MODE_ADDFB, &frame) != 0 ||
	    ioctl(display->file, DRM_IOCTL_MODE_MAP_DUMB, &map) != 0)
		fail(display->driver, "its buffer cannot be shown");
	display->buffer = frame.fb_id;
	display->pitch = buffer.pitch;
	display->pixels = mmap(NULL, buffer.size, PROT_READ | PROT_WRITE, MAP_SHARED, display->file,
			       (off_t)map.offset);
	if (display->pixels == MAP_FAILED)
		fail(display->driver, "its buffer cannot be mapped");
}

static void show_buffer(struct display *display)
{
	struct drm_mode_crtc crtc = { .set_connectors_ptr = address_of(&display->connector),
				      .count_connectors = 1,
				      .crtc_id = display->crtc,
				      .fb_id = display->buffer,
				      .mode_valid = 1,
				      .mode = display->mode };

	if (ioctl(display->file, DRM_IOCTL_MODE_SETCRTC, &crtc) != 0)
		fail(display->driver, "its mode cannot be set");
}

/* A display that looks at its buffer by itself needs not be told. */
static void tell(const struct display *display)
{
	struct drm_mode_fb_dirty_cmd dirty = { .fb_id = display->buffer };

	(void)ioctl(display->file, DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

static void open_display(struct display *display, int number)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/dri/card%d", number);
	display->file = open(path, O_RDWR);
	if (display->file < 0)
		fail(path, "it is not there");
	read_driver(display);
	find_connector(display);
	find_mode(display);
	make_buffer(display);
	show_buffer(display);
}

/* ---- the card ---- */

static uint32_t *pixel_of(const struct display *display, uint32_t x, uint32_t y)
{
	return display->pixels + y * (display->pitch / sizeof(uint32_t)) + x;
}

static void draw(const struct display *display, const struct testcard *card)
{
	uint32_t x, y;

	for (y = 0; y < card->height; y++)
		for (x = 0; x < card->width; x++)
			*pixel_of(display, x, y) = testcard_pixel(card, x, y);
	testcard_wrong_place(card, &x, &y);
	*pixel_of(display, x, y) = testcard_wrong(*pixel_of(display, x, y));
}

static void put_right(const struct display *display, const struct testcard *card)
{
	uint32_t x, y;

	testcard_wrong_place(card, &x, &y);
	*pixel_of(display, x, y) = testcard_pixel(card, x, y);
}

/* What the buffer holds now: read again, not what was meant to be written. */
static void say_drawn(const struct display *display, const struct testcard *card, const char *how)
{
	uint32_t sum = 0;

	for (uint32_t y = 0; y < card->height; y++)
		for (uint32_t x = 0; x < card->width; x++)
			sum = testcard_sum(sum, *pixel_of(display, x, y) & 0xffffff);
	printf("display: drawn %s %s %ux%u sum %08x\n", how, display->driver, card->width,
	       card->height, sum);
}

int main(void)
{
	struct display displays[DISPLAYS] = { 0 };
	struct testcard cards[DISPLAYS];
	char place[40], line[8];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (ioperm(PORT, 8, 1) != 0)
		fail("any display", "the serial port is out of reach");
	for (int i = 0; i < DISPLAYS; i++)
		open_display(&displays[i], i);
	printf("display: ready\n");
	read_line(place, sizeof(place));
	for (int i = 0; i < DISPLAYS; i++) {
		cards[i] = testcard_of(displays[i].driver, place, displays[i].mode.hdisplay,
				       displays[i].mode.vdisplay);
		if (cards[i].width == 0)
			fail(displays[i].driver, "nobody has drawn one for it");
		draw(&displays[i], &cards[i]);
		tell(&displays[i]);
		say_drawn(&displays[i], &cards[i], "wrong");
	}
	printf("display: wrong is shown\n");
	read_line(line, sizeof(line));
	for (int i = 0; i < DISPLAYS; i++) {
		put_right(&displays[i], &cards[i]);
		tell(&displays[i]);
		say_drawn(&displays[i], &cards[i], "right");
	}
	printf("display: right is shown\n");
	read_line(line, sizeof(line));
	return 0;
}
