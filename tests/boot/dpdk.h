/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/dpdk.h - DPDK in a guest with two ports of its own, beside the same on the same machine
 * without Sallyport.
 *
 *   here    testpmd on uio_pci_generic in a guest; the p2m is what the IOMMU walks
 *   bare    the same initial RAM disk; Linux has the IOMMU, testpmd runs on vfio-pci
 *   none    the same without any IOMMU, on uio_pci_generic: for information
 *
 * In the order here, bare, here, none. Packets are counted by the ports themselves. Rates are told by the
 * second, and by the second of the thread that is the guest's CPU in QEMU: the ratio is of these, because
 * a host that does other things gives no two runs the same share of itself.
 */
#pragma once

#include "nic.h"

enum dpdk_step {
	DPDK_STARTS,
	DPDK_PACKETS,
	DPDK_BARE,
	DPDK_RATIO,
	DPDK_EXITS,
	DPDK_CONTAINED,
	DPDK_FRAMES,
	DPDK_STEPS
};

enum {
	DPDK_PORTS = 2,
	DPDK_SAMPLES = 160,
	DPDK_IN_FLIGHT = 64, /* of each port: descriptors of a ring, as guests/dpdk.init asks for */
	DPDK_REASONS = 9
};

/* How long is measured, as guests/dpdk.conf and dpdk-short.conf say. */
struct dpdk_length {
	const char *conf;
	unsigned int seconds;
	unsigned long packets;
	bool has_none;
};

/* A port's counters, and when they were read. */
struct dpdk_count {
	double at; /* seconds, by the guest's clock */
	unsigned long sent, received, errors, missed;
};

/* What has caused exits until a line of the hypervisor's, in its order. */
struct dpdk_exits {
	unsigned long all, by[DPDK_REASONS];
};

struct dpdk_run {
	unsigned int ports; /* that the driver has */
	bool started;	    /* testpmd runs */
	bool is_running;    /* between begin and stop */
	struct dpdk_count begin[DPDK_PORTS], before[DPDK_PORTS], last[DPDK_PORTS], end[DPDK_PORTS];
	unsigned int begins, ends;   /* ports whose line was read */
	double sample[DPDK_SAMPLES]; /* packets a second between two readings */
	unsigned int sample_count;
	struct dpdk_exits first, latest; /* while it is running */
	unsigned int exit_lines;
	char amiss[EVIDENCE_SIZE]; /* the first thing that testpmd complains of */
	double cpu;		   /* seconds of the guest's CPU, of the time that is measured */
	struct boot_result ended;
	struct nic nic; /* faults and frames, of a run here */
};

struct dpdk {
	const struct machine *machine;
	const struct dpdk_length *length;
	struct dpdk_run here[2], bare, none;
	struct nic_finding step[DPDK_STEPS];
	double seconds;
};

void dpdk_begin(struct dpdk_run *run);
void dpdk_read_line(struct dpdk_run *run, const char *line);
/* Packets received by both ports while it was measured, and by the second; 0 if it was not. */
unsigned long dpdk_packets(const struct dpdk_run *run);
double dpdk_rate(const struct dpdk_run *run);
/* By the second of the guest's CPU. */
double dpdk_rate_of_cpu(const struct dpdk_run *run);
double dpdk_ratio(const struct dpdk *dpdk);
/* How far the samples of a run lie apart: (largest - smallest) / mean. */
double dpdk_spread(const struct dpdk_run *run);
/* What one port sent the other received, but for what a ring may hold; neither complains. */
bool dpdk_is_whole(const struct dpdk_run *run);
double dpdk_exits_a_second(const struct dpdk_run *run);
void dpdk_judge(struct dpdk *dpdk);

extern const struct dpdk_length dpdk_long, dpdk_short;

/* Boots each machine, prints a line for each step, and leaves OUT/dpdk.json. */
bool dpdk_run_all(const struct runner *runner, const struct machine *const *machines, size_t count,
		  const struct dpdk_length *length);
