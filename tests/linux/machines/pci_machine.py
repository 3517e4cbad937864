# SPDX-License-Identifier: BSD-2-Clause
"""tests/linux/machines/pci_machine.py - a PC's sysfs, as one snapshot: what machines.py says its machines in.

    m = Machine("name", unit=Vtd())
    port = m.port("00:01.0", "8086:1901", to=1)
    m.add("01:00.0", "10de:1b80", 0x030000, driver="nouveau", group=1)
    m.write()

Configuration space has the capabilities of PCI Express base 6.0 (7.5, 7.7, 7.8, 9.3) where a device of that
kind has them; DMAR and IVRS are laid out as VT-d chapter 8 and 48882 5.2 have them.
"""
import os
import struct

MEM, PREF, IO, WIDE = 0x40200, 0x2000, 0x40101, 0x100000
SV, RR, CR, UF = 0x01, 0x04, 0x08, 0x10
ISOLATES = SV | RR | CR | UF


class Config:
    """4096 bytes; capabilities are chained in the order in which they come."""

    def __init__(self):
        self.bytes = bytearray(4096)
        self.last, self.next = 0x34, 0x40
        self.last_extended, self.next_extended = None, 0x100

    def put(self, at, value, count):
        self.bytes[at : at + count] = value.to_bytes(count, "little")

    def capability(self, number, body):
        at = self.next
        self.bytes[self.last] = at
        self.put(6, self.bytes[6] | 0x10, 1)
        self.bytes[at : at + 2] = bytes([number, 0])
        self.bytes[at + 2 : at + 2 + len(body)] = body
        self.last, self.next = at + 1, (at + 2 + len(body) + 7) & ~7
        return at

    def extended(self, number, version, body):
        at = self.next_extended
        if self.last_extended is not None:
            self.put(self.last_extended + 2, (self.bytes[self.last_extended + 2] & 0xF) | (at << 4), 2)
        self.put(at, number | version << 16, 4)
        self.bytes[at + 4 : at + 4 + len(body)] = body
        self.last_extended, self.next_extended = at, (at + 4 + len(body) + 15) & ~15
        return at


