/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/vpci_virtio_test.c - what of a virtio function a guest sees, and which is refused.
 */
#include "tests/unit/vpci_fixture.h"

#define VIRTIO	    3u /* by index: in the place of one with a BAR of 64 bits */
#define COMMON	    0x40u
#define NOTIFY	    0x50u
#define INTERRUPT   0x64u
#define DEVICE	    0x74u
#define WINDOW	    0x84u
#define SHARED	    0xb0u /* 64 bits wide: not known here */
#define MESSAGES    0x98u
#define COMMON_AT   0x1000u /* in its BAR */
#define ACCESS	    2u	    /* of the features' upper half: VIRTIO_F_ACCESS_PLATFORM */
#define SHARED_TYPE 8u

/* Of the machine: what the window leads to. */
static struct {
	uint32_t features[2], select;
	uint32_t reads; /* of features */
} device;

static uint32_t (*read_plain)(void *context, sp_sbdf_t function, uint32_t offset, uint32_t bytes);
static void (*write_plain)(void *context, sp_sbdf_t function, uint32_t offset, uint32_t bytes,
			   uint32_t value);

static bool is_window(sp_sbdf_t sbdf, uint32_t offset)
{
	return sbdf.sbdf == machine.info[VIRTIO].sbdf.sbdf && offset == WINDOW + WINDOW_DATA &&
	       config_get(VIRTIO, WINDOW + VIRTIO_LENGTH, 4) == 4 &&
	       config_get(VIRTIO, WINDOW + VIRTIO_BAR, 1) ==
		       config_get(VIRTIO, COMMON + VIRTIO_BAR, 1);
}

static uint32_t read_machine(void *context, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes)
{
	if (!is_window(sbdf, offset) || bytes != 4 ||
	    config_get(VIRTIO, WINDOW + VIRTIO_OFFSET, 4) != COMMON_AT + COMMON_FEATURE)
		return read_plain(context, sbdf, offset, bytes);
	device.reads++;
	return device.select < 2 ? device.features[device.select] : 0;
}

static void write_machine(void *context, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes,
			  uint32_t value)
{
	write_plain(context, sbdf, offset, bytes, value);
	if (is_window(sbdf, offset)) {
		assert_int_equal(config_get(VIRTIO, WINDOW + VIRTIO_OFFSET, 4),
				 COMMON_AT + COMMON_FEATURE_SELECT);
		device.select = value;
	}
}

static void set_structure(uint32_t at, uint32_t type, uint32_t bytes, uint32_t offset,
			  uint32_t next)
{
	config_set_capability(VIRTIO, at, CAPABILITY_VENDOR, next);
	config_put(VIRTIO, at + VENDOR_BYTES, 1, bytes);
	config_put(VIRTIO, at + VIRTIO_TYPE, 1, type);
	config_put(VIRTIO, at + VIRTIO_BAR, 4, 4);
	config_put(VIRTIO, at + VIRTIO_OFFSET, 4, offset);
	config_put(VIRTIO, at + VIRTIO_LENGTH, 4, 0x1000);
}

/* As QEMU's virtio-gpu-pci, with shared memory. */
static int virtio_machine(void **state)
{
	(void)vpci_machine(state);
	config_put(VIRTIO, CONFIG_ID, 4, 0x10501af4);
	config_put(VIRTIO, CONFIG_COMMAND, 4, STATUS_CAPABILITIES);
	config_put(VIRTIO, CONFIG_CAPABILITIES, 1, WINDOW);
	set_structure(WINDOW, VIRTIO_WINDOW, WINDOW_BYTES, 0, SHARED);
	set_structure(SHARED, SHARED_TYPE, 24, 0, MESSAGES);
	config_set_capability(VIRTIO, MESSAGES, CAPABILITY_MSIX, NOTIFY);
	config_put(VIRTIO, MESSAGES + 2, 2, 2);
	config_put(VIRTIO, MESSAGES + 4, 4, 0);
	set_structure(NOTIFY, VIRTIO_NOTIFY, 20, 0x3000, DEVICE);
	config_put(VIRTIO, NOTIFY + 16, 4, 4);
	set_structure(DEVICE, VIRTIO_DEVICE, 16, 0x2000, INTERRUPT);
	set_structure(INTERRUPT, VIRTIO_INTERRUPT, 16, 0x1800, COMMON);
	set_structure(COMMON, VIRTIO_COMMON, 16, COMMON_AT, 0);
	memset(&device, 0, sizeof(device));
	device.features[1] = ACCESS | 1;
	device.select = 7;
	read_plain = machine.vpci.read;
	write_plain = machine.vpci.write;
	machine.vpci.read = read_machine;
	machine.vpci.write = write_machine;
	return 0;
}

/* The guest's list, in its order. */
static void assert_list(const uint32_t *wanted, size_t count)
{
	uint32_t at = guest_read(CONFIG_CAPABILITIES, 1);

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(at, wanted[i]);
		at = guest_read(at + 1, 1);
	}
	assert_int_equal(at, 0);
}

static void its_structures_are_shown_but_not_the_window(void **state)
{
	static const uint32_t wanted[] = { MESSAGES, NOTIFY, DEVICE, INTERRUPT, COMMON };

	(void)state;
	assert_int_equal(guest_add(VIRTIO), SP_OK);
	assert_list(wanted, sizeof(wanted) / sizeof(wanted[0]));
	assert_int_equal(guest_read(COMMON, 1), CAPABILITY_VENDOR);
	assert_int_equal(guest_read(COMMON + VENDOR_BYTES, 2), VIRTIO_COMMON << 8 | 16);
	assert_int_equal(guest_read(COMMON + VIRTIO_BAR, 1), 4);
	assert_int_equal(guest_read(COMMON + VIRTIO_OFFSET, 4), COMMON_AT);
	assert_int_equal(guest_read(NOTIFY + 16, 4), 4);
	for (uint32_t at = 0; at < WINDOW_BYTES; at += 4)
		assert_int_equal(guest_read(WINDOW + at, 4), 0);
	assert_int_equal(guest_read(SHARED, 4), 0);
}

