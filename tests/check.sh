#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/check.sh - runs every test of every kind, goes on after a failure, and counts.
#
#   tests/check.sh OUT
#
#   lint    the rules of tests/lint/, and every room compiled without a warning by gcc and by clang
#   unit    tests/unit/*_test.c, and the boot runner's own, tests/boot/*_test.c
#   model   tests/model/*_test.c, and every schedule of small machines, tests/explore/*_test.c
#   threads tests/threads/*_test.c; a report of ThreadSanitizer is a failure
#   mutants tests/mutants: each Neg of docs/acceptance.md left out, killed by the test named for it
#   counts  instructions of a dozen operations against tests/bench/counts, by callgrind
#   linux   tests/linux: the tool for Linux hosts, on captured machines
#   embed   examples/embed against the installed library
#   boot    the hypervisor in QEMU, one test a row
#
# A test is a line "ok ..." or "not ok ..." of the program that runs it. A program that dies, does
# not build or runs fewer tests than it announced is one more failure. What is absent is named,
# and counted as nothing.
set -u
unset MAKEFLAGS MFLAGS MAKELEVEL

out=$1
make=${MAKE:-make}
logs=$out/check
kinds=(lint unit model threads mutants counts linux embed boot)
declare -A ran
passed=0
failed=0
skipped=0
failures=()
lanes=$(($(nproc) > 1 ? 2 : 1)) # programs side by side
limit=900 # seconds for one test program, more than ten times what the slowest takes

mkdir -p "$logs"

for kind in "${kinds[@]}"; do ran[$kind]=0; done

count() { # count KIND PASSED FAILED SKIPPED
	ran[$1]=$((ran[$1] + $2 + $3 + $4))
	passed=$((passed + $2))
	failed=$((failed + $3))
	skipped=$((skipped + $4))
}

fail() { # fail KIND WHAT LOG
	count "$1" 0 1 0
	failures+=("$1: $2 (log: $3)")
	echo "  FAILED $2"
}

# Lines of a TAP log: how many passed, failed, were skipped and were announced by its plans.
tally() {
	awk '
	/^(not )?ok .*# *(SKIP|skip)/ { skipped++; next }
	/^ok / { passed++; next }
	/^not ok / { failed++; next }
	/^1\.\.[0-9]+/ { planned += substr($1, 4) }
	END { print passed + 0, failed + 0, skipped + 0, planned + 0 }' "$1"
}

# The failed tests of a log, each with what it said up to the next test.
show_failures() {
	awk '
	/^(not )?ok / || /^1\.\./ { shown = 0 }
	/^not ok / && !/# *(SKIP|skip)/ { shown = 1 }
	shown { print "    " $0 }' "$1" | head -60
}

