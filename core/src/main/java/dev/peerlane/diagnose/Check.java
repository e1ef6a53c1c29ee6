package dev.peerlane.diagnose;

import static dev.peerlane.diagnose.Severity.CANNOT;
import static dev.peerlane.diagnose.Severity.NOTE;
import static dev.peerlane.diagnose.Severity.REFUSED;
import static dev.peerlane.diagnose.Severity.WARNING;

import dev.peerlane.copy.planning.Unfit;
import java.util.EnumSet;
import java.util.stream.Stream;

/** The table of all that the doctor knows. */
public enum Check {
    /** No functions in the snapshot at all. */
    NO_SYSFS(
            "no-sysfs",
            CANNOT,
            "No PCI functions can be seen",
            "/sys/bus/pci/devices holds nothing that can be read, as in many containers.",
            "Mount sysfs, run outside the container, or diagnose a capture.",
            "Nothing is changed."),
    /** A named device is missing. */
    DEVICE_ABSENT(
            "device-absent",
            CANNOT,
            "The device is not there",
            "No PCI function has this address. Its slot may be empty or off, its link down, or it"
                    + " sits behind Intel VMD under another domain.",
            "Check the address; reseat the card; 'echo 1 > /sys/bus/pci/rescan' looks again.",
            "Nothing to undo."),
    /** A named device is something else. */
    NOT_NVME(
            "not-nvme",
            CANNOT,
            "The device is no NVMe controller",
            "Its class code is not 010802h, so it has neither namespaces nor a CMB.",
            "Name an NVMe controller.",
            "Nothing to undo."),
    /** Bound to another driver. */
    DRIVER(
            "driver",
            CANNOT,
            "The device is not with vfio-pci",
            "Peerlane drives a device itself, through VFIO; another driver, or none, holds it.",
            "Bind it to vfio-pci, if it is not in use and needn't stay. The kernel's nvme driver"
                    + " loses it: unmount first.",
            "Unbind it, which gives it back to its driver."),
    /** No IOMMU group. */
    NO_IOMMU(
            "no-iommu",
            CANNOT,
            "The IOMMU is off",
            "The function is in no IOMMU group, so VFIO can't hand it out.",
            "Turn it on in the firmware (Intel: 'VT-d'; AMD: 'IOMMU' or 'AMD-Vi'). Linux then uses"
                    + " AMD's unless told not to; Intel's may want intel_iommu=on on the kernel"
                    + " command line.",
            "Set the kernel command line as it was; turn it off in the firmware."),
    /** Somebody else in the group. */
    GROUP_NOT_VIABLE(
            "group-not-viable",
            CANNOT,
            "The IOMMU group is not viable",
            "VFIO hands out whole groups: every endpoint in it must be with vfio-pci, with pci-stub"
                    + " or with no driver. Bridges stay with pcieport: never unbind one.",
            "Where the others are drives that you can do without, bind them too. Leave anything"
                    + " else where it is (a network card, a display, Intel's VMD) and move the card to"
                    + " a slot with a group of its own.",
            "Unbind them; move the card back."),
    /** RLIMIT_MEMLOCK. */
    MEMLOCK(
            "memlock",
            WARNING,
            "Little memory may be locked",
            "VFIO locks the memory of queues and PRP lists, and of host buffers where the data goes"
                    + " through them; past the limit mapping fails with ENOMEM.",
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
            "Peers must reach the memory under its own bus address, and the IOMMU has fewer bits.",
            "Firmware: lower 'MMIO High Base' (or 'MMIOH Base', 'Above 4G Decoding' base) and"
                    + " 'MMIO High Size'. In QEMU: -device intel-iommu,aw-bits=48.",
            "Set the old values in the firmware."),
    /** CONFIG_PCI_P2PDMA. */
    KERNEL_P2PDMA(
            "kernel-p2pdma",
            NOTE,
            "The kernel has no P2PDMA",
            "CONFIG_PCI_P2PDMA is off: the kernel's own way (p2pmem with O_DIRECT) and the export of"
                    + " BARs as dma-buf are closed. VFIO type1 does not need it.",
            "Use a kernel with CONFIG_PCI_P2PDMA=y.",
            "Boot the old kernel."),
    /** CONFIG_VFIO_PCI. */
    KERNEL_VFIO(
            "kernel-vfio",
            CANNOT,
            "The kernel has no VFIO",
            "CONFIG_VFIO_PCI is off: nothing lets a program drive a PCI device.",
            "Use a kernel with CONFIG_VFIO_PCI, as distributions ship it.",
            "Boot the old kernel."),
    /** CONFIG_IOMMUFD. */
    KERNEL_IOMMUFD(
            "kernel-iommufd",
            NOTE,
            "The kernel has no iommufd",
            "CONFIG_IOMMUFD is off, so VFIO type1 is used. That is fine.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** iommufd without a way to map BARs. */
    KERNEL_DMABUF(
            "kernel-dmabuf",
            CANNOT,
            "The kernel can't map a peer's BAR for DMA",
            "There is iommufd without VFIO type1, and BARs can be mapped there only as dma-buf"
                    + " exports: CONFIG_VFIO_PCI_DMABUF, Linux 6.19 and later.",
            "Use a kernel with CONFIG_VFIO_IOMMU_TYPE1, or 6.19 with CONFIG_VFIO_PCI_DMABUF and"
                    + " CONFIG_PCI_P2PDMA.",
            "Boot the old kernel."),
    /** Lockdown. */
    LOCKDOWN(
            "lockdown",
            WARNING,
            "The kernel is locked down",
            "Configuration space can't be written and BARs can't be mapped from user space, so"
                    + " nothing changes ACS now, setpci as little as Peerlane. VFIO works.",
            "Use kernel parameters instead of setpci, or turn Secure Boot off in the firmware.",
            "Turn Secure Boot on again."),
    /** ACS can't be read. */
    ACS_UNREADABLE(
            "acs-unreadable",
            REFUSED,
            "Access Control Services can't be read",
            "Only root may read configuration space past its first 64 bytes, so a bridge is taken"
                    + " as if it redirected.",
            "Run as root, or have root take a capture.",
            "Nothing is changed."),
    /** Less than all of a configuration space. */
    CONFIG_CUT(
            "config-unreadable",
            REFUSED,
            "Configuration space is cut short",
            "Only root may read past its first 64 bytes. Payload sizes, errors and what else could"
                    + " stop peer traffic are unknown, and what is unknown is no go.",
            "Run as root, or have root take a capture.",
            "Nothing is changed."),
    /** Runtime suspended. */
    SUSPENDED(
            "suspended",
            REFUSED,
            "The function is suspended and was not read",
            "Reading its configuration space would wake it. vfio-pci lets a device that no program has"
                    + " open go to D3hot, and to D3cold where the slot can cut its power; the ports"
                    + " above follow. What lay in its CMB is lost there. A copy opens its drives, and"
                    + " they are awake then.",
            "Wake it for the look. A drive that doesn't come back from D3cold is kept awake with"
                    + " 'options vfio-pci disable_idle_d3=1' in /etc/modprobe.d before vfio-pci is"
                    + " loaded.",
            "Let it sleep again; take the option out."),
    /** RR. */
    ACS_REQUEST(
            "acs-request-redirect",
            REFUSED,
            "ACS redirects peer requests (RR)",
            "The port sends what its device asks of a peer up to the root complex instead of"
                    + " straight across the switch. Firmware or kernel turned it on to keep devices"
                    + " apart.",
            "Turn it off on the bridges of the route: now, if no device below is in a virtual"
                    + " machine; at every boot with a kernel parameter (in GRUB, quote its ';')."
                    + " Devices below the switch can then reach each other unchecked, and IOMMU groups"
                    + " don't follow a change without a boot.",
            "Set the bits again; take the parameter off."),
    /** CR. */
    ACS_COMPLETION(
            "acs-completion-redirect",
            REFUSED,
            "ACS redirects peer completions (CR)",
            "The port sends its device's answers to a peer's reads up to the root complex.",
            "As for acs-request-redirect.",
            "As for acs-request-redirect."),
    /** EC. */
    ACS_EGRESS(
            "acs-egress-control",
            REFUSED,
            "ACS controls where peer requests may go (EC)",
            "The port blocks or redirects by a table of egress ports; Linux takes it as a redirect.",
            "As for acs-request-redirect.",
            "As for acs-request-redirect."),
    /** DT. */
    ACS_TRANSLATED(
            "acs-direct-translated",
            NOTE,
            "ACS lets translated requests go straight (DT)",
            "With ATS on in the initiator, and IOMMU and driver using it, peer traffic goes straight"
                    + " across although the port redirects, and isolation stays. Neither Linux's"
                    + " P2PDMA nor this verdict counts on it.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** ATS. */
    ATS(
            "ats",
            NOTE,
            "Address Translation Services are on",
            "The device asks the IOMMU itself and sends translated addresses, which a port with DT"
                    + " routes straight to the peer.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** Not on the list. */
    HOST_BRIDGE(
            "host-bridge-unknown",
            REFUSED,
            "Nothing is known of the root complex",
            "The route goes through the root complex, and neither the processor nor the host bridge"
                    + " is one that Linux trusts with peer traffic. It may work, crawl, drop data"
                    + " without an error, or take the machine down.",
            "Put both cards below one PCIe switch, or copy through host memory.",
            "Nothing is changed."),
    /** Only within one host bridge. */
    HOST_BRIDGE_PAIR(
            "host-bridge-pair",
            REFUSED,
            "The two ends are below different host bridges",
            "This root complex forwards peer traffic only between devices below one host bridge: the"
                    + " link between sockets or tiles does not.",
            "Move one card to a slot below the other's host bridge (the same socket).",
            "Move it back."),
    /** Writes only. */
    WRITES_ONLY(
            "root-writes-only",
            WARNING,
            "The root complex forwards peer writes only",
            "Intel client processors (between their own root ports, not the chipset's) and AMD before"
                    + " Zen drop or corrupt peer reads. Linux does not use them for peer-to-peer at"
                    + " all.",
            "Use the target's CMB: then only writes cross. Measure it.",
            "Nothing is changed."),
    /** Narrow link. */
    LINK(
            "link-below-best",
            WARNING,
            "A link runs below its best",
            "Both ends of the link could do more than it was trained to: a dirty contact, a riser, a"
                    + " slot with fewer lanes wired, or power saving.",
            "Reseat the card, try another slot; firmware: 'PCIe Link Speed' to Auto or the right"
                    + " generation, bifurcation as the card needs it.",
            "Nothing is changed."),
    /** MPS. */
    PAYLOAD(
            "payload-mismatch",
            REFUSED,
            "A sender's payload is larger than a receiver takes",
            "A packet larger than Max_Payload_Size of any port on its way is malformed: a fatal"
                    + " error, not a slow path. Host traffic does not show it, peer traffic does.",
            "Boot with pci=pcie_bus_peer2peer, which gives every device the same size. Not with setpci"
                    + " while the machine runs: the port above would still send larger packets to a"
                    + " device that was made to take less.",
            "Take the parameter off."),
    /** RO. */
    RELAXED_ORDERING(
            "relaxed-ordering",
            WARNING,
            "Relaxed Ordering is on at the source",
            "Its writes may overtake each other, so no fence tells when the data has arrived."
                    + " Peerlane turns it off when it opens the device; where it stays on, a memory that"
                    + " needs a fence is not used.",
            "Turn it off with setpci for other programs.",
            "Turn it on again."),
    /** AER. */
    ERRORS(
            "aer-errors",
            WARNING,
            "A port of the route has counted errors",
            "AER has errors on record: bad contacts and cables show here first, and a peer packet"
                    + " that met an error is lost data.",
            "Look at the kernel's log; reseat card and cable. The counters start anew at boot.",
            "Nothing is changed."),
    /** DPC triggered. */
    DPC_TRIGGERED(
            "dpc-triggered",
            CANNOT,
            "A port has contained its link",
            "Downstream Port Containment took the link down after an error: what is below is gone.",
            "Look at the kernel's log for the cause, then power-cycle the slot or reboot.",
            "Nothing is changed."),
    /** DPC armed. */
    DPC_ARMED(
            "dpc-armed",
            NOTE,
            "An error takes a port of the route down",
            "Downstream Port Containment is on: a bad peer packet costs the device below the port,"
                    + " instead of the machine. That is the better way round: leave it on.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** VMD. */
    VMD(
            "vmd",
            WARNING,
            "The device is behind Intel VMD",
            "Its drives are in a PCI domain of their own (10000:) and in the one IOMMU group of the"
                    + " VMD controller: VFIO can't hand out a single one.",
            "Firmware: turn 'Intel VMD' off for this slot's ports (under 'Intel VMD Technology' or"
                    + " 'Volume Management Device').",
            "Turn it on again; arrays of Intel VROC need it."),
    /** Segments. */
    SEGMENTS(
            "segments",
            WARNING,
            "The two ends are in different PCI segments",
            "There is no common bridge, and each segment may have bus addresses of its own.",
            "Move one card into the other's segment.",
            "Move it back."),
    /** Collision. */
    ADDRESSES(
            "address-collision",
            REFUSED,
            "Two BARs have one bus address",
            "A packet for one would reach the other: silent corruption.",
            "Firmware: turn 'Above 4G Decoding' on, and give the segments separate ranges; or move"
                    + " the card.",
            "Set the old values in the firmware."),
    /** NTB. */
    NTB(
            "ntb",
            WARNING,
            "There is a non-transparent bridge",
            "It joins this tree with another: there may be a second path between two endpoints, and"
                    + " writes over two paths arrive in any order. It also changes requester IDs.",
            "Use devices on one side of it, and leave its windows alone while copying.",
            "Nothing is changed."),
    /** Successive writes part. */
    SECOND_WAY(
            "second-way",
            REFUSED,
            "Successive packets take several ways",
            "Beside the tree's way there is another one between the two ends, and packets take now"
                    + " the one and now the other. Writes then arrive in any order, a completion"
                    + " tells nothing, and no fence is sound: neither sentinel, canary nor read-back."
                    + " Reads are safe, since each has its own answer.",
            "Use the source's CMB: then the target reads and nothing is written across. Or have"
                    + " the fabric send all packets of a pair one way.",
            "Nothing is changed."),
    /** Stopped by a port. */
    ROUTE_STOPPED(
            "route-stopped",
            REFUSED,
            "A port stops the packets",
            "Access Control Services stop them instead of sending them up: egress control (EC)"
                    + " without redirect, translated requests where they are blocked (TB), or a"
                    + " redirect below a port that sends nothing on (no UF). A write is lost without"
                    + " a word.",
            "Turn the named bit off, or for want of UF on, at the named port.",
            "Set the bit as it was."),
    /** Reading back proves nothing. */
    FENCE_READBACK(
            "fence-readback",
            CANNOT,
            "Reading back is no fence here",
            "A load pushes the writes before it only on their own way, straight across a switch, and"
                    + " only where the CMB's owner lets no load overtake what it still buffers.",
            "Leave the fence to Peerlane.",
            "Nothing is changed."),
    /** A block longer than a transfer. */
    BLOCKS(
            "blocks-do-not-fit",
            CANNOT,
            "The blocks of the two sides don't fit",
            "A block of one side is longer than the longest transfer of the other, so that no"
                    + " command moves it, whatever memory carries it.",
            "Reformat one of them to a smaller block size.",
            "Reformat it back; either loses what is on it."),
    /** Several switches. */
    SWITCHES(
            "several-switches",
            NOTE,
            "The route crosses several switches",
            "In a tree there is still one path, so order is kept; each switch adds delay, and the"
                    + " links between them are shared.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** Asymmetric redirect. */
    PATHS(
            "paths-differ",
            WARNING,
            "Requests and answers take different paths",
            "Only some ports of the route redirect, so packets of one exchange go partly across the"
                    + " switch and partly over the root complex: no order holds between them.",
            "Make the ports alike: turn redirection off on all of them.",
            "Set the bits again."),
    /** Several root complexes. */
    SOCKETS(
            "numa-crossing",
            WARNING,
            "The route crosses sockets",
            "The two ends are on different NUMA nodes, and peer traffic between sockets is slow on"
                    + " most machines, where it works at all.",
            "Move one card to a slot of the other's socket.",
            "Move it back."),
    /** Guest. */
    VIRTUAL(
            "virtual-machine",
            WARNING,
            "This is a virtual machine",
            "The tree that a guest sees is made up: the host's switches and root complex carry the"
                    + " packets. With a translating virtual IOMMU, QEMU has no direct path at all:"
                    + " what Linux allows below one switch then gives wrong data.",
            "Diagnose on the host, or with a capture of it; or measure.",
            "Nothing is changed."),
    /** No namespace. */
    NAMESPACE(
            "namespace-unsupported",
            CANNOT,
            "There is no namespace that can be used",
            "A copy moves whole blocks of 512 bytes to 64 KiB of the NVM command set, without metadata"
                    + " and without protection information.",
            "Name another namespace (DEVICE/nNSID), or give it such a format; that loses what is on"
                    + " it.",
            "Format it back; either loses what is on it."),
    /** Write protected. */
    WRITE_PROTECTED(
            "write-protected",
            CANNOT,
            "The target can't be written",
            "Its namespace is write protected (NSATTR), or the controller put its media into read only"
                    + " mode, as worn drives do.",
            "Choose another target, or lift the protection with the vendor's tool.",
            "Protect it again."),
    /** No CMB. */
    CMB_ABSENT(
            "cmb-absent",
            CANNOT,
            "The controller has no CMB",
            "CMBSZ is zero, or the CMB can't be used: there is no memory on this controller for peers.",
            "Use the other side's CMB, a third device's, or host memory.",
            "Nothing is changed."),
    /** CMB unknown. */
    CMB_UNKNOWN(
            "cmb-unknown",
            WARNING,
            "Whether the controller has a CMB was not seen",
            "The registers are in a BAR, and only the driver that holds the device reads them.",
            "Open the device and ask it, or measure.",
            "Nothing is changed."),
    /** Small. */
    CMB_SMALL(
            "cmb-small",
            CANNOT,
            "The CMB is too small",
            "It does not hold one block, the larger of both sides, and what the fence needs beside it:"
                    + " another block for a sentinel.",
            "Use another device's CMB.",
            "Nothing is changed."),
    /** Free, but for which blocks? */
    CMB_FIT_UNKNOWN(
            "cmb-fit-unknown",
            WARNING,
            "Whether the CMB can carry the data was not seen",
            "It depends on what only an opened device tells: how long its blocks are, and whether"
                    + " loads overtake writes in it.",
            "Open the devices and plan the copy, or measure.",
            "Nothing is changed."),
    /** Alignment. */
    CMB_ALIGNMENT(
            "cmb-alignment",
            NOTE,
            "The kernel's P2PDMA can't use the whole CMB",
            "The kernel maps peer memory in pieces of 2 MiB: a CMB that is smaller, odd or not"
                    + " aligned is refused or cut there. Peerlane uses any.",
            "Nothing needs to be done.",
            "Nothing to undo."),
    /** RDS. */
    CMB_RDS(
            "cmb-no-rds",
            CANNOT,
            "The CMB may not take data of its owner's Reads",
            "CMBSZ.RDS is 0, so the source can't Read into its own CMB.",
            "Use the target's CMB.",
            "Nothing is changed."),
    /** WDS. */
    CMB_WDS(
            "cmb-no-wds",
            CANNOT,
            "The CMB may not give data to its owner's Writes",
            "CMBSZ.WDS is 0, so the target can't Write from its own CMB.",
            "Use the source's CMB, if peer reads work, or a third device's.",
            "Nothing is changed.");

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
     * Returns the one that tells a person why a memory is unfit. Why there is no route is told by
     * what stands in the way; if nothing does, it is the root complex.
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

    /** Returns whether it tells why a route is not permitted. */
    boolean isOfARoute() {
        return OF_A_ROUTE.contains(this);
    }

    /** Returns the stable name. */
    public String code() {
        return code;
    }

    /** Returns what it usually does to the answer; a finding may do less. */
    public Severity severity() {
        return severity;
    }

    /** Returns one line. */
    public String title() {
        return title;
    }

    /** Returns what it means. */
    public String meaning() {
        return meaning;
    }

    /** Returns what to do about it. */
    public String cure() {
        return cure;
    }

    /** Returns how to go back. */
    public String undo() {
        return undo;
    }
}
