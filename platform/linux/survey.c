/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/survey.c - the core looks at the same machine: firmware's table, requester ids, reserved ranges.
 *
 *   sys/firmware/acpi/tables/DMAR --> sp_iommu_discover_dmar() --+
 *   configuration space, as read ---> sp_pci_scan() -------------+--> sp_iommu_survey() --> machine_function
 *
 * The library is the one that hypervisors link. Its platform is what was read: nothing here touches the machine.
 * Configuration space is what sysfs showed; a base address register that is written keeps the size that sysfs told, so
 * the core may size it. Registers of a unit are what the kernel shows of them; where it shows none, a unit that the
 * core accepts, of which nothing but its place is used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sallyport/iommu.h>

#include "machine.h"
#include "memory.h"
#include "say.h"
#include "command.h"

#define TABLE(name)  "sys/firmware/acpi/tables/" name

#define ALL_ONES     0xffffffffu
#define BAR_FIRST    0x10u
#define BAR_END	     0x28u

/* VT-d 11.4.1 to 11.4.3 */
#define VTD_VERSION  0x00u
#define VTD_CAP	     0x08u
#define VTD_ECAP     0x10u
/* One that the core accepts: 4 levels, drains; queued invalidation, interrupt remapping. */
#define SOME_VERSION 0x10u
#define SOME_CAP     (1ull << 10 | 47ull << 16 | 1ull << 54 | 1ull << 55)
#define SOME_ECAP    (1ull << 1 | 1ull << 3)

/* What the library takes for the machine. */
struct survey {
	struct machine *machine;
	uint32_t *written; /* of each function, a bit for each base address register that was written all ones */
	char *trouble;
};

static struct survey *survey_of(void *embedder)
{
	return embedder;
}

/* --- configuration space --- */

static uint32_t sizing_answer(const struct machine_function *function, uint32_t index)
{
	const struct machine_range *range = &function->resource[index];
	uint32_t flags = machine_config(function, BAR_FIRST + 4 * index, 4) & 0xf;

	/* The upper half of the one before. */
	if (!range->bytes && index > 0 && function->resource[index - 1].wide)
		return (uint32_t)(~(function->resource[index - 1].bytes - 1) >> 32);
	if (!range->bytes)
		return 0;
	return ((uint32_t) ~(range->bytes - 1) & ~0xfu) | flags;
}

uint32_t platform_config_read(void *embedder, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes)
{
	const struct survey *survey = survey_of(embedder);
	int index = machine_find(survey->machine, sbdf);
	const struct machine_function *function;
	uint32_t bar = (offset - BAR_FIRST) / 4;

	if (index == MACHINE_NONE)
		return ALL_ONES;
	function = &survey->machine->function[index];
	/* A virtual function's own register says ffff: it is its physical function's affair. */
	if (function->physical != MACHINE_NONE)
		return ALL_ONES;
	if (offset >= BAR_FIRST && offset < BAR_END && bytes == 4 &&
	    survey->written[index] & 1u << bar)
		return sizing_answer(function, bar);
	/* What we may not see is not there: no capabilities, no size. */
	if (offset >= function->config.count)
		return offset < 64 ? ALL_ONES : 0;
	return machine_config(function, offset, bytes);
}

void platform_config_write(void *embedder, sp_sbdf_t sbdf, uint32_t offset, uint32_t bytes,
			   uint32_t value)
{
	const struct survey *survey = survey_of(embedder);
	int index = machine_find(survey->machine, sbdf);
	uint32_t bit;

	if (index == MACHINE_NONE || bytes != 4 || offset < BAR_FIRST || offset >= BAR_END)
		return;
	bit = 1u << (offset - BAR_FIRST) / 4;
	if (value == ALL_ONES)
		survey->written[index] |= bit;
	else
		survey->written[index] &= ~bit;
}

/* --- registers of a unit --- */

