package dev.peerlane.hal;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Properties of a fabric as a whole, so that callers need not ask which kind it is.
 *
 * @param state directory with files that list which parts of the devices' memories are in use, if
 *     those memories keep their content when this process is killed. Null if the devices end with
 *     the process or belong to somebody else
 * @param emulation how the fabric moves data, if this process emulates its devices; otherwise null
 */
public record FabricTraits(@Nullable Path state, @Nullable String emulation) {
    /** Properties of a fabric whose devices belong to somebody else. */
    public static final FabricTraits LENT = new FabricTraits(null, null);

    /** Returns whether the devices, and the content of their memories, outlive this process. */
    public boolean outlivesProcess() {
        return state != null;
    }

    /** Returns whether this process emulates the devices. */
    public boolean isEmulated() {
        return emulation != null;
    }
}
