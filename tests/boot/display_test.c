/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/display_test.c - two displays of a guest's own: the verdict over what was said and shown. */
#include "display.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A run that is as it should be. */
static const char *const good_lines[] = {
	"guest    debian: 256 MiB from gfn 0 on, from mfn 0x1c00 on, on CPU 1\n",
	"guest    debian has 0000:00:03.0\n",
	"guest    debian has 0000:00:04.0\n",
	"debian| [    1.9] display: driver bochs-drm has 0000:00:01.0 0x1234 0x1111\n",
	"debian| [    1.9] display: frame buffer 0x0000000010000000 0x0000000010ffffff 0x42208\n",
	"debian| [    1.9] display: driver virtio-pci has 0000:00:02.0 0x1af4 0x1050\n",
	"debian| [    2.2] display: drawn wrong bochs-drm 1024x768 sum 00000001\n",
	"debian| [    2.2] display: drawn wrong virtio_gpu 800x600 sum 00000002\n",
	"debian| [    2.4] display: drawn right bochs-drm 1024x768 sum 00000003\n",
	"debian| [    2.4] display: drawn right virtio_gpu 800x600 sum 00000004\n",
	"monitor  debian: gfn 0x10000: mfn 0xfd000, in a page of 2048 KiB, registers\n",
	"monitor  debian: gfn 0x10200: mfn 0xfd200, in a page of 2048 KiB, registers\n",
	"monitor  debian: gfn 0x10400: mfn 0xfd400, in a page of 2048 KiB, registers\n",
	"monitor  debian: gfn 0x10600: mfn 0xfd600, in a page of 2048 KiB, registers\n",
	"monitor  debian: gfn 0x10800: mfn 0xfd800, in a page of 2048 KiB, registers\n",
	"monitor  debian: gfn 0x10a00: mfn 0xfda00, in a page of 2048 KiB, registers\n",
	"monitor  debian: gfn 0x10c00: mfn 0xfdc00, in a page of 2048 KiB, registers\n",
	"monitor  debian: gfn 0x10e00: mfn 0xfde00, in a page of 2048 KiB, registers\n",
	"debian| [    2.7] display: interrupts virtio0-config 0 PCI-MSI\n",
	"debian| [    2.7] display: interrupts virtio0-control 10 PCI-MSI\n",
	"guest    debian: 65536 frames were mapped, 65536 came back (ok)\n",
};
#define LINES	   (sizeof(good_lines) / sizeof(good_lines[0]))
#define DRIVER	   5
#define PIECE	   12
#define INTERRUPTS 19
#define FRAMES	   20

static const char *const good_trace[] = {
	"amdvi_cache_update  update iotlb domid 0x8 devid: 00:04.0 gpa 0x27a0000 hpa 0x4200000 \n",
	"amdvi_iotlb_hit hit iotlb devid 00:04.0 gpa 0x33926c4 hpa 0x4e00000\n",
	"amdvi_iotlb_hit hit iotlb devid 00:04.0 gpa 0x3392484 hpa 0x4f92000\n",
	/* Somebody else's. */
	"amdvi_iotlb_hit hit iotlb devid 00:02.0 gpa 0x1000 hpa 0x1000\n",
};

static const char *const past_lines[] = {
	"debian| [    7.5] display: drawn wrong bochs-drm 1024x768 sum 00000001\n",
	"debian| [    7.5] display: drawn wrong virtio_gpu 1024x768 sum 00000005\n",
	"debian| [    7.9] display: drawn right bochs-drm 1024x768 sum 00000003\n",
};

static struct picture whole(uint32_t width, uint32_t height, uint32_t sum)
{
	return (struct picture){
		.there = true, .width = width, .height = height, .sum = sum, .same_size = true
	};
}

static struct picture one_wrong(uint32_t width, uint32_t height, uint32_t sum)
{
	struct picture picture = whole(width, height, sum);

	picture.differ = 1;
	picture.x = width / 3;
	picture.y = height / 3;
	picture.is = 0x00bfbe;
	picture.wanted = 0x00bfbf;
	return picture;
}

static void show_good(struct display *display)
{
	display->shown[TURN_WRONG][HEAD_BOCHS] = one_wrong(1024, 768, 1);
	display->shown[TURN_WRONG][HEAD_VIRTIO] = one_wrong(800, 600, 2);
	display->shown[TURN_RIGHT][HEAD_BOCHS] = whole(1024, 768, 3);
	display->shown[TURN_RIGHT][HEAD_VIRTIO] = whole(800, 600, 4);
	display->shown[TURN_PAST][HEAD_BOCHS] = one_wrong(1024, 768, 1);
	display->shown[TURN_PAST][HEAD_VIRTIO] =
		(struct picture){ .there = true, .width = 640, .height = 480 };
}

/* The good run, but for one line that is another; and for one that comes on top. */
static struct display run_with(size_t line, const char *instead, const char *more)
{
	struct display display;

