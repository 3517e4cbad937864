/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/redact_files.c - what is left of each file.
 *
 * Of files in which people and places are named only that is kept which commands look for; a new kind of line is
 * therefore left out until somebody needs it. The rest is kept but for what looks like an address or a UUID.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "memory.h"
#include "redact_back.h"
#include "use_back.h"

/* PCI Express base 6.0: 7.9.3 Device Serial Number */
#define CAPABILITY_SERIAL 0x0003u
#define SERIAL_BYTES	  8u

static struct root_bytes bytes_of(char *text)
{
	return (struct root_bytes){ text, strlen(text) };
}

/* Each line by `redact_line`, NULL from it: the line goes. */
static struct root_bytes each_line(struct redact *redact, const struct root_bytes *bytes,
				   char *(*redact_line)(struct redact *redact, char *line))
{
	char *text = memory_copy(bytes->data), *rest = text, *line, *whole = memory_copy("");

	while ((line = strsep(&rest, "\n"))) {
		char *kept = *line || rest ? redact_line(redact, line) : NULL, *more;

		if (!kept)
			continue;
		more = memory_print("%s%s\n", whole, kept);
		free(kept);
		free(whole);
		whole = more;
	}
	free(text);
	return bytes_of(whole);
}

/* --- patterns --- */

static bool is_hex_run(const char *at, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!isxdigit((unsigned char)at[i]))
			return false;
	}
	return true;
}

/* 01:23:45:67:89:ab */
static size_t mac_length(const char *at)
{
	for (size_t i = 0; i < 6; i++) {
		if (!is_hex_run(at + 3 * i, 2) || (i < 5 && at[3 * i + 2] != ':'))
			return 0;
	}
	return 17;
}

static size_t uuid_length(const char *at)
{
	static const size_t runs[] = { 8, 4, 4, 4, 12 };
	size_t length = 0;

	for (size_t i = 0; i < 5; i++) {
		if (!is_hex_run(at + length, runs[i]) || (i < 4 && at[length + runs[i]] != '-'))
			return 0;
		length += runs[i] + (i < 4);
	}
	return length;
}

static size_t ipv4_length(const char *at)
{
	size_t length = 0;

	for (unsigned int i = 0; i < 4; i++) {
		size_t digits = strspn(at + length, "0123456789");

		if (!digits || digits > 3 || strtoul(at + length, NULL, 10) > 255 ||
		    (i < 3 && at[length + digits] != '.'))
			return 0;
		length += digits + (i < 3);
	}
	return length;
}

static size_t pattern_at(const char *at, enum redact_kind *kind)
{
	size_t length;

	*kind = REDACT_UUID;
	length = uuid_length(at);
	if (length)
		return length;
	*kind = REDACT_MAC;
	length = mac_length(at);
	if (length)
		return length;
	*kind = REDACT_ADDRESS;
	return ipv4_length(at);
}

char *redact_patterns(struct redact *redact, const char *text)
{
	char *whole = memory_take(4 * strlen(text) + 1, 1), *out = whole;
	bool begins = true;

	while (*text) {
		enum redact_kind kind;
		/* Not in the middle of a longer number. */
		size_t length = begins ? pattern_at(text, &kind) : 0;

		if (length && !isalnum((unsigned char)text[length])) {
			char *secret = memory_print("%.*s", (int)length, text);

			out = stpcpy(out, redact_word(redact, kind, secret));
			free(secret);
			text += length;
			begins = false;
		} else {
			begins = !isalnum((unsigned char)*text) && *text != '.' && *text != ':';
			*out++ = *text++;
		}
	}
	return whole;
}

static char *pattern_line(struct redact *redact, char *line)
{
	return redact_patterns(redact, line);
}

/* --- files --- */

/* What every machine has. */
static bool is_plain_mount(const char *mount)
{
	static const char *const heads[] = { "/proc", "/sys", "/dev", "/boot" };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		size_t length = strlen(heads[i]);

		if (!strncmp(mount, heads[i], length) && (!mount[length] || mount[length] == '/'))
			return true;
	}
	return use_is_vital(mount) || !strcmp(mount, "/run") || !strcmp(mount, "/tmp");
}

