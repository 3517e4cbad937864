#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# guests/linux/image.sh - the initial RAM disk of a Linux host on which host tools are tried.
#
#   guests/linux/image.sh GUESTS PROGRAM...
#
#   busybox, the kernel's modules of guests/linux/init, guests/linux/*.sh --.
#   PROGRAM ... ---> /bin ---ldd---> its libraries -------------------------+--> GUESTS/linux.gz
#
# guests/images.sh has been there and has unpacked kernel and busybox to GUESTS/packages.
set -euo pipefail

guests=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
shift
packages=$guests/packages
busybox=$packages/busybox/bin/busybox
root=$packages/linux.root

# The loader goes where programs look for it, libraries where the loader does.
add_libraries() { # add_libraries PROGRAM
	local library

	ldd "$1" | awk -v program="$1" '
		/not found/ { print "image.sh: " program " needs " $1 ", which is not installed" >"/dev/stderr"; exit 1 }
		$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' |
		while read -r library; do
			case $library in
			*/ld-linux-x86-64.so.2) cp -L "$library" "$root/lib64/" ;;
			*) cp -L "$library" "$root/lib/x86_64-linux-gnu/" ;;
			esac
		done
}

rm -rf "$root"
mkdir -p "$root/bin" "$root/lib/modules" "$root/lib64" "$root/lib/x86_64-linux-gnu" "$root/steps"
cp "$busybox" "$root/bin/busybox"
for module in $(sed -n 's/^# modules: //p' "$here/init"); do
	file=$(find "$packages/kernel" -name "$module.ko")
	[ -n "$file" ] || { echo "image.sh: the kernel has no module $module" >&2; exit 1; }
	cp "$file" "$root/lib/modules/"
done
for program; do
	install -m 755 "$program" "$root/bin/"
	ldd "$program" >/dev/null 2>&1 && add_libraries "$program"
done
install -m 755 "$here/init" "$root/init"
install -m 644 "$here"/[0-9]*.sh "$root/steps/"
# Names of devices, for libpci; where this machine has none the tool shows numbers.
[ ! -r /usr/share/misc/pci.ids ] || install -D -m 644 /usr/share/misc/pci.ids "$root/usr/share/misc/pci.ids"
(cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null) | gzip -1 >"$guests/linux.gz.part"
mv "$guests/linux.gz.part" "$guests/linux.gz"
