/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/html.h - a page, element by element: what is begun is ended, and what is text stays text.
 *
 *   html_begin(page, "p");
 *   html_attribute(page, "class", "note");
 *   html_print(page, "%zu functions", count);
 *   html_end(page);
 *
 * The page is HTML and well-formed XML at once. All escaping is in html.c.
 */
#pragma once

#include <stdio.h>

struct html;

struct html *html_open(FILE *out);
/* Every element must have been ended. */
void html_close(struct html *page);

void html_begin(struct html *page, const char *element);
/* Only right after html_begin(). */
void html_attribute(struct html *page, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void html_print(struct html *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
void html_end(struct html *page);

/* An element with text and nothing else; `class` may be NULL. */
void html_text(struct html *page, const char *element, const char *class, const char *text);
void html_begin_class(struct html *page, const char *element, const char *class);

/* SVG: class may be NULL. */
void html_svg_text(struct html *page, int x, int y, const char *class, const char *text);
void html_svg_rect(struct html *page, int x, int y, int width, int height, const char *class);
void html_svg_line(struct html *page, int x1, int y1, int x2, int y2, const char *class);

/* Style sheets have no text of others: as it stands. */
void html_style(struct html *page, const char *style);
