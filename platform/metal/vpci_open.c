/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vpci_open.c - what of a function its guest is shown, register by register.
 *
 *   header        ids as they are; command, BARs, line: the guest's alone
 *   capabilities  power (D-states that nobody obeys), PCI Express (as a part of the root complex),
 *                 MSI (one vector), MSI-X, where virtio has its structures (vpci_virtio.c); all
 *                 others are taken out of the list
 *   from 0x100    nothing
 */
#include "platform/metal/vpci_open.h"

#include "platform/metal/print.h"
#include "platform/metal/string.h"
#include "platform/metal/vpci_registers.h"

/* Red Hat's for a generic host bridge, class 0600: Linux looks for one before it believes CF8. */
#define HOST_BRIDGE_ID	  0x00081b36u
#define HOST_BRIDGE_CLASS 0x06000000u

uint32_t vpci_open_read(const struct opening *o, uint32_t offset, uint32_t bytes)
{
	return o->vpci->read(o->vpci->context, o->info->sbdf, offset, bytes);
}

enum sp_status vpci_open_refuse(const struct opening *o, enum sp_status status, const char *format,
				...)
{
	va_list arguments;
	size_t used = print(o->why->chars, sizeof(o->why->chars),
			    "%s: ", print_sbdf(o->info->sbdf).chars);

	va_start(arguments, format);
	print_list(o->why->chars + used, sizeof(o->why->chars) - used, format, arguments);
	va_end(arguments);
	return status;
}

/* ---- capabilities ---- */

static struct vpci_register *register_at(const struct opening *o, uint32_t offset)
{
	return &o->function->reg[offset / 4];
}

/* As the function has it, once and for all. */
static void show_constant(const struct opening *o, uint32_t offset, uint32_t bytes)
{
	for (uint32_t at = offset; at < offset + bytes; at += 4)
		register_at(o, at)->value = vpci_open_read(o, at, 4);
}

/*
 * The guest may change the state, and nothing comes of it: a function that really slept would come
 * back without the registers that the hypervisor gave it.
 */
static void open_power(const struct opening *o, uint32_t at)
{
	show_constant(o, at, 4);
	register_at(o, at)->value &= ~POWER_PME;
	*register_at(o, at + 4) =
		(struct vpci_register){ .value = POWER_NO_RESET, .guest = POWER_STATE };
}

/* Messages are the hypervisor's to send on: what the guest writes stays here. */
static void open_msi(const struct opening *o, uint32_t at)
{
	uint32_t control, data;

	show_constant(o, at, 4);
	register_at(o, at)->value &= ~((MSI_CAPABLE | MSI_GRANTED | MSI_ENABLE) << 16);
	register_at(o, at)->guest = MSI_ENABLE << 16;
	control = register_at(o, at)->value >> 16;
	data = at + (control & MSI_64 ? 12 : 8);
	register_at(o, at + 4)->guest = ~3u;
	if (control & MSI_64)
		register_at(o, at + 8)->guest = ~0u;
	register_at(o, data)->guest = 0xffff;
	if (control & MSI_MASKS) {
		register_at(o, data + 4)->guest = 1;
		register_at(o, data + 8)->real_read = 1;
	}
	o->function->msi = (uint8_t)at;
}

static enum sp_status open_msix(const struct opening *o, uint32_t at)
{
	struct vpci_function *function = o->function;
	uint32_t table = vpci_open_read(o, at + MSIX_TABLE, 4), control;

	show_constant(o, at, MSIX_BYTES);
	control = register_at(o, at)->value >> 16;
	function->table_real = (control & MSIX_SIZE) + 1;
	function->table_bar = table & MSIX_BIR;
	function->table_offset = table & ~MSIX_BIR;
	if (function->table_bar >= SP_BARS || function->table_offset % VPCI_TABLE_ENTRY ||
	    (uint64_t)function->table_offset + function->table_real * VPCI_TABLE_ENTRY >
		    o->info->bar[function->table_bar].bytes)
		return vpci_open_refuse(o, SP_UNSUPPORTED, "its MSI-X table is not inside BAR %u",
					function->table_bar);
	function->vector_count =
		function->table_real < VPCI_VECTORS ? function->table_real : VPCI_VECTORS;
	for (uint32_t i = 0; i < function->vector_count; i++)
		function->vector[i].word[VECTOR_CONTROL] = VECTOR_MASKED;
	register_at(o, at)->value &= ~((MSIX_SIZE | MSIX_MASKED | MSIX_ENABLE) << 16);
	register_at(o, at)->value |= (function->vector_count - 1) << 16;
	register_at(o, at)->guest = (MSIX_MASKED | MSIX_ENABLE) << 16;
	function->msix = (uint8_t)at;
	return SP_OK;
}

