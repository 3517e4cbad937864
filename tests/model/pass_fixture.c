/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/model/pass_fixture.c - a machine with devices of many kinds, and two guests.
 */
#include "pass_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sync/domain.h"

#define ALL_DEVICES 12u

static void on_lost(struct model *model, const struct sp_lost *lost, void *argument)
{
	struct pass *pass = argument;

	(void)model;
	(void)lost;
	pass->lost++;
}

static struct model_config machine_of(struct pass *pass)
{
	const struct pass_mode *mode = pass->mode;
	struct model_config machine = {
		.unit_count = mode->two_units ? 2 : 1,
		.device_count = ALL_DEVICES,
		.reserved_count = 3,
		.adversary = MODEL_ADVERSARY_MAX,
		.on_lost = on_lost,
		.argument = pass,
		.reserved = { { PLAIN, (uint64_t)RANGE << 12, 0x2000, false },
			      { TWIN, (uint64_t)RANGE << 12, 0x2000, false },
			      { READER, (uint64_t)READ_RANGE << 12, 0x1000, true } },
		.device = { { .sbdf = PLAIN,
			      .reset = MODEL_RESET_FLR,
			      .bar_bytes = { 0x2000, 0x1000 } },
			    { .sbdf = TWIN },
			    { .sbdf = PHANTOM, .reset = MODEL_RESET_FLR, .phantom = 2 },
			    { .sbdf = UNCOVERED, .unit = MODEL_NO_UNIT, .unlisted = true },
			    { .sbdf = READER },
			    { .sbdf = OTHER_UNIT, .unit = mode->two_units },
			    { .sbdf = BRIDGE, .kind = MODEL_PCIE_TO_PCI, .secondary = 5 },
			    { .sbdf = SHARES, .reset = MODEL_RESET_AF },
			    { .sbdf = SHARES_TOO },
			    { .sbdf = PHYSICAL,
			      .unit = mode->two_units,
			      .reset = MODEL_RESET_FLR,
			      .bar_bytes = { 0x4000 },
			      .vfs = 2,
			      .vf_offset = 2,
			      .vf_stride = 1,
			      .vf_bar_bytes = 0x2000 },
			    { .sbdf = VIRTUAL,
			      .unit = mode->two_units,
			      .reset = MODEL_RESET_FLR,
			      .unlisted = true,
			      .physical = PHYSICAL },
			    { .sbdf = VIRTUAL2,
			      .unit = mode->two_units,
			      .reset = MODEL_RESET_FLR,
			      .unlisted = true,
			      .physical = PHYSICAL } },
	};

	/* RMRR knows no rights. */
	if (mode->vendor == MODEL_VTD)
		machine.reserved_count = 2;
	for (uint32_t i = 0; i < machine.unit_count; i++)
		machine.unit[i] = (struct model_unit_config){ .vendor = mode->vendor,
							      .answers = mode->answers,
							      .not_coherent = mode->not_coherent,
							      .translating = mode->left_on,
							      .no_remapping = mode->no_remapping,
							      .scalable = mode->scalable,
							      .left_scalable = mode->scalable &&
									       mode->left_on,
							      .walk_levels = mode->walk_levels };
	return machine;
}

static void discover(struct pass *pass)
{
	static unsigned char table[8192];
	size_t bytes;

	sp_iommu_prefer_scalable(pass->host, pass->mode->scalable);
	if (pass->mode->vendor == MODEL_VTD) {
		bytes = model_dmar(pass->model, MODEL_TABLE_SOUND, table, sizeof(table));
		assert_int_equal(sp_iommu_discover_dmar(pass->host, table, bytes), SP_OK);
	} else {
		bytes = model_ivrs(pass->model, MODEL_TABLE_SOUND, table, sizeof(table));
		assert_int_equal(sp_iommu_discover_ivrs(pass->host, table, bytes), SP_OK);
	}
	assert_int_equal(sp_pci_scan(pass->host, 0), SP_OK);
}

struct pass *pass_make_cold(const struct pass_mode *mode)
{
	const struct sp_limits limits = { .cpus = 2, .domains = 3, .functions = 16 };
	size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;
	struct pass *pass = calloc(1, sizeof(*pass));
	struct model_config machine;

