/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/patch_scene.c - what happens while code is written over, and the verdict.
 *
 *   CPU 1, A's first    old old old new new new ...      counts what it executed: old, new, neither
 *   CPU 2, A's second   old old new new new new ...
 *   CPU 0               patch patch patch patch ... at times: both have gone round, is all of it new?
 */
#include "platform/metal/patch_scene.h"

#include "platform/metal/aim.h"
#include "platform/metal/cpu.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/print.h"
#include "platform/metal/time.h"

#define CONTROL_WITHIN (60 * NS_PER_S) /* ten times what it ever took */
#define FAULT_WITHIN   (500 * NS_PER_MS)
#define HOLD_TRIES     50u
#define LARGE_ORDER    9u
#define WORD	       8u

/* In the page whose window stands: where the second CPU writes, and the device. */
#define SPUN_ON	       0x800u
#define AIMED_AT       0xc00u

/* How far it came. */
struct course {
	uint32_t written, checked, late, split, merged;
	uint64_t nanoseconds;
	enum sp_status status;
	bool stands_still; /* a CPU that should go round does not */
};

/* After two rounds what was under way at the patch is over: the other version may not be seen any more. */
static bool follow_up(const struct patch_scene *scene, uint32_t version, struct course *course)
{
	struct patch_tally before, after;

	if (!patch_crew_goes_round(&scene->crew, 2))
		return false;
	before = patch_crew_tally(&scene->crew);
	if (!patch_crew_goes_round(&scene->crew, 2))
		return false;
	after = patch_crew_tally(&scene->crew);
	course->checked++;
	course->late += after.whole[1 - version] != before.whole[1 - version];
	return true;
}

/* False: it cannot go on. */
static bool write_next(const struct patch_scene *scene, struct course *course)
{
	const uint32_t version = (course->written + 1) % 2;
	const struct patch_written written = patch_code_write(&scene->crew, &scene->code, version);

	course->status = written.status;
	if (written.status != SP_OK)
		return false;
	course->written++;
	if (scene->is_large) {
		course->split += written.order == 0;
		course->stands_still = !stage_settle(scene->crew.stage);
		course->merged += patch_code_order(&scene->crew, &scene->code) == LARGE_ORDER;
	}
	if (!scene->is_control && course->written % scene->check_every == 0)
		course->stands_still |= !follow_up(scene, version, course);
	return !course->stands_still;
}

static bool goes_on(const struct patch_scene *scene, const struct course *course, uint64_t until)
{
	const struct patch_tally tally = patch_crew_tally(&scene->crew);

	if (tally.gone)
		return false;
	if (scene->is_control)
		return tally.mixed == 0 && time_now() < until;
	return course->written < scene->patches;
}

static struct course play(const struct patch_scene *scene)
{
	const uint64_t began = time_now();
	struct course course = { .status = SP_OK };

	patch_code_put(&scene->crew, &scene->code);
	for (uint32_t i = 0; i < PATCH_CPUS; i++)
		patch_crew_execute(&scene->crew, i, &scene->code);
	course.stands_still = !patch_crew_goes_round(&scene->crew, 2);
	while (!course.stands_still && goes_on(scene, &course, began + CONTROL_WITHIN) &&
	       write_next(scene, &course))
		;
	course.stands_still |= !patch_crew_stop(&scene->crew);
	course.nanoseconds = time_now() - began;
	return course;
}

/*
 * QEMU may translate the code once more before the one store is done, and keep that until the next one
 * (docs/lab.md, 4.1): how soon it is seen is a matter of hardware. In a window nobody translates anything.
 */
static bool may_be_late(const struct patch_scene *scene)
{
	return scene->code.count <= WORD && cpu_is_emulated();
}

static enum row_result judge(const struct patch_scene *scene, const struct course *course,
			     const struct patch_tally *tally)
{
	const bool has_window = scene->code.count > WORD;

	if (tally->mixed != 0 || tally->gone || (course->late != 0 && !may_be_late(scene)))
		return ROW_LEAKED;
	if (course->status != SP_OK || course->stands_still || course->written < scene->patches ||
	    tally->whole[0] == 0 || tally->whole[1] == 0 || (has_window && tally->fetches == 0) ||
	    (scene->is_large &&
	     (course->split < course->written || course->merged < course->split)))
		return ROW_UNOBSERVABLE;
	return ROW_CONTAINED;
}

static const char *trouble_of(const struct course *course, const struct patch_tally *tally)
{
	return tally->gone		 ? "; a CPU ended, see above"
	       : course->status != SP_OK ? "; a patch was refused"
	       : course->stands_still	 ? "; a CPU does not go round"
					 : "";
}

/* What not every scene has: follow-ups, a mix, large pages, trouble. */
static void tell_more(const struct patch_scene *scene, const struct course *course,
		      const struct patch_tally *tally, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	if (course->checked != 0)
		used += print(text + used, size - used,
			      "; of %u that were followed up %u were seen late%s", course->checked,
			      course->late,
			      course->late != 0 && may_be_late(scene) ? ", which is QEMU's doing"
								      : "");
	if (tally->mixed != 0)
		used += print(text + used, size - used, "; the mix gave 0x%x", tally->mix);
	if (scene->is_large)
		used += print(text + used, size - used, "; %u times split, %u merged again",
			      course->split, course->merged);
	print(text + used, size - used, "%s", trouble_of(course, tally));
}

