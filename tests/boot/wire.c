/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/wire.c - what a port sends, frame by frame: each is to be the one that was a round before it. */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PCAP_MAGIC   0xa1b2c3d4u
#define HEADER_BYTES 24u
#define RECORD_BYTES 16u /* seconds, microseconds, bytes that are there, bytes that were sent */
#define LOOK_MS	     100

void wire_begin(struct wire *wire)
{
	memset(wire, 0, sizeof(*wire));
}

/* ---- frames ---- */

static bool is_frame(const struct wire *wire, uint32_t at, const unsigned char *frame,
		     uint32_t bytes)
{
	return wire->bytes[at] == bytes && memcmp(wire->round[at], frame, bytes) == 0;
}

/* The place in the round of a frame like this; WIRE_ROUND: there is none. */
static uint32_t find_frame(const struct wire *wire, uint32_t count, const unsigned char *frame,
			   uint32_t bytes)
{
	uint32_t at = 0;

	while (at < count && !is_frame(wire, at, frame, bytes))
		at++;
	return at < count ? at : WIRE_ROUND;
}

static void tell(struct wire *wire, uint32_t at, const unsigned char *frame, uint32_t bytes)
{
	const uint32_t like = find_frame(wire, WIRE_ROUND, frame, bytes);
	uint32_t byte = 0;

	if (like != WIRE_ROUND) {
		snprintf(wire->amiss, sizeof(wire->amiss),
			 "frame %llu is number %u of the round, number %u was to come",
			 (unsigned long long)wire->frames, like, at);
		return;
	}
	while (byte < bytes && byte < wire->bytes[at] && frame[byte] == wire->round[at][byte])
		byte++;
	snprintf(
		wire->amiss, sizeof(wire->amiss),
		"frame %llu is none that was ever sent: %u bytes, byte %u is not that of number %u",
		(unsigned long long)wire->frames, bytes, byte, at);
}

/* After a wrong one its place is the wrong one's: one loss is told as often as the round is long, not for ever. */
static void keep(struct wire *wire, uint32_t at, const unsigned char *frame, uint32_t bytes)
{
	memcpy(wire->round[at], frame, bytes);
	wire->bytes[at] = bytes;
}

static void take_frame(struct wire *wire, const unsigned char *frame, uint32_t bytes)
{
	const uint32_t at = (uint32_t)(wire->frames % WIRE_ROUND);

	if (wire->frames < WIRE_ROUND) {
		if (wire->frames == 0)
			wire->round_differs = true;
		if (find_frame(wire, at, frame, bytes) != WIRE_ROUND)
			wire->round_differs = false;
		keep(wire, at, frame, bytes);
	} else if (!is_frame(wire, at, frame, bytes)) {
		if (wire->wrong++ == 0)
			tell(wire, at, frame, bytes);
		keep(wire, at, frame, bytes);
	}
	wire->frames++;
}

/* ---- the file ---- */

static uint32_t word_at(const unsigned char *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static void give_up(struct wire *wire, const char *why, uint32_t number)
{
	wire->is_broken = true;
	wire->wrong++;
	snprintf(wire->amiss, sizeof(wire->amiss), "what QEMU wrote of frame %llu %s (%u)",
		 (unsigned long long)wire->frames, why, number);
}

/* How many bytes of what is there were a whole piece of the file; 0: more must come. */
static size_t take_piece(struct wire *wire, const unsigned char *bytes, size_t count)
{
	uint32_t length;

	if (!wire->has_header) {
		if (count < HEADER_BYTES)
			return 0;
		if (word_at(bytes) != PCAP_MAGIC)
			give_up(wire, "does not begin as it should", word_at(bytes));
		wire->has_header = true;
		return HEADER_BYTES;
	}
	if (count < RECORD_BYTES)
		return 0;
	length = word_at(bytes + 8);
	if (length > WIRE_FRAME || length != word_at(bytes + 12)) {
		give_up(wire, "is longer than any that is sent here", length);
		return count;
	}
	if (count < RECORD_BYTES + length)
		return 0;
	take_frame(wire, bytes + RECORD_BYTES, length);
	return RECORD_BYTES + length;
}

static void take_part(struct wire *wire)
{
	size_t done = 0, piece;

	while (!wire->is_broken &&
	       (piece = take_piece(wire, wire->part + done, wire->in_part - done)) != 0)
		done += piece;
	memmove(wire->part, wire->part + done, wire->in_part - done);
	wire->in_part -= done;
}

void wire_read(struct wire *wire, const void *bytes, size_t count)
{
	const unsigned char *from = bytes;

	while (count != 0 && !wire->is_broken) {
		const size_t room = sizeof(wire->part) - wire->in_part;
		const size_t some = count < room ? count : room;

		memcpy(wire->part + wire->in_part, from, some);
		wire->in_part += some;
		from += some;
		count -= some;
		take_part(wire);
	}
}

/* ---- the pipe ---- */

/* A file that is broken is read on: else who writes it would wait for ever. */
static void *listen_to(void *argument)
{
	unsigned char bytes[WIRE_BUFFER];
	struct wire_tap *tap = argument;
	struct pollfd wait = { .fd = tap->file, .events = POLLIN };

	for (;;) {
		const bool was_over = tap->is_over;
		const ssize_t count =
			poll(&wait, 1, LOOK_MS) > 0 ? read(tap->file, bytes, sizeof(bytes)) : 0;

		if (count > 0)
			wire_read(&tap->wire, bytes, (size_t)count);
		else if (was_over)
			return NULL;
		else if (wait.revents & POLLHUP)
			usleep(LOOK_MS * 1000);
	}
}

/* Opened for reading first, so that QEMU finds somebody who reads. */
bool wire_tap_open(struct wire_tap *tap, const char *path)
{
	wire_begin(&tap->wire);
	tap->path = path;
	tap->is_over = false;
	(void)unlink(path);
	if (mkfifo(path, 0600) != 0)
		return false;
	tap->file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (tap->file >= 0) {
		const int error = pthread_create(&tap->thread, NULL, listen_to, tap);

		if (error == 0)
			return true;
		errno = error;
		close(tap->file);
	}
	(void)unlink(path);
	return false;
}

void wire_tap_close(struct wire_tap *tap)
{
	tap->is_over = true;
	pthread_join(tap->thread, NULL);
	close(tap->file);
	(void)unlink(tap->path);
}
