/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/amdvi/capability.c - what a unit can do, from its capability block and registers, in the words of
 * iommu/unit.h. 48882 3.2 PCI Resources, 3.4.1 Extended Feature Register.
 */
#include "drivers/amdvi/unit.h"

#define SECURE_DEVICE 0xfu /* the capability's id */
#define TYPE_IOMMU    3u

static enum sp_status refuse_unit(const struct amdvi_unit *amdvi, enum sp_status status,
				  const char *what)
{
	amdvi_log(amdvi, SP_LOG_ERROR, what);
	return status;
}

static uint32_t read_capability(const struct amdvi_unit *amdvi, uint32_t offset)
{
	return platform_config_read(amdvi->unit.host->embedder, amdvi->function,
				    amdvi->capability + offset, 4);
}

/* 3.2.6: one of four widths; what the field says else is not believed, the levels decide then. */
static uint8_t address_bits(const struct amdvi_unit *amdvi, uint32_t levels)
{
	uint64_t by_levels = min_u64(12 + 9 * levels, 64);
	uint64_t told = field_get(read_capability(amdvi, CAPABILITY_MISC), MISC_VA_BITS);

	if (told == 32 || told == 40 || told == 48)
		return (uint8_t)min_u64(told, by_levels);
	return (uint8_t)by_levels;
}

/* 2.4.3: any aligned power of two up to the whole address space, whose order is 52. */
static void describe_observer(struct amdvi_unit *amdvi, uint32_t header)
{
	struct unit *unit = &amdvi->unit;

	unit->not_present_cached = header & CAPABILITY_NP_CACHE;
	unit->device_caches = header & CAPABILITY_IOTLB;
	unit->observer.column = unit->not_present_cached ? COLUMN_AMDVI_CACHING : COLUMN_AMDVI;
	unit->observer.no_pages = false;
	unit->observer.widest_order = 51;
}

/*
 * 2.2.3: every level may hold leaves; 4K, 2M and 1G are what is used. Walks snoop because the control register
 * is told so (Coherent) and no entry says otherwise (SD).
 */
static void describe_tables(struct amdvi_unit *amdvi)
{
	struct unit *unit = &amdvi->unit;
	uint32_t levels = 4 + (uint32_t)min_u64(field_get(amdvi->features, FEATURE_LEVELS), 2);

	unit->vendor = SP_VENDOR_AMDVI;
	unit->format = &format_amdvi;
	unit->shared_format = &format_npt_amdvi;
	unit->levels = (uint8_t)BITS(levels, 1);
	unit->leaf_levels = 7;
	unit->address_bits = address_bits(amdvi, levels);
	/* The last id is the driver's own, for blocked requesters. */
	unit->name_count = UNIT_NAMES - 1;
	unit->coherent = true;
	unit->interrupt_remapping = true;
	unit->register_bytes =
		amdvi->features & FEATURE_COUNTERS ? REGISTER_BYTES_COUNTERS : REGISTER_BYTES;
	unit->special[0] = (struct span){ 0xfee00, 0xfef00 };
	/* 2.1.2: what HyperTransport keeps for itself below 1 TiB. */
	unit->special[1] =
		(struct span){ 0xfd00000000 >> SP_FRAME_ORDER, 0x10000000000 >> SP_FRAME_ORDER };
}

static enum sp_status check_header(const struct amdvi_unit *amdvi, uint32_t header)
{
	if (header == UINT32_MAX)
		return refuse_unit(amdvi, SP_MALFORMED,
				   "its PCI function does not answer where the IVRS names it");
	if (field_get(header, CAPABILITY_ID) != SECURE_DEVICE ||
	    field_get(header, CAPABILITY_TYPE) != TYPE_IOMMU)
		return refuse_unit(amdvi, SP_MALFORMED,
				   "its PCI function has no IOMMU capability where the IVRS says");
	return SP_OK;
}

enum sp_status amdvi_read_capability(struct amdvi_unit *amdvi)
{
	uint32_t header = read_capability(amdvi, 0);
	enum sp_status status = check_header(amdvi, header);

	if (status != SP_OK)
		return status;
	amdvi->features =
		header & CAPABILITY_FEATURES ? unit_read64(&amdvi->unit, AMDVI_FEATURES) : 0;
	if (unit_read64(&amdvi->unit, AMDVI_CONTROL) == UINT64_MAX || amdvi->features == UINT64_MAX)
		return refuse_unit(amdvi, SP_MALFORMED, "registers do not answer");
	describe_tables(amdvi);
	describe_observer(amdvi, header);
	return SP_OK;
}
