#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# guests/images.sh - the kernel and the initial RAM disks of the guests, from Debian's packages.
#
#   guests/images.sh OUT
#
#   linux-image-amd64 --> OUT/vmlinuz, its e1000e.ko --.
#   busybox-static ------------------------------------+--> OUT/nic.gz
#   guests/nic.init -----------------------------------+
#   guests/nic.c, where there is one: its /bin/nic ----'
#
# Packages are downloaded and unpacked, not installed. What is there is not made again, unless the
# script of a guest has changed.
set -eu

mkdir -p "$1"
out=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages=$out/packages

# Downloads PACKAGE and unpacks it into $packages/NAME.
unpack() { # unpack PACKAGE NAME
	local into=$packages/$2

	[ ! -d "$into" ] || return 0
	rm -rf "$packages/download" && mkdir -p "$packages/download"
	(cd "$packages/download" && apt-get download -q "$1")
	rm -rf "$into.part"
	dpkg-deb -x "$packages"/download/*.deb "$into.part"
	mv "$into.part" "$into"
	rm -rf "$packages/download"
}

# The package behind linux-image-amd64 has the version in its name.
kernel_package() {
	apt-cache depends linux-image-amd64 |
		awk '/Depends: linux-image-[0-9]/ { print $2; exit }'
}

# Lists of packages may be missing or old: an apt that knows a package may not find its file.
fetch_packages() {
	unpack "$(kernel_package)" kernel && unpack busybox-static busybox
}

refresh_lists() {
	if [ "$(id -u)" -eq 0 ]; then apt-get -q update; else sudo -n apt-get -q update; fi
}

make_initrd() { # make_initrd NAME
	local root=$packages/$1.root busybox=$packages/busybox/bin/busybox

	rm -rf "$root" && mkdir -p "$root/bin" "$root/lib"
	cp "$busybox" "$root/bin/busybox"
	find "$packages/kernel" -name e1000e.ko -exec cp {} "$root/lib/" \;
	install -m 755 "$here/$1.init" "$root/init"
	[ ! -f "$here/$1.c" ] ||
		gcc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -static -pthread -s -o "$root/bin/$1" "$here/$1.c"
	(cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null) | gzip -1 >"$out/$1.gz.part"
	mv "$out/$1.gz.part" "$out/$1.gz"
}

mkdir -p "$packages"
if [ ! -d "$packages/kernel" ] || [ ! -d "$packages/busybox" ]; then
	echo "guests: downloading linux-image-amd64 and busybox-static (72 MB)"
	fetch_packages >"$packages/log" 2>&1 || { refresh_lists && fetch_packages; } >"$packages/log" 2>&1 || {
		echo "guests: the packages cannot be had; $packages/log says why" >&2
		exit 1
	}
fi
[ -f "$out/vmlinuz" ] || cp "$packages"/kernel/boot/vmlinuz-* "$out/vmlinuz"
for script in "$here"/*.init; do
	name=$(basename "$script" .init)
	program=${script%.init}.c
	if [ ! "$out/$name.gz" -nt "$script" ] || [ "$program" -nt "$out/$name.gz" ]; then
		make_initrd "$name"
	fi
done
