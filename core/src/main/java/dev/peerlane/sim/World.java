package dev.peerlane.sim;

import dev.peerlane.emulator.CmbSpec;
import dev.peerlane.emulator.DriveSpec;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.emulator.Fault;
import dev.peerlane.emulator.PacketSpec;
import dev.peerlane.emulator.PacketSpec.Forwarding;
import dev.peerlane.emulator.PortSpec;
import dev.peerlane.p2p.BufferChoice;
import dev.peerlane.p2p.BufferKind;
import dev.peerlane.p2p.CopyOptions;
import dev.peerlane.p2p.FenceChoice;
import dev.peerlane.p2p.VerifyMode;
import dev.peerlane.pci.RootComplex.Trust;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * What a seed says: fabric, drives, and copies one after another.
 *
 * @param fabric the fabric
 * @param topology how the drives hang together, in words
 * @param honest whether the fabric does what is known of it: then a copy that is not refused works
 * @param copies what is copied
 */
record World(FabricSpec fabric, String topology, boolean honest, List<Copy> copies) {
    /** Length of every namespace. */
    static final int MEDIUM_BYTES = 256 << 10;

    /** The drives, by their index. */
    static final List<String> LOCATORS = List.of("emu:a", "emu:b", "emu:c");

    private static final List<String> NAMES = List.of("a", "b", "c");
    private static final int UNIT = 4096;

    /** A fault should not be waited for longer than the check takes. */
    private static final long TIMEOUT_NANOS = 100_000_000L;

    /**
     * One copy.
     *
     * @param source index of the drive
     * @param target index of the drive
     * @param sourceOffset where it begins, in bytes
     * @param targetOffset where it goes, in bytes
     * @param bytes how much
     * @param options how
     * @param faults what goes wrong with it
     */
    record Copy(
            int source,
            int target,
            int sourceOffset,
            int targetOffset,
            int bytes,
            CopyOptions options,
            List<PlannedFault> faults) {
        /** Returns it without fence, verification and faults, through the target's CMB. */
        Copy withoutFence() {
            CopyOptions bare =
                    options.withBuffer(BufferChoice.TARGET)
                            .withFence(FenceChoice.NONE)
                            .withVerify(VerifyMode.NONE);
            return new Copy(source, target, sourceOffset, targetOffset, bytes, bare, List.of());
        }
    }

    /**
     * Makes the world of a seed. The first seeds have one fault each, and walk through the cells
     * that the coverage wants; all others are drawn.
     */
    static World of(long seed) {
        return new Maker(seed, false).world();
    }

    /**
     * Makes a world over packets in which every drive has a CMB, every way is allowed, nothing goes
     * wrong, and no copy has a fence: the control that shows what the checkers see.
     */
    static World unfenced(long seed) {
        World world = new Maker(seed, true).world();
        List<Copy> copies = world.copies().stream().map(Copy::withoutFence).toList();
        return new World(world.fabric(), world.topology(), world.honest(), copies);
    }

    /** Draws one thing after another. */
    private static final class Maker {
        private final SplittableRandom random;
        private final long seed;
        private final boolean control;
        private final Coverage.@Nullable Cell cell;
        private String topology = "";
        private boolean honest = true;

        Maker(long seed, boolean control) {
            this.seed = seed;
            this.control = control;
            random = new SplittableRandom(seed);
            List<Coverage.Cell> cells = Coverage.possible();
            cell = !control && seed > 0 && seed <= cells.size() ? cells.get((int) seed - 1) : null;
        }

        private boolean odds(int in) {
            return random.nextInt(in) == 0;
        }

        @SafeVarargs
        private <T> T one(T... of) {
            return of[random.nextInt(of.length)];
        }