class Function:
    """What is common to functions; keywords name what differs. `driver`, `group`, `reset` are the kernel's words."""

    defaults = dict(
        driver=None, group=None, reset="flr bus", bars=(), msix=None, flr=True, soft=False, power=True, express=0,
        acs=None, ats=None, sriov=None, vfs=0, physical=None, multi=False, boot_vga=None, numa=-1, subsystem=None,
        af=False, config=4096, advanced=None, net=(), disks=(), keyboard=False, rmrr=(), capability=None, to=None, last=None, silent=False,
        names=None,
    )

    def __init__(self, machine, where, ids, class_code, above, **more):
        unknown = set(more) - set(self.defaults)
        assert not unknown, unknown
        self.__dict__.update(self.defaults, **more)
        self.machine, self.class_code, self.above = machine, class_code, above
        self.where = where if where.count(":") == 2 else "0000:" + where
        self.vendor, self.device = (int(x, 16) for x in ids.split(":"))
        _, bus, rest = self.where.split(":")
        self.bus, self.slot, self.number = int(bus, 16), int(rest[:2], 16), int(rest[3])
        self.id = self.bus << 8 | self.slot << 3 | self.number

    @property
    def path(self):
        return (self.above.path if self.above else "sys/devices/pci" + self.where[:7]) + "/" + self.where

    def is_bridge(self):
        return self.to is not None

    def header(self):
        c = Config()
        virtual = self.physical is not None
        c.put(0, 0xFFFF if virtual else self.vendor, 2)
        c.put(2, 0xFFFF if virtual else self.device, 2)
        c.put(4, 0x0406 if not virtual else 0x0404, 2)
        c.put(8, self.class_code << 8 | 0x01, 4)
        c.put(0x0E, (1 if self.is_bridge() else 0) | (0x80 if self.multi else 0), 1)
        for i, (first, _, flags) in enumerate(self.bars):
            if virtual or not flags:
                continue
            low = 1 if flags & 0x100 else (4 if flags & WIDE else 0) | (8 if flags & PREF else 0)
            c.put(0x10 + 4 * i, (first & 0xFFFFFFFF) | low, 4)
            if flags & WIDE:
                c.put(0x14 + 4 * i, first >> 32, 4)
        if self.is_bridge():
            c.put(0x18, self.bus, 1)
            c.put(0x19, self.to, 1)
            c.put(0x1A, self.last if self.last is not None else self.to, 1)
        else:
            c.put(0x2C, self.vendor, 2)
            c.put(0x2E, self.device, 2)
            c.put(0x3D, 1 + self.number % 4, 1)
        return c

    def space(self):
        c = self.header()
        if self.power:
            c.capability(0x01, struct.pack("<HHH", 0xC803, 0x0000 if self.soft else 0x0008, 0))
        if self.capability:
            c.capability(self.capability[0], self.capability[1])
        c.capability(0x05, struct.pack("<HIIHxx", 0x0180, 0, 0, 0))
        if self.express is not None:
            # Capabilities, device capabilities and control, link capabilities, control and status.
            c.capability(0x10, struct.pack("<HIIIIIIII", 0x2 | self.express << 4, 0x8001 | (1 << 28 if self.flr else 0),
                                           0x2810, 0x0043D043, 0x10430040, 0, 0, 0, 0))
        if self.msix:
            count, bar, table, pending = self.msix
            c.capability(0x11, struct.pack("<HII", count - 1 | 0x8000, table | bar, pending | bar))
        if self.af:
            c.capability(0x13, bytes([6, 3, 0, 0]))
        if self.express is None:
            return c
        c.extended(0x0001, 2, bytes(0x44))
        if self.acs is not None:
            c.extended(0x000D, 1, struct.pack("<HH", self.acs[0], self.acs[1]))
        if self.ats is not None:
            c.extended(0x000F, 1, struct.pack("<HH", 0x0020, 0x8000 if self.ats else 0))
        if self.sriov:
            c.extended(0x0010, 1, struct.pack("<IHHHHHHHHHHI", 0, 9 if self.vfs else 0, 0, self.sriov, self.sriov,
                                              self.vfs, 0, 0x80, 2, 0, self.device + 1, 0x553) + bytes(28))
        return c


