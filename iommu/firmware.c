/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu/firmware.c - a table of firmware's is checked whole, then added.
 *
 *   header ok? -> every part ok? -> every part added -> a table of the host full? taken back
 */
#include "iommu/firmware.h"

#include "lib/bytes.h"
#include "lib/text.h"

#define HEADER_SIGNATURE 0u
#define HEADER_LENGTH	 4u

/* --- what went wrong, and where ----------------------------------------------------------------- */

static struct text *begin(const struct firmware *firmware, struct text *text, uint32_t at)
{
	text_hex(text_add(text_add(text, firmware->kind->name), " at byte "), at);
	return text_add(text, ": ");
}

enum sp_status firmware_refuse(const struct firmware *firmware, uint32_t at, const char *what)
{
	struct text text = { .length = 0 };

	text_add(begin(firmware, &text, at), what);
	host_log(firmware->host, SP_LOG_ERROR, text.line);
	return SP_MALFORMED;
}

static enum sp_status refuse_length(const struct firmware *firmware,
				    const struct firmware_part *part, uint32_t least)
{
	struct text text = { .length = 0 };

	text_add(text_add(begin(firmware, &text, part->at), part->name), " of ");
	text_add(text_number(&text, part->length), " bytes, ");
	text_add(text_number(&text, least), " at least");
	host_log(firmware->host, SP_LOG_ERROR, text.line);
	return SP_MALFORMED;
}

static enum sp_status refuse_end(const struct firmware *firmware, const struct firmware_part *part,
				 uint32_t end)
{
	struct text text = { .length = 0 };

	text_add(text_add(begin(firmware, &text, part->at), part->name), " of ");
	text_add(text_number(&text, part->length), " bytes, but only ");
	text_add(text_number(&text, end - part->at), " are left");
	host_log(firmware->host, SP_LOG_ERROR, text.line);
	return SP_MALFORMED;
}

enum sp_status firmware_check_length(const struct firmware *firmware,
				     const struct firmware_part *part, uint32_t least, uint32_t end)
{
	if (part->length < least)
		return refuse_length(firmware, part, least);
	if (part->length > end - part->at)
		return refuse_end(firmware, part, end);
	return SP_OK;
}

void firmware_note_skipped(const struct firmware *firmware, uint32_t at, const char *what,
			   uint32_t type)
{
	struct text text = { .length = 0 };

	if (firmware->adding)
		return;
	text_add(begin(firmware, &text, at), what);
	if (firmware->kind->hex)
		text_hex(&text, type);
	else
		text_number(&text, type);
	text_add(&text, " is not known: skipped");
	host_log(firmware->host, SP_LOG_INFO, text.line);
}

bool firmware_knows_unit(const struct firmware *firmware, uint64_t registers)
{
	const struct sp_host *host = firmware->host;

	for (uint32_t i = 0; i < host->unit_count; i++) {
		if (host->units[i]->registers.maddr == registers)
			return true;
	}
	return false;
}

/* --- the two walks ------------------------------------------------------------------------------ */

static enum sp_status check_header(struct firmware *firmware, size_t bytes)
{
	struct text text = { .length = 0 };

	if (bytes < FIRMWARE_HEADER_BYTES)
		return firmware_refuse(firmware, 0, "shorter than its header of 48 bytes");
	text_add(text_add(&text, "the signature is not "), firmware->kind->name);
	if (bytes_get32(firmware->bytes + HEADER_SIGNATURE) != firmware->kind->signature)
		return firmware_refuse(firmware, 0, text.line);
	firmware->length = bytes_get32(firmware->bytes + HEADER_LENGTH);
	if (firmware->length < FIRMWARE_HEADER_BYTES || firmware->length > bytes)
		return firmware_refuse(firmware, HEADER_LENGTH,
				       "the length contradicts what was handed over");
	return SP_OK;
}

static enum sp_status walk(struct firmware *firmware, bool adding)
{
	struct firmware_part part = { .at = FIRMWARE_HEADER_BYTES };
	struct text text = { .length = 0 };
	enum sp_status status = SP_OK;

	firmware->adding = adding;
	firmware->unit_count = 0;
	text_add(text_add(&text, firmware->kind->part), " begins beyond the end of the table");
	for (; status == SP_OK && part.at < firmware->length; part.at += part.length) {
		if (firmware->length - part.at < FIRMWARE_PART_BYTES)
			return firmware_refuse(firmware, part.at, text.line);
		status = firmware->kind->read(firmware, &part);
	}
	return status;
}

/* A table of the host that is full is found out late: what the second walk added is taken back. */
static enum sp_status add_all(struct firmware *firmware)
{
	struct sp_host *host = firmware->host;
	uint32_t units = host->unit_count, scopes = host->scope_count,
		 ranges = host->reserved_count;
	enum sp_status status = walk(firmware, true);

	if (status != SP_OK) {
		host->unit_count = units;
		host->scope_count = scopes;
		host->reserved_count = ranges;
	}
	return status;
}

enum sp_status firmware_discover(struct sp_host *host, const struct firmware_kind *kind,
				 const void *table, size_t bytes)
{
	struct firmware firmware = { .kind = kind, .host = host, .bytes = table };
	enum sp_status status = check_header(&firmware, bytes);

	if (status == SP_OK)
		status = walk(&firmware, false);
	if (status != SP_OK)
		return status;
	return firmware.unit_count ? add_all(&firmware) : SP_NOT_FOUND;
}
