/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/html.c - a page, element by element. The only place that writes '<', and that keeps others from it.
 */
#include "html.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define DEPTH_MOST 32

struct html {
	FILE *out;
	const char *element[DEPTH_MOST];
	size_t depth;
	bool in_tag; /* the tag that was begun last is not closed: attributes may come */
};

struct html *html_open(FILE *out)
{
	struct html *page = memory_take(1, sizeof(*page));

	page->out = out;
	fputs("<!DOCTYPE html>\n", out);
	return page;
}

void html_close(struct html *page)
{
	if (page->depth)
		abort();
	fputc('\n', page->out);
	free(page);
}

/* What a device calls itself may have any bytes: those that XML refuses are shown as such. */
static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

static void put_format(FILE *out, const char *format, va_list arguments)
{
	char *text = NULL;

	if (vasprintf(&text, format, arguments) < 0)
		abort();
	put_escaped(out, text);
	free(text);
}

static void end_tag(struct html *page)
{
	if (page->in_tag)
		fputc('>', page->out);
	page->in_tag = false;
}

void html_begin(struct html *page, const char *element)
{
	end_tag(page);
	if (page->depth == DEPTH_MOST)
		abort();
	page->element[page->depth++] = element;
	fprintf(page->out, "<%s", element);
	page->in_tag = true;
}

void html_attribute(struct html *page, const char *name, const char *format, ...)
{
	va_list arguments;

	if (!page->in_tag)
		abort();
	fprintf(page->out, " %s=\"", name);
	va_start(arguments, format);
	put_format(page->out, format, arguments);
	va_end(arguments);
	fputc('"', page->out);
}

void html_print(struct html *page, const char *format, ...)
{
	va_list arguments;

	end_tag(page);
	va_start(arguments, format);
	put_format(page->out, format, arguments);
	va_end(arguments);
}

/* A line for each block, so that the page can be compared. */
static bool is_block(const char *element)
{
	static const char blocks[] =
		" p div section header h1 h2 h3 ul li table thead tbody tr svg g text rect path style ";
	char word[16];

	snprintf(word, sizeof(word), " %s ", element);
	return strstr(blocks, word);
}

void html_end(struct html *page)
{
	const char *element = page->element[--page->depth];

	if (page->in_tag && (!strcmp(element, "meta") || !strcmp(element, "br"))) {
		fputs("/>\n", page->out);
		page->in_tag = false;
		return;
	}
	end_tag(page);
	fprintf(page->out, "</%s>%s", element, is_block(element) ? "\n" : "");
}

void html_begin_class(struct html *page, const char *element, const char *class)
{
	html_begin(page, element);
	if (class)
		html_attribute(page, "class", "%s", class);
}

void html_text(struct html *page, const char *element, const char *class, const char *text)
{
	html_begin_class(page, element, class);
	html_print(page, "%s", text);
	html_end(page);
}

void html_svg_text(struct html *page, int x, int y, const char *class, const char *text)
{
	html_begin_class(page, "text", class);
	html_attribute(page, "x", "%d", x);
	html_attribute(page, "y", "%d", y);
	html_print(page, "%s", text);
	html_end(page);
}

void html_svg_rect(struct html *page, int x, int y, int width, int height, const char *class)
{
	html_begin_class(page, "rect", class);
	html_attribute(page, "x", "%d", x);
	html_attribute(page, "y", "%d", y);
	html_attribute(page, "width", "%d", width);
	html_attribute(page, "height", "%d", height);
	html_end(page);
}

void html_svg_line(struct html *page, int x1, int y1, int x2, int y2, const char *class)
{
	html_begin_class(page, "path", class);
	html_attribute(page, "d", "M%d %dL%d %d", x1, y1, x2, y2);
	html_end(page);
}

void html_style(struct html *page, const char *style)
{
	html_begin(page, "style");
	end_tag(page);
	fputs(style, page->out);
	html_end(page);
}
