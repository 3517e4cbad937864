/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/time.c - the time-stamp counter, measured once.
 *
 *        tsc --- reference --- tsc          tsc --- reference --- tsc
 *       '-- the closest of 16 --'          '-- the closest of 16 --'
 *             first mark     <-- 20 ms -->       second mark
 *
 * Reading the reference may take long when a host preempts us, so each mark is the attempt whose
 * two TSC values lie closest together. Under QEMU's -icount all attempts are equal.
 */
#include "platform/metal/time.h"

#include <stdbool.h>

#include "platform/metal/acpi.h"
#include "platform/metal/console.h"
#include "platform/metal/machine.h"
#include "platform/metal/x86.h"

#define FADT_PM_TIMER	     76 /* offsets in the FADT, ACPI 5.2.9 */
#define FADT_PM_TIMER_LENGTH 91
#define PM_TIMER_HZ	     3579545ull
#define PM_TIMER_MASK	     0xffffffull /* some implement 24 bits only */

#define PIT_HZ		     1193182ull
#define PIT_MASK	     0xffffull
#define PIT_CHANNEL2	     0x42
#define PIT_CONTROL	     0x43
#define PIT_GATE	     0x61

#define ATTEMPTS	     16
#define MEASURE_MS	     20 /* below half of the PIT's 55 ms turn */
#define SHIFT		     32

/* A counter of known rate. */
struct reference {
	uint16_t port; /* PM timer; 0: PIT channel 2 */
	uint64_t hertz;
	uint64_t mask;
};

struct mark {
	uint64_t tsc;
	uint64_t ticks;
	uint64_t doubt; /* TSC cycles that the reading took */
};

static uint64_t boot_tsc;     /* all constant after time_start */
static uint64_t ns_per_cycle; /* times 2^SHIFT */
static uint64_t tsc_khz;

/* Counts up in either case; the PIT itself counts down. */
static uint64_t read_reference(const struct reference *reference)
{
	uint8_t low, high;

	if (reference->port != 0)
		return in32(reference->port) & reference->mask;
	out8(PIT_CONTROL, 0x80); /* latch channel 2 */
	low = in8(PIT_CHANNEL2);
	high = in8(PIT_CHANNEL2);
	return PIT_MASK - ((uint64_t)high << 8 | low);
}

static void start_pit(void)
{
	out8(PIT_GATE, (uint8_t)((in8(PIT_GATE) & ~0x02u) | 0x01u)); /* gate on, speaker off */
	out8(PIT_CONTROL, 0xb4); /* channel 2, both bytes, rate generator */
	out8(PIT_CHANNEL2, 0xff);
	out8(PIT_CHANNEL2, 0xff);
}

static struct reference find_reference(void)
{
	struct acpi_table fadt = acpi_find("FACP");
	struct reference none = { .port = 0, .hertz = PIT_HZ, .mask = PIT_MASK };
	uint32_t port;

	if (fadt.table == NULL || fadt.bytes <= FADT_PM_TIMER_LENGTH)
		return none;
	port = acpi_read32(fadt.table + FADT_PM_TIMER);
	if (fadt.table[FADT_PM_TIMER_LENGTH] != 4 || port == 0 || port > 0xfffc)
		return none;
	return (struct reference){ .port = (uint16_t)port,
				   .hertz = PM_TIMER_HZ,
				   .mask = PM_TIMER_MASK };
}

static struct mark read_mark(const struct reference *reference)
{
	struct mark best = { .doubt = ~0ull };

	for (unsigned int i = 0; i < ATTEMPTS; i++) {
		uint64_t before = read_tsc();
		uint64_t ticks = read_reference(reference);
		uint64_t after = read_tsc();

		if (after - before < best.doubt)
			best = (struct mark){ before + (after - before) / 2, ticks,
					      after - before };
	}
	return best;
}

/* TSC cycles a second. A machine whose reference stands still is refused. */
static uint64_t measure(const struct reference *reference)
{
	const uint64_t wanted = reference->hertz * MEASURE_MS / 1000;
	struct mark first = read_mark(reference);
	struct mark second;
	uint64_t ticks;
	unsigned int tries = 0;

	do {
		second = read_mark(reference);
		ticks = (second.ticks - first.ticks) & reference->mask;
	} while (ticks < wanted && ++tries < 1000000);
	if (ticks < wanted)
		machine_refuse("neither PM timer nor PIT counts; nothing to measure time by");
	return (second.tsc - first.tsc) * reference->hertz / ticks;
}

void time_start(void)
{
	struct reference reference = find_reference();
	uint64_t hertz;

	if (reference.port == 0)
		start_pit();
	hertz = measure(&reference);
	tsc_khz = hertz / 1000;
	ns_per_cycle = (NS_PER_S << SHIFT) / hertz;
	boot_tsc = read_tsc();
	console_log("time", "TSC %lu.%03lu MHz by the %s", hertz / 1000000, hertz / 1000 % 1000,
		    reference.port != 0 ? "ACPI PM timer" : "PIT");
}

/* A product of 128 bits, or the clock would wrap after seconds. */
uint64_t time_now(void)
{
	unsigned __int128 cycles = read_tsc() - boot_tsc;

	return (uint64_t)(cycles * ns_per_cycle >> SHIFT);
}

uint64_t time_tsc_khz(void)
{
	return tsc_khz;
}

void time_wait(uint64_t nanoseconds)
{
	const uint64_t until = time_now() + nanoseconds;

	while (time_now() < until)
		pause();
}
