package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import dev.peerlane.pci.RootComplex;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An emulated fabric: its drives, the tree they hang in, and how the fabric treats traffic.
 *
 * @param drives its drives; names differ
 * @param ports the ports of the root complex; each drive is in one port of the tree
 * @param rootComplex what the root complex does with peer traffic, and what is known of it
 * @param relaxedOrdering whether drives start with Relaxed Ordering enabled (Device Control bit 4)
 * @param iommu whether devices reach only what was allocated or mapped for them; without it they
 *     reach every BAR
 * @param unmapped what becomes of DMA to an address that nothing decodes
 * @param peerReads what a read of another function's BAR returns
 * @param peerWrites what becomes of a write to another function's BAR
 * @param packets how packets move, or null for DMA at once and in order
 * @param transfers how the data of a command moves, or null if nobody said: then in pieces
 * @param time what the clock counts
 * @param seed where everything random comes from
 * @param faults what goes wrong
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

    /** What becomes of DMA to an address that nothing decodes; counted in each case. */
    public enum Unmapped {
        /** The command ends in Data Transfer Error; a queue out of reach is fatal. */
        FAILS,
        /** It seems to work, as on many platforms: writes vanish and reads return ones. */
        DROPS_SILENTLY
    }

    /** What a DMA read of another function's BAR returns, with success. */
    public enum PeerReads {
        /** What is there. */
        NORMAL,
        /** All bits one. */
        ONES,
        /** All bits zero. */
        ZEROES,
        /** Bytes from elsewhere in the same BAR. */
        OTHER_MEMORY
    }

    /** What becomes of a DMA write to another function's BAR, with success. */
    public enum PeerWrites {
        /** It arrives. */
        NORMAL,
        /** It never arrives. */
        VANISH
    }

    /** How the data of one command moves between drive and memory. */
    public enum Transfers {
        /**
         * By the page (a data block of an SGL by up to 64 KiB), in random order, and between those
         * of other commands: what counts on an order that nobody promises is found out.
         */
        PIECES,
        /**
         * Each contiguous run of it as one copy, and where it can be without a buffer in between:
         * for speed.
         */
        RUNS
    }

    /** What the clock counts. */
    public enum Time {
        /** Turns: the same seed and the same calls give the same run. */
        VIRTUAL,
        /** Nanoseconds of this machine. */
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
                    "data that moves by packets moves in pieces",
                    "Leave 'transfers' out, or say 'fabric: fast'");
        }
        if (packets != null && time == Time.REAL) {
            throw bad("packets move in virtual time only", "Say 'time: virtual'");
        }
        if (packets != null && drives.stream().anyMatch(DriveModel::doorbellBuffer)) {
            throw bad(
                    "drives that move by packets have no doorbellBuffer",
                    "Leave it out, or say 'fabric: fast'");
        }
        if (drives.isEmpty()) {
            throw bad("the fabric has no drive", "Give it one at least");
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
                            "ats is on at '" + drive + "', but no IOMMU is there to translate",
                            "Say 'iommu: true'");
                }
            }
            for (String at : packets.links().keySet()) {
                if (!names.contains(at) && at.indexOf(':') < 0) {
                    throw bad(
                            "a link is at '" + at + "', which is no drive",
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
            throw bad("drive '" + names.iterator().next() + "' is in no port", "Put it into one");
        }
    }

    /** Returns whether the data of a command moves in runs. */
    public boolean movesRuns() {
        return transfers == Transfers.RUNS;
    }

    /** Returns how the data of a command moves, for a person. */
    public String transfersText() {
        return movesRuns()
                ? "each contiguous run at once (transfers: runs)"
                : "by the page, in random order (transfers: pieces)";
    }

    /**
     * Returns this fabric for a use to which speed counts: data moves in runs, unless the
     * description says how it moves, or packets move it.
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
            throw bad(what + " at '" + name + "', which is no drive", "Name a drive");
        }
    }

    /** Starts a fabric with defaults for everything but its drives. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The built-in fabric: {@code ssd0} and {@code ssd1}, 1 GiB of memory each (taken as it is
     * written), blocks of 512 bytes, CMBs of 16 MiB, behind one switch.
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

    /** Collects what a fabric is to be. Each method answers the builder itself. */
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
         * Sets what the root complex does with peer traffic. What is REFUSED there does not arrive;
         * UNKNOWN and TRUSTED traffic does.
         */
        public Builder rootComplex(RootComplex.Trust peerWrites, RootComplex.Trust peerReads) {
            rootComplex =
                    new RootComplex(
                            peerWrites, peerReads, "as the emulated fabric's description says");
            return this;
        }

        /**
         * Sets whether drives start with Relaxed Ordering enabled; the default is that they don't.
         */
        public Builder relaxedOrdering(boolean relaxedOrdering) {
            this.relaxedOrdering = relaxedOrdering;
            return this;
        }

        /** Sets whether there is an IOMMU; the default is that there is. */
        public Builder iommu(boolean iommu) {
            this.iommu = iommu;
            return this;
        }

        /** Sets what becomes of DMA to nowhere; the default is that it fails. */
        public Builder unmapped(Unmapped unmapped) {
            this.unmapped = unmapped;
            return this;
        }

        /** Sets what peer reads return; the default is what is there. */
        public Builder peerReads(PeerReads peerReads) {
            this.peerReads = peerReads;
            return this;
        }

        /** Sets what becomes of peer writes; the default is that they arrive. */
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

        /** Sets what the clock counts; the default is real time, and virtual time with packets. */
        public Builder time(Time time) {
            this.time = time;
            return this;
        }

        /** Adds something that goes wrong. */
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
         * @throws PeerlaneException of category REQUEST if it can't be
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