	pass->mode = mode;
	machine = machine_of(pass);
	pass->model = model_create(&machine);
	assert_non_null(pass->model);
	model_make_current(pass->model);
	pass->arena = aligned_alloc(64, bytes);
	pass->host = sp_host_create(pass->arena, bytes, &limits, pass->model);
	assert_non_null(pass->host);
	discover(pass);
	return pass;
}

void pass_start(struct pass *pass)
{
	const struct pass_mode *mode = pass->mode;

	assert_int_equal(sp_iommu_start(pass->host), SP_OK);
	for (uint32_t i = 0; i < 2; i++) {
		const struct sp_domain_config config = {
			.number = i + 1,
			.cpu = mode->cpu,
			.tables = mode->tables,
			.table_budget = 200,
			.cpu_large_pages = 6,
			.allow_unremapped = mode->allow_unremapped && i == 1,
			.asid = mode->cpu == SP_CPU_NPT ? (uint16_t)(i + 1) : 0,
		};

		assert_int_equal(sp_domain_create(pass->host, &config, &pass->guest[i]), SP_OK);
	}
}

struct pass *pass_make(const struct pass_mode *mode)
{
	struct pass *pass = pass_make_cold(mode);

	pass_start(pass);
	return pass;
}

void pass_abandon(struct pass *pass)
{
	model_make_current(NULL);
	model_destroy(pass->model);
	free(pass->arena);
	free(pass);
}

static void destroy(struct pass *pass, struct sp_domain *guest)
{
	enum sp_status status = SP_PENDING;

	for (uint32_t i = 0; i < 10000 && status == SP_PENDING; i++) {
		status = sp_domain_destroy(guest);
		pass_settle(pass);
	}
	assert_int_equal(status, SP_OK);
}

void pass_free(struct pass *pass)
{
	struct sp_function_info info;

	for (uint32_t i = 0; sp_function_info(pass->host, i, &info) == SP_OK; i++)
		if (info.owner)
			assert_int_equal(sp_device_release(info.owner, info.sbdf), SP_OK);
	for (uint32_t i = 0; i < 2; i++)
		if (pass->guest[i])
			destroy(pass, pass->guest[i]);
	sp_iommu_stop(pass->host);
	if (model_verdict(pass->model))
		print_message("%s\n", model_verdict(pass->model));
	assert_null(model_verdict(pass->model));
	pass_abandon(pass);
}

void pass_map(struct pass *pass, uint32_t guest, uint64_t gfn, uint64_t mfn, uint64_t count,
	      enum sp_type type)
{
	while (count) {
		struct sp_result result;
		enum sp_status status = sp_p2m_map(pass->guest[guest], (sp_gfn_t){ gfn },
						   (sp_mfn_t){ mfn }, count, type, &result);

		if (status != SP_BUSY)
			assert_int_equal(status, SP_OK);
		assert_int_equal(sp_wait(pass->host, result.ticket), SP_OK);
		gfn += result.done;
		mfn += result.done;
		count -= result.done;
	}
}

uint64_t pass_map_new(struct pass *pass, uint32_t guest, uint64_t gfn)
{
	uint64_t mfn = model_guest_frame(pass->model);

	pass_map(pass, guest, gfn, mfn, 1, SP_RAM);
	return mfn;
}

void pass_unmap(struct pass *pass, uint32_t guest, uint64_t gfn, uint64_t count)
{
	struct sp_result result;

	assert_int_equal(sp_p2m_unmap(pass->guest[guest], (sp_gfn_t){ gfn }, count, &result),
			 SP_OK);
	assert_int_equal(sp_wait(pass->host, result.ticket), SP_OK);
	assert_int_equal(result.done, count);
}

void pass_settle(struct pass *pass)
{
	for (uint32_t i = 0; i < 10000 && sp_progress(pass->host, 4096) != UINT64_MAX; i++)
		platform_relax(pass->model);
}

enum sp_status pass_try(struct pass *pass, uint32_t guest, uint32_t sbdf)
{
	return sp_device_assign(pass->guest[guest], (sp_sbdf_t){ sbdf });
}

