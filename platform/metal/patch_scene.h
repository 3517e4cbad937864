/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/patch_scene.h - what happens while code is written over, and the verdict. */
#pragma once

#include "platform/metal/patch_code.h"
#include "platform/metal/report.h"

struct patch_scene {
	struct patch_crew crew;
	struct patch_code code;
	uint32_t patches;     /* so many are wanted; a control goes on until it shows something */
	uint32_t check_every; /* after each so-manieth: what begins from then on must be the new code */
	bool is_large; /* it is a piece of a large page, which is split and merged each time */
	bool is_control;
};

/* The scenes: one patch after the other; one whose window stands for a while. */
typedef void patch_play(struct patch_scene *scene, struct finding *finding);
patch_play patch_play_many, patch_play_window;
