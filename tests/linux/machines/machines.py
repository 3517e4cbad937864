#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""tests/linux/machines/machines.py - writes the made-up machines beside it: NAME.snapshot for each function here.

After a change run it, then `tests/linux/commands TOOL --write`, and read what differs.
"""
from pci_machine import *

SERVER = dict(cap=0x08D2078C106F0466, ecap=0x0000000000F020DF)
ROOT_PORT_ACS = (0x1D, ISOLATES)


def bar(first, count, flags=MEM):
    return (first, count, flags)


NONE = (0, 0, 0)


def nvme(m, where, group, first, **more):
    return m.add(where, "144d:a808", 0x010802, driver=more.pop("driver", "nvme"), group=group,
                 bars=[bar(first, 0x4000, MEM | WIDE)], msix=(33, 0, 0x3000, 0x2000), **more)


def e1000e(m, where, group, first, **more):
    return m.add(where, "8086:10d3", 0x020000, driver=more.pop("driver", "e1000e"), group=group,
                 bars=[bar(first, 0x20000), NONE, bar(0xE000, 0x20, IO), bar(first + 0x20000, 0x4000)],
                 msix=(5, 3, 0, 0x2000), **more)


def root_on_nvme(m, f):
    disk = m.disk(f, "nvme0n1", "nvme/nvme0", (259, 0), ["nvme0n1p1", "nvme0n1p2"])
    m.mount("259:2", "/", "/dev/nvme0n1p2")
    m.mount("259:1", "/boot/efi", "/dev/nvme0n1p1", "vfat")
    return disk


def chipset(m, group, route=True):
    """ISA bridge, SMBus and network, functions of one device without ACS: one group."""
    m.add("00:1f.0", "8086:a305", 0x060100, express=None, group=group, multi=True, power=False, reset="")
    m.add("00:1f.4", "8086:a323", 0x0C0500, express=None, group=group, multi=True, power=False, reset="",
          driver="i801_smbus", bars=[bar(0xA1418000, 0x100, MEM | WIDE)])
    nic = m.add("00:1f.6", "8086:15bc", 0x020000, express=None, group=group, multi=True, flr=False, soft=True,
                af=True, reset="af_flr pm", driver="e1000e", bars=[bar(0xA1400000, 0x20000)])
    m.interface(nic, "eno1")
    if route:
        m.route("eno1", six=True)
    return nic


def desktop_gpu():
    m = Machine("desktop-gpu", "A desktop: a graphics card behind a root port without ACS, the chipset's functions in one\n"
                "group, a system on NVMe, a keyboard.", unit=Vtd(), bits=39, memory=32 << 20,
                cmdline="root=/dev/nvme0n1p2 ro quiet intel_iommu=on")
    m.host_bridge()
    m.port("00:01.0", "8086:1901", to=1, group=1)
    m.add("01:00.0", "10de:1b80", 0x030000, driver="nouveau", group=1, multi=True, reset="bus", flr=False, soft=False,
          bars=[bar(0xA0000000, 0x1000000), bar(0x90000000, 0x10000000, MEM | WIDE | PREF)], boot_vga=False)
    m.add("01:00.1", "10de:10f0", 0x040300, driver="snd_hda_intel", group=1, multi=True, reset="", flr=False,
          bars=[bar(0xA1080000, 0x4000)])
    display = m.add("00:02.0", "8086:3e98", 0x030000, driver="i915", group=2, express=9, reset="flr", boot_vga=True,
                    bars=[bar(0xA2000000, 0x1000000, MEM | WIDE), NONE, bar(0x80000000, 0x10000000, MEM | WIDE | PREF)])
    m.link("sys/class/graphics/fb0", display.path + "/graphics/fb0")
    usb = m.add("00:14.0", "8086:a36d", 0x0C0330, driver="xhci_hcd", group=3, express=None, reset="pm", soft=True,
                flr=False, bars=[bar(0xA1400000 + 0x20000, 0x10000, MEM | WIDE)])
    m.keyboards.append(usb)
    m.unit.rmrr = [(0x7B800000, 0x7FFFFFFF, [display]), (0x79E0F000, 0x79E2EFFF, [usb])]
    m.group_ranges = {2: [(0x7B800000, 0x7FFFFFFF, "direct-relaxable")], 3: [(0x79E0F000, 0x79E2EFFF, "direct-relaxable")]}
    m.unit.scopes = [[display]]
    chipset(m, 4)
    m.port("00:1d.0", "8086:a330", to=2, group=5, acs=ROOT_PORT_ACS)
    disk = nvme(m, "02:00.0", 6, 0xA1300000)
    root_on_nvme(m, disk)
    m.write()


def server_isolated():
    m = Machine("server-isolated", "A server as it should be: two units, ACS on every port, each function in a group of its own.\n"
                "The system is on LVM on md on two disks; the way out is a VLAN on a bond of two ports.",
                unit=Vtd(**SERVER), cmdline="root=/dev/mapper/vg-root ro quiet intel_iommu=on")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, group=1, acs=ROOT_PORT_ACS, numa=0)
    m.port("00:03.0", "8086:2031", to=2, group=2, acs=ROOT_PORT_ACS, numa=0)
    first = m.add("01:00.0", "8086:1572", 0x020000, driver="i40e", group=3, multi=True, acs=(0, 0), numa=0,
                  bars=[bar(0xC7000000, 0x1000000, MEM | WIDE | PREF), NONE, NONE, bar(0xC8008000, 0x8000, MEM | WIDE | PREF)],
                  msix=(129, 3, 0, 0x1000))
    second = m.add("01:00.1", "8086:1572", 0x020000, driver="i40e", group=4, multi=True, acs=(0, 0), numa=0,
                   bars=[bar(0xC6000000, 0x1000000, MEM | WIDE | PREF), NONE, NONE, bar(0xC8000000, 0x8000, MEM | WIDE | PREF)],
                   msix=(129, 3, 0, 0x1000))
    free = nvme(m, "02:00.0", 5, 0xC9000000, numa=0)
    m.disk(free, "nvme0n1", "nvme/nvme0", (259, 0))
    sata = m.add("00:17.0", "8086:a1d2", 0x010601, driver="ahci", group=6, express=None, reset="", flr=False,
                 bars=[bar(0xC9102000, 0x2000), bar(0xC9105000, 0x100), bar(0x3050, 8, IO)])
    parts = [m.disk(sata, name, f"ata{n}/host{n}/target{n}:0:0/{n}:0:0:0", number, [name + "1", name + "2"])
             for n, (name, number) in enumerate((("sda", (8, 0)), ("sdb", (8, 16))))]
    array = m.virtual("md0", (9, 0), [p + "/" + p[-3:] + "2" for p in parts])
    m.virtual("dm-0", (253, 0), [array])
    m.virtual("dm-1", (253, 1), [array])
    m.link("dev/mapper/vg-root", "dev/dm-0")
    m.mount("253:0", "/", "/dev/mapper/vg-root")
    m.mount("8:1", "/boot/efi", "/dev/sda1", "vfat")
    m.swaps.append("/dev/dm-1                               partition\t8388604\t\t0\t\t-2")
    bond = m.above_interface("bond0", [m.interface(first, "ens1f0"), m.interface(second, "ens1f1")])
    m.above_interface("bond0.100", [bond])
    m.route("bond0.100")
    m.port("00:1c.0", "8086:a190", to=3, group=7, acs=ROOT_PORT_ACS)
    m.add("03:00.0", "8086:10fb", 0x020000, driver="ixgbe", group=8, numa=0,
          bars=[bar(0xC7F00000, 0x80000, MEM | WIDE | PREF), NONE, bar(0x2020, 0x20, IO), NONE, bar(0xC7F80000, 0x4000, MEM | WIDE)],
          msix=(64, 4, 0, 0x2000))
    m.unit.scopes = [[f for f in m.functions if f.where in ("0000:00:02.0", "0000:00:03.0")]]
    m.write()


def raid_rmrr():
    m = Machine("raid-rmrr", "A server whose firmware keeps a range mapped for the RAID controller and the management controller.",
                unit=Vtd(**SERVER), cmdline="root=/dev/sdb2 ro quiet intel_iommu=on iommu=pt")
    m.host_bridge("8086:0e00")
    m.port("00:02.0", "8086:0e04", to=3, group=10, acs=ROOT_PORT_ACS)
    raid = m.add("03:00.0", "103c:323b", 0x010400, driver="hpsa", group=11,
                 bars=[bar(0xF7F00000, 0x100000, MEM | WIDE), NONE, bar(0xF7EF0000, 0x400, MEM | WIDE)],
                 msix=(64, 0, 0xE000, 0xF000))
    m.disk(raid, "sda", "host0/target0:1:0/0:1:0:0", (8, 0), ["sda1"])
    m.mount("8:1", "/srv", "/dev/sda1", "xfs")
    m.port("00:1c.0", "8086:1d10", to=1, group=12, acs=ROOT_PORT_ACS)
    ilo = [m.add("01:00.0", "103c:3306", 0x088000, driver="hpwdt", group=13, multi=True, reset="", flr=False,
                 bars=[bar(0x3000, 0x100, IO), bar(0xF7EE0000, 0x200)]),
           m.add("01:00.2", "103c:3307", 0x088000, driver="hpilo", group=13, multi=True, reset="", flr=False,
                 bars=[bar(0x3400, 0x100, IO), bar(0xF7EE0200, 0x100)])]
    m.port("00:1c.7", "8086:1d1e", to=2, group=14, acs=ROOT_PORT_ACS)
    nic = e1000e(m, "02:00.0", 15, 0xF7A00000)
    m.interface(nic, "ens3")
    m.unit.rmrr = [(0xBDF83000, 0xBDF84FFF, [raid] + ilo)]
    m.group_ranges = {11: [(0xBDF83000, 0xBDF84FFF, "direct")], 13: [(0xBDF83000, 0xBDF84FFF, "direct")]}
    m.group_types = {None: "identity"}
    m.write()


def laptop_usb():
    m = Machine("laptop-usb", "A laptop whose unit translates 39 bits, behind a CPU of 46; firmware's USB keyboard has a range of\n"
                "its own, which the kernel lets go. With much memory.",
                unit=Vtd(cap=0x01C0000C40660462, ecap=0x0000019E2FF0505E), memory=1 << 30,
                cmdline="root=/dev/nvme0n1p2 ro quiet intel_iommu=on,sm_on")
    m.host_bridge("8086:9b61")
    usb = m.add("00:14.0", "8086:02ed", 0x0C0330, driver="xhci_hcd", group=1, express=None, reset="pm", soft=True,
                flr=False, bars=[bar(0xCC320000, 0x10000, MEM | WIDE)])
    m.unit.rmrr = [(0x8A80E000, 0x8AA57FFF, [usb])]
    m.group_ranges = {1: [(0x8A80E000, 0x8AA57FFF, "direct-relaxable")]}
    m.port("00:1d.0", "8086:02b0", to=1, group=2, acs=ROOT_PORT_ACS)
    disk = nvme(m, "01:00.0", 3, 0xCC100000)
    root_on_nvme(m, disk)
    m.add("00:14.3", "8086:02f0", 0x028000, driver="iwlwifi", group=4, express=9, reset="flr",
          bars=[bar(0xCC330000, 0x4000, MEM | WIDE)], msix=(16, 0, 0x2010, 0x3000))
    m.write()


def broken_reset():
    m = Machine("broken-reset", "Cards that know no reset: a graphics card whose two functions share their bus, in one group; and\n"
                "two ports of a switch, of which one has a card with No_Soft_Reset set and no FLR. FLR of another is\n"
                "broken, and the kernel knows. A bus with cards of two groups on it.",
                unit=Vtd(**SERVER), cmdline="root=/dev/vda1 ro intel_iommu=on")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, group=1, acs=ROOT_PORT_ACS)
    m.add("01:00.0", "1002:67df", 0x030000, driver="amdgpu", group=2, multi=True, reset="", flr=False,
          bars=[bar(0x90000000, 0x10000000, MEM | WIDE | PREF), NONE, bar(0xA0000000, 0x200000, MEM | WIDE | PREF)])
    m.add("01:00.1", "1002:aaf0", 0x040300, driver="snd_hda_intel", group=2, multi=True, reset="", flr=False,
          bars=[bar(0xA0260000, 0x4000, MEM | WIDE)])
    m.port("00:03.0", "8086:2031", to=2, last=4, group=3, acs=ROOT_PORT_ACS)
    m.port("02:00.0", "10b5:8747", to=3, last=4, express=5, group=4)
    m.port("03:08.0", "10b5:8747", to=4, express=6, group=5, acs=(0x1D, ISOLATES))
    m.add("04:00.0", "1b21:0612", 0x010601, driver="ahci", group=6, reset="", flr=False, bars=[bar(0xA0400000, 0x200)])
    m.port("00:1c.0", "8086:a190", to=5, group=7, acs=ROOT_PORT_ACS)
    m.add("05:00.0", "144d:a804", 0x010802, driver="nvme", group=8, reset="pm bus", soft=True,
          bars=[bar(0xA0500000, 0x4000, MEM | WIDE)], msix=(8, 0, 0x3000, 0x2000))
    m.port("00:1c.4", "8086:a194", to=6, group=9, acs=ROOT_PORT_ACS)
    for number in (0, 1):
        m.add(f"06:00.{number}", "8086:1521", 0x020000, driver="igb", group=10 + number, multi=True, acs=(0, 0), reset="",
              flr=False, bars=[bar(0xA0600000 + 0x100000 * number, 0x80000)])
    m.write()


def sriov():
    m = Machine("sriov", "A network card with two virtual functions on, one of them with vfio-pci; and one that a guest has as\n"
                "a whole while a virtual function of it is on. An accelerator is on vfio-pci's list of those that it refuses.",
                unit=Vtd(**SERVER), cmdline="root=/dev/vda1 ro intel_iommu=on")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=2, group=1, acs=ROOT_PORT_ACS)
    physical = m.add("02:00.0", "8086:10fb", 0x020000, driver="ixgbe", group=2, sriov=63, vfs=2, ats=False,
                     bars=[bar(0xC7F00000, 0x80000, MEM | WIDE | PREF)], msix=(64, 0, 0, 0x2000))
    above = m.above("02:00.0")
    for i, driver in ((0, "vfio-pci"), (1, "ixgbevf")):
        m.add(f"02:10.{2 * i}", "8086:10ed", 0x020000, above=above, driver=driver, group=3 + i, physical=physical,
              reset="flr", power=False, bars=[bar(0xC8000000 + 0x4000 * i, 0x4000, MEM | WIDE)], msix=(3, 0, 0, 0x2000))
    m.interface(physical, "ens2")
    m.port("00:03.0", "8086:2031", to=3, group=5, acs=ROOT_PORT_ACS)
    given = m.add("03:00.0", "8086:1572", 0x020000, driver="vfio-pci", group=6, sriov=64, vfs=1, ats=True,
                  bars=[bar(0xC6000000, 0x1000000, MEM | WIDE | PREF)], msix=(129, 0, 0x10, 0x1000))
    m.add("03:02.0", "8086:154c", 0x020000, above=m.above("03:00.0"), driver=None, group=7, physical=given, reset="flr",
          power=False, bars=[bar(0xC5000000, 0x10000, MEM | WIDE | PREF)], msix=(5, 0, 0x1000, 0x2000))
    m.port("00:1c.0", "8086:a190", to=4, group=8, acs=ROOT_PORT_ACS)
    m.add("04:00.0", "15b3:1017", 0x020000, driver="mlx5_core", group=9, sriov=8, vfs=0, ats=False,
          bars=[bar(0xC2000000, 0x2000000, MEM | WIDE | PREF)], msix=(64, 0, 0x2000, 0x3000))
    m.port("00:1c.4", "8086:a194", to=5, group=10, acs=ROOT_PORT_ACS)
    m.add("05:00.0", "8086:37c8", 0x0B4000, driver="c6xx", group=11, bars=[bar(0xC1000000, 0x40000, MEM | WIDE)])
    m.write()


def quad_nic():
    m = Machine("quad-nic", "A network card of four functions without ACS of its own: one group, and the host's way out is one of\n"
                "them, below a bridge.", unit=Vtd(**SERVER), cmdline="root=/dev/vda1 ro intel_iommu=on")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, group=1, acs=ROOT_PORT_ACS)
    nics = [m.add(f"01:00.{i}", "8086:1521", 0x020000, driver="igb", group=2, multi=True, reset="flr",
                  bars=[bar(0xC7000000 + 0x100000 * i, 0x80000)], msix=None) for i in range(4)]
    paths = [m.interface(f, f"ens1f{i}") for i, f in enumerate(nics)]
    m.above_interface("br0", [paths[0]])
    m.route("br0")
    m.write()


def old_bridge():
    m = Machine("old-bridge", "Two conventional cards behind a bridge from PCI Express: the bridge puts its own id on what they send.",
                unit=Vtd(**SERVER), cmdline="root=/dev/vda1 ro intel_iommu=on")
    m.host_bridge("8086:2020")
    m.port("00:1c.0", "8086:a190", to=1, last=2, group=1, acs=ROOT_PORT_ACS)
    m.port("01:00.0", "10b5:8112", to=2, express=7, group=2, driver=None)
    m.add("02:00.0", "1102:0004", 0x040100, driver="snd_emu10k1", group=2, express=None, reset="bus", flr=False, power=False,
          bars=[bar(0x3000, 0x40, IO)])
    m.add("02:01.0", "8086:107c", 0x020000, driver="e1000", group=2, express=None, reset="pm", flr=False, soft=True,
          bars=[bar(0xF7A00000, 0x20000)])
    m.write()


def no_iommu():
    m = Machine("no-iommu", "Firmware has no IOMMU, or has it switched off.", unit=None, groups=False, ir=False)
    m.host_bridge("8086:1237")
    m.port("00:1c.0", "8086:8c10", to=1)
    e1000e(m, "01:00.0", None, 0xF7A00000)
    m.write()


def iommu_off():
    m = Machine("iommu-off", "Firmware describes units, and the command line has the kernel leave them off.",
                unit=Vtd(used=False, **SERVER), groups=False, ir=False, cmdline="root=/dev/vda1 ro intel_iommu=on iommu=off intel_iommu=off")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, acs=ROOT_PORT_ACS)
    e1000e(m, "01:00.0", None, 0xF7A00000)
    usb = m.add("00:14.0", "8086:a1af", 0x0C0330, driver="xhci_hcd", express=None, reset="pm", soft=True, flr=False,
                bars=[bar(0xF7B00000, 0x10000, MEM | WIDE)])
    raid = m.add("00:17.0", "8086:2826", 0x010400, driver="megaraid_sas", express=None, reset="pm", soft=True, flr=False,
                 bars=[bar(0xF7C00000, 0x2000)])
    m.unit.rmrr = [(0x6F000000, 0x6F00FFFF, [usb]), (0x6F100000, 0x6F10FFFF, [raid])]
    m.write()


def noiommu_mode():
    m = Machine("noiommu-mode", "VFIO's no-IOMMU mode: a group that VFIO made up, and nothing that contains it.",
                unit=None, groups="noiommu", ir=False, cmdline="root=/dev/vda1 ro vfio.enable_unsafe_noiommu_mode=1")
    m.host_bridge("8086:1237", group=None)
    m.port("00:1c.0", "8086:8c10", to=1)
    e1000e(m, "01:00.0", 0, 0xF7A00000, driver="vfio-pci")
    m.put("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y")
    m.files.append("dev/vfio/ noiommu-0 vfio")
    m.write()


def amd_passthrough():
    m = Machine("amd-passthrough", "An AMD workstation with iommu=pt: a unity range for one disk controller, a graphics card that\n"
                "cannot be reset, and another that can. The unit has four levels, the CPU 52 bits.", cpu="AuthenticAMD", bits=52,
                cmdline="root=/dev/nvme0n1p2 ro quiet amd_iommu=on iommu=pt")
    m.host_bridge("1022:1480", group=None)
    m.unit = Amdvi(m)
    m.port("00:01.1", "1022:1483", to=1, group=1, acs=(0x5F, ISOLATES))
    disk = nvme(m, "01:00.0", 2, 0xFCF00000)
    root_on_nvme(m, disk)
    m.port("00:03.1", "1022:1483", to=2, group=3, acs=(0x5F, ISOLATES))
    m.add("02:00.0", "1002:73bf", 0x030000, driver="amdgpu", group=4, reset="", flr=False,
          bars=[bar(0x7C00000000, 0x400000000, MEM | WIDE | PREF), NONE, bar(0x7BF0000000, 0x10000000, MEM | WIDE | PREF)])
    m.port("00:03.2", "1022:1483", to=3, group=5, acs=(0x5F, ISOLATES))
    m.add("03:00.0", "10de:2484", 0x030000, driver="nvidia", group=6, reset="flr bus", boot_vga=True,
          bars=[bar(0xFA000000, 0x1000000), bar(0x6000000000, 0x200000000, MEM | WIDE | PREF)])
    m.port("00:07.1", "1022:1484", to=4, group=7, acs=(0x5F, ISOLATES))
    sata = m.add("04:00.0", "1022:7901", 0x010601, driver="ahci", group=8, reset="flr bus", bars=[bar(0xFCA00000, 0x800)])
    m.unit.unity = [(0x9D500000, 0x20000, sata)]
    m.group_ranges = {8: [(0x9D500000, 0x9D51FFFF, "direct")]}
    m.group_types = {None: "identity"}
    m.write()


def acs_override():
    m = Machine("acs-override", "pcie_acs_override= on the command line: two cards behind root ports of one device that do not\n"
                "isolate, in groups of their own, as was asked for.", unit=Vtd(), bits=39, memory=32 << 20,
                cmdline="root=/dev/vda1 ro intel_iommu=on pcie_acs_override=downstream,multifunction")
    m.host_bridge()
    m.port("00:01.0", "8086:1901", to=1, group=1, multi=True)
    m.port("00:01.1", "8086:1905", to=2, group=2, multi=True)
    m.add("01:00.0", "10de:1b80", 0x030000, driver="nouveau", group=3, multi=True, reset="bus", flr=False,
          bars=[bar(0x90000000, 0x10000000, MEM | WIDE | PREF)])
    m.add("01:00.1", "10de:10f0", 0x040300, driver="snd_hda_intel", group=4, multi=True, reset="", flr=False,
          bars=[bar(0xA1080000, 0x4000)])
    e1000e(m, "02:00.0", 5, 0xA1200000)
    m.port("00:1d.0", "8086:a330", to=3, group=6, acs=ROOT_PORT_ACS)
    nvme(m, "03:00.0", 7, 0xA1300000)
    m.write()


def no_remapping():
    m = Machine("no-remapping", "Interrupt remapping is off.", unit=Vtd(**SERVER), ir=False,
                cmdline="root=/dev/vda1 ro intel_iommu=on intremap=off")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, group=1, acs=ROOT_PORT_ACS)
    e1000e(m, "01:00.0", 2, 0xF7A00000)
    m.put("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "N")
    m.write()


def unsafe_interrupts():
    m = Machine("unsafe-interrupts", "Firmware says that interrupts cannot be remapped, and VFIO was told to go on; with few mappings.",
                unit=Vtd(flags=0, **SERVER), ir=False,
                cmdline="root=/dev/vda1 ro intel_iommu=on")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, group=1, acs=ROOT_PORT_ACS)
    e1000e(m, "01:00.0", 2, 0xF7A00000)
    m.put("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y")
    m.put("sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "1024")
    m.write()


def no_root():
    m = Machine("no-root", "Looked at by somebody who is not root: 64 bytes of configuration space, no tables.", root=False,
                unit=Vtd(**SERVER), cmdline="root=/dev/vda1 ro intel_iommu=on")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, group=1, acs=ROOT_PORT_ACS)
    e1000e(m, "01:00.0", 2, 0xF7A00000, reset=None)
    m.port("00:03.0", "8086:2031", to=2, group=3, acs=ROOT_PORT_ACS)
    nvme(m, "02:00.0", 4, 0xF7B00000, reset=None)
    m.write()


def switch():
    m = Machine("switch", "A switch with three ports: two have their redirection off (disable_acs_redir), one has it on. Each port\n"
                "and its disk are a group, as kernels form them. NVMe's multipath has the host's data on two of the disks.",
                unit=Vtd(**SERVER), cmdline="root=/dev/vda1 ro intel_iommu=on pci=disable_acs_redir=0000:03:00.0;0000:03:01.0")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=2, last=6, group=1, acs=ROOT_PORT_ACS)
    m.port("02:00.0", "10b5:8747", to=3, last=6, express=5, group=2)
    for i, on in enumerate((SV | UF, SV | UF, ISOLATES)):
        m.port(f"03:0{i}.0", "10b5:8747", to=4 + i, express=6, group=3 + i, acs=(0x5F, on))
    disks = [nvme(m, f"0{4 + i}:00.0", 3 + i if i < 2 else 6, 0xC9000000 + 0x100000 * i) for i in range(3)]
    for i in range(2):
        m.disk(disks[i], f"nvme0c{i}n1", f"nvme/nvme{i}", (259, 8 + i))
    path = "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1"
    m.link("sys/block/nvme0n1", path)
    m.link("sys/dev/block/259:1", path + "/nvme0n1p1")
    m.put(path + "/nvme0n1p1/partition", "1")
    m.mount("259:1", "/srv/my\\040data", "/dev/nvme0n1p1", "xfs")
    m.disk(disks[2], "nvme2n1", "nvme/nvme2", (259, 16))
    m.write()


def odd_settings():
    m = Machine("odd-settings", "The system is on ZFS, of which sysfs tells no disk; interrupts are remapped and nobody looks whose they\n"
                "are; a register lies where the CPU cannot reach; a card is gone from its link.", unit=Vtd(), bits=39, memory=32 << 20,
                cmdline="root=ZFS=rpool/ROOT/debian ro intel_iommu=on,sp_off intremap=nosid vfio_iommu_type1.allow_unsafe_interrupts=1")
    m.host_bridge()
    m.port("00:1c.0", "8086:a190", to=2, group=1, acs=ROOT_PORT_ACS)
    m.add("02:00.0", "10de:2484", 0x030000, driver="nouveau", group=2, boot_vga=False,
          bars=[bar(0xFA000000, 0x1000000), bar(0x18000000000, 0x200000000, MEM | WIDE | PREF)])
    m.port("00:1d.0", "8086:a330", to=3, group=3, acs=ROOT_PORT_ACS)
    disk = nvme(m, "03:00.0", 4, 0xA1300000)
    m.disk(disk, "nvme0n1", "nvme/nvme0", (259, 0), ["nvme0n1p1"])
    m.port("00:1d.4", "8086:a330", to=4, group=5, acs=ROOT_PORT_ACS)
    e1000e(m, "04:00.0", 6, 0xA1500000, silent=True, config=256)
    m.mount("0:27", "/", "rpool/ROOT/debian", "zfs")
    m.write()


def odd_names():
    m = Machine("odd-names", "Names that are no UTF-8, which the kernel lets people give: where a disk is mounted, what a pool is\n"
                "called.", unit=Vtd(**SERVER), cmdline="root=/dev/vda1 ro intel_iommu=on")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, group=1, acs=ROOT_PORT_ACS)
    disk = nvme(m, "01:00.0", 2, 0xA1300000)
    m.disk(disk, "nvme0n1", "nvme/nvme0", (259, 0))
    m.port("00:03.0", "8086:2031", to=2, group=3, acs=ROOT_PORT_ACS)
    nvme(m, "02:00.0", 4, 0xA1400000)
    m.mount("259:0", b"/srv/caf\xe9".decode("utf-8", "surrogateescape"), "/dev/nvme0n1", "xfs")
    m.mount("0:27", "/pool", b"tank\xff/data".decode("utf-8", "surrogateescape"), "zfs")
    m.write()


def broken_table():
    m = Machine("broken-table", "A DMAR whose unit lies at no page.", unit=Vtd(**SERVER), cmdline="root=/dev/vda1 ro intel_iommu=on")
    m.unit.base = lambda index: 0xFED90010
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, group=1, acs=ROOT_PORT_ACS)
    e1000e(m, "01:00.0", 2, 0xF7A00000)
    m.write()


def override_no_root():
    m = Machine("override-no-root", "pcie_acs_override=, looked at by somebody who is not root: neither groups nor registers tell.",
                root=False, unit=Vtd(**SERVER), cmdline="root=/dev/vda1 ro intel_iommu=on pcie_acs_override=downstream")
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, group=1, multi=True)
    m.port("00:02.1", "8086:2031", to=2, group=2, multi=True)
    e1000e(m, "01:00.0", 3, 0xF7A00000)
    e1000e(m, "02:00.0", 4, 0xF7B00000)
    m.write()


def old_kernel():
    m = Machine("old-kernel", "A kernel before 5.15, which lists no reset methods: registers tell, and whether there is a file to\n"
                "reset it with; FLR of the 82579 is broken. One function's configuration space is cut at 256 bytes, as without MCFG.", unit=Vtd(**SERVER), cmdline="root=/dev/vda1 ro intel_iommu=on")
    can, cannot = "config reset resource uevent", "config resource uevent"
    m.host_bridge("8086:2020")
    m.port("00:02.0", "8086:2030", to=1, group=1, acs=ROOT_PORT_ACS)
    e1000e(m, "01:00.0", 2, 0xF7A00000, reset=None, names=can)
    m.port("00:03.0", "8086:2031", to=2, group=3, acs=ROOT_PORT_ACS)
    nvme(m, "02:00.0", 4, 0xF7B00000, reset=None, flr=False, soft=True, config=256, names=can)
    m.port("00:1c.0", "8086:a190", to=3, group=5, acs=ROOT_PORT_ACS)
    m.add("03:00.0", "1b21:0612", 0x010601, driver="ahci", group=6, reset=None, flr=False, names=can,
          bars=[bar(0xF7C00000, 0x200)])
    m.add("00:17.0", "8086:a1d2", 0x010601, driver="ahci", group=7, express=None, reset=None, flr=False, names=cannot,
          bars=[bar(0xF7D00000, 0x2000)])
    m.add("00:1b.0", "8086:a1af", 0x0C0330, driver="xhci_hcd", group=8, express=None, reset=None, flr=False, af=True, names=can,
          bars=[bar(0xF7E00000, 0x10000, MEM | WIDE)])
    m.add("00:19.0", "8086:1502", 0x020000, driver="e1000e", group=9, express=None, reset=None, flr=False, af=True, names=cannot,
          bars=[bar(0xF7F00000, 0x20000)])
    m.write()


for make in (old_kernel, odd_names, odd_settings, broken_table, override_no_root, desktop_gpu, server_isolated, raid_rmrr, laptop_usb, broken_reset, sriov, quad_nic, old_bridge, no_iommu,
             iommu_off, noiommu_mode, amd_passthrough, acs_override, no_remapping, unsafe_interrupts, no_root, switch):
    make()
