package dev.peerlane.bench;

import dev.peerlane.block.Completions;
import dev.peerlane.hal.Clock;
import dev.peerlane.nvme.NvmeBlockPort;

/** Reads or writes a whole medium in order, with all slots in flight. */
final class Sweep extends Completions {
    private final int[] free;
    private int count;

    private Sweep(int first, int slots) {
        free = new int[slots];
        while (count < slots) {
            free[count] = first + count++;
        }
    }

    @Override
    public void completed(int slot, int status) {
        if (status != 0) {
            throw new IllegalStateException("a command ended with status " + status);
        }
        free[count++] = slot;
    }

    /**
     * Runs it.
     *
     * @param first the first of the slots
     * @param bytes of a slot and of a command
     * @param medium bytes of the medium, a multiple of that
     */
    static void run(
            NvmeBlockPort port,
            Clock clock,
            int first,
            int slots,
            int bytes,
            long medium,
            boolean write) {
        Sweep sweep = new Sweep(first, slots);
        int blocks = bytes / port.limits().blockBytes();
        long commands = medium / bytes;
        long begun = 0;
        long ended = 0;
        while (ended < commands) {
            while (sweep.count > 0 && begun < commands) {
                int slot = sweep.free[--sweep.count];
                long lba = begun++ * blocks;
                if (write) {
                    port.submitWrite(slot, lba, blocks);
                } else {
                    port.submitRead(slot, lba, blocks);
                }
            }
            port.ring();
            int n = port.poll(slots, sweep);
            ended += n;
            if (n == 0) {
                clock.turn();
            }
        }
    }
}
