# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# guests/linux/25-audit.sh - what `sallyport audit` says of a machine that is there.
#
# step: audit says that the disk of the host is in use
# step: audit says that the port of the host is in use
# step: audit names who goes along
# step: audit says what the host lets through

# Of a device, the verdict and the ids of what was found.
verdict_of() { run sallyport audit -n -o SBDF,VERDICT "$1"; said "^$1 +$2"; }
found() { said "^  [a-z ]+  $1: "; }

verdict_of "$DISK" conditional && found in-use-disk
step "audit says that the disk of the host is in use" "$(grep -m1 in-use /tmp/said)" [ "$?" -eq 0 ]

verdict_of "$LINK" unsafe && found in-use-default-route
step "audit says that the port of the host is in use" "$(grep -m1 in-use /tmp/said)" [ "$?" -eq 0 ]

verdict_of "$MATES" '(conditional|unsafe)' && found group-mates && found group-bridge
step "audit names who goes along" "$(grep -m1 group-mates /tmp/said)" [ "$?" -eq 0 ]

run sallyport audit -v
if [ "$MACHINE" = linux-pt ]; then found iommu-passthrough; else ! found iommu-passthrough; fi
known=$?
said 'no-interrupt-remapping|could not tell|iommu-off|iommu-none' && known=1
step "audit says what the host lets through" "$MACHINE: status $status" [ "$known $status" = "0 0" ]
