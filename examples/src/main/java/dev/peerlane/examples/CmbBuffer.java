package dev.peerlane.examples;

import dev.peerlane.Extent;
import dev.peerlane.Session;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.copy.ReadFence;
import dev.peerlane.hal.DmaBuffer;
import dev.peerlane.hal.Fabric;
import dev.peerlane.nvme.ControllerMemoryBuffer;
import dev.peerlane.nvme.Namespace;
import java.lang.foreign.ValueLayout;

/**
 * Uses memory of one SSD as the data buffer of commands on two SSDs, with the driver but without
 * the copy engine. The completion of a Read means that its data was sent, not that it arrived in
 * the peer's memory, so a fence precedes the Write.
 */
public final class CmbBuffer {
    private static final int BYTES = 64 * 1024;
    private static final long MARK = 0x5045_4552_4c41_4e45L;

    private CmbBuffer() {}

    /** Runs the example on the built-in emulated fabric. */
    public static void main(String[] args) {
        try (Session session = Session.open("emu:ssd0", "emu:ssd1")) {
            Namespace from = session.namespace(Extent.parse("emu:ssd0"));
            Namespace to = session.namespace(Extent.parse("emu:ssd1"));
            ControllerMemoryBuffer cmb = session.cmb("emu:ssd1");
            long blocks = BYTES / from.blockBytes();
            writeMarks(session.fabric(), from, blocks);
            try (PeerBuffer buffer = cmb.allocate(BYTES, 4096);
                    ReadFence fence = session.readFence(from, cmb.owner())) {
                System.out.printf(
                        "%d bytes of %s at 0x%x%n", BYTES, cmb.owner(), buffer.busAddress());
                from.read(buffer, 0, 0, blocks);
                fence.await(0);
                to.write(buffer, 0, 0, blocks);
                to.flush();
                to.compare(buffer, 0, 0, blocks);
            }
            System.out.printf("%d blocks of %s are on %s%n", blocks, from.name(), to.name());
        }
    }

    /** Writes the data that the source will read. */
    private static void writeMarks(Fabric fabric, Namespace to, long blocks) {
        try (DmaBuffer data = fabric.dma().allocate(BYTES)) {
            for (long at = 0; at < BYTES; at += Long.BYTES) {
                data.segment().set(ValueLayout.JAVA_LONG, at, MARK);
            }
            to.write(data, 0, 0, blocks);
        }
    }
}
