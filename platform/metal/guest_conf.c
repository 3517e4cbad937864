/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guest_conf.c - reads guest.conf, line by line.
 *
 *   [web]                 a guest begins; what follows is about it
 *   memory = 512M         one setting a line, from one table
 *   # ...                 nothing
 *
 * A mistake does not end the reading: whoever writes such a file wants to hear of all at once.
 */
#include "platform/metal/guest_conf.h"

#include <stdarg.h>

#include "platform/metal/print.h"
#include "platform/metal/string.h"

#define SHOWN_BYTES 60 /* of a value in a message */
#define GIB	    (1ull << 30)
#define MIB	    (1ull << 20)
#define KIB	    (1ull << 10)

struct parser {
	struct guest_conf *conf;
	struct conf_mistakes *mistakes;
	uint32_t line;
	struct conf_guest *guest; /* that the lines are about; NULL before the first */
	struct conf_guest nobody; /* takes the settings under a heading that was refused */
};

/* Reads the value of a setting; NULL, or what would have been wanted. */
typedef const char *read_value(struct parser *parser, struct conf_text value);

/* ---- mistakes ---- */

void conf_mistakes_begin(struct conf_mistakes *mistakes, const char *file)
{
	mistakes->file = file;
	mistakes->count = 0;
}

/* Line 0 is the file as a whole. What comes after the last text is still counted. */
void conf_mistake(struct conf_mistakes *mistakes, uint32_t line, const char *format, ...)
{
	va_list arguments;
	char *text;
	size_t used;

	if (mistakes->count++ >= CONF_MISTAKES)
		return;
	text = mistakes->text[mistakes->count - 1];
	if (line == 0)
		used = print(text, CONF_MISTAKE_BYTES, "%s: ", mistakes->file);
	else
		used = print(text, CONF_MISTAKE_BYTES, "%s:%u: ", mistakes->file, line);
	va_start(arguments, format);
	print_list(text + used, CONF_MISTAKE_BYTES - used, format, arguments);
	va_end(arguments);
}

/* A value may be two thousand bytes long; a message is a line. */
static int shown(struct conf_text text)
{
	return text.length < SHOWN_BYTES ? (int)text.length : SHOWN_BYTES;
}

/* ---- the settings ---- */

static const char *read_kernel(struct parser *parser, struct conf_text value)
{
	parser->guest->kernel = value;
	return NULL;
}

static const char *read_initrd(struct parser *parser, struct conf_text value)
{
	parser->guest->initrd = value;
	return NULL;
}

/* Linux would cut it off without a word. */
static const char *read_command_line(struct parser *parser, struct conf_text value)
{
	parser->guest->command_line = value;
	return value.length > CONF_COMMAND_MAX ? "wanted at most 2047 bytes" : NULL;
}

static uint64_t unit_of(char c)
{
	switch (c) {
	case 'K':
		return KIB;
	case 'M':
		return MIB;
	case 'G':
		return GIB;
	}
	return 0;
}

/*
 * The multiplication cannot overflow: the limit is divided by the unit instead. Steps of 2 MiB let
 * the p2m use large pages throughout.
 */
static const char *read_memory(struct parser *parser, struct conf_text value)
{
	uint64_t unit = unit_of(value.at[value.length - 1]), number;

	if (unit == 0 || !conf_text_read_number(conf_text_first(value, value.length - 1), 10,
						UINT64_MAX, &number))
		return "wanted a size like 512M";
	if (number > CONF_MEMORY_MAX / unit)
		return "wanted at most 1024G";
	if (number * unit < CONF_MEMORY_MIN)
		return "wanted at least 64M";
	if (number * unit % CONF_MEMORY_STEP != 0)
		return "wanted a multiple of 2M";
	parser->guest->memory = number * unit;
	return NULL;
}

static const char *read_cpus(struct parser *parser, struct conf_text value)
{
	uint64_t number;

	if (!conf_text_read_number(value, 10, CONF_CPUS, &number) || number == 0)
		return "wanted a number from 1 to 32";
	parser->guest->cpus = (uint32_t)number;
	return NULL;
}

/* Which of both it is, the dot tells; whether the machine has it is not known here. */
static const char *read_device(struct parser *parser, struct conf_text value)
{
	struct conf_device device = { .line = parser->line };

	device.found = conf_text_read_sbdf(value, &device.sbdf);
	device.by_id = !device.found;
	if (device.by_id && !conf_text_read_id(value, &device.vendor, &device.device))
		return "wanted a function like 00:02.0 or an id like 8086:10d3";
	if (parser->guest->device_count == CONF_DEVICES)
		return "a guest can have 8 devices, this is one more";
	parser->guest->device[parser->guest->device_count++] = device;
	return NULL;
}

