/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/dpdk-isolation/main.c - options, what must be there, and the exit status. README.md tells how
 * it is used.
 *
 *   dpdk-isolation EAL-OPTIONS -- [--frames N] [--outside ADDRESS [--look]]
 */
#include "isolation.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

/* Each buffer of the pool has its turn, both ways together, three times. */
#define FRAMES_LEAST 6000u
#define FRAMES_MOST  100000000u

struct options {
	uint32_t frames;
	bool has_outside, look;
	uint64_t outside;
};

static const char usage[] =
	"usage: dpdk-isolation EAL-OPTIONS -- [OPTIONS]\n"
	"\n"
	"Checks from within a guest that its ports' DMA stays in the guest: two ports that are joined\n"
	"by a cable use its own memory, then are aimed outside, where nothing must arrive, and what was\n"
	"blocked must be reported. Should it not be contained, what lies at those addresses is read, and\n"
	"60 bytes of it may be overwritten: run it before there is work that could be lost.\n"
	"\n"
	"  --frames N         each way through own memory, at least 6000 (the default)\n"
	"  --outside ADDRESS  aims at this page alone (hexadecimal), not at those that are nobody's\n"
	"  --look             maps that page by /dev/mem, and looks what is there\n"
	"  --help             this\n"
	"\n"
	"EAL-OPTIONS are those of every DPDK program: -l 0 -n 1 -m 32 -a 0000:00:01.0 -a 0000:00:02.0\n"
	"\n"
	"exit status  0  contained, and reported\n"
	"             1  NOT contained, or own memory does not work\n"
	"             2  nothing was tried: what is missing was said\n"
	"             3  nothing got out, but whether it was reported cannot be told from here\n";

void isolation_refuse(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fprintf(stderr, "dpdk-isolation: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	exit(STATUS_USAGE);
}

/* EAL would show its own help, and end. */
static bool wants_help(int count, char **words)
{
	for (int i = 1; i < count; i++)
		if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
			return true;
	return false;
}

static uint64_t read_number(const char *option, const char *text, int base, uint64_t least,
			    uint64_t most)
{
	uint64_t number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, base);
	if (end == text || *end != '\0' || errno != 0 || text[0] == '-' || number < least ||
	    number > most)
		isolation_refuse("--%s %s: wanted a number from %s%" PRIx64 " to %s%" PRIx64
				 " (hexadecimal)",
				 option, text, "0x", least, "0x", most);
	return number;
}

static struct options read_options(int count, char **words)
{
	static const struct option known[] = {
		{ "frames", required_argument, NULL, 'f' },
		{ "outside", required_argument, NULL, 'o' },
		{ "look", no_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .frames = FRAMES_LEAST };
	int option;

	optind = 1;
	while ((option = getopt_long(count, words, "", known, NULL)) != -1) {
		switch (option) {
		case 'f':
			options.frames = (uint32_t)read_number("frames", optarg, 10, FRAMES_LEAST,
							       FRAMES_MOST);
			break;
		case 'o':
			options.outside = read_number("outside", optarg, 16, PAGE_BYTES,
						      (1ull << 52) - PAGE_BYTES);
			options.has_outside = true;
			break;
		case 'l':
			options.look = true;
			break;
		default:
			isolation_refuse("--help tells the options");
		}
	}
	if (optind < count)
		isolation_refuse("%s: no such option; --help tells which there are", words[optind]);
	if (options.look && !options.has_outside)
		isolation_refuse("--look needs an --outside ADDRESS to look at");
	if (options.outside % PAGE_BYTES != 0)
		isolation_refuse("--outside 0x%" PRIx64 ": wanted the first byte of a page",
				 options.outside);
	/* Intel SDM 11.11.1, AMD APM 16.13: a write there is an interrupt, and proves nothing. */
	if (options.outside >> 20 == 0xfee)
		isolation_refuse("--outside 0x%" PRIx64 ": writes to FEExxxxx are interrupts, not "
				 "memory",
				 options.outside);
	return options;
}

static void begin_eal(int *count, char ***words)
{
	int used;

	if (geteuid() != 0)
		isolation_refuse("only root may drive ports, and learn where memory is: be root");
	used = rte_eal_init(*count, *words);
	if (used < 0)
		isolation_refuse(
			"DPDK does not start (%s); its lines above say why. Most often there "
			"are no huge pages: echo 24 >/proc/sys/vm/nr_hugepages; mount -t "
			"hugetlbfs hugetlbfs /dev/hugepages",
			rte_strerror(rte_errno));
	*count -= used;
	*words += used;
}

static void tell(const struct isolation *isolation)
{
	const struct memory *memory = &isolation->memory;

	for (unsigned int i = 0; i < 2; i++)
		printf("# port %u: %s, %s\n", i, isolation->port[i].name,
		       isolation->port[i].driver);
	for (uint32_t i = 0; i < memory->aim_count; i++)
		printf("# %s: 0x%" PRIx64 "%s\n", memory->outside[i].name, memory->outside[i].bus,
		       memory->outside[i].is_seen ? ", looked at by /dev/mem" : "");
	if (isolation->no_reporter)
		printf("# no reports: %s\n", isolation->no_reporter);
}

int main(int count, char **words)
{
	static struct isolation isolation;
	struct options options;
	enum isolation_status status;

	if (wants_help(count, words)) {
		fputs(usage, stdout);
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	begin_eal(&count, &words);
	options = read_options(count, words);
	isolation.frames = options.frames;
	isolation.outside_is_named = options.has_outside;
	frame_begin();
	port_find_both(isolation.port);
	memory_take(&isolation.memory);
	if (options.has_outside)
		memory_name_outside(&isolation.memory, options.outside, options.look);
	else
		memory_find_outside(&isolation.memory);
	isolation.no_reporter = report_find(isolation.port);
	tell(&isolation);
	status = rows_run(&isolation);
	rte_eal_cleanup();
	return (int)status;
}