static char *mount_word(struct redact *redact, const char *escaped)
{
	char *mount = memory_copy(escaped), *word;

	use_unescape(mount);
	word = memory_copy(is_plain_mount(mount) ? mount
						 : redact_word(redact, REDACT_MOUNT, mount));
	free(mount);
	return word;
}

static char *source_word(struct redact *redact, const char *source, const char *type)
{
	if (!strncmp(source, "/dev/", 5))
		return redact_device(redact, source);
	return memory_copy(!strcmp(source, type) ? source
						 : redact_word(redact, REDACT_SOURCE, source));
}

/* "36 1 253:0 /home /home rw,.. shared:1 - ext4 /dev/mapper/vg-root rw,..": numbers, place, type and device are kept. */
static char *mount_line(struct redact *redact, char *line)
{
	const char *behind = strstr(line, " - ");
	char numbers[3][32], point[4096], type[64], source[4096], *mount, *device, *kept;

	if (!behind ||
	    sscanf(line, "%31s %31s %31s %*s %4095s", numbers[0], numbers[1], numbers[2], point) !=
		    4 ||
	    sscanf(behind, " - %63s %4095s", type, source) != 2)
		return NULL;
	mount = mount_word(redact, point);
	device = source_word(redact, source, type);
	kept = memory_print("%s %s %s / %s rw - %s %s rw", numbers[0], numbers[1], numbers[2],
			    mount, type, device);
	free(mount);
	free(device);
	return kept;
}

static char *swap_line(struct redact *redact, char *line)
{
	size_t length = strcspn(line, " \t");
	char *file = memory_print("%.*s", (int)length, line), *word, *kept;

	if (*file != '/')
		word = memory_copy(file);
	else if (!strncmp(file, "/dev/", 5))
		word = redact_device(redact, file);
	else
		word = memory_copy(redact_word(redact, REDACT_SWAP, file));
	kept = memory_print("%s%s", word, line + length);
	free(word);
	free(file);
	return kept;
}

static bool is_zero(const char *digits)
{
	return strspn(digits, "0") == strlen(digits);
}

/* Zero tells of the default route, and of a route without a gateway; other addresses are one. */
static char *route_line(struct redact *redact, char *line)
{
	char interface[64], destination[33], gateway[33], rest[200];

	if (sscanf(line, "%63s %32s %32s %199[^\n]", interface, destination, gateway, rest) != 4)
		return NULL;
	if (!strcmp(interface, "Iface"))
		return memory_copy(line);
	return memory_print("%s\t%s\t%s\t%s", redact_net(redact, interface),
			    is_zero(destination) ? destination : "000200C0",
			    is_zero(gateway) ? gateway : "010200C0", rest);
}

static char *route6_line(struct redact *redact, char *line)
{
	static const char one[] = "20010db8000000000000000000000001";
	char address[3][33], length[2][8], rest[4][32], interface[64];

	if (sscanf(line, "%32s %7s %32s %7s %32s %31s %31s %31s %31s %63s", address[0], length[0],
		   address[1], length[1], address[2], rest[0], rest[1], rest[2], rest[3],
		   interface) != 10)
		return NULL;
	return memory_print("%s %s %s %s %s %s %s %s %s %s", is_zero(address[0]) ? address[0] : one,
			    length[0], is_zero(address[1]) ? address[1] : one, length[1],
			    is_zero(address[2]) ? address[2] : one, rest[0], rest[1], rest[2],
			    rest[3], redact_net(redact, interface));
}

/* Words that are about what we judge, and no others. */
static char *cmdline_line(struct redact *redact, char *line)
{
	static const char *const heads[] = { "iommu",	    "intel_iommu", "amd_iommu",
					     "intremap",    "vfio",	   "pci",
					     "kvm",	    "hugepage",	   "default_hugepagesz",
					     "mem_encrypt", "quiet" };
	char *whole = memory_copy(""), *word;

	(void)redact;
	while ((word = strsep(&line, " "))) {
		for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
			char *more;

			if (strncmp(word, heads[i], strlen(heads[i])) != 0)
				continue;
			more = memory_print("%s%s%s", whole, *whole ? " " : "", word);
			free(whole);
			whole = more;
			break;
		}
	}
	return whole;
}

