package dev.peerlane.hal;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What is true of a fabric beside its functions, for whoever would else ask which one it is.
 *
 * @param state where files name what is in use of its devices' memory, if those go on with it when
 *     this process is killed; null for devices that end with the process or belong to somebody else
 * @param emulation how it moves data, if its devices are made by this process; null for others
 */
public record FabricTraits(@Nullable Path state, @Nullable String emulation) {
    /** Traits of a fabric whose devices somebody else looks after. */
    public static final FabricTraits LENT = new FabricTraits(null, null);

    /** Returns whether its devices go on, with what is in their memory, after this process. */
    public boolean outlivesProcess() {
        return state != null;
    }

    /** Returns whether its devices are made by this process. */
    public boolean isEmulated() {
        return emulation != null;
    }
}
