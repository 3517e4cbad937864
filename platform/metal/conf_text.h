/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/conf_text.h - pieces of a file, and the numbers and names that stand in them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sallyport/address.h>

/* No zero at its end, and good as long as the file is. */
struct conf_text {
	const char *at;
	size_t length;
};

/* Without the blanks and tabs at both ends. */
struct conf_text conf_text_trim(struct conf_text text);
bool conf_text_is_word(struct conf_text text, const char *word);

/* Where `c` first stands; text.length where it does not. */
size_t conf_text_find_char(struct conf_text text, char c);

/* Its first `length` bytes; what stands from `from` on. Neither is more than there is. */
struct conf_text conf_text_first(struct conf_text text, size_t length);
struct conf_text conf_text_rest(struct conf_text text, size_t from);

/* Nothing but digits, and no more than `most`. */
bool conf_text_read_number(struct conf_text text, uint32_t base, uint64_t most, uint64_t *number);

/* As lspci writes them: "0000:00:02.0" or "00:02.0"; "8086:10d3". */
bool conf_text_read_sbdf(struct conf_text value, sp_sbdf_t *sbdf);
bool conf_text_read_id(struct conf_text value, uint16_t *vendor, uint16_t *device);
