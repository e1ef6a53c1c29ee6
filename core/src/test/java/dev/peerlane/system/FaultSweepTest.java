package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.Share;
import dev.peerlane.block.BlockPort;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.Receipt;
import dev.peerlane.copy.VerifyMode;
import dev.peerlane.emulator.EmulatedController;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.model.Fault.Kind;
import dev.peerlane.emulator.model.PacketModel;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.spec.AdminOpcode;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each fault at its first occasion, its second, its third, until a run ends without it: what was
 * said to be copied is, nothing else changed, nothing leaks, and the fabric can be used again.
 */
class FaultSweepTest {
    private static final int SIZE = 256 << 10;
    private static final int BLOCK = 512;
    private static final int FIRST = 24;
    private static final int BLOCKS = 256;
    private static final int MOST = 400;
    private static final List<String> DRIVES = List.of("a", "b", "c");
    private static final Extent A = new Extent("emu:a", 1, 8L, (long) BLOCKS);
    private static final Extent B = new Extent("emu:b", 1, (long) FIRST, (long) BLOCKS);
    private static final long MILLI = 1_000_000L;

    /** Kinds after which what the host did just before may break the protocol. */
    private static final Set<Kind> LASTING =
            Set.of(Kind.GONE, Kind.FATAL, Kind.RESET, Kind.CMB_DATA_WITHDRAWN, Kind.BAD_BLOCKS);

    /** Kinds after which the drive takes no commands. */
    private static final Set<Kind> DEADLY = Set.of(Kind.GONE, Kind.FATAL, Kind.RESET);

    /** Kinds after which data is still under way. */
    private static final Set<Kind> LATE = Set.of(Kind.ZOMBIE, Kind.DELAYED_WRITE, Kind.LATE_DATA);

    private static final int CMB_BYTES = 64 << 10;
    private static final byte[] EMPTY = new byte[CMB_BYTES];

    private static Fault late(Kind kind, String drive, long nanos) {
        return Fault.at(kind, drive).withNanos(nanos);
    }

    static Stream<Arguments> cases() {
        List<Fault> faults = new ArrayList<>();
        for (String drive : List.of("a", "b", "c")) {
            for (Kind kind : Kind.values()) {
                if (!kind.isOfHost() && !kind.isSudden()) {
                    Fault fault = late(kind, drive, (kind == Kind.ZOMBIE ? 300 : 20) * MILLI);
                    faults.add(kind == Kind.COMPARE_LIES ? fault.onIo(NvmOpcode.COMPARE) : fault);
                }
            }
        }
        int dnr = Status.DO_NOT_RETRY;
        for (String drive : List.of("a", "b")) {
            // the data comes when the copy has long failed
            faults.add(
                    late(Kind.LATE_DATA, drive, 300 * MILLI)
                            .withStatus(Status.UNRECOVERED_READ_ERROR | dnr));
        }
        faults.add(status("a", NvmOpcode.READ, Status.INTERNAL_ERROR).withTimes(100));
        faults.add(status("a", NvmOpcode.READ, Status.UNRECOVERED_READ_ERROR | dnr));
        faults.add(status("b", NvmOpcode.WRITE, Status.INTERNAL_ERROR).withTimes(100));
        faults.add(status("b", NvmOpcode.WRITE, Status.WRITE_FAULT | dnr));
        faults.add(status("b", NvmOpcode.COMPARE, Status.INTERNAL_ERROR | dnr));
        faults.add(status("b", NvmOpcode.FLUSH, Status.INTERNAL_ERROR));
        faults.add(status("b", NvmOpcode.FLUSH, Status.INTERNAL_ERROR | dnr));
        for (int opcode :
                List.of(
                        AdminOpcode.IDENTIFY,
                        AdminOpcode.CREATE_IO_CQ,
                        AdminOpcode.CREATE_IO_SQ,
                        AdminOpcode.DELETE_IO_CQ,
                        AdminOpcode.DELETE_IO_SQ)) {
            faults.add(Fault.at(Kind.STATUS, "b").onAdmin(opcode));
            faults.add(
                    Fault.at(Kind.STATUS, "b")
                            .onAdmin(opcode)
                            .withStatus(Status.INTERNAL_ERROR | dnr));
        }
        faults.add(Fault.ofHost(Kind.MAPPING));
        faults.add(Fault.ofHost(Kind.ALLOCATION));
        List<Arguments> cases = new ArrayList<>();
        for (Fault fault : faults) {
            for (String buffer : List.of("target", "source", "third", "host")) {
                if (matters(fault, buffer)) {
                    cases.add(Arguments.of(fault, buffer));
                }
            }
        }
        return Share.of(cases).stream();
    }

