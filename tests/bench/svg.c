/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/svg.c - out/bench.svg: ratios as bars, drawn from the joined report.
 *
 *   map one 4K, tables there            <- a block for each work
 *   EPT     |=====:=========| 3.4          a bar for each format; the engine left, the whole path right
 *   NPT     |=====:=======| 2.9            : the aim
 *           1     aim   10     100         logarithmic: every decade is as wide
 */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "tests/bench/report.h"

#define WIDTH  1120.0
#define MARGIN 24.0
#define LABEL  124.0
#define PLOT   340.0
#define COLUMN 548.0 /* from one column to the next */
#define BAR    13.0
#define TITLE  20.0
#define GAP    12.0
#define BLOCKS 64u
#define LEAST  0.5
#define GREEN  "#2e8b57"
#define RED    "#c8553d"
#define GREY   "#8a8f98"

struct canvas {
	FILE *file;
	double y;
	double least, most; /* ends of the scale */
};

/* One bar, whatever it is drawn from. */
struct bar {
	char label[48], text[48];
	double value, aim; /* aim 0: none */
	const char *colour;
};

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

static double number_of(const json_t *row, const char *key)
{
	return json_number_value(json_object_get(row, key));
}

/* Names of works have no other characters that XML minds. */
static void put_text(const struct canvas *canvas, double x, double y, const char *style,
		     const char *text)
{
	fprintf(canvas->file, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", canvas->file);
		else if (*text == '&')
			fputs("&amp;", canvas->file);
		else
			fputc(*text, canvas->file);
	}
	fputs("</text>\n", canvas->file);
}

static double place(const struct canvas *canvas, double value)
{
	double at = log10(value > canvas->least ? value : canvas->least) - log10(canvas->least);

	return PLOT * at / (log10(canvas->most) - log10(canvas->least));
}

static void put_line(const struct canvas *canvas, double x, double from, double to,
		     const char *style)
{
	fprintf(canvas->file, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x,
		from, x, to, style);
}

static void put_grid(const struct canvas *canvas, double left, double top, double bottom)
{
	for (double at = canvas->least < 0.2 ? 0.1 : 1; at <= canvas->most; at *= 10) {
		char text[16];

		snprintf(text, sizeof(text), "%.*f", at < 1 ? 1 : 0, at);
		put_line(canvas, left + place(canvas, at), top, bottom, "stroke=\"#e3e5e8\"");
		put_text(canvas, left + place(canvas, at), bottom + 9,
			 "font-size=\"8\" fill=\"#8a8f98\" text-anchor=\"middle\"", text);
	}
}

static void put_bar(const struct canvas *canvas, double left, double top, const struct bar *bar)
{
	double end = place(canvas, bar->value), aim = left + place(canvas, bar->aim);

	put_text(canvas, left - 6, top + BAR - 4, "text-anchor=\"end\"", bar->label);
	fprintf(canvas->file,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", left,
		top + 2, end > 1 ? end : 1, BAR - 4, bar->colour);
	if (bar->aim > 0)
		put_line(canvas, aim, top, top + BAR, "stroke=\"#1d2a8c\" stroke-width=\"2\"");
	put_text(canvas, left + (end > aim - left + 2 ? end : aim - left + 2) + 5, top + BAR - 4,
		 "fill=\"#40454d\"", bar->text);
}

static double put_block(const struct canvas *canvas, uint32_t column, const char *title,
			const struct bar *bars, uint32_t count)
{
	double x = MARGIN + COLUMN * column, left = x + LABEL, top = canvas->y + TITLE;
	double height = BAR * count;

	if (!count)
		return 0;
	put_text(canvas, left, top - 6, "font-weight=\"bold\"", title);
	put_grid(canvas, left, top, top + height);
	for (uint32_t i = 0; i < count; i++)
		put_bar(canvas, left, top + BAR * i, &bars[i]);
	put_line(canvas, left + place(canvas, 1), top, top + height, "stroke=\"#1c1f24\"");
	return TITLE + height + GAP;
}

