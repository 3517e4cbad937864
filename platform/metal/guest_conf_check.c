/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guest_conf_check.c - can this machine have these guests, all at once?
 *
 *   what must be said -> modules -> memory and CPUs, summed up -> devices, each with one owner
 */
#include "platform/metal/guest_conf.h"

#include "platform/metal/print.h"

#define MIB ((uint64_t)1 << 20)

struct check {
	struct guest_conf *conf;
	const struct conf_machine *machine;
	struct conf_mistakes *mistakes;
};

/* ---- modules ---- */

/* A loader's string: path, then words. */
void conf_module_name(const char *string, char *name, size_t size)
{
	const char *begin = string, *end = string;

	for (; *end != '\0' && *end != ' ' && *end != '\t'; end++) {
		if (*end == '/')
			begin = end + 1;
	}
	print(name, size, "%.*s", (int)(end - begin), begin);
}

/* The first of that name; loaders do not keep names apart. */
static uint32_t find_module(const struct conf_machine *machine, struct conf_text name)
{
	uint32_t i = 0;

	while (i < machine->module_count && !conf_text_is_word(name, machine->module[i].name))
		i++;
	return i;
}

/* Names are the modules' own: a kernel that is given twice is one module, and may be shared. */
static void check_module(struct check *check, const struct conf_guest *guest, enum conf_key key,
			 struct conf_text name, uint32_t *module)
{
	*module = check->machine->module_count;
	if (guest->said[key] == 0)
		return;
	*module = find_module(check->machine, name);
	if (*module == check->machine->module_count)
		conf_mistake(check->mistakes, guest->said[key],
			     "%s %.*s: no boot module has this name", conf_key_name(key),
			     (int)name.length, name.at);
}

/* ---- what a guest must have ---- */

/* What has no default. The heading is named: there is no line to blame. */
static void check_said(struct check *check, const struct conf_guest *guest)
{
	static const enum conf_key keys[] = { CONF_KERNEL, CONF_MEMORY };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (guest->said[keys[i]] == 0)
			conf_mistake(check->mistakes, guest->line, "[%s]: has no %s", guest->name,
				     conf_key_name(keys[i]));
	}
}

static uint64_t module_bytes(const struct check *check, uint32_t module)
{
	const struct conf_machine *machine = check->machine;

	return module < machine->module_count ? machine->module[module].bytes : 0;
}

/* Both lie in the guest's memory before its first instruction. */
static void check_size(struct check *check, const struct conf_guest *guest)
{
	uint64_t needed = module_bytes(check, guest->kernel_module) +
			  module_bytes(check, guest->initrd_module);

	if (guest->said[CONF_MEMORY] != 0 && needed >= guest->memory)
		conf_mistake(check->mistakes, guest->said[CONF_MEMORY],
			     "memory %luM: kernel and initrd alone are %luM", guest->memory / MIB,
			     (needed + MIB - 1) / MIB);
}

/* Said of the guest with which it becomes too much, and of no later one. */
static void check_sums(struct check *check)
{
	const struct conf_machine *machine = check->machine;
	uint64_t memory = 0, cpus = 0;

	for (uint32_t i = 0; i < check->conf->guest_count; i++) {
		const struct conf_guest *guest = &check->conf->guest[i];
		bool had_memory = memory <= machine->memory, had_cpus = cpus <= machine->cpus;

		memory += guest->memory;
		cpus += guest->cpus;
		if (had_memory && memory > machine->memory)
			conf_mistake(
				check->mistakes, guest->said[CONF_MEMORY],
				"memory %luM: makes %luM together, but there are %luM for guests",
				guest->memory / MIB, memory / MIB, machine->memory / MIB);
		if (had_cpus && cpus > machine->cpus)
			conf_mistake(check->mistakes,
				     guest->said[CONF_CPU_COUNT] ? guest->said[CONF_CPU_COUNT]
								 : guest->line,
				     "cpus %u: makes %lu together, but there are %u for guests",
				     guest->cpus, cpus, machine->cpus);
	}
}

/* ---- who serves whom ---- */

