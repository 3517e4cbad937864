/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/sriov_test.c - virtual functions of a device that may lie.
 *
 *   00:03.0  physical, 4 virtual functions at offset 1, stride 1, a BAR of 16 KiB each
 *   00:02.0  another function, with registers at 0xe0004000
 *
 * The space answers as PCI Express base 6.0, 9.3.3 and 9.3.4 say; each test changes what it lies about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sallyport/passthrough.h>

#include "memory_stub.h"
#include "pci/function.h"

#define SPACE	  4096u
#define MANY	  12u
#define FUNCTIONS 10u
#define PCIE	  0x40u
#define SRIOV	  0x160u
#define CONTROL	  (SRIOV + 0x08u)
#define TOTAL	  (SRIOV + 0x0eu)
#define COUNT	  (SRIOV + 0x10u)
#define OFFSET	  (SRIOV + 0x14u)
#define STRIDE	  (SRIOV + 0x16u)
#define PAGES	  (SRIOV + 0x1cu)
#define BAR(n)	  (SRIOV + 0x24u + 4 * (n))
#define MILLI	  1000000ull
#define WINDOW	  0xe0000000ull

struct space {
	uint32_t sbdf;
	uint8_t bytes[SPACE];
	uint32_t bar_mask; /* of BAR 0 */
};

struct machine {
	struct space space[MANY];
	uint32_t count;
	uint32_t vf_mask[SP_BARS]; /* of the physical function's VF BARs: bits that can be written */
	uint64_t now, on_at, off_at;
	bool early, changed_while_on;
	uint32_t silent; /* this virtual function does not answer; 0: none */
	char line[256];
	void *arena;
	struct sp_host *host;
};

static struct machine *machine;
static struct space *physical;

static const struct sp_window window = { { WINDOW }, 0x100000 };
static const sp_sbdf_t own = { 0x18 };

/* ---- the platform ---- */

static uint32_t get(const struct space *space, uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	memcpy(&value, &space->bytes[offset], bytes);
	return value;
}

static void put(struct space *space, uint32_t offset, uint32_t bytes, uint32_t value)
{
	memcpy(&space->bytes[offset], &value, bytes);
}

static bool are_on(void)
{
	return physical && get(physical, CONTROL, 2) & 1;
}

/* A virtual function has a space of its own while it is on: ids as none, and the class. */
static uint32_t read_virtual(uint32_t sbdf, uint32_t offset, uint32_t bytes)
{
	uint32_t first = physical->sbdf + get(physical, OFFSET, 2);
	uint32_t stride = get(physical, STRIDE, 2);

	for (uint32_t i = 0; are_on() && i < get(physical, COUNT, 2); i++) {
		if (((first + i * stride) & 0xffff) != sbdf || sbdf == machine->silent)
			continue;
		machine->early |= machine->now - machine->on_at < 100 * MILLI;
		if (offset == 8)
			return get(physical, 8, bytes);
		return offset < 4 ? 0xffffffff >> (32 - 8 * bytes) : 0;
	}
	return 0xffffffff >> (32 - 8 * bytes);
}

static struct space *find_space(uint32_t sbdf)
{
	for (uint32_t i = 0; i < machine->count; i++)
		if (machine->space[i].sbdf == sbdf)
			return &machine->space[i];
	return NULL;
}

uint32_t platform_config_read(void *embedder, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes)
{
	const struct space *space = find_space(sbdf.sbdf);

	(void)embedder;
	return space ? get(space, offset, bytes) : read_virtual(sbdf.sbdf, offset, bytes);
}

static void write_sriov(uint32_t offset, uint32_t bytes, uint32_t value)
{
	bool was_on = are_on();

	for (uint32_t i = 0; i < SP_BARS; i++)
		if (offset == BAR(i))
			value = (value & machine->vf_mask[i]) |
				(get(physical, offset, 4) & ~machine->vf_mask[i]);
	if (was_on && offset != CONTROL && value != get(physical, offset, bytes))
		machine->changed_while_on = true;
	put(physical, offset, bytes, value);
	if (!was_on && are_on()) {
		machine->early |= machine->off_at && machine->now - machine->off_at < 1000 * MILLI;
		machine->on_at = machine->now;
	}
	if (was_on && !are_on())
		machine->off_at = machine->now;
}

