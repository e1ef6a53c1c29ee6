package dev.peerlane.copy.planning;

import dev.peerlane.PeerlaneException.Category;

/** Why a memory may not carry a copy. */
public enum Unfit {
    /** There is no CMB. */
    ABSENT("cmb-absent", Category.MACHINE),
    /** The owner may not take the data of its own Writes from its CMB. */
    NO_WDS("cmb-no-wds", Category.MACHINE),
    /** The owner may not place the data of its own Reads in its CMB. */
    NO_RDS("cmb-no-rds", Category.MACHINE),
    /** A leg has no permitted route. */
    ROUTE("no-permitted-route", Category.REFUSED),
    /**
     * Whether packets of a leg are stopped is unknown: a function on the route could not be read.
     */
    UNREAD("config-unreadable", Category.REFUSED),
    /**
     * Whether packets of a leg are stopped is unknown: a function on the route is suspended, and
     * reading it would wake it.
     */
    ASLEEP("suspended", Category.REFUSED),
    /** A port on the route holds its link down. */
    CONTAINED("dpc-triggered", Category.MACHINE),
    /** The packets of a leg are longer than a port on the route accepts. */
    PAYLOAD("payload-mismatch", Category.REFUSED),
    /** A BAR of another function has the same bus address. */
    ADDRESSES("address-collision", Category.REFUSED),
    /** The source's writes may overtake each other. */
    RELAXED_ORDERING("relaxed-ordering", Category.MACHINE),
    /** The source's writes take several routes. */
    SECOND_WAY("second-way", Category.REFUSED),
    /** The readback fence, which the user chose, proves nothing on this route. */
    READBACK("fence-readback", Category.MACHINE),
    /** The CMB does not hold one block and what the fence needs besides it. */
    SMALL("cmb-small", Category.MACHINE),
    /** A block of one side is longer than a transfer of the other. */
    BLOCKS("blocks-do-not-fit", Category.MACHINE);

    private final String code;
    private final Category category;

    Unfit(String code, Category category) {
        this.code = code;
        this.category = category;
    }

    /** Returns the stable code, which the doctor and refused plans share. */
    public String code() {
        return code;
    }

    /** Returns the error category: MACHINE if the devices can't, REFUSED if they must not. */
    public Category category() {
        return category;
    }

    /** Returns whether the reason lies in the route to the memory, not in the memory itself. */
    public boolean isOfTheWay() {
        return switch (this) {
            case ROUTE, UNREAD, ASLEEP, CONTAINED, PAYLOAD, ADDRESSES -> true;
            case ABSENT, NO_WDS, NO_RDS, RELAXED_ORDERING, SECOND_WAY, READBACK, SMALL, BLOCKS ->
                    false;
        };
    }

    /** Returns what to do if the user chose that memory. */
    String remedy() {
        return switch (this) {
            case UNREAD -> "Run as root, who may read it, or choose another buffer";
            case ASLEEP -> "Wake it (echo on > power/control), or choose another buffer";
            case CONTAINED -> "Power-cycle the slot below that port, or choose another buffer";
            default ->
                    isOfTheWay()
                            ? "Put the devices behind one switch, or choose another buffer"
                            : "Choose another buffer, or let the planner choose";
        };
    }
}
