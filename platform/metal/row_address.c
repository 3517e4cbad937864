/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/row_address.c - rows 1 to 5: the guest's own memory, and machine addresses that
 * are nobody's business.
 *
 * Each address is a machine address that no gfn of A equals, so whatever lies there is reached only
 * by who is not translated.
 */
#include "platform/metal/aim.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/rows.h"
#include "platform/metal/x86.h"

/* The slots in the middle of the root, far from those that lead to the guest's memory. */
#define ROOT_OFFSET 0x800u
#define SLOTS	    512u

/* In .data, so that it is the image itself that is aimed at. */
static struct {
	_Alignas(SP_FRAME_BYTES) struct canary canary;
	char rest[SP_FRAME_BYTES - CANARY_BYTES];
} image_page = { .canary = { { 1 } } };

static struct canary load_fresh(struct stage *stage, bool *loaded)
{
	struct canary payload = canary_fresh();

	*loaded = aim_load(stage, aim_driver(stage), &payload);
	return payload;
}

static bool is_gfn_of_a(struct stage *stage, sp_mfn_t frame)
{
	struct sp_mapping mapping;

	return sp_p2m_find(stage->a.domain, (sp_gfn_t){ frame.mfn }, &mapping) != SP_NOT_FOUND;
}

/* What lay there is put back, whatever came of it. */
static void fire_at(struct stage *stage, void *at, const char *what, struct finding *finding)
{
	const sp_maddr_t address = memory_address(at);
	const struct aim_text text = aim_text_of_frame(sp_mfn_from_maddr(address), what);
	const struct shot shot = {
		.driver = aim_driver(stage), .address = address.maddr, .at = at, .what = text.chars
	};
	const struct canary saved = canary_get(at);
	bool loaded;

	(void)load_fresh(stage, &loaded);
	if (is_gfn_of_a(stage, sp_mfn_from_maddr(address)))
		report_find(finding, ROW_UNOBSERVABLE, "%s is a gfn of A too", text.chars);
	else if (!loaded)
		report_find(finding, ROW_UNOBSERVABLE, "the device did not fetch its payload");
	else
		aim_fire(stage, &shot, finding);
	canary_put(at, &saved);
}

void row_arrival(struct stage *stage, struct finding *finding)
{
	const uint32_t from = aim_page(PAGE_PAYLOAD), to = aim_page(PAGE_TARGET);

	if (aim_warm(stage, &stage->a, to, finding))
		report_find(finding, ROW_ARRIVES,
			    "64 bytes, %s..., came from gfn 0x%lx (mfn 0x%lx) and were found at "
			    "gfn 0x%lx (mfn 0x%lx)",
			    canary_text(&stage->payload).chars, guest_gfn(from).gfn,
			    guest_memory_home(&stage->a, from).mfn, guest_gfn(to).gfn,
			    guest_memory_home(&stage->a, to).mfn);
}

void row_beyond(struct stage *stage, struct finding *finding)
{
	sp_mfn_t frame = memory_take_for_guest(1, 1);

	if (frame.mfn == 0) {
		report_find(finding, ROW_UNOBSERVABLE, "no RAM is left to aim at");
		return;
	}
	fire_at(stage, memory_frame(frame), "RAM that nobody has", finding);
	memory_give(frame, 1);
}

void row_other_guest(struct stage *stage, struct finding *finding)
{
	fire_at(stage, guest_pointer(&stage->b, aim_page(PAGE_VICTIM)), "a page of guest B",
		finding);
}

void row_image(struct stage *stage, struct finding *finding)
{
	fire_at(stage, &image_page.canary, "the hypervisor's .data", finding);
}

/* The library tells the root to who enters the guest; nothing is entered here. */
static uint64_t *find_root(struct stage *stage)
{
	bool were_on = interrupts_save();
	struct sp_entry entry;

	if (sp_cpu_enter(stage->a.domain, &entry) != SP_OK)
		machine_panic("guest a has no emulator, and its CPU is refused");
	sp_cpu_leave(stage->a.domain, false);
	interrupts_restore(were_on);
	return memory_pointer(entry.root);
}

/* Slots that are absent in every format: a frame number and nothing else. */
static struct canary harmless_canary(void)
{
	struct canary canary = canary_fresh();

	for (size_t i = 0; i < sizeof(canary.words) / sizeof(canary.words[0]); i++)
		canary.words[i] &= 0x000ffffffffff000;
	return canary;
}

/*
 * How many slots differ, but for the accessed and dirty bits: those hardware sets (APM vol. 2,
 * 5.4.2).
 */
static unsigned int count_changed(const volatile uint64_t *root, const uint64_t *before)
{
	unsigned int changed = 0;

	for (unsigned int i = 0; i < SLOTS; i++)
		changed += ((root[i] ^ before[i]) & ~0x60ull) != 0;
	return changed;
}

static void judge_root(struct stage *stage, sp_mfn_t root, const struct canary *canary,
		       unsigned int changed, struct finding *finding)
{
	struct fault_line fault = transfer_faults(stage);

	if (changed == 0)
		report_find(
			finding, ROW_CONTAINED,
			"64 bytes sent to dfn 0x%lx: A's nested root table at mfn 0x%lx has all "
			"its 512 slots as before, canary %s too%s",
			root.mfn, root.mfn, canary_text(canary).chars, fault.text);
	else
		report_find(finding, ROW_LEAKED,
			    "64 bytes sent to dfn 0x%lx: %u slots of A's nested root table at "
			    "mfn 0x%lx changed",
			    root.mfn, changed, root.mfn);
}

/* The whole page is compared, and what changed is put back, before anybody walks there. */
void row_root(struct stage *stage, struct finding *finding)
{
	static uint64_t before[SLOTS];
	uint64_t *root = find_root(stage);
	sp_mfn_t frame = sp_mfn_from_maddr(memory_address(root));
	void *middle = (char *)root + ROOT_OFFSET;
	const struct canary saved = canary_get(middle), canary = harmless_canary();
	bool done;

	(void)load_fresh(stage, &done);
	canary_put(middle, &canary);
	for (unsigned int i = 0; i < SLOTS; i++)
		before[i] = *(volatile uint64_t *)&root[i];
	done = done && !is_gfn_of_a(stage, frame) &&
	       aim_write(stage, aim_driver(stage), memory_address(middle).maddr, CANARY_BYTES);
	if (done)
		judge_root(stage, frame, &canary, count_changed(root, before), finding);
	else
		report_find(finding, ROW_UNOBSERVABLE,
			    "the device was not seen to make its transfer to dfn 0x%lx", frame.mfn);
	canary_put(middle, &saved);
}
