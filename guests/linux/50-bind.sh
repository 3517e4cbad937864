# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# guests/linux/50-bind.sh - `sallyport bind`, `unbind` and `restore` on drivers that are there, and `faults` on what the kernel
# itself wrote: 40-verify.sh has made devices reach for pages that are not theirs.
#
# step: bind gives edu, NVMe and 82574 to vfio-pci
# step: restore gives each its driver back
# step: the lines of a dry run do what bind does
# step: bind takes a group as a whole, and leaves its bridge
# step: bind refuses the disk and the port that the host needs
# step: unbind leaves no driver, and with --default the kernel's
# step: restore undoes a bind that was killed in the middle
# step: faults names the device of a line that the kernel wrote

drivers() { for device; do echo "$(driver_of "$device") "; done | tr -d '\n'; }

before=$(drivers "$EDU" "$NVME" "$PORT")
run sallyport bind "$EDU" "$NVME" "$PORT"
step "bind gives edu, NVMe and 82574 to vfio-pci" "status $status; $(drivers "$EDU" "$NVME" "$PORT")" \
	eval '[ $status -eq 0 ] && [ "$(drivers "$EDU" "$NVME" "$PORT")" = "vfio-pci vfio-pci vfio-pci " ]'
run sallyport restore
step "restore gives each its driver back" "status $status; $(drivers "$EDU" "$NVME" "$PORT")" \
	eval '[ $status -eq 0 ] && [ "$(drivers "$EDU" "$NVME" "$PORT")" = "$before" ] && [ ! -s /run/sallyport/journal ]'

run sallyport bind --dry-run "$NVME"
still=$(driver_of "$NVME")
cp /tmp/said /tmp/orders
run sh /tmp/orders
step "the lines of a dry run do what bind does" "$still, then $(driver_of "$NVME")" \
	eval '[ "$still" = nvme ] && [ "$(driver_of "$NVME")" = vfio-pci ]'
take "$NVME"

behind=$(basename "$(dirname "$(readlink -f "/sys/bus/pci/devices/$MATES")")")
run sallyport bind "$MATES"
step "bind takes a group as a whole, and leaves its bridge" \
	"$(drivers "$MATES" 0000:02:02.0)and the bridge $(driver_of "$behind")" \
	eval '[ $status -eq 0 ] && [ "$(drivers "$MATES" 0000:02:02.0)" = "vfio-pci vfio-pci " ] &&
		[ "$(driver_of "$behind")" != vfio-pci ] && said "0000:02:02.0: e1000 -> vfio-pci .in the same group"'
run sallyport restore "$MATES" 0000:02:02.0

run sallyport bind "$DISK"
disk="$status: $last"
said "/disk" && said "/proc/self/mountinfo" || disk="not said: $disk"
run sallyport bind "$LINK"
step "bind refuses the disk and the port that the host needs" "$disk; $status: $last" \
	eval '[ "${disk%%:*} $status" = "1 1" ] && said "default route" && [ "$(drivers "$DISK" "$LINK")" = "nvme e1000e " ]'

run sallyport unbind "$PORT"
none=$(driver_of "$PORT")
run sallyport unbind --default "$NVME" "$PORT"
step "unbind leaves no driver, and with --default the kernel's" "$none; $(drivers "$NVME" "$PORT")" \
	eval '[ "$none $(drivers "$NVME" "$PORT")" = "none nvme e1000e " ]'
run sallyport restore

# As it is when the program died after the first step, and while it noted the second.
printf '%s\n%s' '{"step":1,"sbdf":"'"$NVME"'","act":"unbind","was":"nvme","to":null}' '{"step":2,"sb' >/run/sallyport/journal
echo "$NVME" >"/sys/bus/pci/devices/$NVME/driver/unbind"
gone=$(driver_of "$NVME")
run sallyport restore
step "restore undoes a bind that was killed in the middle" "$gone, then $(driver_of "$NVME")" \
	eval '[ "$gone $(driver_of "$NVME")" = "none nvme" ]'

if [ "$MACHINE" = linux-amdvi ]; then
	blind "faults names the device of a line that the kernel wrote" "QEMU before 11 writes no event"
else
	run sallyport faults -v
	step "faults names the device of a line that the kernel wrote" "status $status; $(grep -c "$EDU\|$NVME\|$PORT" /tmp/said) lines" \
		eval '[ $status -eq 1 ] && said "^ +[0-9]+ ($EDU|$PORT) .*not mapped"'
fi