/* "6.12.9-amd64": who builds a kernel names it. */
static char *release_line(struct redact *redact, char *line)
{
	(void)redact;
	return memory_print("%.*s", (int)strspn(line, "0123456789."), line);
}

/* Where a keyboard is, not what it is called. */
static char *input_line(struct redact *redact, char *line)
{
	(void)redact;
	return !*line || !strncmp(line, "S: ", 3) || !strncmp(line, "H: ", 3) ? memory_copy(line)
									      : NULL;
}

/* The kernel repeats its command line there, and once more what it does not know of it. */
static char *log_line_of(struct redact *redact, char *line)
{
	return strstr(line, "ommand line") ? NULL : redact_patterns(redact, line);
}

static struct root_bytes redact_log(struct redact *redact, const struct root_bytes *bytes)
{
	struct root_bytes kept = log_of_interest(bytes),
			  lines = each_line(redact, &kept, log_line_of);

	free((char *)(uintptr_t)kept.data);
	return lines;
}

/* Only whether they are remapped is looked for; the names are drivers', interfaces', programs'. */
static struct root_bytes redact_interrupts(const struct root_bytes *bytes)
{
	return bytes_of(memory_copy(!bytes->count		  ? ""
				    : strstr(bytes->data, " IR-") ? "  0: IR-\n"
								  : "  0: -\n"));
}

static uint32_t word32(const char *data)
{
	const unsigned char *byte = (const unsigned char *)data;

	return (uint32_t)byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 |
	       (uint32_t)byte[3] << 24;
}

/* The serial number of many a network card is its MAC. */
static struct root_bytes redact_config(const struct root_bytes *bytes)
{
	char *data = memory_take(bytes->count + 1, 1);
	size_t at = 256;

	memcpy(data, bytes->data, bytes->count);
	for (unsigned int i = 0; i < 960 && at >= 256 && at + 4 <= bytes->count; i++) {
		uint32_t entry = word32(data + at);

		if ((entry & 0xffff) == CAPABILITY_SERIAL && at + 4 + SERIAL_BYTES <= bytes->count)
			memset(data + at + 4, 0, SERIAL_BYTES);
		at = entry >> 20 & ~3u;
	}
	return (struct root_bytes){ data, bytes->count };
}

static struct root_bytes copy(const struct root_bytes *bytes)
{
	char *data = memory_take(bytes->count + 1, 1);

	memcpy(data, bytes->data, bytes->count);
	return (struct root_bytes){ data, bytes->count };
}

static bool ends_with(const char *path, const char *end)
{
	size_t length = strlen(path), tail = strlen(end);

	return length >= tail && !strcmp(path + length - tail, end);
}

struct root_bytes redact_file(struct redact *redact, const char *path,
			      const struct root_bytes *bytes)
{
	static const struct rule {
		const char *path;
		char *(*line)(struct redact *redact, char *line);
	} rules[] = {
		{ "proc/self/mountinfo", mount_line },
		{ "proc/swaps", swap_line },
		{ "proc/net/route", route_line },
		{ "proc/net/ipv6_route", route6_line },
		{ "proc/cmdline", cmdline_line },
		{ "proc/bus/input/devices", input_line },
		{ "proc/sys/kernel/osrelease", release_line },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!strcmp(rules[i].path, path))
			return each_line(redact, bytes, rules[i].line);
	}
	if (!strcmp(path, LOG_PATH))
		return redact_log(redact, bytes);
	if (!strcmp(path, "proc/interrupts"))
		return redact_interrupts(bytes);
	if (ends_with(path, "/config"))
		return redact_config(bytes);
	/* Bytes, tables of firmware: no text. */
	if (memchr(bytes->data, 0, bytes->count) || !bytes->count ||
	    bytes->data[bytes->count - 1] != '\n')
		return copy(bytes);
	return each_line(redact, bytes, pattern_line);
}
