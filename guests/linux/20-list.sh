# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# guests/linux/20-list.sh - what `sallyport list` and `tree` show of a machine that is there.
#
# on: linux-vtd linux-amdvi
# step: list names every function, with its driver and group
# step: list knows the unit of what it can give away

run sallyport list -n -o SBDF,GROUP,DRIVER
shown=$(wc -l </tmp/said)
said "^$PORT +$(group_of "$PORT") +e1000e" && said "^$NVME +$(group_of "$NVME") +nvme"
step "list names every function, with its driver and group" "$shown of $(ls /sys/bus/pci/devices | wc -l)" \
	[ "$? $shown" = "0 $(ls /sys/bus/pci/devices | wc -l)" ]

run sallyport list -n -o SBDF,UNIT "$EDU" "$NVME" "$PORT"
step "list knows the unit of what it can give away" "$(tr -s ' \n' ' ' </tmp/said)" \
	eval "[ \$(grep -c '$(ls /sys/class/iommu | head -1)' /tmp/said) -eq 3 ]"