static uint32_t find_served(const struct guest_conf *conf, struct conf_text name)
{
	uint32_t i = 0;

	while (i < conf->guest_count && !conf_text_is_word(name, conf->guest[i].name))
		i++;
	return i;
}

static void check_serves(struct check *check, struct conf_guest *guest)
{
	const uint32_t line = guest->said[CONF_SERVES];
	const struct conf_text name = guest->serves;

	guest->served = CONF_GUESTS;
	if (line == 0)
		return;
	guest->served = find_served(check->conf, name);
	if (guest->served == check->conf->guest_count)
		conf_mistake(check->mistakes, line, "serves %.*s: there is no such guest",
			     (int)name.length, name.at);
	else if (&check->conf->guest[guest->served] == guest)
		conf_mistake(check->mistakes, line, "serves %.*s: a guest cannot serve itself",
			     (int)name.length, name.at);
	else if (guest->balloon == CALL_BY_NOBODY)
		conf_mistake(check->mistakes, line,
			     "serves %.*s: needs hypercalls; say balloon = kernel, or user",
			     (int)name.length, name.at);
}

/* ---- devices ---- */

struct device_text {
	char chars[16];
};

/* As the file has it. */
static struct device_text text_of(const struct conf_device *device)
{
	struct device_text text = { { 0 } };

	if (device->by_id)
		print(text.chars, sizeof(text.chars), "%04x:%04x", device->vendor, device->device);
	else
		print(text.chars, sizeof(text.chars), "%s", print_sbdf(device->sbdf).chars);
	return text;
}

/* Machines have some dozens of functions, and this is done once. */
static const struct sp_function_info *find_function(const struct conf_machine *machine,
						    sp_sbdf_t sbdf)
{
	for (uint32_t i = 0; i < machine->function_count; i++) {
		if (machine->function[i].sbdf.sbdf == sbdf.sbdf)
			return &machine->function[i];
	}
	return NULL;
}

/* Who has the function already: an sbdf that was said, or an id that was found. */
static const struct conf_device *find_taker(const struct check *check, sp_sbdf_t sbdf,
					    const struct conf_device *but,
					    const struct conf_guest **guest)
{
	for (uint32_t i = 0; i < check->conf->guest_count; i++) {
		*guest = &check->conf->guest[i];
		for (uint32_t k = 0; k < (*guest)->device_count; k++) {
			const struct conf_device *device = &(*guest)->device[k];

			if (device != but && device->found && device->sbdf.sbdf == sbdf.sbdf)
				return device;
		}
	}
	return NULL;
}

/* The library refuses these too, but only when the guest is half built. */
static const char *why_not(const struct sp_function_info *function)
{
	if (function == NULL)
		return "this machine has no such function";
	if (function->is_bridge)
		return "is a bridge, which no guest can have";
	if (function->vf_count != 0)
		return "its virtual functions are on (option vfs): give one of these";
	if (!function->covered)
		return "no IOMMU translates it, so nothing would contain it";
	return NULL;
}

/* Said of the later line: it is the one that was added. */
static void check_named(struct check *check, const struct conf_device *device)
{
	const char *why = why_not(find_function(check->machine, device->sbdf));
	const struct conf_guest *guest;
	const struct conf_device *taker = find_taker(check, device->sbdf, device, &guest);

	if (why != NULL)
		conf_mistake(check->mistakes, device->line, "device %s: %s", text_of(device).chars,
			     why);
	else if (taker != NULL && taker->line < device->line)
		conf_mistake(check->mistakes, device->line,
			     "device %s: belongs to guest %s already, line %u",
			     text_of(device).chars, guest->name, taker->line);
}