        World world() {
            FabricSpec.Builder fabric = FabricSpec.builder().seed(random.nextLong());
            for (String name : NAMES) {
                fabric.drive(drive(name));
            }
            tree(fabric);
            fabric.iommu(!odds(3)).relaxedOrdering(odds(3)).time(FabricSpec.Time.VIRTUAL);
            boolean packets = !odds(4) || control;
            root(fabric, packets);
            if (cell == null && !control && odds(10)) {
                honest = false;
                fabric.peerWrites(FabricSpec.PeerWrites.VANISH);
            }
            if (cell == null && !control && odds(10)) {
                honest = false;
                fabric.peerReads(
                        one(
                                FabricSpec.PeerReads.ONES,
                                FabricSpec.PeerReads.ZEROES,
                                FabricSpec.PeerReads.OTHER_MEMORY));
            }
            List<Copy> copies = new ArrayList<>();
            if (cell != null) {
                copies.add(meeting(cell));
            } else {
                for (int i = 1 + random.nextInt(3); i > 0; i--) {
                    copies.add(copy());
                }
            }
            topology += packets ? ", packets" : ", fast";
            return new World(fabric.build(), topology, honest, copies);
        }

        private DriveSpec drive(String name) {
            return DriveSpec.named(name)
                    .memory(MEDIUM_BYTES, one(512, 512, 4096))
                    .mdts(1 + random.nextInt(5))
                    .maxQueueEntries(4 << random.nextInt(6))
                    .doorbellStride(odds(4) ? 2 : 0)
                    .compare(!odds(4) || cell != null)
                    .volatileWriteCache(random.nextBoolean() || cell != null)
                    .latencyNanos(one(0L, 1_000L, 10_000L, 80_000L))
                    .cmb(cmb())
                    .build();
        }

        private @Nullable CmbSpec cmb() {
            if (cell != null || control) {
                return CmbSpec.of(32768L << random.nextInt(3));
            }
            if (odds(4)) {
                return null;
            }
            int support = CmbSpec.COMMON_SUPPORT;
            support &= odds(6) ? ~CmbSpec.RDS : -1;
            support &= odds(6) ? ~CmbSpec.WDS : -1;
            return CmbSpec.of(4096L << random.nextInt(7))
                    .withVersion(
                            one(CmbSpec.Version.V1_2, CmbSpec.Version.V1_3, CmbSpec.Version.V1_4))
                    .withSupport(support);
        }

        private void tree(FabricSpec.Builder fabric) {
            PortSpec a = PortSpec.drive("a");
            PortSpec b = PortSpec.drive("b");
            PortSpec c = PortSpec.drive("c");
            switch (random.nextInt(5)) {
                case 0 -> topology = "one switch";
                case 1 -> {
                    topology = "one switch that redirects";
                    int acs = PortSpec.ACS_REDIRECT;
                    fabric.port(PortSpec.switchOf(a.withAcs(acs), b.withAcs(acs), c.withAcs(acs)));
                }
                case 2 -> {
                    topology = "three root ports";
                    fabric.port(a).port(b).port(c);
                }
                case 3 -> {
                    topology = "two switches, one below the other";
                    fabric.port(PortSpec.switchOf(a, PortSpec.switchOf(b, c)));
                }
                default -> {
                    topology = "a switch and a root port";
                    fabric.port(PortSpec.switchOf(a, b)).port(c);
                }
            }
        }

        private void root(FabricSpec.Builder fabric, boolean packets) {
            Trust writes = one(Trust.TRUSTED, Trust.TRUSTED, Trust.UNKNOWN, Trust.REFUSED);
            Trust reads = one(Trust.TRUSTED, writes, Trust.REFUSED);
            if (cell != null || control) {
                writes = Trust.TRUSTED;
                reads = Trust.TRUSTED;
            }
            fabric.rootComplex(writes, reads);
            if (!packets) {
                return;
            }
            Forwarding forwarding = one(Forwarding.FULL, Forwarding.FULL, Forwarding.SLOW);
            if (cell == null && !control && odds(8)) {
                forwarding = one(Forwarding.WRITES, Forwarding.NONE);
                honest = false;
            }
            Map<String, PacketSpec.Link> links = new HashMap<>();
            for (String name : NAMES) {
                if (odds(3)) {
                    links.put(name, link());
                }
            }
            fabric.packets(
                    PacketSpec.DEFAULTS
                            .withMaxPayloadBytes(128 << random.nextInt(6))
                            .withLinks(link(), links)
                            .withForwarding(forwarding, random.nextLong(20_000))
                            .withOrdering(!odds(4), odds(3))
                            .withHostStoreNanos(one(0L, 0L, 2_000L, 30_000L))
                            .withSecondWays(secondWays()));
        }

