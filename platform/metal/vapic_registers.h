/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/vapic_registers.h - the local APIC's page. APM vol. 2, table 16-2 and 16.5. */
#pragma once

#define APIC_ID		   0x020u
#define APIC_VERSION	   0x030u
#define APIC_TASK_PRIORITY 0x080u
#define APIC_ARBITRATION   0x090u
#define APIC_PRIORITY	   0x0a0u
#define APIC_EOI	   0x0b0u
#define APIC_REMOTE	   0x0c0u
#define APIC_LOGICAL	   0x0d0u
#define APIC_FORMAT	   0x0e0u
#define APIC_SPURIOUS	   0x0f0u
#define APIC_IN_SERVICE	   0x100u /* eight registers each: in service, trigger mode, requested */
#define APIC_REQUESTED_END 0x280u
#define APIC_ERROR	   0x280u
#define APIC_COMMAND	   0x300u
#define APIC_TARGET	   0x310u
#define APIC_LOCAL	   0x320u
#define APIC_LOCAL_END	   0x380u
#define APIC_COUNT_START   0x380u
#define APIC_COUNT	   0x390u
#define APIC_DIVIDE	   0x3e0u
#define APIC_SELF	   0x3f0u /* x2APIC alone */

#define BASE_X2APIC	   0x0400u /* MSR 1B */
#define BASE_LOW	   0x0d00u /* on, x2APIC mode, booted the machine */
#define BASE_PAGE	   0xfffff000u

#define SPURIOUS_BITS	   0x03ffu /* vector, enabled, focus; no suppressed broadcasts */

#define LOCAL_TIMER	   0u
#define LOCAL_LINT0	   3u
#define LOCAL_LINT1	   4u
#define LOCAL_VECTOR	   0x000ffu
#define LOCAL_DELIVERY	   0x00700u
#define LOCAL_MASKED	   0x10000u
#define LOCAL_TIMER_MODE   0x60000u
#define MODE_DEADLINE	   0x40000u
#define MODE_RESERVED	   0x60000u

#define COMMAND_VECTOR	   0x000ffu
#define COMMAND_DELIVERY   0x00700u
#define DELIVERY_FIXED	   0x00000u
#define DELIVERY_LOWEST	   0x00100u
#define DELIVERY_NMI	   0x00400u
#define DELIVERY_INIT	   0x00500u
#define DELIVERY_STARTUP   0x00600u
#define DELIVERY_EXTERNAL  0x00700u
#define COMMAND_LOGICAL	   0x00800u
#define COMMAND_PENDING	   0x01000u
#define COMMAND_ASSERT	   0x04000u
#define COMMAND_LEVEL	   0x08000u
#define COMMAND_SHORTHAND  0xc0000u
#define SHORTHAND_NONE	   0x00000u
#define SHORTHAND_SELF	   0x40000u
#define SHORTHAND_ALL	   0x80000u
#define SHORTHAND_OTHERS   0xc0000u

#define FORMAT_FLAT	   0xffffffffu
#define FORMAT_CLUSTER	   0x0fffffffu
