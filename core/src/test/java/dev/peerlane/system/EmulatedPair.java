package dev.peerlane.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Drives {@code a} and {@code b} of an emulated fabric in virtual time, opened by the driver. */
final class EmulatedPair implements AutoCloseable {
    static final long MIB = 1 << 20;
    private static final long TIMEOUT = 5_000_000_000L;
    private static final ControllerOptions OPTIONS =
            ControllerOptions.DEFAULTS.withTimeoutNanos(TIMEOUT);

    final EmulatedFabric fabric;
    final Controller a;
    final Controller b;

    EmulatedPair(FabricModel.Builder model) {
        fabric = new EmulatedFabric(model.time(FabricModel.Time.VIRTUAL).build());
        a = Controller.open(fabric, "emu:a", OPTIONS);
        b = Controller.open(fabric, "emu:b", OPTIONS);
    }

    static EmulatedPair of(DriveModel.Builder a, DriveModel.Builder b) {
        return new EmulatedPair(FabricModel.builder().drive(a.build()).drive(b.build()));
    }

    static DriveModel.Builder drive(String name) {
        return DriveModel.named(name);
    }

    DmaBuffer host(long bytes) {
        return fabric.dma().allocate(bytes);
    }

    /** Fills memory with bytes that a seed tells. */
    static void scramble(MemorySegment memory, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (long at = 0; at + 8 <= memory.byteSize(); at += 8) {
            memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, random.nextLong());
        }
    }

    /** Writes scrambled bytes to blocks. */
    void scramble(Namespace ns, long lba, long bytes, long seed) {
        try (DmaBuffer data = host(bytes)) {
            scramble(data.segment().asSlice(0, bytes), seed);
            ns.write(data, 0, lba, bytes / ns.blockBytes());
        }
    }

    byte[] content(Namespace ns, long lba, long bytes) {
        try (DmaBuffer data = host(bytes)) {
            ns.read(data, 0, lba, bytes / ns.blockBytes());
            return data.segment().asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Completions in the order of their arrival. */
    static final class Taken extends Completions {
        final List<Integer> slots = new ArrayList<>();
        final List<Integer> statuses = new ArrayList<>();

        @Override
        public void completed(int slot, int status) {
            slots.add(slot);
            statuses.add(status);
        }
    }

    /** Rings and polls until nothing is in flight. */
    Taken drain(BlockPort port) {
        Taken taken = new Taken();
        port.ring();
        boolean done =
                fabric.clock()
                        .await(
                                () -> {
                                    port.poll(64, taken);
                                    return port.inFlight() == 0;
                                },
                                TIMEOUT);
        assertThat(done).as("drained").isTrue();
        return taken;
    }

    /** Closes all, and checks that the controllers saw nothing forbidden. */
    @Override
    public void close() {
        a.close();
        b.close();
        List<String> violations = new ArrayList<>(fabric.controller("a").violations());
        violations.addAll(fabric.controller("b").violations());
        long faulted = fabric.traffic().orElseThrow().total().faulted();
        fabric.close();
        assertThat(violations).isEmpty();
        assertThat(faulted).as("bytes of DMA to nowhere").isZero();
        assertThat(a.closeProblem()).isEmpty();
        assertThat(b.closeProblem()).isEmpty();
    }
}
