package dev.peerlane.copy;

/** What stands between the completion of a Read and the use of its data, as the user wants it. */
public enum FenceChoice {
    /** The sentinel where a fence is needed, none where it is not. */
    AUTO("auto"),
    /**
     * After a batch of Reads another block is Read from the same source; it arrives after them.
     * Needs Relaxed Ordering off at the source.
     */
    SENTINEL("sentinel"),
    /**
     * A random word at the end of every page of a slot, which must have gone. Needs Relaxed
     * Ordering off at the source, and a source that writes each page in ascending order.
     */
    CANARY("canary"),
    /**
     * The host loads from every page of the slot; the load pushes what was written before it. Needs
     * Relaxed Ordering off at the source, and a direct way across a switch: through the root
     * complex data and load would take two ways.
     */
    READBACK("readback"),
    /** Nothing, whatever may happen. */
    NONE("none");

    private final String label;

    FenceChoice(String label) {
        this.label = label;
    }

    /** Returns the name in plans and receipts. */
    public String label() {
        return label;
    }
}