/* ---- the rooflines ---- */

/* "<= 1.5 A" or "<= 0.02 ns", as a ratio. */
static double aim_of(const json_t *row)
{
	double roof = number_of(row, "roofline_ns"), aim = 0;
	char unit[8] = "";

	if (sscanf(text_of(row, "aim"), "<= %lf %7s", &aim, unit) != 2)
		return 0;
	if (strcmp(unit, "ns") != 0)
		return aim;
	return roof > 0 ? aim / roof : 0;
}

static const char *colour_of(const json_t *row)
{
	const char *verdict = text_of(row, "verdict");

	if (strcmp(verdict, "reached") == 0)
		return GREEN;
	return strcmp(verdict, "missed") == 0 ? RED : GREY;
}

static bool is_of(const json_t *row, const char *work, const char *path)
{
	return strcmp(text_of(row, "scenario"), work) == 0 &&
	       strcmp(text_of(row, "path"), path) == 0;
}

static uint32_t roofline_bars(const json_t *list, const char *work, const char *path,
			      struct bar *bars)
{
	uint32_t count = 0;

	for (size_t i = 0; i < json_array_size(list) && count < BLOCKS; i++) {
		const json_t *row = json_array_get(list, i);
		struct bar *bar = &bars[count];

		if (!is_of(row, work, path))
			continue;
		*bar = (struct bar){ .value = number_of(row, "ratio"),
				     .aim = aim_of(row),
				     .colour = colour_of(row) };
		snprintf(bar->label, sizeof(bar->label), "%s", text_of(row, "format"));
		snprintf(bar->text, sizeof(bar->text), "%.*f", bar->value < 10 ? 2 : 0, bar->value);
		/* Less than the clock can see. */
		if (!json_is_number(json_object_get(row, "ratio")))
			snprintf(bar->text, sizeof(bar->text), "the roofline is too short to time");
		count++;
	}
	return count;
}

static void put_rooflines(struct canvas *canvas, const json_t *list)
{
	struct bar bars[BLOCKS];

	for (uint32_t i = 0; i < SCENARIO_COUNT; i++) {
		const char *work = scenarios[i].name;
		double left =
			put_block(canvas, 0, work, bars, roofline_bars(list, work, "engine", bars));
		double right =
			put_block(canvas, 1, work, bars, roofline_bars(list, work, "p2m", bars));

		canvas->y += left > right ? left : right;
	}
}

/* ---- the model ---- */

/* Ours and the synchronous policy's, in round trips. */
static uint32_t model_bars(const json_t *list, const char *work, const char *format,
			   struct bar *bars)
{
	uint32_t count = 0;

	for (size_t i = 0; i < json_array_size(list) && count + 2 <= BLOCKS; i++) {
		const json_t *row = json_array_get(list, i), *cost = json_object_get(row, "cost");
		double trip = number_of(cost, "round_trip_ns");

		if (!is_of(row, work, "model") || strcmp(text_of(row, "format"), format) != 0)
			continue;
		for (int sync = 0; sync < 2; sync++) {
			struct bar *bar = &bars[count++];

			*bar = (struct bar){
				.value = number_of(row, sync ? "roofline_ns" : "ns") / trip,
				.aim = sync || strcmp(text_of(row, "aim"), "-") == 0 ? 0 : 2,
				.colour = sync ? "#c9ccd2" : colour_of(row)
			};
			snprintf(bar->label, sizeof(bar->label), "%.0f unit%s%s",
				 number_of(cost, "units"), number_of(cost, "units") > 1 ? "s" : "",
				 sync ? ", sync" : "");
			snprintf(bar->text, sizeof(bar->text), "%.1f", bar->value);
		}
	}
	return count;
}

