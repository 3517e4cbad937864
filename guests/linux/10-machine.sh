# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# guests/linux/10-machine.sh - the machine is what the other scripts take it for.
#
# step: the kernel drives the IOMMU
# step: interrupts are remapped
# step: every device is in a group
# step: what is to be given away is there
# step: the host uses a disk and a port of its own
# step: a device behind the bridge shares its group
# step: vfio-pci takes each device, and gives it back

step "the kernel drives the IOMMU" "$(ls /sys/class/iommu | tr '\n' ' ')" ls /sys/class/iommu/*/devices
remapping=$(dmesg | grep -i -E 'remapping enabled|Enabled IRQ remapping|AMD-Vi: .*[Ii]nterrupt remapping' | head -1 | sed 's/^[^]]*\] //')
step "interrupts are remapped" "${remapping:-the kernel says nothing of it}" [ -n "$remapping" ]

all=$(ls /sys/bus/pci/devices | wc -l)
grouped=$(ls -d /sys/bus/pci/devices/*/iommu_group | wc -l)
groups=$(ls /sys/kernel/iommu_groups | wc -l)
# An AMD-Vi unit is a function of PCI itself, and in no group.
step "every device is in a group" "$grouped of $all functions, $groups groups" [ "$grouped" -ge $((all - 1)) ]

there="$EDU $(driver_of "$EDU"), $NVME $(driver_of "$NVME"), $PORT $(driver_of "$PORT")"
step "what is to be given away is there" "$there" \
	[ "$there" = "$EDU none, 0000:00:11.0 nvme, 0000:00:10.0 e1000e" ]

step "the host uses a disk and a port of its own" \
	"$(awk '$2 == "/disk" { print $1, $2, $3 }' /proc/mounts), $(ip route | head -1)" \
	eval '[ -f /disk/file ] && ip route | grep -q "^default.*$(link_name)"'

mates=$(ls "/sys/bus/pci/devices/$MATES/iommu_group/devices" | tr '\n' ' ')
step "a device behind the bridge shares its group" "group $(group_of "$MATES"): $mates" \
	[ "$(echo "$mates" | wc -w)" -ge 2 ]

give vfio-pci "$EDU" "$NVME" "$PORT"
given="$(driver_of "$EDU") $(driver_of "$NVME") $(driver_of "$PORT")"
take "$EDU" "$NVME" "$PORT"
back="$(driver_of "$EDU") $(driver_of "$NVME") $(driver_of "$PORT")"
step "vfio-pci takes each device, and gives it back" "$given; then $back" \
	[ "$given; $back" = "vfio-pci vfio-pci vfio-pci; none nvme e1000e" ]
