/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/smp.h - two stock Linux guests with two CPUs each: interrupts among them, and none beyond.
 *
 *   mp| smp: ...                    by guests/smp.init
 *   refused  mp: command ...        the hypervisor's word on what went to others' CPUs
 *   apic     mp: between its ...    what it delivered
 *
 * The control is another boot, with the check of targets left out: the same interrupt is heard then.
 */
#pragma once

#include "nic.h"

enum smp_step {
	SMP_CPUS,
	SMP_CONFIG,
	SMP_TRAFFIC,
	SMP_AFFINITY,
	SMP_BETWEEN,
	SMP_SHOOTDOWN,
	SMP_RESTART,
	SMP_OWN_NMI,
	SMP_FOREIGN_INTERRUPT,
	SMP_FOREIGN_NMI,
	SMP_FOREIGN_INIT,
	SMP_FOREIGN_STARTUP,
	SMP_HYPERVISOR,
	SMP_TABLE,
	SMP_WORKS_ON,
	SMP_CONTAINED,
	SMP_FRAMES,
	SMP_END,
	SMP_STEPS
};

enum {
	SMP_GUESTS = 2,
	SMP_CPU_COUNT = 2,
	SMP_VECTORS = 4,   /* that carry traffic, of two ports */
	SMP_PACKETS = 200, /* each time */
	SMP_ROUNDS = 400,  /* of pages that come and go */
	SMP_LAST_ROUNDS = 100,
	SMP_RACES = 1000, /* a port's registers go and come */
	SMP_ATTACKS = SMP_HYPERVISOR - SMP_FOREIGN_INTERRUPT + 1
};

/* On CPU 0 and on CPU 1. */
struct smp_counts {
	unsigned long before[SMP_CPU_COUNT], after[SMP_CPU_COUNT];
};

struct smp_vector {
	char name[NIC_NAME];
	struct smp_counts on[SMP_CPU_COUNT]; /* while it was to go to this CPU */
};

/* What a guest and the hypervisor said of it. */
struct smp_guest {
	const char *name;
	unsigned int cpus, columns; /* in /proc/cpuinfo, in /proc/interrupts */
	unsigned int ecam, ports, functions;
	unsigned int sent[SMP_CPU_COUNT], received[SMP_CPU_COUNT];
	unsigned int vector_count;
	struct smp_vector vector[SMP_VECTORS];
	struct smp_counts resched, call, shootdown, nmi;
	unsigned int rounds, wrong, last_rounds, last_wrong;
	unsigned int stopped, started;
	bool tried[SMP_ATTACKS];
	bool tried_all;
	bool heard_known;
	unsigned int heard, cpus_at_the_end;
	unsigned int races, trapped, reached; /* reached: its MSI-X table was, once */
	bool ended;
	unsigned int faults;
	char fault[EVIDENCE_SIZE];
	char refused[SMP_ATTACKS][EVIDENCE_SIZE];
	unsigned long delivered, nmis, starts, moved; /* by the hypervisor */
	char why[NIC_NAME * 2];			      /* it ended */
	unsigned long mapped, returned;
};

struct smp_run {
	struct smp_guest guest[SMP_GUESTS]; /* mp, acpi */
	char refused[EVIDENCE_SIZE];	    /* the hypervisor did not start */
};

struct smp {
	const struct machine *machine;
	struct smp_run run, control;
	struct nic_finding step[SMP_STEPS];
	double seconds;
};

extern const char *const smp_step_names[SMP_STEPS];
void smp_begin(struct smp *smp, const struct machine *machine);
void smp_read_line(struct smp_run *run, const char *line);
void smp_judge(struct smp *smp, const struct boot_result *ended);
bool smp_is_good(const struct smp *smp);

/* Two boots: with the check and without. */
void smp_boot(const struct runner *runner, const struct machine *machine, struct smp *smp);
void smp_print(const struct smp *smp, FILE *output);
bool smp_write(const char *path, const struct smp *smps, size_t count, const char *qemu);
