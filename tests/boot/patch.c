/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/patch.c - code is written over while two CPUs execute it: the verdict. */
#include "patch.h"

#include "steps.h"

#include <string.h>

void patch_begin(struct patch *patch, const struct machine *machine)
{
	*patch = (struct patch){ .machine = machine };
	for (unsigned int i = 0; i < PATCH_END; i++)
		steps_find(&patch->step[i], false, "nothing was said of it");
}

/* `good` of a row, `bad` of a control: the number, the word, and the evidence between quotes. */
static void read_finding(struct patch *patch, const char *line, const char *start,
			 const char *wanted, unsigned int first, unsigned int count)
{
	char word[16], evidence[EVIDENCE_SIZE];
	unsigned int number;

	if (strncmp(line, start, strlen(start)) != 0 ||
	    sscanf(line + strlen(start), "%u %15s \"%511[^\"]\"", &number, word, evidence) != 3 ||
	    number == 0 || number > count)
		return;
	number += first - 1;
	if (patch->is_said[number])
		steps_find(&patch->step[number], false, "said twice");
	else
		steps_find(&patch->step[number], strcmp(word, wanted) == 0, "%s%s",
			   strcmp(word, wanted) == 0 ? "" : "NOT SHOWN: ", evidence);
	patch->is_said[number] = true;
}

void patch_read_line(struct patch *patch, const char *line)
{
	read_finding(patch, line, "patch ", "good", PATCH_EIGHT, PATCH_ROWS);
	read_finding(patch, line, "patch-control ", "bad", PATCH_CONTROL_BYTES, PATCH_CONTROLS);
	patch->ends += strncmp(line, "end patch", strlen("end patch")) == 0;
	patch->refused += strncmp(line, "refused: ", strlen("refused: ")) == 0;
}

static bool ended_well(const struct boot_result *ended)
{
	return ended->end == BOOT_EXITED && ended->status == QEMU_EXIT_SUCCESS;
}

void patch_judge(struct patch *patch, const struct boot_result *rows,
		 const struct boot_result *controls)
{
	const bool good = ended_well(rows) && ended_well(controls) && patch->ends == 2;

	patch->seconds = rows->seconds + controls->seconds;
	steps_find(
		&patch->step[PATCH_END], good,
		good ? "two boots, both ended well"
		     : "an end without success, see the logs: rows %s, controls %s, %u of 2 came to "
		       "their end%s",
		ended_well(rows) ? "well" : "not well", ended_well(controls) ? "well" : "not well",
		patch->ends, patch->refused ? ", refused" : "");
}

bool patch_is_good(const struct patch *patch)
{
	for (unsigned int i = 0; i < PATCH_STEPS; i++)
		if (!patch->step[i].good)
			return false;
	return true;
}
