/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/left_out.c - the guard of `audit` that SALLYPORT_LEFT_OUT names is left out, so that tests/linux/controls
 * sees which golden output misses it. In the sanitized build alone.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/linux/finding.h"

bool left_out(const char *guard)
{
	const char *chosen = getenv("SALLYPORT_LEFT_OUT");

	return chosen && !strcmp(chosen, guard);
}
