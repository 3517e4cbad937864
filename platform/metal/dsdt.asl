/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/dsdt.asl - what a guest with acpi=on finds of its machine beside the CPUs: one PCI
 * bus, whose configuration space is reached by memory, and how to switch off. ACPI 6.3; made into
 * bytes by iasl when the hypervisor is built.
 *
 * Where the bus has room for registers depends on the guest: vacpi.c writes it to f0f00.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "SALLYP", "GUEST", 1)
{
	/* SLP_TYP of S5, as vacpi.h has it. */
	Name (_S5, Package () { 5, 0, 0, 0 })

	OperationRegion (ROOM, SystemMemory, 0x000F0F00, 0x20)
	Field (ROOM, DWordAcc, NoLock, Preserve)
	{
		LFST, 32,
		LEND, 32,
		Offset (0x10),
		HFST, 64,
		HEND, 64
	}

	Scope (\_SB)
	{
		/* Linux believes in this space only where some device says that it is taken. */
		Device (ECAM)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xFEB00000, 0x00100000)
			})
		}

		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_SEG, 0)
			Name (_BBN, 0)
			Name (_UID, 0)
			Name (_CCA, 1)

			Name (BARS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite, 0, 0, 0, 0, 1, , , LOWR)
				QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite, 0, 0, 0, 0, 1, , , HIGH)
			})
			CreateDWordField (BARS, LOWR._MIN, LMIN)
			CreateDWordField (BARS, LOWR._MAX, LMAX)
			CreateDWordField (BARS, LOWR._LEN, LLEN)
			CreateQWordField (BARS, HIGH._MIN, HMIN)
			CreateQWordField (BARS, HIGH._MAX, HMAX)
			CreateQWordField (BARS, HIGH._LEN, HLEN)

			Method (_CRS, 0, Serialized)
			{
				LMIN = LFST
				LMAX = LEND - 1
				LLEN = LEND - LFST
				HMIN = HFST
				HMAX = HEND - 1
				HLEN = HEND - HFST
				Return (BARS)
			}

			/* What of PCI Express the system may do by itself: nothing that is asked for. */
			Method (_OSC, 4)
			{
				CreateDWordField (Arg3, 0, STAT)
				If (Arg0 != ToUUID ("33db4d5b-1ff7-401c-9657-7441c03dd766"))
				{
					STAT |= 4
					Return (Arg3)
				}
				CreateDWordField (Arg3, 8, CTRL)
				If (CTRL != 0)
				{
					STAT |= 0x10
					CTRL = 0
				}
				Return (Arg3)
			}
		}
	}
}
