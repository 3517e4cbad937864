/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform/metal/vpci_msix.c - which messages a guest wants of its function.
 * PCI Express base 6.0: 7.7.1 MSI, 7.7.2 MSI-X.
 *
 *   MSI    address, data, mask in configuration space
 *   MSI-X  the table in a BAR, 16 bytes a vector: address, data, control
 *
 * The guest's words stay here. What the function really sends is the hypervisor's to write.
 */
#include "platform/metal/vpci.h"

#include "platform/metal/vpci_registers.h"

bool vpci_is_table(const struct vpci_function *function, uint32_t bar, uint64_t offset)
{
	return function->msix != 0 && bar == function->table_bar &&
	       offset >= function->table_offset &&
	       offset - function->table_offset < (uint64_t)function->table_real * VPCI_TABLE_ENTRY;
}

/* The words of an access, if it is one that the manual defines. */
static bool find_words(const struct vpci_function *function, uint64_t offset, uint32_t bytes,
		       uint32_t *vector, uint32_t *word)
{
	uint64_t at = offset - function->table_offset;

	*vector = (uint32_t)(at / VPCI_TABLE_ENTRY);
	*word = (uint32_t)(at % VPCI_TABLE_ENTRY / 4);
	return (bytes == 4 || bytes == 8) && offset % bytes == 0 &&
	       *vector < function->vector_count;
}

uint64_t vpci_table_read(const struct vpci_function *function, uint64_t offset, uint32_t bytes)
{
	uint32_t vector, word;
	uint64_t value;

	if (!find_words(function, offset, bytes, &vector, &word))
		return 0;
	value = function->vector[vector].word[word];
	if (bytes == 8)
		value |= (uint64_t)function->vector[vector].word[word + 1] << 32;
	return value;
}

/* 7.7.2.4 to 7.7.2.6: which bits can be written. */
static void write_word(struct vpci_vector *vector, uint32_t word, uint32_t value)
{
	static const uint32_t writable[] = {
		[VECTOR_ADDRESS_LOW] = ~3u,
		[VECTOR_ADDRESS_HIGH] = ~0u,
		[VECTOR_DATA] = ~0u,
		[VECTOR_CONTROL] = VECTOR_MASKED,
	};

	vector->word[word] = value & writable[word];
}

uint32_t vpci_table_write(struct vpci_function *function, uint64_t offset, uint32_t bytes,
			  uint64_t value)
{
	struct vpci_vector was, *now;
	uint32_t vector, word;

	if (!find_words(function, offset, bytes, &vector, &word))
		return function->vector_count;
	now = &function->vector[vector];
	was = *now;
	write_word(now, word, (uint32_t)value);
	if (bytes == 8)
		write_word(now, word + 1, (uint32_t)(value >> 32));
	for (word = 0; word < VPCI_TABLE_ENTRY / 4; word++) {
		if (was.word[word] != now->word[word])
			return vector;
	}
	return function->vector_count;
}

bool vpci_uses_msix(const struct vpci_function *function)
{
	return function->msix != 0 && function->reg[function->msix / 4].value >> 16 & MSIX_ENABLE;
}

static struct vpci_message msix_message(const struct vpci_function *function, uint32_t vector)
{
	const uint32_t *word = function->vector[vector].word;
	bool masked = function->reg[function->msix / 4].value >> 16 & MSIX_MASKED;

	return (struct vpci_message){
		.address = word[VECTOR_ADDRESS_LOW] | (uint64_t)word[VECTOR_ADDRESS_HIGH] << 32,
		.data = word[VECTOR_DATA],
		.on = !masked && !(word[VECTOR_CONTROL] & VECTOR_MASKED),
	};
}

static struct vpci_message msi_message(const struct vpci_function *function)
{
	const struct vpci_register *reg = &function->reg[function->msi / 4];
	uint32_t control = reg[0].value >> 16, data = control & MSI_64 ? 3 : 2;

	return (struct vpci_message){
		.address = reg[1].value | (control & MSI_64 ? (uint64_t)reg[2].value << 32 : 0),
		.data = reg[data].value & 0xffff,
		.on = control & MSI_ENABLE && !(control & MSI_MASKS && reg[data + 1].value & 1),
	};
}

struct vpci_message vpci_message(const struct vpci_function *function, uint32_t vector)
{
	if (vpci_uses_msix(function) && vector < function->vector_count)
		return msix_message(function, vector);
	if (!vpci_uses_msix(function) && function->msi != 0 && vector == 0)
		return msi_message(function);
	return (struct vpci_message){ .on = false };
}
