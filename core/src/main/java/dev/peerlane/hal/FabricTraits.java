package dev.peerlane.hal;

import org.jspecify.annotations.Nullable;

/**
 * What is true of a fabric beside its functions, for whoever would else ask which one it is.
 *
 * @param outlivesProcess whether its devices go on, with what is in their memory, when this process
 *     is killed
 * @param emulation how it moves data, if its devices are made by this process; null for others
 */
public record FabricTraits(boolean outlivesProcess, @Nullable String emulation) {
    /** Traits of a fabric whose devices nobody else uses and which this process does not make. */
    public static final FabricTraits LENT = new FabricTraits(false, null);

    /** Traits of a fabric of this machine's own devices. */
    public static final FabricTraits HARDWARE = new FabricTraits(true, null);

    /** Returns whether its devices are made by this process. */
    public boolean isEmulated() {
        return emulation != null;
    }
}