static void put_model(struct canvas *canvas, const json_t *list)
{
	static const char *const works[] = { "unmap 1 page", "unmap 512 pages", "unmap 32768 pages",
					     "split, a piece read-only" };
	struct bar bars[BLOCKS];

	for (uint32_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		uint32_t count = model_bars(list, works[i], "NPT shared with AMD-Vi", bars);
		double height = put_block(canvas, i % 2, works[i], bars, count);

		canvas->y += i % 2 ? height : 0;
	}
}

/* ---- threads ---- */

static void put_threads(struct canvas *canvas, const json_t *list)
{
	struct bar bars[2][BLOCKS];
	uint32_t count[2] = { 0, 0 };

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		uint32_t column = strcmp(text_of(row, "unit"), "change") ? 1 : 0;
		struct bar *bar = &bars[column][count[column]];
		const char *name;

		if (strcmp(text_of(row, "path"), "threads") != 0 || count[column] == BLOCKS)
			continue;
		*bar = (struct bar){ .value = number_of(row, "throughput_ratio"), .colour = GREY };
		name = strchr(text_of(row, "scenario"), ' ');
		snprintf(bar->label, sizeof(bar->label), "%s", name ? name + 1 : "");
		snprintf(bar->text, sizeof(bar->text), "%.2f", bar->value);
		count[column]++;
	}
	(void)put_block(canvas, 0, "changes", bars[0], count[0]);
	canvas->y += put_block(canvas, 1, "look-ups", bars[1], count[1]);
}

/* ---- the sheet ---- */

/* Whole decades, but that a scale may begin at a half. */
static void set_scale(struct canvas *canvas, const json_t *list, bool is_model)
{
	canvas->least = 0.5;
	canvas->most = 10;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i), *cost = json_object_get(row, "cost");
		double value = number_of(row, "ratio");

		if ((cost != NULL) != is_model || strcmp(text_of(row, "path"), "threads") == 0)
			continue;
		if (cost)
			value = number_of(row, "roofline_ns") / number_of(cost, "round_trip_ns");
		while (canvas->most < value)
			canvas->most *= 10;
		if (!is_model && value > 0 && value < 0.5)
			canvas->least = 0.1;
	}
}

static void put_heading(struct canvas *canvas, const char *heading, const char *text)
{
	put_text(canvas, MARGIN, canvas->y + 18, "font-size=\"16\" font-weight=\"bold\"", heading);
	put_text(canvas, MARGIN, canvas->y + 34, "fill=\"#40454d\"", text);
	canvas->y += 44;
}

static void put_sheet(struct canvas *canvas, const json_t *list)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "Time by that of the roofline, which is 1 (%s). Blue: the aim. Green reached, red "
		 "missed, grey without aim. Left the engine, right the whole path.",
		 cpu_name());
	put_heading(canvas, "Beside hand-written rooflines", text);
	set_scale(canvas, list, false);
	put_rooflines(canvas, list);
	put_heading(
		canvas, "Until all is released, on the model",
		"In round trips to the slowest observer; light grey: a policy that waits for each "
		"page and for each observer in turn.");
	set_scale(canvas, list, true);
	put_model(canvas, list);
	put_heading(canvas, "Threads",
		    "Throughput of all threads together, by that of one thread alone.");
	canvas->least = 0.1;
	canvas->most = 10;
	put_threads(canvas, list);
}

/* Twice: the height is known when all is drawn. */
void report_svg(const json_t *list, const char *path)
{
	struct canvas measure = { .file = fopen("/dev/null", "w"), .y = MARGIN }, canvas;

	if (!measure.file)
		bench_fail("/dev/null cannot be opened");
	put_sheet(&measure, list);
	fclose(measure.file);
	canvas = (struct canvas){ .file = fopen(path, "w"), .y = MARGIN };
	if (!canvas.file)
		bench_fail("%s cannot be written", path);
	fprintf(canvas.file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		"font-family=\"sans-serif\" font-size=\"10\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		WIDTH, measure.y + MARGIN);
	put_sheet(&canvas, list);
	fputs("</svg>\n", canvas.file);
	fclose(canvas.file);
}
