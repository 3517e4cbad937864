/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/script.c - commands with the second at which each is due. */
#include "platform/metal/script.h"

#define SECOND_MAX 100000u
#define NS_PER_S   1000000000ull

void script_begin(struct script *script, struct conf_text text)
{
	*script = (struct script){ .rest = text };
}

/* "12", or "3/1". */
static bool read_time(struct conf_text text, struct script_repeat *command)
{
	const size_t slash = conf_text_find_char(text, '/');

	if (!conf_text_read_number(conf_text_first(text, slash), 10, SECOND_MAX, &command->due))
		return false;
	return slash == text.length || (conf_text_read_number(conf_text_rest(text, slash + 1), 10,
							      SECOND_MAX, &command->every) &&
					command->every != 0);
}

/* Whoever comes late carries it out once, not for every second that was missed. */
static void put_off(struct script_repeat *repeat, uint64_t second)
{
	repeat->due += (1 + (second - repeat->due) / repeat->every) * repeat->every;
}

static void add_repeat(struct script *script, const struct script_repeat *repeat, uint64_t second)
{
	if (repeat->every == 0 || script->repeats == SCRIPT_REPEATS)
		return;
	script->repeat[script->repeats] = *repeat;
	put_off(&script->repeat[script->repeats++], second);
}

static bool next_repeat(struct script *script, uint64_t second, struct conf_text *line)
{
	for (uint32_t i = 0; i < script->repeats; i++) {
		struct script_repeat *repeat = &script->repeat[i];

		if (second < repeat->due)
			continue;
		put_off(repeat, second);
		*line = repeat->line;
		return true;
	}
	return false;
}

bool script_next(struct script *script, uint64_t nanoseconds, struct conf_text *line)
{
	const uint64_t second = nanoseconds / NS_PER_S;

	while (script->rest.length != 0) {
		const size_t end = conf_text_find_char(script->rest, '\n');
		const struct conf_text next = conf_text_trim(conf_text_first(script->rest, end));
		const size_t blank = conf_text_find_char(next, ' ');
		struct script_repeat command = { .line = conf_text_rest(next, blank) };
		const bool is_command = read_time(conf_text_first(next, blank), &command);

		if (is_command && second < command.due)
			break;
		script->rest = conf_text_rest(script->rest, end + (end != script->rest.length));
		if (!is_command)
			continue;
		*line = command.line;
		add_repeat(script, &command, second);
		return true;
	}
	return next_repeat(script, second, line);
}
