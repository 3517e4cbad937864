/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/settings.c - how the kernel was told to run IOMMU and VFIO, and what it made of that.
 */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "intel_iommu=on,sm_off": a word of the command line holds items; the word that has this one, as it stands there. */
static const char *word_with(const struct machine *machine, const char *name, const char *item)
{
	size_t length = strlen(name), wanted = strlen(item);

	for (const char *at = machine->cmdline; at && *at;
	     at += strcspn(at, " "), at += strspn(at, " ")) {
		const char *value = at + length;

		if (strncmp(at, name, length))
			continue;
		while (*value && *value != ' ') {
			size_t one = strcspn(value, ", ");

			if (one == wanted && !strncmp(value, item, one))
				return at;
			value += one + (value[one] == ',');
		}
	}
	return NULL;
}

struct word {
	const char *name, *item, *text;
};

static const char *first_of(const struct machine *machine, const struct word *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (word_with(machine, words[i].name, words[i].item))
			return words[i].text;
	}
	return NULL;
}

/* Documentation/admin-guide/kernel-parameters.txt. iommu=soft is "no IOMMU, bounce buffers". */
static const char *find_off(const struct machine *machine)
{
	static const struct word words[] = {
		{ "intel_iommu=", "off", "intel_iommu=off" },
		{ "amd_iommu=", "off", "amd_iommu=off" },
		{ "iommu=", "off", "iommu=off" },
		{ "iommu=", "soft", "iommu=soft" },
	};

	return first_of(machine, words, sizeof(words) / sizeof(words[0]));
}

static const char *find_identity(const struct machine *machine)
{
	static const struct word words[] = {
		{ "iommu=", "pt", "iommu=pt" },
		{ "iommu.passthrough=", "1", "iommu.passthrough=1" },
	};

	return first_of(machine, words, sizeof(words) / sizeof(words[0]));
}

/* A group that stands for no IOMMU at all is none of an IOMMU. */
static enum settings_answer find_translation(const struct machine *machine)
{
	for (size_t i = 0; i < machine->unit_count; i++) {
		if (machine->unit[i].used)
			return SETTING_YES;
	}
	for (size_t i = 0; i < machine->group_count; i++) {
		if (!machine->group[i].noiommu)
			return SETTING_YES;
	}
	return SETTING_NO;
}

static bool any_identity(const struct machine *machine)
{
	for (size_t i = 0; i < machine->group_count; i++) {
		if (machine->group[i].type && !strcmp(machine->group[i].type, "identity"))
			return true;
	}
	return false;
}

/* "vfio_pci.NAME=", and "vfio-pci.NAME=", which is the same to the kernel. */
static const char *word_of_module(const struct machine *machine, const char *module,
				  const char *name)
{
	char word[128];
	const char *text;
	char *at;

	snprintf(word, sizeof(word), "%s.%s=", module, name);
	text = machine_parameter(machine, word);
	while (!text && (at = strchr(word, '_')) && at < strchr(word, '.')) {
		*at = '-';
		text = machine_parameter(machine, word);
	}
	return text;
}

/* The module's parameter; before it is loaded, what the command line will make it. */
static bool find_flag(const struct machine *machine, const char *module, const char *name)
{
	char path[128];
	const char *text;

	snprintf(path, sizeof(path), "sys/module/%s/parameters", module);
	text = root_text_in(machine->root, path, name);
	if (!text)
		text = word_of_module(machine, module, name);
	return text && strchr("Yy1", *text) && *text;
}

/* VFIO makes dev/vfio/noiommu-0 for a group that it made up. */
static bool has_noiommu_node(const struct machine *machine)
{
	struct root_names names;

	if (root_list(machine->root, "dev/vfio", &names) != ROOT_OK)
		return false;
	for (size_t i = 0; i < names.count; i++) {
		if (!strncmp(names.name[i], "noiommu-", strlen("noiommu-")))
			return true;
	}
	return false;
}

/* Chips behind remapping are called "IR-IO-APIC", "IR-PCI-MSI-0000:01:00.0"; there always are some. */
static void read_interrupts(const struct machine *machine, struct settings *settings)
{
	struct root_bytes bytes;

	settings->interrupts = SETTING_UNSEEN;
	settings->interrupts_source = "proc/interrupts";
	if (root_read(machine->root, "proc/interrupts", &bytes) == ROOT_OK && bytes.count) {
		settings->interrupts = strstr(bytes.data, " IR-") ? SETTING_YES : SETTING_NO;
		return;
	}
	if (root_read(machine->root, "dev/kmsg", &bytes) != ROOT_OK)
		return;
	settings->interrupts_source = "dev/kmsg";
	if (strstr(bytes.data, "Enabled IRQ remapping") ||
	    strstr(bytes.data, "Interrupt remapping enabled"))
		settings->interrupts = SETTING_YES;
}

/* The number behind a word, in a file of lines. */
static uint64_t number_behind(const struct machine *machine, const char *path, const char *word)
{
	struct root_bytes bytes;
	const char *at;

	if (root_read(machine->root, path, &bytes) != ROOT_OK)
		return 0;
	at = strstr(bytes.data, word);
	if (!at)
		return 0;
	at += strlen(word);
	at += strspn(at, " \t:");
	return strtoull(at, NULL, 10);
}

/* "6.12.9-amd64" */
static unsigned int find_kernel(const struct machine *machine)
{
	const char *text = root_text(machine->root, "proc/sys/kernel/osrelease");
	unsigned int major, minor;

	if (!text || sscanf(text, "%3u.%3u", &major, &minor) != 2)
		return 0;
	return SETTINGS_KERNEL(major, minor);
}

struct settings settings_read(const struct machine *machine)
{
	uint64_t limit = 0;
	struct settings settings = {
		.translation = find_translation(machine),
		.off_by = find_off(machine),
		.identity_by = find_identity(machine),
		.acs_override = machine_parameter(machine, "pcie_acs_override=") != NULL,
		.interrupts_unchecked = word_with(machine, "intremap=", "nosid") != NULL,
		.noiommu = find_flag(machine, "vfio", "enable_unsafe_noiommu_mode"),
		.unsafe_interrupts =
			find_flag(machine, "vfio_iommu_type1", "allow_unsafe_interrupts"),
		.denylist_off = find_flag(machine, "vfio_pci", "disable_denylist"),
		.kernel = find_kernel(machine),
		.cpu_bits = (unsigned int)number_behind(machine, "proc/cpuinfo", "address sizes"),
		.memory_bytes = number_behind(machine, "proc/meminfo", "MemTotal") << 10,
	};

	settings.identity = any_identity(machine) ? SETTING_YES : SETTING_NO;
	if (!settings.identity_by && settings.identity == SETTING_YES)
		settings.identity_by = "the kernel's default";
	for (size_t i = 0; i < machine->group_count; i++)
		settings.noiommu |= machine->group[i].noiommu;
	settings.noiommu |= has_noiommu_node(machine);
	if (root_number_in(machine->root, "sys/module/vfio_iommu_type1/parameters",
			   "dma_entry_limit", &limit))
		settings.entry_limit = (unsigned int)limit;
	read_interrupts(machine, &settings);
	return settings;
}
