/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/model/host.c - the machine as a whole, and those platform functions that belong to no
 * part of it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

static _Thread_local uint32_t current_cpu;

/* --- creation -------------------------------------------------------------------------------- */

static const char *refuse_unit(const struct model_config *config,
			       const struct model_unit_config *unit)
{
	if (unit->vendor == MODEL_AMDVI && (unit->not_coherent || unit->write_buffer))
		return "AMD-Vi units snoop and have no write buffer to flush";
	if (unit->vendor == MODEL_AMDVI && (unit->scalable || unit->left_scalable))
		return "AMD-Vi units have no scalable mode";
	if (unit->walks_not_coherent && !unit->scalable)
		return "only in scalable mode do walks snoop by a bit of their own";
	if (unit->left_scalable && !(unit->scalable && unit->translating))
		return "left_scalable is for a translating unit that has scalable mode";
	if (unit->max_levels && (unit->max_levels < 4 || unit->max_levels > 6))
		return "max_levels is 4, 5 or 6";
	if (unit->walk_levels & ~0x38)
		return "walk_levels has a bit for 3, 4 and 5 levels only";
	if (unit->fault_records > MODEL_MAX_FAULTS)
		return "more fault records than MODEL_MAX_FAULTS";
	if (unit->domain_bits &&
	    (unit->domain_bits < 4 || unit->domain_bits > 16 || unit->domain_bits % 2))
		return "domain_bits is 4, 6, 8 ... 16";
	if (unit->base % FRAME_BYTES)
		return "a unit's base is not aligned";
	if (unit->translating && config->device_count == 0)
		return "firmware leaves no translation on where there is no device";
	return NULL;
}

static const char *refuse(const struct model_config *config)
{
	if (config->unit_count > MODEL_MAX_UNITS || config->device_count > MODEL_MAX_DEVICES ||
	    config->reserved_count > MODEL_MAX_RESERVED || config->cpus > MODEL_MAX_CPUS)
		return "more parts than MODEL_MAX_*";
	for (uint32_t i = 0; i < config->unit_count; i++) {
		const char *why = refuse_unit(config, &config->unit[i]);

		if (why)
			return why;
	}
	for (uint32_t i = 0; i < config->device_count; i++) {
		const struct model_device_config *device = &config->device[i];

		if (device->unit != MODEL_NO_UNIT && device->unit >= config->unit_count)
			return "a device names a unit that is not there; MODEL_NO_UNIT is none";
		if (device->ats &&
		    (device->kind != MODEL_ENDPOINT || device->reset == MODEL_RESET_AF))
			return "only PCI Express endpoints have a cache of their own";
		for (int bar = 0; bar < 2; bar++)
			if (device->bar_bytes[bar] & (device->bar_bytes[bar] - 1))
				return "a BAR is no power of two";
	}
	return NULL;
}

/* Zero means the usual machine, so that a test says only what matters to it. */
static void fill_defaults(struct model_config *config)
{
	config->ram_frames = config->ram_frames ? config->ram_frames : MODEL_DEFAULT_RAM;
	config->cpus = config->cpus ? config->cpus : 2;
	config->address_bits = config->address_bits ? config->address_bits : 46;
	config->tick = config->tick ? config->tick : 1000;
	config->relax = config->relax ? config->relax : 1000;
	for (uint32_t i = 0; i < config->unit_count; i++) {
		struct model_unit_config *unit = &config->unit[i];
		uint64_t first = unit->vendor == MODEL_VTD ? 0xfed90000 : 0xfed80000;

		unit->base = unit->base ? unit->base : first + 0x4000ull * i;
		unit->walk_levels = unit->walk_levels ? unit->walk_levels : 0x38;
		unit->large_pages = unit->large_pages ? unit->large_pages & 6 : 6;
		unit->max_mask = unit->max_mask ? unit->max_mask : 18;
		unit->max_mask = unit->max_mask == MODEL_NO_MASK ? 0 : unit->max_mask;
		unit->version = unit->version ? unit->version : 1;
		unit->fault_records = unit->fault_records ? unit->fault_records : 1;
		unit->domain_bits = unit->domain_bits ? unit->domain_bits : 16;
		unit->max_levels = unit->max_levels ? unit->max_levels : 6;
		if (!unit->function_sbdf)
			unit->function_sbdf = 2 + i;
	}
}

