#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/size/size.sh - how large each room is, and how it reads.
#
#   tests/size/size.sh OUT
#
#   lines     of *.c, *.h and *.S           comment   share of lines that hold a comment
#   median    of the functions' lengths     p95       their 95th percentile
#   files     p95 of the files' lengths     .text     bytes of code in the objects of OUT
#
# A number that is beyond the style's limit carries a `!`: median 14, p95 45, longest 80, files 450.
# The share of comments is marked outside 15 to 25 %.
set -u

out=$1
rooms=(include/sallyport lib pagetable sync p2m iommu drivers/vtd drivers/amdvi pci passthrough
	engines drivers/vfio platform/model platform/metal platform/linux tests/unit tests/model tests/explore tests/boot tests/linux
	examples/embed examples/vfio)

files_of() { tests/lint/sources . all | grep -E "^$1/.*\.[chS]\$"; }

# The n-th percentile of the numbers on standard input, 0 without any.
percentile() {
	grep -E "^[0-9]" | sort -n | awk -v n="$1" '
	{ value[NR] = $1 }
	END {
		at = int((NR * n + 99) / 100)
		print NR ? value[at < 1 ? 1 : at] : 0
	}'
}

function_lengths() {
	ctags --languages=C --langmap=C:.c.h --kinds-C=f --fields=+ne -o - "$@" | awk -F '\t' '
	{
		for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/) start = substr($i, 6)
			if ($i ~ /^end:/) print substr($i, 5) - start + 1
		}
	}'
}

comment_share() {
	awk '
	{ counted = inside }
	/\/\*/ { inside = 1; counted = 1 }
	/\*\// { inside = 0 }
	/\/\// { counted = 1 }
	counted { comments++ }
	END { print NR ? int(comments * 100 / NR + 0.5) : 0 }' "$@"
}

text_bytes() { # text_bytes ROOM: of the first build that has objects of it
	local where

	for where in core metal model boot-runner hosted; do
		if compgen -G "$out/$where/$1/*.o" >/dev/null; then
			size -A "$out/$where/$1"/*.o | awk '$1 ~ /^\.text/ { sum += $2 } END { print sum + 0 }'
			return
		fi
	done
	echo -
}

mark() { # mark VALUE LOW HIGH
	if [ "$1" -lt "$2" ] || [ "$1" -gt "$3" ]; then printf '%s!' "$1"; else printf '%s ' "$1"; fi
}

print_room() {
	local -a files
	local lengths lines

	mapfile -t files < <(files_of "$1")
	[ ${#files[@]} -gt 0 ] || return
	lengths=$(function_lengths "${files[@]}")
	lines=$(cat "${files[@]}" | wc -l)
	printf '%-18s %6d %6d %9s %10d %8s %6s %8s %7s %9s\n' "$1" "${#files[@]}" "$lines" \
		"$(mark "$(comment_share "${files[@]}")" 15 25)" \
		"$(grep -c . <<<"$lengths")" \
		"$(mark "$(percentile 50 <<<"$lengths")" 0 14)" \
		"$(mark "$(percentile 95 <<<"$lengths")" 0 45)" \
		"$(mark "$(percentile 100 <<<"$lengths")" 0 80)" \
		"$(mark "$(for f in "${files[@]}"; do wc -l <"$f"; done | percentile 95)" 0 450)" \
		"$(text_bytes "$1")"
}

printf '%-18s %6s %6s %9s %10s %8s %6s %8s %7s %9s\n' room files lines 'comment %' functions median \
	p95 longest 'file' '.text'
for room in "${rooms[@]}"; do print_room "$room"; done
echo
echo "what was built:"
for archive in "$out/libsallyport.a" "$out/libsallyport-model.a" "$out/sallyport.elf"; do
	[ -f "$archive" ] || continue
	printf '  %-28s %9d bytes of code\n' "$archive" \
		"$(size -A "$archive" | awk '$1 ~ /^\.text/ { sum += $2 } END { print sum + 0 }')"
done
echo "! is beyond the style's limits: median 14, p95 45, longest 80, p95 of a file 450, comments 15-25 %"
