/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/pci_test.c - functions, buses, requester ids, registers and resets, on a configuration
 * space that may lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sallyport/passthrough.h>

#include "memory_stub.h"
#include "pci/function.h"

#define SPACE	256u
#define MANY	48u
#define PCIE_AT 0x40u
#define AF_AT	0x80u
#define MILLI	1000000ull
#define FLR	(1u << 28)

/* What one function's configuration space holds, and how it behaves. */
struct space {
	sp_sbdf_t sbdf;
	uint8_t bytes[SPACE];
	uint32_t bar_mask[SP_BARS]; /* bits that can be written */
	uint64_t pending_until;	    /* transactions pending */
	uint64_t silent_until;	    /* does not answer, after a reset */
	uint64_t silence;	    /* that its reset brings */
	uint32_t resets;
	bool was_sized_while_decoding;
	bool reset_while_pending;
	bool touched_early; /* within 100 ms of its reset */
	uint64_t reset_at;
};

struct machine {
	struct space space[MANY];
	uint32_t count;
	uint64_t now;
	uint32_t reads;
	uint32_t warnings, errors;
	char line[256];
	void *arena;
	struct sp_host *host;
};

static struct machine *machine; /* the one under test */

/* ---- the platform ---- */

static struct space *find_space(sp_sbdf_t sbdf)
{
	for (uint32_t i = 0; i < machine->count; i++)
		if (machine->space[i].sbdf.sbdf == sbdf.sbdf)
			return &machine->space[i];
	return NULL;
}

/* 6.6.2: nobody touches a function in the 100 ms after its reset. */
static struct space *touch_space(sp_sbdf_t sbdf)
{
	struct space *space = find_space(sbdf);

	if (space && space->resets && machine->now - space->reset_at < 100 * MILLI)
		space->touched_early = true;
	return space;
}

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

uint32_t platform_config_read(void *embedder, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes)
{
	struct space *space = touch_space(sbdf);

	(void)embedder;
	machine->reads++;
	if (!space || offset + bytes > SPACE || machine->now < space->silent_until)
		return 0xffffffff >> (32 - 8 * bytes);
	if (offset == PCIE_AT + 0x0a && bytes == 2)
		return machine->now < space->pending_until ? 0x20 : 0;
	if (offset == AF_AT + 5 && bytes == 1)
		return machine->now < space->pending_until ? 1 : 0;
	return get(space, offset, bytes);
}

static void reset_space(struct space *space)
{
	space->resets++;
	space->reset_while_pending |= machine->now < space->pending_until;
	space->silent_until = machine->now + space->silence;
	space->reset_at = machine->now;
	put(space, 4, 2, 0);
	for (uint32_t i = 0; i < SP_BARS; i++)
		put(space, 0x10 + 4 * i, 4, 0);
	put(space, PCIE_AT + 8, 2, 0);
}

