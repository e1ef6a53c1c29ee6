package dev.peerlane.spec;

import dev.peerlane.spec.layout.Wire;

/** Command Set Identifiers, CSI (NVMe Base 2.0, 5.17.1). */
public final class CommandSet {
    /** The NVM Command Set: blocks. */
    public static final int NVM = 0x00;

    /** The Key Value Command Set. */
    public static final int KEY_VALUE = 0x01;

    /** The Zoned Namespace Command Set. */
    public static final int ZONED = 0x02;

    private CommandSet() {}

    /**
     * Returns the name of a command set. Never fails: an unknown command set gets a name that says
     * so.
     */
    public static String name(int csi) {
        return switch (csi) {
            case NVM -> "NVM";
            case KEY_VALUE -> "Key Value";
            case ZONED -> "Zoned Namespace";
            default -> Wire.unknown("Unknown Command Set", csi);
        };
    }
}
