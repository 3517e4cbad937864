/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guest_conf.h - which guests there shall be: guest.conf, a boot module.
 *
 *   file --guest_conf_parse--> struct guest_conf --guest_conf_check--> devices and modules found
 *              '--- each mistake, with its line: struct conf_mistakes ---'
 *
 * Nothing starts unless both have found no mistake. docs/guest-conf.md has the grammar.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sallyport/passthrough.h>

#include "platform/metal/conf_text.h"
#include "platform/metal/hypercall_check.h"

#define CONF_GUESTS	 8u
#define CONF_DEVICES	 8u  /* of one guest */
#define CONF_CPUS	 32u /* of one guest */
#define CONF_NAME_BYTES	 16u /* of a guest, with its zero */
#define CONF_LINE_BYTES	 2200u
#define CONF_COMMAND_MAX 2047u /* Linux's limit on x86, without the zero */
#define CONF_MEMORY_STEP (2ull << 20)
#define CONF_MEMORY_MIN	 (64ull << 20)
#define CONF_MEMORY_MAX	 (1ull << 40)

enum conf_key {
	CONF_KERNEL,
	CONF_INITRD,
	CONF_COMMAND_LINE,
	CONF_MEMORY,
	CONF_CPU_COUNT,
	CONF_DEVICE,
	CONF_CONSOLE,
	CONF_ACPI,
	CONF_BALLOON,
	CONF_FAULTS,
	CONF_SERVES,
	CONF_KEYS
};

enum conf_console {
	CONF_CONSOLE_SERIAL, /* on the hypervisor's serial line, the guest's name in front */
	CONF_CONSOLE_NONE,
};

struct conf_device {
	uint32_t line;
	bool by_id;
	uint16_t vendor, device; /* by_id */
	bool found;		 /* by_id: not before guest_conf_check() */
	sp_sbdf_t sbdf;		 /* found */
};

struct conf_guest {
	char name[CONF_NAME_BYTES];
	uint32_t line;		  /* where it begins */
	uint32_t said[CONF_KEYS]; /* in which line; 0: not */
	struct conf_text kernel, initrd, command_line;
	uint32_t kernel_module, initrd_module; /* of conf_machine, from guest_conf_check() */
	uint64_t memory;		       /* bytes */
	uint32_t cpus;
	uint32_t device_count;
	struct conf_device device[CONF_DEVICES];
	enum conf_console console;
	bool acpi;
	enum call_right balloon, faults;
	struct conf_text serves; /* the name of another guest */
	uint32_t served;	 /* its index, from guest_conf_check(); CONF_GUESTS: none */
};

struct guest_conf {
	uint32_t guest_count;
	struct conf_guest guest[CONF_GUESTS];
};

#define CONF_MISTAKES	   16u
#define CONF_MISTAKE_BYTES 192u

/* "guest.conf:12: memory 12Q: wanted a size like 512M" */
struct conf_mistakes {
	const char *file; /* its name, for the messages */
	uint32_t count;	  /* of all; the first CONF_MISTAKES have a text */
	char text[CONF_MISTAKES][CONF_MISTAKE_BYTES];
};

/* What guests can have. */
struct conf_module {
	const char *name; /* conf_module_name() */
	uint64_t bytes;
};

struct conf_machine {
	const struct conf_module *module;
	uint32_t module_count;
	uint64_t memory; /* bytes, for all guests together */
	uint32_t cpus;	 /* the same */
	const struct sp_function_info *function;
	uint32_t function_count;
};

/*
 * Reads the whole file, also behind a mistake. False: there were some. `mistakes` is begun by
 * conf_mistakes_begin().
 */
bool guest_conf_parse(const char *file, size_t bytes, struct guest_conf *conf,
		      struct conf_mistakes *mistakes);

/* Of what was parsed without a mistake: can this machine have these guests, all at once? */
bool guest_conf_check(struct guest_conf *conf, const struct conf_machine *machine,
		      struct conf_mistakes *mistakes);

void conf_mistakes_begin(struct conf_mistakes *mistakes, const char *file);
__attribute__((format(printf, 3, 4))) void conf_mistake(struct conf_mistakes *mistakes,
							uint32_t line, const char *format, ...);

/*
 * "boot/vmlinuz a b" is module "vmlinuz": a loader's string for a module is its path and words
 * behind it. Copies at most `size` - 1 bytes and a zero.
 */
void conf_module_name(const char *string, char *name, size_t size);

/* The words of the file, for messages and help. */
const char *conf_key_name(enum conf_key key);
