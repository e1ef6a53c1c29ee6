package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import org.jspecify.annotations.Nullable;

/**
 * The known facts about a namespace.
 *
 * @param owner its controller
 * @param nsid its identifier on that controller
 * @param blockBytes length of a logical block in bytes; 0 if the namespace can't be used
 * @param maxTransferBytes longest transfer of one command in bytes; 0 if the namespace can't be
 *     used
 * @param canCompare whether the controller supports Compare
 * @param unusable why no copy can use the namespace, or null
 * @param readOnly why the namespace can't be written, or null
 */
public record NamespaceFacts(
        Bdf owner,
        int nsid,
        int blockBytes,
        int maxTransferBytes,
        boolean canCompare,
        @Nullable String unusable,
        @Nullable String readOnly) {
    /** Creates the facts of a namespace that can be read and written. */
    public NamespaceFacts(
            Bdf owner, int nsid, int blockBytes, int maxTransferBytes, boolean canCompare) {
        this(owner, nsid, blockBytes, maxTransferBytes, canCompare, null, null);
    }

    /** Creates the facts of a namespace that no copy can use. */
    public static NamespaceFacts unusable(Bdf owner, int nsid, String why) {
        return new NamespaceFacts(owner, nsid, 0, 0, false, why, null);
    }
}