void platform_config_write(void *embedder, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes,
			   uint32_t value)
{
	struct space *space = find_space(sbdf.sbdf);

	(void)embedder;
	if (!space)
		return;
	if (space == physical && offset >= CONTROL && offset < BAR(SP_BARS)) {
		write_sriov(offset, bytes, value);
		return;
	}
	if (offset >= 0x10 && offset < 0x28 && space->bytes[0x0e] == 0)
		value = offset == 0x10 ? value & space->bar_mask : 0;
	put(space, offset, bytes, value);
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	(void)embedder;
	(void)level;
	strncpy(machine->line, line, sizeof(machine->line) - 1);
}

uint64_t platform_now(void *embedder)
{
	(void)embedder;
	return machine->now += 1000;
}

void platform_relax(void *embedder)
{
	(void)embedder;
	machine->now += MILLI;
}

_Noreturn void platform_panic(void *embedder, const char *line)
{
	(void)embedder;
	fail_msg("%s", line);
	abort();
}

uint32_t platform_self(void *embedder)
{
	(void)embedder;
	return 0;
}

/* ---- machines ---- */

static struct space *add(uint32_t sbdf, uint32_t bar, uint32_t bytes)
{
	struct space *space = &machine->space[machine->count++];

	assert_in_range(machine->count, 1, MANY);
	space->sbdf = sbdf;
	space->bar_mask = bytes ? ~(bytes - 1) : 0;
	put(space, 0, 4, 0x11e81234);
	put(space, 8, 4, 0x01080210);
	put(space, 0x10, 4, bar);
	return space;
}

static struct space *add_bridge(uint32_t sbdf, uint32_t secondary, uint32_t subordinate)
{
	struct space *space = add(sbdf, 0, 0);

	put(space, 8, 4, 0x06040000);
	put(space, 0x0e, 1, 1);
	put(space, 0x19, 1, secondary);
	put(space, 0x1a, 1, subordinate);
	put(space, 0x34, 1, PCIE);
	put(space, 6, 2, 0x10);
	put(space, PCIE, 4, 0x00420010); /* a root port */
	put(space, 0x20, 4, 0x0000fff0); /* nothing is led down */
	put(space, 0x24, 4, 0x0000fff0);
	return space;
}

static void add_physical(uint32_t sbdf)
{
	physical = add(sbdf, 0xe0000000, 0x4000);
	put(physical, 6, 2, 0x10);
	put(physical, 0x34, 1, PCIE);
	put(physical, PCIE, 4, 0x00020010);
	put(physical, 0x100, 4, SRIOV << 20 | 0x1000e);
	put(physical, SRIOV, 4, 0x10010);
	put(physical, SRIOV + 0x0c, 4, 0x00040004);
	put(physical, OFFSET, 2, 1);
	put(physical, STRIDE, 2, 1);
	put(physical, SRIOV + 0x1a, 2, 0x5678);
	put(physical, PAGES, 4, 0x553);
	put(physical, BAR(0), 4, 0xc);
	machine->vf_mask[0] = 0xffffc000;
	machine->vf_mask[1] = 0xffffffff;
}

static int make(void **state)
{
	const struct sp_limits limits = { .functions = FUNCTIONS, .domains = 1 };
	size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;

	(void)state;
	machine = calloc(1, sizeof(*machine));
	machine->now = MILLI;
	machine->arena = aligned_alloc(64, bytes);
	machine->host = sp_host_create(machine->arena, bytes, &limits, machine);
	assert_non_null(machine->host);
	add(0x10, 0xe0004000, 0x4000);
	add_physical(own.sbdf);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	free(machine->arena);
	free(machine);
	machine = NULL;
	physical = NULL;
	return 0;
}

static enum sp_status enable(uint32_t count)
{
	if (machine->host->function_count == 0)
		assert_int_equal(sp_pci_scan(machine->host, 0), SP_OK);
	return sp_pci_enable_vfs(machine->host, (sp_sbdf_t){ physical->sbdf }, count, &window);
}

static void choose(enum sp_mutant mutant)
{
	assert_int_equal(sp_mutant_choose(machine->host, mutant), SP_OK);
}

