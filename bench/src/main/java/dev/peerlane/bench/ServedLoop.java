package dev.peerlane.bench;

import dev.peerlane.block.Completions;
import dev.peerlane.copy.HostMemory;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.NvmeBlockPort;
import dev.peerlane.vfiouser.VfioUserFabric;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A program that times random Reads of a served drive. The arguments are its socket and the bytes
 * of a Read. A line "DEPTH COMMANDS" on standard input keeps DEPTH Reads in flight until COMMANDS
 * have completed; the answer is the nanoseconds it took. With a third argument {@code prp} the
 * driver uses no SGLs; with a fourth {@code memory} the medium is first written once.
 */
final class ServedLoop {
    static final int MAX_DEPTH = 128;

    /** Records which slots are free again. */
    private static final class Freed extends Completions {
        private final int[] slots = new int[MAX_DEPTH];
        private int count;

        @Override
        public void completed(int slot, int status) {
            if (status != 0) {
                throw new IllegalStateException("a read ended with status " + status);
            }
            slots[count++] = slot;
        }
    }

    private final NvmeBlockPort port;
    private final Freed freed = new Freed();
    private final int blocks;
    private final long places;
    private long random = 0x9e37_79b9_7f4a_7c15L;

    ServedLoop(NvmeBlockPort port, int bytes) {
        this.port = port;
        this.blocks = bytes / port.limits().blockBytes();
        this.places = port.limits().blockCount() / blocks;
    }

    /** Keeps {@code depth} reads in flight until {@code commands} have completed. */
    void run(int depth, long commands) {
        Freed free = freed;
        free.count = depth;
        for (int slot = 0; slot < depth; slot++) {
            free.slots[slot] = slot;
        }
        long left = commands;
        long ended = 0;
        while (ended < commands) {
            while (free.count > 0 && left > 0) {
                port.submitRead(free.slots[--free.count], place() * blocks, blocks);
                left--;
            }
            port.ring();
            int n = port.poll(depth, free);
            ended += n;
            if (n == 0) {
                Thread.onSpinWait();
            }
        }
    }

    private long place() {
        random ^= random << 13;
        random ^= random >>> 7;
        random ^= random << 17;
        return Math.unsignedMultiplyHigh(random, places);
    }

    public static void main(String[] args) throws IOException {
        int bytes = Integer.parseInt(args[1]);
        boolean sgls = args.length < 3 || !args[2].equals("prp");
        ControllerOptions options = ControllerOptions.DEFAULTS.withSgls(sgls).withAsyncEvents(0);
        try (VfioUserFabric fabric = VfioUserFabric.open(List.of(Path.of(args[0])));
                Controller controller =
                        Controller.open(fabric, fabric.locators().getFirst(), options);
                NvmeBlockPort port = controller.namespace(1).port(MAX_DEPTH);
                HostMemory.HostBuffer slots =
                        new HostMemory(fabric.dma()).allocate((long) MAX_DEPTH * bytes, 4096);
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            int first = port.attach(slots, 0, bytes, bytes, MAX_DEPTH);
            if (args.length > 3 && args[3].equals(ServedDrive.MEMORY)) {
                // write the whole medium first, so that no Read hits an unallocated block
                long medium = ServedDrive.MEDIUM;
                Sweep.over(port, fabric.clock(), first, MAX_DEPTH, bytes, medium, true);
            }
            ServedLoop loop = new ServedLoop(port, bytes);
            System.out.println("ready");
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ", -1);
                long start = System.nanoTime();
                loop.run(Integer.parseInt(words[0]), Long.parseLong(words[1]));
                System.out.println(System.nanoTime() - start);
            }
        }
    }
}
