package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.Session;
import dev.peerlane.copy.BufferCandidate;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.BufferKind;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.FenceChoice;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.engine.Details;
import dev.peerlane.diagnose.Buffer;
import dev.peerlane.diagnose.Diagnosis;
import dev.peerlane.diagnose.Doctor;
import dev.peerlane.diagnose.Finding;
import dev.peerlane.diagnose.Question;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.NamespaceModel;
import dev.peerlane.emulator.model.PortModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciDetails;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.RootComplex.Trust;
import dev.peerlane.probe.Snapshots;
import dev.peerlane.spec.wire.Cmbebs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Drawn fabrics and requests: what the doctor says of a memory, what is planned, and what the copy
 * then does are one.
 */
class OneMindTest {
    private static final int SEEDS = Integer.getInteger("peerlane.mindSeeds", 60);
    private static final long FIRST = Long.getLong("peerlane.mindFirst", 1);
    private static final List<String> NAMES = List.of("a", "b", "c");
    private static final int[] BLOCKS = {512, 512, 4096, 4096, 8192, 16384};
    private static final long[] CMBS = {4096, 4096, 8192, 8192, 12288, 16384, 32768, 1 << 20};
    private static final int[] ACS = {0, 1, 4, 8, 0x0c, 0x1c, 0x1d, 0x20};
    private static final List<String> HOW = List.of("cut", "asleep", "contained");
    private static final int BYTES = 64 << 10;
    private static final Pattern CODE = Pattern.compile("\\[([a-z-]+)]$");

    /** What the doctor calls a route that is not permitted. */
    private static final Set<String> OF_ROUTES =
            Set.of(
                    "acs-request-redirect",
                    "acs-completion-redirect",
                    "acs-egress-control",
                    "host-bridge-unknown",
                    "route-stopped");

    private final Map<String, Integer> met = new TreeMap<>();
    private SplittableRandom random;
    private long seed;

    private FabricModel drawn() {
        FabricModel.Builder model = FabricModel.builder().seed(seed);
        for (String name : NAMES) {
            model.drive(drive(name));
        }
        switch (random.nextInt(4)) {
            case 0, 1 -> model.port(acs(PortModel.switchOf(port("a"), port("b"), port("c"))));
            case 2 -> model.port(port("a")).port(port("b")).port(port("c"));
            default -> model.port(PortModel.switchOf(port("a"), port("b"))).port(port("c"));
        }
        Trust[] trusts = Trust.values();
        return model.rootComplex(trusts[random.nextInt(3)], trusts[random.nextInt(3)])
                .iommu(random.nextBoolean())
                .time(FabricModel.Time.VIRTUAL)
                .build();
    }

    private PortModel port(String drive) {
        return acs(PortModel.drive(drive));
    }

    private PortModel acs(PortModel port) {
        return random.nextInt(4) > 0 ? port : port.withAcs(ACS[random.nextInt(ACS.length)]);
    }

    private DriveModel drive(String name) {
        DriveModel.Builder drive = DriveModel.named(name);
        int longest = 512;
        for (int i = 0; i < 2; i++) {
            int block = BLOCKS[random.nextInt(BLOCKS.length)];
            NamespaceModel namespace = NamespaceModel.memory(2 * BYTES, block);
            drive.namespace(
                    switch (random.nextInt(16)) {
                        case 0 -> namespace.withMetadata(8, 0);
                        case 1, 2 -> namespace.withWriteProtected(true);
                        default -> namespace;
                    });
            longest = Math.max(longest, block);
        }
        int pages = Integer.numberOfTrailingZeros(Math.max(1, longest / 4096));
        drive.mdts(random.nextBoolean() ? 0 : Math.max(1, pages) + random.nextInt(2));
        drive.compare(random.nextInt(5) > 0);
        return drive.cmb(random.nextInt(5) == 0 ? null : cmb()).build();
    }

    private CmbModel cmb() {
        CmbModel cmb = CmbModel.of(CMBS[random.nextInt(CMBS.length)]);
        int units = random.nextInt(4);
        cmb =
                switch (random.nextInt(4)) {
                    // a BAR that hides some of it
                    case 0 -> cmb.withPlace(2, 4096, 0, 4096L << random.nextInt(2));
                    case 1 -> cmb.withPlace(0, 4096, units + 4, 0);
                    case 2 -> cmb.withPlace(4, 4096, units, 0);
                    default -> cmb;
                };
        if (random.nextInt(4) == 0) {
            int support = CmbModel.COMMON_SUPPORT;
            cmb = cmb.withSupport(support & ~(random.nextBoolean() ? CmbModel.RDS : CmbModel.WDS));
        }
        CmbModel.Version[] versions = CmbModel.Version.values();
        cmb = cmb.withVersion(versions[random.nextInt(versions.length)]);
        boolean overtake = cmb.version() == CmbModel.Version.V1_4 && random.nextBoolean();
        return overtake ? cmb.withRates(Cmbebs.ofBytes(4096, true).raw(), 0) : cmb;
    }

