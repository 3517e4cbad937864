/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/nested_selftest.h - guest mode, tried with a nested table made by hand. */
#pragma once

#include <stdbool.h>

#include <sallyport/address.h>

/* Runs a guest on CPU 1, with the edu device if there is one. False, with the reason logged: it failed. */
bool nested_selftest_run(sp_sbdf_t edu, bool has_edu);
