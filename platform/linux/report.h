/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/report.h - the parts of `sallyport report`'s page. For report*.c alone.
 *
 *   list --json, audit --json, faults --json, ranges.h, a file of verify --json --> one document --> the page
 *
 * What the page says comes from the document, which `report --json` prints: so the two cannot differ.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "html.h"

/* "" where there is no such text. */
const char *report_text(const json_t *object, const char *key);
/* A list of texts with a comma between; to be freed. */
char *report_join(const json_t *list);
/* Of audit's devices; NULL. */
const json_t *report_device(const json_t *document, const char *sbdf);
/* "safe" -> "safe", "could not tell" -> "unknown": a class of the style sheet. */
const char *report_class(const char *verdict);
/* So many letters of a text at most, then three points; to be freed. */
char *report_cut(const char *text, size_t most);
/* A verdict or a weight, as a label. */
void report_chip(struct html *page, const char *verdict);
/* The beginning of a picture that says in words what it shows. */
void report_picture(struct html *page, int width, int height, const char *what);
void report_picture_end(struct html *page);

/* The whole body. */
void report_page(struct html *page, const json_t *document);

void report_topology(struct html *page, const json_t *document);
void report_groups(struct html *page, const json_t *document);
void report_findings(struct html *page, const json_t *document);
void report_addresses(struct html *page, const json_t *document);
void report_matrix(struct html *page, const json_t *document);
void report_faults(struct html *page, const json_t *document);

extern const char report_style[];
