package dev.peerlane.emulator.tree;

import dev.peerlane.Bits;
import dev.peerlane.emulator.model.CmbModel;
import dev.peerlane.emulator.model.DriveModel;

/** Places the MSI-X table and pending bits in the BARs of a drive. */
public final class MsixLayout {
    /** Bytes of a table entry. */
    public static final int ENTRY_BYTES = 16;

    private static final int PAGE_BYTES = Bits.PAGE_BYTES;

    private MsixLayout() {}

    /** Returns the number of vectors of a drive: one for each completion queue. */
    public static int vectors(DriveModel drive) {
        return drive.ioQueues() + 1;
    }

    /** Returns the BAR of a drive that holds table and pending bits. */
    public static int bar(DriveModel drive) {
        CmbModel cmb = drive.cmb();
        return cmb != null && cmb.bar() == 4 ? 2 : 4;
    }

    /** Returns the offset of the pending bits in the BAR. */
    public static int pendingOffset(DriveModel drive) {
        return (vectors(drive) * ENTRY_BYTES + PAGE_BYTES - 1) & -PAGE_BYTES;
    }

    /** Returns the length that the BAR needs. */
    static long barBytes(DriveModel drive) {
        return pendingOffset(drive) + (long) PAGE_BYTES;
    }
}
