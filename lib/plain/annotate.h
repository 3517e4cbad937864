/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/plain/annotate.h - who holds which lock, for readers. The twin under tests/lint/ lets clang
 * check it.
 */
#pragma once

#define CAPABILITY(name)
#define GUARDED_BY(lock)
#define MUST_HOLD(...)
#define MUST_NOT_HOLD(...)
#define TAKES(...)
#define DROPS(...)
#define UNCHECKED
