/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/pass_fixture.h - a machine with devices of many kinds, and two guests.
 *
 *   00:02.0  FLR, BARs, a reserved range     00:03.0  the same range, no reset
 *   00:04.0  phantom functions               00:05.0  no unit covers it
 *   00:1c.0  PCIe-to-PCI bridge to bus 5     05:01.0, 05:02.0 share (5, 0, 0)
 *   00:08.0  has two virtual functions, 00:08.2 and .3, off; behind the second unit too
 *   00:06.0  a range that it may only read   00:07.0  behind the second unit, where there is one
 */
#pragma once

#include <sallyport/passthrough.h>

#include "model.h"

#define PLAIN	   0x0010u
#define TWIN	   0x0018u
#define PHANTOM	   0x0020u
#define UNCOVERED  0x0028u
#define READER	   0x0030u
#define OTHER_UNIT 0x0038u
#define PHYSICAL   0x0040u
#define VIRTUAL	   0x0042u
#define VIRTUAL2   0x0043u
#define BRIDGE	   0x00e0u
#define SHARES	   0x0508u
#define SHARES_TOO 0x0510u

#define RANGE	   0x7f000u /* of PLAIN and TWIN, two frames */
#define READ_RANGE 0x7f010u /* of READER, one frame */
#define GFN	   0x40000u

struct pass_mode {
	const char *name;
	enum model_vendor vendor;
	enum sp_cpu_format cpu;
	enum sp_tables tables;
	bool two_units;
	bool not_coherent;
	bool left_on;	       /* firmware left translation on */
	bool no_remapping;     /* VT-d: of interrupts */
	bool allow_unremapped; /* and the second guest takes such devices */
	bool scalable;	       /* VT-d in scalable mode */
	uint8_t walk_levels;
	enum model_answers answers;
};

struct pass {
	const struct pass_mode *mode;
	struct model *model;
	struct sp_host *host;
	void *arena;
	struct sp_domain *guest[2];
	uint32_t lost; /* calls of platform_lost() */
};

/* Discovered and scanned; then with the units started, and two empty guests. */
struct pass *pass_make_cold(const struct pass_mode *mode);
struct pass *pass_make(const struct pass_mode *mode);
void pass_start(struct pass *pass);
/* Devices released, guests destroyed; the model's verdict is asserted. */
void pass_free(struct pass *pass);
/* Without the goodbyes, after a unit was lost. */
void pass_abandon(struct pass *pass);

void pass_map(struct pass *pass, uint32_t guest, uint64_t gfn, uint64_t mfn, uint64_t count,
	      enum sp_type type);
/* One new frame of memory there; answers its mfn. */
uint64_t pass_map_new(struct pass *pass, uint32_t guest, uint64_t gfn);
void pass_unmap(struct pass *pass, uint32_t guest, uint64_t gfn, uint64_t count);
void pass_settle(struct pass *pass);

/* Refused or not, and with bus mastering on. */
enum sp_status pass_try(struct pass *pass, uint32_t guest, uint32_t sbdf);
void pass_assign(struct pass *pass, uint32_t guest, uint32_t sbdf);
void pass_release(struct pass *pass, uint32_t guest, uint32_t sbdf);

/* A transfer of one byte, bus mastering as it is: where it went, or 0. */
uint64_t pass_reach(struct pass *pass, uint32_t sbdf, uint64_t dfn, bool write);
struct sp_domain *pass_owner(struct pass *pass, uint32_t sbdf);

/* Tables of the guest: one, and one more for each kind of unit that needs its own. */
uint32_t pass_maps(const struct sp_domain *guest);
/*
 * Registers are for CPUs alone: a table that devices walk too holds them only if it tells the two
 * apart.
 */
bool pass_can_hold_registers(const struct pass *pass);
/* The assignment is refused with this status, and nothing has changed. */
void pass_refused(struct pass *pass, uint32_t guest, uint32_t sbdf, enum sp_status status);

/* A test for each sentence and each mode; `once`: the sentence brings its own machine. */
struct pass_sentence {
	const char *name;
	void (*run)(void **state);
	bool once;
};
int pass_run(const struct pass_sentence *sentences, size_t count);
