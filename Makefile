# SPDX-License-Identifier: BSD-2-Clause
#
# Sallyport - everything is built under out/; `make help` lists what can be asked for.
#
#   rooms of the core ----> out/libsallyport.a ---> out/sallyport.elf (with platform/metal, engines)
#     the same, SP_MUTANTS > out/libsallyport-mutants.a -> out/sallyport-mutants.elf
#     the same, sanitized -> out/hosted/ -----------> tests/unit, tests/model (with platform/model)
#     the same, -O2 only --> out/campaign/ ---------> tests/model/campaign_test
#                        `-> out/explore/ ----------> tests/explore, a platform of their own
#     the same, under TSan > out/threads/ ----------> tests/threads, a platform of their own
#   platform/model -------> out/libsallyport-model.a -> examples/embed
#   drivers/vfio ---------> out/libsallyport-vfio.a --> examples/vfio
#   tests/boot -----------> out/boot, which starts QEMU
#
# A room is its *.c files: a new file needs no change here.

VERSION := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif
OUT ?= out
PREFIX ?= /usr/local
DESTDIR ?=
export QEMU

quiet = $(if $(V),,@printf '  %-6s %s\n' $(1) $(patsubst $(OUT)/%,%,$@);)

# --- flags ------------------------------------------------------------------------------------

warnings := -Wall -Wextra -Wconversion -Wshadow -Wmissing-prototypes -Wvla -Werror
common := -std=c11 -g $(warnings) -MMD -MP
freestanding := $(common) -ffreestanding -fno-stack-protector -mgeneral-regs-only -Iinclude -I.
core_flags := $(freestanding) -O2 -mno-red-zone -fPIE -fvisibility=hidden -Ilib/plain
fixed := -fno-pic -fno-pie -fno-asynchronous-unwind-tables
metal_flags := $(freestanding) -O2 -mno-red-zone $(fixed) -Wa,-I$(OUT)
vfio_flags := $(common) -D_POSIX_C_SOURCE=200809L -O2 -fPIE -fvisibility=hidden -Iinclude -I. -Ilib/plain
guest_flags := $(freestanding) -m32 -march=i686 -Os $(fixed)
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
hosted := $(common) -D_POSIX_C_SOURCE=200809L -Iinclude -I. -Iplatform/model
model_flags := $(hosted) -O2 -fPIE
test_flags := $(hosted) -O1 $(sanitize) -DSP_MUTANTS -Iplatform/model/memory -Ilib/plain
campaign_flags := $(hosted) -O2 -DSP_MUTANTS -Iplatform/model/memory -Ilib/plain
# What a function has not set yet is zero: states that differ in nothing else are one state. And code lies where it
# lies: stacks hold addresses of it, and one run is like the next.
explore_flags := $(campaign_flags) -D_DEFAULT_SOURCE -ftrivial-auto-var-init=zero -fno-pie
# gcc says that its ThreadSanitizer does not know fences; who meets over them also meets over atomics.
thread_flags := $(hosted) -O1 -fsanitize=thread $(if $(findstring clang,$(CC)),,-Wno-tsan) \
	-DSP_MUTANTS -Itests/threads/counting -Ilib/plain
# CPPFLAGS, CFLAGS and LDFLAGS are for who packages: nothing sets them here.
linux_flags := $(common) -D_GNU_SOURCE -DSALLYPORT_VERSION='"$(VERSION)"' -Iinclude -I.
boot_flags := $(common) -O2 -D_GNU_SOURCE -Itests/boot -iquote .
bench_flags := $(common) -D_DEFAULT_SOURCE -Iinclude -I. -Ilib/plain

# --- rooms ------------------------------------------------------------------------------------

