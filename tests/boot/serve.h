/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/serve.h - a Linux guest serves another: it maps the other's pages, and must let go before they
 * are given away (docs/emulators.md).
 *
 *   second| nic: serve mapped 64                                         by guests/server.c
 *   first| nic: serve given 16, exchanged 8, of which 8 are served
 *   first| nic: hung gave 1 after 3012 ms, the other CPU stood still for 3010 ms
 *   second| nic: serve answered 25, let go 25, wrote 90000, of those hanging 70000
 *   serve    second: 73 pages of first mapped, 73 let go, 25 requests; first stayed out 28000 times
 *   balloon  25 pages with canaries, 25 whole, 0 broken                  by the hypervisor, at the end
 *
 * The control is the same machine with the image with mutants: the server is told, and nobody waits for its
 * answer; it writes to what is the next guest's, and a canary breaks.
 */
#pragma once

#include "nic.h"

enum serve_step {
	SERVE_MAPS,
	SERVE_LETS_GO,
	SERVE_GOES_ON,
	SERVE_HANGS,
	SERVE_FRAMES,
	SERVE_CONTROL,
	SERVE_STEPS
};

enum {
	SERVE_BUFFERS = 64, /* as guests/server.c has them */
	SERVE_GIVEN = 16,
	SERVE_EXCHANGED = 8,
	SERVE_LEFT = SERVE_GIVEN + SERVE_EXCHANGED + 1, /* as guests/serve.monitor asks for */
	SERVE_HANG_MS = 2500 /* of 3000: clocks of guests are no better */
};

struct serve {
	const struct machine *machine;
	struct nic first, second;
	unsigned int served, given, exchanged, served_again;	     /* as the first guest says */
	unsigned int hung, waited, stood;			     /* the same; milliseconds */
	unsigned int mapped, answered, let_go, wrote, wrote_hanging; /* as the second one says */
	unsigned int book, unbooked, requests, stayed_out;	     /* as the hypervisor says */
	unsigned int planted, whole, broken;
	char leak[EVIDENCE_SIZE]; /* the first canary that broke */
	struct nic_finding step[SERVE_STEPS];
};

void serve_begin(struct serve *serve, const struct machine *machine);
void serve_read_line(struct serve *serve, const char *line);
/* `control` is what was read of the machine's other run. */
void serve_judge(struct serve *serve, const struct boot_result *ended, const struct serve *control);
bool serve_is_good(const struct serve *serve);

void serve_run(const struct runner *runner, const struct machine *machine, struct serve *serve);
void serve_print(const struct serve *serve, FILE *output);
bool serve_write(const char *path, const struct serve *serves, size_t count, const char *qemu);
