/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/nic.h - a stock Linux with two ports of its own: traffic, and the interrupts that it
 * brings.
 *
 *   serial line --nic_read--> struct nic --nic_judge--> a line for each step, and OUT/nic.json
 */
#pragma once

#include "run.h"

enum nic_step {
	NIC_USER_SPACE,
	NIC_LINK,
	NIC_TRAFFIC,
	NIC_INTERRUPTS,
	NIC_CONTAINED,
	NIC_FRAMES,
	NIC_END,
	NIC_STEPS
};

enum {
	NIC_VECTORS = 8,
	NIC_NAME = 32,
	NIC_PACKETS = 500 /* as guests/nic.init sends */
};

/* A line of /proc/interrupts, before the traffic and after. */
struct nic_vector {
	char name[NIC_NAME];
	unsigned long before, after;
	bool is_msi;
};

struct nic_finding {
	bool good;
	bool blind; /* this QEMU cannot show it: passed over */
	char evidence[EVIDENCE_SIZE];
};

struct nic {
	const struct machine *machine;
	const char *guest;    /* its name in guest.conf */
	unsigned int packets; /* that it is to send */
	unsigned int wanted;  /* vectors that carry traffic, two of each port */

	/* what was read */
	char kernel[EVIDENCE_SIZE];
	bool link;
	unsigned int sent, received;
	unsigned int vector_count;
	struct nic_vector vector[NIC_VECTORS];
	unsigned int faults;
	char fault[EVIDENCE_SIZE]; /* the first */
	unsigned long mapped, returned;
	char refused[EVIDENCE_SIZE]; /* empty: it did not refuse */

	struct nic_finding step[NIC_STEPS];
	double seconds;
};

extern const char *const nic_step_names[NIC_STEPS];
void nic_read_line(struct nic *nic, const char *line);
void nic_judge(struct nic *nic, const struct boot_result *ended);
bool nic_is_good(const struct nic *nic);

/* Boots the machine, and judges what it said. */
void nic_run(const struct runner *runner, const struct machine *machine, struct nic *nic);

/* A line `ok` or `not ok` for each step. */
void nic_print(const struct nic *nic, FILE *output);
bool nic_write(const char *path, const struct nic *nics, size_t count, const char *qemu);