static const struct machine_unit *unit_at(const struct survey *survey, uint64_t address)
{
	for (size_t i = 0; i < survey->machine->unit_count; i++) {
		const struct machine_unit *unit = &survey->machine->unit[i];

		if (unit->has_address && unit->has_caps && unit->address == (address & ~0xfffull))
			return unit;
	}
	return NULL;
}

uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes)
{
	const struct machine_unit *unit = unit_at(survey_of(embedder), address.maddr);

	(void)bytes;
	switch (address.maddr & 0xfff) {
	case VTD_VERSION:
		return SOME_VERSION;
	case VTD_CAP:
		return unit ? unit->caps : SOME_CAP;
	case VTD_ECAP:
		return unit ? unit->extended : SOME_ECAP;
	}
	return 0;
}

/* --- what a survey has no use for --- */

void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	(void)embedder, (void)address, (void)bytes, (void)value;
}

enum sp_status platform_frames_take(void *embedder, uint32_t node, uint32_t order, sp_mfn_t *first)
{
	(void)embedder, (void)node, (void)order, (void)first;
	return SP_NO_MEMORY;
}

void platform_frames_give(void *embedder, sp_mfn_t first, uint32_t order)
{
	(void)embedder, (void)first, (void)order;
}

void *platform_pointer(void *embedder, sp_mfn_t frame)
{
	(void)embedder, (void)frame;
	return NULL;
}

void platform_write_back(void *embedder, const void *first, size_t bytes)
{
	(void)embedder, (void)first, (void)bytes;
}

void platform_kick(void *embedder, const struct sp_cpu_set *cpus)
{
	(void)embedder, (void)cpus;
}