static struct function *found(uint32_t sbdf)
{
	return function_find(machine->host, (sp_sbdf_t){ sbdf });
}

/* This status, with this in the log; and nothing is left on. */
static void assert_refused(uint32_t count, enum sp_status status, const char *why)
{
	uint32_t before = machine->host->function_count;

	assert_int_equal(enable(count), status);
	if (!strstr(machine->line, why))
		fail_msg("\"%s\" is not in \"%s\"", why, machine->line);
	assert_false(are_on());
	if (before)
		assert_int_equal(machine->host->function_count, before);
	assert_null(found(0x19));
}

/* ---- what is sound ---- */

static void they_are_added_as_functions(void **state)
{
	const struct function *third;

	(void)state;
	assert_int_equal(enable(3), SP_OK);
	third = found(0x1b);
	assert_non_null(third);
	assert_null(found(0x1c));
	assert_int_equal(third->vendor, 0x1234);
	assert_int_equal(third->device, 0x5678);
	assert_int_equal(third->class_code, 0x010802);
	assert_int_equal(third->header, 0);
	assert_int_equal(third->requester_count, 1);
	assert_int_equal(third->requester[0], 0x1b);
	assert_int_equal(get(physical, CONTROL, 2), 9);
	assert_int_equal(get(physical, COUNT, 2), 3);
	assert_int_equal(get(physical, SRIOV + 0x20, 4), 1);
	assert_false(machine->early || machine->changed_while_on);
}

/* The first 32 KiB of the window are other functions'. */
static void their_registers_are_where_nobody_is(void **state)
{
	(void)state;
	assert_int_equal(enable(4), SP_OK);
	assert_int_equal(get(physical, BAR(0), 4), WINDOW + 0x8000 + 0xc);
	assert_int_equal(found(0x19)->bar[0].address.maddr, WINDOW + 0x8000);
	assert_int_equal(found(0x1c)->bar[0].address.maddr, WINDOW + 0x14000);
	assert_int_equal(found(0x1c)->bar[0].bytes, 0x4000);
	assert_true(found(0x1c)->bar[0].wide && found(0x1c)->bar[0].prefetchable);
	assert_int_equal(found(0x1c)->bar[1].bytes, 0);
}

static void where_firmware_placed_them_they_stay(void **state)
{
	(void)state;
	put(physical, BAR(0), 4, 0xe0040000 + 0xc);
	assert_int_equal(enable(4), SP_OK);
	assert_int_equal(found(0x1a)->bar[0].address.maddr, 0xe0044000);
}

static void several_registers_do_not_overlap(void **state)
{
	(void)state;
	machine->vf_mask[2] = 0xffff0000;
	machine->vf_mask[3] = 0xfffff000;
	assert_int_equal(enable(2), SP_OK);
	assert_int_equal(found(0x1a)->bar[0].address.maddr, WINDOW + 0xc000);
	assert_int_equal(found(0x1a)->bar[2].address.maddr, WINDOW + 0x20000);
	assert_false(found(0x1a)->bar[2].wide);
	assert_int_equal(found(0x1a)->bar[3].address.maddr, WINDOW + 0x31000);
}

/* Off, a second, on again. */
static void those_that_firmware_left_on_are_switched_off_first(void **state)
{
	(void)state;
	put(physical, COUNT, 2, 4);
	put(physical, CONTROL, 2, 9);
	assert_int_equal(enable(1), SP_OK);
	assert_int_equal(get(physical, COUNT, 2), 1);
	assert_int_not_equal(machine->off_at, 0);
	assert_false(machine->early || machine->changed_while_on);
}

static void another_time_they_are_on_already(void **state)
{
	(void)state;
	assert_int_equal(enable(1), SP_OK);
	assert_int_equal(enable(2), SP_BUSY);
	assert_int_equal(sp_pci_enable_vfs(machine->host, (sp_sbdf_t){ 0x19 }, 1, &window),
			 SP_UNSUPPORTED);
	assert_int_equal(get(physical, COUNT, 2), 1);
}

/* ---- who cannot ---- */

