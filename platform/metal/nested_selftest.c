/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/nested_selftest.c - guest mode, tried with a nested table made by hand.
 *
 *   pml4[0] --> pdpt[1] --> pd[0..3]: guest memory, 2 MiB leaves (pd[3] --> pages[], 4 KiB leaves)
 *                           pd[4] --> registers[0..255]: edu's BAR
 */
#include "platform/metal/nested_selftest.h"

#include "engines/edu.h"
#include "platform/metal/console.h"
#include "platform/metal/guest.h"
#include "platform/metal/memory.h"
#include "platform/metal/pci_config.h"
#include "platform/metal/smp.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define SLOT_LINK     0x007ull /* present, writable, user: all nested accesses are user's */
#define SLOT_LARGE    0x080ull
#define SLOT_UNCACHED 0x018ull
#define ASID	      1
#define EDU_GPA	      (GUEST_BASE + GUEST_BYTES)
#define SPIN_GPA      (GUEST_BASE + 0x600000u)
#define CALL_WITHIN   (5 * NS_PER_S)
#define PATTERN_BYTES 2048u

struct nested {
	sp_mfn_t pml4, pdpt, pd, pages, registers;
};

struct selftest {
	struct guest guest;
	struct nested nested;
	bool has_edu;
	bool passed;
};

static struct selftest state;

static uint64_t *slots(sp_mfn_t table)
{
	return memory_frame(table);
}

static void link_table(sp_mfn_t table, uint32_t index, sp_mfn_t child)
{
	slots(table)[index] = sp_maddr_from_mfn(child).maddr | SLOT_LINK;
}

static void build_tables(struct selftest *test, sp_maddr_t edu)
{
	struct nested *n = &test->nested;
	uint64_t memory = sp_maddr_from_mfn(test->guest.memory).maddr;

	*n = (struct nested){ memory_take_zeroed(1, 1), memory_take_zeroed(1, 1),
			      memory_take_zeroed(1, 1), memory_take_zeroed(1, 1),
			      memory_take_zeroed(1, 1) };
	link_table(n->pml4, 0, n->pdpt);
	link_table(n->pdpt, 1, n->pd);
	for (uint32_t i = 0; i < 3; i++)
		slots(n->pd)[i] = (memory + i * 0x200000ull) | SLOT_LINK | SLOT_LARGE;
	for (uint32_t i = 0; i < 512; i++)
		slots(n->pages)[i] = (memory + 0x600000 + i * 0x1000ull) | SLOT_LINK;
	link_table(n->pd, 3, n->pages);
	for (uint32_t i = 0; test->has_edu && i < 256; i++)
		slots(n->registers)[i] = (edu.maddr + i * 0x1000ull) | SLOT_LINK | SLOT_UNCACHED;
	link_table(n->pd, 4, n->registers);
}

static void expect(struct selftest *test, bool met, const char *what)
{
	console_log("selftest", "%s  %s", met ? "ok  " : "FAIL", what);
	test->passed = test->passed && met;
}

static bool call(struct selftest *test, const struct guest_command *command, uint64_t *value)
{
	struct guest_answer answer = guest_call(&test->guest, command, CALL_WITHIN);

	*value = answer.value;
	return answer.status == CALL_ANSWERED && answer.result == GUEST_DONE;
}

/* What the hypervisor sees behind the guest's address. */
static bool is_pattern(struct selftest *test, uint32_t address, uint32_t seed)
{
	const volatile uint32_t *word = guest_pointer(&test->guest, address);

	for (uint32_t i = 0; i < PATTERN_BYTES / 4; i++) {
		if (word[i] != pattern_word(seed, i))
			return false;
	}
	return true;
}

static uint32_t sum_of_pattern(uint32_t seed)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < PATTERN_BYTES / 4; i++)
		sum = pattern_sum(sum, pattern_word(seed, i));
	return sum;
}

static void try_memory(struct selftest *test)
{
	uint64_t value;
	bool done;

	done = call(test, &(struct guest_command){ .verb = GUEST_PING, .value = 0x1234 }, &value);
	expect(test, done && value == (uint32_t)~0x1234u, "the guest answers its mailbox");

	done = call(test,
		    &(struct guest_command){ .verb = GUEST_FILL,
					     .address = GUEST_SCRATCH,
					     .bytes = PATTERN_BYTES,
					     .value = 7 },
		    &value);
	expect(test, done && is_pattern(test, GUEST_SCRATCH, 7),
	       "what it writes is found behind its frames");

	done = call(test,
		    &(struct guest_command){ .verb = GUEST_CHECKSUM,
					     .address = GUEST_SCRATCH,
					     .bytes = PATTERN_BYTES },
		    &value);
	expect(test, done && value == sum_of_pattern(7), "it reads the same");

	done = call(test,
		    &(struct guest_command){
			    .verb = GUEST_WRITE, .address = GUEST_SCRATCH, .value = 5 },
		    &value);
	done = call(test, &(struct guest_command){ .verb = GUEST_READ, .address = GUEST_SCRATCH },
		    &value) &&
	       done;
	expect(test, done && value == 5, "a word written is a word read");
}

