/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/guest.c - a built-in guest, seen from the hypervisor. */
#include "platform/metal/guest.h"

#include "platform/metal/console.h"
#include "platform/metal/memory.h"
#include "platform/metal/smp.h"
#include "platform/metal/string.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define GUEST_FRAMES	  (GUEST_BYTES / SP_FRAME_BYTES)
#define LARGE_PAGE_FRAMES 512u
#define PARK_WITHIN	  (2 * NS_PER_S)
#define STOP_WITHIN	  (500 * NS_PER_MS)

#define FAULT_WRITE	  (1u << 1) /* as in a page fault, APM vol. 2, 15.25.6 */
#define FAULT_PRESENT	  (1u << 0)
#define FAULT_FETCH	  (1u << 4)

extern const char guest_image_start[], guest_image_end[];

static size_t image_size(void)
{
	return memory_address(guest_image_end).maddr - memory_address(guest_image_start).maddr;
}

static bool is_identity(sp_mfn_t memory)
{
	const uint64_t first = GUEST_BASE >> SP_FRAME_ORDER;

	return memory.mfn < first + GUEST_FRAMES && first < memory.mfn + GUEST_FRAMES;
}

/* Aligned so that large pages can map it. A block that would overlap its own gfns is passed over. */
static sp_mfn_t take_memory(void)
{
	sp_mfn_t memory = memory_take_zeroed(GUEST_FRAMES, LARGE_PAGE_FRAMES);
	sp_mfn_t other;

	if (memory.mfn == 0 || !is_identity(memory))
		return memory;
	other = take_memory();
	memory_give(memory, GUEST_FRAMES);
	return other;
}

/*
 * The memory is zeroed, so that the guest finds its BSS empty and no frame carries over what an
 * earlier owner left there.
 */
bool guest_create(struct guest *guest, const char *name)
{
	*guest = (struct guest){ .name = name };
	guest->memory = take_memory();
	if (guest->memory.mfn == 0)
		return false;
	if (!svm_vcpu_create(&guest->vcpu, GUEST_BASE)) {
		memory_give(guest->memory, GUEST_FRAMES);
		return false;
	}
	memcpy(guest_pointer(guest, GUEST_BASE), guest_image_start, image_size());
	guest->mailbox = guest_pointer(guest, GUEST_MAILBOX);
	return true;
}

void guest_destroy(struct guest *guest)
{
	svm_vcpu_destroy(&guest->vcpu);
	memory_give(guest->memory, GUEST_FRAMES);
	guest->memory = (sp_mfn_t){ 0 };
}

/* Each fault in one line: who, what, where, why. */
static void log_exit(const struct guest *guest)
{
	const struct svm_exit *exit = &guest->exit;

	if (exit->kind == SVM_EXIT_NESTED_FAULT)
		console_log("guest", "%s: %s of gpa 0x%lx: %s (error 0x%lx, rip 0x%lx)",
			    guest->name,
			    exit->error & FAULT_FETCH	? "fetch"
			    : exit->error & FAULT_WRITE ? "write"
							: "read",
			    exit->address, exit->error & FAULT_PRESENT ? "no right" : "not present",
			    exit->error, exit->rip);
	else
		console_log("guest", "%s ended: %s (exit 0x%lx, info 0x%lx 0x%lx, rip 0x%lx)",
			    guest->name, svm_exit_text(exit->kind), exit->code, exit->error,
			    exit->address, exit->rip);
}

/* True: enter again. */
static bool handle_exit(struct guest *guest)
{
	if (guest->exit.kind == SVM_EXIT_KICK) {
		atomic_fetch_add(&guest->kicks, 1);
		if (!atomic_load(&guest->park))
			return true;
		atomic_store(&guest->state, GUEST_PARKED);
		return false;
	}
	log_exit(guest);
	atomic_store(&guest->state,
		     guest->exit.kind == SVM_EXIT_NESTED_FAULT ? GUEST_FAULTED : GUEST_ENDED);
	return false;
}

/* On the guest's CPU, with interrupts on: each kick is taken right after its exit. */
static void run(void *argument)
{
	struct guest *guest = argument;

	do {
		svm_run(&guest->vcpu, &guest->entry, &guest->exit);
	} while (handle_exit(guest));
}

void guest_start(struct guest *guest, uint32_t cpu)
{
	if (atomic_load(&guest->state) == GUEST_ENDED)
		return;
	guest->cpu = cpu;
	atomic_store(&guest->park, false);
	atomic_store(&guest->state, GUEST_RUNNING);
	smp_run(cpu, run, guest);
}

/* The flag goes first: the exit that the kick causes looks at it. */
bool guest_park(struct guest *guest)
{
	atomic_store(&guest->park, true);
	smp_kick(guest->cpu);
	return smp_wait(guest->cpu, PARK_WITHIN);
}

bool guest_is_running(struct guest *guest)
{
	return atomic_load(&guest->state) == GUEST_RUNNING;
}

/*
 * The number is written last, by a store that no earlier one passes: the guest that sees it sees
 * the whole command.
 */
void guest_post(struct guest *guest, const struct guest_command *command)
{
	struct mailbox *box = guest->mailbox;

	box->verb = command->verb;
	box->address = command->address;
	box->registers = command->registers;
	box->bytes = command->bytes;
	box->value = command->value;
	atomic_store(&box->stop, 0);
	atomic_store(&box->asked, ++guest->asked);
}

/* Gives up early when the guest has left its CPU: nobody will answer then. */
static bool is_answered(struct guest *guest, uint64_t nanoseconds)
{
	const uint64_t until = time_now() + nanoseconds;

	while (atomic_load(&guest->mailbox->answered) != guest->asked) {
		if (!guest_is_running(guest) || time_now() > until)
			return false;
		pause();
	}
	return true;
}

struct guest_answer guest_await(struct guest *guest, uint64_t nanoseconds)
{
	const struct mailbox *box = guest->mailbox;

	if (is_answered(guest, nanoseconds))
		return (struct guest_answer){ CALL_ANSWERED, (enum guest_result)box->result,
					      box->answer };
	if (!guest_is_running(guest))
		return (struct guest_answer){ .status = CALL_GONE };

	/* The mailbox is free again when the guest has seen that nobody waits any more. */
	guest_stop_command(guest);
	(void)is_answered(guest, STOP_WITHIN);
	return (struct guest_answer){ .status = CALL_LATE };
}

/* The two steps in one. */
struct guest_answer guest_call(struct guest *guest, const struct guest_command *command,
			       uint64_t nanoseconds)
{
	guest_post(guest, command);
	return guest_await(guest, nanoseconds);
}

void guest_stop_command(struct guest *guest)
{
	atomic_store(&guest->mailbox->stop, 1);
}

/* What the guest says; no evidence, but good enough to know when to begin. */
uint32_t guest_progress(struct guest *guest)
{
	return atomic_load(&guest->mailbox->progress);
}

sp_maddr_t guest_machine_address(const struct guest *guest, uint32_t address)
{
	return (sp_maddr_t){ sp_maddr_from_mfn(guest->memory).maddr + (address - GUEST_BASE) };
}

void *guest_pointer(const struct guest *guest, uint32_t address)
{
	return memory_pointer(guest_machine_address(guest, address));
}
