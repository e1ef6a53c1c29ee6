package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.peerlane.Extent;
import dev.peerlane.PeerlaneException;
import dev.peerlane.Session;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.BufferChoice;
import dev.peerlane.copy.CancelFlag;
import dev.peerlane.copy.CopyException;
import dev.peerlane.copy.CopyOptions;
import dev.peerlane.copy.CopyPlan;
import dev.peerlane.copy.Progress;
import dev.peerlane.copy.Surroundings;
import dev.peerlane.copy.engine.CopyJob;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.emulator.model.Fault;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.spec.NvmOpcode;
import dev.peerlane.spec.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a slow or a dead command may still do, and a queue that is shorter than the slots are. */
class QuarantineTest {
    private static final int BYTES = 256 << 10;
    private static final long MILLI = 1_000_000L;
    private static final Extent A = new Extent("emu:a", 1, null, null);
    private static final Extent B = new Extent("emu:b", 1, null, null);

    private static DriveModel.Builder drive(String name) {
        return DriveModel.named(name).memory(BYTES, 512).cmb(CmbModel.of(128 << 10));
    }

    private static FabricModel.Builder virtual() {
        return FabricModel.builder().time(FabricModel.Time.VIRTUAL).seed(11);
    }

    private static CopyOptions options() {
        return CopyOptions.DEFAULTS
                .withBuffer(BufferChoice.TARGET)
                .withSlots(4096, 16)
                .withCommandTimeoutNanos(100 * MILLI)
                .withSeed(3);
    }

    private static byte[] random(long seed) {
        byte[] bytes = new byte[BYTES];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }

    /** What was given back is somebody else's, for half a second. */
    private static void staysAsItIs(ControllerMemoryBuffer cmb, EmulatedFabric fabric) {
        try (PeerBuffer mine = cmb.mapWhole()) {
            mine.fill(0, mine.sizeBytes(), 0x5a5a_5a5a);
            long until = fabric.clock().nanoTime() + 500 * MILLI;
            fabric.clock().await(() -> fabric.clock().nanoTime() > until, 1_000 * MILLI);
            for (long at = 0; at < mine.sizeBytes(); at += Long.BYTES) {
                assertThat(mine.load64(at)).isEqualTo(0x5a5a_5a5a_5a5a_5a5aL);
            }
        }
    }

