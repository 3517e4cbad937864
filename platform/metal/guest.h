/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guest.h - a built-in guest, seen from the hypervisor.
 *
 *   create -> GUEST_PARKED --start--> GUEST_RUNNING --park--> GUEST_PARKED
 *                                          |--nested fault--> GUEST_FAULTED --start--> runs on, same instruction
 *                                          '--anything else-> GUEST_ENDED
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <sallyport/p2m.h>

#include "platform/metal/guest/mailbox.h"
#include "platform/metal/svm.h"

enum guest_state {
	GUEST_PARKED,
	GUEST_RUNNING,
	GUEST_FAULTED, /* guest->exit says where */
	GUEST_ENDED,   /* guest->exit says why; it does not run again */
};

struct guest {
	const char *name;
	sp_mfn_t memory;	 /* contiguous, GUEST_BYTES, behind GUEST_BASE */
	struct mailbox *mailbox; /* in that memory; the guest writes there too */
	struct sp_entry entry;	 /* what it is entered with */
	struct svm_vcpu vcpu;	 /* its CPU alone while it runs */
	struct svm_exit exit;	 /* the last one; read when it does not run */
	uint32_t cpu;
	uint32_t asked; /* number of the last command */
	_Atomic enum guest_state state;
	atomic_bool park;   /* leave at the next kick */
	atomic_ulong kicks; /* exits by interrupt or NMI */
};

struct guest_command {
	enum guest_verb verb;
	uint64_t address;
	uint64_t registers;
	uint32_t bytes;
	uint32_t value;
};

enum guest_call_status {
	CALL_ANSWERED,
	CALL_LATE, /* no answer in time; the guest was told to stop */
	CALL_GONE, /* the guest does not run (any more) */
};

struct guest_answer {
	enum guest_call_status status;
	enum guest_result result;
	uint64_t value;
};

/* Memory (left over from nobody: zeroed), image, vCPU. False: not enough RAM. */
bool guest_create(struct guest *guest, const char *name);
void guest_destroy(struct guest *guest);

/* Lets it run on an idle CPU. guest->entry is set. */
void guest_start(struct guest *guest, uint32_t cpu);
/* Takes it out of guest mode and off its CPU. False: it did not leave in time. */
bool guest_park(struct guest *guest);
bool guest_is_running(struct guest *guest);

/* One command, and its answer. guest_post() then guest_await() is the same in two steps. */
struct guest_answer guest_call(struct guest *guest, const struct guest_command *command,
			       uint64_t nanoseconds);
void guest_post(struct guest *guest, const struct guest_command *command);
struct guest_answer guest_await(struct guest *guest, uint64_t nanoseconds);

/* Ends GUEST_SPIN, and whatever the guest waits for. */
void guest_stop_command(struct guest *guest);
uint32_t guest_progress(struct guest *guest);

/* The guest's memory as the hypervisor reaches it; the machine address behind a guest's own. */
void *guest_pointer(const struct guest *guest, uint32_t address);
sp_maddr_t guest_machine_address(const struct guest *guest, uint32_t address);