static bool transfer(struct selftest *test, enum guest_verb verb, uint32_t address,
		     enum edu_direction direction)
{
	uint64_t bus = guest_machine_address(&test->guest, address).maddr;
	struct guest_command command = { .verb = verb,
					 .address = bus,
					 .registers = EDU_GPA,
					 .bytes = PATTERN_BYTES,
					 .value = direction };
	uint64_t value;

	return call(test, &command, &value);
}

/* No unit translates yet: the bus address is the machine's. */
static void try_edu(struct selftest *test)
{
	uint64_t value;
	bool done;

	done = call(test,
		    &(struct guest_command){ .verb = GUEST_FILL,
					     .address = GUEST_SCRATCH,
					     .bytes = PATTERN_BYTES,
					     .value = 9 },
		    &value);
	done = done && transfer(test, GUEST_EDU_TRANSFER, GUEST_SCRATCH, EDU_FROM_BUS) &&
	       transfer(test, GUEST_EDU_TRANSFER, GUEST_SCRATCH + 0x10000, EDU_TO_BUS);
	expect(test, done && is_pattern(test, GUEST_SCRATCH + 0x10000, 9),
	       "edu copies memory for the guest");

	done = transfer(test, GUEST_EDU_START, GUEST_SCRATCH + 0x20000, EDU_TO_BUS);
	expect(test, done && !is_pattern(test, GUEST_SCRATCH + 0x20000, 9),
	       "a transfer that is started only has not arrived yet");
	done = call(test, &(struct guest_command){ .verb = GUEST_EDU_WAIT, .registers = EDU_GPA },
		    &value);
	expect(test, done && is_pattern(test, GUEST_SCRATCH + 0x20000, 9), "waited for, it has");
}

static void wait_for_progress(struct selftest *test, uint32_t rounds)
{
	const uint64_t until = time_now() + CALL_WITHIN;

	while (guest_progress(&test->guest) < rounds && guest_is_running(&test->guest) &&
	       time_now() < until)
		pause();
}

static void try_kick(struct selftest *test)
{
	uint32_t seen;

	guest_post(&test->guest,
		   &(struct guest_command){ .verb = GUEST_SPIN, .address = SPIN_GPA, .value = 1 });
	wait_for_progress(test, 100);
	expect(test, guest_progress(&test->guest) >= 100, "it spins on a page");
	expect(test, guest_park(&test->guest), "an interrupt takes it out of guest mode");

	seen = guest_progress(&test->guest);
	time_wait(5 * NS_PER_MS);
	expect(test, seen == guest_progress(&test->guest), "while it is parked it does nothing");
	guest_start(&test->guest, 1);
	wait_for_progress(test, seen + 100);
	expect(test, guest_progress(&test->guest) >= seen + 100, "started again it goes on");
}

static void try_fault(struct selftest *test)
{
	struct guest *guest = &test->guest;

	slots(test->nested.pages)[0] = 0;
	smp_kick(1);
	expect(test, smp_wait(1, CALL_WITHIN), "a page taken away and a kick end its run");
	expect(test, guest->exit.kind == SVM_EXIT_NESTED_FAULT && guest->exit.address == SPIN_GPA,
	       "by a nested fault on that page");
	slots(test->nested.pages)[0] = guest_machine_address(guest, SPIN_GPA).maddr | SLOT_LINK;
	guest_start(guest, 1);
	guest_stop_command(guest);
	expect(test, guest_await(guest, CALL_WITHIN).result == GUEST_STOPPED,
	       "with the page back it goes on, and stops when told");
	expect(test, guest_park(guest), "parked for good");
}

bool nested_selftest_run(sp_sbdf_t edu, bool has_edu)
{
	sp_maddr_t registers = { has_edu ? pci_config_read(edu, 0x10, 4) & ~0xfu : 0 };

	state.passed = true;
	state.has_edu = has_edu;
	if (!guest_create(&state.guest, "A"))
		return false;
	if (has_edu)
		pci_config_write(edu, 0x04, 2, pci_config_read(edu, 0x04, 2) | 0x6);
	build_tables(&state, registers);
	state.guest.entry = (struct sp_entry){ .root = sp_maddr_from_mfn(state.nested.pml4),
					       .levels = 4,
					       .asid = ASID,
					       .flush = true };
	guest_start(&state.guest, 1);
	try_memory(&state);
	if (has_edu)
		try_edu(&state);
	try_kick(&state);
	try_fault(&state);
	guest_destroy(&state.guest);
	return state.passed;
}
