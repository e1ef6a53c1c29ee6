package dev.peerlane.bench;

import dev.peerlane.block.Completions;
import dev.peerlane.hal.Clock;
import dev.peerlane.nvme.NvmeBlockPort;
import java.util.function.LongUnaryOperator;

/** Reads or writes one place of a medium after the other, with all slots in flight. */
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

    /** Runs it over a whole medium in order; its bytes are a multiple of a command's. */
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
     * Runs it.
     *
     * @param first the first of the slots
     * @param bytes of a slot and of a command
     * @param places which place, counted in commands, the n-th command is for
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