static const char *read_console(struct parser *parser, struct conf_text value)
{
	if (conf_text_is_word(value, "serial"))
		parser->guest->console = CONF_CONSOLE_SERIAL;
	else if (conf_text_is_word(value, "none"))
		parser->guest->console = CONF_CONSOLE_NONE;
	else
		return "wanted serial or none";
	return NULL;
}

static const char *read_acpi(struct parser *parser, struct conf_text value)
{
	parser->guest->acpi = conf_text_is_word(value, "on");
	return parser->guest->acpi || conf_text_is_word(value, "off") ? NULL : "wanted on or off";
}

static const char *read_right(struct conf_text value, enum call_right *right)
{
	if (conf_text_is_word(value, "off"))
		*right = CALL_BY_NOBODY;
	else if (conf_text_is_word(value, "kernel"))
		*right = CALL_BY_KERNEL;
	else if (conf_text_is_word(value, "user"))
		*right = CALL_BY_USER;
	else
		return "wanted off, kernel or user";
	return NULL;
}

static const char *read_balloon(struct parser *parser, struct conf_text value)
{
	return read_right(value, &parser->guest->balloon);
}

static const char *read_faults(struct parser *parser, struct conf_text value)
{
	return read_right(value, &parser->guest->faults);
}

/* The other may come later in the file: whether it is there is not known here. */
static const char *read_serves(struct parser *parser, struct conf_text value)
{
	parser->guest->serves = value;
	return NULL;
}

/* In the order of docs/guest-conf.md. Only devices may be said more than once. */
static const struct {
	const char *name;
	read_value *read;
	bool repeats;
} settings[CONF_KEYS] = {
	[CONF_KERNEL] = { "kernel", read_kernel, false },
	[CONF_INITRD] = { "initrd", read_initrd, false },
	[CONF_COMMAND_LINE] = { "command-line", read_command_line, false },
	[CONF_MEMORY] = { "memory", read_memory, false },
	[CONF_CPU_COUNT] = { "cpus", read_cpus, false },
	[CONF_DEVICE] = { "device", read_device, true },
	[CONF_CONSOLE] = { "console", read_console, false },
	[CONF_ACPI] = { "acpi", read_acpi, false },
	[CONF_BALLOON] = { "balloon", read_balloon, false },
	[CONF_FAULTS] = { "faults", read_faults, false },
	[CONF_SERVES] = { "serves", read_serves, false },
};

const char *conf_key_name(enum conf_key key)
{
	return settings[key].name;
}

static uint32_t find_setting(struct conf_text name)
{
	uint32_t key = 0;

	while (key < CONF_KEYS && !conf_text_is_word(name, settings[key].name))
		key++;
	return key;
}

/* ---- lines ---- */

/* A setting counts as said even if its value is bad: else it would also be missed. */
static void parse_value(struct parser *parser, uint32_t key, struct conf_text value)
{
	uint32_t *said = &parser->guest->said[key];
	const char *name = settings[key].name, *wanted;

	if (value.length == 0) {
		conf_mistake(parser->mistakes, parser->line, "%s: has no value", name);
	} else if (*said != 0 && !settings[key].repeats) {
		conf_mistake(parser->mistakes, parser->line,
			     "%s %.*s: is set twice, first in line %u", name, shown(value),
			     value.at, *said);
	} else {
		*said = parser->line;
		wanted = settings[key].read(parser, value);
		if (wanted != NULL)
			conf_mistake(parser->mistakes, parser->line, "%s %.*s: %s", name,
				     shown(value), value.at, wanted);
	}
}

static void parse_setting(struct parser *parser, struct conf_text text)
{
	size_t length = conf_text_find_char(text, '=');
	struct conf_text name = conf_text_trim(conf_text_first(text, length));
	uint32_t key = find_setting(name);

	if (length == text.length) {
		conf_mistake(parser->mistakes, parser->line,
			     "%.*s: wanted a line like memory = 512M, or [name]", shown(text),
			     text.at);
	} else if (key == CONF_KEYS) {
		conf_mistake(
			parser->mistakes, parser->line,
			"%.*s: no such setting; there are kernel, initrd, command-line, memory, "
			"cpus, device, console, acpi, balloon, faults, serves",
			shown(name), name.at);
	} else if (parser->guest == NULL) {
		conf_mistake(parser->mistakes, parser->line,
			     "%s: belongs to no guest; a guest begins with a line like [web]",
			     settings[key].name);
	} else {
		parse_value(parser, key, conf_text_trim(conf_text_rest(text, length + 1)));
	}
}

