/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/faults.h - a log's faults as JSON, the form that faults and report share.
 *
 * Keys: sbdf, alias, shared, vendor, count, kind, access, code, reason, flags, domain, pasid, address (text), first_address,
 * last_address, first, last (as written), at (seconds after the first row), seconds, rate (a second), driver, group,
 * children, means, next. Null: none or not known.
 */
#pragma once

#include <jansson.h>

#include "fault_text.h"

/* An array; `machine` may be NULL. */
json_t *faults_describe(const struct machine *machine, const struct fault_rows *rows);