/*
 * No bridge and no link above it: then a part of the root complex. Reset, phantom functions and the
 * payload size are not the guest's; how it reads and orders is, none of which leaves its domain.
 */
static void open_express(const struct opening *o, uint32_t at)
{
	uint32_t passed = DEVICE_RELAXED | DEVICE_NO_SNOOP | DEVICE_READ_MAX, flags;
	struct vpci_register *control = register_at(o, at + EXPRESS_DEVICE_CONTROL);

	show_constant(o, at, EXPRESS_DEVICE_CONTROL + 4);
	flags = register_at(o, at)->value >> 16;
	register_at(o, at)->value &= ~((EXPRESS_TYPE | EXPRESS_MESSAGE) << 16);
	register_at(o, at)->value |= TYPE_ROOT_ENDPOINT << 16;
	register_at(o, at + EXPRESS_DEVICE_CAP)->value &= ~(DEVICE_CAP_RESET | DEVICE_CAP_PHANTOM);
	control->value &= passed | DEVICE_PAYLOAD;
	control->guest = passed | DEVICE_ERRORS;
	control->real_write = passed;
	control->real_read = DEVICE_PENDING;
	if ((flags & EXPRESS_VERSION) >= 2)
		register_at(o, at + EXPRESS_DEVICE_CAP2)->value =
			vpci_open_read(o, at + EXPRESS_DEVICE_CAP2, 4) & DEVICE_CAP2_TIMEOUT;
}

/* How far it reaches; 0: not shown. */
static uint32_t capability_bytes(const struct opening *o, uint32_t id, uint32_t at)
{
	uint32_t flags = vpci_open_read(o, at + 2, 2), type = flags & EXPRESS_TYPE;

	switch (id) {
	case CAPABILITY_POWER:
		return POWER_BYTES;
	case CAPABILITY_MSI:
		return MSI_BYTES(flags);
	case CAPABILITY_MSIX:
		return MSIX_BYTES;
	case CAPABILITY_VENDOR:
		return vpci_virtio_bytes(o, at);
	case CAPABILITY_EXPRESS:
		if (type != TYPE_ENDPOINT && type != TYPE_LEGACY_ENDPOINT &&
		    type != TYPE_ROOT_ENDPOINT)
			return 0;
		return (flags & EXPRESS_VERSION) >= 2 ? EXPRESS_BYTES2 : EXPRESS_BYTES1;
	}
	return 0;
}

/* Two in one place, or one beyond the end, is a function's lie: the first of each kind counts. */
static bool is_free(const struct opening *o, uint32_t at, uint32_t bytes)
{
	if (at + bytes > CAPABILITIES_END)
		return false;
	for (uint32_t i = at; i < at + bytes; i += 4) {
		const struct vpci_register *reg = register_at(o, i);

		if (reg->value != 0 || reg->guest != 0)
			return false;
	}
	return true;
}

static enum sp_status open_capability(const struct opening *o, uint32_t id, uint32_t at)
{
	switch (id) {
	case CAPABILITY_POWER:
		open_power(o, at);
		break;
	case CAPABILITY_MSI:
		open_msi(o, at);
		break;
	case CAPABILITY_MSIX:
		return open_msix(o, at);
	case CAPABILITY_VENDOR:
		show_constant(o, at, vpci_virtio_bytes(o, at));
		break;
	case CAPABILITY_EXPRESS:
		open_express(o, at);
		break;
	}
	return SP_OK;
}

/* The guest's list: hidden ones are left out, each but a vendor's own is there once. */
struct list {
	uint32_t last;	/* offset; 0: none yet */
	uint32_t kinds; /* a bit for each id */
};

static enum sp_status show_capability(const struct opening *o, struct list *list, uint32_t id,
				      uint32_t at)
{
	uint32_t bytes = capability_bytes(o, id, at);
	enum sp_status status;

	if (bytes == 0 || list->kinds & 1u << id || !is_free(o, at, bytes))
		return SP_OK;
	status = open_capability(o, id, at);
	register_at(o, at)->value &= 0xffff00ff;
	if (list->last == 0)
		register_at(o, CONFIG_CAPABILITIES)->value = at;
	else
		register_at(o, list->last)->value |= at << 8;
	list->last = at;
	if (id != CAPABILITY_VENDOR)
		list->kinds |= 1u << id;
	return status;
}

