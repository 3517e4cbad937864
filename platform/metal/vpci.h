/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vpci.h - the PCI bus that a guest sees: bus 0 with a host bridge and the functions
 * that are its own, each register filtered.
 *
 *   ports CF8, CFC  --.
 *                      >--> 00:dd.0 --> register: what it shows, what the guest may write,
 *   ECAM            --'                 what of both is the function's own
 *
 * Nothing of a function is open unless it is known here: interrupts, base addresses and power
 * states are the hypervisor's, extended capabilities (ATS, PASID, SR-IOV ...) are not there at all.
 * A pure state machine: configuration space is reached through two functions, and what the
 * hypervisor must do after a write comes back as a set of changes. The caller keeps a guest's CPUs
 * apart.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sallyport/passthrough.h>

#define VPCI_FUNCTIONS	  8u
#define VPCI_REGISTERS	  64u /* of 32 bits: configuration space without its extended part */
#define VPCI_VECTORS	  64u /* MSI-X entries that a guest is shown, at most */
#define VPCI_TABLE_ENTRY  16u /* bytes */
#define VPCI_ECAM_BYTES	  0x100000u
#define VPCI_PORT_ADDRESS 0xcf8u
#define VPCI_PORT_DATA	  0xcfcu

/* One register. Bits of `real_read` come from the function, those of `real_write` go to it too. */
struct vpci_register {
	uint32_t value;
	uint32_t guest; /* bits that the guest may write */
	uint32_t real_read, real_write;
};

/* A memory BAR. What the guest wrote is in the function's registers. */
struct vpci_bar {
	uint64_t machine; /* address */
	uint64_t bytes;	  /* whole pages, as the guest sees it; 0: none, or the upper half of one */
	bool wide;
};

/* PCI Express base 6.0: 7.7.2, an entry of a function's MSI-X table, as the guest wrote it. */
struct vpci_vector {
	uint32_t word[VPCI_TABLE_ENTRY / 4];
};
#define VECTOR_ADDRESS_LOW  0
#define VECTOR_ADDRESS_HIGH 1
#define VECTOR_DATA	    2
#define VECTOR_CONTROL	    3
#define VECTOR_MASKED	    0x1u

struct vpci_function {
	sp_sbdf_t sbdf; /* the machine's */
	uint8_t device; /* the guest's: 00:<device>.0 */
	bool shown;	/* false: it was taken away, and its place waits for another */
	struct vpci_register reg[VPCI_REGISTERS];
	struct vpci_bar bar[SP_BARS];
	uint8_t msi, msix; /* offsets of capabilities, the function's and the guest's; 0: none */
	uint8_t table_bar; /* of MSI-X */
	uint32_t table_offset; /* in that BAR, bytes */
	uint32_t table_real;   /* entries that the function has */
	uint32_t vector_count; /* entries that the guest is shown */
	struct vpci_vector vector[VPCI_VECTORS];
};

/* Guest addresses for BARs, not an inclusive end. */
struct vpci_window {
	uint64_t first, end;
};

struct vpci {
	/* The machine's configuration space: bytes 1, 2 or 4, aligned. */
	uint32_t (*read)(void *context, sp_sbdf_t function, uint32_t offset, uint32_t bytes);
	void (*write)(void *context, sp_sbdf_t function, uint32_t offset, uint32_t bytes,
		      uint32_t value);
	void *context;
	struct vpci_window low, high; /* below 4 GiB; above, for large BARs of 64 bits */
	uint32_t selected;	      /* last written to port CF8 */
	uint32_t mutant;	      /* a negative control, tests only */
	struct vpci_register bridge[VPCI_REGISTERS];
	uint32_t function_count; /* places that were ever used: look at `shown` */
	struct vpci_function function[VPCI_FUNCTIONS];
};

/* What a write asks the hypervisor to do. */
#define VPCI_DECODE 0x1u /* BARs are to be mapped, moved or unmapped: vpci_bar_place() */
#define VPCI_MASTER 0x2u /* bus mastering: vpci_is_master() */
#define VPCI_MSI    0x4u /* vpci_message() */
#define VPCI_MSIX   0x8u /* enabled, disabled or masked as a whole: vpci_message() of each */

struct vpci_change {
	struct vpci_function *function; /* NULL: nothing */
	uint32_t what;
};

struct vpci_text {
	char chars[160];
};

/* An empty bus. `read`, `write`, `context`, `low` and `high` are the caller's. */
void vpci_begin(struct vpci *vpci);

