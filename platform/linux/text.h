/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/text.h - names that people chose, as text that can be printed as JSON: the kernel lets them be any bytes.
 */
#pragma once

#define TEXT_ESCAPE 4 /* characters of "\xff" */

/* The byte that "\x20" at the head of the text stands for; -1: there is none. */
int text_escape(const char *text);

/* The same, but each byte that is no part of valid UTF-8 as "\xff"; to be freed. */
char *text_plain(const char *text);