/* MODEL_ADVERSARY=none, random, max: whatever the program says. A random one's seed is told. */
static void heed_environment(struct model_config *config)
{
	static const char *const names[] = { "none", "random", "max" };
	const char *wish = getenv("MODEL_ADVERSARY");

	for (uint32_t i = 0; wish && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(wish, names[i]) == 0)
			config->adversary = (enum model_adversary)i;
	if (config->adversary == MODEL_ADVERSARY_RANDOM && getenv("MODEL_LOG"))
		fprintf(stderr, "model: seed %llu\n", (unsigned long long)config->seed);
}

struct model *model_create(const struct model_config *config)
{
	const char *why = refuse(config);
	struct model *model = why ? NULL : calloc(1, sizeof(*model));

	if (why)
		fprintf(stderr, "model_create: %s\n", why);
	if (!model)
		return NULL;
	model->config = *config;
	fill_defaults(&model->config);
	heed_environment(&model->config);
	model->random = config->seed * 2 + 1;
	if (mtx_init(&model->lock, mtx_plain | mtx_recursive) != thrd_success ||
	    !ram_create(model)) {
		fprintf(stderr, "model_create: no memory for the machine\n");
		ram_destroy(model);
		free(model);
		return NULL;
	}
	pci_create(model);
	for (uint32_t i = 0; i < MODEL_MAX_CPUS; i++)
		model->cpu[i].cache.is_cpus = true;
	for (uint32_t i = 0; i < model->config.unit_count; i++)
		unit_reset(model, i);
	model_make_current(model);
	return model;
}

void model_destroy(struct model *model)
{
	if (!model)
		return;
	model_make_current(NULL);
	for (uint32_t i = 0; i < MODEL_MAX_CPUS; i++) {
		cache_free(&model->cpu[i].cache);
		cache_free(&model->linear[i].cache);
	}
	for (uint32_t i = 0; i < MODEL_MAX_UNITS; i++)
		cache_free(&model->unit[i].cache);
	for (uint32_t i = 0; i < model->config.device_count; i++)
		cache_free(&model->function[i].atc);
	for (uint32_t i = 0; i < MODEL_MAX_OUTSIDERS; i++)
		cache_free(&model->outsider[i].cache);
	ram_destroy(model);
	mtx_destroy(&model->lock);
	free(model);
}

/* Recursive: callbacks to the test may call the model again. */
void model_take_lock(struct model *model)
{
	mtx_lock(&model->lock);
}

void model_drop_lock(struct model *model)
{
	mtx_unlock(&model->lock);
}

/* --- the verdict ----------------------------------------------------------------------------- */

