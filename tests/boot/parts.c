/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/parts.c - what is booted beside the matrix: each part on its machines, to its JSON. */
#include "parts.h"

#include "balloon.h"
#include "move.h"
#include "nic.h"
#include "smp.h"
#include "startup.h"
#include "two.h"
#include "typing.h"

#include <stdlib.h>
#include <string.h>

static bool run_nics(const struct runner *runner, const struct choice *choice)
{
	struct nic *nics = calloc(choice->count, sizeof(*nics));
	bool good = nics != NULL;
	char path[PATH_SIZE];

	printf("1..%zu\n", choice->count * NIC_STEPS);
	for (size_t i = 0; nics && i < choice->count; i++) {
		nic_run(runner, choice->machines[i], &nics[i]);
		nic_print(&nics[i], choice->machines[i], stdout);
		good = nic_is_good(&nics[i]) && good;
	}
	snprintf(path, sizeof(path), "%s/nic.json", runner->out);
	if (nics && !nic_write(path, choice->machines, nics, choice->count, runner->qemu.version)) {
		fprintf(stderr, "boot: %s cannot be written\n", path);
		good = false;
	}
	free(nics);
	return good;
}

static bool run_moves(const struct runner *runner, const struct choice *choice)
{
	struct move *moves = calloc(choice->count, sizeof(*moves));
	bool good = moves != NULL;
	char path[PATH_SIZE];

	printf("1..%zu\n", choice->count * MOVE_STEPS);
	for (size_t i = 0; moves && i < choice->count; i++) {
		move_run(runner, choice->machines[i], &moves[i]);
		move_print(&moves[i], stdout);
		good = move_is_good(&moves[i]) && good;
	}
	snprintf(path, sizeof(path), "%s/move.json", runner->out);
	if (moves && !move_write(path, moves, choice->count, runner->qemu.version)) {
		fprintf(stderr, "boot: %s cannot be written\n", path);
		good = false;
	}
	free(moves);
	return good;
}

static bool run_twos(const struct runner *runner, const struct choice *choice)
{
	struct two *twos = calloc(choice->count, sizeof(*twos));
	bool good = twos != NULL;
	char path[PATH_SIZE];

	printf("1..%zu\n", choice->count * two_count());
	for (size_t i = 0; twos && i < choice->count; i++) {
		two_run(runner, choice->machines[i], &twos[i]);
		two_print(&twos[i], stdout);
		good = two_is_good(&twos[i]) && good;
	}
	snprintf(path, sizeof(path), "%s/two.json", runner->out);
	if (twos && !two_write(path, twos, choice->count, runner->qemu.version)) {
		fprintf(stderr, "boot: %s cannot be written\n", path);
		good = false;
	}
	free(twos);
	return good;
}

static bool run_smps(const struct runner *runner, const struct choice *choice)
{
	struct smp *smps = calloc(choice->count, sizeof(*smps));
	bool good = smps != NULL;
	char path[PATH_SIZE];

	printf("1..%zu\n", choice->count * SMP_STEPS);
	for (size_t i = 0; smps && i < choice->count; i++) {
		smp_boot(runner, choice->machines[i], &smps[i]);
		smp_print(&smps[i], stdout);
		good = smp_is_good(&smps[i]) && good;
	}
	snprintf(path, sizeof(path), "%s/smp.json", runner->out);
	if (smps && !smp_write(path, smps, choice->count, runner->qemu.version)) {
		fprintf(stderr, "boot: %s cannot be written\n", path);
		good = false;
	}
	free(smps);
	return good;
}

static bool run_balloons(const struct runner *runner, const struct choice *choice)
{
	struct balloon *balloons = calloc(choice->count, sizeof(*balloons));
	bool good = balloons != NULL;
	char path[PATH_SIZE];

	printf("1..%zu\n", choice->count * BALLOON_STEPS);
	for (size_t i = 0; balloons && i < choice->count; i++) {
		balloon_run(runner, choice->machines[i], &balloons[i]);
		balloon_print(&balloons[i], stdout);
		good = balloon_is_good(&balloons[i]) && good;
	}
	snprintf(path, sizeof(path), "%s/balloon.json", runner->out);
	if (balloons && !balloon_write(path, balloons, choice->count, runner->qemu.version)) {
		fprintf(stderr, "boot: %s cannot be written\n", path);
		good = false;
	}
	free(balloons);
	return good;
}

static bool run_startups(const struct runner *runner, const struct choice *choice)
{
	struct startup *startups = calloc(choice->count, sizeof(*startups));
	bool good = startups != NULL;
	char path[PATH_SIZE];
	unsigned int rows = 0;

	for (size_t i = 0; i < choice->count; i++)
		rows += startup_count(choice->machines[i]);
	printf("1..%u\n", rows);
	for (size_t i = 0; startups && i < choice->count; i++) {
		startup_run(runner, choice->machines[i], &startups[i]);
		startup_print(&startups[i], stdout);
		good = startup_is_good(&startups[i]) && good;
	}
	snprintf(path, sizeof(path), "%s/boot.json", runner->out);
	if (startups && !startup_write(path, startups, choice->count, runner->qemu.version)) {
		fprintf(stderr, "boot: %s cannot be written\n", path);
		good = false;
	}
	free(startups);
	return good;
}

static bool run_typings(const struct runner *runner, const struct choice *choice)
{
	struct typing *typings = calloc(choice->count, sizeof(*typings));
	bool good = typings != NULL;
	char path[PATH_SIZE];

	printf("1..%zu\n", choice->count * TYPING_ROWS);
	fflush(stdout);
	for (size_t i = 0; typings && i < choice->count; i++) {
		typing_run(runner, choice->machines[i], &typings[i]);
		typing_print(&typings[i], stdout);
		good = typing_is_good(&typings[i]) && good;
	}
	snprintf(path, sizeof(path), "%s/typing.json", runner->out);
	if (typings && !typing_write(path, typings, choice->count, runner->qemu.version)) {
		fprintf(stderr, "boot: %s cannot be written\n", path);
		good = false;
	}
	free(typings);
	return good;
}

static const struct part part_table[] = {
	{ "nic", nic_machine_table, &nic_machine_count, run_nics },
	{ "move", move_machine_table, &move_machine_count, run_moves },
	{ "two", two_machine_table, &two_machine_count, run_twos },
	{ "smp", smp_machine_table, &smp_machine_count, run_smps },
	{ "balloon", balloon_machine_table, &balloon_machine_count, run_balloons },
	{ "boot", startup_machine_table, &startup_machine_count, run_startups },
	{ "typing", typing_machine_table, &typing_machine_count, run_typings },
};

const struct part *part_find(const char *name)
{
	for (size_t i = 0; i < sizeof(part_table) / sizeof(part_table[0]); i++)
		if (strcmp(part_table[i].name, name) == 0)
			return &part_table[i];
	return NULL;
}