    /** The command moves its data 300 ms after it was fetched; the copy gives it up after 100. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 9, 30})
    void theSlotOfACommandThatTimedOutIsFreeOnlyOnceItsQueueIsGone(int occasion) {
        Fault late =
                Fault.at(Fault.Kind.ZOMBIE, "a")
                        .onIo(NvmOpcode.READ)
                        .withOccasion(occasion)
                        .withNanos(300 * MILLI);
        FabricModel model =
                virtual().drive(drive("a").build()).drive(drive("b").build()).fault(late).build();
        EmulatedFabric fabric = new EmulatedFabric(model);
        fabric.controller("a").medium(1, random(1));
        try (Session session = Session.of(fabric)) {
            CopyException e =
                    catchThrowableOfType(CopyException.class, () -> session.copy(A, B, options()));
            assertThat(e.code()).isEqualTo("command-timeout");
            assertThat(e).hasMessageContaining("abort");
            assertThat(fabric.happened()).contains(late);
            assertThat(fabric.controller("a").ioQueues()).as("its queue, by the drive").isZero();
            ControllerMemoryBuffer cmb = session.controller("emu:b").requireCmb();
            assertThat(cmb.largestFreeBytes()).as("all is free").isEqualTo(cmb.sizeBytes());
            staysAsItIs(cmb, fabric);
            assertThat(fabric.faults()).as("DMA to where nothing is").isEmpty();
        }
    }

    /** The Read ends with an error at once, and moves its data 300 ms later. */
    @ParameterizedTest
    @CsvSource({"target, 1, true", "target, 9, true", "target, 9, false", "source, 2, true"})
    void theSlotOfAReadThatEndedInErrorIsFreeOnlyOnceNothingCanWriteIt(
            String buffer, int occasion, boolean isFinal) {
        Fault late =
                Fault.at(Fault.Kind.LATE_DATA, "a")
                        .onIo(NvmOpcode.READ)
                        .withStatus(
                                Status.UNRECOVERED_READ_ERROR | (isFinal ? Status.DO_NOT_RETRY : 0))
                        .withOccasion(occasion)
                        .withNanos(300 * MILLI);
        FabricModel model =
                virtual().drive(drive("a").build()).drive(drive("b").build()).fault(late).build();
        EmulatedFabric fabric = new EmulatedFabric(model);
        fabric.controller("a").medium(1, random(1));
        boolean inTarget = buffer.equals("target");
        CopyOptions how =
                options().withBuffer(inTarget ? BufferChoice.TARGET : BufferChoice.SOURCE);
        try (Session session = Session.of(fabric)) {
            // the port stays open after a copy of its own kind, as a program's may
            CopyJob job =
                    new CopyJob(session.plan(A, B, how), Surroundings.of(fabric), new CancelFlag());
            if (isFinal) {
                CopyException e =
                        catchThrowableOfType(CopyException.class, () -> job.run(Progress.NONE));
                assertThat(e.code()).endsWith("read-failed"); // or the sentinel's
            } else {
                assertThat(job.run(Progress.NONE).bytesCopied()).isEqualTo(BYTES);
            }
            assertThat(fabric.happened()).contains(late);
            String owner = inTarget ? "emu:b" : "emu:a";
            ControllerMemoryBuffer cmb = session.controller(owner).requireCmb();
            assertThat(cmb.largestFreeBytes()).as("all is free").isEqualTo(cmb.sizeBytes());
            staysAsItIs(cmb, fabric);
            assertThat(fabric.controller("a").violations()).isEmpty();
        }
    }

    @Test
    void aSynchronousReadThatEndedInErrorLeavesNothingThatCouldWriteItsMemory() {
        Fault late =
                Fault.at(Fault.Kind.LATE_DATA, "a").onIo(NvmOpcode.READ).withNanos(300 * MILLI);
        EmulatedFabric fabric =
                new EmulatedFabric(virtual().drive(drive("a").build()).fault(late).build());
        try (Session session = Session.of(fabric)) {
            Namespace namespace = session.namespace(A);
            try (DmaBuffer buffer = fabric.dma().allocate(4096)) {
                assertThatThrownBy(() -> namespace.read(buffer, 0, 0, 8))
                        .isInstanceOf(PeerlaneException.class);
            }
            long until = fabric.clock().nanoTime() + 500 * MILLI;
            fabric.clock().await(() -> fabric.clock().nanoTime() > until, 1_000 * MILLI);
            assertThat(fabric.faults()).as("DMA to memory that was given back").isEmpty();
            try (DmaBuffer buffer = fabric.dma().allocate(4096)) {
                namespace.read(buffer, 0, 0, 8); // with another queue
            }
        }
    }

    /** As where the folder for temporary files is full: a page of the CMB's file is not there. */
    @Test
    void aCmbWithNoRoomBehindItEndsACopyThatIsWoundDownAndSaysWhatToDo(@TempDir Path folder)
            throws IOException {
        Path file = folder.resolve("cmb");
        FabricModel model = virtual().drive(drive("a").build()).drive(drive("b").build()).build();
        try (FileChannel channel =
                        FileChannel.open(
                                file,
                                StandardOpenOption.CREATE_NEW,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE);
                EmulatedFabric fabric =
                        new EmulatedFabric(model, (bytes, alignment) -> mapped(channel, bytes))) {
            Session session = Session.of(fabric);
            session.controller("emu:a");
            CopyPlan plan = session.plan(A, B, options());
            channel.truncate(0);
            CopyException e =
                    catchThrowableOfType(
                            CopyException.class,
                            () -> session.run(plan, new CancelFlag(), Progress.NONE));
            assertThat(e.code()).isEqualTo("no-cmb-memory");
            assertThat(e.remedy()).contains("java.io.tmpdir");
            assertThat(e.receipt().bytesCopied()).isZero();
            for (String name : new String[] {"a", "b"}) {
                assertThat(fabric.controller(name).ioQueues()).as(name).isZero();
            }
        }
    }

