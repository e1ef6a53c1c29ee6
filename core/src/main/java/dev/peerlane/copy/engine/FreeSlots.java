package dev.peerlane.copy.engine;

/**
 * The free slots, and the rule which of them a chunk may use. The slots form two halves. In every
 * run of as many chunks as there are slots, the first chunks use one half, and the rest the other.
 * The verification swaps the halves. So no chunk is verified in the slot through which it was
 * copied, in whatever order commands end, and without a record per chunk. The exception is a memory
 * with a single slot.
 */
final class FreeSlots {
    private final IntQueue[] halves;
    private final int slots;
    private final int low;
    private final int exchanged;

    /**
     * Creates the set with all slots free.
     *
     * @param slots number of slots
     * @param others whether to swap the halves
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
     * Takes the slot for a chunk that has been free for longest.
     *
     * @return -1 if no slot is free for this chunk
     */
    int take(long chunk) {
        IntQueue half = halves[(chunk % slots < low ? 0 : 1) ^ exchanged];
        return half.isEmpty() ? -1 : half.remove();
    }

    /** Releases a slot. */
    void give(int slot) {
        halves[slot < low ? 0 : 1].add(slot);
    }
}
