/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench_patch.c - see bench_patch.h.
 *
 *   CPU 1    executes, executes ... out | again: a fault, as long as the window stands | executes
 *   device   writes ...                 | refused                                     | writes
 */
#include "bench_patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LARGE 512u
#define CALLS 12u /* so many at most: two pages, each split, closed and opened */

struct scene {
	uint8_t old[SP_PATCH_BYTES], new[SP_PATCH_BYTES];
	uint64_t mfn[2];
};

static uint8_t *byte_at(struct bench *bench, const struct scene *scene, uint32_t offset)
{
	uint8_t *page = model_frame_bytes(bench->model, scene->mfn[offset / SP_FRAME_BYTES]);

	return page + offset % SP_FRAME_BYTES;
}

static void set_up(struct bench *bench, const struct patch_case *wanted, struct scene *scene)
{
	uint64_t run = model_guest_frames(bench->model, 10);

	assert_int_not_equal(run, 0);
	if (wanted->alone)
		assert_int_equal(sp_device_release(bench->guest, (sp_sbdf_t){ BENCH_DEVICE }),
				 SP_OK);
	scene->mfn[0] = wanted->large ? run : run + 7;
	scene->mfn[1] = wanted->large ? run + 1 : run + 3;
	if (wanted->large)
		bench_map(bench, bench->guest, BENCH_GFN, run, LARGE, SP_RAM);
	for (uint64_t i = 0; i < 2 && !wanted->large; i++)
		bench_map(bench, bench->guest, BENCH_GFN + i, scene->mfn[i], 1, SP_RAM);
	for (uint32_t i = 0; i < SP_PATCH_BYTES; i++) {
		scene->old[i] = (uint8_t)(0x90 + i);
		scene->new[i] = (uint8_t)(0x10 + i);
	}
	for (uint32_t i = 0; i < wanted->count; i++)
		*byte_at(bench, scene, wanted->offset + i) = scene->old[i];
	bench_settle(bench);
}

/* The CPU goes on: in its guest, whoever had it out. */
static bool executes(struct bench *bench, uint64_t gfn)
{
	if (!model_cpu_in_guest(bench->model, 1))
		bench_enter(bench, bench->guest);
	return model_cpu_access(bench->model, 1, gfn, MODEL_EXECUTE).ok;
}

static bool is_held(struct bench *bench, uint64_t gfn)
{
	struct sp_mapping mapping;

	return sp_p2m_find(bench->guest, (sp_gfn_t){ gfn }, &mapping) == SP_OK &&
	       mapping.type == SP_RAM_HELD;
}

/* What was asked is paid: the window stands for whom it is closed to, page by page. */
static void look_in(struct bench *bench, const struct patch_case *wanted)
{
	for (uint64_t gfn = BENCH_GFN; gfn < BENCH_GFN + 2; gfn++) {
		bool held = is_held(bench, gfn);

		if (executes(bench, gfn) && held)
			bench_complain(bench, "oracle A: a fetch in the window goes through");
		if (!wanted->alone && held && !bench_dma(bench, BENCH_DEVICE, gfn, true).fault)
			bench_complain(bench, "oracle A: a device writes in the window");
	}
	model_look(bench->model);
}

static void check_bytes(struct bench *bench, const struct patch_case *wanted,
			const struct scene *scene)
{
	for (uint32_t i = 0; i < wanted->count; i++)
		if (*byte_at(bench, scene, wanted->offset + i) != scene->new[i])
			bench_complain(bench, "oracle C: byte %u was not written", i);
	if (*byte_at(bench, scene, wanted->offset - 1) ||
	    *byte_at(bench, scene, wanted->offset + wanted->count))
		bench_complain(bench, "oracle C: a byte beside was written");
}

static enum sp_status patch(struct bench *bench, const struct patch_case *wanted,
			    const struct scene *scene)
{
	struct sp_patch patch = { .address = (BENCH_GFN << 12) + wanted->offset,
				  .count = wanted->count };
	enum sp_status status;

	memcpy(patch.bytes, scene->new, sizeof(patch.bytes));
	for (uint32_t i = 0; (status = sp_p2m_patch(bench->guest, &patch)) == SP_BUSY && i < CALLS;
	     i++) {
		if (sp_wait(bench->host, patch.ticket) != SP_OK)
			bench_complain(bench, "the unit was lost");
		look_in(bench, wanted);
	}
	return status;
}

const char *patch_run(struct bench *bench, const struct patch_case *wanted)
{
	struct scene scene;
	enum sp_status status;

	set_up(bench, wanted, &scene);
	for (uint64_t gfn = BENCH_GFN; gfn < BENCH_GFN + 2; gfn++)
		if (!executes(bench, gfn))
			bench_complain(bench, "oracle A: the code is not executed");
	model_watch(bench->model, BENCH_GFN);
	model_watch_code(bench->model, 1, (BENCH_GFN << 12) + wanted->offset, scene.old, scene.new,
			 wanted->count);
	model_look(bench->model);
	status = patch(bench, wanted, &scene);
	if (status != SP_OK)
		bench_complain(bench, "oracle B: the patch ends with \"%s\"",
			       sp_status_text(status));
	bench_settle(bench);
	check_bytes(bench, wanted, &scene);
	for (uint64_t gfn = BENCH_GFN; gfn < BENCH_GFN + 2; gfn++)
		if (!executes(bench, gfn))
			bench_complain(bench, "oracle A: the new code is not executed");
	model_look(bench->model);
	/* From here on the device writes where it likes, over code too. */
	model_watch_code(bench->model, 1, 0, scene.old, scene.new, 0);
	for (uint64_t gfn = BENCH_GFN; gfn < BENCH_GFN + 2 && !wanted->alone; gfn++)
		if (bench_dma(bench, BENCH_DEVICE, gfn, true).fault)
			bench_complain(bench, "oracle A: a device does not write any more");
	return bench_complaint(bench);
}
