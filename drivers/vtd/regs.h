/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/vtd/regs.h - VT-d as the specification (revision 5.10) lays it out: registers, descriptors, entries.
 * Masks only; a field's shift is derived from its mask.
 */
#pragma once

#include "iommu/unit.h"

/* 11.4 Register Descriptions */
#define VTD_VER		     REG32(0x00)
#define VTD_CAP		     REG64(0x08)
#define VTD_ECAP	     REG64(0x10)
#define VTD_GCMD	     REG32(0x18)
#define VTD_GSTS	     REG32(0x1c)
#define VTD_RTADDR	     REG64(0x20)
#define VTD_FSTS	     REG32(0x34)
#define VTD_FECTL	     REG32(0x38)
#define VTD_PMEN	     REG32(0x64)
#define VTD_IQH		     REG64(0x80)
#define VTD_IQT		     REG64(0x88)
#define VTD_IQA		     REG64(0x90)
#define VTD_IECTL	     REG32(0xa0)
#define VTD_IRTA	     REG64(0xb8)

/* 11.4.1 Version */
#define VER_MAJOR	     0xf0u

/* 11.4.2 Capability */
#define CAP_ND		     BITS(2, 0) /* domain ids of 4 + 2 * ND bits */
#define CAP_RWBF	     BIT(4)
#define CAP_PLMR	     BIT(5)
#define CAP_PHMR	     BIT(6)
#define CAP_CM		     BIT(7)
#define CAP_SAGAW	     BITS(12, 8) /* bit n: a walk of n + 2 levels */
#define CAP_MGAW	     BITS(21, 16)
#define CAP_FRO		     BITS(33, 24)
#define CAP_SLLPS	     BITS(37, 34)
#define CAP_PSI		     BIT(39)
#define CAP_NFR		     BITS(47, 40)
#define CAP_MAMV	     BITS(53, 48)
#define CAP_DWD		     BIT(54)
#define CAP_DRD		     BIT(55)

/* 11.4.3 Extended Capability */
#define ECAP_C		     BIT(0)
#define ECAP_QI		     BIT(1)
#define ECAP_DT		     BIT(2) /* device caches */
#define ECAP_IR		     BIT(3)
#define ECAP_IRO	     BITS(17, 8)
#define ECAP_DIT	     BIT(41) /* throttles by the physical function that a device's cache is of */
#define ECAP_SMTS	     BIT(43) /* scalable mode */
#define ECAP_SSTS	     BIT(46) /* second stage in it */
#define ECAP_SMPWC	     BIT(48) /* walks that a PASID entry leads to can snoop */

/* 11.4.4 Global Command, Global Status. A one-shot bit is a command in GCMD and a state in GSTS. */
#define GCMD_TE		     0x80000000u
#define GCMD_SRTP	     0x40000000u
#define GCMD_EAFL	     0x10000000u
#define GCMD_WBF	     0x08000000u
#define GCMD_QIE	     0x04000000u
#define GCMD_IRE	     0x02000000u
#define GCMD_SIRTP	     0x01000000u
#define GCMD_CFI	     0x00800000u
#define GSTS_LASTING	     0x96ffffffu

/* 11.4.5 Root Table Address */
#define RTADDR_MODE	     BITS(11, 10)
#define MODE_LEGACY	     0u
#define MODE_SCALABLE	     1u
#define RTADDR_TABLE	     BITS(63, 12)

/* 11.4.7.1 Fault Status, 11.4.7.2 Fault Event Control, 11.4.10.9 Invalidation Event Control */
#define FSTS_PFO	     0x01u
#define FSTS_PPF	     0x02u
#define FSTS_RECORD	     0xff00u /* with PPF: the record that was filled first */
#define FSTS_IQE	     0x10u
#define FSTS_ICE	     0x20u
#define FSTS_ITE	     0x40u
#define FSTS_STOPPED	     (FSTS_IQE | FSTS_ITE) /* the queue stands still until it is cleared */
#define FSTS_QUEUE	     (FSTS_STOPPED | FSTS_ICE)
#define EVENT_MASKED	     0x80000000u

/* 11.4.7.6 Fault Recording: 16 bytes each, the upper half read first */
#define FAULT_BYTES	     16u
#define FAULT_FRAME	     BITS(63, 12)
#define FAULT_INDEX	     BITS(63, 48) /* of an interrupt request */
#define FAULT_PENDING	     BIT(63)
#define FAULT_READ	     BIT(62)
#define FAULT_ATOMIC	     BIT(28) /* with FAULT_READ: reads and writes */
#define FAULT_REASON	     BITS(39, 32)
#define FAULT_SOURCE	     BITS(15, 0)
#define FAULT_CLEAR	     0x80000000u /* FAULT_PENDING in the topmost 32 bits */

/* 11.4.8.1 Protected Memory Enable */
#define PMEN_ENABLE	     0x80000000u
#define PMEN_STATUS	     0x00000001u

