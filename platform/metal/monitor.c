/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/monitor.c - commands to the hypervisor while guests run.
 *
 *   characters --> a line --.
 *                            >--> words --> the table of commands --> its answer, topic "monitor"
 *   module's line, when due -'
 *
 * While a guest is in front, what is typed is its own, but for Ctrl-].
 */
#include "platform/metal/monitor.h"

#include "platform/metal/conf_text.h"
#include "platform/metal/console.h"
#include "platform/metal/guests.h"
#include "platform/metal/module.h"
#include "platform/metal/print.h"
#include "platform/metal/script.h"
#include "platform/metal/serial.h"
#include "platform/metal/time.h"

#define SUFFIX	    ".monitor"
#define TO_MONITOR  0x1d /* Ctrl-] */
#define WORDS	    4u
#define TYPED_BYTES 80u
#define PAGES_MAX   100000u
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
static struct script script; /* the module */
static char typed[TYPED_BYTES];
static uint32_t typed_count;
static struct vm *front; /* gets what is typed; NULL: the monitor */

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
		console_log("monitor", "%s %04x:%04x %s%s%s%s", print_sbdf(info.sbdf).chars,
			    info.vendor, info.device,
			    info.is_bridge	 ? "bridge"
			    : info.vf_count != 0 ? "the hypervisor's, for its virtual functions"
						 : guests_owner(info.sbdf),
			    info.fenced ? ", fenced" : "",
			    info.is_virtual ? ", virtual function of " : "",
			    info.is_virtual ? print_sbdf(info.physical).chars : "");
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
	guests_settle_faults(host);
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

static void show_pages(const struct words *words)
{
	struct vm *vm;

	(void)words;
	for (uint32_t i = 0; (vm = guests_at(i)) != NULL; i++)
		vm_log_pages(vm);
}

/* Asked, not told: which pages it can spare the guest alone knows. */
static void ask_for_memory(const struct words *words)
{
	struct vm *vm = find_guest(words->word[1]), *receiver = NULL;
	uint64_t pages;

	if (words->count > 3)
		receiver = find_guest(words->word[3]);
	if (vm == NULL || (words->count > 3 && receiver == NULL))
		return;
	if (!conf_text_read_number(words->word[2], 10, PAGES_MAX, &pages)) {
		console_log("monitor", "how many pages is a number up to %u", PAGES_MAX);
		return;
	}
	if (vm == receiver || vm->balloon.right == CALL_BY_NOBODY) {
		console_log("monitor",
			    vm == receiver ? "%s cannot give to itself"
					   : "%s may not call: guest.conf, balloon",
			    vm->name);
		return;
	}
	balloon_ask(vm, pages, receiver);
	console_log("monitor", "%s is asked for %lu pages%s%s", vm->name, pages,
		    receiver != NULL ? ", which go to " : "",
		    receiver != NULL ? receiver->name : "");
}

static void show_memory(const struct words *words)
{
	struct vm *vm;

	(void)words;
	for (uint32_t i = 0; (vm = guests_at(i)) != NULL; i++)
		console_log("monitor",
			    "%s: asked for %lu pages, %lu left it; given %lu, got again %lu, "
			    "exchanged %lu; from others %lu",
			    vm->name, atomic_load(&vm->balloon.wanted),
			    atomic_load(&vm->balloon.left), vm->balloon.given, vm->balloon.got,
			    vm->balloon.exchanged, atomic_load(&vm->balloon.received));
	(void)balloon_check(true);
}

/* A guest that is in front writes character by character: who types wants to see it. */
static void bring_to_front(struct vm *vm)
{
	if (front != NULL)
		atomic_store(&front->uart.live, false);
	front = vm;
	if (vm != NULL)
		atomic_store(&vm->uart.live, true);
	console_log("monitor",
		    vm != NULL
			    ? "what is typed goes to %s; Ctrl-] leads here"
			    : "what is typed comes here; `front GUEST` leads to %s, `help` helps",
		    vm != NULL ? vm->name : "a guest");
}

static void choose_front(const struct words *words)
{
	struct vm *vm = find_guest(words->word[1]);

	if (vm != NULL)
		bring_to_front(vm);
}

static void stop_guest(const struct words *words)
{
	struct vm *vm = find_guest(words->word[1]);

	if (vm == NULL)
		return;
	if (atomic_load(&vm->state) == VM_RUNNING)
		vm_end(vm, "the monitor stopped it");
	console_log("monitor", "%s runs no more", vm->name);
}

static void help(const struct words *words);

/* clang-format off */
static const struct command commands[] = {
	{ "guests", "", "which there are, and whether they run", 1, list_guests },
	{ "devices", "", "every function, and whose it is", 1, list_devices },
	{ "faults", "", "what the IOMMUs blocked, by function", 1, list_faults },
	{ "map", "GUEST GFN", "which machine frame a guest's frame is", 3, show_map },
	{ "pages", "", "in how large pages each guest's memory is mapped", 1, show_pages },
	{ "assign", "GUEST FUNCTION", "gives a function to a running guest", 3, assign },
	{ "release", "GUEST FUNCTION", "takes it away", 3, release },
	{ "balloon", "GUEST PAGES TO", "asks a guest for memory, for another or (no TO) for nobody", 3, ask_for_memory },
	{ "memory", "", "what left each guest and what came, and whether canaries are whole", 1, show_memory },
	{ "front", "GUEST", "who gets what is typed; Ctrl-] leads back here", 2, choose_front },
	{ "stop", "GUEST", "ends a guest; after the last one the machine ends", 2, stop_guest },
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

void monitor_start(struct sp_host *of, struct vm *typed_to)
{
	const struct module *module = module_find_suffix(SUFFIX);

	host = of;
	started = time_now();
	if (module != NULL)
		script_begin(&script, (struct conf_text){ module->content, module->bytes });
	if (typed_to != NULL)
		bring_to_front(typed_to);
}

/* What does not fit on a line is dropped; the rest is shown as it is typed. */
static void type_to_monitor(char c)
{
	static const char prefix[] = "> ";

	if (c == '\r' || c == '\n') {
		console_part_ends(prefix);
		carry_out((struct conf_text){ typed, typed_count });
		typed_count = 0;
	} else if (c == '\b' || c == 0x7f) {
		if (typed_count == 0)
			return;
		typed_count--;
		console_part(prefix, "\b", 1);
		console_clear_rest(prefix);
	} else if (c >= ' ' && c < 0x7f && typed_count < TYPED_BYTES) {
		typed[typed_count++] = c;
		console_line_so_far(prefix, typed, typed_count, 1);
	}
}

/* A guest that does not read loses what its port has no room for. */
static void look_at_serial(void)
{
	char c;

	while (serial_read(&c)) {
		if (front == NULL)
			type_to_monitor(c);
		else if (c == TO_MONITOR)
			bring_to_front(NULL);
		else
			(void)uart_type(&front->uart, c);
	}
}

void monitor_look(void)
{
	struct conf_text line;

	if (script_next(&script, time_now() - started, &line))
		carry_out(line);
	if (front != NULL && atomic_load(&front->state) == VM_ENDED)
		bring_to_front(NULL);
	look_at_serial();
}