/* The first is the cause, the rest its consequences. */
void model_violate(struct model *model, const char *format, ...)
{
	char line[LOG_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (model->violations++ == 0)
		memcpy(model->verdict, line, sizeof(line));
	if (getenv("MODEL_LOG"))
		fprintf(stderr, "model: VIOLATION %s\n", line);
}

const char *model_verdict(const struct model *model)
{
	return model->violations ? model->verdict : NULL;
}

uint32_t model_violation_count(const struct model *model)
{
	return model->violations;
}

void model_forgive(struct model *model)
{
	model->violations = 0;
}

/* --- chance and time ------------------------------------------------------------------------- */

/* xorshift64*: a run is repeated by its seed. */
uint64_t model_random(struct model *model)
{
	uint64_t x = model->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	model->random = x;
	return x * 0x2545f4914f6cdd1dull;
}

uint64_t model_draw(struct model *model, uint64_t below)
{
	return (model_random(model) >> 16) % below;
}

void model_advance(struct model *model, uint64_t nanoseconds)
{
	model->now += nanoseconds;
}

uint64_t model_time(const struct model *model)
{
	return model->now;
}

void model_set_relax(struct model *model, uint64_t nanoseconds)
{
	model->config.relax = nanoseconds;
}

void model_set_cpu(uint32_t cpu)
{
	current_cpu = cpu;
}

uint32_t platform_self(void *embedder)
{
	(void)embedder;
	return current_cpu;
}

uint64_t platform_now(void *embedder)
{
	struct model *model = embedder;

	model->now += model->config.tick;
	return model->now;
}

/*
 * Where late hardware moves on and kicked CPUs leave: the library may be called from nowhere else.
 */
void platform_relax(void *embedder)
{
	struct model *model = embedder;

	model_take_lock(model);
	model->now += model->config.relax;
	buffer_drain_all(model);
	answer_move(model);
	for (uint32_t i = 0; i < model->config.unit_count; i++)
		if (model->unit[i].config.answers == MODEL_TIMED)
			unit_pass_time(model, &model->unit[i]);
	model_drop_lock(model);
	outsiders_relax(model);
	linear_relax(model);
	model_deliver_kicks(model);
}

/* --- words to people ------------------------------------------------------------------------- */

static void keep_log(struct model *model, enum sp_log level, const char *line)
{
	snprintf(model->log, sizeof(model->log), "%s", line);
	model->logs[level]++;
	if (getenv("MODEL_LOG"))
		fprintf(stderr, "model: %s\n", line);
}

void platform_log(void *embedder, enum sp_log level, const char *line)
{
	struct model *model = embedder;

	model_take_lock(model);
	keep_log(model, level, line);
	model_drop_lock(model);
}

const char *model_last_log(const struct model *model)
{
	return model->log;
}

uint32_t model_log_count(const struct model *model, enum sp_log level)
{
	return model->logs[level];
}

void platform_lost(void *embedder, const struct sp_lost *lost)
{
	struct model *model = embedder;

	model_take_lock(model);
	model->lost++;
	if (model->config.on_lost)
		model->config.on_lost(model, lost, model->config.argument);
	model_drop_lock(model);
}

uint32_t model_lost_count(const struct model *model)
{
	return model->lost;
}

_Noreturn void platform_panic(void *embedder, const char *line)
{
	struct model *model = embedder;

	model_violate(model, "panic: %s", line);
	if (model->config.on_panic)
		model->config.on_panic(model, line, model->config.argument);
	fprintf(stderr, "panic: %s\n", line);
	abort();
}

/* --- registers ------------------------------------------------------------------------------- */

static bool is_register(struct model *model, uint64_t maddr, uint32_t bytes)
{
	if ((bytes == 4 || bytes == 8) && maddr % bytes == 0)
		return true;
	model_violate(model, "manual: register access of %u bytes at 0x%llx", bytes,
		      (unsigned long long)maddr);
	return false;
}

uint64_t platform_mmio_read(void *embedder, sp_maddr_t address, uint32_t bytes)
{
	struct model *model = embedder;
	uint64_t offset, value = bytes == 4 ? UINT32_MAX : UINT64_MAX;
	struct unit *unit = unit_at(model, address.maddr, &offset);

	model_take_lock(model);
	if (!unit)
		model_violate(model, "contract: register read at 0x%llx, where nothing is",
			      (unsigned long long)address.maddr);
	else if (is_register(model, address.maddr, bytes))
		value = unit->config.vendor == MODEL_VTD ? vtd_read(model, unit, offset, bytes)
							 : amdvi_read(model, unit, offset, bytes);
	model_drop_lock(model);
	return value;
}

void platform_mmio_write(void *embedder, sp_maddr_t address, uint32_t bytes, uint64_t value)
{
	struct model *model = embedder;
	uint64_t offset;
	struct unit *unit = unit_at(model, address.maddr, &offset);

	model_take_lock(model);
	buffer_drain(model);
	if (!unit)
		model_violate(model, "contract: register write at 0x%llx, where nothing is",
			      (unsigned long long)address.maddr);
	else if (is_register(model, address.maddr, bytes)) {
		/*
		 * An uncached store follows all stores before it: what they changed may be seen
		 * first.
		 */
		if (model->look_owed)
			model_look(model);
		if (unit->config.vendor == MODEL_VTD)
			vtd_write(model, unit, offset, bytes, value);
		else
			amdvi_write(model, unit, offset, bytes, value);
	}
	model_drop_lock(model);
}
