package dev.peerlane.pci;

/** The direction of a request's data, as seen by the initiator. */
public enum Direction {
    /** From the memory to the initiator. */
    READ("read"),

    /** From the initiator into the memory. */
    WRITE("write");

    private final String word;

    Direction(String word) {
        this.word = word;
    }

    /** Returns the direction in lower case, as used in documents. */
    public String word() {
        return word;
    }
}
