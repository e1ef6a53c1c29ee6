package dev.peerlane.copy.engine;

/**
 * The free slots, and which of them a chunk may take. They are two halves: of as many chunks in a
 * row as there are slots, the first take slots of one half, the rest slots of the other. The
 * verification exchanges the halves. So no chunk is checked in the slot that it was copied through,
 * whatever order commands end in, and no note of each chunk is needed; but for a memory with one
 * slot.
 */
final class FreeSlots {
    private final IntQueue[] halves;
    private final int slots;
    private final int low;
    private final int exchanged;

    /**
     * Creates them, all free.
     *
     * @param slots how many there are
     * @param others whether chunks take other slots than without this
     */
    FreeSlots(int slots, boolean others) {
        this.slots = slots;
        low = (slots + 1) / 2;
        exchanged = others && slots > 1 ? 1 : 0;
        halves = new IntQueue[] {new IntQueue(low), new IntQueue(slots - low)};
        for (int slot = 0; slot < slots; slot++) {
            give(slot);
        }
    }

    /**
     * Takes a slot for a chunk, the one that has been free for longest.
     *
     * @return -1 if none is free for it
     */
    int take(long chunk) {
        IntQueue half = halves[(chunk % slots < low ? 0 : 1) ^ exchanged];
        return half.isEmpty() ? -1 : half.remove();
    }

    /** Gives a slot back. */
    void give(int slot) {
        halves[slot < low ? 0 : 1].add(slot);
    }
}
