/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/use_back.h - the readers behind uses_read(). For use*.c and redact*.c alone.
 */
#pragma once

#include "use.h"

/* One use for the same kind, function and child; purposes gather in it. The texts are copied. */
void use_add(struct uses *uses, enum use_kind kind, int function, const char *child,
	     const char *purpose, const char *source, const char *way);
/* Something that is in use could not be followed down to a function. Takes the sentence. */
void use_lose(struct uses *uses, enum use_side side, char *sentence);

void use_disks(const struct machine *machine, struct uses *uses);
void use_routes(const struct machine *machine, struct uses *uses);
void use_console(const struct machine *machine, struct uses *uses);

/* Of proc/self/mountinfo, which snapshot --redact reads too: a mount point that keeps its name, and "\\040" for a space. */
bool use_is_vital(const char *mount);
void use_unescape(char *text);
