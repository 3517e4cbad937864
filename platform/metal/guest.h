/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/guest.h - a built-in guest, seen from the hypervisor.
 *
 *   create -> GUEST_PARKED --start--> GUEST_RUNNING --park--> GUEST_PARKED
 *                                          |--nested fault--> GUEST_FAULTED --start--> runs on
 *                                          |      '--where code is written over--> waits, runs on
 *                                          '--anything else-> GUEST_ENDED
 *
 * guest_memory.h has its memory, and how that is changed.
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
	uint32_t number; /* of its domain */
	struct sp_host *host;
	struct sp_domain *domain;
	sp_mfn_t memory;	 /* a block of GUEST_BYTES */
	uint64_t frames_mapped;	 /* so many references are to come back */
	struct mailbox *mailbox; /* in that memory; the guest writes there too */
	struct svm_vcpu vcpu;	 /* its CPU alone while it runs */
	struct svm_exit exit;	 /* the last one; read when it does not run */
	uint32_t cpu;
	uint32_t asked; /* number of the last command */
	_Atomic enum guest_state state;
	atomic_bool park;   /* leave at the next kick */
	atomic_ulong kicks; /* exits by interrupt or NMI */
	/* A page, and the one behind it, in which it may fault, and comes again; 0: nowhere. */
	_Atomic uint32_t held;
	atomic_ulong held_fetches, held_writes; /* how often it did */
};

struct guest_command {
	enum guest_verb verb;
	uint64_t address;
	uint64_t registers;
	uint32_t bytes;
	uint32_t value;
	uint32_t whole[2]; /* GUEST_EXECUTE */
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

/* Domain, memory (left over from nobody: zeroed), image, vCPU. Number and ASID are the same. */
SP_MUST_USE enum sp_status guest_create(struct guest *guest, const char *name, uint32_t number,
					struct sp_host *host, enum sp_tables tables);
/* Parked, without devices. False: frames that it was given did not all come back. */
bool guest_destroy(struct guest *guest);

/*
 * A second virtual CPU of a guest: a struct of its own, with a mailbox of its own, in the same domain and
 * memory. To be parked and taken away before its guest is destroyed. False: no memory.
 */
bool guest_add_cpu(struct guest *more, const struct guest *guest);
void guest_take_cpu(struct guest *more);

/* Lets it run on an idle CPU. */
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
uint32_t guest_progress(const struct guest *guest);

/* What lies at an address of the guest at first, as the hypervisor reaches it. */
void *guest_pointer(const struct guest *guest, uint32_t address);