# judge KIND NAME LOG STATUS: counts the tests in a log
judge() {
	local kind=$1 name=$2 log=$3 status=$4 good bad skips planned

	read -r good bad skips planned < <(tally "$log")
	count "$kind" "$good" "$bad" "$skips"
	echo "  $name: $good passed, $bad failed, $skips skipped"
	while IFS= read -r line; do
		failures+=("$kind: $name: ${line#not ok } (log: $log)")
	done < <(grep '^not ok ' "$log" | grep -v -i '# *skip')
	show_failures "$log"
	if [ "$status" -eq 124 ]; then
		fail "$kind" "$name was stopped after $limit s" "$log"
	elif [ "$status" -ge 128 ] || { [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		fail "$kind" "$name died with status $status" "$log"
		tail -30 "$log" | sed 's/^/    /'
	elif [ "$planned" -gt $((good + bad + skips)) ]; then
		fail "$kind" "$name ran $((good + bad + skips)) of $planned tests" "$log"
	elif [ $((good + bad + skips)) -eq 0 ]; then
		fail "$kind" "$name ran no test" "$log"
	fi
}

# build KIND TARGET...: false, and counted, when it does not build
build() {
	local kind=$1 log=$logs/$1-build.log

	shift
	"$make" --no-print-directory OUT="$out" "$@" >"$log" 2>&1 && return
	fail "$kind" "building $*" "$log"
	grep -E 'error|warning|undefined|\*\*\*' "$log" | head -20 | sed 's/^/    /'
	return 1
}

absent() { echo "  none: $1"; }

# test_step KIND NAME COMMAND...: one command is one test
test_step() {
	local kind=$1 name=$2 log=$logs/$1-${2//[^a-z0-9]/-}.log

	shift 2
	if timeout "$limit" "$@" >"$log" 2>&1; then
		count "$kind" 1 0 0
		echo "  ok $name"
	else
		fail "$kind" "$name" "$log"
		{ grep -E 'error:|\*\*\* ' "$log" || tail -15 "$log"; } | head -15 | sed 's/^/    /'
	fi
}

has_sources() { compgen -G "$1" >/dev/null; }

run_compilers() {
	local compiler where

	for compiler in gcc clang; do
		where=$out
		[ "$compiler" = gcc ] || where=$out/$compiler
		test_step lint "$compiler builds the libraries without a warning" \
			"$make" --no-print-directory -k CC="$compiler" OUT="$where" libraries
		has_sources 'platform/metal/*.c' || { absent "platform/metal has no sources"; continue; }
		test_step lint "$compiler builds the hypervisor without a warning" \
			"$make" --no-print-directory -k CC="$compiler" OUT="$where" images
	done
}

run_lint() {
	echo "lint"
	run_compilers
	tests/lint/run . >"$logs/lint.log" 2>&1
	judge lint rules "$logs/lint.log" $?
}

# beside LANES COMMAND ARGUMENT...: the command with each argument, so many at a time; then `judged` with
# each in their order, as soon as it and those before it are through.
beside() {
	local lanes=$1 command=$2 of

	shift 2
	for of in "$@"; do rm -f "$logs/status-${of//\//-}"; done
	(
		for of in "$@"; do
			while [ "$(jobs -rp | wc -l)" -ge "$lanes" ]; do wait -n; done
			{
				"$command" "$of"
				echo $? >"$logs/.status-${of//\//-}"
				mv "$logs/.status-${of//\//-}" "$logs/status-${of//\//-}"
			} &
		done
		wait
	) &
	for of in "$@"; do
		until [ -e "$logs/status-${of//\//-}" ]; do sleep 0.1; done
		judged "$of" "$(cat "$logs/status-${of//\//-}")"
	done
	wait
}

log_of() { # log_of SOURCE
	local name=${1#tests/}

	name=${name%.c}
	echo "$logs/${name//\//-}.log"
}

# What does not build was told already.
run_program() { # run_program SOURCE
	[ -x "$out/${1%.c}" ] || return 125
	CMOCKA_MESSAGE_OUTPUT=TAP timeout "$limit" "$out/${1%.c}" >"$(log_of "$1")" 2>&1
}

run_programs() { # run_programs KIND LANES SOURCE...
	local kind=$1 lanes=$2 source

	shift 2
	echo "$kind"
	[ $# -gt 0 ] || absent "tests/$kind has no *_test.c"
	for source in "$@"; do build "$kind" "$out/${source%.c}" || rm -f "$out/${source%.c}"; done
	judged() {
		local name=${1#tests/}

		[ ! -x "$out/${1%.c}" ] || judge "$kind" "${name%.c}" "$(log_of "$1")" "$2"
	}
	beside "$lanes" run_program "$@"
}

run_mutants() {
	local log=$logs/mutants.log status score killed all

	echo "mutants"
	build mutants "$out/tests/mutants/score" || return
	timeout "$limit" "$out/tests/mutants/score" >"$log" 2>&1
	status=$?
	score=$(sed -n 's/^mutants: killed \([0-9]*\) of \([0-9]*\)$/\1 \2/p' "$log")
	if [ -z "$score" ]; then
		fail mutants "the score has no end, status $status" "$log"
		tail -5 "$log" | sed 's/^/    /'
		return
	fi
	read -r killed all <<<"$score"
	count mutants "$killed" 0 0
	tail -2 "$log" | sed 's/^/  /'
	[ "$status" -ne 0 ] || return
	[ "$killed" -lt "$all" ] || fail mutants "a statement of docs/acceptance.md has no mutant" "$log"
	[ "$killed" -eq "$all" ] || failures+=("mutants: $((all - killed)) not killed (log: $log)")
	count mutants 0 $((all - killed)) 0
	grep -E 'SURVIVED|BROKEN|NOT SOUND|NOT BY|ERROR' "$log" | sed 's/^/    /'
}

run_counts() {
	local log=$logs/counts.log

	echo "counts"
	build counts "$out/bench/count" || return
	timeout "$limit" "$make" --no-print-directory -s OUT="$out" bench-hold >"$log" 2>&1
	judge counts "tests/bench/counts" "$log" $?
	grep -E '^# ' "$log" | sed 's/^# /  /' | head -20
}

run_script() { # run_script NAME ARGUMENT...: tests/linux/NAME
	local name=$1 log=$logs/linux-$1.log

	shift
	MAKE=$make timeout "$limit" "tests/linux/$name" "$@" >"$log" 2>&1
	judge linux "$name" "$log" $?
}

run_linux() {
	run_programs linux "$lanes" "${linux[@]}"
	build linux tool man "$out/sallyport-sanitized" libraries || return
	run_script commands "$out/sallyport-sanitized"
	run_script controls "$out/sallyport-sanitized"
	run_script redacted "$out/sallyport-sanitized"
	run_script audit_reads "$out/sallyport"
	run_script manual "$out/sallyport"
	run_script report "$out/sallyport-sanitized"
	run_script readme "$out/sallyport"
	run_script package "$out"
	build linux images "$out/boot" || return
	run_script lab "$out/sallyport-sanitized" "$out"
}

run_embed() {
	echo "embed"
	has_sources 'examples/embed/*.c' || { absent "examples/embed has no sources"; return; }
	build embed "$out/embed" || return
	count embed 1 0 0
	echo "  ok builds against the installed library"
	test_step embed "runs" "$out/embed"
	build embed "$out/vfio-example" && count embed 1 0 0 && echo "  ok the example over VFIO builds against the installed library"
	test_step embed "has fewer than 200 lines" [ "$(cat examples/embed/*.c | wc -l)" -lt 200 ]
}

# What the library does for `serve` is the same on each machine.
run_part() {
	local machines=()

	[ "$1" != serve ] || machines=(amdvi-shared)
	"$out/boot" "$1" "$out" "${machines[@]}" >"$logs/boot-$1.log" 2>&1
}

# What measures is alone; most of what the others' guests do is wait.
run_boot() {
	echo "boot"
	has_sources 'platform/metal/*.c' || { absent "platform/metal has no sources"; return; }
	build boot images "$out/boot" || return
	"$out/boot" check "$out" 2>&1 | tee "$logs/boot.log" | grep --line-buffered -v -E '^(not )?ok |^1\.\.' | sed 's/^/  /'
	judge boot rows "$logs/boot.log" "${PIPESTATUS[0]}"
	build boot guests linux-host || return
	judged() { judge boot "$1" "$logs/boot-$1.log" "$2"; }
	beside "$lanes" run_part linux move smp change balloon isolation two serve nic display disk vf typing patch
	beside 1 run_part boot dpdk-short
}

mapfile -t unit < <(compgen -G 'tests/unit/*_test.c'; compgen -G 'tests/boot/*_test.c')
mapfile -t model < <(compgen -G 'tests/model/*_test.c'; compgen -G 'tests/explore/*_test.c')
mapfile -t linux < <(compgen -G 'tests/linux/*_test.c')
mapfile -t threads < <(compgen -G 'tests/threads/*_test.c')

started=$SECONDS
run_lint
"$make" --no-print-directory -k -j"$(nproc)" OUT="$out" tests >"$logs/tests-build.log" 2>&1
run_programs unit "$lanes" "${unit[@]}"
run_programs model "$lanes" "${model[@]}"
run_programs threads 1 "${threads[@]}"
run_mutants
run_counts
run_linux
run_embed
run_boot

echo
if [ ${#failures[@]} -gt 0 ]; then
	echo "failed:"
	printf '  %s\n' "${failures[@]:0:25}"
	[ ${#failures[@]} -le 25 ] || echo "  and $((${#failures[@]} - 25)) more, see $logs/"
fi
summary=
for kind in "${kinds[@]}"; do summary+="${summary:+, }$kind ${ran[$kind]}"; done
echo "$summary  ($((SECONDS - started)) s)"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
