/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/report.c - `sallyport report`: all that the commands say of a machine, as one page with pictures.
 *
 *   this machine --> snapshot, so that all is of one moment
 *   snapshot --> list --json, audit --json, faults --json, each by the command itself --> the document
 */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "memory.h"
#include "options.h"
#include "ranges.h"
#include "say.h"
#include "version.h"

enum {
	REPORT_VERIFY = 0x100,
	REPORT_FAULTS,
	REPORT_TITLE,
};

struct report {
	struct options options;
	const char *verify, *faults, *title;
	const char *file; /* NULL: standard output */
};

static const struct argp_option report_options[] = {
	{ "verify", REPORT_VERIFY, "FILE", 0,
	  "what `sallyport verify --json` printed, or the demo's matrix.json: the isolation matrix",
	  0 },
	{ "faults", REPORT_FAULTS, "FILE", 0,
	  "a kernel log of this machine, instead of the one that it has now", 0 },
	{ "title", REPORT_TITLE, "TEXT", 0, "what the page calls the machine", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct report *report = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &report->options;
		return 0;
	case REPORT_VERIFY:
		report->verify = argument;
		return 0;
	case REPORT_FAULTS:
		report->faults = argument;
		return 0;
	case REPORT_TITLE:
		report->title = argument;
		return 0;
	case ARGP_KEY_ARG:
		if (report->file)
			argp_error(state, "one FILE at a time");
		report->file = argument;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* The command's own process: it ends where it finds that it must. Returns its exit status. */
static int run_into(const char *name, char **arguments, FILE *out, FILE *errors)
{
	const struct command *command = command_find(name);
	int count = 0, status = 0;
	pid_t child;

	while (arguments[count])
		count++;
	fflush(NULL);
	child = fork();
	if (child == 0) {
		if (dup2(fileno(out), STDOUT_FILENO) < 0 || dup2(fileno(errors), STDERR_FILENO) < 0)
			_exit(EXIT_UNKNOWN);
		status = command->run(count, arguments);
		fflush(NULL);
		_exit(status);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		say_fatal(EXIT_UNKNOWN, "%s could not be run: %s", name, strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_UNKNOWN;
}

static FILE *take_file(void)
{
	FILE *file = tmpfile();

	if (!file)
		say_fatal(EXIT_UNKNOWN, "a file for the time being cannot be made: %s",
			  strerror(errno));
	return file;
}

/* What it said first, where it said no JSON: {"trouble": ".."}. */
static json_t *trouble_from(FILE *errors)
{
	char line[512] = "";

	rewind(errors);
	if (fgets(line, sizeof(line), errors))
		line[strcspn(line, "\n")] = 0;
	return json_pack("{s:s}", "trouble", *line ? line : "it said nothing");
}

/* What `sallyport NAME --json` prints of a snapshot, and its exit status as "status". */
static json_t *ask(const char *name, const char *sysroot, const char *more)
{
	char *argv0 = memory_print("sallyport %s", name),
	     *root = memory_print("--sysroot=%s", sysroot), *last = more ? memory_copy(more) : NULL;
	char json[] = "--json", *arguments[] = { argv0, json, root, last, NULL };
	FILE *out = take_file(), *errors = take_file();
	int status = run_into(name, arguments, out, errors);
	json_t *said;

	rewind(out);
	said = json_loadf(out, 0, NULL) ?: trouble_from(errors);
	json_object_set_new(said, "status", json_integer(status));
	fclose(out);
	fclose(errors);
	free(argv0);
	free(root);
	free(last);
	return said;
}

/* So that everything on the page is of one moment. A snapshot is one already. */
static char *freeze(const char *sysroot)
{
	char *path = memory_print("%s/sallyport-XXXXXX", getenv("TMPDIR") ?: "/tmp"), *root;
	char argv0[] = "sallyport snapshot", *arguments[] = { argv0, path, NULL, NULL };
	FILE *out = take_file();
	int file = mkstemp(path);

	if (file < 0)
		say_fatal(EXIT_UNKNOWN, "%s: %s", path, strerror(errno));
	close(file);
	root = sysroot ? memory_print("--sysroot=%s", sysroot) : NULL;
	arguments[2] = root;
	if (run_into("snapshot", arguments, out, stderr) != EXIT_FINE) {
		unlink(path);
		say_fatal(EXIT_UNKNOWN, "the machine could not be looked at");
	}
	fclose(out);
	free(root);
	return path;
}

static json_t *read_verify(const char *path)
{
	json_error_t error;
	json_t *document = json_load_file(path, 0, &error);

	if (!document)
		say_fatal(EXIT_USAGE,
			  "%s:%d: %s; --verify takes what `sallyport verify --json` printed", path,
			  error.line, error.text);
	if (!json_is_array(json_object_get(document, "verify")) &&
	    !json_is_array(json_object_get(document, "machines")))
		say_fatal(
			EXIT_USAGE,
			"%s: has neither \"verify\" nor \"machines\"; --verify takes what `sallyport "
			"verify --json` printed, or the demo's matrix.json",
			path);
	return document;
}

static json_t *ranges_of(const char *sysroot)
{
	struct root *root = root_open(sysroot);
	struct machine *machine = machine_read(root);
	bool seen;
	json_t *list = ranges_describe(machine, &seen), *memory = json_boolean(seen);

	machine_free(machine);
	root_close(root);
	return json_pack("{s:o, s:o}", "memory_seen", memory, "ranges", list);
}

static json_t *gather(const struct report *report)
{
	const char *given = report->options.sysroot;
	const char *slash = given ? strrchr(given, '/') : NULL, *name = slash ? slash + 1 : given;
	json_t *document = json_object(),
	       *proof = report->verify ? read_verify(report->verify) : json_null();
	char *sysroot = freeze(given), host[256] = "this machine";

	if (!given)
		gethostname(host, sizeof(host) - 1);
	json_object_set_new(document, "sallyport", json_string(SALLYPORT_VERSION));
	json_object_set_new(document, "title", json_string(report->title ?: name ?: host));
	json_object_set_new(document, "list", ask("list", sysroot, NULL));
	json_object_set_new(document, "audit", ask("audit", sysroot, NULL));
	json_object_set_new(document, "faults", ask("faults", sysroot, report->faults));
	json_object_set_new(document, "addresses", ranges_of(sysroot));
	json_object_set_new(document, "proof", proof);
	unlink(sysroot);
	free(sysroot);
	return document;
}

/* Of audit: it is the one that judges. */
static int status_of(const json_t *document)
{
	const json_t *status = json_object_get(json_object_get(document, "audit"), "status");

	return status ? (int)json_integer_value(status) : EXIT_FINE;
}

static void print_page(const json_t *document)
{
	struct html *page = html_open(stdout);

	html_begin(page, "html");
	html_attribute(page, "xmlns", "http://www.w3.org/1999/xhtml");
	html_attribute(page, "lang", "en");
	html_begin(page, "head");
	html_begin(page, "meta");
	html_attribute(page, "charset", "utf-8");
	html_end(page);
	html_begin(page, "meta");
	html_attribute(page, "name", "viewport");
	html_attribute(page, "content", "width=device-width, initial-scale=1");
	html_end(page);
	html_begin(page, "title");
	html_print(page, "%s: devices for guests", report_text(document, "title"));
	html_end(page);
	html_style(page, report_style);
	html_end(page);
	html_begin(page, "body");
	report_page(page, document);
	html_end(page);
	html_end(page);
	html_close(page);
}

int report_run(int argc, char **argv)
{
	static const struct argp argp = {
		report_options,
		parse,
		"[FILE]",
		"Writes one page of HTML: topology, groups with verdicts, findings, addresses, isolation, faults.\v"
		"Without FILE it is printed. The page refers to nothing outside itself; --json prints what it is drawn "
		"from. Run it as root, or give it a snapshot that root has made. Exit status as audit's.",
		options_plain_children,
		NULL,
		NULL
	};
	struct report report = { 0 };
	json_t *document;
	int status;

	options_parse(&argp, argc, argv, &report);
	document = gather(&report);
	if (report.file && !freopen(report.file, "we", stdout))
		say_fatal(EXIT_USAGE, "%s: %s", report.file, strerror(errno));
	if (report.options.json) {
		json_dumpf(document, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_page(document);
	}
	if (fflush(stdout) || ferror(stdout))
		say_fatal(EXIT_UNKNOWN, "the report could not be written: %s", strerror(errno));
	status = status_of(document);
	json_decref(document);
	return status;
}