    /** The third drive is only there to lend its memory. */
    private static boolean matters(Fault fault, String buffer) {
        return !"c".equals(fault.drive()) || buffer.equals("third");
    }

    private static Fault status(String drive, int opcode, int status) {
        return Fault.at(Kind.STATUS, drive).onIo(opcode).withStatus(status);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyOccasionEndsInTheTruth(Fault fault, String buffer) {
        Set<String> ends = new TreeSet<>();
        int n = 1;
        while (run(fault.withOccasion(n), buffer, null, ends)) {
            n++;
            assertThat(n).as("occasions of %s", fault).isLessThan(MOST);
        }
        assertThat(ends).as("%s, %d occasions", fault, n - 1).contains("ok");
        assertThat(ends)
                .as("%s through %s", fault, buffer)
                .allMatch(end -> FaultEnds.allows(fault, end));
    }

    static Stream<Arguments> packetCases() {
        List<Arguments> cases =
                List.of(
                        Arguments.of(late(Kind.LOST_COMPLETION, "a", 0), "target", 3),
                        Arguments.of(late(Kind.ZOMBIE, "a", 300 * MILLI), "target", 3),
                        Arguments.of(late(Kind.ZOMBIE, "b", 300 * MILLI), "target", 3),
                        Arguments.of(late(Kind.WRONG_DATA, "a", 0), "target", 3),
                        Arguments.of(late(Kind.WRONG_DATA, "b", 0), "target", 3),
                        Arguments.of(late(Kind.FATAL, "a", 0), "target", 3),
                        Arguments.of(late(Kind.FATAL, "b", 0), "source", 5),
                        Arguments.of(late(Kind.RESET, "a", 0), "third", 5),
                        Arguments.of(late(Kind.RESET, "b", 0), "target", 3),
                        Arguments.of(late(Kind.GONE, "a", 0), "target", 3),
                        Arguments.of(late(Kind.GONE, "b", 0), "target", 3),
                        Arguments.of(
                                status(
                                        "a",
                                        NvmOpcode.READ,
                                        Status.INTERNAL_ERROR | Status.DO_NOT_RETRY),
                                "target",
                                3));
        return Share.of(cases).stream();
    }

    /** The same where packets have latency and stay under way. */
    @ParameterizedTest
    @MethodSource("packetCases")
    void everyFewOccasionsEndInTheTruthAmongPackets(Fault fault, String buffer, int step) {
        assertThat(sweep(fault, buffer, step)).hasSizeGreaterThan(1);
    }

    static Stream<Arguments> postedWriteCases() {
        List<Arguments> cases = new ArrayList<>();
        for (Kind kind : List.of(Kind.DROPPED_WRITE, Kind.DELAYED_WRITE, Kind.DUPLICATED_WRITE)) {
            // 20 ms: longer than a slot lives; a fence has to wait, and so has the end of a copy
            cases.add(Arguments.of(late(kind, "a", 20 * MILLI), "target"));
            cases.add(Arguments.of(late(kind, "a", 20 * MILLI), "third"));
            cases.add(Arguments.of(late(kind, "b", 20 * MILLI), "source"));
        }
        return Share.of(cases).stream();
    }

    /** Packets of data that are lost, late, or come twice: the first, the second, the third ... */
    @ParameterizedTest
    @MethodSource("postedWriteCases")
    void everyPostedWriteThatGoesWrongEndsInTheTruthAmongPackets(Fault fault, String buffer) {
        Set<String> ends = sweep(fault, buffer, Share.step());
        if (fault.kind() == Kind.DROPPED_WRITE && "a".equals(fault.drive())) {
            // one of b's is lost in the verification, which reads again what did not arrive
            assertThat(ends).as("a lost packet is noticed").hasSizeGreaterThan(1);
        }
    }

    private static Set<String> sweep(Fault fault, String buffer, int step) {
        PacketModel packets = PacketModel.DEFAULTS.withMaxPayloadBytes(4096);
        Set<String> ends = new TreeSet<>();
        int n = 1;
        while (run(fault.withOccasion(n), buffer, packets, ends)) {
            n += step;
            assertThat(n).as("occasions of %s", fault).isLessThan(MOST);
        }
        assertThat(n).as("occasions of %s", fault).isGreaterThan(1);
        assertThat(ends)
                .as("%s through %s, %d occasions", fault, buffer, n - 1)
                .contains("ok")
                .allMatch(end -> FaultEnds.allows(fault, end));
        return ends;
    }

    /** Returns whether the fault happened. */
    private static boolean run(
            Fault fault, String buffer, @Nullable PacketModel packets, Set<String> ends) {
        FabricModel.Builder model =
                FabricModel.builder().time(FabricModel.Time.VIRTUAL).packets(packets).seed(5);
        for (String name : List.of("a", "b", "c")) {
            model.drive(
                    DriveModel.named(name)
                            .memory(SIZE, BLOCK)
                            .latencyNanos(5_000)
                            .cmb(CmbModel.of(CMB_BYTES))
                            .build());
        }
        try (EmulatedFabric fabric = new EmulatedFabric(model.fault(fault).build())) {
            byte[] source = bytes(1);
            byte[] before = bytes(2);
            fabric.controller("a").medium(1, source);
            fabric.controller("b").medium(1, before);
            String what = fault + " through " + buffer;
            boolean alive = copies(fabric, buffer, source, before, what, ends);
            boolean happened = fabric.happened().contains(fault);
            if (!happened) {
                assertThat(alive).as("without the fault: %s", what).isTrue();
            }
            nothingIsLeft(fabric, what);
            if (happened && fault.times() == 1) {
                fabric.repair();
                fabric.controller("b").medium(1, before);
                assertThat(copies(fabric, buffer, source, before, "again after " + what, ends))
                        .as("again after %s", what)
                        .isTrue();
                nothingIsLeft(fabric, "again after " + what);
            }
            if (!LASTING.contains(fault.kind())) {
                for (String name : List.of("a", "b", "c")) {
                    assertThat(fabric.controller(name).violations())
                            .as("%s of %s", what, name)
                            .isEmpty();
                }
            }
            return happened;
        }
    }

    private static boolean isGone(EmulatedFabric fabric, String name) {
        return fabric.happened().stream()
                .anyMatch(f -> f.kind() == Kind.GONE && name.equals(f.drive()));
    }

    /** The fabric's own books: nothing of the engine is asked. */
    private static void nothingIsLeft(EmulatedFabric fabric, String what) {
        boolean twice = fabric.happened().stream().anyMatch(f -> f.kind() == Kind.DUPLICATED_WRITE);
        if (fabric.happened().stream().anyMatch(f -> LATE.contains(f.kind()))) {
            long until = fabric.clock().nanoTime() + 400 * MILLI;
            fabric.clock().await(() -> fabric.clock().nanoTime() > until, 1_000 * MILLI);
        }
        assertThat(fabric.dmaAllocations()).as("DMA memory left: %s", what).isZero();
        assertThat(fabric.peerMappings()).as("mappings left: %s", what).isZero();
        for (String name : DRIVES) {
            EmulatedController drive = fabric.controller(name);
            if (!isGone(fabric, name)) {
                assertThat(drive.ioQueues()).as("queues of %s left: %s", name, what).isZero();
                assertThat(drive.statistics().inFlight())
                        .as("commands of %s left: %s", name, what)
                        .isZero();
                // A byte of a copy would be one that was not wiped, or that came after that. Nobody
                // can wait for the second coming of a packet.
                assertThat(twice || Arrays.equals(drive.cmbBytes(), EMPTY))
                        .as("the CMB of %s is wiped: %s", name, what)
                        .isTrue();
            }
        }
    }

    /** With the session still open: no queue of the copy, all of the CMBs free. */
    private static void nothingIsTaken(EmulatedFabric fabric, Session session, String what) {
        for (String name : DRIVES) {
            EmulatedController drive = fabric.controller(name);
            if (!isGone(fabric, name)) {
                assertThat(drive.ioQueues()).as("queues of %s: %s", name, what).isZero();
            }
            ControllerMemoryBuffer cmb = session.controller("emu:" + name).requireCmb();
            assertThat(cmb.largestFreeBytes())
                    .as("CMB of %s: %s", name, what)
                    .isEqualTo(cmb.isEnabled() ? cmb.sizeBytes() : 0);
        }
    }

    /** Opens, copies, closes; returns whether it was ok. */
    private static boolean copies(
            EmulatedFabric fabric,
            String buffer,
            byte[] source,
            byte[] before,
            String what,
            Set<String> ends) {
        CopyOptions options =
                CopyOptions.DEFAULTS
                        .withBuffer(
                                switch (buffer) {
                                    case "target" -> BufferChoice.TARGET;
                                    case "source" -> BufferChoice.SOURCE;
                                    case "third" -> BufferChoice.device("emu:c");
                                    default -> BufferChoice.HOST;
                                })
                        .withSlots(8 << 10, 4)
                        .withCommandTimeoutNanos(100 * MILLI)
                        .withVerify(VerifyMode.AUTO)
                        // among packets only some occasions are tried: those of the copy itself
                        .withOverwrite(fabric.model().packets() != null)
                        .withSeed(3);
        Receipt receipt = null;
        boolean ok = false;
        try (Session session = Session.of(new KeptFabric(fabric))) {
            try {
                receipt = session.copy(A, B, options);
                ok = true;
                ends.add("ok");
                nothingIsTaken(fabric, session, what);
            } catch (CopyException e) {
                receipt = e.receipt();
                ends.add("copy " + e.category() + " " + e.code());
                bothConditionsAreTold(fabric, e, what);
                if (fabric.happened().stream().noneMatch(f -> f.kind() == Kind.GONE)) {
                    nothingIsTaken(fabric, session, what);
                }
            }
        } catch (PeerlaneException e) {
            ends.add("open " + e.category() + " " + e.code());
        }
        check(fabric, source, before, receipt, ok, what);
        return ok;
    }

    /** A drive that died is named, and the other one is said to be well. */
    private static void bothConditionsAreTold(EmulatedFabric fabric, CopyException e, String what) {
        Receipt.Failure error = e.receipt().error();
        assertThat(error).as(what).isNotNull();
        Fault death =
                fabric.happened().stream()
                        .filter(f -> DEADLY.contains(f.kind()))
                        .findAny()
                        .orElse(null);
        if (death == null || !e.code().startsWith("controller-")) {
            return;
        }
        assertThat(e).as(what).hasMessageStartingWith("emu:" + death.drive() + ": ");
        boolean source = "a".equals(death.drive());
        boolean target = "b".equals(death.drive());
        assertThat(BlockPort.READY.equals(error.sourceCondition())).as(what).isNotEqualTo(source);
        assertThat(BlockPort.READY.equals(error.targetCondition())).as(what).isNotEqualTo(target);
        if (source || target) {
            assertThat(e)
                    .as(what)
                    .hasMessageContaining("the source, emu:a, " + error.sourceCondition())
                    .hasMessageContaining("the target, emu:b, " + error.targetCondition());
        }
    }

    private static void check(
            EmulatedFabric fabric,
            byte[] source,
            byte[] before,
            Receipt receipt,
            boolean ok,
            String what) {
        byte[] now = fabric.controller("b").medium(1);
        int from = FIRST * BLOCK;
        int to = from + BLOCKS * BLOCK;
        assertThat(Arrays.equals(now, 0, from, before, 0, from)).as("before: %s", what).isTrue();
        assertThat(Arrays.equals(now, to, SIZE, before, to, SIZE)).as("behind: %s", what).isTrue();
        assertThat(Arrays.equals(fabric.controller("a").medium(1), source)).as(what).isTrue();
        if (ok) {
            assertThat(Arrays.mismatch(now, from, to, source, 8 * BLOCK, (8 + BLOCKS) * BLOCK))
                    .as("ok, but: %s", what)
                    .isEqualTo(-1);
        } else if (receipt != null) {
            boolean spoilt = SPOILS.contains(kindOf(what));
            long claimed = 0;
            for (Receipt.Range range : receipt.copied()) {
                int at = Math.toIntExact(range.slba()) * BLOCK;
                int bytes = Math.toIntExact(range.blocks()) * BLOCK;
                int of = at - from + 8 * BLOCK;
                claimed += bytes;
                for (int block = 0; block < bytes; block += BLOCK) {
                    int here = at + block;
                    // random bytes: a block that is as before was not written
                    assertThat(Arrays.equals(now, here, here + BLOCK, before, here, here + BLOCK))
                            .as("block %d is named as copied: %s", here / BLOCK, what)
                            .isFalse();
                }
                assertThat(spoilt || Arrays.equals(now, at, at + bytes, source, of, of + bytes))
                        .as("blocks that the receipt names as copied: %s", what)
                        .isTrue();
            }
            assertThat(receipt.bytesCopied()).as(what).isEqualTo(claimed);
            for (int at = from; at < to && !spoilt; at += BLOCK) {
                int of = at - from + 8 * BLOCK;
                assertThat(
                                Arrays.equals(now, at, at + BLOCK, before, at, at + BLOCK)
                                        || Arrays.equals(
                                                now, at, at + BLOCK, source, of, of + BLOCK))
                        .as(
                                "block %d is old or new, but %s: %s",
                                at / BLOCK, HexFormat.of().formatHex(now, at, at + 16), what)
                        .isTrue();
            }
        }
    }

    /** Wrong data with success: only a verification that ran can tell. */
    private static final Set<String> SPOILS =
            Set.of("WRONG_DATA", "DROPPED_WRITE", "DELAYED_WRITE", "DUPLICATED_WRITE");

    private static String kindOf(String what) {
        int at = what.indexOf("kind=") + 5;
        return what.substring(at, what.indexOf(',', at));
    }

    private static byte[] bytes(long seed) {
        byte[] bytes = new byte[SIZE];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }
}
