/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/bench_move.c - devices that move between guests, names that are used again.
 */
#include "bench.h"

#include "sync/domain.h"

/* A guest's page behind BENCH_GFN, warm in the device's caches. */
static uint64_t warm_page(struct bench *bench, struct sp_domain *guest)
{
	uint64_t mfn = model_guest_frame(bench->model);

	bench_map(bench, guest, BENCH_GFN, mfn, 1, SP_RAM);
	if (guest == bench->guest)
		bench_warm(bench, 1);
	return mfn;
}

const char *bench_run_release(struct bench *bench)
{
	const sp_sbdf_t device = { BENCH_DEVICE };
	const struct model_changed left = { .change = MODEL_CHANGE_ENTRY,
					    .domain = bench->guest->watches[1].name,
					    .requester = BENCH_DEVICE,
					    .atc_count = bench->config.ats,
					    .atc = { BENCH_DEVICE } };
	const char *difference;

	(void)warm_page(bench, bench->guest);
	model_commands_reset(bench->model);
	if (sp_device_release(bench->guest, device) != SP_OK ||
	    sp_device_set_master(bench->host, device, true) != SP_OK)
		bench_complain(bench, "the release failed");
	difference = model_compare(bench->model, &left);
	if (difference)
		bench_complain(bench, "oracle E: release: %s", difference);
	if (!bench_dma(bench, BENCH_DEVICE, BENCH_GFN, true).fault)
		bench_complain(bench, "oracle A: a released device reaches its old guest");
	return bench_complaint(bench);
}

const char *bench_run_hand_over(struct bench *bench)
{
	const sp_sbdf_t device = { BENCH_DEVICE };
	uint64_t theirs;

	bench->other = bench_guest(bench, 2);
	(void)warm_page(bench, bench->guest);
	theirs = warm_page(bench, bench->other);
	if (sp_device_hand_over(bench->guest, bench->other, device) != SP_OK ||
	    sp_device_set_master(bench->host, device, true) != SP_OK)
		bench_complain(bench, "the hand-over failed");
	if (bench_dma(bench, BENCH_DEVICE, BENCH_GFN, true).maddr >> 12 != theirs)
		bench_complain(bench, "oracle A: a device reaches a guest that gave it away");
	return bench_complaint(bench);
}

/* A guest ends, and another begins under its tag and over its tables' frames. */
const char *bench_run_reuse(struct bench *bench)
{
	uint64_t before = model_guest_frame(bench->model), after = model_guest_frame(bench->model);
	struct model_reach reach;

	for (int turn = 0; turn < 2; turn++) {
		bench->asids = 7;
		bench->other = bench_guest(bench, 2);
		bench_map(bench, bench->other, BENCH_GFN, turn ? after : before, 1, SP_RAM);
		bench_enter(bench, bench->other);
		reach = model_cpu_access(bench->model, 1, BENCH_GFN, MODEL_READ);
		bench_leave(bench, bench->other);
		if (!reach.ok || reach.mfn != (turn ? after : before))
			bench_complain(bench, "oracle A: the CPU reaches mfn %#llx",
				       (unsigned long long)reach.mfn);
		bench_destroy(bench, bench->other);
		bench->other = NULL;
	}
	return bench_complaint(bench);
}

const char *bench_run_fill_again(struct bench *bench)
{
	uint64_t mfn = warm_page(bench, bench->guest);
	struct sp_result result = bench_unmap(bench, bench->guest, BENCH_GFN, 1);

	model_deliver_kicks(bench->model);
	if (!model_cpu_in_guest(bench->model, 1))
		bench_enter(bench, bench->guest);
	(void)model_cpu_access(bench->model, 1, BENCH_GFN, MODEL_READ);
	if (sp_wait(bench->host, result.ticket) != SP_OK)
		bench_complain(bench, "an observer was lost");
	bench_settle(bench);
	if (model_forgotten_times(bench->model, mfn) != 1)
		bench_complain(bench, "the page did not come back");
	return bench_complaint(bench);
}

const char *bench_run_assign(struct bench *bench)
{
	const sp_sbdf_t device = { BENCH_DEVICE };
	uint64_t mfn = model_guest_frame(bench->model);
	struct model_dma done;

	bench->other = bench_guest(bench, 2);
	bench_map(bench, bench->other, BENCH_GFN, mfn, 1, SP_RAM);
	if (sp_device_release(bench->guest, device) != SP_OK ||
	    sp_device_assign(bench->other, device) != SP_OK ||
	    sp_device_set_master(bench->host, device, true) != SP_OK)
		bench_complain(bench, "the device did not come");
	done = bench_dma(bench, BENCH_DEVICE, BENCH_GFN, true);
	if (done.fault || done.maddr >> 12 != mfn)
		bench_complain(bench, "oracle A: DMA at dfn %#x does not reach mfn %#llx",
			       BENCH_GFN, (unsigned long long)mfn);
	(void)bench_unmap(bench, bench->other, BENCH_GFN, 1);
	bench_settle(bench);
	return bench_complaint(bench);
}

const char *bench_run_alone(struct bench *bench, enum bench_change change)
{
	if (sp_device_release(bench->guest, (sp_sbdf_t){ BENCH_SECOND }) != SP_OK)
		bench_complain(bench, "the release failed");
	bench->config.two_units = false;
	return bench_run(bench, change);
}