    private static MemorySegment mapped(FileChannel channel, long bytes) {
        try {
            long from = channel.size();
            channel.write(ByteBuffer.allocate(1), from + bytes - 1);
            return channel.map(FileChannel.MapMode.READ_WRITE, from, bytes, Arena.ofAuto());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6, 7})
    void aQueueShorterThanTheSlotsIsFilledToItsLastPlaceAndNeverOverrun(int entries) {
        FabricModel model =
                virtual()
                        .drive(drive("a").maxQueueEntries(entries).latencyNanos(5_000).build())
                        .drive(drive("b").maxQueueEntries(entries).latencyNanos(5_000).build())
                        .build();
        EmulatedFabric fabric = new EmulatedFabric(model);
        byte[] source = random(2);
        fabric.controller("a").medium(1, source);
        try (Session session = Session.of(fabric)) {
            assertThat(session.copy(A, B, options()).slots()).isEqualTo(16);
            assertThat(Arrays.equals(fabric.controller("b").medium(1), source)).isTrue();
            for (String name : new String[] {"a", "b"}) {
                // rings are powers of two, and one entry of a ring stays empty
                assertThat(fabric.controller(name).statistics().maxInFlight())
                        .as(name)
                        .isEqualTo(Integer.highestOneBit(entries) - 1);
                assertThat(fabric.controller(name).violations()).isEmpty();
            }
        }
    }

    /** Queue full: nothing of the drive moves for 20 ms, at its n-th command. */
    @ParameterizedTest
    @ValueSource(strings = {"a", "b"})
    void aStalledDriveWhoseQueueIsFullIsWaitedFor(String stalled) {
        int entries = 4;
        int n = 1;
        boolean happened = true;
        while (happened) {
            Fault stall =
                    Fault.at(Fault.Kind.STALL, stalled)
                            .onIo(stalled.equals("a") ? NvmOpcode.READ : NvmOpcode.WRITE)
                            .withOccasion(n)
                            .withNanos(20 * MILLI);
            FabricModel model =
                    virtual()
                            .drive(drive("a").maxQueueEntries(entries).build())
                            .drive(drive("b").maxQueueEntries(entries).build())
                            .fault(stall)
                            .build();
            EmulatedFabric fabric = new EmulatedFabric(model);
            byte[] source = random(2);
            fabric.controller("a").medium(1, source);
            try (Session session = Session.of(fabric)) {
                assertThat(session.copy(A, B, options()).bytesCopied()).isEqualTo(BYTES);
                assertThat(Arrays.equals(fabric.controller("b").medium(1), source)).isTrue();
                assertThat(fabric.controller(stalled).violations()).isEmpty();
                happened = fabric.happened().contains(stall);
                if (happened && n == 1) {
                    assertThat(fabric.controller(stalled).statistics().maxInFlight())
                            .as("its queue was full")
                            .isEqualTo(entries - 1);
                }
            }
            n++;
        }
        assertThat(n).isGreaterThan(60);
    }

    @Test
    void anAbortThatFailsIsToldAndTheCopyEndsAllTheSame() {
        Fault dead =
                Fault.at(Fault.Kind.ZOMBIE, "b").onIo(NvmOpcode.WRITE).withNanos(10_000 * MILLI);
        FabricModel model =
                virtual().drive(drive("a").build()).drive(drive("b").build()).fault(dead).build();
        EmulatedFabric fabric = new EmulatedFabric(model);
        long start = fabric.clock().nanoTime();
        try (Session session = Session.of(fabric)) {
            CopyException e =
                    catchThrowableOfType(CopyException.class, () -> session.copy(A, B, options()));
            assertThat(e.code()).isEqualTo("command-timeout");
            assertThat(e.receipt().bytesCopied()).isLessThan(BYTES);
            assertThat(fabric.clock().nanoTime() - start).isLessThan(5_000 * MILLI);
        }
    }
}
