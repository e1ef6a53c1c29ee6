package dev.peerlane.pci;

/** Which way the data of a request goes, as its initiator sees it. */
public enum Direction {
    /** Out of the memory, to the initiator. */
    READ("read"),

    /** From the initiator into the memory. */
    WRITE("write");

    private final String word;

    Direction(String word) {
        this.word = word;
    }

    /** Returns it in lower case, as documents have it. */
    public String word() {
        return word;
    }
}
