/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit_reset.c - can the device be made to forget its guest? The methods that really exist.
 *
 *   flr              PCI Express base 6.0, 6.6.2; Device Capabilities bit 28
 *   af_flr           Advanced Features capability
 *   device_specific  by code of the kernel, for this device
 *   acpi             by firmware's code (_RST)
 *   pm               D3hot and back, where PMCSR's No_Soft_Reset is clear
 *   bus              of the bus above, where nothing else is on it
 */
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "memory.h"

#define CAPABILITY_POWER    0x01u
#define CAPABILITY_PCIE	    0x10u
#define CAPABILITY_ADVANCED 0x13u
#define PCIE_FLR	    (1u << 28)
#define ADVANCED_FLR	    0x03u /* FLR, and a bit that tells of transactions under way */
#define POWER_NO_SOFT_RESET (1u << 3)

static bool has_method(const char *methods, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = methods; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
		if (strcspn(at, " ") == length && !strncmp(at, name, length))
			return true;
	}
	return false;
}

static bool has_flr(const struct machine_function *function)
{
	uint32_t at = machine_capability(function, CAPABILITY_PCIE);

	return at && machine_config(function, at + 4, 4) & PCIE_FLR;
}

static bool has_advanced(const struct machine_function *function)
{
	uint32_t at = machine_capability(function, CAPABILITY_ADVANCED);

	return at && (machine_config(function, at + 3, 1) & ADVANCED_FLR) == ADVANCED_FLR;
}

static bool has_power(const struct machine_function *function)
{
	uint32_t at = machine_capability(function, CAPABILITY_POWER);

	return at && !(machine_config(function, at + 4, 2) & POWER_NO_SOFT_RESET);
}

/* Nothing else below the bridge above it. */
static bool is_alone(const struct check *check)
{
	const struct machine *machine = check->machine;

	for (size_t i = 0; i < machine->function_count; i++) {
		if ((int)i != check->index &&
		    machine->function[i].parent == check->function->parent)
			return false;
	}
	return check->function->parent != MACHINE_NONE;
}

static char *add_method(char *methods, bool has, const char *name)
{
	char *more;

	if (!has)
		return methods;
	more = memory_print("%s%s%s", methods, *methods ? " " : "", name);
	free(methods);
	return more;
}

/* Kernels from 5.15 on have reset_method, of functions that they can reset. */
static bool kernel_lists(const struct machine *machine)
{
	for (size_t i = 0; i < machine->function_count; i++) {
		if (machine->function[i].reset)
			return true;
	}
	return false;
}

/* The kernel's list is made as a function is found: then the first on a bus is alone, and "bus" is in it. */
static char *listed_methods(const struct check *check)
{
	static const char *const names[] = { "device_specific", "acpi", "flr",
					     "af_flr",		"pm",	"bus",
					     "cxl_bus" };
	const char *listed = check->function->reset;
	char *methods = memory_copy("");

	for (size_t i = 0; listed && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], "bus") || is_alone(check) || left_out("reset-bus"))
			methods = add_method(methods, has_method(listed, names[i]), names[i]);
	}
	return methods;
}

/*
 * A kernel that lists no methods still has a file `reset` where it knows a way, and none where it knows the registers to
 * be wrong. What every function has, `uevent`, tells that the whole directory was listed.
 */
static bool kernel_knows_none(const struct check *check)
{
	struct root_names names;
	bool whole = false, reset = false;

	if (left_out("reset-file") ||
	    root_list(check->machine->root, check->function->path, &names) != ROOT_OK)
		return false;
	for (size_t i = 0; i < names.count; i++) {
		whole |= !strcmp(names.name[i], "uevent");
		reset |= !strcmp(names.name[i], "reset");
	}
	return whole && !reset;
}

/* Where the kernel lists none at all, what configuration space shows, unless the kernel knows better. */
static char *methods_of(const struct check *check)
{
	const struct machine_function *function = check->function;
	char *methods;

	if (kernel_lists(check->machine))
		return listed_methods(check);
	if (kernel_knows_none(check))
		return memory_copy("");
	if (!machine_sees_capabilities(function))
		return NULL;
	methods = add_method(memory_copy(""), has_flr(function), "flr");
	methods = add_method(methods, has_advanced(function), "af_flr");
	methods = add_method(methods, has_power(function), "pm");
	return add_method(methods, is_alone(check), "bus");
}

/* The bits that speak for what there is, or against it. */
static char *registers_of(const struct machine_function *function)
{
	uint32_t power = machine_capability(function, CAPABILITY_POWER);

	if (!machine_sees_capabilities(function))
		return memory_copy("capabilities could not be read");
	return memory_print(
		"its configuration space has %s FLR bit in Device Capabilities, %s Advanced Features FLR, "
		"%s",
		has_flr(function) ? "the" : "no", has_advanced(function) ? "an" : "no",
		!power		      ? "no power management"
		: has_power(function) ? "No_Soft_Reset clear"
				      : "No_Soft_Reset set");
}

