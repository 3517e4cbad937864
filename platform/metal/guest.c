/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/guest.c - a built-in guest, seen from the hypervisor. */
#include "platform/metal/guest.h"

#include "platform/metal/console.h"
#include "platform/metal/forgotten.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/machine.h"
#include "platform/metal/memory.h"
#include "platform/metal/smp.h"
#include "platform/metal/string.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define TABLE_BUDGET   64u /* pages of tables; a guest of 8 MiB needs about 16 */
#define LARGE_PAGES    2u  /* bit 1: pages of 2 MiB */
#define PARK_WITHIN    (2 * NS_PER_S)
#define STOP_WITHIN    (500 * NS_PER_MS)
#define DESTROY_WITHIN (10 * NS_PER_S)

#define FAULT_WRITE    (1u << 1) /* as in a page fault, APM vol. 2, 15.25.6 */
#define FAULT_PRESENT  (1u << 0)
#define FAULT_FETCH    (1u << 4)

extern const char guest_image_start[], guest_image_end[];

static size_t image_size(void)
{
	return memory_address(guest_image_end).maddr - memory_address(guest_image_start).maddr;
}

static enum sp_status create_domain(struct guest *guest, enum sp_tables tables)
{
	const struct sp_domain_config config = {
		.number = guest->number,
		.cpu = SP_CPU_NPT,
		.tables = tables,
		.table_budget = TABLE_BUDGET,
		.cpu_large_pages = LARGE_PAGES,
		.asid = (uint16_t)guest->number,
	};

	return sp_domain_create(guest->host, &config, &guest->domain);
}

/*
 * The memory is zeroed, so that the guest finds its BSS empty and no frame carries over what an
 * earlier owner left there. A failure ends the run: nothing is given back.
 */
enum sp_status guest_create(struct guest *guest, const char *name, uint32_t number,
			    struct sp_host *host, enum sp_tables tables)
{
	enum sp_status status;

	*guest = (struct guest){ .name = name, .number = number, .host = host };
	if (!guest_memory_take(guest) || !svm_vcpu_create(&guest->vcpu, GUEST_BASE))
		return SP_NO_MEMORY;
	memcpy(guest_pointer(guest, GUEST_BASE), guest_image_start, image_size());
	guest->mailbox = guest_pointer(guest, GUEST_MAILBOX);
	status = create_domain(guest, tables);
	return status == SP_OK ? guest_memory_map_all(guest) : status;
}

bool guest_add_cpu(struct guest *more, const struct guest *guest)
{
	*more = (struct guest){ .name = guest->name,
				.number = guest->number,
				.host = guest->host,
				.domain = guest->domain,
				.memory = guest->memory };
	if (!svm_vcpu_create(&more->vcpu, GUEST_BASE))
		return false;
	more->vcpu.registers.rbx = 1;
	more->mailbox = guest_pointer(guest, GUEST_MAILBOX + GUEST_BOX_BYTES);
	return true;
}

void guest_take_cpu(struct guest *more)
{
	svm_vcpu_destroy(&more->vcpu);
}

/*
 * Every frame that a map ever held must have come back, once, before its memory is anybody else's.
 */
bool guest_destroy(struct guest *guest)
{
	const uint64_t until = time_now() + DESTROY_WITHIN;
	enum sp_status status;

	do {
		status = sp_domain_destroy(guest->domain);
		(void)sp_progress(guest->host, SP_STEP_SLOTS);
	} while (status == SP_PENDING && time_now() < until);
	console_log("guest", "%s: %lu frames were mapped, %lu came back (%s)", guest->name,
		    guest->frames_mapped, forgotten_frames(guest->number), sp_status_text(status));
	if (status != SP_OK || forgotten_frames(guest->number) != guest->frames_mapped)
		return false;
	svm_vcpu_destroy(&guest->vcpu);
	guest_memory_give(guest);
	return true;
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

/* Nobody is told of it: the page comes back by itself, and the same instruction runs again. */
static bool is_held(struct guest *guest)
{
	const uint32_t held = atomic_load(&guest->held);
	const struct svm_exit *exit = &guest->exit;

	if (exit->kind != SVM_EXIT_NESTED_FAULT || held == 0 || exit->address < held ||
	    exit->address - held >= 2 * SP_FRAME_BYTES)
		return false;
	atomic_fetch_add(exit->error & FAULT_FETCH ? &guest->held_fetches : &guest->held_writes, 1);
	pause();
	return true;
}

/* True: enter again. Whoever faults for ever is kicked between two entries: that is no exit of its own. */
static bool handle_exit(struct guest *guest)
{
	const bool was_kicked = guest->exit.kind == SVM_EXIT_KICK;

	if (was_kicked || is_held(guest)) {
		atomic_fetch_add(&guest->kicks, was_kicked);
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
		(void)svm_run(&guest->vcpu, guest->domain, NULL, &guest->exit);
	} while (handle_exit(guest));
}

void guest_start(struct guest *guest, uint32_t cpu)
{
	if (atomic_load(&guest->state) == GUEST_ENDED)
		return;
	/* A guest that has just faulted is still on its way out of its CPU. */
	if (!smp_wait(cpu, PARK_WITHIN))
		machine_panic("CPU %u does not come back from its guest", cpu);
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
	box->whole[0] = command->whole[0];
	box->whole[1] = command->whole[1];
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
uint32_t guest_progress(const struct guest *guest)
{
	return atomic_load(&guest->mailbox->progress);
}

void *guest_pointer(const struct guest *guest, uint32_t address)
{
	char *frame = memory_frame(guest_memory_home(guest, address));

	return frame + address % SP_FRAME_BYTES;
}