/* The first function of that id that nobody has, in the machine's order. */
static void choose_function(struct check *check, struct conf_device *device)
{
	const struct conf_machine *machine = check->machine;
	const struct conf_guest *guest;
	const char *why = NULL;
	uint32_t found = 0;

	for (uint32_t i = 0; i < machine->function_count; i++) {
		const struct sp_function_info *function = &machine->function[i];

		if (function->vendor != device->vendor || function->device != device->device)
			continue;
		found++;
		if (find_taker(check, function->sbdf, device, &guest) != NULL)
			continue;
		why = why_not(function);
		if (why == NULL) {
			device->sbdf = function->sbdf;
			device->found = true;
			return;
		}
	}
	if (why != NULL || found == 0)
		conf_mistake(check->mistakes, device->line, "device %s: %s", text_of(device).chars,
			     why != NULL ? why : "this machine has none with this id");
	else
		conf_mistake(check->mistakes, device->line,
			     "device %s: this machine has %u with this id, all of them given away",
			     text_of(device).chars, found);
}

/* Ids are a segment's own: the same number elsewhere is another requester. */
static bool shares_requester(const struct sp_function_info *a, const struct sp_function_info *b)
{
	for (uint32_t i = 0; i < a->requester_count; i++) {
		for (uint32_t k = 0; k < b->requester_count; k++) {
			if (a->requester[i] == b->requester[k] &&
			    sp_sbdf_segment(a->sbdf) == sp_sbdf_segment(b->sbdf))
				return true;
		}
	}
	return false;
}

/* No unit tells such two apart: with one owner each, each would have the other's memory. */
static void check_pair(struct check *check, const struct conf_guest *one,
		       const struct conf_device *a, const struct conf_device *b)
{
	const struct sp_function_info *left = find_function(check->machine, a->sbdf);
	const struct sp_function_info *right = find_function(check->machine, b->sbdf);

	if (left != NULL && right != NULL && a->sbdf.sbdf != b->sbdf.sbdf &&
	    shares_requester(left, right))
		conf_mistake(
			check->mistakes, b->line,
			"device %s: shares its requester id with %s of guest %s, line %u; both "
			"need one owner",
			text_of(b).chars, print_sbdf(a->sbdf).chars, one->name, a->line);
}

static void check_shared(struct check *check, const struct conf_guest *one,
			 const struct conf_guest *other)
{
	for (uint32_t i = 0; i < one->device_count; i++) {
		for (uint32_t k = 0; k < other->device_count; k++)
			check_pair(check, one, &one->device[i], &other->device[k]);
	}
}

/* by_id: second round, see check_devices(). */
static void check_owned(struct check *check, struct conf_guest *guest, bool by_id)
{
	for (uint32_t i = 0; i < guest->device_count; i++) {
		struct conf_device *device = &guest->device[i];

		if (device->by_id != by_id)
			continue;
		if (by_id)
			choose_function(check, device);
		else
			check_named(check, device);
	}
}

/* Functions that were named go first: an id takes what is left. */
static void check_devices(struct check *check)
{
	struct guest_conf *conf = check->conf;

	for (uint32_t i = 0; i < conf->guest_count; i++)
		check_owned(check, &conf->guest[i], false);
	for (uint32_t i = 0; i < conf->guest_count; i++)
		check_owned(check, &conf->guest[i], true);
	for (uint32_t i = 0; i < conf->guest_count; i++) {
		for (uint32_t k = i + 1; k < conf->guest_count; k++)
			check_shared(check, &conf->guest[i], &conf->guest[k]);
	}
}

/*
 * A guest without memory or kernel was named already; its sums are still made, with nothing, so
 * that the others' mistakes are told too.
 */
bool guest_conf_check(struct guest_conf *conf, const struct conf_machine *machine,
		      struct conf_mistakes *mistakes)
{
	struct check check = { conf, machine, mistakes };
	uint32_t before = mistakes->count;

	for (uint32_t i = 0; i < conf->guest_count; i++) {
		struct conf_guest *guest = &conf->guest[i];

		check_said(&check, guest);
		check_module(&check, guest, CONF_KERNEL, guest->kernel, &guest->kernel_module);
		check_module(&check, guest, CONF_INITRD, guest->initrd, &guest->initrd_module);
		check_size(&check, guest);
		check_serves(&check, guest);
	}
	check_sums(&check);
	check_devices(&check);
	return mistakes->count == before;
}
