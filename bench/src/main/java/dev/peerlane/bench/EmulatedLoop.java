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
 * Random reads and writes of an emulated drive by its own CMB, driver and emulator on one thread,
 * and the bare copies that they come to, as a program: a line "emulated" or "bare", "read" or
 * "write", bytes of a command, and how many commands; the answer is how many nanoseconds they took.
 */
final class EmulatedLoop implements AutoCloseable {
    private static final int MAX_BYTES = 128 << 10;
    private static final int DEPTH = 32;
    private static final int BLOCK = 512;
    private static final int PAGE = 4096;
    private static final long MEDIUM = 256L << 20;
    private static final int CHUNK_SHIFT = 18; // a medium in memory is in pieces of this size

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
        // no Read is of blocks that the medium does not have
        Sweep.over(port, clock, attach(MAX_BYTES), DEPTH, MAX_BYTES, MEDIUM, true);
        for (int i = 0; i < chunks.length; i++) {
            chunks[i] = arena.allocate(1L << CHUNK_SHIFT, 64).fill((byte) i);
        }
    }

    /** Attaches slots for Reads of a given size in bytes, and returns the first one. */
    int attach(int bytes) {
        return port.attach(cmb, 0, bytes, bytes, DEPTH);
    }

    /** Reads or writes at random places. */
    void run(int first, int bytes, long count, boolean write) {
        long places = MEDIUM / bytes;
        Sweep.run(port, clock, first, DEPTH, bytes, count, write, i -> place(places));
    }

    /** Copies what the same commands would have moved, each at once as they do. */
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
