package dev.peerlane.examples;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.block.BlockPort;
import dev.peerlane.block.Completions;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.Clock;
import dev.peerlane.nvme.Namespace;

/**
 * Keeps many Reads in flight on one thread, into plain host memory. The memory is divided into
 * slots, each with at most one command. A completion frees its slot for the next Read. A Read
 * allocates nothing, and one doorbell write announces all Reads of a round.
 */
public final class ManyReads extends Completions {
    private static final int DEPTH = 32;
    private static final int BYTES = 4096;
    private static final int READS = 1000;

    private final BlockPort port;
    private final int blocks;
    private final int[] free = new int[DEPTH];
    private int freeSlots;
    private int started;
    private int ended;
    private int failed;

    private ManyReads(BlockPort port, PeerBuffer memory) {
        this.port = port;
        blocks = BYTES / port.limits().blockBytes();
        int first = port.attach(memory, 0, BYTES, BYTES, DEPTH);
        for (int i = 0; i < DEPTH; i++) {
            free[freeSlots++] = first + i;
        }
    }

    /** Runs the example on the built-in emulated fabric. */
    public static void main(String[] args) {
        try (Session session = Session.open("emu:ssd0")) {
            Namespace from = session.namespace(Extent.parse("emu:ssd0"));
            // the port is closed first, because its commands may still use the memory
            try (PeerBuffer memory =
                            session.endpoints().hostMemory().allocate(DEPTH * BYTES, BYTES);
                    BlockPort port = from.port(DEPTH)) {
                ManyReads reads = new ManyReads(port, memory);
                reads.run(session.endpoints().clock());
                System.out.printf(
                        "%d of %d Reads of %d bytes are done, %d at a time%n",
                        reads.ended - reads.failed, READS, BYTES, DEPTH);
            }
        }
    }

    private void run(Clock clock) {
        while (ended < READS) {
            while (freeSlots > 0
                    && started < READS
                    && port.submitRead(free[freeSlots - 1], (long) started * blocks, blocks)) {
                freeSlots--;
                started++;
            }
            port.ring();
            if (port.poll(DEPTH, this) == 0) {
                clock.turn(); // emulated drives advance only when turned; hardware doesn't need
                // this
            }
        }
    }

    /** Called by poll once for each completed command. */
    @Override
    public void completed(int slot, int status) {
        free[freeSlots++] = slot;
        ended++;
        if (status != 0) {
            failed++;
            System.out.println(port.name() + ": " + port.describe(status));
        }
    }
}