	display_begin(&display, &guest_machine_table[0]);
	for (size_t i = 0; i < LINES; i++)
		display_read_line(&display, i == line ? instead : good_lines[i]);
	display_read_line(&display, more);
	for (size_t i = 0; i < sizeof(good_trace) / sizeof(good_trace[0]); i++)
		display_read_trace(&display, good_trace[i]);
	for (size_t i = 0; i < sizeof(past_lines) / sizeof(past_lines[0]); i++)
		display_read_past(&display, past_lines[i]);
	display_read_refusal(&display,
			     "refused: display.conf:10: guest debian: device 0000:00:04.0: "
			     "virtio without ACCESS_PLATFORM: its DMA passes\n");
	show_good(&display);
	display.ended = (struct boot_result){ BOOT_EXITED, QEMU_EXIT_SUCCESS, 8 };
	display_judge(&display);
	return display;
}

/* This step, and no other, is bad. */
static void assert_bad(const struct display *display, enum display_step step)
{
	for (unsigned int i = 0; i < DISPLAY_STEPS; i++)
		assert_int_equal(display->step[i].good, i != (unsigned int)step);
}

static void a_run_as_it_should_be_is_good(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	assert_bad(&display, DISPLAY_STEPS);
	assert_string_equal(
		display.step[DISPLAY_UNIT].evidence,
		"3 translations of 2 pages, 0 lead elsewhere than to the guest's memory");
}

static void a_run_that_says_nothing_is_bad(void **state)
{
	struct display display;

	(void)state;
	display_begin(&display, &guest_machine_table[0]);
	display_judge(&display);
	for (unsigned int i = 0; i < DISPLAY_STEPS; i++)
		assert_false(display.step[i].good);
}

static void a_display_without_its_driver_is_bad(void **state)
{
	struct display display = run_with(DRIVER, "debian| display: driver nobody has\n", "");

	(void)state;
	assert_false(display.step[DISPLAY_DRIVERS].good);
	assert_false(display.step[DISPLAY_CONTAINED].good);
}

static void small_pages_are_bad(void **state)
{
	struct display display = run_with(
		PIECE, "monitor  debian: gfn 0x10400: mfn 0xfd400, in a page of 4 KiB, registers\n",
		"");

	(void)state;
	assert_bad(&display, DISPLAY_LARGE);
	assert_non_null(strstr(display.step[DISPLAY_LARGE].evidence, "2 of 8"));
	assert_non_null(strstr(display.step[DISPLAY_LARGE].evidence, "page of 4 KiB"));
}

static void a_piece_elsewhere_is_bad(void **state)
{
	struct display display = run_with(
		PIECE,
		"monitor  debian: gfn 0x10400: mfn 0xfd600, in a page of 2048 KiB, registers\n",
		"");

	(void)state;
	assert_bad(&display, DISPLAY_LARGE);
}

static void a_piece_of_memory_is_bad(void **state)
{
	struct display display = run_with(
		PIECE, "monitor  debian: gfn 0x10400: mfn 0xfd400, in a page of 2048 KiB\n", "");

	(void)state;
	assert_bad(&display, DISPLAY_LARGE);
}

/* What the guest says is no evidence of the hypervisor's map. */
static void a_piece_that_the_guest_claims_does_not_count(void **state)
{
	struct display display = run_with(
		PIECE,
		"debian| monitor  debian: gfn 0x10400: mfn 0xfd400, in a page of 2048 KiB, registers\n",
		"");

	(void)state;
	assert_bad(&display, DISPLAY_LARGE);
}

static void a_picture_with_another_pixel_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display.shown[TURN_RIGHT][HEAD_BOCHS] = one_wrong(1024, 768, 3);
	display_judge(&display);
	assert_bad(&display, DISPLAY_BOCHS);
	assert_non_null(strstr(display.step[DISPLAY_BOCHS].evidence,
			       "1 of 786432 differ, the first at 341, 256: 00bfbe, not 00bfbf"));
}

static void a_picture_of_another_size_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display.shown[TURN_RIGHT][HEAD_VIRTIO].same_size = false;
	display_judge(&display);
	assert_bad(&display, DISPLAY_VIRTIO);
}

static void no_picture_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display.shown[TURN_RIGHT][HEAD_VIRTIO].there = false;
	strcpy(display.amiss, "no such device");
	display_judge(&display);
	assert_bad(&display, DISPLAY_VIRTIO);
	assert_string_equal(display.step[DISPLAY_VIRTIO].evidence, "no picture: no such device");
}

static void a_sum_that_the_guest_does_not_have_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display.shown[TURN_RIGHT][HEAD_VIRTIO].sum = 9;
	display_judge(&display);
	assert_bad(&display, DISPLAY_VIRTIO);
}

static void a_wrong_pixel_that_is_not_found_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display.shown[TURN_WRONG][HEAD_VIRTIO].differ = 0;
	display_judge(&display);
	assert_bad(&display, DISPLAY_ONE_BIT);
}

