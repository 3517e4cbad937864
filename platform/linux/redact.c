/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/redact.c - words for secrets, and where in names and paths they stand.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "redact_back.h"

struct entry {
	enum redact_kind kind;
	char *secret, *word;
};

struct redact {
	struct entry *entry;
	size_t count;
	unsigned int used[REDACT_KINDS];
};

static char *make_word(enum redact_kind kind, unsigned int number)
{
	switch (kind) {
	case REDACT_MOUNT:
		return memory_print("/mount-%u", number);
	case REDACT_SWAP:
		return memory_print("/swap-%u", number);
	case REDACT_NAME:
		return memory_print("name-%u", number);
	case REDACT_SOURCE:
		return memory_print("source-%u", number);
	case REDACT_NET:
		return memory_print("net-%u", number);
	case REDACT_UUID:
		return memory_print("00000000-0000-0000-0000-%012u", number);
	case REDACT_MAC:
		return memory_print("02:00:00:00:%02x:%02x", number >> 8 & 0xff, number & 0xff);
	case REDACT_ADDRESS: /* RFC 5737 */
		return memory_print("192.0.2.%u", number & 0xff);
	case REDACT_KINDS:
		break;
	}
	return memory_copy("");
}

const char *redact_word(struct redact *redact, enum redact_kind kind, const char *secret)
{
	struct entry *entry;

	for (size_t i = 0; i < redact->count; i++) {
		if (redact->entry[i].kind == kind && !strcmp(redact->entry[i].secret, secret))
			return redact->entry[i].word;
	}
	redact->entry = memory_grow(redact->entry, redact->count, sizeof(*redact->entry));
	entry = &redact->entry[redact->count++];
	entry->kind = kind;
	entry->secret = memory_copy(secret);
	entry->word = make_word(kind, ++redact->used[kind]);
	return entry->word;
}

/* --- names that tell nothing --- */

/* What this head and the number behind it take; 0: something else stands there. */
static size_t numbered(const char *at, const char *head)
{
	size_t length = strlen(head);
	size_t digits = strncmp(at, head, length) ? 0 : strspn(at + length, "0123456789");

	return digits ? length + digits : 0;
}

/* ".100": VLANs, one in another. */
static bool is_vlans(const char *at)
{
	size_t length;

	while ((length = numbered(at, ".")))
		at += length;
	return !*at;
}

/* A port name behind "n" is the driver's: p1, or pf0vf1 and pf0sf1 for who stands for another one. */
static size_t place_length(const char *at)
{
	static const char *const places[] = { "P", "p", "s",  "f",   "d",  "n",	 "u", "i", "c",
					      "v", "r", "np", "npf", "vf", "sf", "o", "a" };
	size_t length = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !length; i++)
		length = numbered(at, places[i]);
	return length;
}

/* What udev calls them by their places: "eno1", "enp3s0f1np1", "wlP2p1s0"; not "enx" and a MAC. */
static bool is_place(const char *name)
{
	const char *at = name + 2;
	size_t length;

	if (strncmp(name, "en", 2) && strncmp(name, "ib", 2) && strncmp(name, "wl", 2) &&
	    strncmp(name, "ww", 2))
		return false;
	while ((length = place_length(at)))
		at += length;
	return at > name + 2 && is_vlans(at);
}

/* "eth0", "br0"; "tap100i0" is the first one of guest 100. Other letters behind the number are somebody's. */
static bool is_counted(const char *name)
{
	static const char *const counted[] = { "eth",  "wlan",	"bond", "br",  "virbr",	 "docker",
					       "team", "usb",	"wwan", "tap", "tun",	 "vnet",
					       "veth", "dummy", "ib",	"sit", "ip6tnl", "lan" };
	size_t length = 0;

	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]) && !length; i++)
		length = numbered(name, counted[i]);
	if (length && !strncmp(name, "tap", 3))
		length += numbered(name + length, "i");
	return length && is_vlans(name + length);
}

static bool is_plain_net(const char *name)
{
	return !strcmp(name, "lo") || !strcmp(name, "ovs-system") ||
	       !strcmp(name, "bonding_masters") || is_place(name) || is_counted(name);
}

const char *redact_net(struct redact *redact, const char *name)
{
	return is_plain_net(name) ? name : redact_word(redact, REDACT_NET, name);
}

/* What is behind "sd": aa2. A disk has up to three letters, and digits are its partition. */
static bool is_disk_letters(const char *rest)
{
	size_t letters = strspn(rest, "abcdefghijklmnopqrstuvwxyz");

	return letters >= 1 && letters <= 3 &&
	       strspn(rest + letters, "0123456789") == strlen(rest + letters);
}

/* What is behind "nvme": 0n1p2. A number, then more of them and what parts them. */
static bool is_disk_number(const char *rest)
{
	return isdigit((unsigned char)*rest) && strspn(rest, "0123456789cnpb") == strlen(rest);
}

