/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/patch_code.c - code of a guest in two versions, and the two CPUs that execute it.
 *
 *   8    p p p B8 n n n n                    mov eax, n              aligned, so that n is too
 *   15   p p p p p 69 05 m m m m n n n n     imul eax, [m], n
 *
 * p: segment prefixes, others in each version; where segments are flat they change nothing. The opcode stays
 * for QEMU's sake, which fetches it by itself and n at once (docs/lab.md, 4.1).
 */
#include "platform/metal/patch_code.h"

#include "platform/metal/aim.h"
#include "platform/metal/guest_memory.h"
#include "platform/metal/time.h"
#include "platform/metal/x86.h"

#define ROUNDS_WITHIN (5 * NS_PER_S)
#define STOP_WITHIN   (2 * NS_PER_S)
#define BUSY_MAX      10000u

#define MOVE	      0xb8u
#define MULTIPLY      0x0569u /* and its ModRM: EAX, [disp32] */
#define RETURN	      0xc3u

/* No byte of one is in its place in the other. */
static const uint32_t numbers[2] = { 0x1b2d3f41, 0xa59687c3 };
static const uint32_t operands[2] = { 0x00010db3, 0x0002c0a7 };
static const uint8_t prefixes[2] = { 0x3e, 0x26 }; /* DS, ES */

/* They differ in one byte, so that a mix of the addresses is one of them. */
static uint32_t operand_address(uint32_t version)
{
	return aim_page(PAGE_OPERANDS) + (version == 0 ? 0x10 : 0x64);
}

static void add(uint8_t **at, uint32_t value, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		*(*at)++ = (uint8_t)(value >> 8 * i);
}

static void add_prefixes(uint8_t **at, uint32_t version, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		add(at, prefixes[version], 1);
}

struct patch_code patch_code_of_eight(uint32_t address)
{
	struct patch_code code = { .address = address, .count = 8 };

	for (uint32_t version = 0; version < 2; version++) {
		uint8_t *at = code.bytes[version];

		add_prefixes(&at, version, 3);
		add(&at, MOVE, 1);
		add(&at, numbers[version], 4);
		code.result[version] = numbers[version];
	}
	return code;
}

struct patch_code patch_code_of_fifteen(uint32_t address)
{
	struct patch_code code = { .address = address, .count = 15 };

	for (uint32_t version = 0; version < 2; version++) {
		uint8_t *at = code.bytes[version];

		add_prefixes(&at, version, 5);
		add(&at, MULTIPLY, 2);
		add(&at, operand_address(version), 4);
		add(&at, numbers[version], 4);
		code.result[version] = operands[version] * numbers[version];
	}
	return code;
}

static volatile uint8_t *byte_at(const struct patch_crew *crew, uint32_t address)
{
	return guest_pointer(crew->cpu[0], address);
}

void patch_code_put(const struct patch_crew *crew, const struct patch_code *code)
{
	for (uint32_t i = 0; i < 2; i++)
		*(volatile uint32_t *)guest_pointer(crew->cpu[0], operand_address(i)) = operands[i];
	for (uint32_t i = 0; i < code->count; i++)
		*byte_at(crew, code->address + i) = code->bytes[0][i];
	*byte_at(crew, code->address + code->count) = RETURN;
}

/* ---- the CPUs ---- */

static void wait_faults_out(struct guest *cpu, const struct patch_code *code)
{
	atomic_store(&cpu->held, code->address & ~(SP_FRAME_BYTES - 1));
	atomic_store(&cpu->held_fetches, 0);
	atomic_store(&cpu->held_writes, 0);
}

void patch_crew_execute(const struct patch_crew *crew, uint32_t cpu, const struct patch_code *code)
{
	wait_faults_out(crew->cpu[cpu], code);
	guest_post(crew->cpu[cpu],
		   &(struct guest_command){ .verb = GUEST_EXECUTE,
					    .address = code->address,
					    .whole = { code->result[0], code->result[1] } });
}

void patch_crew_spin(const struct patch_crew *crew, uint32_t cpu, const struct patch_code *code,
		     uint32_t address)
{
	wait_faults_out(crew->cpu[cpu], code);
	guest_post(crew->cpu[cpu],
		   &(struct guest_command){ .verb = GUEST_SPIN, .address = address, .value = 1 });
}

