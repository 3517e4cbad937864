/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/options.c - the command line: words of the form name=value, from one table. */
#include "platform/metal/options.h"

#include "platform/metal/conf_text.h"
#include "platform/metal/console.h"
#include "platform/metal/print.h"
#include "platform/metal/string.h"

#define CHOICES_MAX 6

struct choice {
	const char *word;
	const char *meaning;
};

struct option {
	const char *name;
	const char *meaning;
	size_t field;
	struct choice choices[CHOICES_MAX]; /* the first is what holds when nothing is said */
};

struct word {
	const char *text;
	size_t length;
};

enum {
	OPTION_HELP,
	OPTION_TABLES,
	OPTION_VTD,
	OPTION_RUN,
	OPTION_TYPING,
	OPTION_LEAVE_OUT,
	OPTION_COUNT,
};

/* clang-format off */
static const struct option table[OPTION_COUNT] = {
	[OPTION_HELP] = {"help", "print these lines and end", offsetof(struct options, help), {
		{"0", "no"},
		{"1", "yes"},
	}},
	[OPTION_TABLES] = {"tables", "how CPU and IOMMU map a guest", offsetof(struct options, tables), {
		[TABLES_SHARED] = {"shared", "both walk one table (AMD-Vi; a VT-d unit gets its own)"},
		[TABLES_SEPARATE] = {"separate", "each walks a table of its own"},
	}},
	[OPTION_VTD] = {"vtd", "how VT-d units look a device up", offsetof(struct options, vtd), {
		[VTD_LEGACY] = {"legacy", "in legacy mode, unless firmware left one in the other"},
		[VTD_SCALABLE] = {"scalable", "in scalable mode, where a unit has it"},
	}},
	[OPTION_RUN] = {"run", "what to do", offsetof(struct options, run), {
		[RUN_MATRIX] = {"matrix", "the rows of the isolation matrix, then end"},
		[RUN_CONTROLS] = {"controls", "each row with its guard left out (sallyport-mutants.elf)"},
		[RUN_ENGINES] = {"engines", "every NVMe controller and 82574 aimed, then end"},
		[RUN_PATCH] = {"patch", "code written over while CPUs execute it (sallyport-mutants.elf: unguarded)"},
		[RUN_GUESTS] = {"guests", "the guests of guest.conf, a module that the loader brings along"},
		[RUN_IDLE] = {"idle", "print what the machine has, then wait for ever"},
	}},
	[OPTION_TYPING] = {"typing", "who gets what is typed at first (run=guests); Ctrl-] is the monitor", offsetof(struct options, typing), {
		[TYPING_MONITOR] = {"monitor", "the monitor: try help"},
		[TYPING_GUEST] = {"guest", "the first guest of guest.conf"},
	}},
	[OPTION_LEAVE_OUT] = {"leave-out", "a guard of run=guests (sallyport-mutants.elf)",
		offsetof(struct options, leave_out), {
		[LEAVE_OUT_NOTHING] = {"nothing", "all are there"},
		[LEAVE_OUT_EXCHANGE] = {"exchange", "units are not told of frames that are exchanged"},
		[LEAVE_OUT_SMP] = {"smp", "interrupts reach any CPU, and CPUs run while tables are mapped"},
		[LEAVE_OUT_VIRTIO] = {"virtio", "virtio functions may pass their unit by"},
		[LEAVE_OUT_SERVE] = {"serve", "pages go on while the guest that serves them still has them"},
	}},
};
/* clang-format on */

static const char vfs_name[] = "vfs";

/* Words of the command line do not end in a zero. */
static bool is_word(struct word word, const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	return word.length == length && memcmp(word.text, text, length) == 0;
}

/* The next word at or after *at; empty at the end of the line. */
static struct word next_word(const char **at)
{
	struct word word;

	while (**at == ' ' || **at == '\t')
		(*at)++;
	word.text = *at;
	while (**at != ' ' && **at != '\t' && **at != '\0')
		(*at)++;
	word.length = (size_t)(*at - word.text);
	return word;
}

/* What lies left of the first '='; all of it where there is none. */
static struct word name_of(struct word word)
{
	size_t length = 0;

