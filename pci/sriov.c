/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/sriov.c - virtual functions: from the capability to functions like others.
 *
 *   off | page size, how many | where they are | where their registers are | on | 100 ms | each answers
 *
 *   physical function   id r,  VF BARs --> base, bytes
 *   virtual function i  id r + offset + i * stride,  registers from base + i * bytes on
 *
 * PCI Express base 6.0: 9.3.3, the extended capability; 9.3.4, what a virtual function's header lacks: ids
 * and base addresses read as none, memory decoding is the physical function's VF MSE.
 */
#include "pci/sriov.h"

#include "lib/bits.h"
#include "lib/text.h"
#include "pci/bar.h"
#include "pci/capability.h"
#include "pci/requester.h"
#include "pci/sriov_place.h"

#define SRIOV_CONTROL  0x08
#define CONTROL_ENABLE 0x1u
#define CONTROL_MEMORY 0x8u
#define SRIOV_INITIAL  0x0c
#define SRIOV_TOTAL    0x0e
#define SRIOV_COUNT    0x10
#define SRIOV_OFFSET   0x14
#define SRIOV_STRIDE   0x16
#define SRIOV_DEVICE   0x1a
#define SRIOV_PAGES    0x1c /* supported */
#define SRIOV_PAGE     0x20 /* in use */
#define PAGE_4K	       0x1u
#define SRIOV_BAR(n)   (0x24u + 4 * (n))

#define MILLISECOND    1000000ull
#define AFTER_ON       (100 * MILLISECOND)  /* 9.3.3.3.1: before one is touched */
#define AFTER_OFF      (1000 * MILLISECOND) /* ... before they are on again */
#define REQUESTERS     0x10000u

/* What is decided before anything but the count is written. */
struct plan {
	struct function *physical;
	uint16_t at; /* of the capability */
	uint32_t count;
	uint32_t first, stride; /* requester ids; may be beyond the last */
	struct vf_registers registers[SP_BARS];
};

static enum sp_status refuse(const struct sp_host *host, const struct function *function,
			     enum sp_status status, const char *why)
{
	struct text text = { .length = 0 };

	text_add(text_sbdf(&text, function->sbdf), ": no virtual functions: ");
	host_log(host, SP_LOG_ERROR, text_add(&text, why)->line);
	return status;
}

static uint32_t read16(const struct sp_host *host, const struct plan *plan, uint32_t offset)
{
	return config_read16(host, plan->physical->sbdf, plan->at + offset);
}

/* ---- how many, and where ---- */

static enum sp_status check_physical(struct sp_host *host, sp_sbdf_t sbdf, struct plan *plan)
{
	struct function *physical = function_find(host, sbdf);

	if (host->resolved || plan->count == 0)
		return SP_INVALID;
	if (!physical)
		return SP_NOT_FOUND;
	if (physical->vf_count)
		return refuse(host, physical, SP_BUSY, "they are on already");
	if (physical->is_virtual || physical->header != 0)
		return refuse(host, physical, SP_UNSUPPORTED, "it is a bridge, or virtual itself");
	plan->physical = physical;
	plan->at = capability_find_extended(host, physical, EXTENDED_SRIOV);
	/* One that ends beyond the space of a function is a lie. */
	if (plan->at == 0 || plan->at + SRIOV_BAR(SP_BARS) > 0x1000u)
		return refuse(host, physical, SP_UNSUPPORTED, "it has no SR-IOV capability");
	return SP_OK;
}

/* Without migration, which nobody uses, both numbers are the same; the lower one holds. */
static enum sp_status check_count(const struct sp_host *host, const struct plan *plan)
{
	uint32_t total = read16(host, plan, SRIOV_TOTAL);
	uint32_t initial = read16(host, plan, SRIOV_INITIAL);
	uint32_t pages = config_read32(host, plan->physical->sbdf, plan->at + SRIOV_PAGES);

	if (plan->count > (initial < total ? initial : total) &&
	    !MUTANT(host, SP_MUT_VF_COUNT_UNCHECKED))
		return refuse(host, plan->physical, SP_RANGE, "more are asked for than it has");
	if (!(pages & PAGE_4K))
		return refuse(host, plan->physical, SP_UNSUPPORTED, "it knows no pages of 4 KiB");
	if (plan->count > host->limits.functions - host->function_count)
		return refuse(host, plan->physical, SP_NO_SPACE,
			      "no room for that many functions; raise sp_limits.functions");
	return SP_OK;
}

/* 9.3.3.3.1: only while they are off can anything be set. */
static void switch_off(const struct sp_host *host, const struct plan *plan)
{
	uint32_t control = read16(host, plan, SRIOV_CONTROL);

	config_write16(host, plan->physical->sbdf, plan->at + SRIOV_CONTROL, 0);
	if (control & CONTROL_ENABLE)
		config_pause(host, AFTER_OFF);
}

