/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/linux/use_test.c - what the host has in use is followed down to its functions, or said to be lost, in the places
 * where Linux has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/linux/binding.h"
#include "platform/linux/memory.h"
#include "platform/linux/text.h"
#include "tests/linux/fake_kernel.h"

#define DISK "sys/devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1"

static int set_up(void **state)
{
	(void)state;
	fake_tree_make();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_tree_drop();
	return 0;
}

static void mounted(const char *line)
{
	fake_put(fake_path("proc/self/mountinfo"), line);
}

/* A line for each use, "0000:02:00.0 nvme0n1 holds /", and for each loss; to be freed. */
static char *uses_text(void)
{
	struct root *root = root_open(fake_tree);
	struct machine *machine = machine_read(root);
	struct uses *uses = uses_read(machine);
	char *text = memory_copy("");

	for (size_t i = 0; i < uses->count + uses->lost_count; i++) {
		bool is_use = i < uses->count;
		char *sentence = is_use ? use_sentence(&uses->use[i])
					: memory_copy(uses->lost[i - uses->count].sentence);
		char *more = memory_print(
			"%s%s %s\n", text,
			is_use ? machine->function[uses->use[i].function].name : "lost:", sentence);

		free(sentence);
		free(text);
		text = more;
	}
	uses_free(uses);
	machine_free(machine);
	root_close(root);
	return text;
}

static void says(const char *words, bool wanted)
{
	char *text = uses_text();

	if ((strstr(text, words) != NULL) != wanted)
		fail_msg("\"%s\" is %s in: %s", words, wanted ? "not" : "there", text);
	free(text);
}

static char *first_refusal(const char *sbdf)
{
	struct binding_order order = { BINDING_DRIVER, "vfio-pci", false };
	struct root *root = root_open(fake_tree);
	struct machine *machine = machine_read(root);
	bool *chosen = memory_take(machine->function_count, sizeof(bool));
	struct binding *binding;
	char *why;
	sp_sbdf_t id;

	assert_true(machine_parse_sbdf(sbdf, &id));
	chosen[machine_find(machine, id)] = true;
	binding = binding_plan(machine, chosen, &order);
	why = memory_copy(binding->refusal_count ? binding->refusal[0].why : "");
	binding_free(binding);
	free(chosen);
	machine_free(machine);
	root_close(root);
	return why;
}

static void refused(const char *sbdf, const char *words)
{
	char *why = first_refusal(sbdf);

	if (*words ? !strstr(why, words) : *why)
		fail_msg("%s: \"%s\" is not why: %s", sbdf, words, why);
	free(why);
}

/* --- disks --- */

static void an_array_that_holds_an_nvme_disk_is_seen(void **state)
{
	(void)state;
	mounted("");
	says("nvme0n1", false);
	fake_put(fake_path(DISK "/holders/dm-3/dev"), "");
	says("0000:02:00.0 nvme0n1 is part of dm-3", true);
	refused("0000:02:00.0", "part of dm-3");
}

static void so_is_one_that_holds_a_partition_of_it(void **state)
{
	(void)state;
	mounted("");
	fake_put(fake_path(DISK "/nvme0n1p2/holders/md0/dev"), "");
	says("0000:02:00.0 nvme0n1 is part of md0", true);
}

/* Slaves are the array's, and not its partition's. */
static void a_partition_of_an_array_leads_to_its_disks(void **state)
{
	(void)state;
	mounted("21 1 259:9 / / rw - ext4 /dev/md126p2 rw\n");
	fake_put_link(fake_path("sys/dev/block/259:9"),
		      memory_copy("../../devices/virtual/block/md126/md126p2"));
	fake_put(fake_path("sys/devices/virtual/block/md126/md126p2/partition"), "2\n");
	fake_put_link(fake_path("sys/devices/virtual/block/md126/slaves/nvme0n1"),
		      memory_copy("../../../../pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1"));
	says("0000:02:00.0 nvme0n1 holds / (through md126)", true);
	refused("0000:02:00.0", "nvme0n1 holds /");
}

static void a_volume_of_zfs_is_lost_and_a_loop_is_not(void **state)
{
	(void)state;
	mounted("21 1 230:0 / /srv rw - ext4 /dev/zd0 rw\n");
	fake_put_link(fake_path("sys/dev/block/230:0"),
		      memory_copy("../../devices/virtual/block/zd0"));
	fake_put(fake_path("sys/devices/virtual/block/zd0/dev"), "230:0\n");
	says("lost: zd0 is in use (/srv, says /proc/self/mountinfo)", true);
	refused("0000:02:00.0", "zd0");
	mounted("21 1 7:0 / /snap/core rw - squashfs /dev/loop0 rw\n");
	fake_put_link(fake_path("sys/dev/block/7:0"),
		      memory_copy("../../devices/virtual/block/loop0"));
	fake_put(fake_path("sys/devices/virtual/block/loop0/dev"), "7:0\n");
	says("lost:", false);
	refused("0000:02:00.0", "");
}

static void put_second_disk(void)
{
	fake_put(fake_path("sys/devices/pci0000:00/0000:03:00.0/nvme/nvme1/nvme1n1/dev"),
		 "259:4\n");
	fake_put_link(fake_path("sys/block/nvme1n1"),
		      memory_copy("../devices/pci0000:00/0000:03:00.0/nvme/nvme1/nvme1n1"));
	fake_put_link(fake_path("sys/class/block/nvme1n1"),
		      memory_copy("../../devices/pci0000:00/0000:03:00.0/nvme/nvme1/nvme1n1"));
	fake_put_link(fake_path("sys/class/block/nvme0n1"),
		      memory_copy("../../devices/pci0000:00/0000:02:00.0/nvme/nvme0/nvme0n1"));
}

