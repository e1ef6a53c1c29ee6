package dev.peerlane.measure;

import dev.peerlane.nvme.Namespace;
import org.jspecify.annotations.Nullable;

/**
 * A way that a {@link Bench} measures: who, with which blocks, into or out of whose memory.
 *
 * @param namespace whose blocks it uses
 * @param owner the device whose memory it is, or null for host memory
 * @param command what is done with the memory
 * @param route the verdict on the way, in words
 * @param lba the first block
 * @param blocks how many blocks from there
 */
public record LoadWay(
        Namespace namespace,
        @Nullable String owner,
        Load.Command command,
        String route,
        long lba,
        long blocks) {
    /** Returns the name of the device that does the DMA. */
    public String initiator() {
        return namespace.device().locator();
    }

    /** Returns the bytes of the blocks that it uses. */
    long bytes() {
        return blocks * namespace.blockBytes();
    }
}
