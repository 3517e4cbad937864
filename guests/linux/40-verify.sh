# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# guests/linux/40-verify.sh - `sallyport verify`: three engines against the host's IOMMU; what it refuses; and a build
# that does not unmap, which it must find out.
#
# step: verify refuses a device that is not bound, and says how to bind it
# step: verify refuses a device whose group is not viable, and names the mate
# step: verify refuses a device for which there is no engine
# step: verify wants a device, and one that is there
# step: verify proves that an edu is contained
# step: verify proves that an NVMe controller is contained
# step: verify proves that an 82574 is contained
# step: verify answers as JSON and as TAP
# step: verify finds out an unmap that is left out

run sallyport verify "$EDU"
step "verify refuses a device that is not bound, and says how to bind it" "status $status; $last" \
	eval '[ $status -eq 3 ] && said "sallyport bind $EDU"'

echo vfio-pci >"/sys/bus/pci/devices/$MATES/driver_override"
echo "$MATES" >/sys/bus/pci/drivers_probe
run sallyport verify "$MATES"
step "verify refuses a device whose group is not viable, and names the mate" "status $status; $last" \
	eval '[ $status -eq 3 ] && said "02:02.0 .e1000."'
take "$MATES"

run sallyport verify 00:1f.2
step "verify refuses a device for which there is no engine" "status $status; $last" \
	eval '[ $status -eq 3 ] && said "edu, an NVMe controller or an 82574"'

run sallyport verify
without=$status
run sallyport verify 77:00.0
step "verify wants a device, and one that is there" "status $without, $status; $last" [ "$without $status" = "2 2" ]

give vfio-pci "$EDU" "$NVME" "$PORT"
for device in "an edu $EDU" "an NVMe controller $NVME" "an 82574 $PORT"; do
	run sallyport verify "${device##* }"
	step "verify proves that ${device% *} is contained" "$last" \
		eval '[ $status -eq 0 ] && said "what was unmapped +contained +arrived"'
done

run sallyport verify --json --samples 10 "$PORT"
json=$(grep -c '"verdict": "contained"' /tmp/said)
run sallyport verify --tap --samples 10 "$PORT"
step "verify answers as JSON and as TAP" "verdicts $json; $last" \
	eval '[ "$json $status" = "1 0" ] && said "^1..9$" && said "^ok 4 - $PORT: what was unmapped: contained"'

found=
for device in "$EDU" "$NVME" "$PORT"; do
	run env SALLYPORT_LEFT_OUT=verify-unmap sallyport-mutants verify "$device"
	said "what was unmapped +LEAKED" && found="$found $status"
done
step "verify finds out an unmap that is left out" "status$found" [ "$found" = " 1 1 1" ]
take "$EDU" "$NVME" "$PORT"