static void every_disk_of_a_btrfs_is_seen(void **state)
{
	(void)state;
	put_second_disk();
	mounted("21 1 0:30 /@ / rw - btrfs /dev/nvme0n1 rw\n");
	says("0000:02:00.0 nvme0n1 holds /", true);
	says("0000:03:00.0 nvme1n1", false);
	says("lost: / is btrfs", true);
	fake_put(fake_path("sys/fs/btrfs/features/raid56"), "1\n");
	fake_put(fake_path("sys/fs/btrfs/a11ce000/devices/sda"), "");
	says("lost: / is btrfs", true);
	fake_put(fake_path("sys/fs/btrfs/b0b00000/devices/nvme0n1"), "");
	fake_put(fake_path("sys/fs/btrfs/b0b00000/devices/nvme1n1"), "");
	says("0000:02:00.0 nvme0n1 holds /", true);
	says("0000:03:00.0 nvme1n1 holds /", true);
	says("lost:", false);
}

static void every_disk_of_a_bcachefs_is_seen(void **state)
{
	(void)state;
	put_second_disk();
	mounted("21 1 0:31 / /srv rw - bcachefs /dev/nvme0n1:/dev/nvme1n1 rw\n");
	says("0000:02:00.0 nvme0n1 holds /srv", true);
	says("0000:03:00.0 nvme1n1 holds /srv", true);
}

/* --- routes --- */

static void routed(const char *lines)
{
	fake_put(fake_path("proc/net/route"), lines);
}

static void put_virtual(const char *name)
{
	fake_put(fake_path("sys/devices/virtual/net/%s/mtu", name), "1500\n");
	fake_put_link(fake_path("sys/class/net/%s", name),
		      memory_print("../../devices/virtual/net/%s", name));
}

#define DEFAULT_BY(name) name "\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
#define TUNNEL_BY(name)	 name "\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
#define GATEWAY_BY(name) name "\t0A0A0A0A\t0100000A\t0007\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n"

static void ports_of_a_switch_carry_its_bridges_route(void **state)
{
	(void)state;
	put_virtual("br-ex");
	routed(DEFAULT_BY("br-ex"));
	says("0000:04:00.0 eth0", false);
	put_virtual("ovs-system");
	fake_put_link(fake_path("sys/devices/virtual/net/ovs-system/lower_eth0"),
		      memory_copy("../../../pci0000:00/0000:04:00.0/net/eth0"));
	says("0000:04:00.0 eth0 carries the default route (through br-ex, ovs-system)", true);
	says("lost:", false);
	refused("0000:04:00.0", "default route");
}

static void a_default_route_that_leads_nowhere_is_lost(void **state)
{
	(void)state;
	put_virtual("br-int");
	routed(DEFAULT_BY("br-int"));
	says("lost: the default route is by br-int", true);
	refused("0000:03:00.0", "br-int");
	/* Nor is a disk among what it may lead to. */
	mounted("");
	refused("0000:02:00.0", "");
	/* Another one leads somewhere; a tunnel runs through what has a gateway; and a machine without a way out has none. */
	routed(DEFAULT_BY("br-int") DEFAULT_BY("eth0"));
	says("lost:", false);
	routed(TUNNEL_BY("br-int"));
	says("lost:", true);
	routed(TUNNEL_BY("br-int") GATEWAY_BY("eth0"));
	says("lost:", false);
	routed(DEFAULT_BY("br-int") GATEWAY_BY("eth0"));
	says("lost:", true);
	routed("");
	says("lost:", false);
}

/* --- what a loss bars --- */

static void a_pool_named_router_bars_disks_and_no_interface(void **state)
{
	(void)state;
	mounted("21 1 0:27 / /srv/routes rw - zfs router/data rw\n");
	says("lost: /srv/routes is ZFS (router/data", true);
	refused("0000:02:00.0", "router/data");
	refused("0000:03:00.0", "");
}

/* --- names that are no text --- */

static void plain(const char *text, const char *wanted)
{
	char *is = text_plain(text);

	assert_string_equal(is, wanted);
	free(is);
}

static void bytes_outside_utf8_are_written_out(void **state)
{
	(void)state;
	plain("/srv/caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
	      "/srv/caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	plain("caf\xe9", "caf\\xe9");
	plain("\xe2\x82", "\\xe2\\x82");
	/* Too long a form, a surrogate, above the last. */
	plain("\xc0\xaf \xe0\x80\xaf", "\\xc0\\xaf \\xe0\\x80\\xaf");
	plain("\xed\xa0\x80", "\\xed\\xa0\\x80");
	plain("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_array_that_holds_an_nvme_disk_is_seen),
		TEST(so_is_one_that_holds_a_partition_of_it),
		TEST(a_partition_of_an_array_leads_to_its_disks),
		TEST(a_volume_of_zfs_is_lost_and_a_loop_is_not),
		TEST(ports_of_a_switch_carry_its_bridges_route),
		TEST(a_default_route_that_leads_nowhere_is_lost),
		TEST(every_disk_of_a_btrfs_is_seen),
		TEST(every_disk_of_a_bcachefs_is_seen),
		TEST(bytes_outside_utf8_are_written_out),
		TEST(a_pool_named_router_bars_disks_and_no_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
