/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/monitor.c - commands to the hypervisor while guests run.
 *
 *   characters --> a line --.
 *                            >--> words --> the table of commands --> its answer, topic "monitor"
 *   module's line, when due -'
 */
#include "platform/metal/monitor.h"

#include "platform/metal/conf_text.h"
#include "platform/metal/console.h"
#include "platform/metal/guests.h"
#include "platform/metal/module.h"
#include "platform/metal/print.h"
#include "platform/metal/serial.h"
#include "platform/metal/time.h"

#define SUFFIX	    ".monitor"
#define WORDS	    3u
#define TYPED_BYTES 80u
#define SECOND_MAX  100000u
#define GFN_DIGITS  0xffffffffffull

/* A command, and what stands behind it. */
struct words {
	uint32_t count;
	struct conf_text word[WORDS];
};

struct command {
	const char *name;
	const char *arguments;
	const char *meaning;
	uint32_t words; /* that it needs, with its name */
	void (*run)(const struct words *words);
};

/* All of CPU 0. */
static struct sp_host *host;
static uint64_t started;
static struct conf_text script; /* what is not yet due of the module */
static char typed[TYPED_BYTES];
static uint32_t typed_count;

static struct vm *find_guest(struct conf_text name)
{
	struct vm *vm;

	for (uint32_t i = 0; (vm = guests_at(i)) != NULL; i++) {
		if (conf_text_is_word(name, vm->name))
			return vm;
	}
	console_log("monitor", "there is no guest %.*s", (int)name.length, name.at);
	return NULL;
}

static void list_guests(const struct words *words)
{
	static const char *const states[] = { "created", "running", "ended" };
	struct vm *vm;

	(void)words;
	for (uint32_t i = 0; (vm = guests_at(i)) != NULL; i++)
		console_log("monitor", "%s: %s, %lu MiB, %s", vm->name,
			    states[atomic_load(&vm->state)], vm->frames * SP_FRAME_BYTES >> 20,
			    vm_cpus_text(vm).chars);
}

static void list_devices(const struct words *words)
{
	struct sp_function_info info;

	(void)words;
	for (uint32_t i = 0; sp_function_info(host, i, &info) == SP_OK; i++)
		console_log("monitor", "%s %04x:%04x %s%s", print_sbdf(info.sbdf).chars,
			    info.vendor, info.device,
			    info.is_bridge ? "bridge" : guests_owner(info.sbdf),
			    info.fenced ? ", fenced" : "");
}

static void list_faults(const struct words *words)
{
	const struct faults *faults = guests_faults();

	(void)words;
	if (faults->functions == 0)
		console_log("monitor", "no faults");
	for (uint32_t i = 0; i < faults->functions; i++)
		console_log("monitor", "%s of %s: %lu faults%s",
			    print_sbdf(faults->of[i].function).chars,
			    guests_owner(faults->of[i].function), faults->of[i].count,
			    faults->of[i].stopped ? ", stopped" : "");
}

static void show_map(const struct words *words)
{
	struct vm *vm = find_guest(words->word[1]);
	struct sp_mapping mapping;
	uint64_t gfn;

	if (vm == NULL)
		return;
	if (!conf_text_read_number(words->word[2], 16, GFN_DIGITS, &gfn))
		console_log("monitor", "a gfn is a number of hexadecimal digits");
	else if (sp_p2m_find(vm->domain, (sp_gfn_t){ gfn }, &mapping) != SP_OK)
		console_log("monitor", "%s: gfn 0x%lx: nothing", vm->name, gfn);
	else
		console_log("monitor", "%s: gfn 0x%lx: mfn 0x%lx, in a page of %lu KiB%s", vm->name,
			    gfn, mapping.frame.mfn, 4ul << mapping.order,
			    mapping.type == SP_MMIO ? ", registers" : "");
}

/* What vm_call() carries there and back. */
struct move {
	sp_sbdf_t function;
	enum sp_status status;
	struct vpci_text why;
};

static void give(struct vm *vm, void *argument)
{
	struct move *move = argument;

	move->status = vm_pci_give(vm, move->function, &move->why);
}

static void take(struct vm *vm, void *argument)
{
	struct move *move = argument;

	move->status = vm_pci_take(vm, move->function);
	print(move->why.chars, sizeof(move->why.chars), "%s: %s", print_sbdf(move->function).chars,
	      sp_status_text(move->status));
}

