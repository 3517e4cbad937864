/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/text.h - names that people chose, as text that can be printed as JSON: the kernel lets them be any bytes.
 */
#pragma once

/* The same, but each byte that is no part of valid UTF-8 as "\xff"; to be freed. */
char *text_plain(const char *text);
