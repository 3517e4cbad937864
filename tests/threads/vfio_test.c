/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/threads/vfio_test.c - the mirror over VFIO with threads: two give and take pieces of a guest's memory, one makes
 * progress, a device touches what is mapped, a CPU runs the guest.
 *
 *   device thread     under the kernel's lock: looks up an address, and reads the frame behind it
 *   unmap             under it too: returns when nobody is there any more
 *
 * What comes back is poisoned and given a new life at once, so that a release which did not wait for the unmap is a race,
 * or a wrong tag.
 */
#include "machine.h"

#include <sallyport/vfio.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory.h"

#define TIME	1000u /* milliseconds */
#define COUNT	256u  /* frames of each worker */
#define WORKERS 2u
#define ORDER	2u
#define PIECE	(1u << ORDER)
#define PIECES	(COUNT * WORKERS / PIECE)

/* The kernel, for one test at a time. */
static struct kernel {
	pthread_mutex_t lock;
	uint64_t mfn[PIECES]; /* lock; of the piece at this gfn; 0: none */
	uint64_t maps, unmaps, touched;
} kernel = { .lock = PTHREAD_MUTEX_INITIALIZER };
static struct sp_vfio *mirror;

static int kernel_info(void *container, struct sp_vfio_info *info)
{
	(void)container;
	*info = (struct sp_vfio_info){ .page_sizes = ~0xfffull, .entries = UINT32_MAX };
	return 0;
}

static int kernel_map(void *container, uint64_t iova, void *address, uint64_t bytes, bool writable)
{
	const uint64_t piece = (iova >> SP_FRAME_ORDER) / PIECE;
	int result = 0;

	(void)container;
	(void)writable;
	if (bytes != PIECE * SP_FRAME_BYTES || piece >= PIECES)
		return -EINVAL;
	pthread_mutex_lock(&kernel.lock);
	if (kernel.mfn[piece])
		result = -EEXIST;
	else
		kernel.mfn[piece] = (uintptr_t)address;
	kernel.maps++;
	pthread_mutex_unlock(&kernel.lock);
	return result;
}

static int kernel_unmap(void *container, uint64_t iova, uint64_t bytes, uint64_t *unmapped)
{
	(void)container;
	*unmapped = 0;
	/* It sleeps before it is done. */
	machine_sleep(0);
	pthread_mutex_lock(&kernel.lock);
	for (uint64_t at = iova >> SP_FRAME_ORDER; at < (iova + bytes) >> SP_FRAME_ORDER;
	     at += PIECE) {
		if (!kernel.mfn[at / PIECE])
			continue;
		kernel.mfn[at / PIECE] = 0;
		*unmapped += PIECE * SP_FRAME_BYTES;
	}
	kernel.unmaps++;
	pthread_mutex_unlock(&kernel.lock);
	return 0;
}

static const struct sp_vfio_calls calls = { kernel_info, kernel_map, kernel_unmap };

/* Nobody looks behind it: frames have tags, not bytes. */
static void *address_of(void *argument, sp_mfn_t first, uint64_t count)
{
	(void)argument;
	(void)count;
	return (void *)(uintptr_t)first.mfn;
}

/* ---- lives ---- */

static void touch(struct worker *worker)
{
	const uint64_t gfn = random_below(&worker->seed, COUNT * WORKERS);
	struct machine *machine = worker->machine;

	pthread_mutex_lock(&kernel.lock);
	if (kernel.mfn[gfn / PIECE]) {
		const uint64_t mfn = kernel.mfn[gfn / PIECE] + gfn % PIECE;
		const uint64_t tag = machine->frame[mfn - FRAME_MFN].tag;

		if (tag >> 56 != worker->domain->number || (tag >> 32 & 0xffffff) != gfn)
			machine_complain(machine,
					 "gfn %#llx leads a device to a frame of tag %#llx",
					 (unsigned long long)gfn, (unsigned long long)tag);
		kernel.touched++;
	}
	pthread_mutex_unlock(&kernel.lock);
}