/* 9.3.3.9, .10: offset and stride may depend on how many there are. */
static void read_places(const struct sp_host *host, struct plan *plan)
{
	sp_sbdf_t id = plan->physical->sbdf;

	config_write32(host, id, plan->at + SRIOV_PAGE, PAGE_4K);
	config_write16(host, id, plan->at + SRIOV_COUNT, plan->count);
	plan->first = sp_sbdf_requester(id) + read16(host, plan, SRIOV_OFFSET);
	plan->stride = read16(host, plan, SRIOV_STRIDE);
}

static sp_sbdf_t sbdf_of(const struct plan *plan, uint32_t index)
{
	uint32_t id = plan->first + index * plan->stride;

	return sp_sbdf(sp_sbdf_segment(plan->physical->sbdf), id >> 8 & 0xff, id >> 3 & 0x1f,
		       id & 7);
}

/* The bridge above leads to further buses, but some of them may be another bridge's. */
static bool is_bus_led(const struct sp_host *host, const struct function *physical, uint32_t bus)
{
	const struct function *parent;

	if (bus == sp_sbdf_bus(physical->sbdf))
		return true;
	if (physical->parent < 0)
		return false;
	parent = &host->functions[physical->parent];
	if (bus <= parent->secondary_bus || bus > parent->subordinate_bus)
		return false;
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *other = &host->functions[i];

		if (other->parent == physical->parent && other->header == 1 &&
		    other->secondary_bus <= bus && bus <= other->subordinate_bus)
			return false;
	}
	return true;
}

static bool is_id_taken(const struct sp_host *host, const struct function *physical, sp_sbdf_t sbdf)
{
	for (uint32_t i = 0; i < host->function_count; i++) {
		const struct function *other = &host->functions[i];

		if (sp_sbdf_segment(other->sbdf) == sp_sbdf_segment(physical->sbdf) &&
		    (other->sbdf.sbdf == sbdf.sbdf ||
		     requester_has(other, sp_sbdf_requester(sbdf))))
			return true;
	}
	return false;
}

static enum sp_status check_places(const struct sp_host *host, const struct plan *plan)
{
	if (plan->count > 1 && plan->stride == 0 && !MUTANT(host, SP_MUT_VF_STRIDE_UNCHECKED))
		return refuse(host, plan->physical, SP_MALFORMED,
			      "it says that all have the same requester id");
	for (uint32_t i = 0; i < plan->count; i++) {
		uint32_t id = plan->first + i * plan->stride;

		if ((id >= REQUESTERS || !is_bus_led(host, plan->physical, id >> 8)) &&
		    !MUTANT(host, SP_MUT_VF_BUS_UNCHECKED))
			return refuse(host, plan->physical, SP_RANGE,
				      "one would lie beyond the buses that lead to it");
		if (is_id_taken(host, plan->physical, sbdf_of(plan, i)) &&
		    !MUTANT(host, SP_MUT_VF_TAKEN_UNCHECKED))
			return refuse(host, plan->physical, SP_RANGE,
				      "one would have another function's requester id");
	}
	return SP_OK;
}

/* ---- registers ---- */

/* 9.3.3.14: no I/O ports; at least a page each, or two of them would share one. */
static enum sp_status read_registers(const struct sp_host *host, struct plan *plan)
{
	const struct function *physical = plan->physical;

	for (uint32_t i = 0; i < SP_BARS; i++) {
		struct bar_probe probe =
			bar_probe(host, physical->sbdf, plan->at + SRIOV_BAR(i), i + 1 == SP_BARS);

		if (probe.is_io || (probe.bytes && !probe.is_sound))
			return refuse(host, physical, SP_MALFORMED,
				      "a base address register of theirs contradicts itself");
		if (probe.bytes && probe.bytes < SP_FRAME_BYTES &&
		    !MUTANT(host, SP_MUT_VF_SMALL_UNCHECKED))
			return refuse(host, physical, SP_MALFORMED,
				      "registers of two of them would share a page");
		/* So that all of them together are no more than addresses can count. */
		if (probe.bytes >= BIT(46))
			return refuse(host, physical, SP_MALFORMED,
				      "their registers are larger than any machine");
		plan->registers[i] = (struct vf_registers){ probe.address, probe.bytes,
							    probe.prefetchable, probe.wide };
		i += probe.wide;
	}
	return SP_OK;
}

static enum sp_status place_registers(const struct sp_host *host, struct plan *plan,
				      const struct sp_window *window)
{
	struct vf_registers placed[SP_BARS] = { { .bytes = 0 } };
	enum sp_status status = SP_OK;

	if (window->first.maddr + window->bytes < window->first.maddr)
		return SP_INVALID;
	for (uint32_t i = 0; i < SP_BARS && status == SP_OK; i++) {
		if (!plan->registers[i].bytes)
			continue;
		status = sriov_place(host, plan->physical, window, plan->count, placed,
				     &plan->registers[i]);
		placed[i] = plan->registers[i];
	}
	return status;
}

/* ---- on ---- */

