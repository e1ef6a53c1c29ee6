package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.CmbSpec;
import dev.peerlane.emulator.DriveSpec;
import dev.peerlane.emulator.EmulatedController;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.emulator.Fault;
import dev.peerlane.emulator.Fault.Kind;
import dev.peerlane.emulator.PacketSpec;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.open.Extent;
import dev.peerlane.open.Session;
import dev.peerlane.p2p.BufferChoice;
import dev.peerlane.p2p.CopyException;
import dev.peerlane.p2p.CopyOptions;
import dev.peerlane.p2p.Receipt;
import dev.peerlane.p2p.VerifyMode;
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

    private static Fault late(Kind kind, String drive, long nanos) {
        return Fault.at(kind, drive).withNanos(nanos);
    }

    static Stream<Arguments> cases() {
        List<Fault> faults = new ArrayList<>();
        for (String drive : List.of("a", "b", "c")) {
            for (Kind kind : Kind.values()) {
                if (!kind.isOfHost() && !kind.isSudden()) {
                    faults.add(late(kind, drive, kind == Kind.ZOMBIE ? 300 * MILLI : 20 * MILLI));
                }
            }
        }
        int dnr = Status.DO_NOT_RETRY;
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
        return cases.stream();
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

    static Stream<Fault> packetCases() {
        return Stream.of(
                late(Kind.LOST_COMPLETION, "a", 0),
                late(Kind.ZOMBIE, "a", 300 * MILLI),
                late(Kind.ZOMBIE, "b", 300 * MILLI),
                late(Kind.WRONG_DATA, "a", 0),
                late(Kind.WRONG_DATA, "b", 0),
                late(Kind.RESET, "b", 0),
                status("a", NvmOpcode.READ, Status.INTERNAL_ERROR | Status.DO_NOT_RETRY));
    }

    /** The same where packets have latency and stay under way. */
    @ParameterizedTest
    @MethodSource("packetCases")
    void everyThirdOccasionEndsInTheTruthAmongPackets(Fault fault) {
        PacketSpec packets = PacketSpec.DEFAULTS.withMaxPayloadBytes(4096);
        Set<String> ends = new TreeSet<>();
        int n = 1;
        while (run(fault.withOccasion(n), "target", packets, ends)) {
            n += 3;
            assertThat(n).as("occasions of %s", fault).isLessThan(MOST);
        }
        assertThat(ends)
                .as("%s", fault)
                .contains("ok")
                .hasSizeGreaterThan(1)
                .allMatch(end -> FaultEnds.allows(fault, end));
    }

    /** Returns whether the fault happened. */
    private static boolean run(
            Fault fault, String buffer, @Nullable PacketSpec packets, Set<String> ends) {
        FabricSpec.Builder spec =
                FabricSpec.builder().time(FabricSpec.Time.VIRTUAL).packets(packets).seed(5);
        for (String name : List.of("a", "b", "c")) {
            spec.drive(
                    DriveSpec.named(name)
                            .memory(SIZE, BLOCK)
                            .latencyNanos(5_000)
                            .cmb(CmbSpec.of(64 << 10))
                            .build());
        }
        try (EmulatedFabric fabric = new EmulatedFabric(spec.fault(fault).build())) {
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
        assertThat(fabric.dmaAllocations()).as("DMA memory left: %s", what).isZero();
        assertThat(fabric.peerMappings()).as("mappings left: %s", what).isZero();
        for (String name : DRIVES) {
            EmulatedController drive = fabric.controller(name);
            if (!isGone(fabric, name)) {
                assertThat(drive.ioQueues()).as("queues of %s left: %s", name, what).isZero();
                assertThat(drive.statistics().inFlight())
                        .as("commands of %s left: %s", name, what)
                        .isZero();
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
                assertThat(receipt.error()).as(what).isNotNull();
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