static void what_makes_no_sense_is_refused(void **state)
{
	const struct sp_window round = { { WINDOW }, ~0ull };

	(void)state;
	assert_int_equal(enable(0), SP_INVALID);
	assert_int_equal(sp_pci_enable_vfs(machine->host, (sp_sbdf_t){ 0x80 }, 1, &window),
			 SP_NOT_FOUND);
	assert_int_equal(sp_pci_enable_vfs(machine->host, (sp_sbdf_t){ 0x10 }, 1, &window),
			 SP_UNSUPPORTED);
	assert_int_equal(sp_pci_enable_vfs(machine->host, own, 1, &round), SP_INVALID);
	assert_false(are_on());
}

static void a_capability_beyond_the_end_is_none(void **state)
{
	(void)state;
	put(physical, 0x100, 4, 0xfd0u << 20 | 0x1000e);
	put(physical, 0xfd0, 4, 0x10010);
	assert_refused(1, SP_UNSUPPORTED, "no SR-IOV");
}

static void a_device_without_small_pages_is_refused(void **state)
{
	(void)state;
	put(physical, PAGES, 4, 0x552);
	assert_refused(1, SP_UNSUPPORTED, "4 KiB");
}

static void more_functions_than_fit_are_told(void **state)
{
	(void)state;
	put(physical, SRIOV + 0x0c, 4, 0x00400040);
	assert_refused(FUNCTIONS - 1, SP_NO_SPACE, "sp_limits.functions");
}

/* ---- lies: refused; and without the check, believed ---- */

static void more_than_it_has_are_refused(void **state)
{
	(void)state;
	assert_refused(5, SP_RANGE, "more are asked for");
	put(physical, SRIOV + 0x0c, 2, 1);
	assert_refused(2, SP_RANGE, "more are asked for");
	choose(SP_MUT_VF_COUNT_UNCHECKED);
	assert_int_equal(enable(2), SP_OK);
}

static void a_stride_of_nothing_is_refused(void **state)
{
	(void)state;
	put(physical, STRIDE, 2, 0);
	assert_refused(2, SP_MALFORMED, "same requester id");
	choose(SP_MUT_VF_STRIDE_UNCHECKED);
	assert_int_equal(enable(2), SP_OK);
	choose(SP_MUT_NONE);
}

static void one_alone_needs_no_stride(void **state)
{
	(void)state;
	put(physical, STRIDE, 2, 0);
	assert_int_equal(enable(1), SP_OK);
}

static void one_beyond_the_bus_is_refused(void **state)
{
	(void)state;
	put(physical, STRIDE, 2, 0x80);
	assert_refused(3, SP_RANGE, "beyond the buses");
	put(physical, OFFSET, 2, 0xffff);
	assert_refused(1, SP_RANGE, "beyond the buses");
	put(physical, OFFSET, 2, 1);
	choose(SP_MUT_VF_BUS_UNCHECKED);
	assert_int_equal(enable(3), SP_OK);
}

static void the_bridge_above_may_lead_to_more_buses(void **state)
{
	struct space *bridge = add_bridge(0x20, 1, 3);

	(void)state;
	add_bridge(0x100 + 0x80, 3, 3);
	physical->sbdf = 0x100;
	put(bridge, 0x20, 4, 0xe000e000); /* leads the first MiB of the window */
	put(physical, OFFSET, 2, 0x100);
	put(physical, STRIDE, 2, 0x100);
	assert_refused(2, SP_RANGE, "beyond the buses");
	assert_int_equal(enable(1), SP_OK);
	assert_non_null(found(0x200));
}

static void one_upon_another_function_is_refused(void **state)
{
	(void)state;
	add(0x1a, 0, 0);
	put(physical, 0x0e, 1, 0x80);
	assert_refused(2, SP_RANGE, "another function's requester id");
	put(physical, OFFSET, 2, 0);
	assert_refused(1, SP_RANGE, "another function's requester id");
	/* Then there are two functions of one name: the first that is found is what it was. */
	choose(SP_MUT_VF_TAKEN_UNCHECKED);
	put(physical, OFFSET, 2, 2);
	assert_int_equal(enable(1), SP_OK);
	assert_false(found(0x1a)->is_virtual);
}

