package dev.peerlane.examples;

import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.Controller;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.ControllerOptions;
import dev.peerlane.nvme.Namespace;
import dev.peerlane.open.Fabrics;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Takes memory of one SSD and makes it the data of commands on two: the driver without the copy
 * engine. A Read that completed says that its data was sent, not that it arrived in a peer's
 * memory; this program looks at the last word before it goes on, the copy engine has a fence that
 * works for any data.
 */
public final class CmbBuffer {
    private static final int BYTES = 64 * 1024;
    private static final long MARK = 0x5045_4552_4c41_4e45L;
    private static final long TIMEOUT_NANOS = 1_000_000_000L;

    private CmbBuffer() {}

    /** Runs it on the built-in emulated fabric. */
    public static void main(String[] args) {
        try (Fabric fabric = Fabrics.open(null, List.of());
                Controller a = Controller.open(fabric, "emu:ssd0", ControllerOptions.DEFAULTS);
                Controller b = Controller.open(fabric, "emu:ssd1", ControllerOptions.DEFAULTS)) {
            ControllerMemoryBuffer cmb = b.requireCmb();
            cmb.enable(fabric.dma());
            Namespace from = a.namespace(1);
            Namespace to = b.namespace(1);
            long blocks = BYTES / from.blockBytes();
            writeMarks(fabric, from, blocks);
            try (PeerBuffer buffer = cmb.allocate(BYTES, 4096)) {
                System.out.printf(
                        "%d bytes of %s at 0x%x%n", BYTES, cmb.owner(), buffer.busAddress());
                from.read(buffer, 0, 0, blocks);
                if (!fabric.clock().await(() -> arrived(buffer), TIMEOUT_NANOS)) {
                    throw new IllegalStateException("the data did not arrive");
                }
                to.write(buffer, 0, 0, blocks);
                to.flush();
                to.compare(buffer, 0, 0, blocks);
            }
            System.out.printf("%d blocks of %s are on %s%n", blocks, from.name(), to.name());
        }
    }

    private static boolean arrived(PeerBuffer buffer) {
        return buffer.load64(BYTES - Long.BYTES) == MARK;
    }

    /** Gives the source something to read. */
    private static void writeMarks(Fabric fabric, Namespace to, long blocks) {
        try (DmaBuffer data = fabric.dma().allocate(BYTES)) {
            for (long at = 0; at < BYTES; at += Long.BYTES) {
                data.segment().set(ValueLayout.JAVA_LONG, at, MARK);
            }
            to.write(data, 0, 0, blocks);
        }
    }
}