uint64_t platform_now(void *embedder)
{
	struct timespec now;

	(void)embedder;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint32_t platform_self(void *embedder)
{
	(void)embedder;
	return 0;
}

void platform_relax(void *embedder)
{
	(void)embedder;
}

void platform_forgotten(void *embedder, const struct sp_forgotten *run)
{
	(void)embedder, (void)run;
}

void platform_lost(void *embedder, const struct sp_lost *lost)
{
	(void)embedder, (void)lost;
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	struct survey *survey = survey_of(embedder);
	char *more;

	if (level == SP_LOG_INFO)
		return;
	more = memory_print("%s%s\n", survey->trouble ? survey->trouble : "", line);
	free(survey->trouble);
	survey->trouble = more;
}

void platform_panic(void *embedder, const char *line)
{
	(void)embedder;
	say_fatal(EXIT_UNKNOWN, "the core stopped: %s; this is a defect of sallyport", line);
}

/* --- the survey --- */

static struct sp_host *make_host(struct survey *survey, void **memory)
{
	const struct sp_limits limits = {
		.cpus = 1,
		.domains = 1,
		.units = 64,
		.functions = (uint32_t)survey->machine->function_count + 1,
	};
	size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;

	*memory = aligned_alloc(64, bytes);
	return *memory ? sp_host_create(*memory, bytes, &limits, survey) : NULL;
}

static enum machine_table discover(const struct survey *survey, struct sp_host *host)
{
	struct root *root = survey->machine->root;
	struct root_bytes dmar, ivrs;
	enum root_answer has_dmar = root_read(root, TABLE("DMAR"), &dmar);
	enum root_answer has_ivrs = root_read(root, TABLE("IVRS"), &ivrs);
	enum sp_status status = SP_OK;

	if (has_dmar == ROOT_DENIED || has_ivrs == ROOT_DENIED)
		return TABLE_DENIED;
	if (has_dmar == ROOT_OK)
		status = sp_iommu_discover_dmar(host, dmar.data, dmar.count);
	else if (has_ivrs == ROOT_OK)
		status = sp_iommu_discover_ivrs(host, ivrs.data, ivrs.count);
	else
		return TABLE_NONE;
	return status == SP_OK ? TABLE_READ : TABLE_REFUSED;
}

static bool scan(const struct survey *survey, struct sp_host *host)
{
	const struct machine *machine = survey->machine;
	bool good = true;

	for (size_t i = 0; i < machine->function_count && good; i++) {
		uint16_t segment = sp_sbdf_segment(machine->function[i].sbdf);

		if (i == 0 || segment != sp_sbdf_segment(machine->function[i - 1].sbdf))
			good = sp_pci_scan(host, segment) == SP_OK;
	}
	return good;
}

/* The kernel's unit with these registers; on AMD, where it does not show them, the one of that number. */
static int unit_like(struct machine *machine, const struct sp_unit_info *info, uint32_t index)
{
	uint32_t nth = 0;

	for (size_t i = 0; i < machine->unit_count; i++) {
		struct machine_unit *unit = &machine->unit[i];

		if (unit->vendor != info->vendor)
			continue;
		if (unit->has_address ? unit->address == info->registers.maddr : nth == index)
			return (int)i;
		nth++;
	}
	return MACHINE_NONE;
}

static int take_unit(struct machine *machine, const struct sp_unit_info *info, uint32_t index)
{
	int place = unit_like(machine, info, index);

	if (place == MACHINE_NONE) {
		machine->unit =
			memory_grow(machine->unit, machine->unit_count, sizeof(*machine->unit));
		place = (int)machine->unit_count++;
		machine->unit[place] =
			(struct machine_unit){ .name = "unused", .vendor = info->vendor };
	}
	machine->unit[place].has_address = true;
	machine->unit[place].address = info->registers.maddr;
	return place;
}

static void take_function(struct machine_function *function, const struct sp_function_info *info,
			  const int *units)
{
	function->requester_count = info->requester_count;
	memcpy(function->requester, info->requester, sizeof(function->requester));
	/* The kernel knows better, if it uses the unit. */
	if (info->covered && function->unit == MACHINE_NONE)
		function->unit = units[info->unit];
	function->reserved_count = info->reserved_count;
	for (uint32_t i = 0; i < info->reserved_count; i++)
		function->reserved[i] = (struct machine_range){
			.first = info->reserved[i].first.mfn << SP_FRAME_ORDER,
			.bytes = info->reserved[i].count << SP_FRAME_ORDER,
			.write = info->reserved[i].write,
		};
}

/* Virtual functions, and those without a function 0, which a scan does not meet: each has its own id. */
static void take_rest(struct machine *machine)
{
	for (size_t i = 0; i < machine->function_count; i++) {
		struct machine_function *function = &machine->function[i];

		if (function->requester_count)
			continue;
		function->requester[0] = sp_sbdf_requester(function->sbdf);
		function->requester_count = 1;
		/* VT-d 8.3.1: a virtual function is under the unit of its physical one. */
		if (function->unit == MACHINE_NONE && function->physical != MACHINE_NONE)
			function->unit = machine->function[function->physical].unit;
	}
}

static void take_all(struct machine *machine, struct sp_host *host)
{
	struct sp_function_info info;
	struct sp_unit_info unit;
	int *units = NULL;
	uint32_t count;

	for (count = 0; sp_unit_info(host, count, &unit) == SP_OK; count++) {
		units = memory_grow(units, count, sizeof(int));
		units[count] = take_unit(machine, &unit, count);
	}
	for (uint32_t i = 0; sp_function_info(host, i, &info) == SP_OK; i++) {
		int index = machine_find(machine, info.sbdf);

		if (index != MACHINE_NONE)
			take_function(&machine->function[index], &info, units);
	}
	take_rest(machine);
	free(units);
}

void survey(struct machine *machine)
{
	struct survey survey = { .machine = machine };
	void *memory = NULL;
	struct sp_host *host = make_host(&survey, &memory);

	if (!host)
		say_fatal(EXIT_UNKNOWN, "out of memory");
	survey.written = memory_take(machine->function_count, sizeof(uint32_t));
	machine->table = discover(&survey, host);
	if (!scan(&survey, host) && machine->table == TABLE_READ)
		machine->table = TABLE_REFUSED;
	if (machine->table == TABLE_READ && sp_iommu_survey(host) != SP_OK)
		machine->table = TABLE_REFUSED;
	take_all(machine, host);
	machine->trouble = survey.trouble;
	free(survey.written);
	free(memory);
}
