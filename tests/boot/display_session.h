/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/display_session.h - a boot of guests/display.conf with somebody at the serial line and at QEMU's
 * monitor.
 *
 *   out/boot-logs/<machine>-display.log, .qemu        with both displays
 *                 <machine>-display-<head>.png        what QEMU shows; -wrong, -past: of the controls
 *                 <machine>-display-past.log, .qemu   with a virtio-gpu that passes the unit by, where nobody
 *                                                     refuses it (SP_MUT_PLATFORM_UNCHECKED)
 */
#pragma once

#include "display.h"

#define SESSION_BOCHS "bochs-display,id=bochs,xres=1024,yres=768"
#define SESSION_VIRTIO \
	"virtio-gpu-pci,id=virtio,disable-legacy=on,xres=800,yres=600,iommu_platform="

/* TURN_WRONG (and TURN_RIGHT with it), or TURN_PAST: says what was said and shown, and judges nothing. */
struct boot_result display_session_run(const struct runner *runner, struct display *display,
				       enum display_turn turn);

/* Of a path of PATH_SIZE. */
void display_session_picture(char *path, const struct runner *runner, const struct display *display,
			     enum display_turn turn, enum display_head head);
