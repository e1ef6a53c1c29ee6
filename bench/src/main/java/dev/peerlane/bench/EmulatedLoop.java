package dev.peerlane.bench;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.emulator.EmulatedFabric;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;
import dev.peerlane.emulator.model.FabricModel;
import dev.peerlane.hal.Clock;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.NvmeBlockPort;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * A program that times random Reads and Writes of an emulated drive through its own CMB, with
 * driver and emulator on one thread, and the bare memory copies they amount to. Each input line is
 * "emulated" or "bare", "read" or "write", the bytes of a command and the number of commands; the
 * answer is the nanoseconds they took.
 */
final class EmulatedLoop implements AutoCloseable {
    private static final int MAX_BYTES = 128 << 10;
    private static final int DEPTH = 32;
    private static final int BLOCK = 512;
    private static final int PAGE = 4096;
    private static final long MEDIUM = 256L << 20;
    private static final int CHUNK_SHIFT = 18; // a medium in memory consists of pieces of this size

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment[] chunks = new MemorySegment[(int) (MEDIUM >> CHUNK_SHIFT)];
    private final MemorySegment target = arena.allocate((long) DEPTH * MAX_BYTES, 4096);
    private final EmulatedFabric fabric;
    private final Clock clock;
    private final Controller controller;
    private final PeerBuffer cmb;
    private final NvmeBlockPort port;
    private long random = 0x9e37_79b9_7f4a_7c15L;

    EmulatedLoop() {
        DriveModel drive =
                DriveModel.named("ssd")
                        .memory(MEDIUM, BLOCK)
                        .cmb(CmbModel.of((long) DEPTH * MAX_BYTES))
                        .build();
        fabric = new EmulatedFabric(FabricModel.builder().drive(drive).build().hurried());
        clock = fabric.clock();
        controller = Controller.open(fabric, drive.locator(), ControllerOptions.DEFAULTS);
        controller.requireCmb().enable(controller.dma());
        cmb = controller.requireCmb().allocate((long) DEPTH * MAX_BYTES, PAGE);
        port = controller.namespace(1).port(DEPTH);
        // write the whole medium first, so that no Read hits an unallocated block
        Sweep.over(port, clock, attach(MAX_BYTES), DEPTH, MAX_BYTES, MEDIUM, true);
        for (int i = 0; i < chunks.length; i++) {
            chunks[i] = arena.allocate(1L << CHUNK_SHIFT, 64).fill((byte) i);
        }
    }

    /** Attaches slots for commands of a size and returns the first slot. */
    int attach(int bytes) {
        return port.attach(cmb, 0, bytes, bytes, DEPTH);
    }

    /** Reads or writes at random offsets. */
    void run(int first, int bytes, long count, boolean write) {
        long places = MEDIUM / bytes;
        Sweep.run(port, clock, first, DEPTH, bytes, count, write, i -> place(places));
    }

    /** Copies the bytes that the same commands would move, all of a command at once. */
    void bare(int bytes, long commands, boolean write) {
        long places = MEDIUM / bytes;
        for (long done = 0; done < commands; done++) {
            long at = place(places) * bytes;
            MemorySegment chunk = chunks[(int) (at >> CHUNK_SHIFT)];
            long in = at & ((1L << CHUNK_SHIFT) - 1);
            long slot = (done & (DEPTH - 1)) * bytes;
            if (write) {
                MemorySegment.copy(target, slot, chunk, in, bytes);
            } else {
                MemorySegment.copy(chunk, in, target, slot, bytes);
            }
        }
    }

    private long place(long places) {
        random ^= random << 13;
        random ^= random >>> 7;
        random ^= random << 17;
        return Math.unsignedMultiplyHigh(random, places);
    }

    @Override
    public void close() {
        port.close();
        cmb.close();
        controller.close();
        fabric.close();
        arena.close();
    }

    public static void main(String[] args) throws IOException {
        try (EmulatedLoop loop = new EmulatedLoop();
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            int attachedBytes = 0;
            int first = 0;
            System.out.println("ready");
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ", -1);
                boolean write = words[1].equals("write");
                int bytes = Integer.parseInt(words[2]);
                long commands = Long.parseLong(words[3]);
                if (bytes != attachedBytes) {
                    first = loop.attach(bytes);
                    attachedBytes = bytes;
                }
                long start = System.nanoTime();
                if (words[0].equals("emulated")) {
                    loop.run(first, bytes, commands, write);
                } else {
                    loop.bare(bytes, commands, write);
                }
                System.out.println(System.nanoTime() - start);
            }
        }
    }
}
