package dev.peerlane.emulator.tree;

import dev.peerlane.Bits;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;

/** Places the table and the pending bits of MSI-X in the BARs of a drive. */
public final class MsixLayout {
    /** Length of an entry of the table. */
    public static final int ENTRY_BYTES = 16;

    private static final int PAGE_BYTES = Bits.PAGE_BYTES;

    private MsixLayout() {}

    /** Returns how many vectors a drive has: one for each completion queue. */
    public static int vectors(DriveModel drive) {
        return drive.ioQueues() + 1;
    }

    /** Returns which BAR of a drive holds table and pending bits. */
    public static int bar(DriveModel drive) {
        CmbModel cmb = drive.cmb();
        return cmb != null && cmb.bar() == 4 ? 2 : 4;
    }

    /** Returns where in the BAR the pending bits are. */
    public static int pendingOffset(DriveModel drive) {
        return (vectors(drive) * ENTRY_BYTES + PAGE_BYTES - 1) & -PAGE_BYTES;
    }

    /** Returns how long the BAR has to be. */
    static long barBytes(DriveModel drive) {
        return pendingOffset(drive) + (long) PAGE_BYTES;
    }
}
