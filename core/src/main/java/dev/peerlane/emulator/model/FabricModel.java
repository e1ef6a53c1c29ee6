package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.RootComplex;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An emulated fabric: its drives, the PCI tree, and how the fabric treats traffic.
 *
 * @param drives the drives; their names differ
 * @param ports the ports of the root complex; each drive is in exactly one port of the tree
 * @param rootComplex what the root complex does with peer traffic, and what is known about it
 * @param relaxedOrdering whether drives start with Relaxed Ordering enabled (Device Control bit 4)
 * @param iommu whether devices reach only what was allocated or mapped for them; without an IOMMU
 *     they reach every BAR
 * @param unmapped what happens to DMA to an address that nothing decodes
 * @param peerReads what a read of another function's BAR returns
 * @param peerWrites what happens to a write to another function's BAR
 * @param packets how packets move, or null for DMA at once and in order
 * @param transfers how the data of a command moves, or null for the default, in pieces
 * @param time the kind of clock
 * @param seed the seed of all randomness
 * @param faults the planned faults
 */
public record FabricModel(
        List<DriveModel> drives,
        List<PortModel> ports,
        RootComplex rootComplex,
        boolean relaxedOrdering,
        boolean iommu,
        Unmapped unmapped,
        PeerReads peerReads,
        PeerWrites peerWrites,
        @Nullable PacketModel packets,
        @Nullable Transfers transfers,
        Time time,
        long seed,
        List<Fault> faults) {

    /** What happens to DMA to an address that nothing decodes. It is counted in either case. */
    public enum Unmapped {
        /** The command ends in Data Transfer Error; for a queue entry the controller fails. */
        FAILS,
        /** The DMA seems to work, as on many platforms: writes vanish and reads return ones. */
        DROPS_SILENTLY
    }

    /** What a DMA read of another function's BAR returns, with success. */
    public enum PeerReads {
        /** The content of the BAR. */
        NORMAL,
        /** All bits one. */
        ONES,
        /** All bits zero. */
        ZEROES,
        /** Bytes from elsewhere in the same BAR. */
        OTHER_MEMORY
    }

    /** What happens to a DMA write to another function's BAR, with success. */
    public enum PeerWrites {
        /** It arrives. */
        NORMAL,
        /** It never arrives. */
        VANISH
    }

    /** How the data of one command moves between drive and memory. */
    public enum Transfers {
        /**
         * By the page (a data block of an SGL by up to 64 KiB), in random order, and interleaved
         * with other commands. This finds code that relies on an order that is not guaranteed.
         */
        PIECES,
        /** Each contiguous run as one copy, without a buffer if possible; this is faster. */
        RUNS
    }

    /** The kind of clock. */
    public enum Time {
        /**
         * Virtual time, which advances in turns: the same seed and the same calls give the same
         * run.
         */
        VIRTUAL,
        /** Real time, in nanoseconds of this machine. */
        REAL
    }

    private static final long MIB = 1L << 20;

    /** Checks that names differ and that each drive is in exactly one port. */
    public FabricModel {
        drives = List.copyOf(drives);
        ports = List.copyOf(ports);
        faults = List.copyOf(faults);
        if (packets != null && transfers == Transfers.RUNS) {
            throw bad(
                    "with packets, data moves in pieces only",
                    "Leave 'transfers' out, or use 'fabric: fast'");
        }
        if (packets != null && time == Time.REAL) {
            throw bad("packets move in virtual time only", "Use 'time: virtual'");
        }
        if (packets != null && drives.stream().anyMatch(DriveModel::doorbellBuffer)) {
            throw bad(
                    "with packets, drives can't have a doorbellBuffer",
                    "Leave it out, or use 'fabric: fast'");
        }
        if (drives.isEmpty()) {
            throw bad("the fabric has no drive", "Add a drive");
        }
        Set<String> names = new HashSet<>();
        for (DriveModel drive : drives) {
            if (!names.add(drive.name())) {
                throw bad("two drives are called '" + drive.name() + "'", "Rename one");
            }
        }
        for (Fault fault : faults) {
            String at = fault.drive();
            if (at != null) {
                checkDrive(names, at, "a fault is");
            }
        }
        if (packets != null) {
            for (PacketModel.SecondWay second : packets.secondWays()) {
                checkDrive(names, second.one(), "a second way begins");
                checkDrive(names, second.other(), "a second way ends");
            }
            for (String drive : packets.ats()) {
                checkDrive(names, drive, "ats is on");
                if (!iommu) {
                    throw bad(
                            "ats is on at '" + drive + "', but there is no IOMMU to translate",
                            "Use 'iommu: true'");
                }
            }
            for (String at : packets.links().keySet()) {
                if (!names.contains(at) && at.indexOf(':') < 0) {
                    throw bad(
                            "a link is at '" + at + "', which is not a drive",
                            "Name a drive, or a port by its address");
                }
            }
        }
        List<String> placed = new ArrayList<>();
        ports.forEach(port -> collect(port, placed));
        for (String name : placed) {
            if (!names.remove(name)) {
                throw bad(
                        "port holds drive '" + name + "', which is unknown or placed twice",
                        "Put each drive into one port");
            }
        }
        if (!names.isEmpty()) {
            throw bad(
                    "drive '" + names.iterator().next() + "' is in no port", "Put it into a port");
        }
    }

    /** Returns whether the data of a command moves in runs. */
    public boolean movesRuns() {
        return transfers == Transfers.RUNS;
    }

    /** Returns a description of how the data of a command moves. */
    public String transfersText() {
        return movesRuns()
                ? "each contiguous run at once (transfers: runs)"
                : "by the page, in random order (transfers: pieces)";
    }

    /**
     * Returns this fabric for a use in which speed matters: data moves in runs, unless the
     * description sets otherwise or packets move it.
     */
    public FabricModel hurried() {
        if (transfers != null || packets != null) {
            return this;
        }
        return new FabricModel(
                drives,
                ports,
                rootComplex,
                relaxedOrdering,
                iommu,
                unmapped,
                peerReads,
                peerWrites,
                null,
                Transfers.RUNS,
                time,
                seed,
                faults);
    }

    private static void checkDrive(Set<String> names, String name, String what) {
        if (!names.contains(name)) {
            throw bad(what + " at '" + name + "', which is not a drive", "Name a drive");
        }
    }

    /** Returns a builder with defaults for everything but the drives. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the built-in fabric: {@code ssd0} and {@code ssd1} with 1 GiB of memory each
     * (allocated when it is written), blocks of 512 bytes and CMBs of 16 MiB, behind one switch.
     */
    public static FabricModel standard() {
        return builder().drive(standardDrive("ssd0", 0)).drive(standardDrive("ssd1", 1)).build();
    }

    private static DriveModel standardDrive(String name, int controllerId) {
        return DriveModel.named(name)
                .memory(1024 * MIB, 512)
                .controllerId(controllerId)
                .cmb(CmbModel.of(16 * MIB))
                .build();
    }

    private static void collect(PortModel port, List<String> into) {
        if (port.drive() != null) {
            into.add(port.drive());
        }
        port.ports().forEach(below -> collect(below, into));
    }

    private static PeerlaneException bad(String what, String remedy) {
        return PeerlaneException.request("bad-fabric", what, remedy);
    }

    /** Builds a {@link FabricModel}. The methods return the builder itself. */
    public static final class Builder {
        private final List<DriveModel> drives = new ArrayList<>();
        private final List<PortModel> ports = new ArrayList<>();
        private RootComplex rootComplex =
                new RootComplex(
                        RootComplex.Trust.UNKNOWN,
                        RootComplex.Trust.UNKNOWN,
                        "nothing is known of the emulated root complex");
        private boolean relaxedOrdering;
        private boolean iommu = true;
        private Unmapped unmapped = Unmapped.FAILS;
        private PeerReads peerReads = PeerReads.NORMAL;
        private PeerWrites peerWrites = PeerWrites.NORMAL;
        private @Nullable PacketModel packets;
        private @Nullable Transfers transfers;
        private @Nullable Time time;
        private long seed = 1;
        private final List<Fault> faults = new ArrayList<>();

        private Builder() {}

        /** Adds a drive. */
        public Builder drive(DriveModel drive) {
            drives.add(drive);
            return this;
        }

        /** Adds a root port. Without any, all drives are behind one switch below one root port. */
        public Builder port(PortModel port) {
            ports.add(port);
            return this;
        }

        /**
         * Sets what the root complex does with peer traffic. REFUSED traffic does not arrive;
         * UNKNOWN and TRUSTED traffic does.
         */
        public Builder rootComplex(RootComplex.Trust peerWrites, RootComplex.Trust peerReads) {
            rootComplex =
                    new RootComplex(
                            peerWrites, peerReads, "as the emulated fabric's description says");
            return this;
        }

        /** Sets whether drives start with Relaxed Ordering enabled; the default is false. */
        public Builder relaxedOrdering(boolean relaxedOrdering) {
            this.relaxedOrdering = relaxedOrdering;
            return this;
        }

        /** Sets whether there is an IOMMU; the default is true. */
        public Builder iommu(boolean iommu) {
            this.iommu = iommu;
            return this;
        }

        /**
         * Sets what happens to DMA to an address that nothing decodes; the default is that it
         * fails.
         */
        public Builder unmapped(Unmapped unmapped) {
            this.unmapped = unmapped;
            return this;
        }

        /** Sets what peer reads return; the default is the content of the BAR. */
        public Builder peerReads(PeerReads peerReads) {
            this.peerReads = peerReads;
            return this;
        }

        /** Sets what happens to peer writes; the default is that they arrive. */
        public Builder peerWrites(PeerWrites peerWrites) {
            this.peerWrites = peerWrites;
            return this;
        }

        /** Moves DMA and the host's accesses as packets; the default is at once and in order. */
        public Builder packets(@Nullable PacketModel packets) {
            this.packets = packets;
            return this;
        }

        /** Sets how the data of a command moves; the default is in pieces. */
        public Builder transfers(@Nullable Transfers transfers) {
            this.transfers = transfers;
            return this;
        }

        /** Sets the kind of clock; the default is real time, and virtual time with packets. */
        public Builder time(Time time) {
            this.time = time;
            return this;
        }

        /** Adds a fault. */
        public Builder fault(Fault fault) {
            faults.add(fault);
            return this;
        }

        /** Sets the seed; the default is 1. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Returns the fabric's description.
         *
         * @throws PeerlaneException of category REQUEST if the description is invalid
         */
        public FabricModel build() {
            List<PortModel> tree = ports;
            if (ports.isEmpty()) {
                PortModel[] below =
                        drives.stream()
                                .map(drive -> PortModel.drive(drive.name()))
                                .toArray(PortModel[]::new);
                tree = List.of(PortModel.switchOf(below));
            }
            return new FabricModel(
                    drives,
                    tree,
                    rootComplex,
                    relaxedOrdering,
                    iommu,
                    unmapped,
                    peerReads,
                    peerWrites,
                    packets,
                    transfers,
                    time != null ? time : packets == null ? Time.REAL : Time.VIRTUAL,
                    seed,
                    faults);
        }
    }
}
