/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vacpi.c - what a guest with acpi=on is told of its machine (ACPI 6.3, 5.2).
 *
 *   f0000 RSDP --> f0040 XSDT --> f0100 FADT --> f1000 DSDT (dsdt.asl), which reads f0f00
 *                            '--> f0300 MADT
 *                            '--> f0600 MCFG
 */
#include "platform/metal/vacpi.h"

#include "platform/metal/mptable.h"
#include "platform/metal/string.h"

#define XSDT		   0x0040u
#define FADT		   0x0100u
#define MADT		   0x0300u
#define MCFG		   0x0600u
#define ROOM		   0x0f00u
#define DSDT		   0x1000u

#define RSDP_BYTES	   36u
#define RSDP_OLD_BYTES	   20u /* what the first checksum is of */
#define HEADER_BYTES	   36u
#define XSDT_BYTES	   (HEADER_BYTES + 3 * 8)
#define FADT_BYTES	   276u
#define MADT_BYTES	   44u
#define MADT_CPU_BYTES	   8u
#define MCFG_BYTES	   (HEADER_BYTES + 8 + 16)

#define OWN_REVISION	   1u
#define CPU_ENABLED	   1u

/* 5.2.9, FADT. */
#define FADT_DSDT	   40u
#define FADT_BOOT_FLAGS	   109u
#define FADT_FLAGS	   112u
#define FADT_RESET	   116u
#define FADT_RESET_VALUE   128u
#define FADT_MINOR	   131u
#define FADT_DSDT_WIDE	   140u
#define FADT_SLEEP_CONTROL 244u
#define FADT_SLEEP_STATUS  256u
#define BOOT_NO_VGA	   (1u << 2)
#define FLAG_WBINVD	   (1u << 0)
#define FLAG_NO_POWER	   (1u << 4) /* no button that is fixed hardware */
#define FLAG_NO_SLEEP	   (1u << 5)
#define FLAG_RESET	   (1u << 10)
#define FLAG_REDUCED	   (1u << 20)
#define SPACE_PORTS	   1u
#define ACCESS_BYTE	   1u

extern const char dsdt_image_start[], dsdt_image_end[];

static void put(uint8_t *at, uint64_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* 5.2.5.3, 5.2.6: all bytes, the checksum with them, add up to 0. */
static void seal(const uint8_t *from, uint32_t bytes, uint8_t *checksum)
{
	uint8_t sum = 0;

	*checksum = 0;
	for (uint32_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + from[i]);
	*checksum = (uint8_t)(0 - sum);
}

/* 5.2.6; the last thing that is written of a table. */
static void finish(uint8_t *table, const char *signature, uint32_t bytes, uint8_t revision)
{
	memcpy(table, signature, 4);
	put(table + 4, bytes, 4);
	table[8] = revision;
	memcpy(table + 10, "SALLYP", 6);
	memcpy(table + 16, "GUEST   ", 8);
	put(table + 24, OWN_REVISION, 4);
	memcpy(table + 28, "SALY", 4);
	put(table + 32, OWN_REVISION, 4);
	seal(table, bytes, table + 9);
}

/* 5.2.5.3. */
static void write_rsdp(uint8_t *rsdp)
{
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "SALLYP", 6);
	rsdp[15] = 2;
	put(rsdp + 20, RSDP_BYTES, 4);
	put(rsdp + 24, VACPI_ADDRESS + XSDT, 8);
	seal(rsdp, RSDP_OLD_BYTES, rsdp + 8);
	seal(rsdp, RSDP_BYTES, rsdp + 32);
}

static void write_xsdt(uint8_t *xsdt)
{
	put(xsdt + HEADER_BYTES, VACPI_ADDRESS + FADT, 8);
	put(xsdt + HEADER_BYTES + 8, VACPI_ADDRESS + MADT, 8);
	put(xsdt + HEADER_BYTES + 16, VACPI_ADDRESS + MCFG, 8);
	finish(xsdt, "XSDT", XSDT_BYTES, 1);
}

/* 5.2.3.2: a port of one byte. */
static void put_port(uint8_t *at, uint32_t port)
{
	at[0] = SPACE_PORTS;
	at[1] = 8;
	at[2] = 0;
	at[3] = ACCESS_BYTE;
	put(at + 4, port, 8);
}

static void write_fadt(uint8_t *fadt)
{
	put(fadt + FADT_DSDT, VACPI_ADDRESS + DSDT, 4);
	put(fadt + FADT_BOOT_FLAGS, BOOT_NO_VGA, 2);
	put(fadt + FADT_FLAGS,
	    FLAG_WBINVD | FLAG_NO_POWER | FLAG_NO_SLEEP | FLAG_RESET | FLAG_REDUCED, 4);
	put_port(fadt + FADT_RESET, VACPI_RESET);
	fadt[FADT_RESET_VALUE] = VACPI_RESET_VALUE;
	fadt[FADT_MINOR] = 3;
	put(fadt + FADT_DSDT_WIDE, VACPI_ADDRESS + DSDT, 8);
	put_port(fadt + FADT_SLEEP_CONTROL, VACPI_SLEEP_CONTROL);
	put_port(fadt + FADT_SLEEP_STATUS, VACPI_SLEEP_STATUS);
	finish(fadt, "FACP", FADT_BYTES, 6);
}

/* 5.2.12: local APICs, and no other interrupt controller. */
static void write_madt(uint8_t *madt, const struct vacpi_machine *machine)
{
	const uint32_t bytes = MADT_BYTES + machine->cpu_count * MADT_CPU_BYTES;

	put(madt + HEADER_BYTES, LOCAL_APIC_ADDRESS, 4);
	for (uint32_t i = 0; i < machine->cpu_count; i++) {
		uint8_t *entry = madt + MADT_BYTES + i * MADT_CPU_BYTES;

		entry[1] = MADT_CPU_BYTES;
		entry[2] = (uint8_t)i;
		entry[3] = machine->apic_id[i];
		put(entry + 4, CPU_ENABLED, 4);
	}
	finish(madt, "APIC", bytes, 5);
}

/* PCI firmware 3.2, 4.1.2: segment 0, bus 0 alone. */
static void write_mcfg(uint8_t *mcfg)
{
	put(mcfg + HEADER_BYTES + 8, VACPI_ECAM, 8);
	finish(mcfg, "MCFG", MCFG_BYTES, 1);
}

/* What dsdt.asl calls ROOM. */
static void write_room(uint8_t *room, const struct vacpi_machine *machine)
{
	put(room, machine->low_first, 4);
	put(room + 4, machine->low_end, 4);
	put(room + 16, machine->high_first, 8);
	put(room + 24, machine->high_end, 8);
}

void vacpi_write(void *place, const struct vacpi_machine *machine)
{
	uint8_t *at = place;

	write_rsdp(at);
	write_xsdt(at + XSDT);
	write_fadt(at + FADT);
	write_madt(at + MADT, machine);
	write_mcfg(at + MCFG);
	write_room(at + ROOM, machine);
	memcpy(at + DSDT, dsdt_image_start, (size_t)(dsdt_image_end - dsdt_image_start));
}

_Static_assert(FADT + FADT_BYTES <= MADT, "tables do not overlap");
_Static_assert(MADT + MADT_BYTES + VACPI_CPUS * MADT_CPU_BYTES <= MCFG, "tables do not overlap");
