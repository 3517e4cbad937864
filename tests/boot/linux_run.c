/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/linux_run.c - boots guests/linux/init on machines whose IOMMU is Linux's own.
 *
 *   00:01.0 or 00:02.0   edu          \
 *   00:10.0              82574         > to be given away; each in a group of its own
 *   00:11.0              NVMe         /
 *   00:18.0              NVMe         \  the host's own: mounted,
 *   00:19.0              82574        /  and the default route
 *   00:1a.0 - bridge - 02:01.0 edu, 02:02.0 82540EM     one group
 *
 *   out/boot-logs/<machine>-linux.log, .qemu
 */
#include "linux.h"

#include "cable.h"
#include "steps.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static const char scripts[] = "guests/linux";

#define COMMON "console=ttyS0 loglevel=5 printk.devkmsg=on maxcpus=1 no_timer_check panic=-1 "

const struct machine linux_machine_table[] = {
	{ "linux-vtd", UNIT_VTD_CACHING, "EPYC", COMMON "intel_iommu=on machine=linux-vtd", NULL,
	  30, 0 },
	{ "linux-amdvi", UNIT_AMDVI, "EPYC", COMMON "machine=linux-amdvi", NULL, 30, 0 },
	{ "linux-pt", UNIT_VTD_CACHING, "EPYC", COMMON "intel_iommu=on iommu=pt machine=linux-pt",
	  NULL, 30, 0 },
};
const size_t linux_machine_count = sizeof(linux_machine_table) / sizeof(linux_machine_table[0]);

/* What a boot reads of one script. */
struct script {
	struct linux_host *host;
	bool is_on;
};

static void announce_line(void *script, const char *line)
{
	struct script *of = script;

	linux_host_announce(of->host, line, &of->is_on);
}

static int is_script(const struct dirent *entry)
{
	const size_t length = strlen(entry->d_name);

	return entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && length > 3 &&
	       strcmp(entry->d_name + length - 3, ".sh") == 0;
}

/* In the order in which they run. */
static void announce(struct linux_host *host)
{
	struct dirent **entries;
	const int count = scandir(scripts, &entries, is_script, alphasort);

	for (int i = 0; i < count; i++) {
		struct script script = { host, true };
		char path[PATH_SIZE];

		snprintf(path, sizeof(path), "%s/%s", scripts, entries[i]->d_name);
		run_read_lines(path, announce_line, &script);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void read_line(void *host, const char *line)
{
	linux_host_read_line(host, line);
}

unsigned int linux_host_count(const struct machine *machine)
{
	struct linux_host *host = calloc(1, sizeof(*host));
	unsigned int count = 0;

	if (!host)
		return 0;
	host->machine = machine;
	announce(host);
	count = host->count + 1;
	free(host);
	return count;
}

void linux_host_run(const struct runner *runner, const struct machine *machine,
		    struct linux_host *host)
{
	char lab[2 * PATH_SIZE], own[2 * PATH_SIZE];
	/* Both controllers have the same medium; what is written to it is not kept. */
	/* clang-format off */
	const char *more[] = {
		"-drive", lab, "-device", "nvme,serial=lab,drive=lab,addr=0x11",
		"-drive", own, "-device", "nvme,serial=own,drive=own,addr=0x18",
		"-netdev", "hubport,hubid=1,id=own-port",
		"-device", "e1000e,addr=0x19,netdev=own-port,romfile=,mac=52:54:00:12:34:99",
		"-device", "pcie-root-port,id=root,addr=0x1a,chassis=1",
		"-device", "pcie-pci-bridge,id=bridge,bus=root",
		"-device", "edu,bus=bridge,addr=1,dma_mask=0xffffffffffffffff",
		"-device", "e1000,bus=bridge,addr=2,romfile=", NULL
	};
	/* clang-format on */
	const struct cable cable = { .machine = machine,
				     .log = "linux",
				     .image = "guests/vmlinuz",
				     .ports = 1,
				     .has_places = true,
				     .images = { "linux.gz" },
				     .more = more,
				     .read_line = read_line,
				     .context = host };

	snprintf(lab, sizeof(lab), "if=none,id=lab,format=raw,snapshot=on,file=%s/guests/disk.ext4",
		 runner->out);
	snprintf(own, sizeof(own), "if=none,id=own,format=raw,snapshot=on,file=%s/guests/disk.ext4",
		 runner->out);
	*host = (struct linux_host){ .machine = machine };
	announce(host);
	host->ended = cable_boot(runner, &cable);
	linux_host_judge(host);
}

static struct steps steps_of(const struct linux_host *host)
{
	return (struct steps){ "linux",	   host->machine->name, host->names,
			       host->step, host->count,		host->ended.seconds };
}

void linux_host_print(const struct linux_host *host, FILE *output)
{
	const struct steps steps = steps_of(host);

	steps_print(&steps, output);
}

bool linux_host_write(const char *path, const struct linux_host *hosts, size_t count,
		      const char *qemu)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct steps steps = steps_of(&hosts[i]);

		json_array_append_new(list, steps_json(&steps, qemu));
	}
	return steps_write(path, list);
}
