/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/dpdk_run.c - the runs that dpdk.h compares.
 *
 *   out/boot-logs/<machine>-dpdk-<run>.log, .qemu
 */
#include "dpdk.h"

#include "steps.h"

#include <stdlib.h>

static const char *const step_names[DPDK_STEPS] = {
	[DPDK_STARTS] = "DPDK drives both ports",
	[DPDK_PACKETS] = "what one port sends the other receives",
	[DPDK_BARE] = "the same without Sallyport, by vfio-pci",
	[DPDK_RATIO] = "ratio to that",
	[DPDK_EXITS] = "exits while it runs",
	[DPDK_CONTAINED] = "no port reaches beyond the guest",
	[DPDK_FRAMES] = "every frame comes back, and the guest ends",
};

const struct dpdk_length dpdk_long = { "dpdk", 12, 1000000, true };
const struct dpdk_length dpdk_short = { "dpdk-short", 4, 100000, false };

/* From the first reading to the last one. */
static const char *const marks[] = { "dpdk: begin 1 ", "dpdk: last 1 ", NULL };

static void read_line(void *run, const char *line)
{
	dpdk_read_line(run, line);
}

/* The ports stand behind all else that QEMU brings, and one cable joins them. */
static void boot(const struct runner *runner, const struct machine *machine, const char *name,
		 const char *image, const char *modules, struct dpdk_run *run)
{
	char serial[PATH_SIZE], errors[PATH_SIZE];
	/* clang-format off */
	const char *more[] = {
		"-netdev", "hubport,hubid=0,id=port0",
		"-netdev", "hubport,hubid=0,id=port1",
		"-device", "e1000e,addr=0x10,netdev=port0,romfile=,mac=52:54:00:12:34:01",
		"-device", "e1000e,addr=0x11,netdev=port1,romfile=,mac=52:54:00:12:34:02",
		"-initrd", modules, NULL
	};
	/* clang-format on */
	struct boot_seen seen = { .count = 0 };
	const struct boot what = { .machine = machine,
				   .image = image,
				   .append_more = "",
				   .more = more,
				   .serial = serial,
				   .errors = errors,
				   .marks = marks,
				   .seen = &seen };

	dpdk_begin(run);
	snprintf(serial, sizeof(serial), "%s/boot-logs/%s.log", runner->out, name);
	snprintf(errors, sizeof(errors), "%s/boot-logs/%s.qemu", runner->out, name);
	run->ended = qemu_boot(&runner->qemu, &what);
	if (seen.count == 2)
		run->cpu = seen.cpu[1] - seen.cpu[0];
	run_read_lines(serial, read_line, run);
}

static void run_here(const struct runner *runner, struct dpdk *dpdk, unsigned int turn)
{
	char name[PATH_SIZE], image[PATH_SIZE], modules[4 * PATH_SIZE];

	snprintf(name, sizeof(name), "%s-dpdk-here-%u", dpdk->machine->name, turn + 1);
	snprintf(image, sizeof(image), "%s/sallyport.elf", runner->out);
	snprintf(modules, sizeof(modules),
		 "guests/%s.conf,guests/dpdk.monitor,%s/guests/vmlinuz,%s/guests/dpdk.gz",
		 dpdk->length->conf, runner->out, runner->out);
	boot(runner, dpdk->machine, name, image, modules, &dpdk->here[turn]);
}

/* The guest's words, its memory and its one CPU. */
static void run_bare(const struct runner *runner, const struct dpdk *dpdk, bool has_unit,
		     struct dpdk_run *run)
{
	char name[PATH_SIZE], image[PATH_SIZE], initrd[PATH_SIZE], append[PATH_SIZE];
	struct machine machine = *dpdk->machine;