/*
 * Shows a function to the guest, as the next device, with its BARs placed and its decoding, bus
 * mastering and interrupts off. `all` are the machine's functions, `index` is the one that is
 * meant. SP_UNSUPPORTED (no endpoint; a BAR that does not begin at a page or shares one with
 * another function; an MSI-X table outside its BARs), SP_NO_SPACE (no device number or no room in
 * the windows left): `why` says it in a line.
 */
SP_MUST_USE enum sp_status vpci_add(struct vpci *vpci, const struct sp_function_info *all,
				    uint32_t count, uint32_t index, struct vpci_text *why);

/*
 * From now on nobody is there: reads are all ones. What was mapped and routed is the caller's to
 * undo.
 */
void vpci_remove(struct vpci_function *function);

/*
 * Configuration space of bus 0: `offset` below 4096; at most 4 bytes, which do not cross a register
 * of 32 bits. Where nobody is, all ones; what is not shown reads as 0.
 */
uint32_t vpci_read(struct vpci *vpci, uint32_t devfn, uint32_t offset, uint32_t bytes);
struct vpci_change vpci_write(struct vpci *vpci, uint32_t devfn, uint32_t offset, uint32_t bytes,
			      uint32_t value);

/* CF8 (32 bits wide, else it is another register) and CFC to CFF. */
bool vpci_has_port(uint32_t port, uint32_t bytes);
uint32_t vpci_port_read(struct vpci *vpci, uint32_t port, uint32_t bytes);
struct vpci_change vpci_port_write(struct vpci *vpci, uint32_t port, uint32_t bytes,
				   uint32_t value);

/* Bus 0's ECAM: `offset` below VPCI_ECAM_BYTES, at most 8 bytes, at any alignment. */
uint64_t vpci_ecam_read(struct vpci *vpci, uint32_t offset, uint32_t bytes);
/* A write of 8 bytes is two; the changes of both come back together. */
struct vpci_change vpci_ecam_write(struct vpci *vpci, uint32_t offset, uint32_t bytes,
				   uint64_t value);

struct vpci_function *vpci_find(struct vpci *vpci, sp_sbdf_t machine); /* NULL: not shown */
/* By the guest's name: bus << 8 | device << 3 | function. NULL: it has no function of that name. */
struct vpci_function *vpci_find_name(struct vpci *vpci, uint64_t name);
bool vpci_is_master(const struct vpci_function *function);

/* ---- base addresses ---- */

enum vpci_place {
	VPCI_OFF,      /* no such BAR, or the function does not decode */
	VPCI_ON,       /* to be mapped, from `first` */
	VPCI_OUTSIDE,  /* the guest moved it out of the windows: not mapped */
	VPCI_OVERLAPS, /* the guest moved it into another BAR: not mapped */
};
uint64_t vpci_bar_address(const struct vpci_function *function, uint32_t bar); /* as written */
enum vpci_place vpci_bar_place(const struct vpci *vpci, const struct vpci_function *function,
			       uint32_t bar, sp_gfn_t *first);

/*
 * Pages of a BAR from `page` on that are all mapped or all trapped; 0 past its end. Trapped are
 * those with a part of the MSI-X table.
 */
uint64_t vpci_bar_run(const struct vpci *vpci, const struct vpci_function *function, uint32_t bar,
		      uint64_t page, bool *trapped);

/* Whose BAR holds a guest address, at which offset; NULL: nobody's that is mapped. */
struct vpci_function *vpci_find_address(struct vpci *vpci, uint64_t address, uint32_t *bar,
					uint64_t *offset);

/* ---- messages ---- */

/* Is the offset in the BAR a part of the table's entries, also of those that are not shown? */
bool vpci_is_table(const struct vpci_function *function, uint32_t bar, uint64_t offset);

/*
 * 4 or 8 bytes, aligned (7.7.2: all else is undefined, and reads as 0 here). The index of the
 * vector that changed, or vector_count for none.
 */
uint64_t vpci_table_read(const struct vpci_function *function, uint64_t offset, uint32_t bytes);
uint32_t vpci_table_write(struct vpci_function *function, uint64_t offset, uint32_t bytes,
			  uint64_t value);

/* What the guest wants sent; MSI has one vector, number 0. */
struct vpci_message {
	uint64_t address;
	uint32_t data;
	bool on; /* enabled, and not masked */
};
bool vpci_uses_msix(const struct vpci_function *function);
struct vpci_message vpci_message(const struct vpci_function *function, uint32_t vector);