static const char *source_of(const struct machine_function *function)
{
	return function->reset ? "reset_method" : "config";
}

static char *no_method_text(const struct check *check)
{
	const char *name = check->function->name;

	if (check->function->reset)
		return memory_print(
			"/sys/bus/pci/devices/%s/reset_method lists %s, but others are on the bus, so the kernel "
			"refuses that",
			name, check->function->reset);
	if (kernel_lists(check->machine))
		return memory_print(
			"/sys/bus/pci/devices/%s has no reset_method, as others have: the kernel knows no way",
			name);
	if (kernel_knows_none(check))
		return memory_print(
			"/sys/bus/pci/devices/%s has no file `reset`: the kernel knows no way",
			name);
	return memory_print("/sys/bus/pci/devices/%s/config shows no method", name);
}

static void add_known(const struct check *check, const char *methods)
{
	const struct machine_function *function = check->function;
	bool whole = has_method(methods, "flr") || has_method(methods, "af_flr") ||
		     has_method(methods, "device_specific") || has_method(methods, "acpi");
	char *registers = registers_of(function);
	bool refused = function->reset && has_flr(function) && !has_method(methods, "flr");

	finding_add(
		check->out, "reset", AUDIT_SAFE,
		memory_print("is reset by %.*s", (int)strcspn(methods, " "), methods),
		memory_print(
			"/sys/bus/pci/devices/%s/%s: %s; %s.%s%s", function->name,
			source_of(function), methods, registers,
			whole ? ""
			      : " There is no function level reset: what a reset by power or by the bus "
				"clears is up to the device.",
			refused ? " The kernel knows its FLR to be broken, and does not use it."
				: ""),
		NULL);
	free(registers);
}

/* All that a reset of the bus would hit, and whether it all goes along. */
static bool list_of_bus(const struct check *check, struct audit_finding *finding)
{
	const struct machine *machine = check->machine;
	bool all = true;

	for (size_t i = 0; i < machine->function_count; i++) {
		int up = machine->function[i].parent;

		while (up != MACHINE_NONE && up != check->function->parent)
			up = machine->function[up].parent;
		if (up == MACHINE_NONE || (int)i == check->index || machine->function[i].is_bridge)
			continue;
		finding_add_peer(finding, (int)i);
		all &= function_is_mate(check, (int)i);
	}
	return all;
}

/* A default domain that lets everything through: what the guest left running runs on in the host. */
static bool comes_back_unbounded(const struct check *check)
{
	return !left_out("reset-identity") && check->group && check->group->type &&
	       !strcmp(check->group->type, "identity");
}

static char *none_text(const struct check *check, const struct audit_finding *bus, bool unbounded)
{
	char *registers = registers_of(check->function), *none = no_method_text(check),
	     *list = finding_list(check->machine, bus->peer, bus->peer_count), *text;

	text = memory_print(
		"%s; %s.%s%s%s%s", none, registers,
		bus->peer_count ? " A reset of the bus would hit " : "", list,
		bus->peer_count ? " too." : "",
		unbounded
			? " And the group's default domain is identity: what a guest left running in the "
			  "device reaches all memory once the host drives it again."
			: " What one guest left in it, the next one finds.");
	free(none);
	free(list);
	free(registers);
	return text;
}

static void add_none(const struct check *check)
{
	bool unbounded = comes_back_unbounded(check), with_all;
	struct audit_finding bus = { .peer = NULL }, *finding;

	with_all = check->function->parent != MACHINE_NONE && list_of_bus(check, &bus) &&
		   bus.peer_count;
	if (with_all)
		finding = finding_add(
			check->out, "reset-bus", AUDIT_CONDITIONAL,
			memory_copy("is reset by its bus alone, with its group mates"),
			none_text(check, &bus, false),
			memory_copy(
				"give all of them to one guest: VFIO then resets the bus (hot reset)"));
	else
		finding = finding_add(
			check->out, "reset-none", unbounded ? AUDIT_UNSAFE : AUDIT_CONDITIONAL,
			memory_copy("cannot be reset"), none_text(check, &bus, unbounded),
			memory_copy(
				unbounded
					? "boot without iommu=pt, and give it to one guest until the next power cycle"
					: "give it to one guest, and to another after a power cycle alone"));
	finding->peer = bus.peer;
	finding->peer_count = bus.peer_count;
}

void audit_reset(const struct check *check)
{
	char *methods;

	if (check->function->is_bridge || left_out("reset"))
		return;
	methods = methods_of(check);
	if (!methods)
		finding_add(
			check->out, "reset-unseen", AUDIT_UNKNOWN,
			memory_copy("whether it can be reset is not known"),
			memory_print(
				"/sys/bus/pci/devices/%s/reset_method is not there (a kernel before 5.15), and capabilities could "
				"not be read.",
				check->function->name),
			memory_copy("run it as root"));
	else if (*methods)
		add_known(check, methods);
	else
		add_none(check);
	free(methods);
}
