#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/setup.sh - installs what `make demo`, `check`, `bench` or `deb` lacks on Debian, and nothing else.
#
#   tests/setup.sh demo|check|bench|deb|deb-check|report-shot
#
# What is there is found by using it (a command, a header), never by asking the package system, so
# that a machine which has everything is not slowed down and needs neither Debian nor a network.
set -u

# need PACKAGE WHY TEST...: prints the package when the test fails
need() {
	local package=$1 why=$2
	shift 2
	"$@" >/dev/null 2>&1 || printf '  %-18s %s\n' "$package" "$why"
}

has_command() { command -v "$1"; }

has_header() { echo "#include <$1>" | gcc -E -x c -; }

need_for_demo() {
	need libc6-dev "C library headers, for the test runner" has_header stdio.h
	need libjansson-dev "the boot runner writes out/matrix.json" has_header jansson.h
	need libsmartcols-dev "the boot runner prints tables" has_header libsmartcols/libsmartcols.h
	need libpci-dev "the tool for Linux hosts: names of PCI functions" has_header pci/pci.h
	need libpng-dev "the boot runner reads what a guest's displays show" has_header png.h
	need pkg-config "the DPDK program of a guest is built" has_command pkg-config
	need e2fsprogs "a guest's root file system is made" \
		eval 'PATH=$PATH:/usr/sbin:/sbin command -v mke2fs'
	need acpica-tools "the ACPI code that guests are given is compiled" has_command iasl
	[ -n "${QEMU:-}" ] ||
		need qemu-system-x86 "the machines that the hypervisor boots on" \
			has_command qemu-system-x86_64
}

need_for_bench() {
	need libjansson-dev "the bench writes out/bench.json" has_header jansson.h
	need libsmartcols-dev "the bench prints tables" has_header libsmartcols/libsmartcols.h
	need clang "rooflines by two compilers, the faster counts" has_command clang
	need valgrind "instruction counts" has_header valgrind/callgrind.h
}

need_for_check() {
	need valgrind "instruction counts against a table" has_header valgrind/callgrind.h
	need libxml2-utils "the tool's reports are parsed" has_command xmllint
	need libcmocka-dev "unit and model tests" \
		eval "printf '#include <%s>\n' stdarg.h stddef.h setjmp.h stdint.h cmocka.h | gcc -E -x c -"
	need libcapstone-dev "unit tests: a second opinion on instructions" \
		has_header capstone/capstone.h
	need strace "the tool for Linux hosts: audit changes nothing" has_command strace
	need clang "the second compiler, and its thread-safety analysis" has_command clang
	need clang-format "lint: the layout of the code" has_command clang-format
	need cppcheck "lint: static analysis" has_command cppcheck
	need universal-ctags "lint: the length of functions" \
		eval 'ctags --version | grep -q Universal'
}

# What debian/control has as Build-Depends, and what builds from it.
need_for_deb() {
	need dpkg-dev "packages are built" has_command dpkg-buildpackage
	need debhelper "packages are built" has_command dh
	need scdoc "manual pages" has_command scdoc
	need libpci-dev "the tool for Linux hosts: names of PCI functions" has_header pci/pci.h
	need libjansson-dev "the tool for Linux hosts: JSON" has_header jansson.h
	need libsmartcols-dev "the tool for Linux hosts: tables" has_header libsmartcols/libsmartcols.h
}

need_for_deb_check() {
	need_for_deb
	need debootstrap "a new Debian to install into" \
		eval 'PATH=$PATH:/usr/sbin:/sbin command -v debootstrap'
	need lintian "what Debian says of a package" has_command lintian
}

need_for_report_shot() {
	need chromium "a report is drawn as a browser draws it" has_command chromium
	need fonts-dejavu-core "letters for it" test -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
	need libpci-dev "the tool for Linux hosts: names of PCI functions" has_header pci/pci.h
	need libjansson-dev "the tool for Linux hosts: JSON" has_header jansson.h
	need libsmartcols-dev "the tool for Linux hosts: tables" has_header libsmartcols/libsmartcols.h
}

run_apt() {
	local -a apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q)

	[ "$(id -u)" -eq 0 ] || apt=(sudo -n "${apt[@]}")
	"${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${packages[@]}"
}

may_install() {
	command -v apt-get >/dev/null || return 1
	[ "$(id -u)" -eq 0 ] || { command -v sudo && sudo -n true; } >/dev/null 2>&1
}

case "${1:-}" in
demo) missing=$(need_for_demo) ;;
check) missing=$(need_for_demo && need_for_check && need_for_deb | sort -u) ;;
deb) missing=$(need_for_deb) ;;
deb-check) missing=$(need_for_deb_check) ;;
report-shot) missing=$(need_for_report_shot) ;;
bench) missing=$(need_for_bench) ;;
*)
	echo "usage: tests/setup.sh demo|check|bench|deb|deb-check|report-shot" >&2
	exit 2
	;;
esac
[ -n "$missing" ] || exit 0

echo "make $1 lacks these packages:"
echo "$missing"
read -r -a packages < <(awk '{ printf "%s ", $1 }' <<<"$missing"; echo)
if ! may_install; then
	echo "Installing them takes root. Run this line, then \`make $1\` again:"
	echo "  sudo apt-get install --no-install-recommends ${packages[*]}"
	exit 1
fi
echo "installing them with apt-get ..."
if ! run_apt; then
	echo "apt-get failed; its messages are above. The line that was tried:"
	echo "  apt-get install --no-install-recommends ${packages[*]}"
	exit 1
fi
