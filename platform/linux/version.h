/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/version.h - the Makefile says it; this is for who compiles a file alone.
 */
#pragma once

#ifndef SALLYPORT_VERSION
#define SALLYPORT_VERSION "unversioned"
#endif