/* 11.4.9 Invalidation Queue: head and tail count bytes */
#define IQA_TABLE	     BITS(63, 12)
#define IQA_WIDE	     BIT(11)	/* descriptors of 256 bits: scalable mode knows no others */
#define IQA_SIZE	     BITS(2, 0) /* 2^n pages */

/* 11.4.11 Interrupt Remapping Table Address */
#define IRTA_TABLE	     BITS(63, 12)
#define IRTA_SIZE	     BITS(3, 0) /* 2^(n + 1) entries */

/* 6.5.2 Queued Invalidation: descriptors of 128 bits; low half, then high half. Of 256: the rest is 0. */
#define INVAL_CONTEXT	     0x1ull
#define INVAL_IOTLB	     0x2ull
#define INVAL_DEVICE	     0x3ull
#define INVAL_INTERRUPT	     0x4ull
#define INVAL_WAIT	     0x5ull
#define INVAL_PASID	     0x7ull
#define INVAL_GRANULARITY    BITS(5, 4)
#define GRANULARITY_ALL	     1u
#define GRANULARITY_DOMAIN   2u
#define GRANULARITY_PART     3u /* one device's context, some pages of a domain */
#define INVAL_DRAIN_WRITES   BIT(6)
#define INVAL_DRAIN_READS    BIT(7)
#define INVAL_DOMAIN	     BITS(31, 16)
#define INVAL_SOURCE	     BITS(47, 32)
#define PASID_PART	     1u /* of INVAL_GRANULARITY: one PASID of a domain */
#define PASID_ALL	     3u
#define INVAL_PASID_NUMBER   BITS(51, 32)
#define INVAL_HIGH_ORDER     BITS(5, 0)
#define INVAL_HIGH_HINT	     BIT(6) /* only leaves changed */
#define INVAL_HIGH_PAGE	     BITS(63, 12)
#define INVAL_DEPTH	     BITS(20, 16) /* of a device's queue of them; 0: 32 */
#define INVAL_PF_LOW	     BITS(15, 12) /* the physical function's id, in two parts; with ECAP.DIT only */
#define INVAL_PF_HIGH	     BITS(63, 52)
#define INVAL_HIGH_SIZE	     BIT(0) /* the address says how many pages */
#define INVAL_BY_INDEX	     BIT(4)
#define INVAL_INDEX	     BITS(47, 32)
#define WAIT_STORES	     BIT(5)
#define WAIT_DATA	     BITS(63, 32)

/* 9.1 Root Entry, 9.3 Context Entry: 128 bits each, 256 in a table */
#define ROOT_PRESENT	     BIT(0)
#define ROOT_TABLE	     BITS(63, 12)
#define CONTEXT_PRESENT	     BIT(0)
#define CONTEXT_DEVICE_CACHE BIT(2) /* TT = 1: translated requests pass */
#define CONTEXT_TABLE	     BITS(63, 12)
#define CONTEXT_HIGH_WIDTH   BITS(2, 0) /* levels - 2 */
#define CONTEXT_HIGH_DOMAIN  BITS(23, 8)

/*
 * 9.2 Scalable-Mode Root Entry: the two halves of a bus, each as a legacy entry. 9.4 Scalable-Mode Context Entry:
 * 256 bits, 128 in a table. 9.5 PASID Directory Entry: 64 bits. 9.6 PASID Table Entry: 512 bits, 64 in a table.
 */
#define SCALABLE_CACHE	     BIT(2) /* DTE: as CONTEXT_DEVICE_CACHE */
#define SCALABLE_DIRECTORY   BITS(63, 12)
#define DIRECTORY_PRESENT    BIT(0)
#define DIRECTORY_TABLE	     BITS(63, 12)
#define PASID_PRESENT	     BIT(0)
#define PASID_WIDTH	     BITS(4, 2) /* levels - 2 */
#define PASID_TYPE	     BITS(8, 6)
#define TYPE_SECOND_STAGE    2u
#define PASID_ROOT	     BITS(63, 12)
#define PASID_HIGH_DOMAIN    BITS(15, 0)
#define PASID_HIGH_SNOOP     BIT(23) /* PWSNP: walks snoop; reserved without ECAP.SMPWC */

/* 5.1.5.2 Remappable interrupt requests: the address of a message */
#define MESSAGE_WINDOW	     0xfee00000ull
#define MESSAGE_INDEX	     BITS(19, 5)
#define MESSAGE_REMAPPABLE   BIT(4)
#define MESSAGE_INDEX_15     BIT(2)

/* 9.10 Interrupt Remapping Table Entry, remapped format: 128 bits */
#define IRTE_PRESENT	     BIT(0)
#define IRTE_VECTOR	     BITS(23, 16)
#define IRTE_DESTINATION     BITS(47, 40) /* an xAPIC's 8 bits */
#define IRTE_HIGH_SOURCE     BITS(15, 0)
#define IRTE_HIGH_VALIDATION BITS(19, 18)
#define VALIDATE_SOURCE	     1u
