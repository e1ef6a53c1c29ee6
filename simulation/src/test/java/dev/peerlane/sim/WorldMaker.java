package dev.peerlane.sim;

import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.BufferKind;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.emulator.model.PacketModel.Forwarding;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.pci.RootComplex.Trust;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Draws a world, part by part. */
final class WorldMaker {
    private static final List<String> NAMES = List.of("a", "b", "c");
    private static final int UNIT = 4096;
    private static final int ACS_BITS = 0x80;
    private static final int ACS_TB = 1 << 1;
    private static final int ACS_EC = 1 << 5;

    /** Short, so that the checks do not spend their time waiting for faults. */
    private static final long TIMEOUT_NANOS = 100_000_000L;

    private final SplittableRandom random;
    private final long seed;
    private final boolean control;
    private final Coverage.@Nullable Cell cell;
    private final FeatureCoverage.@Nullable Cell wanted;

    /** Whether to avoid what could prevent a copy, because the world has to cover a cell. */
    private final boolean easy;

    private final List<DriveModel> drives = new ArrayList<>();
    private String topology = "";
    private boolean honest = true;

    /**
     * Whether a port has Translation Blocking, so that requests of drives with ATS below it go
     * nowhere.
     */
    private boolean blocksTranslated;

    /**
     * Creates the maker for a seed.
     *
     * @param control whether to make {@link World#unfenced}
     */
    WorldMaker(long seed, boolean control) {
        this.seed = seed;
        this.control = control;
        random = new SplittableRandom(seed);
        List<Coverage.Cell> cells = Coverage.possible();
        List<FeatureCoverage.Cell> features = FeatureCoverage.possible();
        boolean walks = !control && seed > 0 && seed <= World.walk();
        int at = walks ? (int) seed - 1 : 0;
        cell = walks && at < cells.size() ? cells.get(at) : null;
        wanted = walks && at >= cells.size() ? features.get(at - cells.size()) : null;
        easy = walks || control;
    }

    private boolean odds(int in) {
        return random.nextInt(in) == 0;
    }

    @SafeVarargs
    private <T> T one(T... of) {
        return of[random.nextInt(of.length)];
    }

    /**
     * Returns whether a feature is included: it has to be covered, or nothing has to and it was
     * drawn.
     */
    private boolean has(Feature feature, int in) {
        boolean drawn = odds(in);
        return wanted == null ? drawn && !easy : wanted.feature() == feature;
    }

