package dev.peerlane.bench;

import dev.peerlane.block.Completions;
import dev.peerlane.nvme.NvmeBlockPort;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Runs the driver's hot path on a {@link FreeDevice} in batches, as driver.c does in C. As a
 * program it has the same protocol: a line "BATCH COMMANDS" on standard input runs that many
 * commands, and the answer is the nanoseconds it took.
 */
final class DriverLoop {
    private static final int LBA_MASK = 0xffff;

    /** Counts completions. */
    static final class Count extends Completions {
        private long completed;
        private long failed;

        @Override
        public void completed(int slot, int status) {
            completed++;
            failed += status == 0 ? 0 : 1;
        }

        long completed() {
            return completed;
        }

        long failed() {
            return failed;
        }
    }

    private final FreeDevice device;
    private final NvmeBlockPort port;
    private final int blocks;
    private final Count count = new Count();

    DriverLoop(FreeDevice device, FreeDevice.Form form) {
        this.device = device;
        this.blocks = form.blocks();
        this.port = device.port();
    }

    /** Runs commands one at a time. */
    void runSingle(long commands) {
        for (long done = 0; done < commands; done++) {
            if (!port.submitRead(0, done & LBA_MASK, blocks)) {
                throw new IllegalStateException("the queue is full");
            }
            port.ring();
            device.play();
            if (port.poll(1, count) != 1) {
                throw new IllegalStateException("a completion is missing");
            }
        }
    }

    /** Runs commands in batches, each with one doorbell write in each direction. */
    void runBatches(int batch, long commands) {
        for (long done = 0; done < commands; done += batch) {
            long lba = done & LBA_MASK;
            for (int slot = 0; slot < batch; slot++) {
                if (!port.submitRead(slot, lba, blocks)) {
                    throw new IllegalStateException("the queue is full");
                }
            }
            port.ring();
            device.play();
            if (port.poll(batch, count) != batch) {
                throw new IllegalStateException("completions are missing");
            }
        }
    }

    void run(int batch, long commands) {
        if (batch == 1) {
            runSingle(commands);
        } else {
            runBatches(batch, commands);
        }
    }

    Count count() {
        return count;
    }

    public static void main(String[] args) throws IOException {
        int depth = args.length > 0 ? Integer.parseInt(args[0]) : 32;
        FreeDevice.Form form =
                args.length > 1 ? FreeDevice.Form.valueOf(args[1]) : FreeDevice.Form.PRP;
        try (FreeDevice device = new FreeDevice(depth, form);
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            DriverLoop loop = new DriverLoop(device, form);
            // PID/task/TID
            Path thread = Files.readSymbolicLink(Path.of("/proc/thread-self"));
            System.out.printf(
                    "%s %d %d%n", thread.getFileName(), device.doorbellAddress(), device.entries());
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ", -1);
                long start = System.nanoTime();
                loop.run(Integer.parseInt(words[0]), Long.parseLong(words[1]));
                long nanos = System.nanoTime() - start;
                if (loop.count().failed() != 0) {
                    throw new IllegalStateException("a command failed");
                }
                System.out.println(nanos);
            }
        }
    }
}
