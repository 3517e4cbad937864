#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# guests/dpdk.sh - DPDK from Debian's packages, and what a program of it needs in a guest.
#
#   guests/dpdk.sh fetch SDK                  SDK/usr: headers, libraries, pkg-config files, dpdk-testpmd
#   guests/dpdk.sh build SDK SOURCE PROGRAM   make -C SOURCE, against them
#   guests/dpdk.sh tree SDK PROGRAM TREE
#
#   PROGRAM           --> TREE/bin/ --ldd--> TREE/lib/x86_64-linux-gnu/*
#   e1000's driver, rings for pools --> TREE/usr/lib/.../pmds-23.0, which DPDK loads by itself
#
# Packages are downloaded with all that they depend on and this machine has not (34 MB), and unpacked,
# not installed; libraries that this machine has are taken from where they are. testpmd is linked to
# all of DPDK, so nearly all of it has to come along.
set -euo pipefail

libraries=usr/lib/x86_64-linux-gnu
drivers=$libraries/dpdk/pmds-23.0

absolute() { # of a file that need not be there
	mkdir -p "$(dirname "$1")"
	echo "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"
}

# Nothing is installed, so nobody need be root, nor wait for another apt.
fetch() { # fetch SDK
	local sdk scratch package

	sdk=$(absolute "$1") # apt takes a relative path for one of its own
	scratch=$sdk.debs
	rm -rf "$scratch" "$sdk.part"
	mkdir -p "$scratch/partial" "$sdk.part"
	apt-get -y -q -d --no-install-recommends -o Debug::NoLocking=1 -o Dir::Cache::archives="$scratch" \
		--reinstall install dpdk-dev libdpdk-dev librte-net-e1000-23 librte-mempool-ring23
	for package in "$scratch"/*.deb; do dpkg-deb -x "$package" "$sdk.part"; done
	# What is linked here is linked to shared libraries. The one that DPDK names beside its own has a
	# script, with paths of a machine where it is installed.
	rm -rf "$scratch" "$sdk.part"/usr/share/doc "$sdk.part/$libraries"/*.a "$sdk"
	if [ -e "$sdk.part/$libraries/libbsd.so.0" ]; then
		ln -sf libbsd.so.0 "$sdk.part/$libraries/libbsd.so"
	else
		ln -sf "/$libraries/libbsd.so.0" "$sdk.part/$libraries/libbsd.so"
	fi
	mv "$sdk.part" "$sdk"
}

# Packages that this machine has were not downloaded: their files are the machine's.
build() { # build SDK SOURCE PROGRAM
	local sdk program

	sdk=$(absolute "$1")
	program=$(absolute "$3")
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		PKG_CONFIG_PATH="$sdk/$libraries/pkgconfig:$sdk/usr/share/pkgconfig" \
		PKG_CONFIG_SYSROOT_DIR="$sdk" \
		make -s -C "$2" PROGRAM="$program" CFLAGS="-O2 -Werror" CPATH="$sdk/usr/include" \
		LDFLAGS="-L$sdk/$libraries -Wl,-rpath-link,$sdk/$libraries:$sdk/lib/x86_64-linux-gnu"
}

# needed SDK PROGRAM: the libraries that the loader would take, the loader too. Some packages have
# theirs in /lib still, where /usr is not all there is.
needed() {
	LD_LIBRARY_PATH=$1/$libraries:$1/lib/x86_64-linux-gnu ldd "$2" |
		awk -v program="$2" '
			/not found/ { print "dpdk.sh: " $1 " is in no package" >"/dev/stderr"; exit 1 }
			$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }'
}

tree() { # tree SDK PROGRAM TREE
	local sdk part program driver library

	sdk=$(absolute "$1")
	part=$(absolute "$3").part
	rm -rf "$part"
	mkdir -p "$part/bin" "$part/lib64" "$part/lib/x86_64-linux-gnu" "$part/$drivers"
	cp "$2" "$part/bin/"
	for driver in librte_net_e1000 librte_mempool_ring; do
		cp -L "$sdk/$drivers/$driver.so.23.0" "$part/$drivers/"
	done
	for program in "$part/bin"/* "$part/$drivers"/*; do needed "$sdk" "$program"; done |
		sort -u | while read -r library; do
		case $library in
		*/ld-linux-x86-64.so.2) cp -L "$library" "$part/lib64/" ;;
		*) cp -L "$library" "$part/lib/x86_64-linux-gnu/" ;;
		esac
	done
	# A thread that is cancelled has it loaded by name.
	cp -L "$(gcc -print-file-name=libgcc_s.so.1)" "$part/lib/x86_64-linux-gnu/"
	# To a file testpmd would write in blocks; its commands are answered line by line.
	cp -L /usr/libexec/coreutils/libstdbuf.so "$part/lib/x86_64-linux-gnu/"
	# The name by which others would ask for a driver leads to the same file, or it would be loaded twice.
	for driver in librte_net_e1000 librte_mempool_ring; do
		ln -s "/$drivers/$driver.so.23.0" "$part/lib/x86_64-linux-gnu/$driver.so.23"
	done
	rm -rf "$3"
	mv "$part" "$3"
}

"$@"
