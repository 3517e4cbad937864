/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/fault_text.h - what a fault means, and what to do about it.
 */
#pragma once

#include "fault_count.h"
#include "machine.h"

/* Whose request it was. */
struct fault_source {
	int function;  /* MACHINE_NONE: not among the machine's */
	bool is_alias; /* it does not send under its own id but under this one, a bridge's */
	int *sharer;   /* others that send under it too */
	size_t sharer_count;
};

/* `machine` may be NULL: the log is another one's. sharer is to be freed. */
struct fault_source fault_source_find(const struct machine *machine,
				      const struct fault_line *fault);

/* "read, not mapped"; to be freed. */
char *fault_kind_text(const struct fault_line *fault);

/* The manual's reason or event in a few words; NULL: not known. */
const char *fault_code_text(const struct fault_line *fault);

/* A sentence or two for who runs the host, and the likely next step. */
struct fault_advice {
	char *means, *next; /* to be freed */
};
struct fault_advice fault_advice_of(const struct machine *machine,
				    const struct fault_source *source, const struct fault_row *row);
