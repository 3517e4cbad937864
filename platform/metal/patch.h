/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/patch.h - code is written over while two CPUs of a guest execute it (A2.10, A2.11).
 *
 *   patch <n> <good|bad|unobservable> "<evidence>"            sallyport.elf
 *   patch-control <n> <good|bad|unobservable> "<evidence>"    sallyport-mutants.elf: bad is what is wanted
 *   end patch
 */
#pragma once

#include "platform/metal/stage.h"

/* The rows; where the library has its mutants, their controls. False: one is not as it should be. */
bool patch_run(struct stage *stage);
