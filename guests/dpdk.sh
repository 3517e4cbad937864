#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# guests/dpdk.sh - what DPDK's test program needs in a guest, from Debian's packages.
#
#   guests/dpdk.sh SCRATCH TREE
#
#   dpdk-dev          --> TREE/bin/dpdk-testpmd --ldd--> TREE/lib/x86_64-linux-gnu/*
#   librte-net-e1000-23, librte-mempool-ring23 --> TREE/usr/lib/.../pmds-23.0, which it loads by itself
#
# Packages are downloaded with all that they depend on and this machine has not (34 MB), unpacked into
# SCRATCH, not installed; libraries that this machine has are taken from where they are. testpmd is
# linked to all of DPDK, so nearly all of it has to come along.
set -euo pipefail

mkdir -p "$1"
scratch=$(cd "$1" && pwd) # apt takes a relative path for one of its own
tree=$2
libraries=usr/lib/x86_64-linux-gnu
drivers=$libraries/dpdk/pmds-23.0

rm -rf "$scratch" "$tree.part"
mkdir -p "$scratch/debs/partial" "$scratch/files" "$tree.part/bin" "$tree.part/lib64" \
	"$tree.part/lib/x86_64-linux-gnu" "$tree.part/$drivers"
# Nothing is installed, so nobody need be root, nor wait for another apt.
apt-get -y -q -d --no-install-recommends -o Debug::NoLocking=1 -o Dir::Cache::archives="$scratch/debs" \
	install dpdk-dev librte-net-e1000-23 librte-mempool-ring23
for package in "$scratch"/debs/*.deb; do dpkg-deb -x "$package" "$scratch/files"; done

# needed PROGRAM: the libraries that the loader would take, the loader too. Some packages have theirs
# in /lib still, where /usr is not all there is.
needed() {
	LD_LIBRARY_PATH=$scratch/files/$libraries:$scratch/files/lib/x86_64-linux-gnu ldd "$1" |
		awk '/not found/ { print "dpdk.sh: " $1 " is in no package" >"/dev/stderr"; exit 1 }
			$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }'
}

cp "$scratch/files/usr/bin/dpdk-testpmd" "$tree.part/bin/"
for driver in librte_net_e1000 librte_mempool_ring; do
	cp -L "$scratch/files/$drivers/$driver.so.23.0" "$tree.part/$drivers/"
done
for program in "$tree.part/bin/dpdk-testpmd" "$tree.part/$drivers"/*; do needed "$program"; done |
	sort -u | while read -r library; do
	case $library in
	*/ld-linux-x86-64.so.2) cp -L "$library" "$tree.part/lib64/" ;;
	*) cp -L "$library" "$tree.part/lib/x86_64-linux-gnu/" ;;
	esac
done
# A thread that is cancelled has it loaded by name.
cp -L "$(gcc -print-file-name=libgcc_s.so.1)" "$tree.part/lib/x86_64-linux-gnu/"
# To a file testpmd would write in blocks; its commands are answered line by line.
cp -L /usr/libexec/coreutils/libstdbuf.so "$tree.part/lib/x86_64-linux-gnu/"
# The name by which others would ask for a driver leads to the same file, or it would be loaded twice.
for driver in librte_net_e1000 librte_mempool_ring; do
	ln -s "/$drivers/$driver.so.23.0" "$tree.part/lib/x86_64-linux-gnu/$driver.so.23"
done
rm -rf "$tree" "$scratch"
mv "$tree.part" "$tree"