/* Not one of them, nor the hidden window, leads a write to the function. */
static void nothing_of_them_can_be_written(void **state)
{
	uint32_t was;

	(void)state;
	assert_int_equal(guest_add(VIRTIO), SP_OK);
	for (uint32_t at = COMMON; at < MESSAGES; at += 4) {
		was = guest_read(at, 4);
		assert_int_equal(guest_write(at, 4, ~was), 0);
		assert_int_equal(guest_read(at, 4), was);
	}
	assert_int_equal(machine.writes, 0);
}

static void without_the_filter_the_window_is_shown(void **state)
{
	(void)state;
	machine.vpci.mutant = SP_MUT_WINDOW_SHOWN;
	assert_int_equal(guest_add(VIRTIO), SP_OK);
	assert_int_equal(guest_read(CONFIG_CAPABILITIES, 1), WINDOW);
	assert_int_equal(guest_read(WINDOW + VIRTIO_TYPE, 1), VIRTIO_WINDOW);
}

/* What it means is known of virtio alone. */
static void another_vendors_own_stay_hidden(void **state)
{
	static const uint32_t ids[] = { 0x10508086, 0x0fff1af4, 0x10801af4 },
			      wanted[] = { MESSAGES };

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_int_equal(virtio_machine(NULL), 0);
		config_put(VIRTIO, CONFIG_ID, 4, ids[i]);
		assert_int_equal(guest_add(VIRTIO), SP_OK);
		assert_list(wanted, 1);
		assert_int_equal(device.reads, 0);
	}
}

/* Too short for what it is, or over the end. */
static void structures_that_lie_are_hidden(void **state)
{
	static const uint32_t wanted[] = { MESSAGES, NOTIFY, DEVICE, COMMON };

	(void)state;
	config_put(VIRTIO, INTERRUPT + VENDOR_BYTES, 1, 15);
	config_put(VIRTIO, SHARED + VENDOR_BYTES, 1, 0xff);
	config_put(VIRTIO, SHARED + VIRTIO_TYPE, 1, VIRTIO_DEVICE);
	assert_int_equal(guest_add(VIRTIO), SP_OK);
	assert_list(wanted, sizeof(wanted) / sizeof(wanted[0]));
}

static void the_question_leaves_no_trace(void **state)
{
	(void)state;
	assert_int_equal(guest_add(VIRTIO), SP_OK);
	assert_int_equal(device.reads, 1);
	assert_int_equal(device.select, 0);
}

static void assert_refused(void)
{
	assert_int_equal(guest_add(VIRTIO), SP_UNSUPPORTED);
	assert_non_null(strstr(machine.why.chars, "virtio without ACCESS_PLATFORM"));
	assert_int_equal(guest_read(CONFIG_ID, 4), 0xffffffff);
}

static void one_that_passes_its_unit_by_is_refused(void **state)
{
	(void)state;
	device.features[1] = ~ACCESS;
	device.features[0] = ~0u;
	assert_refused();
}

static void one_that_cannot_be_asked_is_refused(void **state)
{
	static const struct {
		uint32_t at, value;
	} rows[] = { { COMMON + VIRTIO_TYPE, SHARED_TYPE }, /* legacy */
		     { WINDOW + VIRTIO_TYPE, SHARED_TYPE },
		     { COMMON + VENDOR_BYTES, 15 },
		     { WINDOW + VENDOR_BYTES, 16 },
		     { CONFIG_COMMAND + 2, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(virtio_machine(NULL), 0);
		config_put(VIRTIO, rows[i].at, 1, rows[i].value);
		assert_refused();
		assert_int_equal(device.reads, 0);
	}
}

/* Its id says that it can do both; that it does not is in its features. */
static void a_transitional_one_is_asked_too(void **state)
{
	(void)state;
	config_put(VIRTIO, CONFIG_ID, 4, 0x10001af4);
	assert_int_equal(guest_add(VIRTIO), SP_OK);
	assert_int_equal(virtio_machine(NULL), 0);
	config_put(VIRTIO, CONFIG_ID, 4, 0x10001af4);
	device.features[1] = 0;
	assert_refused();
}

static void without_the_check_one_that_passes_its_unit_by_is_shown(void **state)
{
	(void)state;
	device.features[1] = 0;
	machine.vpci.mutant = SP_MUT_PLATFORM_UNCHECKED;
	assert_int_equal(guest_add(VIRTIO), SP_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(its_structures_are_shown_but_not_the_window, virtio_machine),
		cmocka_unit_test_setup(nothing_of_them_can_be_written, virtio_machine),
		cmocka_unit_test_setup(without_the_filter_the_window_is_shown, virtio_machine),
		cmocka_unit_test_setup(another_vendors_own_stay_hidden, virtio_machine),
		cmocka_unit_test_setup(structures_that_lie_are_hidden, virtio_machine),
		cmocka_unit_test_setup(the_question_leaves_no_trace, virtio_machine),
		cmocka_unit_test_setup(one_that_passes_its_unit_by_is_refused, virtio_machine),
		cmocka_unit_test_setup(one_that_cannot_be_asked_is_refused, virtio_machine),
		cmocka_unit_test_setup(a_transitional_one_is_asked_too, virtio_machine),
		cmocka_unit_test_setup(without_the_check_one_that_passes_its_unit_by_is_shown,
				       virtio_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