void pass_assign(struct pass *pass, uint32_t guest, uint32_t sbdf)
{
	assert_int_equal(pass_try(pass, guest, sbdf), SP_OK);
	assert_int_equal(sp_device_set_master(pass->host, (sp_sbdf_t){ sbdf }, true), SP_OK);
}

void pass_release(struct pass *pass, uint32_t guest, uint32_t sbdf)
{
	assert_int_equal(sp_device_release(pass->guest[guest], (sp_sbdf_t){ sbdf }), SP_OK);
}

uint64_t pass_reach(struct pass *pass, uint32_t sbdf, uint64_t dfn, bool write)
{
	char byte = 'x';
	struct model_dma done = model_dma(pass->model, sbdf, dfn << 12, &byte, 1, write);

	return done.fault || done.done != 1 ? 0 : done.maddr >> 12;
}

struct sp_domain *pass_owner(struct pass *pass, uint32_t sbdf)
{
	struct sp_function_info info;

	for (uint32_t i = 0; sp_function_info(pass->host, i, &info) == SP_OK; i++)
		if (info.sbdf.sbdf == sbdf)
			return info.owner;
	fail_msg("no function %04x", sbdf);
	return NULL;
}

uint32_t pass_maps(const struct sp_domain *guest)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i <= MAX_UNITS; i++)
		count += domain_has_map(guest, i);
	return count;
}

bool pass_can_hold_registers(const struct pass *pass)
{
	return pass->mode->cpu == SP_CPU_NPT || pass->mode->tables == SP_TABLES_SEPARATE;
}

void pass_refused(struct pass *pass, uint32_t guest, uint32_t sbdf, enum sp_status status)
{
	uint64_t tables = model_table_frames(pass->model);
	struct sp_domain *owner = sbdf == 0x00f8 ? NULL : pass_owner(pass, sbdf);
	uint32_t maps = pass_maps(pass->guest[guest]);

	assert_int_equal(pass_try(pass, guest, sbdf), status);
	assert_int_equal(model_table_frames(pass->model), tables);
	assert_int_equal(pass_maps(pass->guest[guest]), maps);
	if (owner)
		assert_ptr_equal(pass_owner(pass, sbdf), owner);
}

static const struct pass_mode modes[] = {
	{ .name = "AMD-Vi shared", .vendor = MODEL_AMDVI, .cpu = SP_CPU_NPT },
	{ .name = "AMD-Vi separate",
	  .vendor = MODEL_AMDVI,
	  .cpu = SP_CPU_NPT,
	  .tables = SP_TABLES_SEPARATE,
	  .two_units = true },
	{ .name = "VT-d shared, left on by firmware",
	  .vendor = MODEL_VTD,
	  .cpu = SP_CPU_EPT,
	  .left_on = true },
	{ .name = "VT-d separate, not coherent, late",
	  .vendor = MODEL_VTD,
	  .cpu = SP_CPU_NPT,
	  .tables = SP_TABLES_SEPARATE,
	  .two_units = true,
	  .not_coherent = true,
	  .answers = MODEL_LATE },
	{ .name = "VT-d shared, scalable, left on by firmware",
	  .vendor = MODEL_VTD,
	  .cpu = SP_CPU_EPT,
	  .scalable = true,
	  .left_on = true },
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

int pass_run(const struct pass_sentence *sentences, size_t count)
{
	struct CMUnitTest *tests = calloc(count * MODES, sizeof(*tests));
	char(*names)[160] = calloc(count * MODES, sizeof(*names));
	size_t used = 0;
	int failed;

	for (size_t i = 0; i < count; i++) {
		for (size_t m = 0; m < (sentences[i].once ? 1 : MODES); m++, used++) {
			snprintf(names[used], sizeof(names[used]), "%s (%s)", sentences[i].name,
				 sentences[i].once ? "own machine" : modes[m].name);
			tests[used] = (struct CMUnitTest){ names[used], sentences[i].run, NULL,
							   NULL, (void *)(uintptr_t)&modes[m] };
		}
	}
	failed = _cmocka_run_group_tests("passthrough", tests, used, NULL, NULL);
	free(tests);
	free(names);
	return failed;
}