bool patch_crew_stop(const struct patch_crew *crew)
{
	bool stopped = true;

	for (uint32_t i = 0; i < PATCH_CPUS; i++)
		guest_stop_command(crew->cpu[i]);
	for (uint32_t i = 0; i < PATCH_CPUS; i++) {
		stopped &= guest_await(crew->cpu[i], STOP_WITHIN).status == CALL_ANSWERED;
		atomic_store(&crew->cpu[i]->held, 0);
	}
	return stopped;
}

/* Rounds are read first, so that none of them is without its kind. */
struct patch_tally patch_crew_tally(const struct patch_crew *crew)
{
	struct patch_tally tally = { .mixed = 0 };

	for (uint32_t i = 0; i < PATCH_CPUS; i++) {
		struct guest *cpu = crew->cpu[i];
		const struct mailbox *box = cpu->mailbox;

		tally.rounds += guest_progress(cpu);
		tally.whole[0] += atomic_load(&box->ran[0]);
		tally.whole[1] += atomic_load(&box->ran[1]);
		tally.mixed += atomic_load(&box->ran_mixed);
		tally.mix = tally.mix != 0 ? tally.mix : box->mixed;
		tally.fetches += atomic_load(&cpu->held_fetches);
		tally.writes += atomic_load(&cpu->held_writes);
		tally.gone |= !guest_is_running(cpu);
	}
	return tally;
}

bool patch_crew_goes_round(const struct patch_crew *crew, uint32_t times)
{
	const uint64_t until = time_now() + ROUNDS_WITHIN;
	uint32_t first[PATCH_CPUS];

	for (uint32_t i = 0; i < PATCH_CPUS; i++)
		first[i] = guest_progress(crew->cpu[i]);
	for (uint32_t i = 0; i < PATCH_CPUS; i++) {
		while (guest_progress(crew->cpu[i]) - first[i] < times) {
			if (!guest_is_running(crew->cpu[i]) || time_now() > until)
				return false;
			pause();
		}
	}
	return true;
}

/* ---- writing over it ---- */

struct sp_patch patch_code_over(const struct patch_code *code, uint32_t version)
{
	struct sp_patch patch = { .address = code->address, .count = code->count };

	for (uint32_t i = 0; i < code->count; i++)
		patch.bytes[i] = code->bytes[version][i];
	return patch;
}

/*
 * QEMU's CPU may remember of a page that it holds no code, when another has just translated some: it would
 * store there for ever, and nobody would ever execute it (docs/lab.md, 4.1).
 */
static void forget_pages(const struct patch_crew *crew, const struct sp_patch *patch)
{
	const uint32_t first = (uint32_t)patch->address;

	forget_page(byte_at(crew, first));
	forget_page(byte_at(crew, first + patch->count - 1));
}

enum sp_status patch_code_step(const struct patch_crew *crew, struct sp_patch *patch)
{
	enum sp_status status;

	forget_pages(crew, patch);
	status = sp_p2m_patch(crew->stage->a.domain, patch);
	if (status != SP_BUSY)
		return status;
	status = sp_wait(crew->stage->host, patch->ticket);
	return status == SP_OK ? SP_BUSY : status;
}

uint32_t patch_code_order(const struct patch_crew *crew, const struct patch_code *code)
{
	struct sp_mapping mapping;

	if (sp_p2m_find(crew->stage->a.domain, guest_gfn(code->address), &mapping) != SP_OK)
		return 0;
	return mapping.order;
}

struct patch_written patch_code_write(const struct patch_crew *crew, const struct patch_code *code,
				      uint32_t version)
{
	struct sp_patch patch = patch_code_over(code, version);
	struct patch_written written = { SP_BUSY, patch_code_order(crew, code) };

	for (uint32_t i = 0; i < BUSY_MAX && written.status == SP_BUSY; i++) {
		written.status = patch_code_step(crew, &patch);
		if (written.status == SP_BUSY)
			written.order = patch_code_order(crew, code);
	}
	return written;
}
