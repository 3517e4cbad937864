/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engines/e1000e.c - an Intel 82574 network controller, made to read and write memory on command.
 * Intel 82574 datasheet: 3.2.4 (receive descriptors), 3.3.3 (transmit descriptors), chapter 10
 * (registers).
 *
 *   from --> transmit descriptor 0 --> the controller, in loopback --> receive descriptor 0 --> to
 *
 * Each transfer begins with empty rings, so one that was blocked leaves nothing behind that the
 * next could be mistaken for.
 */
#include "engines/e1000e.h"

#define CONTROL		     0x00000u
#define CONTROL_DUPLEX	     0x00000001u
#define CONTROL_LINK	     0x00000040u
#define CONTROL_RESET	     0x04000000u
#define STATUS		     0x00008u
#define INTERRUPT_MASK_CLEAR 0x000d8u
#define RECEIVE		     0x00100u
#define RECEIVE_ENABLE	     0x00000002u
#define RECEIVE_ALL	     0x00000018u /* whatever address the frame has */
#define RECEIVE_LOOPBACK     0x00000040u
#define RECEIVE_BROADCAST    0x00008000u
#define RECEIVE_NO_CRC	     0x04000000u
#define TRANSMIT	     0x00400u
#define TRANSMIT_ENABLE	     0x00000002u
#define RECEIVE_RING	     0x02800u
#define TRANSMIT_RING	     0x03800u
#define RING_HIGH	     0x04u /* of a ring's registers */
#define RING_BYTES	     0x08u
#define RING_HEAD	     0x10u
#define RING_TAIL	     0x18u

#define RING_SIZE	     128u /* the least: eight descriptors */
#define WORDS_OF_RING	     (RING_SIZE / 4)
#define DESCRIPTOR_WORDS     4u
#define TRANSMIT_COMMAND     0x0b000000u /* end of packet, insert the CRC, report */
#define DESCRIPTOR_DONE	     0x1u

static uint32_t read32(const struct e1000e *e1000e, uint32_t offset)
{
	return *(volatile uint32_t *)(e1000e->registers + offset);
}

static void write32(const struct e1000e *e1000e, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(e1000e->registers + offset) = value;
}

/* The controller writes descriptors back: volatile, as are its registers. */
static volatile uint32_t *transmit_ring(const struct e1000e *e1000e)
{
	return e1000e->memory;
}

static volatile uint32_t *receive_ring(const struct e1000e *e1000e)
{
	return (volatile uint32_t *)e1000e->memory + WORDS_OF_RING;
}

static void disable(const struct e1000e *e1000e)
{
	write32(e1000e, TRANSMIT, 0);
	write32(e1000e, RECEIVE, 0);
}

enum sp_status e1000e_begin(struct e1000e *e1000e)
{
	if (read32(e1000e, STATUS) == 0xffffffff)
		return SP_NOT_FOUND;
	write32(e1000e, INTERRUPT_MASK_CLEAR, 0xffffffff);
	disable(e1000e);
	write32(e1000e, CONTROL, read32(e1000e, CONTROL) | CONTROL_RESET);
	e1000e->state = E1000E_RESETTING;
	e1000e->written = 0;
	return SP_OK;
}

/* Head and tail may be written while the direction is off. */
static void set_ring(const struct e1000e *e1000e, uint32_t ring, uint64_t bus)
{
	write32(e1000e, ring, (uint32_t)bus);
	write32(e1000e, ring + RING_HIGH, (uint32_t)(bus >> 32));
	write32(e1000e, ring + RING_BYTES, RING_SIZE);
	write32(e1000e, ring + RING_HEAD, 0);
	write32(e1000e, ring + RING_TAIL, 0);
}

static void set_descriptor(volatile uint32_t *descriptor, uint64_t bus, uint32_t command)
{
	descriptor[0] = (uint32_t)bus;
	descriptor[1] = (uint32_t)(bus >> 32);
	descriptor[2] = command;
	descriptor[3] = 0;
}

static void finish_reset(struct e1000e *e1000e)
{
	write32(e1000e, INTERRUPT_MASK_CLEAR, 0xffffffff);
	write32(e1000e, CONTROL, read32(e1000e, CONTROL) | CONTROL_LINK | CONTROL_DUPLEX);
	e1000e->state = E1000E_READY;
}

/* Both must be written back: the frame was read, and it was written. */
static enum sp_status finish_transfer(struct e1000e *e1000e)
{
	uint32_t sent = transmit_ring(e1000e)[3], received = receive_ring(e1000e)[3];

	if (!(sent & DESCRIPTOR_DONE) || !(received & DESCRIPTOR_DONE))
		return SP_PENDING;
	e1000e->written = receive_ring(e1000e)[2] & 0xffff;
	e1000e_abandon(e1000e);
	return SP_OK;
}

enum sp_status e1000e_progress(struct e1000e *e1000e)
{
	switch (e1000e->state) {
	case E1000E_RESETTING:
		if (read32(e1000e, CONTROL) & CONTROL_RESET)
			return SP_PENDING;
		finish_reset(e1000e);
		return SP_OK;
	case E1000E_MOVING:
		return finish_transfer(e1000e);
	case E1000E_READY:
		break;
	}
	return SP_OK;
}

/* The receiver first: a frame that finds it closed is lost. */
enum sp_status e1000e_start(struct e1000e *e1000e, uint64_t from, uint64_t to, uint32_t bytes)
{
	if (e1000e->state != E1000E_READY)
		return SP_BUSY;
	if (bytes < E1000E_TRANSFER_MIN || bytes > E1000E_TRANSFER_MAX)
		return SP_INVALID;
	disable(e1000e);
	set_ring(e1000e, TRANSMIT_RING, e1000e->memory_bus);
	set_ring(e1000e, RECEIVE_RING, e1000e->memory_bus + RING_SIZE);
	set_descriptor(transmit_ring(e1000e), from, TRANSMIT_COMMAND | bytes);
	set_descriptor(receive_ring(e1000e), to, 0);

	write32(e1000e, RECEIVE,
		RECEIVE_ENABLE | RECEIVE_ALL | RECEIVE_LOOPBACK | RECEIVE_BROADCAST |
			RECEIVE_NO_CRC);
	write32(e1000e, RECEIVE_RING + RING_TAIL, 1);
	write32(e1000e, TRANSMIT, TRANSMIT_ENABLE);
	e1000e->state = E1000E_MOVING;
	e1000e->written = 0;
	write32(e1000e, TRANSMIT_RING + RING_TAIL, 1);
	return SP_OK;
}

void e1000e_abandon(struct e1000e *e1000e)
{
	disable(e1000e);
	if (e1000e->state == E1000E_MOVING)
		e1000e->state = E1000E_READY;
}