core_rooms := lib pagetable sync p2m iommu drivers/vtd drivers/amdvi pci passthrough
core_src := $(wildcard $(core_rooms:%=%/*.c))
model_src := $(wildcard platform/model/*.c)
vfio_src := $(wildcard drivers/vfio/*.c)
metal_src := $(wildcard platform/metal/*.c platform/metal/*.S)
engine_src := $(wildcard engines/*.c)
# What of the hypervisor touches no machine is tested hosted too; so are the engines, on memory.
pure_src := $(wildcard $(patsubst %,platform/metal/%.c,conf_text decode faults guest_conf guest_conf_check hypercall_check \
	mptable perform print script uart vacpi vapic* vm_ask vpci*)) $(engine_src) platform/metal/dsdt_image.S
guest_src := $(wildcard platform/metal/guest/*.c platform/metal/guest/*.S engines/edu.c)
embed_src := $(wildcard examples/embed/*.c)
# Machines of QEMU are the boot runner's, for `lab`.
linux_src := $(wildcard platform/linux/*.c) $(patsubst %,tests/boot/%.c,machines spelling qemu)
# The runner draws the card that a guest's program draws, to compare.
boot_src := $(filter-out %_test.c,$(wildcard tests/boot/*.c)) guests/testcard.c guests/letters.c
test_src := $(wildcard tests/unit/*_test.c tests/model/*_test.c tests/boot/*_test.c tests/linux/*_test.c \
	tests/threads/*_test.c tests/explore/*_test.c)
score_src := $(wildcard tests/mutants/*.c)
score := $(OUT)/tests/mutants/score
headers := $(wildcard include/sallyport/*.h)

# What test programs share: the files beside them that are not programs themselves.
test_support_src := $(filter-out %_test.c tests/model/campaign_%,$(wildcard tests/unit/*.c tests/model/*.c))
campaign_src := $(filter-out %_test.c,$(wildcard tests/model/campaign_*.c)) tests/model/campaign_test.c

objects = $(patsubst %,$(OUT)/$(1)/%.o,$(basename $(2)))

core_obj := $(call objects,core,$(core_src))
mutant_obj := $(call objects,mutants,$(core_src))
model_obj := $(call objects,model,$(model_src))
vfio_obj := $(call objects,vfio,$(vfio_src))
metal_obj := $(call objects,metal,$(metal_src) $(engine_src))
metal_mutant_obj := $(call objects,metal-mutants,$(metal_src) $(engine_src))
guest_obj := $(call objects,guest,$(guest_src))
change_fixture := $(OUT)/hosted/tests/unit/change_fixture.o
hosted_obj := $(filter-out $(change_fixture),$(call objects,hosted,$(core_src) $(model_src) $(vfio_src) $(pure_src) $(test_support_src)))
thread_obj := $(call objects,threads,$(core_src) $(vfio_src) $(filter-out %_test.c,$(wildcard tests/threads/*.c)))
boot_obj := $(call objects,boot-runner,$(boot_src))
linux_libraries := -lpci -ljansson -lsmartcols -lm
linux_obj := $(call objects,linux,$(linux_src))
man_src := $(wildcard platform/linux/man/*.scd)
man := $(man_src:platform/linux/man/%.scd=$(OUT)/man/%)
tests := $(test_src:%.c=$(OUT)/%)

libraries := $(if $(core_src),$(OUT)/libsallyport.a $(OUT)/libsallyport-mutants.a) \
	$(if $(model_src),$(OUT)/libsallyport-model.a) $(if $(vfio_src),$(OUT)/libsallyport-vfio.a)
images := $(if $(metal_src),$(OUT)/sallyport.elf $(OUT)/sallyport-mutants.elf)

# --- what can be asked for --------------------------------------------------------------------

.PHONY: all tool man deb deb-check report-shot libraries images mutants mutant-images tests demo demo-matrix demo-patch demo-dpdk-short demo-serve-short demo-linux guests linux-host run check lint size format install install-libraries install-tool uninstall clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: libraries images
	@echo
	@echo "built in $(OUT)/: $(notdir $(libraries) $(images))"
	@echo "next: make demo   shows on three machines that a device's DMA is contained"
	@echo "      make check  runs every test;  make help  lists the rest"

libraries: $(libraries)
# Manual pages are made where scdoc is.
tool: $(OUT)/sallyport $(if $(shell command -v scdoc),$(man))
man: $(man)
images: $(images)
mutants: $(score)
	@$(score)
mutant-images: $(if $(core_src),$(OUT)/libsallyport-mutants.a) $(filter %-mutants.elf,$(images))
tests: $(tests)

help:
	@echo "make            build the libraries and the hypervisor into $(OUT)/"
	@echo "make tool       the command line for Linux hosts, $(OUT)/sallyport"
	@echo "make demo       boot the hypervisor on machines in QEMU, print the isolation matrix and leave it in"
	@echo "                $(OUT)/matrix.json; then stock Debians with ports of their own ($(OUT)/PART.json)"
	@echo "                PART=$(subst $(space),|,$(PART))"
	@echo "                or PART=dpdk, some minutes of DPDK beside the same without a hypervisor, for one,"
	@echo "                MACHINES=\"amdvi-shared ...\" for some"
	@echo "make run        a Debian with a port of its own, at this terminal; GUEST=FILE another guest.conf"
	@echo "make check      every test: lint, unit, model, threads, mutants, counts, embed, boot; then the sum"
	@echo "make lint       the rules of the tree: layers, headers, format, symbols, lengths ..."
	@echo "make size       lines, comments, function lengths and text bytes of each room"
	@echo "make format     lay the code out with clang-format"
	@echo "make mutants    leave out one guard at a time: does the test that is named for it fail?"
	@echo "make mutant-images  the library and hypervisor in which single guards can be left out"
	@echo "make soak       every schedule of larger machines, then random operations, for TIME=600 seconds"
	@echo "make bench      the core beside hand-written rooflines; leaves $(OUT)/bench.json, .svg"
	@echo "make bench-compare BASE=file   what became slower since, in instructions"
	@echo "make counts     the table of instruction counts that check holds: after a change of speed"
	@echo "make install    libraries, headers and sallyport.pc under \$$(DESTDIR)\$$(PREFIX); the tool too, if it is built"
	@echo "make deb        Debian packages of both, in $(OUT)/deb/"
	@echo "make report-shot  the tool's report of MACHINE=FILE, a snapshot, as a browser draws it: $(OUT)/report.png"
	@echo "make deb-check  installs them in a new, minimal Debian, uses and purges them: takes root and a mirror"
	@echo "make clean      remove $(OUT)/"
	@echo
	@echo "QEMU=/path/qemu-system-x86_64   another emulator for demo and check"
	@echo "CC=clang  PREFIX=$(PREFIX)  DESTDIR=  V=1 (show commands)"
	@echo "demo and check first install the Debian packages that they lack, and say which."

empty :=
space := $(empty) $(empty)
guest_parts := $(addprefix demo-,nic move two smp balloon boot typing dpdk isolation disk display vf change serve)
# What a Linux host tries: guests/linux/image.sh puts these into its RAM disk.
linux_programs := $(OUT)/sallyport $(OUT)/sallyport-mutants $(OUT)/vfio-example
# DPDK for a few seconds on one machine, and changes under it, and a guest that serves another, on one;
# PART=dpdk, PART=change, PART=serve show more.
PART ?= matrix patch linux move smp balloon two nic isolation disk display vf typing change-short serve-short boot dpdk-short
# What measures runs alone, after the others. They go side by side: most of what a guest does is wait.
alone := boot dpdk dpdk-short
beside := $(filter-out $(alone),$(PART))
lanes := $(if $(word 2,$(beside)),-j2 --output-sync=target)
GUEST ?= guests/debian.conf

.PHONY: $(guest_parts)
demo:
	@tests/setup.sh demo
	@$(MAKE) --no-print-directory images $(OUT)/boot $(if $(filter-out matrix patch,$(PART)),guests)
	@rm -f $(patsubst %,$(OUT)/%.json,$(patsubst %-short,%,$(PART)))
	@status=0; \
	$(if $(lanes),echo "demo: two at a time of $(beside). Each is told when it is through.";) \
	$(if $(beside),$(MAKE) --no-print-directory -k $(lanes) $(beside:%=demo-%) || status=1;) \
	for part in $(filter $(alone),$(PART)); do \
		$(MAKE) --no-print-directory demo-$$part || status=1; done; \
	echo; $(OUT)/boot summary $(OUT) $(patsubst %-short,%,$(PART)) || status=1; exit $$status

demo-matrix:
	@$(OUT)/boot demo $(OUT) $(MACHINES)

demo-patch:
	@$(OUT)/boot patch $(OUT) $(MACHINES)

$(guest_parts): demo-%: guests
	@$(OUT)/boot $* $(OUT) $(MACHINES)

demo-linux: linux-host
	@$(OUT)/boot linux $(OUT) $(MACHINES)

demo-dpdk-short: guests
	@$(OUT)/boot dpdk-short $(OUT) $(or $(MACHINES),amdvi-shared)

demo-change-short: guests
	@$(OUT)/boot change $(OUT) $(or $(MACHINES),amdvi-shared)

demo-serve-short: guests
	@$(OUT)/boot serve $(OUT) $(or $(MACHINES),amdvi-shared)

# QEMU ends as the hypervisor wants it: 33 says that all was well, 35 that it said why not. What QEMU itself
# says is mostly about instructions that it does not have.
run:
	@tests/setup.sh demo
	@$(MAKE) --no-print-directory images $(OUT)/boot guests
	@$(OUT)/boot run $(OUT) $(GUEST) $(firstword $(MACHINES)) 2>$(OUT)/run.log; status=$$?; \
		case $$status in 33) ;; 35) exit 1 ;; *) cat $(OUT)/run.log >&2; exit $$status ;; esac

guests:
	@guests/images.sh $(OUT)/guests

linux-host: guests $(linux_programs)
	@guests/linux/image.sh $(OUT)/guests $(linux_programs)

check:
	@tests/setup.sh check
	@MAKE='$(MAKE)' tests/check.sh $(OUT)

lint:
	@tests/setup.sh check
	@$(MAKE) --no-print-directory libraries
	@tests/lint/run .

size: libraries images
	@tests/size/size.sh $(OUT)

format:
	clang-format -i $$(tests/lint/sources . c)

clean:
	rm -rf $(OUT)

# --- the core: one object, only sp_* global ---------------------------------------------------

$(OUT)/core/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(core_flags) -c -o $@ $<

$(OUT)/mutants/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(core_flags) -DSP_MUTANTS -c -o $@ $<

define one_object
	@mkdir -p $(@D)
	$(call quiet,LD)ld -r -o $(@:.a=.all.o) $^
	@objcopy -w --keep-global-symbol='sp_*' $(@:.a=.all.o) $(@:.a=.o)
	@rm -f $@ $(@:.a=.all.o)
	@ar rcsD $@ $(@:.a=.o)
endef

$(OUT)/libsallyport.a: $(core_obj)
	$(one_object)

$(OUT)/libsallyport-mutants.a: $(mutant_obj)
	$(one_object)

# --- the model --------------------------------------------------------------------------------

$(OUT)/model/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(model_flags) -c -o $@ $<

$(OUT)/libsallyport-model.a: $(model_obj)
	$(call quiet,AR)rm -f $@; ar rcsD $@ $^

# --- the mirror over VFIO: hosted, an object of its own ------------------------------------------

$(OUT)/vfio/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(vfio_flags) -c -o $@ $<

$(OUT)/libsallyport-vfio.a: $(vfio_obj)
	$(one_object)

# --- the hypervisor ---------------------------------------------------------------------------

$(OUT)/metal/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(metal_flags) -c -o $@ $<

$(OUT)/metal/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(call quiet,AS)$(CC) $(metal_flags) -c -o $@ $<

$(OUT)/metal-mutants/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(metal_flags) -DSP_MUTANTS -c -o $@ $<

$(OUT)/metal-mutants/%.o: $(OUT)/metal/%.o
	@mkdir -p $(@D)
	@cp $< $@

# The built-in guest is 32-bit code at a fixed address, carried as a flat image.
$(OUT)/guest/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(guest_flags) -c -o $@ $<

$(OUT)/guest/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(call quiet,AS)$(CC) $(guest_flags) -c -o $@ $<

$(OUT)/guest.bin: $(guest_obj) platform/metal/guest/guest.ld
	$(call quiet,LD)ld -m elf_i386 -T platform/metal/guest/guest.ld -o $(@:.bin=.elf) $(guest_obj)
	@objcopy -O binary $(@:.bin=.elf) $@

$(OUT)/metal/platform/metal/guest_image.o: $(OUT)/guest.bin

# What guests with acpi=on execute is compiled too; the assembler includes it.
$(OUT)/dsdt.aml: platform/metal/dsdt.asl
	@mkdir -p $(@D)
	@command -v iasl >/dev/null || { \
		echo "iasl is lacking: apt-get install acpica-tools, or make demo, which does that"; exit 1; }
	$(call quiet,IASL)iasl -we -p $(@:.aml=) $< >$(@:.aml=.log) 2>&1 || { cat $(@:.aml=.log); exit 1; }

$(OUT)/metal/platform/metal/dsdt_image.o $(OUT)/hosted/platform/metal/dsdt_image.o: $(OUT)/dsdt.aml

# QEMU's multiboot loader takes a 32-bit ELF only; the code in it stays 64-bit.
define link_hypervisor
	$(call quiet,LD)ld -m elf_x86_64 -z max-page-size=4096 -z noexecstack --build-id=none \
		-T platform/metal/metal.ld -o $@64 $(filter %.o %.a,$^)
	@objcopy -I elf64-x86-64 -O elf32-i386 $@64 $@
endef

$(OUT)/sallyport.elf: $(metal_obj) $(OUT)/libsallyport.a platform/metal/metal.ld
	$(link_hypervisor)

$(OUT)/sallyport-mutants.elf: $(metal_mutant_obj) $(OUT)/libsallyport-mutants.a platform/metal/metal.ld
	$(link_hypervisor)

# --- hosted tests -----------------------------------------------------------------------------

$(OUT)/hosted/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(test_flags) -c -o $@ $<

$(OUT)/hosted/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(call quiet,AS)$(CC) $(test_flags) -Wa,-I$(OUT) -c -o $@ $<

# Named, not a pattern: of two patterns make takes the one whose objects are there already.
$(filter $(OUT)/tests/boot/%,$(tests)): $(OUT)/tests/boot/%: $(OUT)/hosted/tests/boot/%.o \
		$(filter-out %/main.o,$(boot_obj:$(OUT)/boot-runner/%=$(OUT)/hosted/%))
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(sanitize) -o $@ $^ -lcmocka -ljansson -lsmartcols -lpng

# One archive, of which a test takes what it calls. Appended (q), because files of different rooms may
# have one name.
$(OUT)/hosted/all.a: $(hosted_obj)
	$(call quiet,AR)rm -f $@; ar qcsD $@ $^

# These bring a platform of their own, which comes first: the model's then stays in the archive.
$(OUT)/tests/unit/change_%: $(OUT)/hosted/tests/unit/change_%.o $(change_fixture) $(OUT)/hosted/all.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(sanitize) -o $@ $^ -lcmocka

# The decoder's second opinion.
$(OUT)/tests/unit/decode_capstone_test: more_libraries := -lcapstone

$(OUT)/tests/%: $(OUT)/hosted/tests/%.o $(OUT)/hosted/all.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(sanitize) $(watch_lock) -o $@ $^ -lcmocka $(more_libraries)

# What is written while a domain's lock is held: tests/model/cost.c looks.
watch_lock =
$(OUT)/tests/model/cost_test $(OUT)/bench/cost: watch_lock := -Wl,--wrap=domain_take -Wl,--wrap=domain_drop

# What reads the Negs is tested itself.
$(OUT)/tests/unit/score_test: $(OUT)/hosted/tests/mutants/statements.o

# The bench's calls are led through tests/mutants/child.c.
$(score): $(call objects,hosted,$(score_src)) $(OUT)/hosted/all.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(sanitize) -Wl,--wrap=model_create -Wl,--wrap=bench_complain -o $@ $^ \
		-lcmocka

$(OUT)/hosted/tests/boot/%.o $(OUT)/hosted/guests/%.o: test_flags := $(boot_flags) $(sanitize)

# --- the campaign: random steps, many of them, hence without the sanitizers ---------------------

.PHONY: soak

campaign := $(OUT)/tests/model/campaign_test
TIME ?= 600

$(OUT)/campaign/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(campaign_flags) -c -o $@ $<

$(campaign): $(call objects,campaign,$(core_src) $(model_src) $(campaign_src))
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -o $@ $^ -lcmocka

# --- the explorer: every schedule of small machines -------------------------------------------

explore := $(OUT)/tests/explore/explore_test

$(OUT)/explore/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(explore_flags) -c -o $@ $<

$(explore): $(call objects,explore,$(core_src) $(wildcard tests/explore/*.c))
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -no-pie -o $@ $^

soak: $(campaign) $(explore)
	@$(explore) --soak $$(($(TIME) / 4))
	@$(campaign) --soak $$(($(TIME) - $(TIME) / 4)) $(if $(SEED),--seed $(SEED))

# --- threads: the core and a platform of its own under ThreadSanitizer -------------------------

$(OUT)/threads/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(thread_flags) -c -o $@ $<

# The platform watches who takes and drops a domain's lock.
$(OUT)/tests/threads/%: $(OUT)/threads/tests/threads/%.o $(thread_obj)
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -fsanitize=thread -Wl,--wrap=domain_take -Wl,--wrap=domain_drop -o $@ $^ \
		-lcmocka

# --- the boot runner --------------------------------------------------------------------------

$(OUT)/boot-runner/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(boot_flags) -c -o $@ $<

$(OUT)/boot: $(boot_obj)
	$(call quiet,LD)$(CC) -o $@ $^ -pthread -ljansson -lsmartcols -lpng

# --- the tool for Linux hosts --------------------------------------------------------------------

$(OUT)/linux/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(linux_flags) -O2 $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The drivers of engines are freestanding, and drive from here too.
linux_engines := $(call objects,linux,$(engine_src))

$(OUT)/sallyport: $(linux_obj) $(linux_engines) $(OUT)/libsallyport.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(linux_libraries)

# A page's date is the newest commit's, or what SOURCE_DATE_EPOCH says, never the day it was made on.
$(OUT)/man/%: platform/linux/man/%.scd
	@mkdir -p $(@D)
	@command -v scdoc >/dev/null || { \
		echo "scdoc is lacking: apt-get install scdoc, or make deb, which does that"; exit 1; }
	$(call quiet,SCDOC)SOURCE_DATE_EPOCH=$(or $(SOURCE_DATE_EPOCH),$$(git log -1 --format=%ct 2>/dev/null || date +%s)) \
		scdoc <$< >$@

# The same, with guards that can be left out.
$(OUT)/sallyport-mutants: $(filter-out %/left_out.o,$(linux_obj)) $(call objects,linux,tests/linux/left_out.c) \
		$(linux_engines) $(OUT)/libsallyport.a
	$(call quiet,LD)$(CC) -o $@ $^ $(linux_libraries)

# The same with the sanitizers, for tests.
$(OUT)/sanitized/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(linux_flags) -O1 $(sanitize) -c -o $@ $<

# Guards can be left out of it: tests/linux/controls.
sanitized_obj := $(call objects,sanitized,$(filter-out %/left_out.c,$(linux_src)) $(engine_src) tests/linux/left_out.c)
linux_fakes := $(call objects,sanitized,$(wildcard tests/linux/fake_*.c))

$(OUT)/sallyport-sanitized: $(sanitized_obj) $(OUT)/libsallyport.a
	$(call quiet,LD)$(CC) $(sanitize) -o $@ $^ $(linux_libraries)

$(filter $(OUT)/tests/linux/%,$(tests)): $(OUT)/tests/linux/%: $(OUT)/sanitized/tests/linux/%.o \
		$(filter-out %/main.o %/report.o,$(sanitized_obj)) $(linux_fakes) $(OUT)/libsallyport.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(sanitize) -o $@ $^ $(linux_libraries) -lcmocka

# --- a report as a browser draws it -------------------------------------------------------------

# MACHINE=FILE: a snapshot; VERIFY=FILE: a matrix; SIZE=WIDTHxHEIGHT
MACHINE ?= tests/linux/machines/logged.snapshot
SIZE ?= 1240x4200

report-shot:
	@tests/setup.sh report-shot
	@$(MAKE) --no-print-directory $(OUT)/sallyport
	@tests/linux/shot $(OUT) $(MACHINE) $(SIZE) $(VERIFY)

# --- the bench: the core's own objects, whose inner names are hidden in the library -----------

.PHONY: bench bench-compare bench-hold counts

bench_own := $(filter-out tests/bench/roof.c tests/bench/bytes.c,$(wildcard tests/bench/*.c))
bench_roofs := $(OUT)/bench/roof-gcc.o $(OUT)/bench/roof-clang.o
bench_obj := $(call objects,bench,$(bench_own)) $(bench_roofs)
bench := $(OUT)/bench/bench
bench_parts := $(OUT)/bench/cost $(OUT)/bench/threads $(OUT)/bench/root
counts := $(OUT)/bench/counts

$(OUT)/bench/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(bench_flags) -O3 -c -o $@ $<

# The rooflines get the core's flags, by each compiler; their one function is called after it.
# DWARF 4, because Debian 12's valgrind stumbles over clang's 5.
$(bench_roofs): $(OUT)/bench/roof-%.o: tests/bench/roof.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$* $(core_flags) -gdwarf-4 -c -o $@ $<
	@objcopy --redefine-sym roof_side=roof_side_$* $@

$(bench): $(bench_obj) $(core_obj)
	$(call quiet,LD)$(CC) -o $@ $^ -ljansson -lsmartcols -lm

# The same, but for memset() and its like: those of a C library differ from one CPU to the next.
$(OUT)/bench/count: $(bench_obj) $(OUT)/bench/tests/bench/bytes.o $(core_obj)
	$(call quiet,LD)$(CC) -o $@ $^ -ljansson -lsmartcols -lm

# What waiting costs, on the model, where time is modelled too.
$(OUT)/bench/cost: $(call objects,bench,tests/bench/model/cost.c) \
		$(call objects,campaign,$(core_src) $(model_src) tests/model/bench.c tests/model/cost.c)
	$(call quiet,LD)$(CC) $(watch_lock) -o $@ $^ -lcmocka -ljansson -lsmartcols

$(OUT)/bench/tests/bench/model/%.o: bench_flags += -Iplatform/model

# A ground that threads may stand on, and the library's own objects.
$(OUT)/bench/threads: $(call objects,bench,$(wildcard tests/bench/threads/*.c)) $(core_obj)
	$(call quiet,LD)$(CC) -pthread -o $@ $^ -ljansson -lsmartcols

# The same ground, and who takes and drops a domain's lock is watched.
$(OUT)/bench/root: $(call objects,bench,tests/bench/root/root.c tests/bench/threads/ground.c) $(core_obj)
	$(call quiet,LD)$(CC) -pthread -Wl,--wrap=domain_take -Wl,--wrap=domain_drop -o $@ $^ -ljansson -lsmartcols

# $(call count_instructions,held): of what is held alone
define count_instructions
	@rm -f $(counts) $(counts).*
	@valgrind -q --tool=callgrind --instr-atstart=no --callgrind-out-file=$(counts) \
		$(OUT)/bench/count count $(1)
endef

bench:
	@tests/setup.sh bench
	@$(MAKE) --no-print-directory $(bench) $(bench_parts) $(OUT)/bench/count
	@echo "bench: counting instructions"
	$(call count_instructions)
	@$(bench) report $(counts) $(OUT)/bench/tables.json
	@$(OUT)/bench/cost $(OUT)/bench/cost.json
	@$(OUT)/bench/threads $(OUT)/bench/threads.json
	@$(OUT)/bench/root $(OUT)/bench/root.json
	@$(bench) join $(OUT)/bench.json $(OUT)/bench.svg \
		$(OUT)/bench/tables.json $(bench_parts:%=%.json)
	@echo "the report: $(OUT)/bench.json, and as a picture $(OUT)/bench.svg"

bench-compare: $(bench) $(OUT)/bench/count
	@test -f "$(BASE)" || { echo "bench-compare: BASE=file, a bench.json of before"; exit 2; }
	$(call count_instructions)
	@$(bench) counted $(counts) $(OUT)/bench/now.json
	@$(bench) compare $(BASE) $(OUT)/bench/now.json

# Instructions of a dozen operations: TAP against the committed table, or a new table.
bench-hold: $(OUT)/bench/count
	$(call count_instructions,held)
	@$(OUT)/bench/count hold tests/bench/counts $(counts)

counts: $(OUT)/bench/count
	$(call count_instructions,held)
	@$(OUT)/bench/count table $(counts) >$(counts).new
	@mv $(counts).new tests/bench/counts

# --- install ----------------------------------------------------------------------------------

prefix := $(DESTDIR)$(PREFIX)
LIBDIR ?= lib
lib := $(prefix)/$(LIBDIR)
completions := $(prefix)/share/bash-completion/completions

define core_pc
prefix=$(PREFIX)
includedir=$${prefix}/include
libdir=$${prefix}/$(LIBDIR)

Name: sallyport
Description: embeddable IOMMU and guest memory core for hypervisors
Version: $(VERSION)
Cflags: -I$${includedir}
Libs: -L$${libdir} -lsallyport
endef

define model_pc
prefix=$(PREFIX)
includedir=$${prefix}/include
libdir=$${prefix}/$(LIBDIR)

Name: sallyport-model
Description: a hosted machine with IOMMUs that Sallyport runs on, for tests
Version: $(VERSION)
Cflags: -I$${includedir} -I$${includedir}/sallyport-model
Libs: -L$${libdir} -lsallyport -lsallyport-model
endef
define vfio_pc
prefix=$(PREFIX)
includedir=$${prefix}/include
libdir=$${prefix}/$(LIBDIR)

Name: sallyport-vfio
Description: a guest's memory for devices of the Linux kernel's VFIO
Version: $(VERSION)
Cflags: -I$${includedir}
Libs: -L$${libdir} -lsallyport-vfio -lsallyport -pthread
endef
export core_pc model_pc vfio_pc

# The tool needs libraries that an embedder has no use for: it is installed where it was built.
install: install-libraries $(if $(wildcard $(OUT)/sallyport),install-tool)

install-libraries: $(OUT)/libsallyport.a $(OUT)/libsallyport-model.a $(OUT)/libsallyport-vfio.a
	install -d $(lib)/pkgconfig $(prefix)/include/sallyport \
		$(prefix)/include/sallyport-model
	install -m 644 $^ $(lib)
	install -m 644 $(headers) $(prefix)/include/sallyport
	install -m 644 platform/model/model.h $(prefix)/include/sallyport-model
	printf '%s\n' "$$core_pc" > $(lib)/pkgconfig/sallyport.pc
	printf '%s\n' "$$model_pc" > $(lib)/pkgconfig/sallyport-model.pc
	printf '%s\n' "$$vfio_pc" > $(lib)/pkgconfig/sallyport-vfio.pc

install-tool:
	install -d $(prefix)/bin $(prefix)/share/man/man1 $(completions)
	install -m 755 $(OUT)/sallyport $(prefix)/bin
	install -m 644 platform/linux/completion $(completions)/sallyport
	$(if $(wildcard $(OUT)/man/*.1),install -m 644 $(wildcard $(OUT)/man/*.1) $(prefix)/share/man/man1, \
		@echo "manual pages were not made: scdoc is lacking")
	for page in $(wildcard $(OUT)/man/*.1); do \
		page=$${page##*/}; \
		for name in $$(platform/linux/man/names platform/linux/man/$$page.scd); do \
			[ $$name.1 = $$page ] || ln -sf $$page $(prefix)/share/man/man1/$$name.1; done; done

uninstall:
	rm -f $(lib)/libsallyport.a $(lib)/libsallyport-model.a $(lib)/libsallyport-vfio.a
	rm -f $(lib)/pkgconfig/sallyport-vfio.pc
	rm -f $(lib)/pkgconfig/sallyport.pc $(lib)/pkgconfig/sallyport-model.pc
	rm -rf $(prefix)/include/sallyport $(prefix)/include/sallyport-model
	rm -f $(prefix)/bin/sallyport $(completions)/sallyport
	rm -f $(prefix)/share/man/man1/sallyport.1 $(prefix)/share/man/man1/sallyport-*.1

# --- Debian packages ----------------------------------------------------------------------------

deb:
	@tests/setup.sh deb
	@debian/build $(OUT) $(VERSION)

deb-check:
	@tests/setup.sh deb-check
	@$(MAKE) --no-print-directory $(OUT)/sallyport
	@debian/build $(OUT) $(VERSION)
	@tests/linux/chroot $(OUT)/deb

# --- the embedding example: what an embedder would do, from the installed tree alone ----------

stage := $(abspath $(OUT))/stage
installed = PKG_CONFIG_PATH=$(stage)/lib/pkgconfig pkg-config

$(OUT)/embed: $(embed_src) $(OUT)/libsallyport.a $(OUT)/libsallyport-model.a $(headers) Makefile
	@rm -rf $(stage)
	@$(MAKE) -s --no-print-directory install DESTDIR= PREFIX=$(stage)
	$(call quiet,EMBED)$(CC) -std=c11 -g -O2 $(warnings) -iquote . \
		$$($(installed) --cflags sallyport-model) -o $@ $(embed_src) \
		$$($(installed) --libs sallyport-model)

# A hypervisor in a Linux process, in the same way; edu's driver is the tree's.
$(OUT)/vfio-example: $(wildcard examples/vfio/*.[ch] engines/edu.[ch]) $(OUT)/libsallyport.a $(OUT)/libsallyport-model.a \
		$(OUT)/libsallyport-vfio.a $(headers) Makefile
	@$(MAKE) -s --no-print-directory install DESTDIR= PREFIX=$(stage)
	$(call quiet,EMBED)$(CC) -std=c11 -g -O2 $(warnings) -D_POSIX_C_SOURCE=200809L -iquote . \
		$$($(installed) --cflags sallyport-vfio) -o $@ $(filter %.c,$^) \
		$$($(installed) --libs sallyport-vfio)

-include $(shell find $(OUT) -path $(OUT)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)