static void life_of_device(struct worker *worker)
{
	while (worker_goes_on(worker)) {
		touch(worker);
		worker->rounds++;
	}
}

static void life_of_mirror(struct worker *worker)
{
	while (worker_goes_on(worker)) {
		const enum sp_status status = sp_vfio_progress(mirror);

		if (status != SP_OK && status != SP_PENDING)
			machine_complain(worker->machine, "progress ended with \"%s\"",
					 sp_status_text(status));
		worker->rounds++;
	}
}

static void wait_for(struct worker *worker, struct sp_ticket ticket)
{
	const enum sp_status status = sp_vfio_wait(mirror, ticket);

	if (status != SP_OK)
		machine_complain(worker->machine, "a wait ended with \"%s\"",
				 sp_status_text(status));
}

/* Until it is done. */
static void change(struct worker *worker, uint64_t at, bool map)
{
	const sp_gfn_t gfn = { worker->first + at };
	struct sp_result result;
	enum sp_status status;

	do {
		status = map ? sp_vfio_map(mirror, gfn, (sp_mfn_t){ worker->mfn + at }, PIECE,
					   SP_RAM, ORDER, &result)
			     : sp_vfio_unmap(mirror, gfn, PIECE, &result);
		if (status == SP_BUSY)
			wait_for(worker, result.ticket);
	} while (status == SP_BUSY);
	if (status != SP_OK || result.done != PIECE)
		machine_complain(worker->machine, "a piece was refused: \"%s\"",
				 sp_status_text(status));
	else if (!map && random_below(&worker->seed, 4) == 0)
		wait_for(worker, result.ticket);
}

static void life_of_pieces(struct worker *worker)
{
	bool is_mapped[COUNT / PIECE] = { false };

	while (worker_goes_on(worker)) {
		const uint64_t n = random_below(&worker->seed, COUNT / PIECE);
		const uint64_t mfn = worker->mfn + n * PIECE;

		if (!is_mapped[n]) {
			frames_await(worker->machine, mfn, PIECE);
			frames_begin(worker->machine, worker->domain, worker->first + n * PIECE,
				     mfn, PIECE);
		}
		change(worker, n * PIECE, !is_mapped[n]);
		is_mapped[n] = !is_mapped[n];
		worker->rounds++;
	}
	for (uint64_t n = 0; n < COUNT / PIECE; n++)
		if (is_mapped[n])
			change(worker, n * PIECE, false);
	while (sp_vfio_progress(mirror) == SP_PENDING)
		;
}

static void a_device_touches_nothing_that_went(void **state)
{
	struct machine *machine = machine_make(0, COUNT * WORKERS);
	struct sp_domain *domain = machine_domain(machine, 1, SP_TABLES_SEPARATE);
	const struct sp_vfio_config config = {
		.host = machine->host, .domain = domain, .calls = &calls, .address = address_of
	};
	struct worker workers[WORKERS + 3] = { { .run = life_of_device, .domain = domain },
					       { .run = life_of_mirror, .domain = domain },
					       { .run = life_in_guest, .domain = domain } };

	(void)state;
	assert_int_equal(sp_vfio_open(&config, &mirror), SP_OK);
	for (uint32_t i = 0; i < WORKERS; i++)
		workers[3 + i] = (struct worker){ .run = life_of_pieces,
						  .domain = domain,
						  .first = i * COUNT,
						  .mfn = FRAME_MFN + i * COUNT,
						  .count = COUNT };
	machine_run(machine, workers, WORKERS + 3, TIME);
	print_message("mapped %llu, unmapped %llu, touched %llu\n", (unsigned long long)kernel.maps,
		      (unsigned long long)kernel.unmaps, (unsigned long long)kernel.touched);
	assert_true(kernel.unmaps && kernel.touched);
	assert_int_equal(sp_vfio_close(mirror), SP_OK);
	for (uint32_t i = 0; i < PIECES; i++)
		assert_int_equal(kernel.mfn[i], 0);
	machine_destroy(machine, domain);
	machine_free(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_touches_nothing_that_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
