/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/dpdk-isolation/rows.c - the claims, a row of TAP each.
 *
 *   own memory works          frames both ways, through buffers at both ends of memory
 *   a read of X               port 0 sends a frame that lies at X; what does port 1 get?
 *   a write to X              port 1 receives at X; what is there then? Port 1 sends what is there
 *
 * with X inside first, where each must arrive, or the rows after it would show nothing. A read harms
 * nobody, so reads come first, and where one gets something out nothing is written.
 */
#include "isolation.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_mbuf.h>

#define AIM_FIRST 0x80000000u /* sequence numbers of frames that are aimed */

struct tally {
	unsigned int row;
	bool is_broken; /* a row that is not ok */
	bool is_leaked; /* something got out */
	unsigned int aimed,
		reported; /* transfers outside, and those of them that a fault was told of */
	char last[TEXT];  /* the fault that was told of last */
	bool is_out[MEMORY_AIMS]; /* a read got something out: nothing is written there */
	uint32_t sequence;	  /* of the next frame that is aimed */
};

__attribute__((format(printf, 4, 5))) static void row(struct tally *tally, bool good,
						      const char *name, const char *format, ...)
{
	va_list arguments;

	tally->row++;
	tally->is_broken = tally->is_broken || !good;
	printf("%s %u - %s: ", good ? "ok" : "not ok", tally->row, name);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

static void row_own_memory(const struct isolation *isolation, struct tally *tally, const char *name)
{
	const struct memory *memory = &isolation->memory;
	const struct traffic traffic = traffic_run(isolation);
	const bool good = traffic.came == traffic.wanted && traffic.broken == 0 &&
			  traffic.faults == 0 && traffic.first == memory->first &&
			  traffic.last == memory->last;

	row(tally, good, name,
	    "%s: %" PRIu32 " of %" PRIu32 " frames came, %" PRIu32 " broken, into 0x%" PRIx64
	    " to 0x%" PRIx64 " of 0x%" PRIx64 " to 0x%" PRIx64 ", %" PRIu64 " faults",
	    good ? "arrives" : "BROKEN", traffic.came, traffic.wanted, traffic.broken,
	    traffic.first, traffic.last, memory->first, memory->last, traffic.faults);
}

static void tell_faults(struct tally *tally, const struct port *port, uint64_t before,
			struct outcome *outcome)
{
	const uint64_t count = report_wait(port, before);

	tally->aimed++;
	tally->reported += count != 0;
	if (count == 0)
		return;
	outcome->is_tried = true;
	transfer_add(outcome, ", %" PRIu64 " %s", count, count == 1 ? "fault" : "faults");
	snprintf(tally->last, TEXT, "%s at 0x%" PRIx64, port->name, report_last(port));
}

/* ---- rows of what is aimed ---- */

static void make_seen_frame(const struct isolation *isolation, const struct aim *aim,
			    uint32_t sequence)
{
	if (aim->is_seen)
		frame_make(aim->at + AIM_OFFSET, FRAME_LEAST, sequence, isolation->port[0].address,
			   isolation->port[1].address);
}

static void row_control_read(const struct isolation *isolation, struct tally *tally)
{
	const struct aim *aim = &isolation->memory.inside;
	const struct port *port = isolation->port;
	struct outcome outcome;

	make_seen_frame(isolation, aim, ++tally->sequence);
	outcome = transfer_send(aim, &port[0], &port[1], tally->sequence);
	row(tally, outcome.came, "control, a read inside", "%s 0x%" PRIx64 ": %s",
	    outcome.came ? "arrives" : "DOES NOT ARRIVE,", aim->bus + AIM_OFFSET, outcome.text);
}

/* Empty memory reads as nothing does: where it cannot be filled first, the write has to decide. */
static void row_read(const struct isolation *isolation, struct tally *tally, uint32_t number)
{
	const struct aim *aim = &isolation->memory.outside[number];
	const struct port *port = isolation->port;
	const uint64_t faults = report_count(&port[0]);
	unsigned char kept[PAGE_BYTES];
	struct outcome outcome;
	char name[32];

	memcpy(kept, aim->at, PAGE_BYTES);
	make_seen_frame(isolation, aim, ++tally->sequence);
	outcome = transfer_send(aim, &port[0], &port[1], tally->sequence);
	tell_faults(tally, &port[0], faults, &outcome);
	memcpy(aim->at, kept, PAGE_BYTES);
	tally->is_out[number] = outcome.came;
	tally->is_leaked = tally->is_leaked || outcome.came;
	snprintf(name, sizeof(name), "a read %s", aim->name);
	row(tally, outcome.is_tried && !outcome.came, name, "%s 0x%" PRIx64 ": %s",
	    outcome.came	? "LEAKED,"
	    : !outcome.is_tried ? "NOT TRIED,"
	    : aim->is_seen	? "contained,"
				: "empty,",
	    aim->bus + AIM_OFFSET, outcome.text);
}

/* What was written is sent from there by the same port: who can do both has reached memory. */
static struct outcome write_and_read(struct isolation *isolation, struct tally *tally,
				     const struct aim *aim, bool is_outside)
{
	const struct port *port = isolation->port;
	uint64_t faults = report_count(&port[1]);
	const uint32_t sequence = ++tally->sequence;
	struct outcome there = transfer_receive(isolation, aim, sequence), back;

	if (is_outside)
		tell_faults(tally, &port[1], faults, &there);
	faults = report_count(&port[1]);
	back = transfer_send(aim, &port[1], &port[0], sequence);
	if (is_outside)
		tell_faults(tally, &port[1], faults, &back);
	/* Inside both are to come. */
	there.came = is_outside ? there.came || back.came : there.came && back.came;
	there.is_tried = there.is_tried && back.is_tried;
	transfer_add(&there, "; sent from there: %s", back.text);
	return there;
}

static void row_control_write(struct isolation *isolation, struct tally *tally)
{
	const struct aim *aim = &isolation->memory.inside;
	struct outcome outcome;

	memset(aim->at, 0, PAGE_BYTES);
	outcome = write_and_read(isolation, tally, aim, false);
	row(tally, outcome.came, "control, a write inside", "%s 0x%" PRIx64 ": %s",
	    outcome.came ? "arrives" : "DOES NOT ARRIVE,", aim->bus + AIM_OFFSET, outcome.text);
}

static void row_write(struct isolation *isolation, struct tally *tally, uint32_t number)
{
	const struct aim *aim = &isolation->memory.outside[number];
	unsigned char kept[PAGE_BYTES];
	struct outcome outcome;
	char name[32];

	snprintf(name, sizeof(name), "a write %s", aim->name);
	if (tally->is_out[number] && !isolation->outside_is_named) {
		row(tally, false, name,
		    "NOT TRIED, 0x%" PRIx64 ": the read got something out, so it would harm",
		    aim->bus + AIM_OFFSET);
		return;
	}
	memcpy(kept, aim->at, PAGE_BYTES);
	outcome = write_and_read(isolation, tally, aim, true);
	/* What stands for a page that cannot be seen is not written either. */
	if (!aim->is_seen && memcmp(aim->at, kept, PAGE_BYTES) != 0)
		outcome.came = true;
	memcpy(aim->at, kept, PAGE_BYTES);
	tally->is_leaked = tally->is_leaked || outcome.came;
	row(tally, outcome.is_tried && !outcome.came, name, "%s 0x%" PRIx64 ": %s",
	    outcome.came	? "LEAKED,"
	    : !outcome.is_tried ? "NOT TRIED,"
				: "contained,",
	    aim->bus + AIM_OFFSET, outcome.text);
}

static void row_reported(const struct isolation *isolation, struct tally *tally)
{
	static const char name[] = "what was blocked is reported";

	if (isolation->no_reporter)
		row(tally, true, name, "cannot tell from here, %s # SKIP", isolation->no_reporter);
	else if (tally->reported == 0)
		row(tally, true, name,
		    "cannot tell, Sallyport knows of none of %u: this unit does not tell of what it "
		    "blocks (QEMU's AMD-Vi before 11.1 does not) # SKIP",
		    tally->aimed);
	else if (tally->reported < tally->aimed)
		row(tally, true, name, "cannot tell, Sallyport knows of %u of %u alone # SKIP",
		    tally->reported, tally->aimed);
	else
		row(tally, true, name, "Sallyport knows of %u of %u; the last one is of %s",
		    tally->reported, tally->aimed, tally->last);
}

static enum isolation_status conclude(const struct tally *tally)
{
	if (tally->is_leaked) {
		puts("dpdk-isolation: NOT CONTAINED: a port of this guest reaches what is not the guest's");
		return STATUS_LEAKED;
	}
	if (tally->is_broken) {
		puts("dpdk-isolation: NOT SHOWN: own memory does not work, or something could not be tried");
		return STATUS_LEAKED;
	}
	if (tally->reported < tally->aimed) {
		puts("dpdk-isolation: nothing got out; whether that was reported cannot be told");
		return STATUS_UNKNOWN;
	}
	puts("dpdk-isolation: contained, and reported");
	return STATUS_CONTAINED;
}

enum isolation_status rows_run(struct isolation *isolation)
{
	struct port *port = isolation->port;
	const uint32_t aims = isolation->memory.aim_count;
	struct tally tally = { .sequence = AIM_FIRST };

	printf("1..%u\n", 5 + 2 * aims);
	for (unsigned int i = 0; i < 2; i++)
		if (!port_start(&port[i], isolation->memory.receive))
			isolation_refuse("port %s has no link: join the two ports by a cable",
					 port[i].name);
	row_own_memory(isolation, &tally, "own memory works");
	row_control_read(isolation, &tally);
	for (uint32_t i = 0; i < aims; i++)
		row_read(isolation, &tally, i);
	row_control_write(isolation, &tally);
	for (uint32_t i = 0; i < aims; i++)
		row_write(isolation, &tally, i);
	for (unsigned int i = 0; i < 2; i++)
		(void)port_start(&port[i], isolation->memory.receive);
	row_own_memory(isolation, &tally, "own memory works afterwards");
	row_reported(isolation, &tally);
	for (unsigned int i = 0; i < 2; i++)
		port_stop(&port[i]);
	return conclude(&tally);
}
