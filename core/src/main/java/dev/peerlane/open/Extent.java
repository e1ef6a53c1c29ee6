package dev.peerlane.open;

import org.jspecify.annotations.Nullable;

/**
 * Blocks of a device, as a user names them: {@code DEVICE[/nNSID][@SLBA+BLOCKS]}.
 *
 * @param device the locator of the device, such as {@code emu:ssd0}
 * @param nsid the namespace, or null for the only one there is
 * @param slba first block, or null for the first of the namespace
 * @param blocks how many, or null for all that follow
 */
public record Extent(
        String device, @Nullable Integer nsid, @Nullable Long slba, @Nullable Long blocks) {
    /** Returns a whole device with its only namespace. */
    public static Extent of(String device) {
        return new Extent(device, null, null, null);
    }

    /** Returns it as a user writes it. */
    @Override
    public String toString() {
        String range = slba == null ? "" : "@" + slba + (blocks == null ? "" : "+" + blocks);
        return device + (nsid == null ? "" : "/n" + nsid) + range;
    }
}
