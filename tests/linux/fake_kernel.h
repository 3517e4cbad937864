/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/fake_kernel.h - a tree of files like sysfs, and a small kernel that keeps it.
 *
 *   0000:00:01.0 bridge, group 1: 01:00.0 (nouveau), 01:00.1 (snd_hda_intel), 01:00.2 (none)
 *   0000:02:00.0 nvme: "/" is on nvme0n1          0000:03:00.0 e1000e           0000:04:00.0 igb: eth0, the default route
 */
#pragma once

#include "platform/linux/actor.h"

#define FAKE_DIED 9

extern char fake_tree[64];

struct fake_kernel {
	struct actor actor; /* first */
	struct actor *files;
	unsigned int writes;
	unsigned int fail_at, die_at; /* the n-th write; 0: none */
	bool after;		      /* it has taken effect then */
};

void fake_tree_make(void);
void fake_tree_drop(void);

/* Below the tree; to be freed. */
char *fake_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* With the directories above it. What is given is freed. */
void fake_put(char *path, const char *text);
void fake_put_link(char *path, char *target);

struct fake_kernel fake_kernel_start(void);
void fake_kernel_stop(struct fake_kernel *kernel);
int fake_kernel_write(struct actor *actor, const char *path, const char *text);

/* "0000:01:00.0 nouveau -;..", driver and override of each: to be freed. */
char *fake_state(void);
/* A test fails where these words are not in it. */
void fake_has(const char *words);