static void move_function(const struct words *words, vm_request *request, const char *done)
{
	struct vm *vm = find_guest(words->word[1]);
	struct move move;

	if (vm == NULL)
		return;
	if (!conf_text_read_sbdf(words->word[2], &move.function)) {
		console_log("monitor", "a function is written as 0000:00:02.0");
		return;
	}
	vm_call(vm, request, &move);
	if (move.status == SP_OK)
		console_log("monitor", "%s %s %s", print_sbdf(move.function).chars, done, vm->name);
	else
		console_log("monitor", "%s", move.why.chars);
}

static void assign(const struct words *words)
{
	move_function(words, give, "was given to");
}

static void release(const struct words *words)
{
	move_function(words, take, "was taken from");
}

static void show_stats(const struct words *words)
{
	struct vm *vm;

	(void)words;
	for (uint32_t i = 0; (vm = guests_at(i)) != NULL; i++)
		vm_log_exits(vm, time_now() - started);
}

static void help(const struct words *words);

/* clang-format off */
static const struct command commands[] = {
	{ "guests", "", "which there are, and whether they run", 1, list_guests },
	{ "devices", "", "every function, and whose it is", 1, list_devices },
	{ "faults", "", "what the IOMMUs blocked, by function", 1, list_faults },
	{ "map", "GUEST GFN", "which machine frame a guest's frame is", 3, show_map },
	{ "assign", "GUEST FUNCTION", "gives a function to a running guest", 3, assign },
	{ "release", "GUEST FUNCTION", "takes it away", 3, release },
	{ "stats", "", "exits of every guest", 1, show_stats },
	{ "help", "", "these lines", 1, help },
};
/* clang-format on */
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(const struct words *words)
{
	(void)words;
	for (size_t i = 0; i < COMMANDS; i++)
		console_log("monitor", "%-8s %-15s %s", commands[i].name, commands[i].arguments,
			    commands[i].meaning);
}

static struct words split(struct conf_text line)
{
	struct words words = { .count = 0 };

	for (line = conf_text_trim(line); line.length != 0 && words.count < WORDS;
	     line = conf_text_trim(line)) {
		const size_t end = conf_text_find_char(line, ' ');

		words.word[words.count++] = conf_text_first(line, end);
		line = conf_text_rest(line, end);
	}
	return words;
}

static void carry_out(struct conf_text line)
{
	const struct words words = split(line);

	if (words.count == 0)
		return;
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!conf_text_is_word(words.word[0], commands[i].name))
			continue;
		if (words.count < commands[i].words)
			console_log("monitor", "%s needs %s", commands[i].name,
				    commands[i].arguments);
		else
			commands[i].run(&words);
		return;
	}
	console_log("monitor", "unknown: %.*s; try help", (int)words.word[0].length,
		    words.word[0].at);
}

void monitor_start(struct sp_host *of)
{
	const struct module *module = module_find_suffix(SUFFIX);

	host = of;
	started = time_now();
	if (module != NULL)
		script = (struct conf_text){ module->content, module->bytes };
}

/* The next line of the module, when its second has come; lines without one are comments. */
static void look_at_script(void)
{
	const size_t end = conf_text_find_char(script, '\n');
	const struct conf_text line = conf_text_trim(conf_text_first(script, end));
	const size_t blank = conf_text_find_char(line, ' ');
	uint64_t second;

	if (conf_text_read_number(conf_text_first(line, blank), 10, SECOND_MAX, &second)) {
		if (time_now() - started < second * NS_PER_S)
			return;
		carry_out(conf_text_rest(line, blank));
	}
	script = conf_text_rest(script, end + 1);
}

/* What does not fit on a line is dropped. */
static void look_at_serial(void)
{
	char c;

	while (serial_read(&c)) {
		if (c == '\r' || c == '\n') {
			carry_out((struct conf_text){ typed, typed_count });
			typed_count = 0;
		} else if (c == '\b' || c == 0x7f) {
			typed_count -= typed_count != 0;
		} else if (typed_count < TYPED_BYTES) {
			typed[typed_count++] = c;
		}
	}
}

void monitor_look(void)
{
	if (script.length != 0)
		look_at_script();
	look_at_serial();
}
