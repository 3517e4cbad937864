/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lint/annotate/annotate.h - the twin of lib/plain/annotate.h that lets clang check the locks.
 */
#pragma once

#define CAPABILITY(name)   __attribute__((capability(name)))
#define GUARDED_BY(lock)   __attribute__((guarded_by(lock)))
#define MUST_HOLD(...)	   __attribute__((requires_capability(__VA_ARGS__)))
#define MUST_NOT_HOLD(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define TAKES(...)	   __attribute__((acquire_capability(__VA_ARGS__)))
#define DROPS(...)	   __attribute__((release_capability(__VA_ARGS__)))
#define UNCHECKED	   __attribute__((no_thread_safety_analysis))