    /**
     * Devices whose Relaxed Ordering stays on, pairs whose writes take several paths, and functions
     * that hold their link down or of which only the first bytes were read, or none.
     */
    private Fabric withStuckBits(EmulatedFabric fabric) {
        Set<String> stuck = random.nextInt(4) == 0 ? Set.of("emu:" + name()) : Set.of();
        List<Bdf> split = new ArrayList<>();
        if (random.nextInt(5) == 0) {
            fabric.machine().nvmeFunctions().forEach(f -> split.add(f.bdf()));
            split.remove(random.nextInt(split.size()));
        }
        List<PciFunction> known = fabric.machine().functions();
        boolean well = random.nextInt(5) > 0;
        Bdf ill = well ? null : known.get(random.nextInt(known.size())).bdf();
        PciDetails how = Details.of(HOW.get(random.nextInt(HOW.size())));
        return new KeptFabric(fabric) {
            @Override
            public Machine machine() {
                List<PciFunction> all = new ArrayList<>();
                for (PciFunction f : super.machine().functions()) {
                    PciFunction it = f.bdf().equals(ill) ? f.with(how) : f;
                    all.add(stuck.contains(String.valueOf(f.name())) ? relaxed(it) : it);
                }
                Machine machine = new Machine(all, super.machine().rootComplex());
                return split.isEmpty()
                        ? machine
                        : machine.withSplitWrites(Set.of(Set.copyOf(split)));
            }
        };
    }

    private static PciFunction relaxed(PciFunction f) {
        return new PciFunction(
                f.bdf(),
                f.parent(),
                f.kind(),
                f.vendorId(),
                f.deviceId(),
                f.classCode(),
                f.acs(),
                true,
                f.bars(),
                f.name(),
                f.details());
    }

    private String name() {
        return NAMES.get(random.nextInt(NAMES.size()));
    }

    /** One memory that may be asked for, in the words of either. */
    private record Choice(Buffer asked, BufferChoice wanted) {}

    @Test
    void theDoctorThePlanAndTheCopyAreOfOneMind() {
        for (seed = FIRST; seed < FIRST + SEEDS; seed++) {
            random = new SplittableRandom(seed);
            try (EmulatedFabric fabric = new EmulatedFabric(drawn());
                    Session session = Session.of(withStuckBits(fabric))) {
                Snapshot snapshot = Snapshots.of(session);
                for (int i = 0; i < 2; i++) {
                    ask(session, snapshot);
                }
            }
        }
        System.out.println("One mind, seeds " + FIRST + " on, met: " + met);
        assertThat(met.keySet())
                .contains("auto host", "auto target-cmb", "auto source-cmb", "auto third-party-cmb")
                .contains("cmb-absent", "cmb-no-wds", "cmb-no-rds", "cmb-small", "second-way")
                .contains("no-permitted-route", "relaxed-ordering", "fence-readback")
                .contains("config-unreadable", "suspended", "dpc-triggered")
                .contains("write-protected", "namespace-unsupported")
                .contains("blocks-do-not-fit", "ran target-cmb", "ran source-cmb")
                .contains("ran third-party-cmb", "readback planned");
    }

    private void ask(Session session, Snapshot snapshot) {
        Extent from = new Extent("emu:" + name(), 1 + random.nextInt(2), 0L, null);
        Extent to = new Extent("emu:" + name(), 1 + random.nextInt(2), 0L, null);
        if (from.equals(to)) {
            to = new Extent(to.device(), 3 - to.nsid(), 0L, null);
        }
        int block = session.namespace(from).blockBytes();
        from = new Extent(from.device(), from.nsid(), 0L, (long) BYTES / block);
        FenceChoice[] fences = FenceChoice.values();
        FenceChoice fence =
                random.nextBoolean() ? FenceChoice.AUTO : fences[random.nextInt(fences.length)];
        List<Choice> choices =
                List.of(
                        new Choice(Buffer.AUTO, BufferChoice.AUTO),
                        new Choice(Buffer.TARGET, BufferChoice.TARGET),
                        new Choice(Buffer.SOURCE, BufferChoice.SOURCE),
                        named(session, "a"),
                        named(session, "b"),
                        named(session, "c"));
        int run = random.nextInt(choices.size());
        for (Choice choice : choices) {
            Question question =
                    new Question(
                            bdf(session, from.device()),
                            from.nsid(),
                            bdf(session, to.device()),
                            to.nsid(),
                            choice.asked(),
                            fence);
            Diagnosis doctor = Doctor.examine(snapshot, question);
            CopyOptions how =
                    CopyOptions.DEFAULTS
                            .withBuffer(choice.wanted())
                            .withFence(fence)
                            .withSeed(~seed); // the data is drawn from seed: poison must differ
            String what =
                    "seed %d: %s to %s, --buffer %s --fence %s, doctor: %s"
                            .formatted(
                                    seed,
                                    from,
                                    to,
                                    choice.wanted().label(),
                                    fence.label(),
                                    blocking(doctor));
            CopyPlan plan = compare(session, from, to, how, doctor, what);
            if (plan != null && choices.indexOf(choice) == run) {
                copy(session, from, to, plan, what);
            } else if (plan != null) {
                session.drop(plan);
            }
        }
    }