static void a_wrong_pixel_elsewhere_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display.shown[TURN_WRONG][HEAD_BOCHS].x++;
	display_judge(&display);
	assert_bad(&display, DISPLAY_ONE_BIT);
}

static void a_translation_that_leads_elsewhere_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display_read_trace(&display,
			   "amdvi_iotlb_hit hit iotlb devid 00:04.0 gpa 0x3392000 hpa 0x3392000\n");
	display_judge(&display);
	assert_bad(&display, DISPLAY_UNIT);
	assert_non_null(strstr(display.step[DISPLAY_UNIT].evidence, ": amdvi_iotlb_hit"));
}

static void vtd_traces_are_read_too(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display_read_trace(&display,
			   "vtd_iotlb_page_hit IOTLB page hit sid 0x20 iova 0x33a0402 slpte "
			   "0x4e00083 domain 0x7\n");
	assert_int_equal(display.translated, 4);
	assert_int_equal(display.page_count, 3);
	assert_int_equal(display.astray, 0);
	display_read_trace(&display,
			   "vtd_iotlb_page_update IOTLB page update sid 0x20 iova 0x33a0402 "
			   "slpte 0x5000083 domain 0x7\n");
	display_judge(&display);
	assert_bad(&display, DISPLAY_UNIT);
}

/* Nothing is known of the device's way where the unit says nothing. */
static void no_translation_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display.page_count = 0;
	display_judge(&display);
	assert_bad(&display, DISPLAY_UNIT);
}

static void no_interrupt_is_bad(void **state)
{
	struct display display =
		run_with(INTERRUPTS,
			 "debian| [    2.7] display: interrupts virtio0-control 0 PCI-MSI\n", "");

	(void)state;
	assert_bad(&display, DISPLAY_INTERRUPTS);
}

static void an_interrupt_that_is_no_message_is_bad(void **state)
{
	struct display display =
		run_with(INTERRUPTS,
			 "debian| [    2.7] display: interrupts virtio0-control 10 IO-APIC\n", "");

	(void)state;
	assert_bad(&display, DISPLAY_INTERRUPTS);
}

static void a_fault_is_bad(void **state)
{
	struct display display =
		run_with(LINES, "", "fault    debian: sbdf 0000:00:04.0 read dfn 0x80\n");

	(void)state;
	assert_bad(&display, DISPLAY_CONTAINED);
}

static void a_frame_that_stays_away_is_bad(void **state)
{
	struct display display = run_with(
		FRAMES, "guest    debian: 65536 frames were mapped, 65535 came back\n", "");

	(void)state;
	assert_bad(&display, DISPLAY_FRAMES);
}

static void one_that_is_not_refused_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	strcpy(display.refused, "refused: something else\n");
	display_judge(&display);
	assert_bad(&display, DISPLAY_REFUSED);
}

static void a_card_that_went_past_the_unit_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display.shown[TURN_PAST][HEAD_VIRTIO] = one_wrong(1024, 768, 5);
	display_judge(&display);
	assert_bad(&display, DISPLAY_PAST);
}

/* Else a guest that does not draw at all would do. */
static void a_control_without_the_other_card_is_bad(void **state)
{
	struct display display = run_with(LINES, "", "");

	(void)state;
	display.shown[TURN_PAST][HEAD_BOCHS].differ = 2;
	display_judge(&display);
	assert_bad(&display, DISPLAY_PAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_it_should_be_is_good),
		cmocka_unit_test(a_run_that_says_nothing_is_bad),
		cmocka_unit_test(a_display_without_its_driver_is_bad),
		cmocka_unit_test(small_pages_are_bad),
		cmocka_unit_test(a_piece_elsewhere_is_bad),
		cmocka_unit_test(a_piece_of_memory_is_bad),
		cmocka_unit_test(a_piece_that_the_guest_claims_does_not_count),
		cmocka_unit_test(a_picture_with_another_pixel_is_bad),
		cmocka_unit_test(a_picture_of_another_size_is_bad),
		cmocka_unit_test(no_picture_is_bad),
		cmocka_unit_test(a_sum_that_the_guest_does_not_have_is_bad),
		cmocka_unit_test(a_wrong_pixel_that_is_not_found_is_bad),
		cmocka_unit_test(a_wrong_pixel_elsewhere_is_bad),
		cmocka_unit_test(a_translation_that_leads_elsewhere_is_bad),
		cmocka_unit_test(vtd_traces_are_read_too),
		cmocka_unit_test(no_translation_is_bad),
		cmocka_unit_test(no_interrupt_is_bad),
		cmocka_unit_test(an_interrupt_that_is_no_message_is_bad),
		cmocka_unit_test(a_fault_is_bad),
		cmocka_unit_test(a_frame_that_stays_away_is_bad),
		cmocka_unit_test(one_that_is_not_refused_is_bad),
		cmocka_unit_test(a_card_that_went_past_the_unit_is_bad),
		cmocka_unit_test(a_control_without_the_other_card_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
