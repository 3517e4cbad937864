/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/change_run.c - boots the guest of guests/change.conf, listens to what its ports send, and tells what came
 * of it; then the control.
 *
 *   out/boot-logs/<machine>-change.log, .qemu; <machine>-change-control.log, .qemu
 *                          -change.0, .1     pipes, while it runs
 */
#include "change.h"

#include "cable.h"
#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const step_names[CHANGE_STEPS] = {
	[CHANGE_SPLIT] = "large pages under rings and buffers are split and merged",
	[CHANGE_MEMORY] = "memory goes and comes",
	[CHANGE_DEVICE] = "a second device comes and goes",
	[CHANGE_EXCHANGE] = "buffers get other frames",
	[CHANGE_PACKETS] = "what one port sends the other receives",
	[CHANGE_WIRE] = "every frame on the wire is whole, and in its turn",
	[CHANGE_RATE] = "packets a second",
	[CHANGE_CONTAINED] = "no port reaches beyond the guest",
	[CHANGE_FRAMES] = "every frame comes back, and the guest ends",
	[CHANGE_CONTROL] = "control, units not told of what is exchanged: the wire shows it",
};

/* One run of a machine: as built, or the control, which ends when it has exchanged. */
struct attempt {
	const char *image, *append, *log, *files;
	const char *const *marks;
};

static const char *const exchanged_mark[] = { "dpdk: change ends", "dpdk: sample 1", NULL };
static const struct attempt as_built = { "sallyport.elf", "", "change",
					 "guests/change.conf,guests/change.monitor", NULL };
static const struct attempt control = { "sallyport-mutants.elf", " leave-out=exchange",
					"change-control", "guests/change-control.conf",
					exchanged_mark };

static void read_line(void *change, const char *line)
{
	change_read_line(change, line);
}

static void boot(const struct runner *runner, const struct machine *machine,
		 const struct attempt *attempt, const struct wire_tap tap[DPDK_PORTS],
		 struct change *change)
{
	char filter[DPDK_PORTS][PATH_SIZE + 80];
	/* clang-format off */
	const char *const more[] = {
		"-object", filter[0], "-object", filter[1],
		"-device", "edu,addr=0x12,dma_mask=0xffffffffffffffff",
		NULL
	};
	/* clang-format on */
	const struct cable cable = { .machine = machine,
				     .log = attempt->log,
				     .image = attempt->image,
				     .append = attempt->append,
				     .ports = DPDK_PORTS,
				     .has_places = true,
				     .files = attempt->files,
				     .images = { "vmlinuz", "dpdk.gz" },
				     .more = more,
				     .marks = attempt->marks,
				     .read_line = read_line,
				     .context = change };

	/* What a port sends is what QEMU's end of it receives. */
	for (unsigned int i = 0; i < DPDK_PORTS; i++)
		snprintf(filter[i], sizeof(filter[i]),
			 "filter-dump,id=tap%u,netdev=port%u,queue=rx,file=%s", i, i, tap[i].path);
	change->run.ended = cable_boot(runner, &cable);
}

static void run(const struct runner *runner, const struct machine *machine,
		const struct attempt *attempt, struct change *change)
{
	char path[DPDK_PORTS][PATH_SIZE];
	struct wire_tap *tap = calloc(DPDK_PORTS, sizeof(*tap));
	unsigned int open = 0;

	change_begin(change, machine, runner->qemu.number);
	for (; tap && open < DPDK_PORTS; open++) {
		snprintf(path[open], PATH_SIZE, "%s/boot-logs/%s-%s.%u", runner->out, machine->name,
			 attempt->log, open);
		if (!wire_tap_open(&tap[open], path[open]))
			break;
	}
	if (open == DPDK_PORTS) {
		boot(runner, machine, attempt, tap, change);
	} else {
		change->run.ended = (struct boot_result){ .end = BOOT_NOT_STARTED };
		fprintf(stderr, "boot: no pipe for what ports send: %s\n", strerror(errno));
	}
	while (open > 0) {
		wire_tap_close(&tap[--open]);
		change->wire[open] = tap[open].wire;
	}
	free(tap);
}

void change_run(const struct runner *runner, const struct machine *machine, struct change *change)
{
	struct change *defective = calloc(1, sizeof(*defective));

	if (!defective) {
		fprintf(stderr, "boot: no memory\n");
		return;
	}
	run(runner, machine, &as_built, change);
	run(runner, machine, &control, defective);
	change_judge(change, defective);
	free(defective);
}

static struct steps steps_of(const struct change *change)
{
	return (struct steps){ "change",     change->machine->name, step_names,
			       change->step, CHANGE_STEPS,	    change->run.ended.seconds };
}

void change_print(const struct change *change, FILE *output)
{
	const struct steps steps = steps_of(change);

	steps_print(&steps, output);
}

bool change_write(const char *path, const struct change *changes, size_t count, const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct steps steps = steps_of(&changes[i]);
		json_t *machine = steps_json(&steps, qemu), *rates = json_array();

		for (unsigned int phase = 0; phase < CHANGE_PHASES; phase++) {
			const struct change_rate *rate = &changes[i].rate[phase];

			json_array_append_new(
				rates, json_real(rate->samples ? rate->sum / rate->samples : 0));
		}
		json_object_set_new(machine, "packets a second before, meanwhile, after", rates);
		json_array_append_new(list, machine);
	}
	return steps_write(path, list);
}
