package dev.peerlane.bench;

import dev.peerlane.block.Completions;
import dev.peerlane.hal.Clock;
import dev.peerlane.nvme.NvmeBlockPort;
import java.util.function.LongUnaryOperator;

/** Reads or writes places of a medium in turn, with all slots in flight. */
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

    /** Sweeps a whole medium in order. Its size is a multiple of the command size. */
    static void over(
            NvmeBlockPort port,
            Clock clock,
            int first,
            int slots,
            int bytes,
            long medium,
            boolean write) {
        run(port, clock, first, slots, bytes, medium / bytes, write, i -> i);
    }

    /**
     * Runs a sweep.
     *
     * @param first the first slot
     * @param bytes the bytes of a slot and of a command
     * @param places the place of the n-th command, in units of commands
     */
    static void run(
            NvmeBlockPort port,
            Clock clock,
            int first,
            int slots,
            int bytes,
            long commands,
            boolean write,
            LongUnaryOperator places) {
        Sweep sweep = new Sweep(first, slots);
        int blocks = bytes / port.limits().blockBytes();
        long begun = 0;
        long ended = 0;
        while (ended < commands) {
            while (sweep.count > 0 && begun < commands) {
                int slot = sweep.free[--sweep.count];
                long lba = places.applyAsLong(begun++) * blocks;
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
