# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# guests/linux/30-mirror.sh - drivers/vfio over the kernel's VFIO: what examples/vfio says of an edu.
#
# on: linux-vtd linux-amdvi
# step: over VFIO the guest's memory is reached, and nothing else
# step: over VFIO what was taken back is not reached, what is beside it is
# step: over VFIO a part of a piece stays

give vfio-pci "$EDU"
run vfio-example "$EDU"
step "over VFIO the guest's memory is reached, and nothing else" "$(sed -n 1,2p /tmp/said | tr '\n' ';')" \
	eval 'said "^ok the guest.s memory: arrives" && said "^ok what is not the guest.s: does not"'
step "over VFIO what was taken back is not reached, what is beside it is" "status $status; $(tail -n 3 /tmp/said | tr '\n' ';')" \
	eval '[ "$status" -eq 0 ] && said "^ok forgotten: 4 " && said "^ok what was taken back: does not" && said "^ok the piece beside it: arrives"'
step "over VFIO a part of a piece stays" "$(grep -F 'out of a piece' /tmp/said)" said '^ok a page out of a piece'
take "$EDU"