static void switch_on(const struct sp_host *host, const struct plan *plan)
{
	sp_sbdf_t id = plan->physical->sbdf;

	for (uint32_t i = 0; i < SP_BARS; i++) {
		const struct vf_registers *registers = &plan->registers[i];
		uint32_t at = plan->at + SRIOV_BAR(i);

		if (!registers->bytes)
			continue;
		config_write32(host, id, at, (uint32_t)registers->address);
		if (registers->wide)
			config_write32(host, id, at + 4, (uint32_t)(registers->address >> 32));
	}
	config_write16(host, id, plan->at + SRIOV_CONTROL, CONTROL_ENABLE | CONTROL_MEMORY);
	config_pause(host, AFTER_ON);
}

bool sriov_answers(const struct sp_host *host, const struct function *function)
{
	if (!function->is_virtual)
		return config_read16(host, function->sbdf, CONFIG_VENDOR) == function->vendor;
	return config_read32(host, function->sbdf, CONFIG_CLASS_REVISION) >> 8 ==
	       function->class_code;
}

/* Its own header is asked for nothing that 9.3.4 lets it leave out. */
static enum sp_status add(struct sp_host *host, const struct plan *plan, uint32_t index)
{
	struct function *physical = plan->physical;
	struct function *function = &host->functions[host->function_count];
	sp_sbdf_t id = sbdf_of(plan, index);

	*function = (struct function){
		.sbdf = id,
		.vendor = physical->vendor,
		.device = (uint16_t)read16(host, plan, SRIOV_DEVICE),
		.class_code = physical->class_code,
		.parent = physical->parent,
		.is_virtual = true,
		.physical = (uint32_t)(physical - host->functions),
	};
	if (!sriov_answers(host, function))
		return refuse(host, physical, SP_LOST, "one of them does not answer");
	function->pcie = capability_find(host, id, CAPABILITY_PCIE);
	function->advanced = capability_find(host, id, CAPABILITY_ADVANCED);
	for (uint32_t i = 0; i < SP_BARS; i++) {
		const struct vf_registers *of = &plan->registers[i];

		if (of->bytes)
			function->bar[i] = (struct sp_bar){ { of->address + index * of->bytes },
							    of->bytes,
							    of->prefetchable,
							    of->wide };
	}
	requester_collect(host, function);
	function_set_master(host, function, false);
	host->function_count++;
	return SP_OK;
}

static enum sp_status enable(struct sp_host *host, const struct plan *plan)
{
	struct function *physical = plan->physical;
	uint32_t before = host->function_count;
	enum sp_status status = SP_OK;

	switch_on(host, plan);
	for (uint32_t i = 0; i < plan->count && status == SP_OK; i++)
		status = add(host, plan, i);
	if (status != SP_OK) {
		host->function_count = before;
		return status;
	}
	physical->sriov = plan->at;
	physical->vf_count = (uint16_t)plan->count;
	physical->first_vf = before;
	return SP_OK;
}

enum sp_status sp_pci_enable_vfs(struct sp_host *host, sp_sbdf_t sbdf, uint32_t count,
				 const struct sp_window *window)
{
	struct plan plan = { .count = count };
	enum sp_status status = check_physical(host, sbdf, &plan);

	if (status == SP_OK)
		status = check_count(host, &plan);
	if (status != SP_OK)
		return status;
	switch_off(host, &plan);
	read_places(host, &plan);
	status = check_places(host, &plan);
	if (status == SP_OK)
		status = read_registers(host, &plan);
	if (status == SP_OK)
		status = place_registers(host, &plan, window);
	if (status == SP_OK)
		status = enable(host, &plan);
	if (status != SP_OK)
		switch_off(host, &plan);
	return status;
}

/* ---- after a reset of the physical function ---- */

static struct plan plan_of(const struct sp_host *host, struct function *physical)
{
	const struct function *first = &host->functions[physical->first_vf];
	struct plan plan = { .physical = physical, .at = physical->sriov };

	plan.count = physical->vf_count;
	for (uint32_t i = 0; i < SP_BARS; i++)
		plan.registers[i] =
			(struct vf_registers){ first->bar[i].address.maddr, first->bar[i].bytes,
					       first->bar[i].prefetchable, first->bar[i].wide };
	return plan;
}

/* Elsewhere than before they would be beyond the entries that contain them: then they stay off. */
static bool are_where_they_were(const struct sp_host *host, const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->count; i++) {
		if (host->functions[plan->physical->first_vf + i].sbdf.sbdf !=
		    sbdf_of(plan, i).sbdf)
			return false;
	}
	return true;
}

enum sp_status sriov_put_back(struct sp_host *host, struct function *function)
{
	struct plan plan;

	if (function->vf_count == 0 || MUTANT(host, SP_MUT_VF_NOT_PUT_BACK))
		return SP_OK;
	plan = plan_of(host, function);
	switch_off(host, &plan);
	read_places(host, &plan);
	if (!are_where_they_were(host, &plan))
		return refuse(host, function, SP_LOST, "after its reset they would lie elsewhere");
	switch_on(host, &plan);
	for (uint32_t i = 0; i < plan.count; i++) {
		if (!sriov_answers(host, &host->functions[function->first_vf + i]))
			return refuse(host, function, SP_LOST,
				      "after its reset one of them does not answer");
	}
	return SP_OK;
}
