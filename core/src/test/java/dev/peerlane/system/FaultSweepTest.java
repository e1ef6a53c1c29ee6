package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.PeerlaneException;
import dev.peerlane.emulator.CmbSpec;
import dev.peerlane.emulator.DriveSpec;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.FabricSpec;
import dev.peerlane.emulator.Fault;
import dev.peerlane.emulator.Fault.Kind;
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
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Stream;
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
    private static final Extent A = new Extent("emu:a", 1, 8L, (long) BLOCKS);
    private static final Extent B = new Extent("emu:b", 1, (long) FIRST, (long) BLOCKS);
    private static final long MILLI = 1_000_000L;

    /** Kinds after which the drive, or the plan of the copy, is of no more use. */
    private static final Set<Kind> LASTING =
            Set.of(Kind.GONE, Kind.FATAL, Kind.RESET, Kind.CMB_DATA_WITHDRAWN, Kind.BAD_BLOCKS);

    private static Fault late(Kind kind, String drive, long nanos) {
        return Fault.at(kind, drive).withNanos(nanos);
    }

    static Stream<Arguments> cases() {
        List<Fault> faults = new ArrayList<>();
        for (String drive : List.of("a", "b", "c")) {
            for (Kind kind : Kind.values()) {
                if (!kind.isOfHost()) {
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
        while (run(fault.withOccasion(n), buffer, ends)) {
            n++;
            assertThat(n).as("occasions of %s", fault).isLessThan(MOST);
        }
        assertThat(ends).as("%s, %d occasions", fault, n - 1).contains("ok");
    }

    /** Returns whether the fault happened. */
    private static boolean run(Fault fault, String buffer, Set<String> ends) {
        FabricSpec.Builder spec = FabricSpec.builder().time(FabricSpec.Time.VIRTUAL).seed(5);
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
            assertThat(fabric.dmaAllocations()).as("DMA memory left: %s", what).isZero();
            if (happened && !LASTING.contains(fault.kind()) && fault.times() == 1) {
                fabric.controller("b").medium(1, before);
                assertThat(copies(fabric, buffer, source, before, "again after " + what, ends))
                        .as("again after %s", what)
                        .isTrue();
                assertThat(fabric.dmaAllocations()).as("left after again: %s", what).isZero();
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
            receipt = session.copy(A, B, options);
            ok = true;
            ends.add("ok");
            for (String name : List.of("emu:a", "emu:b", "emu:c")) {
                ControllerMemoryBuffer cmb = session.controller(name).requireCmb();
                assertThat(cmb.largestFreeBytes())
                        .as("CMB of %s: %s", name, what)
                        .isEqualTo(cmb.isEnabled() ? cmb.sizeBytes() : 0);
            }
        } catch (CopyException e) {
            receipt = e.receipt();
            ends.add(e.code());
            assertThat(receipt.error()).as(what).isNotNull();
        } catch (PeerlaneException e) {
            ends.add(e.code());
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
        } else if (receipt != null
                && !"failed".equals(receipt.verify().result())
                && !SPOILS.contains(kindOf(what))) {
            for (Receipt.Range range : receipt.copied()) {
                int at = Math.toIntExact(range.slba()) * BLOCK;
                int bytes = Math.toIntExact(range.blocks()) * BLOCK;
                int of = at - from + 8 * BLOCK;
                assertThat(Arrays.equals(now, at, at + bytes, source, of, of + bytes))
                        .as("blocks that the receipt names as copied: %s", what)
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
