#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# guests/images.sh - the kernel and the initial RAM disks of the guests, from Debian's packages.
#
#   guests/images.sh OUT
#
#   linux-image-amd64 --> OUT/vmlinuz, its e1000e.ko --.
#   busybox-static ------------------------------------+--> OUT/nic.gz
#   guests/*.c, static --------------------------------+
#   guests/nic.init -----------------------------------'
#
# A line "# modules: a b" of an init names more of the kernel's modules, "# tree: a" a directory of
# packages/ that is the RAM disk's beginning (guests/dpdk.sh makes that of dpdk).
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
	unpack "$(kernel_package)" kernel && unpack busybox-static busybox && unpack libdrm-dev libdrm
}

refresh_lists() {
	if [ "$(id -u)" -eq 0 ]; then apt-get -q update; else sudo -n apt-get -q update; fi
}

make_initrd() { # make_initrd NAME
	local root=$packages/$1.root busybox=$packages/busybox/bin/busybox

	rm -rf "$root" && mkdir -p "$root/bin" "$root/lib"
	cp "$busybox" "$root/bin/busybox"
	for module in e1000e $(sed -n 's/^# modules: //p' "$here/$1.init"); do
		find "$packages/kernel" -name "$module.ko" -exec cp {} "$root/lib/" \;
	done
	for tree in $(sed -n 's/^# tree: //p' "$here/$1.init"); do cp -a "$packages/$tree/." "$root/"; done
	install -m 755 "$here/$1.init" "$root/init"
	cp "$out/calls.ko" "$root/lib/"
	install -m 755 "$out"/programs/* "$root/bin/"
	(cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null) | gzip -1 >"$out/$1.gz.part"
	mv "$out/$1.gz.part" "$out/$1.gz"
}

# The file system that a guest changes to: busybox, a file with its sum, and what is run there.
make_disk() {
	local root=$packages/disk.tree

	rm -rf "$root" && mkdir -p "$root/bin" "$root/sbin" "$root/dev" "$root/proc"
	cp "$packages/busybox/bin/busybox" "$root/bin/busybox"
	cp "$out/vmlinuz" "$root/file"
	(cd "$root" && sha256sum file >sums)
	install -m 755 "$here/disk.root" "$root/sbin/init"
	rm -f "$out/disk.ext4.part"
	PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext4 -d "$root" "$out/disk.ext4.part" 48M >/dev/null
	mv "$out/disk.ext4.part" "$out/disk.ext4"
}

# True: FILE is there, and newer than all the others.
is_newer() { # is_newer FILE OTHER...
	local file=$1 other

	shift
	for other; do [ "$file" -nt "$other" ] || return 1; done
}

# " * with: a.c b.c" of a program names sources of the tree that it needs.
make_program() ( # make_program NAME
	binary=$out/programs/$1
	cd "$here/.."
	sources="guests/$1.c $(sed -n 's/^ \* with: //p' "guests/$1.c")"
	# shellcheck disable=SC2086 # several words
	is_newer "$binary" $sources guests/*.h || gcc -O2 -Wall -Wextra -Werror -static -pthread -s -D_GNU_SOURCE \
		-iquote . -Iinclude -I"$packages/libdrm/usr/include/libdrm" -o "$binary" $sources
)

mkdir -p "$packages"
if [ ! -d "$packages/kernel" ] || [ ! -d "$packages/busybox" ] || [ ! -d "$packages/libdrm" ]; then
	echo "guests: downloading linux-image-amd64, busybox-static and libdrm-dev (72 MB)"
	fetch_packages >"$packages/log" 2>&1 || { refresh_lists && fetch_packages; } >"$packages/log" 2>&1 || {
		echo "guests: the packages cannot be had; $packages/log says why" >&2
		exit 1
	}
fi
sdk=$packages/dpdk-sdk
if [ ! -d "$sdk" ]; then
	echo "guests: downloading dpdk-dev and what it depends on (34 MB)"
	fetch_dpdk() { "$here/dpdk.sh" fetch "$sdk"; }
	fetch_dpdk >"$packages/log" 2>&1 || { refresh_lists && fetch_dpdk; } >"$packages/log" 2>&1 || {
		echo "guests: the packages cannot be had; $packages/log says why" >&2
		exit 1
	}
fi
[ -d "$packages/dpdk" ] || "$here/dpdk.sh" tree "$sdk" "$sdk/usr/bin/dpdk-testpmd" "$packages/dpdk"
# Also when a header of the tree has changed: make knows.
"$here/dpdk.sh" build "$sdk" "$here/../examples/dpdk-isolation" "$out/dpdk-isolation"
[ "$packages/isolation/bin/dpdk-isolation" -nt "$out/dpdk-isolation" ] ||
	"$here/dpdk.sh" tree "$sdk" "$out/dpdk-isolation" "$packages/isolation"
[ -f "$out/vmlinuz" ] || cp "$packages"/kernel/boot/vmlinuz-* "$out/vmlinuz"
# Static, because a guest has no libraries.
mkdir -p "$out/programs"
for program in balloon calls terminal smp aim change card server; do make_program $program; done
for kernel in end stay; do
	[ "$out/$kernel" -nt "$here/start.S" ] && continue
	gcc -m32 "-D$(echo $kernel | tr a-z A-Z)" -c -o "$out/$kernel.o" "$here/start.S"
	objcopy -O binary -j .text "$out/$kernel.o" "$out/$kernel"
done
[ "$out/calls.ko" -nt "$here/calls-module.c" ] && [ "$out/calls.ko" -nt "$here/calls.h" ] ||
	"$here/module.sh" "$here/calls-module.c" "$(find "$packages/kernel" -name e1000e.ko)" "$out/calls.ko"
[ "$out/disk.ext4" -nt "$here/disk.root" ] || make_disk
newest=$(ls -t "$out"/programs/* "$out/calls.ko" "$packages/isolation/bin/dpdk-isolation" | head -1)
for script in "$here"/*.init; do
	name=$(basename "$script" .init)
	[ "$out/$name.gz" -nt "$script" ] && [ "$out/$name.gz" -nt "$newest" ] || make_initrd "$name"
done
