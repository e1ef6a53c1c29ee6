package dev.peerlane.copy;

/** The user's choice of the fence between the completion of a Read and the use of its data. */
public enum FenceChoice {
    /** A sentinel if the data goes to a peer's memory, no fence otherwise. */
    AUTO("auto"),
    /**
     * Reads another block from the same source after a batch of Reads; that block arrives after the
     * data of the batch. Needs Relaxed Ordering off at the source.
     */
    SENTINEL("sentinel"),
    /**
     * Plants a random word at the end of every page of a slot, and waits until the data has
     * replaced all of them. Needs Relaxed Ordering off at the source, and a source that writes each
     * page in ascending order.
     */
    CANARY("canary"),
    /**
     * Loads a word from every page of the slot; the load pushes earlier writes ahead of it. Needs
     * Relaxed Ordering off at the source, and a direct route across a switch: through the root
     * complex, data and load would take different routes.
     */
    READBACK("readback"),
    /** Uses no fence, even where data can be late. */
    NONE("none");

    private final String label;

    FenceChoice(String label) {
        this.label = label;
    }

    /** Returns the name that plans and receipts use. */
    public String label() {
        return label;
    }
}