/* It stands in front of each line of the guest's console, and is typed at the monitor. */
static bool is_name(struct conf_text name)
{
	if (name.length == 0 || name.length >= CONF_NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		char c = name.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && (i == 0 || (c != '-' && c != '_' && !(c >= '0' && c <= '9'))))
			return false;
	}
	return true;
}

static const struct conf_guest *find_guest(const struct guest_conf *conf, struct conf_text name)
{
	for (uint32_t i = 0; i < conf->guest_count; i++) {
		if (conf_text_is_word(name, conf->guest[i].name))
			return &conf->guest[i];
	}
	return NULL;
}

/* False, and said: this cannot be a guest. */
static bool check_heading(const struct parser *parser, struct conf_text name)
{
	const struct conf_guest *other = find_guest(parser->conf, name);

	if (!is_name(name))
		conf_mistake(
			parser->mistakes, parser->line,
			"[%.*s]: wanted a name of 1 to 15 letters, digits, - and _, a letter first",
			shown(name), name.at);
	else if (other != NULL)
		conf_mistake(parser->mistakes, parser->line,
			     "[%.*s]: this guest is there already, in line %u", shown(name),
			     name.at, other->line);
	else if (parser->conf->guest_count == CONF_GUESTS)
		conf_mistake(parser->mistakes, parser->line,
			     "[%.*s]: there can be %u guests, this is one more", shown(name),
			     name.at, CONF_GUESTS);
	else
		return true;
	return false;
}

/*
 * Until the heading has proved good the settings go to nobody, so that one mistake in it does not
 * become a mistake in every line that follows.
 */
static void parse_heading(struct parser *parser, struct conf_text text)
{
	size_t close = conf_text_find_char(text, ']');
	struct conf_text name = conf_text_trim(conf_text_rest(conf_text_first(text, close), 1));

	parser->nobody = (struct conf_guest){ .line = parser->line };
	parser->guest = &parser->nobody;
	if (close + 1 != text.length) {
		conf_mistake(parser->mistakes, parser->line,
			     "%.*s: wanted a name in brackets, like [web]", shown(text), text.at);
		return;
	}
	if (!check_heading(parser, name))
		return;
	parser->guest = &parser->conf->guest[parser->conf->guest_count++];
	*parser->guest = (struct conf_guest){
		.line = parser->line,
		.cpus = 1,
		.console = CONF_CONSOLE_SERIAL,
	};
	memcpy(parser->guest->name, name.at, name.length);
}

/* Guests read their command line as bytes; a control character in it is nobody's wish. */
static bool is_text(struct conf_text line)
{
	for (size_t i = 0; i < line.length; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if ((c < ' ' && c != '\t') || c >= 0x7f)
			return false;
	}
	return true;
}

static void parse_line(struct parser *parser, struct conf_text line)
{
	struct conf_text text = conf_text_trim(line);

	if (text.length == 0 || text.at[0] == '#')
		return;
	if (line.length > CONF_LINE_BYTES)
		conf_mistake(parser->mistakes, parser->line, "the line is longer than %u bytes",
			     CONF_LINE_BYTES);
	else if (!is_text(text))
		conf_mistake(parser->mistakes, parser->line,
			     "the line holds bytes that are no ASCII text");
	else if (text.at[0] == '[')
		parse_heading(parser, text);
	else
		parse_setting(parser, text);
}

bool guest_conf_parse(const char *file, size_t bytes, struct guest_conf *conf,
		      struct conf_mistakes *mistakes)
{
	struct parser parser = { .conf = conf, .mistakes = mistakes };
	struct conf_text rest = { file, bytes };
	uint32_t before = mistakes->count;

	conf->guest_count = 0;
	while (rest.length != 0) {
		size_t length = conf_text_find_char(rest, '\n');
		struct conf_text line = conf_text_first(rest, length);

		rest = conf_text_rest(rest, length < rest.length ? length + 1 : length);
		if (line.length != 0 && line.at[line.length - 1] == '\r')
			line.length--;
		parser.line++;
		parse_line(&parser, line);
	}
	if (conf->guest_count == 0 && mistakes->count == before)
		conf_mistake(mistakes, 0, "no guest; a guest begins with a line like [web]");
	return mistakes->count == before;
}