void patch_play_many(struct patch_scene *scene, struct finding *finding)
{
	const struct course course = play(scene);
	const struct patch_tally tally = patch_crew_tally(&scene->crew);
	char more[160];

	tell_more(scene, &course, &tally, more, sizeof(more));
	report_find(
		finding, judge(scene, &course, &tally),
		"%u patches of %u bytes at 0x%x in %llu ms; two CPUs executed the old code %lu times, "
		"the new %lu, a mix %lu; %lu fetches waited%s",
		course.written, scene->code.count, scene->code.address,
		course.nanoseconds / NS_PER_MS, tally.whole[0], tally.whole[1], tally.mixed,
		tally.fetches, more);
}

/* ---- a window that stands ---- */

/* The page that a window is about: the code is in it, and does not leave it. */
static uint32_t page_of(const struct patch_scene *scene)
{
	return scene->code.address & ~(SP_FRAME_BYTES - 1);
}

/* A patch may be through before anybody has looked: then from the beginning. False: it always is. */
static bool begin(const struct patch_scene *scene, struct sp_patch *patch)
{
	for (uint32_t i = 0; i < HOLD_TRIES; i++) {
		*patch = patch_code_over(&scene->code, 1);
		if (patch_code_step(&scene->crew, patch) == SP_BUSY)
			return true;
		if (patch_code_write(&scene->crew, &scene->code, 0).status != SP_OK)
			return false;
	}
	return false;
}

static enum sp_status end(const struct patch_scene *scene, struct sp_patch *patch)
{
	enum sp_status status = SP_BUSY;

	for (uint32_t i = 0; i < HOLD_TRIES && status == SP_BUSY; i++)
		status = patch_code_step(&scene->crew, patch);
	return status;
}

/* What CPUs and device do while it stands. */
struct standing {
	struct finding device;
	uint64_t rounds, fetches, writes;
};

/* One executes and one writes: what each had under way is over when it has come for the page again. */
static struct patch_tally await_faults(const struct patch_scene *scene)
{
	const uint64_t until = time_now() + FAULT_WITHIN;
	const struct patch_tally first = patch_crew_tally(&scene->crew);
	struct patch_tally tally = first;

	while ((tally.fetches == first.fetches || tally.writes == first.writes) &&
	       time_now() < until)
		tally = patch_crew_tally(&scene->crew);
	return tally;
}

/* For as long as a transfer takes, 100 ms. */
static struct standing look(const struct patch_scene *scene)
{
	struct stage *stage = scene->crew.stage;
	const uint32_t address = page_of(scene) + AIMED_AT;
	const struct patch_tally before = await_faults(scene);
	struct standing seen;
	struct patch_tally after;

	aim_fire(stage,
		 &(struct shot){ .address = address,
				 .at = guest_pointer(&stage->a, address),
				 .what = "the page of the code" },
		 &seen.device);
	after = patch_crew_tally(&scene->crew);
	seen.rounds = after.rounds - before.rounds;
	seen.fetches = after.fetches - before.fetches;
	seen.writes = after.writes - before.writes;
	return seen;
}

static enum row_result judge_window(const struct standing *seen, bool went_on)
{
	if (seen->rounds != 0 || seen->device.result == ROW_LEAKED)
		return ROW_LEAKED;
	return seen->device.result == ROW_CONTAINED && seen->fetches != 0 && seen->writes != 0 &&
			       went_on
		       ? ROW_CONTAINED
		       : ROW_UNOBSERVABLE;
}

/* Both CPUs are at it, and the device's write arrives. */
static void play_window(const struct patch_scene *scene, struct finding *finding)
{
	struct stage *stage = scene->crew.stage;
	const uint32_t aimed_at = page_of(scene) + AIMED_AT;
	struct course course = { .late = 0 };
	struct standing seen;
	struct sp_patch patch;
	struct finding after = { .result = ROW_CONTAINED };
	bool went_on;

	if (!aim_warm(stage, NULL, aimed_at, finding))
		return;
	if (!begin(scene, &patch)) {
		report_find(finding, scene->is_control ? ROW_LEAKED : ROW_UNOBSERVABLE,
			    "no window stands: each patch is through at once");
		return;
	}
	seen = look(scene);
	went_on = end(scene, &patch) == SP_OK && follow_up(scene, 1, &course) && course.late == 0 &&
		  aim_warm(stage, NULL, aimed_at, &after);
	report_find(
		finding, judge_window(&seen, went_on),
		"while it stands CPUs go round %lu times, %lu fetches and %lu writes wait; %s; then %s",
		seen.rounds, seen.fetches, seen.writes, seen.device.evidence,
		went_on ? "both go on, in the new code, and the device's write arrives"
			: "not all goes on");
}

void patch_play_window(struct patch_scene *scene, struct finding *finding)
{
	patch_code_put(&scene->crew, &scene->code);
	patch_crew_execute(&scene->crew, 0, &scene->code);
	patch_crew_spin(&scene->crew, 1, &scene->code, page_of(scene) + SPUN_ON);
	if (patch_crew_goes_round(&scene->crew, 2))
		play_window(scene, finding);
	else
		report_find(finding, ROW_UNOBSERVABLE, "A's CPUs do not execute it");
	if (!patch_crew_stop(&scene->crew))
		report_find(finding, ROW_UNOBSERVABLE, "A's CPUs do not stop");
}
