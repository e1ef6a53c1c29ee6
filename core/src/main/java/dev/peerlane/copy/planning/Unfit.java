package dev.peerlane.copy.planning;

import dev.peerlane.PeerlaneException.Category;

/** Why a memory may not carry a copy. */
public enum Unfit {
    /** There is no memory. */
    ABSENT("cmb-absent", Category.MACHINE),
    /** Its owner may not take the data of its Writes from it. */
    NO_WDS("cmb-no-wds", Category.MACHINE),
    /** Its owner may not place the data of its Reads in it. */
    NO_RDS("cmb-no-rds", Category.MACHINE),
    /** A leg has no permitted route. */
    ROUTE("no-permitted-route", Category.REFUSED),
    /** What may stop packets of a leg could not be read. */
    UNREAD("config-unreadable", Category.REFUSED),
    /** What may stop packets of a leg was not read, since that would wake it. */
    ASLEEP("suspended", Category.REFUSED),
    /** A port of a leg holds its link down. */
    CONTAINED("dpc-triggered", Category.MACHINE),
    /** A packet of a leg is longer than a port on its way takes. */
    PAYLOAD("payload-mismatch", Category.REFUSED),
    /** A BAR of another function has the same bus address. */
    ADDRESSES("address-collision", Category.REFUSED),
    /** The source's writes may overtake each other. */
    RELAXED_ORDERING("relaxed-ordering", Category.MACHINE),
    /** The source's writes take several ways. */
    SECOND_WAY("second-way", Category.REFUSED),
    /** Reading back, which was asked for, proves nothing here. */
    READBACK("fence-readback", Category.MACHINE),
    /** It does not hold one block, and what the fence needs beside it. */
    SMALL("cmb-small", Category.MACHINE),
    /** A block of one side is longer than a transfer of the other. */
    BLOCKS("blocks-do-not-fit", Category.MACHINE);

    private final String code;
    private final Category category;

    Unfit(String code, Category category) {
        this.code = code;
        this.category = category;
    }

    /** Returns its stable name, which the doctor and refused plans share. */
    public String code() {
        return code;
    }

    /** Returns whether the devices can't, or could but must not. */
    public Category category() {
        return category;
    }

    /** Returns whether it is the way to the memory, and not the memory itself. */
    public boolean isOfTheWay() {
        return switch (this) {
            case ROUTE, UNREAD, ASLEEP, CONTAINED, PAYLOAD, ADDRESSES -> true;
            case ABSENT, NO_WDS, NO_RDS, RELAXED_ORDERING, SECOND_WAY, READBACK, SMALL, BLOCKS ->
                    false;
        };
    }

    /** Returns what to do where that memory was asked for. */
    String remedy() {
        return switch (this) {
            case UNREAD -> "Run as root, who may read it, or choose another buffer";
            case ASLEEP -> "Wake it (echo on > power/control), or choose another buffer";
            case CONTAINED -> "Power-cycle the slot below that port, or choose another buffer";
            default ->
                    isOfTheWay()
                            ? "Put the devices behind one switch, or choose another buffer"
                            : "Choose another buffer, or have the best that works chosen";
        };
    }
}