	while (length < word.length && word.text[length] != '=')
		length++;
	return (struct word){ word.text, length };
}

/* Few options: the table is searched from the front. */
static const struct option *find_option(struct word name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (is_word(name, table[i].name))
			return &table[i];
	}
	return NULL;
}

/* "a|b|c", for the message that refuses another word. */
static void list_choices(const struct option *option, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < CHOICES_MAX && option->choices[i].word != NULL; i++)
		used += print(text + used, size - used, "%s%s", i == 0 ? "" : "|",
			      option->choices[i].word);
}

/* The field gets the index of the choice; its enum numbers the choices alike. */
static bool set_option(const struct option *option, struct word value, struct options *options,
		       struct option_error *error)
{
	char choices[64];

	for (unsigned int i = 0; i < CHOICES_MAX && option->choices[i].word != NULL; i++) {
		if (is_word(value, option->choices[i].word)) {
			memcpy((char *)options + option->field, &i, sizeof(i));
			return true;
		}
	}
	list_choices(option, choices, sizeof(choices));
	print(error->text, sizeof(error->text),
	      "option %s=%.*s: the value must be one of %s; try help=1", option->name,
	      (int)value.length, value.text, choices);
	return false;
}

/* "0000:00:03.0/2", the one option that is no choice. */
static bool set_vfs(struct word value, struct options *options, struct option_error *error)
{
	const struct conf_text text = { value.text, value.length };
	const size_t slash = conf_text_find_char(text, '/');
	uint64_t count = 0;

	if (options->vf_count != 0) {
		print(error->text, sizeof(error->text),
		      "option %s is said twice; one function's virtual functions can be had",
		      vfs_name);
		return false;
	}
	if (slash == text.length ||
	    !conf_text_read_sbdf(conf_text_first(text, slash), &options->physical) ||
	    !conf_text_read_number(conf_text_rest(text, slash + 1), 10, OPTION_VFS, &count) ||
	    count == 0) {
		print(error->text, sizeof(error->text),
		      "option %s=%.*s: wanted a function and how many, as in %s=0000:00:03.0/2, at most "
		      "%u",
		      vfs_name, (int)value.length, value.text, vfs_name, OPTION_VFS);
		return false;
	}
	options->vf_count = (unsigned int)count;
	return true;
}

static bool parse_word(struct word word, struct options *options, struct option_error *error)
{
	struct word name = name_of(word);
	const struct option *option = find_option(name);
	struct word value = { name.text + name.length + 1, word.length - name.length - 1 };

	if (is_word(name, vfs_name) && name.length != word.length)
		return set_vfs(value, options, error);
	if (option == NULL) {
		print(error->text, sizeof(error->text), "unknown option '%.*s'; try help=1",
		      (int)name.length, name.text);
		return false;
	}
	if (name.length == word.length)
		value = (struct word){ "", 0 };
	return set_option(option, value, options, error);
}

/* A loader puts the name of the image first; only a word with "=" is an option. */
bool options_parse(const char *command_line, struct options *options, struct option_error *error)
{
	struct word word = next_word(&command_line);

	*options = (struct options){ .help = 0 };
	if (name_of(word).length == word.length)
		word = next_word(&command_line);
	for (; word.length != 0; word = next_word(&command_line)) {
		if (!parse_word(word, options, error))
			return false;
	}
	return true;
}

void options_print_help(void)
{
	console_line("Options, as name=value on the command line; the first value is the default:");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		console_line("  %-9s %s", table[i].name, table[i].meaning);
		for (size_t k = 0; k < CHOICES_MAX && table[i].choices[k].word != NULL; k++)
			console_line("    =%-10s %s", table[i].choices[k].word,
				     table[i].choices[k].meaning);
	}
	console_line("  %-9s virtual functions of a device, switched on for guests (run=guests)",
		     vfs_name);
	console_line("    =0000:00:03.0/2: of that function, two");
}

const char *options_word_of_tables(const struct options *options)
{
	return table[OPTION_TABLES].choices[options->tables].word;
}

const char *options_word_of_run(const struct options *options)
{
	return table[OPTION_RUN].choices[options->run].word;
}