/* Directories of /dev, and what the kernel calls disks. */
static bool is_plain_device(const char *name)
{
	static const char *const plain[] = { "dev",	     "mapper",	 "disk",    "by-id",
					     "by-uuid",	     "by-label", "by-path", "by-partuuid",
					     "by-partlabel", "block",	 "root",    "kmsg",
					     "md",	     "zvol",	 "vfio" };
	static const char *const lettered[] = { "sd", "vd", "xvd", "hd" };
	static const char *const counted[] = { "nvme",	 "dm-", "md", "loop", "sr",  "zram",
					       "mmcblk", "nbd", "zd", "ram",  "pmem" };

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (!strcmp(name, plain[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(lettered) / sizeof(lettered[0]); i++) {
		size_t length = strlen(lettered[i]);

		if (!strncmp(name, lettered[i], length) && is_disk_letters(name + length))
			return true;
	}
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		size_t length = strlen(counted[i]);

		if (!strncmp(name, counted[i], length) && is_disk_number(name + length))
			return true;
	}
	/* Groups of VFIO. */
	if (!strncmp(name, "noiommu-", 8))
		name += 8;
	return *name && strspn(name, "0123456789") == strlen(name);
}

/* --- parts of a path --- */

/* What a part is called, by the one before it. */
static const char *part_word(struct redact *redact, const char *before, const char *part,
			     bool in_dev)
{
	if (in_dev)
		return is_plain_device(part) || !strcmp(part, "..") || !strcmp(part, ".")
			       ? part
			       : redact_word(redact, REDACT_NAME, part);
	return !strcmp(before, "net") ? redact_net(redact, part) : part;
}

/* "lower_eth0": the interface under this one. */
static char *word_of_name(struct redact *redact, const char *before, const char *part, bool in_dev)
{
	size_t length = !strncmp(part, "lower_", 6) || !strncmp(part, "upper_", 6) ? 6 : 0;

	/* sys/fs/btrfs/UUID */
	if (!in_dev && !strcmp(before, "btrfs"))
		return redact_patterns(redact, part);
	if (length && !in_dev)
		return memory_print("%.6s%s", part, redact_net(redact, part + length));
	return memory_copy(part_word(redact, before, part, in_dev));
}

static char *redact_path(struct redact *redact, const char *path, bool in_dev)
{
	char *copy = memory_copy(path), *rest = copy, *part, *whole = NULL;
	const char *before = "";

	/* proc/net/route names no interface. */
	if (!strncmp(path, "proc/", 5)) {
		free(copy);
		return memory_copy(path);
	}
	while ((part = strsep(&rest, "/"))) {
		char *word = *part ? word_of_name(redact, before, part, in_dev) : memory_copy(""),
		     *more = memory_print("%s%s%s", whole ?: "", whole ? "/" : "", word);

		free(word);
		free(whole);
		whole = more;
		before = part;
	}
	free(copy);
	return whole;
}

static bool is_dev(const char *path)
{
	/* dev/vfio has the numbers of groups. */
	return !strncmp(path, "dev/", 4) && strncmp(path, "dev/vfio", 8) != 0;
}

char *redact_device(struct redact *redact, const char *device)
{
	return redact_path(redact, device, true);
}

/* --- notes --- */

struct redact *redact_start(const struct root_note *notes, size_t count)
{
	struct redact *redact = memory_take(1, sizeof(*redact));

	/* By their order, so that numbers do not depend on which file is written first. */
	for (size_t i = 0; i < count; i++) {
		if (notes[i].kind != ROOT_DIRECTORY || strcmp(notes[i].path, "sys/class/net") != 0)
			continue;
		for (size_t j = 0; j < notes[i].names.count; j++)
			redact_net(redact, notes[i].names.name[j]);
	}
	return redact;
}

static int compare_names(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

/* By their words: the order of what stood there tells of it. */
static void redact_names(struct redact *redact, const struct root_note *note,
			 struct root_names *names)
{
	const char *slash = strrchr(note->path, '/');

	for (size_t i = 0; i < note->names.count; i++) {
		names->name = memory_grow(names->name, names->count, sizeof(char *));
		names->name[names->count++] = word_of_name(redact, slash ? slash + 1 : note->path,
							   note->names.name[i], is_dev(note->path));
	}
	if (names->count)
		qsort(names->name, names->count, sizeof(char *), compare_names);
}

static struct root_note redact_note(struct redact *redact, const struct root_note *note)
{
	struct root_note out = { .kind = note->kind, .answer = note->answer };

	out.path = redact_path(redact, note->path, is_dev(note->path));
	if (note->answer != ROOT_OK)
		return out;
	switch (note->kind) {
	case ROOT_FILE:
		out.bytes = redact_file(redact, note->path, &note->bytes);
		break;
	case ROOT_LINK:
		out.bytes.data = redact_path(redact, note->bytes.data, is_dev(note->path));
		out.bytes.count = strlen(out.bytes.data);
		break;
	case ROOT_DIRECTORY:
		redact_names(redact, note, &out.names);
		break;
	}
	return out;
}

static int compare_notes(const void *a, const void *b)
{
	const struct root_note *left = a, *right = b;
	int order = strverscmp(left->path, right->path);

	return order ? order : (int)left->kind - (int)right->kind;
}

struct root_note *redact_notes(struct redact *redact, const struct root_note *notes, size_t count)
{
	struct root_note *out = memory_take(count, sizeof(*out));

	for (size_t i = 0; i < count; i++)
		out[i] = redact_note(redact, &notes[i]);
	if (count)
		qsort(out, count, sizeof(*out), compare_notes);
	return out;
}

static void free_note(struct root_note *note)
{
	for (size_t i = 0; i < note->names.count; i++)
		free(note->names.name[i]);
	free(note->names.name);
	free((char *)(uintptr_t)note->bytes.data);
	free(note->path);
}

void redact_notes_free(struct root_note *notes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free_note(&notes[i]);
	free(notes);
}

void redact_print_names(const struct redact *redact, FILE *out)
{
	for (size_t i = 0; i < redact->count; i++)
		fprintf(out, "%s\t%s\n", redact->entry[i].word, redact->entry[i].secret);
}

void redact_end(struct redact *redact)
{
	for (size_t i = 0; i < redact->count; i++) {
		free(redact->entry[i].secret);
		free(redact->entry[i].word);
	}
	free(redact->entry);
	free(redact);
}