    World world() {
        FabricModel.Builder fabric = FabricModel.builder().seed(random.nextLong());
        boolean packets = !odds(4) || control;
        packets &= wanted == null || wanted.feature() != Feature.SHADOW_DOORBELLS;
        for (String name : NAMES) {
            DriveModel drive = drive(name, packets);
            drives.add(drive);
            fabric.drive(drive);
        }
        tree(fabric);
        boolean iommu = !odds(3);
        fabric.iommu(iommu).relaxedOrdering(odds(3)).time(FabricModel.Time.VIRTUAL);
        root(fabric, packets, iommu);
        if (!easy && odds(10)) {
            honest = false;
            fabric.peerWrites(FabricModel.PeerWrites.VANISH);
        }
        if (!easy && odds(10)) {
            honest = false;
            fabric.peerReads(
                    one(
                            FabricModel.PeerReads.ONES,
                            FabricModel.PeerReads.ZEROES,
                            FabricModel.PeerReads.OTHER_MEMORY));
        }
        List<World.Copy> copies = new ArrayList<>();
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

    private DriveModel drive(String name, boolean packets) {
        DriveModel.Builder drive =
                DriveModel.named(name)
                        .memory(World.MEDIUM_BYTES, one(512, 512, 4096))
                        .mdts(1 + random.nextInt(easy ? 5 : 6))
                        .maxQueueEntries(4 << random.nextInt(6))
                        .doorbellStride(odds(4) ? 2 : 0)
                        .compare(!odds(4) || easy)
                        .volatileWriteCache(random.nextBoolean() || easy)
                        .latencyNanos(one(0L, 1_000L, 10_000L, 80_000L))
                        .cmb(cmb());
        if (!odds(3) || wanted != null) {
            drive.memory(World.SECOND_BYTES, one(512, 4096));
        }
        if (has(Feature.SGLS, 3)) {
            drive.sgls(one(DriveModel.Sgls.BYTES, DriveModel.Sgls.DWORDS));
        }
        // over packets, reads of memory are not answered at once
        drive.doorbellBuffer(has(Feature.SHADOW_DOORBELLS, 2) && !packets);
        if (wanted != null && wanted.feature() == Feature.LONG_CHUNK) {
            drive.mdts(5);
        }
        return drive.build();
    }

    private @Nullable CmbModel cmb() {
        if (!easy && odds(4)) {
            return null;
        }
        boolean offset = has(Feature.CMB_OFFSET, 4);
        boolean unit = has(Feature.CMB_UNIT, 4);
        boolean beyond = has(Feature.CMB_BEYOND_BAR, 4);
        long size = easy ? 32768L << random.nextInt(3) : 4096L << random.nextInt(7);
        long unitBytes = UNIT;
        if (unit) {
            unitBytes = 65536;
            size = unitBytes << random.nextInt(3);
        } else if (wanted != null && wanted.feature() == Feature.LONG_CHUNK) {
            size = 256 << 10;
        }
        int units = offset ? 1 + random.nextInt(4) : 0;
        long end = units * unitBytes + size;
        // the shortest BAR that holds all of the CMB, or half of that
        long whole = Long.highestOneBit(2 * end - 1);
        long bar = beyond && whole / 2 > units * unitBytes && whole > UNIT ? whole / 2 : 0;
        CmbModel model = CmbModel.of(size).withPlace(one(2, 2, 4), unitBytes, units, bar);
        if (easy) {
            return model;
        }
        int support = CmbModel.COMMON_SUPPORT;
        support &= odds(6) ? ~CmbModel.RDS : -1;
        support &= odds(6) ? ~CmbModel.WDS : -1;
        return model.withVersion(
                        one(CmbModel.Version.V1_2, CmbModel.Version.V1_3, CmbModel.Version.V1_4))
                .withSupport(support);
    }

    private void tree(FabricModel.Builder fabric) {
        int shape = random.nextInt(5);
        int ports = shape == 3 ? 2 : 3;
        PortModel a = port("a", ports);
        PortModel b = port("b", ports);
        PortModel c = port("c", ports);
        switch (shape) {
            case 0 -> {
                topology = "one switch";
                fabric.port(PortModel.switchOf(a, b, c));
            }
            case 1 -> {
                topology = "one switch that redirects";
                int acs = PortModel.ACS_REDIRECT;
                fabric.port(PortModel.switchOf(a.withAcs(acs), b.withAcs(acs), c.withAcs(acs)));
            }
            case 2 -> {
                topology = "three root ports";
                fabric.port(a).port(b).port(c);
            }
            case 3 -> {
                topology = "two switches, one below the other";
                fabric.port(PortModel.switchOf(a, withAcs(PortModel.switchOf(b, c), ports)));
            }
            default -> {
                topology = "a switch and a root port";
                fabric.port(PortModel.switchOf(a, b)).port(c);
            }
        }
    }

    private PortModel port(String drive, int ports) {
        return withAcs(PortModel.drive(drive), ports);
    }

    /**
     * Gives some ports Access Control Services with random control bits and a random egress vector.
     */
    private PortModel withAcs(PortModel port, int ports) {
        boolean some = odds(3);
        int acs = random.nextInt(ACS_BITS);
        Set<Integer> egress = new HashSet<>();
        for (int i = 1; i <= ports; i++) {
            if (random.nextBoolean()) {
                egress.add(i);
            }
        }
        int bit = wanted == null ? -1 : Feature.OF_PORT.indexOf(wanted.feature());
        if (bit >= 0) {
            // blocked requests can't carry data
            acs = bit == 5 ? ACS_EC | 1 << 2 : 1 << bit;
        } else if (!some || easy) {
            return port;
        }
        blocksTranslated |= (acs & ACS_TB) != 0;
        PortModel controlled = port.withAcs(acs);
        boolean controls = (acs & ACS_EC) != 0;
        return controls ? controlled.withEgress(egress.toArray(Integer[]::new)) : controlled;
    }

    private void root(FabricModel.Builder fabric, boolean packets, boolean iommu) {
        Trust writes = one(Trust.TRUSTED, Trust.TRUSTED, Trust.UNKNOWN, Trust.REFUSED);
        Trust reads = one(Trust.TRUSTED, writes, Trust.REFUSED);
        if (easy) {
            writes = Trust.TRUSTED;
            reads = Trust.TRUSTED;
        }
        fabric.rootComplex(writes, reads);
        if (!packets) {
            return;
        }
        Forwarding forwarding = one(Forwarding.FULL, Forwarding.FULL, Forwarding.SLOW);
        if (!easy && odds(8)) {
            forwarding = one(Forwarding.WRITES, Forwarding.NONE);
            honest = false;
        }
        Map<String, PacketModel.Link> links = new HashMap<>();
        Set<String> ats = new HashSet<>();
        for (String name : NAMES) {
            if (odds(3)) {
                links.put(name, link());
            }
            if (odds(6) && !easy && iommu && !blocksTranslated) {
                ats.add(name);
            }
        }
        fabric.packets(
                PacketModel.DEFAULTS
                        .withMaxPayloadBytes(128 << random.nextInt(6))
                        .withLinks(link(), links)
                        .withForwarding(forwarding, random.nextLong(20_000))
                        .withOrdering(!odds(4), odds(3))
                        .withHostStoreNanos(one(0L, 0L, 2_000L, 30_000L))
                        .withSecondWays(secondWays())
                        .withAts(ats));
    }

    private List<PacketModel.SecondWay> secondWays() {
        if ((easy && !control) || !odds(4)) {
            return List.of();
        }
        int one = random.nextInt(NAMES.size());
        int other = (one + 1 + random.nextInt(NAMES.size() - 1)) % NAMES.size();
        PacketModel.Takes takes = one(PacketModel.Takes.values());
        return List.of(new PacketModel.SecondWay(NAMES.get(one), NAMES.get(other), takes, link()));
    }

    private PacketModel.Link link() {
        return new PacketModel.Link(
                random.nextLong(3_000),
                one(200_000_000L, 1_000_000_000L, 8_000_000_000L),
                1 << random.nextInt(7));
    }

    private World.Copy copy() {
        boolean litmus = has(Feature.LITMUS, 12);
        World.Copy made = plain(litmus ? World.Task.LITMUS : World.Task.COPY);
        if (litmus) {
            return made;
        }
        boolean calm = wanted != null || control || odds(2);
        List<PlannedFault> faults = calm ? List.of() : faults(made.source(), made.target());
        int cancelAfter =
                has(Feature.CANCELLED, 8) ? 1 + random.nextInt(2 << random.nextInt(6)) : 0;
        World.Copy beside = null;
        if (has(Feature.BESIDE, 6)) {
            for (int i = 0; i < 16 && beside == null; i++) {
                World.Copy other = plain(World.Task.COPY);
                beside = made.disturbs(other) ? null : other;
            }
        }
        CopyOptions options = made.options();
        return new World.Copy(
                made.task(),
                made.source(),
                made.target(),
                made.bytes(),
                faults.isEmpty() ? options : options.withCommandTimeoutNanos(TIMEOUT_NANOS),
                faults,
                cancelAfter,
                beside);
    }

    private World.Place place(int drive, boolean second) {
        int nsid = second && drives.get(drive).namespaces().size() > 1 ? 2 : 1;
        return new World.Place(drive, nsid, 0);
    }

    private int block(World.Place place) {
        return drives.get(place.drive()).namespaces().get(place.nsid() - 1).blockBytes();
    }

    private long length(World.Place place) {
        return drives.get(place.drive()).namespaces().get(place.nsid() - 1).sizeBytes();
    }

    /** Returns a copy between two places, without faults. */
    private World.Copy plain(World.Task task) {
        int drive = random.nextInt(NAMES.size());
        int other = (drive + 1 + random.nextInt(NAMES.size() - 1)) % NAMES.size();
        World.Place from = place(drive, has(Feature.SECOND_NAMESPACE, 4));
        World.Place to = place(other, has(Feature.SECOND_NAMESPACE, 4));
        if (has(Feature.ONE_DRIVE, 8)) {
            from = place(drive, false);
            to = place(drive, true);
        }
        boolean odd = has(Feature.ODD_OFFSET, 2);
        int unit = Math.max(block(from), block(to));
        int step = odd ? unit : UNIT;
        int most = (int) Math.min(length(from), length(to));
        boolean whole = odds(4);
        int length =
                step * (1 + random.nextInt((whole || wanted != null ? most : most * 2 / 5) / step));
        from = at(from, odd, length);
        to = at(to, odd, length);
        CopyOptions options =
                CopyOptions.DEFAULTS
                        .withBuffer(buffer())
                        .withFence(fence())
                        .withVerify(
                                one(
                                        VerifyMode.AUTO,
                                        VerifyMode.PEER,
                                        VerifyMode.HOST,
                                        VerifyMode.NONE))
                        .withSlots(chunk(from, to, unit), random.nextInt(9))
                        .withWipe(!odds(2))
                        .withOverwrite(true)
                        .withSeed(seed);
        return new World.Copy(task, from, to, length, options, List.of(), 0, null);
    }

    private World.Place at(World.Place place, boolean odd, int length) {
        int step = odd ? block(place) : UNIT;
        int offset = step * random.nextInt(((int) length(place) - length) / step + 1);
        return new World.Place(place.drive(), place.nsid(), offset);
    }

    private int chunk(World.Place from, World.Place to, int unit) {
        int limit = 4096 << Math.min(mdts(from), mdts(to));
        int chunk = odds(2) ? 0 : 4096 << random.nextInt(3);
        boolean odd = has(Feature.ODD_CHUNK, 4);
        boolean longer = has(Feature.LONG_CHUNK, 8);
        if (odd) {
            chunk = unit * (1 + random.nextInt(40));
        } else if (longer) {
            chunk = 32768 << random.nextInt(3);
        } else if (wanted != null) {
            chunk = 4096;
        }
        return odds(16) ? chunk : Math.min(chunk, limit);
    }

    private int mdts(World.Place place) {
        return drives.get(place.drive()).mdts();
    }

    private List<PlannedFault> faults(World.Place source, World.Place target) {
        int third =
                source.drive() == target.drive()
                        ? (source.drive() + 1) % NAMES.size()
                        : NAMES.size() - source.drive() - target.drive();
        return new FaultDraw(random.split())
                .some(NAMES.get(source.drive()), NAMES.get(target.drive()), NAMES.get(third));
    }

    /** Returns a copy of many successive slots that covers a cell. */
    private World.Copy meeting(Coverage.Cell fault) {
        int source = random.nextInt(NAMES.size());
        int target = (source + 1 + random.nextInt(NAMES.size() - 1)) % NAMES.size();
        VerifyMode verify = VerifyMode.AUTO;
        if (fault.phase() == Phase.VERIFY) {
            boolean allocates = fault.kind() == Fault.Kind.ALLOCATION;
            verify = allocates ? VerifyMode.HOST : VerifyMode.PEER;
        }
        CopyOptions options =
                CopyOptions.DEFAULTS
                        .withBuffer(new BufferChoice(fault.buffer(), null))
                        .withVerify(verify)
                        .withSlots(UNIT, 1 + random.nextInt(4))
                        .withWipe(!odds(2))
                        .withOverwrite(true)
                        .withCommandTimeoutNanos(TIMEOUT_NANOS)
                        .withSeed(seed);
        List<PlannedFault> faults =
                new FaultDraw(random.split())
                        .meeting(
                                fault,
                                NAMES.get(source),
                                NAMES.get(target),
                                NAMES.get(3 - source - target));
        int length = 12 + random.nextInt(8);
        return new World.Copy(
                source,
                target,
                random.nextInt(16) * UNIT,
                random.nextInt(16) * UNIT,
                length * UNIT,
                options,
                faults);
    }

    private FenceChoice fence() {
        FenceChoice drawn =
                one(
                        FenceChoice.AUTO,
                        FenceChoice.SENTINEL,
                        FenceChoice.CANARY,
                        FenceChoice.READBACK,
                        FenceChoice.NONE);
        return wanted == null ? drawn : FenceChoice.AUTO;
    }

    private BufferChoice buffer() {
        BufferChoice drawn =
                one(
                        BufferChoice.AUTO,
                        BufferChoice.TARGET,
                        BufferChoice.TARGET,
                        BufferChoice.SOURCE,
                        new BufferChoice(BufferKind.THIRD_PARTY_CMB, null),
                        BufferChoice.HOST);
        return wanted == null ? drawn : new BufferChoice(wanted.buffer(), null);
    }
}
