/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/display_run.c - boots the guest of guests/display.conf, and tells what came of it.
 *
 *   out/boot-logs/<machine>-display-refused.log, .qemu   with a virtio-gpu that passes the unit by
 *                 and those of display_session.h
 */
#include "display.h"

#include "cable.h"
#include "display_session.h"
#include "steps.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const step_names[DISPLAY_STEPS] = {
	[DISPLAY_DRIVERS] = "Debian's drivers have both displays",
	[DISPLAY_LARGE] = "the frame buffer's BAR is mapped in pages of 2 MiB",
	[DISPLAY_BOCHS] = "bochs-display shows the card that was drawn, pixel by pixel",
	[DISPLAY_VIRTIO] = "virtio-gpu shows the card that was drawn, pixel by pixel",
	[DISPLAY_ONE_BIT] = "control, one bit of one pixel is wrong: it is found",
	[DISPLAY_UNIT] = "virtio-gpu reads through the unit",
	[DISPLAY_INTERRUPTS] = "virtio-gpu's MSI-X interrupts come",
	[DISPLAY_CONTAINED] = "no display reaches beyond the guest",
	[DISPLAY_FRAMES] = "every frame comes back, and the guest ends",
	[DISPLAY_REFUSED] = "control, a virtio-gpu that passes the unit by is not given",
	[DISPLAY_PAST] = "control, without that refusal: there is no card",
};
/* Of the first machine. */
static const char *const kept[HEADS] = { "display.png", "display-virtio.png" };

static void read_trace(void *display, const char *line)
{
	display_read_trace(display, line);
}

static void read_refusal(void *display, const char *line)
{
	display_read_refusal(display, line);
}

static void run_refused(const struct runner *runner, struct display *display)
{
	const char *const more[] = { "-device", SESSION_BOCHS, "-device", SESSION_VIRTIO "off",
				     NULL };
	const struct cable cable = { .machine = display->machine,
				     .log = "display-refused",
				     .more = more,
				     .files = "guests/display.conf",
				     .images = { "vmlinuz", "display.gz" },
				     .read_line = read_refusal,
				     .context = display };

	display->seconds += cable_boot(runner, &cable).seconds;
}

static void run_machine_of(const struct runner *runner, struct display *display)
{
	char path[PATH_SIZE];

	display->ended = display_session_run(runner, display, TURN_WRONG);
	display->seconds = display->ended.seconds;
	snprintf(path, sizeof(path), "%s/boot-logs/%s-display.qemu", runner->out,
		 display->machine->name);
	run_read_lines(path, read_trace, display);
	run_refused(runner, display);
	if (display->has_past)
		display->seconds += display_session_run(runner, display, TURN_PAST).seconds;
	display_judge(display);
}

/* ---- what is left ---- */

static bool copy(const char *from, const char *to)
{
	FILE *source = fopen(from, "r"), *target = source ? fopen(to, "w") : NULL;
	char block[4096];
	size_t got;
	bool good = target != NULL;

	while (good && (got = fread(block, 1, sizeof(block), source)) > 0)
		good = fwrite(block, 1, got, target) == got;
	if (target)
		good = fclose(target) == 0 && good;
	if (source)
		fclose(source);
	return good;
}

static bool keep_pictures(const struct runner *runner, const struct display *display)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	bool good = true;

	for (unsigned int head = 0; head < HEADS; head++) {
		display_session_picture(from, runner, display, TURN_RIGHT, head);
		snprintf(to, sizeof(to), "%s/%s", runner->out, kept[head]);
		good = copy(from, to) && good;
	}
	return good;
}

static json_t *list_pictures(const struct runner *runner, const struct display *display)
{
	json_t *list = json_array();
	char path[PATH_SIZE], sum[16];

	for (unsigned int head = 0; head < HEADS; head++) {
		const struct picture *shown = &display->shown[TURN_RIGHT][head];

		display_session_picture(path, runner, display, TURN_RIGHT, head);
		snprintf(sum, sizeof(sum), "%08" PRIx32, shown->sum);
		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:s, s:I}", "display",
						      display_drivers[head], "file", path, "width",
						      (json_int_t)shown->width, "height",
						      (json_int_t)shown->height, "crc32", sum,
						      "differ", (json_int_t)shown->differ));
	}
	return list;
}

bool display_run_all(const struct runner *runner, const struct machine *const *machines,
		     size_t count)
{
	struct display *display = calloc(1, sizeof(*display));
	json_t *list = json_array();
	bool good = display != NULL;
	char path[PATH_SIZE];

	printf("1..%zu\n", count * DISPLAY_PAST + (count ? DISPLAY_STEPS - DISPLAY_PAST : 0));
	fflush(stdout);
	for (size_t i = 0; display && i < count; i++) {
		struct steps steps = {
			"display", machines[i]->name, step_names, display->step, 0, 0
		};
		json_t *machine;

		display_begin(display, machines[i]);
		display->has_past = i == 0;
		run_machine_of(runner, display);
		steps.count = display_steps(display);
		steps.seconds = display->seconds;
		steps_print(&steps, stdout);
		machine = steps_json(&steps, runner->qemu.version);
		json_object_set_new(machine, "pictures", list_pictures(runner, display));
		json_array_append_new(list, machine);
		good = steps_are_good(&steps) && (i > 0 || keep_pictures(runner, display)) && good;
	}
	free(display);
	snprintf(path, sizeof(path), "%s/display.json", runner->out);
	if (steps_write(path, list))
		return good;
	fprintf(stderr, "boot: %s cannot be written\n", path);
	return false;
}
