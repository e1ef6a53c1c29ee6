package dev.peerlane.measure;

import dev.peerlane.nvme.Namespace;
import org.jspecify.annotations.Nullable;

/**
 * A path of data that a {@link Bench} measures: the device that does the DMA, its blocks, and the
 * memory.
 *
 * @param namespace the namespace whose blocks are used
 * @param owner the device that owns the memory, or null for host memory
 * @param command what is done with the memory
 * @param route the verdict on the route, in words
 * @param lba the first block
 * @param blocks number of blocks
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

    /** Returns the bytes of the blocks in all. */
    long bytes() {
        return blocks * namespace.blockBytes();
    }
}
