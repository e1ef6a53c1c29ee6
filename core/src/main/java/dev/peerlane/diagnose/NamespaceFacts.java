package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a namespace.
 *
 * @param owner its controller
 * @param nsid its number there
 * @param blockBytes length of a logical block; 0 if it can't be used
 * @param maxTransferBytes longest transfer of one command; 0 if it can't be used
 * @param canCompare whether the controller has the Compare command
 * @param unusable why no copy can use it, or null
 * @param readOnly why it can't be written, or null
 */
public record NamespaceFacts(
        Bdf owner,
        int nsid,
        int blockBytes,
        int maxTransferBytes,
        boolean canCompare,
        @Nullable String unusable,
        @Nullable String readOnly) {
    /** Makes one that can be read and written. */
    public NamespaceFacts(
            Bdf owner, int nsid, int blockBytes, int maxTransferBytes, boolean canCompare) {
        this(owner, nsid, blockBytes, maxTransferBytes, canCompare, null, null);
    }

    /** Makes one that no copy can use. */
    public static NamespaceFacts unusable(Bdf owner, int nsid, String why) {
        return new NamespaceFacts(owner, nsid, 0, 0, false, why, null);
    }
}
