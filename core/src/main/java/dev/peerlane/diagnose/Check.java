package dev.peerlane.diagnose;

import static dev.peerlane.diagnose.Severity.CANNOT;
import static dev.peerlane.diagnose.Severity.NOTE;
import static dev.peerlane.diagnose.Severity.REFUSED;
import static dev.peerlane.diagnose.Severity.WARNING;

import dev.peerlane.copy.planning.Unfit;
import java.util.EnumSet;
import java.util.stream.Stream;

/** The checks of the doctor, each with its title, meaning, cure and undo. */
public enum Check {
    /** No functions in the snapshot at all. */
    NO_SYSFS(
            "no-sysfs",
            CANNOT,
            "No PCI functions are visible",
            "/sys/bus/pci/devices holds nothing readable, as in many containers.",
            "Mount sysfs, run outside the container, or diagnose a capture.",
            "Nothing to undo."),
    /** A named device is missing. */
    DEVICE_ABSENT(
            "device-absent",
            CANNOT,
            "The device is not there",
            "No PCI function has this address. Its slot may be empty or powered off, its link may"
                    + " be down, or it may sit behind Intel VMD in another domain.",
            "Check the address; reseat the card; 'echo 1 > /sys/bus/pci/rescan' scans again.",
            "Nothing to undo."),
    /** A named device is something else. */
    NOT_NVME(
            "not-nvme",
            CANNOT,
            "The device is not an NVMe controller",
            "Its class code is not 010802h, so it has neither namespaces nor a CMB.",
            "Name an NVMe controller.",
            "Nothing to undo."),
    /** Bound to another driver. */
    DRIVER(
            "driver",
            CANNOT,
            "The device is not bound to vfio-pci",
            "Peerlane drives a device itself, through VFIO. This device has another driver or"
                    + " none.",
            "Bind it to vfio-pci, if it is not in use and need not keep its driver. The kernel's"
                    + " nvme driver loses it, so unmount its file systems first.",
            "Unbind it, which gives it back to its driver."),
    /** No IOMMU group. */
    NO_IOMMU(
            "no-iommu",
            CANNOT,
            "The IOMMU is off",
            "The function is in no IOMMU group, so VFIO can't hand it out.",
            "Turn the IOMMU on in the firmware (Intel: 'VT-d'; AMD: 'IOMMU' or 'AMD-Vi'). Linux"
                    + " then uses AMD's by default. Intel's may need intel_iommu=on on the kernel"
                    + " command line.",
            "Restore the kernel command line; turn the IOMMU off in the firmware."),
    /** Another driver holds functions of the group. */
    GROUP_NOT_VIABLE(
            "group-not-viable",
            CANNOT,
            "The IOMMU group is not viable",
            "VFIO hands out whole groups. Every endpoint in the group must be bound to vfio-pci"
                    + " or pci-stub, or have no driver. Bridges stay with pcieport: never unbind"
                    + " one.",
            "If the other functions are drives that you can do without, bind them too. Leave"
                    + " anything else where it is (a network card, a display, Intel's VMD) and"
                    + " move the card to a slot with a group of its own.",
            "Unbind them; move the card back."),
    /** RLIMIT_MEMLOCK. */
    MEMLOCK(
            "memlock",
            WARNING,
            "The limit on locked memory is low",
            "VFIO locks the memory of queues and PRP lists, and host buffers if the data goes"
                    + " through them. Beyond the limit, mapping fails with ENOMEM.",
            "Raise the limit of the shell or the service.",
            "Set the old limit."),
    /** No huge pages. */
    HUGEPAGES(
            "hugepages",
            NOTE,
            "There are no huge pages",
            "They make large host buffers cheaper to map. A peer-to-peer copy does not need them.",
            "Reserve some if much data goes through host memory.",
            "Free them again."),
    /** BAR beyond the IOMMU. */
    IOMMU_WIDTH(
            "iommu-width",
            CANNOT,
            "A BAR lies beyond what the IOMMU can address",
            "Peers must reach the memory at its own bus address, and the IOMMU supports fewer"
                    + " address bits.",
            "Firmware: lower 'MMIO High Base' (or 'MMIOH Base', 'Above 4G Decoding' base) and"
                    + " 'MMIO High Size'. In QEMU: -device intel-iommu,aw-bits=48.",
            "Set the old values in the firmware."),
    /** CONFIG_PCI_P2PDMA. */
    KERNEL_P2PDMA(
            "kernel-p2pdma",
            NOTE,
            "The kernel has no P2PDMA",
            "CONFIG_PCI_P2PDMA is off. The kernel can neither do peer-to-peer DMA itself (p2pmem"
                    + " with O_DIRECT) nor export BARs as dma-buf. VFIO type1 does not need it.",
            "Use a kernel with CONFIG_PCI_P2PDMA=y.",
            "Boot the old kernel."),
    /** CONFIG_VFIO_PCI. */
    KERNEL_VFIO(
            "kernel-vfio",
            CANNOT,
            "The kernel has no VFIO",
            "CONFIG_VFIO_PCI is off, so no program can drive a PCI device.",
            "Use a kernel with CONFIG_VFIO_PCI; distribution kernels have it.",
            "Boot the old kernel."),
    /** CONFIG_IOMMUFD. */
    KERNEL_IOMMUFD(
            "kernel-iommufd",
            NOTE,
            "The kernel has no iommufd",
            "CONFIG_IOMMUFD is off, so Peerlane uses VFIO type1. That is fine.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** iommufd without a way to map BARs. */
    KERNEL_DMABUF(
            "kernel-dmabuf",
            CANNOT,
            "The kernel can't map a peer's BAR for DMA",
            "The kernel has iommufd but not VFIO type1. iommufd maps BARs only as dma-buf"
                    + " exports, which need CONFIG_VFIO_PCI_DMABUF, in Linux 6.19 and later.",
            "Use a kernel with CONFIG_VFIO_IOMMU_TYPE1, or 6.19 with CONFIG_VFIO_PCI_DMABUF and"
                    + " CONFIG_PCI_P2PDMA.",
            "Boot the old kernel."),
    /** Lockdown. */
    LOCKDOWN(
            "lockdown",
            WARNING,
            "The kernel is locked down",
            "User space can neither write configuration space nor map BARs. So nothing can change"
                    + " ACS now, neither setpci nor Peerlane. VFIO works.",
            "Use kernel parameters instead of setpci, or turn Secure Boot off in the firmware.",
            "Turn Secure Boot on again."),
    /** ACS can't be read. */
    ACS_UNREADABLE(
            "acs-unreadable",
            REFUSED,
            "Access Control Services can't be read",
            "Only root may read configuration space past its first 64 bytes, so every bridge is"
                    + " assumed to redirect.",
            "Run as root, or have root take a capture.",
            "Nothing to undo."),
    /** Less than all of a configuration space. */
    CONFIG_CUT(
            "config-unreadable",
            REFUSED,
            "Configuration space is truncated",
            "Only root may read past its first 64 bytes. Payload sizes, errors and other"
                    + " obstacles to peer traffic are unknown, and whatever is unknown makes a"
                    + " no-go.",
            "Run as root, or have root take a capture.",
            "Nothing to undo."),
    /** Runtime suspended. */
    SUSPENDED(
            "suspended",
            REFUSED,
            "The function is suspended and was not read",
            "Reading its configuration space would wake it. vfio-pci lets a device that no"
                    + " program has open enter D3hot, and D3cold if the slot can cut its power;"
                    + " the ports above follow. In D3cold its CMB loses its content. A copy opens"
                    + " its drives, so they are awake then.",
            "Wake it for the examination. If a drive does not come back from D3cold, keep it"
                    + " awake with 'options vfio-pci disable_idle_d3=1' in /etc/modprobe.d before"
                    + " vfio-pci is loaded.",
            "Let it sleep again; remove the option."),
    /** RR. */
    ACS_REQUEST(
            "acs-request-redirect",
            REFUSED,
            "ACS redirects peer requests (RR)",
            "The port sends its device's requests to a peer up to the root complex instead of"
                    + " straight across the switch. The firmware or the kernel enabled this to"
                    + " isolate devices.",
            "Turn it off on the bridges of the route: now, if no device below is in a virtual"
                    + " machine; at every boot, with a kernel parameter (in GRUB, quote its ';')."
                    + " Devices below the switch can then reach each other unchecked, and IOMMU"
                    + " groups do not follow the change without a boot.",
            "Set the bits again; remove the parameter."),
    /** CR. */
    ACS_COMPLETION(
            "acs-completion-redirect",
            REFUSED,
            "ACS redirects peer completions (CR)",
            "The port sends its device's completions for a peer's reads up to the root complex.",
            "As for acs-request-redirect.",
            "As for acs-request-redirect."),
    /** EC. */
    ACS_EGRESS(
            "acs-egress-control",
            REFUSED,
            "ACS controls where peer requests may go (EC)",
            "The port blocks or redirects packets by a table of egress ports. Linux treats this"
                    + " as a redirect.",
            "As for acs-request-redirect.",
            "As for acs-request-redirect."),
    /** DT. */
    ACS_TRANSLATED(
            "acs-direct-translated",
            NOTE,
            "ACS routes translated requests directly (DT)",
            "If the initiator has ATS on, and IOMMU and driver use it, peer traffic goes straight"
                    + " across although the port redirects, and the isolation remains. Neither"
                    + " Linux's P2PDMA nor this verdict relies on it.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** ATS. */
    ATS(
            "ats",
            NOTE,
            "Address Translation Services are on",
            "The device queries the IOMMU itself and sends translated addresses, which a port"
                    + " with DT routes straight to the peer.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** Not on the list. */
    HOST_BRIDGE(
            "host-bridge-unknown",
            REFUSED,
            "The root complex is unknown",
            "The route goes through the root complex, and Linux trusts neither the processor nor"
                    + " the host bridge with peer traffic. Peer traffic may work, crawl, lose"
                    + " data without an error, or bring the machine down.",
            "Put both cards below one PCIe switch, or copy through host memory.",
            "Nothing to undo."),
    /** Only within one host bridge. */
    HOST_BRIDGE_PAIR(
            "host-bridge-pair",
            REFUSED,
            "The two ends are below different host bridges",
            "This root complex forwards peer traffic only between devices below one host bridge."
                    + " The link between sockets or tiles does not forward it.",
            "Move one card to a slot below the other's host bridge (the same socket).",
            "Move it back."),
    /** Writes only. */
    WRITES_ONLY(
            "root-writes-only",
            WARNING,
            "The root complex forwards peer writes only",
            "Intel client processors (between their own root ports, not the chipset's) and AMD"
                    + " before Zen drop or corrupt peer reads. Linux does not use them for"
                    + " peer-to-peer at all.",
            "Use the target's CMB: then only writes cross. Measure it.",
            "Nothing to undo."),
    /** Narrow link. */
    LINK(
            "link-below-best",
            WARNING,
            "A link runs below its capability",
            "Both ends of the link support more than it was trained to. Possible causes are a"
                    + " dirty contact, a riser, a slot with fewer lanes wired, or power saving.",
            "Reseat the card; try another slot. Firmware: set 'PCIe Link Speed' to Auto or to the"
                    + " right generation, and bifurcation as the card needs it.",
            "Nothing to undo."),
    /** MPS. */
    PAYLOAD(
            "payload-mismatch",
            REFUSED,
            "A sender's payload is larger than a receiver accepts",
            "A packet larger than Max_Payload_Size of any port on its route is malformed. That is"
                    + " a fatal error, not a slow path. Host traffic does not reveal it; peer"
                    + " traffic does.",
            "Boot with pci=pcie_bus_peer2peer, which gives every device the same size. Do not use"
                    + " setpci while the machine runs: the port above would still send larger"
                    + " packets to a device that was set to accept less.",
            "Remove the parameter."),
    /** RO. */
    RELAXED_ORDERING(
            "relaxed-ordering",
            WARNING,
            "Relaxed Ordering is on at the source",
            "Its writes may overtake each other, so no fence shows when the data has arrived."
                    + " Peerlane turns Relaxed Ordering off when it opens the device. If it stays"
                    + " on, Peerlane does not use a memory that needs a fence.",
            "Turn it off with setpci for other programs.",
            "Turn it on again."),
    /** AER. */
    ERRORS(
            "aer-errors",
            WARNING,
            "A port on the route has logged errors",
            "AER has recorded errors. Bad contacts and cables show here first, and a peer packet"
                    + " that met an error is lost data.",
            "Look at the kernel's log; reseat the card and the cable. The counters are reset at"
                    + " boot.",
            "Nothing to undo."),
    /** DPC triggered. */
    DPC_TRIGGERED(
            "dpc-triggered",
            CANNOT,
            "A port has contained its link",
            "Downstream Port Containment took the link down after an error. Everything below it"
                    + " is gone.",
            "Look at the kernel's log for the cause, then power-cycle the slot or reboot.",
            "Nothing to undo."),
    /** DPC armed. */
    DPC_ARMED(
            "dpc-armed",
            NOTE,
            "An error will take down a port on the route",
            "Downstream Port Containment is on. A bad peer packet takes down the device below the"
                    + " port instead of the machine. That is the better choice, so leave it on.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** VMD. */
    VMD(
            "vmd",
            WARNING,
            "The device is behind Intel VMD",
            "Its drives are in a PCI domain of their own (10000:) and in the one IOMMU group of"
                    + " the VMD controller, so VFIO can't hand out a single one.",
            "Firmware: turn 'Intel VMD' off for this slot's ports (under 'Intel VMD Technology'"
                    + " or 'Volume Management Device').",
            "Turn it on again; Intel VROC arrays need it."),
    /** Segments. */
    SEGMENTS(
            "segments",
            WARNING,
            "The two ends are in different PCI segments",
            "They have no common bridge, and each segment may have bus addresses of its own.",
            "Move one card into the other's segment.",
            "Move it back."),
    /** Collision. */
    ADDRESSES(
            "address-collision",
            REFUSED,
            "Two BARs share a bus address",
            "A packet for one would reach the other, which is silent corruption.",
            "Firmware: turn 'Above 4G Decoding' on, and give the segments separate ranges. Or"
                    + " move the card.",
            "Set the old values in the firmware."),
    /** NTB. */
    NTB(
            "ntb",
            WARNING,
            "There is a non-transparent bridge",
            "It joins this tree with another. There may be a second path between two endpoints,"
                    + " and writes over two paths arrive in any order. It also changes requester"
                    + " IDs.",
            "Use devices on one side of it, and do not use its windows during the copy.",
            "Nothing to undo."),
    /** Successive writes part. */
    SECOND_WAY(
            "second-way",
            REFUSED,
            "Successive packets take several paths",
            "There is a second path between the two ends, outside the tree, and each packet takes"
                    + " either one. Writes then arrive in any order, a completion proves nothing,"
                    + " and no fence is sound: neither sentinel, canary nor read-back. Reads are"
                    + " safe, because each has its own answer.",
            "Use the source's CMB: then the target reads, and nothing is written across. Or have"
                    + " the fabric send all packets of a pair along one path.",
            "Nothing to undo."),
    /** Stopped by a port. */
    ROUTE_STOPPED(
            "route-stopped",
            REFUSED,
            "A port blocks the packets",
            "Access Control Services block them instead of sending them up: egress control (EC)"
                    + " without redirect, translated requests that are blocked (TB), or a"
                    + " redirect below a port that forwards nothing (no UF). A write is lost"
                    + " silently.",
            "At the named port, turn the named bit off, or turn UF on if it is missing.",
            "Set the bit as it was."),
    /** Reading back proves nothing. */
    FENCE_READBACK(
            "fence-readback",
            CANNOT,
            "A read-back is not a fence here",
            "A load pushes earlier writes ahead of it only on their own path, straight across a"
                    + " switch, and only if the CMB's owner lets no load overtake what it still"
                    + " buffers.",
            "Let Peerlane choose the fence.",
            "Nothing to undo."),
    /** A block longer than a transfer. */
    BLOCKS(
            "blocks-do-not-fit",
            CANNOT,
            "The block sizes of the two sides don't fit",
            "A block of one side is longer than the other side's longest transfer. No command can"
                    + " move it, whatever memory carries it.",
            "Reformat one of them to a smaller block size.",
            "Reformat it back; both destroy its content."),
    /** Several switches. */
    SWITCHES(
            "several-switches",
            NOTE,
            "The route crosses several switches",
            "A tree still has only one path, so order is kept. Each switch adds delay, and the"
                    + " links between them are shared.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** Asymmetric redirect. */
    PATHS(
            "paths-differ",
            WARNING,
            "Requests and answers take different paths",
            "Only some ports of the route redirect, so the packets of one exchange go partly"
                    + " across the switch and partly over the root complex. No order holds"
                    + " between them.",
            "Make the ports alike: turn redirection off on all of them.",
            "Set the bits again."),
    /** Several root complexes. */
    SOCKETS(
            "numa-crossing",
            WARNING,
            "The route crosses sockets",
            "The two ends are on different NUMA nodes. On most machines, peer traffic between"
                    + " sockets is slow if it works at all.",
            "Move one card to a slot of the other's socket.",
            "Move it back."),
    /** Guest. */
    VIRTUAL(
            "virtual-machine",
            WARNING,
            "This is a virtual machine",
            "A guest sees a virtual PCI tree; the host's switches and root complex carry the"
                    + " packets. With a translating virtual IOMMU, QEMU has no direct path at"
                    + " all, so what Linux allows below one switch gives wrong data.",
            "Diagnose on the host, or with a capture of it; or measure.",
            "Nothing to undo."),
    /** No namespace. */
    NAMESPACE(
            "namespace-unsupported",
            CANNOT,
            "There is no usable namespace",
            "A copy moves whole blocks of 512 bytes to 64 KiB of the NVM command set, without"
                    + " metadata and without protection information.",
            "Name another namespace (DEVICE/nNSID), or format it that way, which destroys its"
                    + " content.",
            "Format it back; both destroy its content."),
    /** Write protected. */
    WRITE_PROTECTED(
            "write-protected",
            CANNOT,
            "The target can't be written",
            "Its namespace is write protected (NSATTR), or the controller put its media into"
                    + " read-only mode, as worn drives do.",
            "Choose another target, or lift the protection with the vendor's tool.",
            "Protect it again."),
    /** No CMB. */
    CMB_ABSENT(
            "cmb-absent",
            CANNOT,
            "The controller has no CMB",
            "CMBSZ is zero, or the CMB can't be used. This controller has no memory for peers.",
            "Use the other side's CMB, a third device's, or host memory.",
            "Nothing to undo."),
    /** CMB unknown. */
    CMB_UNKNOWN(
            "cmb-unknown",
            WARNING,
            "It is unknown whether the controller has a CMB",
            "The registers are in a BAR, which only the driver that holds the device can read.",
            "Open the device and query it, or measure.",
            "Nothing to undo."),
    /** Small. */
    CMB_SMALL(
            "cmb-small",
            CANNOT,
            "The CMB is too small",
            "It does not hold one block (the larger of both sides) and what the fence needs in"
                    + " addition: another block for a sentinel.",
            "Use another device's CMB.",
            "Nothing to undo."),
    /** Free, but for which blocks? */
    CMB_FIT_UNKNOWN(
            "cmb-fit-unknown",
            WARNING,
            "It is unknown whether the CMB can carry the data",
            "The answer depends on what only an opened device reports: how long its blocks are,"
                    + " and whether loads overtake writes in its CMB.",
            "Open the devices and plan the copy, or measure.",
            "Nothing to undo."),
    /** Alignment. */
    CMB_ALIGNMENT(
            "cmb-alignment",
            NOTE,
            "The kernel's P2PDMA can't use the whole CMB",
            "The kernel maps peer memory in pieces of 2 MiB. It refuses or truncates a CMB that"
                    + " is smaller, odd or not aligned. Peerlane uses any CMB.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** RDS. */
    CMB_RDS(
            "cmb-no-rds",
            CANNOT,
            "The CMB does not support its owner's Reads",
            "CMBSZ.RDS is 0, so the source can't Read into its own CMB.",
            "Use the target's CMB.",
            "Nothing to undo."),
    /** WDS. */
    CMB_WDS(
            "cmb-no-wds",
            CANNOT,
            "The CMB does not support its owner's Writes",
            "CMBSZ.WDS is 0, so the target can't Write from its own CMB.",
            "Use the source's CMB, if peer reads work, or a third device's.",
            "Nothing to undo.");

    private static final EnumSet<Check> OF_A_ROUTE =
            EnumSet.of(
                    ACS_UNREADABLE,
                    ACS_REQUEST,
                    ACS_COMPLETION,
                    ACS_EGRESS,
                    HOST_BRIDGE,
                    HOST_BRIDGE_PAIR,
                    WRITES_ONLY,
                    ROUTE_STOPPED);

    private final String code;
    private final Severity severity;
    private final String title;
    private final String meaning;
    private final String cure;
    private final String undo;

    Check(String code, Severity severity, String title, String meaning, String cure, String undo) {
        this.code = code;
        this.severity = severity;
        this.title = title;
        this.meaning = meaning;
        this.cure = cure;
        this.undo = undo;
    }

    /**
     * Returns the check that explains why a memory is unfit. A missing route is explained by the
     * obstacle on it, and by the root complex if there is no other obstacle.
     */
    static Check of(Unfit unfit) {
        if (unfit == Unfit.ROUTE) {
            return HOST_BRIDGE;
        }
        return Stream.of(values())
                .filter(c -> c.code.equals(unfit.code()))
                .findFirst()
                .orElseThrow();
    }

    /** Returns whether this check explains why a route is not permitted. */
    boolean isOfARoute() {
        return OF_A_ROUTE.contains(this);
    }

    /** Returns the stable name of the check. */
    public String code() {
        return code;
    }

    /** Returns the usual severity. A finding can have a lower one. */
    public Severity severity() {
        return severity;
    }

    /** Returns the title, one line. */
    public String title() {
        return title;
    }

    /** Returns what the finding means. */
    public String meaning() {
        return meaning;
    }

    /** Returns what to do about it. */
    public String cure() {
        return cure;
    }

    /** Returns how to undo the cure. */
    public String undo() {
        return undo;
    }
}