class Machine:
    """All the rest is files: put() says one, link() a link; write() orders nothing, so that related ones stay together."""

    def __init__(self, name, what, unit=None, cmdline="root=/dev/sda2 ro quiet", cpu="GenuineIntel", bits=46,
                 memory=64 << 20, ir=True, table=True, groups=True, root=True):
        self.name, self.what, self.unit, self.cmdline, self.cpu = name, what, unit, cmdline, cpu
        self.bits, self.memory, self.ir, self.table, self.groups, self.root = bits, memory, ir, table, groups, root
        self.functions, self.files, self.group_ranges, self.group_types = [], [], {}, {}
        self.mounts, self.keyboards, self.swaps = [], [], []
        self.routes, self.routes6 = [], []
        self.console = "tty0"
        self.unlisted = set()

    # --- files ---

    def put(self, path, text):
        self.files.append(f"{path} = {text}")

    def lines(self, path, lines):
        self.files.append(f"{path} |\n" + "".join(f"\t{line}\n" for line in lines).rstrip("\n"))

    def link(self, path, target):
        up = "../" * path.count("/")
        self.files.append(f"{path} -> {up}{target}")

    def blob(self, path, data):
        rows = [f"{path} : {len(data)}"]
        for at in range(0, len(data), 16):
            row = data[at : at + 16]
            if any(row):
                rows.append(f"\t{at:03x}: " + " ".join(f"{b:02x}" for b in row))
        self.files.append("\n".join(rows))

    # --- functions ---

    def above(self, where):
        bus = int((where if where.count(":") == 2 else "0000:" + where).split(":")[1], 16)
        found = [f for f in self.functions if f.is_bridge() and f.to == bus]
        return found[0] if found else None

    def add(self, where, ids, class_code, above=None, **more):
        function = Function(self, where, ids, class_code, above or self.above(where), **more)
        self.functions.append(function)
        return function

    def port(self, where, ids, to, last=None, express=4, acs=None, **more):
        """A root port; express 5, 6, 7: upstream, downstream, bridge to a conventional bus."""
        more.setdefault("driver", "pcieport")
        more.setdefault("reset", "")
        return self.add(where, ids, 0x060400, express=express, to=to, last=last, acs=acs, flr=False, soft=True, **more)

    def host_bridge(self, ids="8086:3e30", group=0):
        return self.add("00:00.0", ids, 0x060000, express=None, group=group, reset="", power=False)

    # --- disks, interfaces, mounts ---

    def disk(self, function, name, below, number, parts=()):
        # NVMe's disks are right below their controller, all others below "block".
        path = f"{function.path}/{below}/{name}" if below.startswith("nvme/") else f"{function.path}/{below}/block/{name}"
        self.link(f"sys/block/{name}", path)
        for i, part in enumerate(("",) + tuple(parts)):
            where = path + ("/" + part if part else "")
            major, minor = number
            self.link(f"sys/dev/block/{major}:{minor + i}", where)
            self.link(f"sys/class/block/{part or name}", where)
            self.put(f"{where}/size", "1953525168")
            if part:
                self.put(f"{where}/partition", str(i))
        return path

    def virtual(self, name, number, slaves):
        """dm-0, md0: on what."""
        path = f"sys/devices/virtual/block/{name}"
        self.link(f"sys/block/{name}", path)
        self.link(f"sys/dev/block/{number[0]}:{number[1]}", path)
        self.link(f"sys/class/block/{name}", path)
        for slave in slaves:
            self.link(f"{path}/slaves/{slave.rsplit('/', 1)[1]}", slave)
            self.link(f"{slave}/holders/{name}", path)
        return path

    def mount(self, number, where, device, kind="ext4"):
        self.mounts.append(f"{20 + len(self.mounts)} 1 {number} / {where} rw,relatime shared:1 - {kind} {device} rw")

    def interface(self, function, name, below="net"):
        path = f"{function.path}/{below}/{name}"
        self.link(f"sys/class/net/{name}", path)
        self.put(f"{path}/operstate", "up")
        return path

    def above_interface(self, name, lower):
        path = f"sys/devices/virtual/net/{name}"
        self.link(f"sys/class/net/{name}", path)
        for one in lower:
            self.link(f"{path}/lower_{one.rsplit('/', 1)[1]}", one)
        return path

    def route(self, interface, six=False):
        if six:
            self.routes6.append(f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 00000003 00000000 00000003 {interface:>8}")
        self.routes.append(f"{interface}\t00000000\t0102000A\t0003\t0\t0\t100\t00000000\t0\t0\t0")
        self.routes.append(f"{interface}\t0002000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0")

    # --- what the kernel makes of it ---

    def put_function(self, f):
        self.files.append(f"\n# {f.where}")
        self.link(f"sys/bus/pci/devices/{f.where}", f.path)
        for key, value, digits in (("vendor", f.vendor, 4), ("device", f.device, 4), ("subsystem_vendor", f.vendor, 4),
                                   ("subsystem_device", f.device, 4), ("class", f.class_code, 6), ("revision", 1, 2)):
            self.put(f"{f.path}/{key}", f"0x{value:0{digits}x}")
        bars = list(f.bars) + [(0, 0, 0)] * (13 - len(f.bars))
        self.lines(f"{f.path}/resource",
                   [f"0x{b:016x} 0x{b + n - 1 if n else 0:016x} 0x{flags:016x}" for b, n, flags in bars])
        data = bytes(f.space().bytes) if not f.silent else b"\xff" * 4096
        if f.express is None or f.config == 256:
            data = data[:256]
        self.blob(f"{f.path}/config", data if self.root else data[:64])
        self.put(f"{f.path}/numa_node", str(f.numa))
        self.put(f"{f.path}/driver_override", "(null)")
        if f.reset is not None:
            # Kernels hide it where they know no method.
            if f.reset:
                self.put(f"{f.path}/reset_method", f.reset)
        if f.names:
            self.files.append(f"{f.path}/ {f.names}")
        if f.driver:
            self.link(f"{f.path}/driver", f"sys/bus/pci/drivers/{f.driver}")
        if f.boot_vga is not None:
            self.put(f"{f.path}/boot_vga", str(int(f.boot_vga)))
        if f.sriov:
            self.put(f"{f.path}/sriov_totalvfs", str(f.sriov))
            self.put(f"{f.path}/sriov_numvfs", str(f.vfs))
        if f.physical:
            self.link(f"{f.path}/physfn", f.physical.path)
        if f.group is not None and self.groups:
            self.link(f"{f.path}/iommu_group", f"sys/kernel/iommu_groups/{f.group}")
            if self.unit and self.groups is True:
                self.link(f"{f.path}/iommu", f"sys/devices/virtual/iommu/{self.unit.name_of(f)}"
                          if self.unit.virtual else f"{self.unit.function.path}/iommu/{self.unit.name_of(f)}")

    def put_groups(self):
        self.files.append("\n# groups")
        numbers = sorted({f.group for f in self.functions if f.group is not None})
        for number in numbers:
            path = f"sys/kernel/iommu_groups/{number}"
            for f in self.functions:
                if f.group == number:
                    self.link(f"{path}/devices/{f.where}", f.path)
            if self.groups == "noiommu":
                self.put(f"{path}/name", "vfio-noiommu")
                continue
            self.put(f"{path}/type", self.group_types.get(number, self.group_types.get(None, "DMA-FQ")))
            ranges = self.group_ranges.get(number, []) + [(0xFEE00000, 0xFEEFFFFF, "msi")]
            if self.cpu == "AuthenticAMD":
                ranges = ranges + [(0xFD00000000, 0xFFFFFFFFFF, "reserved")]
            self.lines(f"{path}/reserved_regions", [f"0x{a:016x} 0x{b:016x} {kind}" for a, b, kind in sorted(ranges)])

    def put_proc(self):
        self.files.append("\n# the rest")
        self.put("proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz-6.12.9-amd64 " + self.cmdline)
        self.lines("proc/cpuinfo", ["processor\t: 0", f"vendor_id\t: {self.cpu}",
                                    f"address sizes\t: {self.bits} bits physical, 48 bits virtual"])
        self.lines("proc/meminfo", [f"MemTotal:       {self.memory:>8} kB"])
        prefix = "IR-" if self.ir else ""
        self.lines("proc/interrupts", ["            CPU0       CPU1",
                                       f"   0:         34          0  {prefix}IO-APIC    2-edge      timer",
                                       f" 120:          0          0  {prefix}PCI-MSI-0000:00:1c.0    0-edge      PCIe PME"])
        self.lines("proc/self/mountinfo", ["1 0 0:2 / /proc rw - proc proc rw"] + self.mounts)
        self.lines("proc/swaps", ["Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority"] + self.swaps)
        self.lines("proc/net/route", ["Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"]
                   + self.routes)
        self.lines("proc/net/ipv6_route", self.routes6 or [f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo"])
        self.put("sys/class/tty/console/active", self.console)
        if self.keyboards:
            self.lines("proc/bus/input/devices", [line for f in self.keyboards for line in
                       ['I: Bus=0003 Vendor=046d Product=c31c Version=0110', 'N: Name="Logitech USB Keyboard"',
                        f"S: Sysfs=/{f.path[4:]}/usb1/1-2/1-2:1.0/0003:046D:C31C.0001/input/input3",
                        "H: Handlers=sysrq kbd leds event3 ", "B: EV=120013", ""]])

    def write(self):
        extra, self.files = self.files, []
        for f in sorted(self.functions, key=lambda f: f.where):
            self.put_function(f)
        if self.groups:
            self.put_groups()
        if self.unit:
            self.unit.put(self)
        self.put_proc()
        directory = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(directory, self.name + ".snapshot"), "w", encoding="utf-8", errors="surrogateescape") as out:
            out.write("sallyport-snapshot 1\n# " + self.what.replace("\n", "\n# ") + "\n# Written by machines.py.\n")
            out.write("\n".join(self.files + extra) + "\n")


def table(signature, revision, body):
    """ACPI 5.2.6, with the sum right."""
    head = signature + struct.pack("<IBB", 36 + len(body), revision, 0) + b"SALLYPMACHINE " + struct.pack("<I4sI", 1, b"SLYP", 1)
    data = bytearray(head + body)
    data[9] = -sum(data) & 0xFF
    return bytes(data)


class Vtd:
    """Units of a DMAR. `scopes`: for each unit but the last, the functions that it covers by name; the last has the rest."""

    virtual = True

    def __init__(self, scopes=(), rmrr=(), used=True, cap=0x00D2008C40660462, ecap=0x0000000000F050DA, flags=1):
        self.scopes, self.rmrr, self.used, self.cap, self.ecap, self.flags = list(scopes), list(rmrr), used, cap, ecap, flags

    def base(self, index):
        return 0xFED90000 + 0x1000 * index

    def name_of(self, function):
        for i, scope in enumerate(self.scopes):
            above = function
            while above:
                if above in scope:
                    return f"dmar{i}"
                above = above.above
        return f"dmar{len(self.scopes)}"

    @staticmethod
    def scope(function):
        path, above = [], function
        while above:
            path.insert(0, bytes([above.slot, above.number]))
            first, above = above, above.above
        return struct.pack("<BBHBB", 2 if function.is_bridge() else 1, 6 + 2 * len(path), 0, 0, first.bus) + b"".join(path)

    def bytes(self):
        body = struct.pack("<BB10x", 38 if self.cap >> 16 & 0x3F == 38 else 45, self.flags)
        for i in range(len(self.scopes) + 1):
            last = i == len(self.scopes)
            scopes = b"".join(self.scope(f) for f in (() if last else self.scopes[i]))
            body += struct.pack("<HHBBHQ", 0, 16 + len(scopes), 1 if last else 0, 0, 0, self.base(i)) + scopes
        for first, last, functions in self.rmrr:
            scopes = b"".join(self.scope(f) for f in functions)
            body += struct.pack("<HHHHQQ", 1, 24 + len(scopes), 0, 0, first, last) + scopes
        return table(b"DMAR", 1, body)

    def put(self, machine):
        machine.files.append("\n# the units")
        if machine.table:
            path = "sys/firmware/acpi/tables/DMAR"
            machine.blob(path, self.bytes()) if machine.root else machine.files.append(path + " ! denied")
        for i in range(len(self.scopes) + 1 if self.used else 0):
            path = f"sys/devices/virtual/iommu/dmar{i}"
            machine.link(f"sys/class/iommu/dmar{i}", path)
            machine.put(f"{path}/intel-iommu/address", f"{self.base(i):x}")
            machine.put(f"{path}/intel-iommu/cap", f"{self.cap:x}")
            machine.put(f"{path}/intel-iommu/ecap", f"{self.ecap:x}")


class Amdvi:
    """One unit, which is function 00:00.2, and its IVRS."""

    virtual = False

    def __init__(self, machine, unity=(), used=True):
        self.unity, self.used = list(unity), used
        # 48882 3.2: header 1b03000f, base, range, miscellaneous: 48 bits virtual, 40 physical.
        self.function = machine.add("00:00.2", "1022:1481", 0x080600, express=None, power=False, group=None, reset="",
                                    capability=(0x0F, struct.pack("<HIIII", 0x1B03, 0xFEB80001, 0, 0, 0x00182840)))

    def name_of(self, _):
        return "ivhd0"

    def bytes(self):
        body = struct.pack("<I8x", 0x00203040)
        entries = struct.pack("<BHB", 3, 0x0003, 0) + struct.pack("<BHB", 4, 0xFFFE, 0)
        body += struct.pack("<BBHHHQHHIQQ", 0x11, 0xB0, 40 + len(entries), 0x0002, 0x40, 0xFEB80000, 0, 0, 0,
                            0x0000000000290362, 0) + entries
        for first, count, f in self.unity:
            body += struct.pack("<BBHHHQQQ", 0x21, 7, 32, f.id, 0, 0, first, count)
        return table(b"IVRS", 2, body)

    def put(self, machine):
        machine.files.append("\n# the unit")
        if machine.table:
            path = "sys/firmware/acpi/tables/IVRS"
            machine.blob(path, self.bytes()) if machine.root else machine.files.append(path + " ! denied")
        if self.used:
            path = f"{self.function.path}/iommu/ivhd0"
            machine.link("sys/class/iommu/ivhd0", path)
            machine.put(f"{path}/amd-iommu/cap", "1b03000f")
            machine.put(f"{path}/amd-iommu/features", "290362")
