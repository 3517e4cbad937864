/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/report_addresses.c - the map of machine addresses, as a picture.
 *
 *   address     memory  firmware  interrupts  BARs   whose
 *   0x0          |##|
 *   0xa0000      |  |
 *   0xfee00000                     |##|              every group
 *
 * Where any range begins or ends, a stripe of the picture begins; its height grows with the logarithm of its bytes.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "report.h"

enum {
	WIDTH = 1120,
	TOP = 34,
	STRIPE_LEAST = 17,
	STRIPE_MOST = 44,
	LANE_X = 168,
	LANE = 78,
	LANES = 4,
	TEXT_X = LANE_X + LANES * LANE + 16,
};

static const char *const lane_names[LANES] = { "memory", "firmware", "interrupts", "bar" };

struct map {
	uint64_t *edge; /* where stripes begin; upwards */
	int *y;		/* of each */
	size_t count;
	const json_t *ranges;
};

static uint64_t number(const json_t *range, const char *key)
{
	return strtoull(report_text(range, key), NULL, 16);
}

/* Past its last byte; all of 64 bits end at the last one. */
static uint64_t end_of(const json_t *range)
{
	uint64_t last = number(range, "last");

	return last + (last != UINT64_MAX);
}

static int compare(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return (one > other) - (one < other);
}

static bool is_used(const struct map *map, uint64_t first, uint64_t end)
{
	const json_t *one;
	size_t i;

	json_array_foreach(map->ranges, i, one)
	{
		if (number(one, "first") < end && end_of(one) > first)
			return true;
	}
	return false;
}

static int height_of(const struct map *map, size_t stripe)
{
	uint64_t pages = (map->edge[stripe + 1] - map->edge[stripe]) >> 12;
	int height = STRIPE_LEAST;

	for (; pages; pages >>= 1)
		height++;
	if (!is_used(map, map->edge[stripe], map->edge[stripe + 1]))
		return STRIPE_LEAST;
	return height < STRIPE_MOST ? height : STRIPE_MOST;
}

static void measure(struct map *map)
{
	size_t most = 2 * json_array_size(map->ranges), count = 0, i;
	const json_t *one;

	map->edge = memory_take(most, sizeof(uint64_t));
	json_array_foreach(map->ranges, i, one)
	{
		map->edge[count++] = number(one, "first");
		map->edge[count++] = end_of(one);
	}
	qsort(map->edge, count, sizeof(uint64_t), compare);
	for (i = 0; i < count; i++) {
		if (!map->count || map->edge[map->count - 1] != map->edge[i])
			map->edge[map->count++] = map->edge[i];
	}
	map->y = memory_take(map->count, sizeof(int));
	map->y[0] = TOP;
	for (i = 0; i + 1 < map->count; i++)
		map->y[i + 1] = map->y[i] + height_of(map, i);
}

static int y_of(const struct map *map, uint64_t address)
{
	for (size_t i = 0; i < map->count; i++) {
		if (map->edge[i] == address)
			return map->y[i];
	}
	return TOP;
}

static char *size_text(uint64_t bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	size_t unit = 0;

	while (bytes >= 1024 && bytes % 1024 == 0 && unit < 6) {
		bytes /= 1024;
		unit++;
	}
	if (bytes < 10240)
		return memory_print("%" PRIu64 " %s", bytes, names[unit]);
	return memory_print("%.1f %s", (double)bytes / 1024, names[unit < 6 ? unit + 1 : 6]);
}

/* Whose, and what it is; what every group has would fill the line. */
static char *label_of(const json_t *range)
{
	const json_t *of = json_object_get(range, "of");
	const char *what = report_text(range, "what");
	char *owners = report_join(of), *size = size_text(end_of(range) - number(range, "first")),
	     *text;

	if (json_array_size(of) > 4) {
		free(owners);
		owners = memory_print("%s and %zu others", json_string_value(json_array_get(of, 0)),
				      json_array_size(of) - 1);
	}
	text = memory_print("%s%s%s%s%s", size, *what ? "  " : "", what, *owners ? "  of " : "",
			    owners);
	free(owners);
	free(size);
	return text;
}

static int lane_of(const json_t *range)
{
	for (int i = 0; i < LANES; i++) {
		if (!strcmp(lane_names[i], report_text(range, "kind")))
			return i;
	}
	return 0;
}

static void draw_range(struct html *page, const struct map *map, const json_t *range, int text_y)
{
	int lane = lane_of(range), y = y_of(map, number(range, "first")),
	    bottom = y_of(map, end_of(range));
	char *label = label_of(range), *cut = report_cut(label, 84);

	html_begin(page, "g");
	html_begin(page, "title");
	html_print(page, "%s to %s: %s", report_text(range, "first"), report_text(range, "last"),
		   label);
	html_end(page);
	html_svg_rect(page, LANE_X + lane * LANE + 4, y + 1, LANE - 8, bottom - y - 2,
		      report_text(range, "kind"));
	html_svg_text(page, TEXT_X, text_y, "small", cut);
	html_svg_line(page, LANE_X + (lane + 1) * LANE - 4, text_y - 4, TEXT_X - 4, text_y - 4,
		      "grid");
	html_end(page);
	free(label);
	free(cut);
}

static void draw_frame(struct html *page, const struct map *map)
{
	for (int i = 0; i < LANES; i++)
		html_svg_text(page, LANE_X + i * LANE + LANE / 2, 20, "strong middle",
			      i == 3 ? "BARs" : lane_names[i]);
	for (size_t i = 0; i < map->count; i++) {
		char *text = memory_print("%#" PRIx64, map->edge[i]);

		html_svg_text(page, LANE_X - 10, map->y[i] + 4, "mono end", text);
		html_svg_line(page, LANE_X, map->y[i], LANE_X + LANES * LANE, map->y[i], "grid");
		free(text);
	}
}

/* Ranges that begin together have their words below each other. */
static int text_y_of(const struct map *map, const json_t *range, int before)
{
	int y = y_of(map, number(range, "first")) + 13;

	return y < before + 15 ? before + 15 : y;
}

static void draw(struct html *page, const struct map *map)
{
	int bottom = map->y[map->count - 1], text_y = 0;
	const json_t *range;
	size_t i;

	json_array_foreach(map->ranges, i, range)
	{
		text_y = text_y_of(map, range, text_y);
	}
	report_picture(page, WIDTH, (text_y > bottom ? text_y : bottom) + 14,
		       "machine addresses and who has them");
	draw_frame(page, map);
	text_y = 0;
	json_array_foreach(map->ranges, i, range)
	{
		text_y = text_y_of(map, range, text_y);
		draw_range(page, map, range, text_y);
	}
	report_picture_end(page);
}

void report_addresses(struct html *page, const json_t *document)
{
	const json_t *addresses = json_object_get(document, "addresses");
	struct map map = { .ranges = json_object_get(addresses, "ranges") };

	if (!json_is_true(json_object_get(addresses, "memory_seen")))
		html_text(page, "p", NULL,
			  "Where memory is could not be read (proc/iomem; it takes root).");
	if (!json_array_size(map.ranges)) {
		html_text(page, "p", NULL, "No range is known.");
		return;
	}
	measure(&map);
	draw(page, &map);
	free(map.edge);
	free(map.y);
}