    private static Choice named(Session session, String name) {
        String locator = "emu:" + name;
        return new Choice(Buffer.third(bdf(session, locator)), BufferChoice.device(locator));
    }

    private static Bdf bdf(Session session, String locator) {
        return session.controller(locator).device().bdf();
    }

    private static List<String> blocking(Diagnosis d) {
        return d.findings().stream()
                .filter(f -> f.severity().blocks())
                .map(Finding::code)
                .distinct()
                .toList();
    }

    private void count(String what) {
        met.merge(what, 1, Integer::sum);
    }

    /** Returns the plan, if there is one. */
    private @Nullable CopyPlan compare(
            Session session,
            Extent from,
            Extent to,
            CopyOptions how,
            Diagnosis doctor,
            String what) {
        boolean auto = how.buffer().kind() == null;
        CopyPlan plan;
        try {
            plan = session.plan(from, to, how);
        } catch (PeerlaneException e) {
            String said = what + ", planner: " + e.getMessage();
            String code = code(e);
            count(code);
            assertThat(doctor.isGo()).as(said).isFalse();
            assertThat(doctor.against()).as(said).isEqualTo(category(e, doctor));
            if (code.equals("no-permitted-route")) {
                assertThat(blocking(doctor)).as(said).containsAnyElementsOf(OF_ROUTES);
            } else {
                assertThat(blocking(doctor)).as(said).contains(code);
            }
            return null;
        }
        BufferCandidate buffer = plan.buffer();
        String said = what + ", planned: " + plan.kind() + " " + plan.reasons();
        if (auto) {
            count("auto " + plan.kind().label());
        }
        count(plan.fence() + " planned");
        assertThat(doctor.isGo()).as(said).isEqualTo(plan.kind() != BufferKind.HOST);
        if (buffer != null) {
            assertThat(doctor.owner()).as(said).isEqualTo(buffer.owner());
        }
        return plan;
    }

    /** A memory can be unfit for more than the first reason, and the worst one decides. */
    private static Category category(PeerlaneException e, Diagnosis doctor) {
        return doctor.against() == Category.MACHINE ? Category.MACHINE : e.category();
    }

    private static String code(PeerlaneException e) {
        Matcher coded = CODE.matcher(String.valueOf(e.getMessage()));
        if (coded.find()) {
            return coded.group(1);
        }
        return e.code().equals("no-cmb") ? "cmb-absent" : e.code();
    }

    private void copy(Session session, Extent from, Extent to, CopyPlan plan, String what) {
        byte[] data = new byte[BYTES];
        random.nextBytes(data);
        if (session.namespace(from).readOnlyReason() == null) {
            put(session, from, data);
        } else {
            data = content(session, from);
        }
        put(session, to, new byte[BYTES]);
        Receipt receipt;
        try {
            receipt = session.run(plan, new CancelFlag(), Progress.NONE);
        } catch (PeerlaneException e) {
            throw new AssertionError(what, e);
        }
        count("ran " + plan.kind().label());
        Receipt.Buffer used = receipt.buffer();
        assertThat(receipt.result()).as(what).isEqualTo("ok");
        assertThat(receipt.fence()).as(what).isEqualTo(plan.fence());
        assertThat(used).as(what).isNotNull();
        assertThat(used.kind()).as(what).isEqualTo(plan.kind().label());
        assertThat(content(session, to)).as(what).isEqualTo(data);
    }

    private static void put(Session session, Extent at, byte[] data) {
        Namespace namespace = session.namespace(at);
        try (DmaBuffer host = session.fabric().dma().allocate(BYTES)) {
            MemorySegment.copy(data, 0, host.segment(), ValueLayout.JAVA_BYTE, 0, data.length);
            namespace.write(host, 0, 0, BYTES / namespace.blockBytes());
        }
    }

    private static byte[] content(Session session, Extent at) {
        Namespace namespace = session.namespace(at);
        try (DmaBuffer host = session.fabric().dma().allocate(BYTES)) {
            namespace.read(host, 0, 0, BYTES / namespace.blockBytes());
            return host.segment().asSlice(0, BYTES).toArray(ValueLayout.JAVA_BYTE);
        }
    }
}