static enum sp_status open_capabilities(const struct opening *o)
{
	uint32_t at = vpci_open_read(o, CONFIG_CAPABILITIES, 1) & 0xfc;
	enum sp_status status = SP_OK;
	struct list list = { 0, 0 };

	if (!(vpci_open_read(o, CONFIG_COMMAND, 4) & STATUS_CAPABILITIES))
		return SP_OK;
	for (uint32_t i = 0; i < CAPABILITIES_MAX && at >= CAPABILITIES_FIRST && status == SP_OK;
	     i++) {
		uint32_t entry = vpci_open_read(o, at, 2);

		status = show_capability(o, &list, entry & 0xff, at);
		at = entry >> 8 & 0xfc;
	}
	if (list.last != 0)
		register_at(o, CONFIG_COMMAND)->value |= STATUS_CAPABILITIES;
	return status;
}

/* ---- the header ---- */

/* Lines are not passed on: the pin reads as none, and the function may not raise it. */
static void open_header(const struct opening *o)
{
	uint32_t command = vpci_open_read(o, CONFIG_COMMAND, 2);

	show_constant(o, CONFIG_ID, 4);
	if (o->info->is_virtual)
		register_at(o, CONFIG_ID)->value = o->info->vendor | (uint32_t)o->info->device
									     << 16;
	show_constant(o, CONFIG_CLASS, 4);
	show_constant(o, CONFIG_SUBSYSTEM, 4);
	register_at(o, CONFIG_COMMAND)->guest =
		COMMAND_MEMORY | COMMAND_MASTER | COMMAND_PARITY | COMMAND_SERR | COMMAND_INTX_OFF;
	register_at(o, CONFIG_CACHE_LINE)->guest = 0xff;
	register_at(o, CONFIG_INTERRUPT)->guest = 0xff;
	o->vpci->write(o->vpci->context, o->info->sbdf, CONFIG_COMMAND, 2,
		       (command & ~COMMAND_IO) | COMMAND_MEMORY | COMMAND_INTX_OFF);
}

void vpci_begin(struct vpci *vpci)
{
	memset(vpci->bridge, 0, sizeof(vpci->bridge));
	vpci->bridge[CONFIG_ID / 4].value = HOST_BRIDGE_ID;
	vpci->bridge[CONFIG_CLASS / 4].value = HOST_BRIDGE_CLASS;
	vpci->function_count = 0;
	vpci->selected = 0;
}

static enum sp_status open_function(struct opening *o)
{
	enum sp_status status = vpci_open_bars(o);

	if (status == SP_OK)
		status = vpci_virtio_check(o);
	return status == SP_OK ? open_capabilities(o) : status;
}

/* A device number that was given back comes first. */
static uint32_t free_slot(const struct vpci *vpci)
{
	uint32_t slot = 0;

	while (slot < vpci->function_count && vpci->function[slot].shown)
		slot++;
	return slot;
}

/* The header last: until then the function itself is as it was. */
enum sp_status vpci_add(struct vpci *vpci, const struct sp_function_info *all, uint32_t count,
			uint32_t index, struct vpci_text *why)
{
	struct opening o = {
		.vpci = vpci,
		.all = all,
		.count = count,
		.info = &all[index],
		.why = why,
	};
	uint32_t slot = free_slot(vpci);
	enum sp_status status;

	if (slot == VPCI_FUNCTIONS)
		return vpci_open_refuse(&o, SP_NO_SPACE, "the guest has %u functions already",
					VPCI_FUNCTIONS);
	if (o.info->is_bridge || (vpci_open_read(&o, CONFIG_HEADER, 1) & HEADER_TYPE) != 0)
		return vpci_open_refuse(&o, SP_UNSUPPORTED, "is no endpoint");
	o.function = &vpci->function[slot];
	memset(o.function, 0, sizeof(*o.function));
	o.function->sbdf = o.info->sbdf;
	o.function->device = (uint8_t)(slot + 1);
	status = open_function(&o);
	if (status != SP_OK)
		return status;
	open_header(&o);
	o.function->shown = true;
	if (slot == vpci->function_count)
		vpci->function_count++;
	return SP_OK;
}

void vpci_remove(struct vpci_function *function)
{
	function->shown = false;
}