void platform_config_write(void *embedder, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes,
			   uint32_t value)
{
	struct space *space = touch_space(sbdf);
	uint32_t index = (offset - 0x10) / 4;

	(void)embedder;
	if (!space || machine->now < space->silent_until)
		return;
	if (offset >= 0x10 && offset < 0x28 && space->bytes[0x0e] % 0x80 == 0) {
		value = (value & space->bar_mask[index]) |
			(get(space, offset, 4) & ~space->bar_mask[index] & 0xf);
		space->was_sized_while_decoding |= get(space, 4, 2) & 3;
	}
	put(space, offset, bytes, value);
	if (offset == PCIE_AT + 8 && value & 0x8000)
		reset_space(space);
	if (offset == AF_AT + 4 && value & 1 && bytes == 1)
		reset_space(space);
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	(void)embedder;
	machine->warnings += level == SP_LOG_WARNING;
	machine->errors += level == SP_LOG_ERROR;
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

static void make(uint32_t functions)
{
	const struct sp_limits limits = { .functions = functions, .domains = 1 };
	size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;

	machine = calloc(1, sizeof(*machine));
	machine->arena = aligned_alloc(64, bytes);
	machine->host = sp_host_create(machine->arena, bytes, &limits, machine);
	assert_non_null(machine->host);
}

static int make_usual(void **state)
{
	(void)state;
	make(32);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	free(machine->arena);
	free(machine);
	return 0;
}

static struct space *add(uint32_t bus, uint32_t device, uint32_t number)
{
	struct space *space = &machine->space[machine->count++];

	assert_in_range(machine->count, 1, MANY);
	space->sbdf = sp_sbdf(0, bus, device, number);
	put(space, 0, 4, 0x11e81234);
	put(space, 8, 4, 0x00ff0010);
	return space;
}

static struct space *add_bridge(uint32_t bus, uint32_t device, uint32_t secondary,
				uint32_t subordinate)
{
	struct space *space = add(bus, device, 0);

	put(space, 8, 4, 0x06040000);
	put(space, 0x0e, 1, 1);
	put(space, 0x18, 1, bus);
	put(space, 0x19, 1, secondary);
	put(space, 0x1a, 1, subordinate);
	return space;
}

/* A PCI Express capability, of this type of port and with these device capabilities. */
static void make_express(struct space *space, uint32_t type, uint32_t capabilities)
{
	put(space, 6, 2, 0x10);
	put(space, 0x34, 1, PCIE_AT);
	put(space, PCIE_AT, 2, 0x0010);
	put(space, PCIE_AT + 2, 2, type << 4 | 2);
	put(space, PCIE_AT + 4, 4, capabilities);
}

static void make_advanced(struct space *space, uint32_t capabilities)
{
	put(space, 6, 2, 0x10);
	put(space, 0x34, 1, AF_AT);
	put(space, AF_AT, 4, 0x00060013 | capabilities << 24);
}

static void scan(void)
{
	assert_int_equal(sp_pci_scan(machine->host, 0), SP_OK);
}

static struct function *found(uint32_t bus, uint32_t device, uint32_t number)
{
	return function_find(machine->host, sp_sbdf(0, bus, device, number));
}

static bool has_id(const struct function *function, uint16_t id)
{
	for (uint32_t i = 0; i < function->requester_count; i++)
		if (function->requester[i] == id)
			return true;
	return false;
}

/* ---- buses ---- */

static void functions_behind_bridges_are_found(void **state)
{
	(void)state;
	add(0, 2, 0);
	make_express(add_bridge(0, 3, 1, 3), 4, 0);
	make_express(add_bridge(1, 0, 2, 2), 5, 0);
	add(2, 7, 0);
	scan();
	assert_int_equal(machine->host->function_count, 4);
	assert_non_null(found(2, 7, 0));
	assert_int_equal(found(2, 7, 0)->parent, found(1, 0, 0) - machine->host->functions);
	assert_int_equal(found(0, 2, 0)->parent, -1);
	assert_int_equal(found(2, 7, 0)->requester_count, 1);
}

static void other_functions_are_asked_only_where_the_first_says_so(void **state)
{
	(void)state;
	add(0, 2, 0);
	add(0, 2, 1);
	put(add(0, 3, 0), 0x0e, 1, 0x80);
	add(0, 3, 5);
	scan();
	assert_null(found(0, 2, 1));
	assert_non_null(found(0, 3, 5));
	assert_int_equal(machine->host->function_count, 3);
}

static void a_further_root_bus_is_found(void **state)
{
	(void)state;
	add(0, 2, 0);
	add(0x40, 0, 0);
	add_bridge(0x40, 1, 0x41, 0x41);
	add(0x41, 0, 0);
	scan();
	assert_non_null(found(0x40, 0, 0));
	assert_non_null(found(0x41, 0, 0));
}

static void a_bridge_to_its_own_bus_is_not_followed(void **state)
{
	(void)state;
	add_bridge(0, 1, 0, 5);
	add(0, 2, 0);
	scan();
	assert_int_equal(machine->warnings, 1);
	assert_int_equal(machine->host->function_count, 2);
	assert_int_equal(found(0, 2, 0)->parent, -1);
}

static void bridges_that_make_a_circle_are_left(void **state)
{
	(void)state;
	add_bridge(0, 1, 1, 4);
	add_bridge(1, 0, 2, 4);
	add_bridge(2, 0, 1, 4);
	scan();
	assert_int_equal(machine->host->function_count, 3);
	assert_int_equal(machine->warnings, 1);
	assert_int_equal(found(2, 0, 0)->secondary_bus, 0);
}

static void a_reversed_range_is_not_followed(void **state)
{
	(void)state;
	add_bridge(0, 1, 5, 3);
	scan();
	assert_int_equal(machine->warnings, 1);
	assert_non_null(strstr(machine->line, "0000:00:01.0"));
	assert_int_equal(found(0, 1, 0)->secondary_bus, 0);
}

static void two_bridges_to_one_bus_do_not_share_it(void **state)
{
	(void)state;
	add_bridge(0, 1, 1, 1);
	add_bridge(0, 2, 1, 2);
	add(1, 0, 0);
	scan();
	assert_int_equal(found(1, 0, 0)->parent, 0);
	assert_int_equal(machine->warnings, 1);
}

static void overlapping_ranges_are_cut(void **state)
{
	(void)state;
	add_bridge(0, 1, 4, 6);
	add_bridge(0, 2, 2, 5);
	add(2, 0, 0);
	add(4, 0, 0);
	scan();
	assert_int_equal(found(0, 2, 0)->subordinate_bus, 3);
	assert_int_equal(found(4, 0, 0)->parent, 0);
	assert_int_equal(found(2, 0, 0)->parent, found(0, 2, 0) - machine->host->functions);
}

static void a_bridge_cannot_claim_more_than_the_one_above_it(void **state)
{
	(void)state;
	add_bridge(0, 1, 1, 2);
	add_bridge(1, 0, 2, 9);
	add(9, 0, 0);
	scan();
	assert_int_equal(found(1, 0, 0)->subordinate_bus, 2);
	assert_int_equal(found(9, 0, 0)->parent, -1);
}

static void a_full_table_of_functions_is_told(void **state)
{
	(void)state;
	make(2);
	for (uint32_t i = 0; i < 3; i++)
		add(0, i, 0);
	assert_int_equal(sp_pci_scan(machine->host, 0), SP_NO_SPACE);
	assert_non_null(strstr(machine->line, "sp_limits.functions"));
	drop(NULL);
}

static void a_segment_is_scanned_once(void **state)
{
	(void)state;
	add(0, 2, 0);
	scan();
	assert_int_equal(sp_pci_scan(machine->host, 0), SP_INVALID);
	assert_int_equal(machine->host->function_count, 1);
}

/* ---- requester ids ---- */

static void behind_a_bridge_from_express_requests_carry_its_bus_or_its_own_id(void **state)
{
	const struct function *function;

	(void)state;
	make_express(add_bridge(0, 3, 1, 2), 4, 0);
	make_express(add_bridge(1, 0, 2, 2), 7, 0);
	add(2, 5, 0);
	scan();
	function = found(2, 5, 0);
	assert_int_equal(function->requester_count, 3);
	assert_true(has_id(function, 0x0228) && has_id(function, 0x0200) &&
		    has_id(function, 0x0100));
}

static void behind_a_conventional_bridge_requests_carry_its_id(void **state)
{
	(void)state;
	add_bridge(0, 0x1e, 4, 4);
	add(4, 2, 0);
	scan();
	assert_int_equal(found(4, 2, 0)->requester_count, 2);
	assert_true(has_id(found(4, 2, 0), 0x00f0));
}

static void phantom_functions_count_where_they_are_enabled(void **state)
{
	struct space *space;

	(void)state;
	space = add(0, 2, 0);
	make_express(space, 0, 2u << 3);
	put(space, PCIE_AT + 8, 2, 0x200);
	make_express(add(0, 3, 0), 0, 2u << 3);
	scan();
	assert_int_equal(found(0, 2, 0)->requester_count, 4);
	for (uint16_t i = 0; i < 4; i++)
		assert_true(has_id(found(0, 2, 0), (uint16_t)(0x10 | i << 1)));
	assert_int_equal(found(0, 3, 0)->requester_count, 1);
}

static void a_function_with_more_ids_than_fit_is_unusable(void **state)
{
	struct space *space;

	(void)state;
	add_bridge(0, 1, 1, 1);
	space = add(1, 0, 0);
	make_express(space, 0, 3u << 3);
	put(space, PCIE_AT + 8, 2, 0x200);
	scan();
	assert_true(found(1, 0, 0)->unusable);
	assert_int_equal(found(1, 0, 0)->requester_count, SP_REQUESTERS);
	assert_int_equal(machine->warnings, 1);
}

/* ---- capabilities ---- */

static void a_list_of_capabilities_that_loops_ends(void **state)
{
	struct space *space;

	(void)state;
	space = add(0, 2, 0);
	put(space, 6, 2, 0x10);
	put(space, 0x34, 1, 0x40);
	put(space, 0x40, 2, 0x5005);
	put(space, 0x50, 2, 0x4009);
	scan();
	assert_int_equal(found(0, 2, 0)->pcie, 0);
	assert_in_range(machine->warnings, 1, 2);
	assert_in_range(machine->reads, 1, 20000);
}

static void a_list_that_leads_into_the_header_ends(void **state)
{
	struct space *space;

	(void)state;
	space = add(0, 2, 0);
	put(space, 6, 2, 0x10);
	put(space, 0x34, 1, 0x40);
	put(space, 0x40, 2, 0x0405);
	scan();
	assert_int_equal(found(0, 2, 0)->pcie, 0);
}

/* ---- base address registers ---- */

static void registers_are_sized_and_put_back(void **state)
{
	const struct sp_bar *bar;
	struct space *space;

	(void)state;
	space = add(0, 2, 0);
	space->bar_mask[0] = 0xfff00000;
	put(space, 0x10, 4, 0xfeb00000);
	space->bar_mask[1] = 0xffffffe0;
	put(space, 0x14, 4, 0xc001);
	space->bar_mask[2] = 0xffff0000;
	space->bar_mask[3] = 0xffffffff;
	put(space, 0x18, 4, 0x8000000c);
	put(space, 0x1c, 4, 0x12);
	put(space, 4, 2, 7);
	scan();
	bar = found(0, 2, 0)->bar;
	assert_int_equal(bar[0].address.maddr, 0xfeb00000);
	assert_int_equal(bar[0].bytes, 0x100000);
	assert_false(bar[0].prefetchable);
	assert_int_equal(bar[1].bytes, 0);
	assert_int_equal(bar[2].address.maddr, 0x1280000000);
	assert_int_equal(bar[2].bytes, 0x10000);
	assert_true(bar[2].prefetchable);
	assert_int_equal(bar[3].bytes, 0);
	assert_int_equal(get(space, 0x10, 4), 0xfeb00000);
	assert_int_equal(get(space, 0x18, 4), 0x8000000c);
	assert_int_equal(get(space, 0x1c, 4), 0x12);
	assert_int_equal(get(space, 4, 2), 7);
	assert_false(space->was_sized_while_decoding);
}

static void a_wide_register_in_the_last_place_reads_nothing_beyond(void **state)
{
	struct space *space;

	(void)state;
	space = add(0, 2, 0);
	space->bar_mask[5] = 0xfffff000;
	put(space, 0x24, 4, 0xfeb00004);
	scan();
	assert_int_equal(found(0, 2, 0)->bar[5].bytes, 0x1000);
}

static void a_register_with_holes_in_its_mask_is_refused(void **state)
{
	struct space *space;

	(void)state;
	space = add(0, 2, 0);
	space->bar_mask[0] = 0xf0f00000;
	put(space, 0x10, 4, 0xf0b00000);
	scan();
	assert_int_equal(found(0, 2, 0)->bar[0].bytes, 0);
	assert_int_equal(machine->warnings, 1);
}

static void a_register_without_an_address_is_no_register(void **state)
{
	struct space *space;

	(void)state;
	space = add(0, 2, 0);
	space->bar_mask[0] = 0xfff00000;
	scan();
	assert_int_equal(found(0, 2, 0)->bar[0].bytes, 0);
	assert_int_equal(machine->warnings, 0);
}

/* ---- bus mastering, reset ---- */

static void bus_mastering_is_one_bit(void **state)
{
	struct space *space;

	(void)state;
	space = add(0, 2, 0);
	put(space, 4, 2, 0x0143);
	scan();
	function_set_master(machine->host, found(0, 2, 0), true);
	assert_int_equal(get(space, 4, 2), 0x0147);
	function_set_master(machine->host, found(0, 2, 0), false);
	assert_int_equal(get(space, 4, 2), 0x0143);
}

static struct space *resettable(void)
{
	struct space *space = add(0, 2, 0);

	make_express(space, 0, FLR);
	space->bar_mask[0] = 0xfff00000;
	put(space, 0x10, 4, 0xfeb00000);
	put(space, 4, 2, 3);
	put(space, PCIE_AT + 8, 2, 0x2810);
	scan();
	return space;
}

static void a_reset_waits_and_puts_back_what_it_cleared(void **state)
{
	struct space *space = resettable();

	(void)state;
	space->pending_until = machine->now + 50 * MILLI;
	space->silence = 150 * MILLI;
	assert_int_equal(function_reset(machine->host, found(0, 2, 0)), SP_OK);
	assert_int_equal(space->resets, 1);
	assert_false(space->reset_while_pending);
	assert_false(space->touched_early);
	assert_int_equal(get(space, 0x10, 4), 0xfeb00000);
	assert_int_equal(get(space, 4, 2), 3);
	assert_int_equal(get(space, PCIE_AT + 8, 2), 0x2810);
}

static void transactions_that_never_end_do_not_prevent_the_reset(void **state)
{
	struct space *space = resettable();

	(void)state;
	space->pending_until = UINT64_MAX;
	assert_int_equal(function_reset(machine->host, found(0, 2, 0)), SP_OK);
	assert_int_equal(space->resets, 1);
	assert_int_equal(machine->warnings, 1);
}

static void a_function_that_does_not_come_back_is_lost(void **state)
{
	struct space *space = resettable();

	(void)state;
	space->silence = 1ull << 62;
	assert_int_equal(function_reset(machine->host, found(0, 2, 0)), SP_LOST);
	assert_int_equal(machine->errors, 1);
	assert_in_range(machine->now, 0, 10000 * MILLI);
}

static void a_conventional_function_is_reset_by_advanced_features(void **state)
{
	struct space *space;

	(void)state;
	space = add(0, 2, 0);
	make_advanced(space, 3);
	scan();
	space->pending_until = machine->now + 20 * MILLI;
	assert_int_equal(function_reset(machine->host, found(0, 2, 0)), SP_OK);
	assert_int_equal(space->resets, 1);
	assert_false(space->reset_while_pending);
	assert_false(space->touched_early);
}

static void a_function_without_a_reset_says_so(void **state)
{
	struct sp_function_info info;
	struct space *space;

	(void)state;
	space = add(0, 2, 0);
	make_express(space, 0, 0);
	scan();
	assert_int_equal(function_reset(machine->host, found(0, 2, 0)), SP_UNSUPPORTED);
	assert_int_equal(sp_function_info(machine->host, 0, &info), SP_OK);
	assert_false(info.can_reset);
	assert_int_equal(sp_function_info(machine->host, 1, &info), SP_NOT_FOUND);
}

static void what_was_found_is_told(void **state)
{
	struct sp_function_info info;

	(void)state;
	resettable();
	assert_int_equal(sp_function_info(machine->host, 0, &info), SP_OK);
	assert_int_equal(info.vendor, 0x1234);
	assert_int_equal(info.device, 0x11e8);
	assert_int_equal(info.class_code, 0x00ff00);
	assert_true(info.can_reset && !info.is_bridge && !info.covered);
	assert_null(info.owner);
	assert_int_equal(info.bar[0].bytes, 0x100000);
	assert_int_equal(info.requester[0], 0x10);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_usual, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(functions_behind_bridges_are_found),
		T(other_functions_are_asked_only_where_the_first_says_so),
		T(a_further_root_bus_is_found),
		T(a_bridge_to_its_own_bus_is_not_followed),
		T(bridges_that_make_a_circle_are_left),
		T(a_reversed_range_is_not_followed),
		T(two_bridges_to_one_bus_do_not_share_it),
		T(overlapping_ranges_are_cut),
		T(a_bridge_cannot_claim_more_than_the_one_above_it),
		cmocka_unit_test(a_full_table_of_functions_is_told),
		T(a_segment_is_scanned_once),
		T(behind_a_bridge_from_express_requests_carry_its_bus_or_its_own_id),
		T(behind_a_conventional_bridge_requests_carry_its_id),
		T(phantom_functions_count_where_they_are_enabled),
		T(a_function_with_more_ids_than_fit_is_unusable),
		T(a_list_of_capabilities_that_loops_ends),
		T(a_list_that_leads_into_the_header_ends),
		T(registers_are_sized_and_put_back),
		T(a_wide_register_in_the_last_place_reads_nothing_beyond),
		T(a_register_with_holes_in_its_mask_is_refused),
		T(a_register_without_an_address_is_no_register),
		T(bus_mastering_is_one_bit),
		T(a_reset_waits_and_puts_back_what_it_cleared),
		T(transactions_that_never_end_do_not_prevent_the_reset),
		T(a_function_that_does_not_come_back_is_lost),
		T(a_conventional_function_is_reset_by_advanced_features),
		T(a_function_without_a_reset_says_so),
		T(what_was_found_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