	machine.append = append;
	if (!has_unit)
		machine.unit = UNIT_NONE;
	snprintf(append, sizeof(append),
		 "console=ttyS0 loglevel=5 printk.devkmsg=on maxcpus=1 mem=256M no_timer_check "
		 "intel_iommu=on ports=%s seconds=%u packets=%lu",
		 has_unit ? "vfio" : "uio", dpdk->length->seconds, dpdk->length->packets);
	snprintf(name, sizeof(name), "%s-dpdk-%s", dpdk->machine->name, has_unit ? "bare" : "none");
	snprintf(image, sizeof(image), "%s/guests/vmlinuz", runner->out);
	snprintf(initrd, sizeof(initrd), "%s/guests/dpdk.gz", runner->out);
	boot(runner, &machine, name, image, initrd, run);
}

static void run_machine_of(const struct runner *runner, struct dpdk *dpdk)
{
	run_here(runner, dpdk, 0);
	run_bare(runner, dpdk, true, &dpdk->bare);
	run_here(runner, dpdk, 1);
	if (dpdk->length->has_none)
		run_bare(runner, dpdk, false, &dpdk->none);
	dpdk->seconds = dpdk->here[0].ended.seconds + dpdk->bare.ended.seconds +
			dpdk->here[1].ended.seconds + dpdk->none.ended.seconds;
	dpdk_judge(dpdk);
}

static json_t *json_of(const struct dpdk_run *run)
{
	json_t *samples = json_array();
	unsigned long sent = 0, received = 0, errors = 0, missed = 0;

	for (unsigned int i = 0; i < run->sample_count; i++)
		json_array_append_new(samples, json_real(run->sample[i]));
	for (unsigned int i = 0; i < DPDK_PORTS; i++) {
		sent += run->end[i].sent;
		received += run->end[i].received;
		errors += run->end[i].errors;
		missed += run->end[i].missed;
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:o}", "sent",
			 (json_int_t)sent, "received", (json_int_t)received, "errors",
			 (json_int_t)errors, "missed", (json_int_t)missed, "measured",
			 (json_int_t)dpdk_packets(run), "seconds of the CPU", run->cpu,
			 "packets a second of the CPU", dpdk_rate_of_cpu(run), "packets a second",
			 dpdk_rate(run), "spread", dpdk_spread(run), "samples", samples);
}

static void print_and_add(struct dpdk *dpdk, const char *qemu, json_t *list)
{
	const struct steps steps = { "dpdk",	 dpdk->machine->name, step_names,
				     dpdk->step, DPDK_STEPS,	      dpdk->seconds };
	json_t *machine = steps_json(&steps, qemu);

	steps_print(&steps, stdout);
	json_object_set_new(machine, "ratio", json_real(dpdk_ratio(dpdk)));
	json_object_set_new(machine, "exits a second",
			    json_real(dpdk_exits_a_second(&dpdk->here[0])));
	json_object_set_new(machine, "here",
			    json_pack("[o, o]", json_of(&dpdk->here[0]), json_of(&dpdk->here[1])));
	json_object_set_new(machine, "bare", json_of(&dpdk->bare));
	if (dpdk->length->has_none)
		json_object_set_new(machine, "without IOMMU", json_of(&dpdk->none));
	json_array_append_new(list, machine);
}

bool dpdk_run_all(const struct runner *runner, const struct machine *const *machines, size_t count,
		  const struct dpdk_length *length)
{
	struct dpdk *dpdk = calloc(1, sizeof(*dpdk));
	json_t *list = json_array();
	bool good = dpdk != NULL;
	char path[PATH_SIZE];

	printf("1..%zu\n", count * DPDK_STEPS);
	fflush(stdout);
	for (size_t i = 0; dpdk && i < count; i++) {
		*dpdk = (struct dpdk){ .machine = machines[i], .length = length };
		run_machine_of(runner, dpdk);
		print_and_add(dpdk, runner->qemu.version, list);
		for (unsigned int step = 0; step < DPDK_STEPS; step++)
			good = good && dpdk->step[step].good;
	}
	free(dpdk);
	snprintf(path, sizeof(path), "%s/dpdk.json", runner->out);
	if (steps_write(path, list))
		return good;
	fprintf(stderr, "boot: %s cannot be written\n", path);
	return false;
}
