#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# guests/module.sh - a kernel module of ours without the kernel's headers.
#
#   guests/module.sh SOURCE MODEL OUTPUT
#
# What frames a module (its version's name, the sums of what it may import, the size of its descriptor
# and where that leads to init_module) is read from MODEL, a module of the same kernel.
set -eu

source=$1
model=$2
output=$3
name=$(basename "$output" .ko)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

section() { objcopy -O binary -j "$1" --set-section-flags "$1=alloc" "$model" "$scratch/$2"; }

section .modinfo modinfo
section __versions versions
size=$(readelf -SW "$model" | sed 's/^ *\[ *[0-9]*\] *//' |
	awk '$1 == ".gnu.linkonce.this_module" { print "0x" $5 }')
init=$(readelf -rW "$model" | awk '
	/^Relocation section/ { here = /this_module/ }
	here && $5 == "init_module" { print "0x" $1 }')
magic=$(tr '\0' '\n' <"$scratch/modinfo" | grep '^vermagic=')

cat >"$scratch/frame.S" <<END
	.section .modinfo, "a"
	.asciz "$magic"
	.asciz "name=$name"
	.asciz "retpoline=Y"
	.section __versions, "a"
	.balign 32
	.incbin "$scratch/versions"
	.section .gnu.linkonce.this_module, "aw"
	.balign 64
	.org 24
	.asciz "$name"
	.org $init
	.quad init_module
	.org $size
	.section .note.GNU-stack, "", @progbits
END
flags="-O2 -Wall -Wextra -Werror -ffreestanding -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-pic
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none"
# shellcheck disable=SC2086 # several words
gcc $flags -iquote "$(dirname "$0")/.." -c -o "$scratch/code.o" "$source"
gcc -c -o "$scratch/frame.o" "$scratch/frame.S"
ld -r -o "$output" "$scratch/code.o" "$scratch/frame.o"