        private List<PacketSpec.SecondWay> secondWays() {
            if (cell != null || !odds(4)) {
                return List.of();
            }
            int one = random.nextInt(NAMES.size());
            int other = (one + 1 + random.nextInt(NAMES.size() - 1)) % NAMES.size();
            PacketSpec.Takes takes = one(PacketSpec.Takes.values());
            return List.of(
                    new PacketSpec.SecondWay(NAMES.get(one), NAMES.get(other), takes, link()));
        }

        private PacketSpec.Link link() {
            return new PacketSpec.Link(
                    random.nextLong(3_000),
                    one(200_000_000L, 1_000_000_000L, 8_000_000_000L),
                    1 << random.nextInt(7));
        }

        private Copy copy() {
            int source = random.nextInt(NAMES.size());
            int target = (source + 1 + random.nextInt(NAMES.size() - 1)) % NAMES.size();
            int units = MEDIUM_BYTES / UNIT;
            int length = 1 + random.nextInt(odds(4) ? units : units / 4);
            CopyOptions options =
                    CopyOptions.DEFAULTS
                            .withBuffer(buffer())
                            .withFence(
                                    one(
                                            FenceChoice.AUTO,
                                            FenceChoice.SENTINEL,
                                            FenceChoice.CANARY,
                                            FenceChoice.READBACK,
                                            FenceChoice.NONE))
                            .withVerify(
                                    one(
                                            VerifyMode.AUTO,
                                            VerifyMode.PEER,
                                            VerifyMode.HOST,
                                            VerifyMode.NONE))
                            .withSlots(odds(2) ? 0 : 4096 << random.nextInt(3), random.nextInt(9))
                            .withWipe(!odds(2))
                            .withSeed(seed);
            List<PlannedFault> faults = odds(2) ? List.of() : faults(source, target);
            return new Copy(
                    source,
                    target,
                    random.nextInt(units - length + 1) * UNIT,
                    random.nextInt(units - length + 1) * UNIT,
                    length * UNIT,
                    faults.isEmpty() ? options : options.withCommandTimeoutNanos(TIMEOUT_NANOS),
                    faults);
        }

        private List<PlannedFault> faults(int source, int target) {
            return new FaultDraw(random.split())
                    .some(NAMES.get(source), NAMES.get(target), NAMES.get(3 - source - target));
        }

        /** A copy of many slots in a row that meets a cell. */
        private Copy meeting(Coverage.Cell wanted) {
            int source = random.nextInt(NAMES.size());
            int target = (source + 1 + random.nextInt(NAMES.size() - 1)) % NAMES.size();
            VerifyMode verify = VerifyMode.AUTO;
            if (wanted.phase() == Phase.VERIFY) {
                boolean allocates = wanted.kind() == Fault.Kind.ALLOCATION;
                verify = allocates ? VerifyMode.HOST : VerifyMode.PEER;
            }
            CopyOptions options =
                    CopyOptions.DEFAULTS
                            .withBuffer(new BufferChoice(wanted.buffer(), null))
                            .withVerify(verify)
                            .withSlots(UNIT, 1 + random.nextInt(4))
                            .withWipe(!odds(2))
                            .withCommandTimeoutNanos(TIMEOUT_NANOS)
                            .withSeed(seed);
            List<PlannedFault> faults =
                    new FaultDraw(random.split())
                            .meeting(
                                    wanted,
                                    NAMES.get(source),
                                    NAMES.get(target),
                                    NAMES.get(3 - source - target));
            int length = 12 + random.nextInt(8);
            return new Copy(
                    source,
                    target,
                    random.nextInt(16) * UNIT,
                    random.nextInt(16) * UNIT,
                    length * UNIT,
                    options,
                    faults);
        }

        private BufferChoice buffer() {
            return one(
                    BufferChoice.AUTO,
                    BufferChoice.TARGET,
                    BufferChoice.TARGET,
                    BufferChoice.SOURCE,
                    new BufferChoice(BufferKind.THIRD_PARTY_CMB, null),
                    BufferChoice.HOST);
        }
    }
}