static void registers_of_two_in_a_page_are_refused(void **state)
{
	(void)state;
	machine->vf_mask[0] = 0xfffff800;
	assert_refused(2, SP_MALFORMED, "share a page");
	choose(SP_MUT_VF_SMALL_UNCHECKED);
	assert_int_equal(enable(2), SP_OK);
}

static void registers_with_holes_are_refused(void **state)
{
	(void)state;
	machine->vf_mask[0] = 0xffff4000;
	assert_refused(1, SP_MALFORMED, "contradicts itself");
	machine->vf_mask[0] = 0xffffc000;
	put(physical, BAR(0), 4, 1);
	assert_refused(1, SP_MALFORMED, "contradicts itself");
}

static void registers_larger_than_the_window_are_refused(void **state)
{
	(void)state;
	machine->vf_mask[0] = 0xfff80000;
	assert_refused(2, SP_NO_SPACE, "no room");
	machine->vf_mask[0] = 0;
	machine->vf_mask[1] = 0xfff80000;
	assert_refused(2, SP_MALFORMED, "larger than any machine");
}

/* Firmware, or the device, says that they lie upon 00:02.0's registers. */
static void registers_upon_others_are_moved(void **state)
{
	(void)state;
	put(physical, BAR(0), 4, 0xe0004000 + 0xc);
	assert_int_equal(enable(1), SP_OK);
	assert_int_equal(found(0x19)->bar[0].address.maddr, WINDOW + 0x8000);
}

static void without_the_check_registers_lie_upon_others(void **state)
{
	(void)state;
	put(physical, BAR(0), 4, 0xe0004000 + 0xc);
	choose(SP_MUT_VF_OVERLAP_UNCHECKED);
	assert_int_equal(enable(1), SP_OK);
	assert_int_equal(found(0x19)->bar[0].address.maddr, found(0x10)->bar[0].address.maddr);
}

static void registers_out_of_the_window_are_moved(void **state)
{
	(void)state;
	put(physical, BAR(0), 4, 0x00100000 + 0xc);
	assert_int_equal(enable(1), SP_OK);
	assert_int_equal(found(0x19)->bar[0].address.maddr, WINDOW + 0x8000);
}

static void forbidden_ranges_and_bridges_are_in_the_way(void **state)
{
	struct space *bridge = add_bridge(0x20, 1, 1);

	(void)state;
	put(bridge, 0x20, 4, 0xe000e000); /* all of the window's first MiB is behind it */
	assert_refused(1, SP_NO_SPACE, "no room");
	put(bridge, 0x20, 4, 0x0000fff0);
	assert_int_equal(sp_host_forbid(machine->host, (sp_mfn_t){ 0xe0008 }, 4, "a test"), SP_OK);
	assert_int_equal(enable(1), SP_OK);
	assert_int_equal(found(0x19)->bar[0].address.maddr, WINDOW + 0xc000);
}

static void one_that_does_not_answer_leaves_all_off(void **state)
{
	(void)state;
	machine->silent = 0x1a;
	assert_refused(3, SP_LOST, "does not answer");
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(they_are_added_as_functions),
		T(their_registers_are_where_nobody_is),
		T(where_firmware_placed_them_they_stay),
		T(several_registers_do_not_overlap),
		T(those_that_firmware_left_on_are_switched_off_first),
		T(another_time_they_are_on_already),
		T(what_makes_no_sense_is_refused),
		T(a_capability_beyond_the_end_is_none),
		T(a_device_without_small_pages_is_refused),
		T(more_functions_than_fit_are_told),
		T(more_than_it_has_are_refused),
		T(a_stride_of_nothing_is_refused),
		T(one_alone_needs_no_stride),
		T(one_beyond_the_bus_is_refused),
		T(the_bridge_above_may_lead_to_more_buses),
		T(one_upon_another_function_is_refused),
		T(registers_of_two_in_a_page_are_refused),
		T(registers_with_holes_are_refused),
		T(registers_larger_than_the_window_are_refused),
		T(registers_upon_others_are_moved),
		T(without_the_check_registers_lie_upon_others),
		T(registers_out_of_the_window_are_moved),
		T(forbidden_ranges_and_bridges_are_in_the_way),
		T(one_that_does_not_answer_leaves_all_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
