/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/cable.c - one boot of a part: guests whose ports hang on one cable. */
#include "cable.h"

enum {
	MORE = 20,
	WORDS = 4 * CABLE_PORTS + MORE + 5,
	WORD_SIZE = 80
};

struct words {
	char netdev[CABLE_PORTS][WORD_SIZE], device[CABLE_PORTS][WORD_SIZE];
	char modules[(CABLE_FILES + 1) * PATH_SIZE];
	const char *word[WORDS]; /* NULL at their end */
	unsigned int count;
};

static void add(struct words *words, const char *option, const char *value)
{
	words->word[words->count++] = option;
	words->word[words->count++] = value;
}

static void add_port(struct words *words, unsigned int port, bool has_place)
{
	char place[16] = "";

	if (has_place)
		snprintf(place, sizeof(place), "addr=0x%x,", 0x10 + port);
	snprintf(words->netdev[port], WORD_SIZE, "hubport,hubid=0,id=port%u", port);
	snprintf(words->device[port], WORD_SIZE,
		 "e1000e,%snetdev=port%u,romfile=,mac=52:54:00:12:34:%02u", place, port, port + 1);
	add(words, "-netdev", words->netdev[port]);
	add(words, "-device", words->device[port]);
}

static void list_modules(struct words *words, const char *out, const struct cable *cable)
{
	int used = snprintf(words->modules, sizeof(words->modules), "%s",
			    cable->files ? cable->files : "");

	for (unsigned int i = 0; i < CABLE_FILES && cable->images[i]; i++)
		used += snprintf(words->modules + used, sizeof(words->modules) - (size_t)used,
				 "%s%s/guests/%s", used ? "," : "", out, cable->images[i]);
	add(words, "-initrd", words->modules);
}

/* What is called while a machine runs. */
struct meanwhile {
	const struct cable *cable;
	bool is_terminal;
};

static void go_on(void *context, double seconds)
{
	const struct meanwhile *meanwhile = context;
	const struct cable *cable = meanwhile->cable;

	if (meanwhile->is_terminal) {
		printf("\r  %s: %s, %.0f s ", cable->machine->name, cable->log, seconds);
		fflush(stdout);
	}
	if (cable->meanwhile)
		cable->meanwhile(cable->context);
}

struct boot_result cable_boot(const struct runner *runner, const struct cable *cable)
{
	char serial[PATH_SIZE], errors[PATH_SIZE], image[PATH_SIZE];
	struct words words = { .count = 0 };
	struct boot_seen seen = { .count = 0 };
	struct meanwhile meanwhile = { cable, runner->terminal.is_terminal };
	struct boot boot = { .machine = cable->machine,
			     .image = image,
			     .append_more = cable->append ? cable->append : "",
			     .more = words.word,
			     .serial = serial,
			     .errors = errors,
			     .marks = cable->marks,
			     .ends_at_marks = cable->marks != NULL,
			     .seen = &seen,
			     .line = cable->line,
			     .progress = go_on,
			     .context = &meanwhile };
	struct boot_result ended;

	snprintf(image, PATH_SIZE, "%s/%s", runner->out,
		 cable->image ? cable->image : "sallyport.elf");
	snprintf(serial, PATH_SIZE, "%s/boot-logs/%s-%s.log", runner->out, cable->machine->name,
		 cable->log);
	snprintf(errors, PATH_SIZE, "%s/boot-logs/%s-%s.qemu", runner->out, cable->machine->name,
		 cable->log);
	if (cable->cpus)
		add(&words, "-smp", cable->cpus);
	for (unsigned int port = 0; port < cable->ports; port++)
		add_port(&words, port, cable->has_places);
	for (unsigned int i = 0; cable->more && cable->more[i] && i < MORE; i++)
		words.word[words.count++] = cable->more[i];
	list_modules(&words, runner->out, cable);
	ended = qemu_boot(&runner->qemu, &boot);
	if (runner->terminal.is_terminal)
		printf("\r%*s\r", 70, "");
	if (cable->meanwhile)
		cable->meanwhile(cable->context);
	if (cable->read_line)
		run_read_lines(serial, cable->read_line, cable->context);
	return ended;
}
