package dev.peerlane.copy.engine;

/** A bounded first-in-first-out queue of slot numbers. It allocates nothing after its creation. */
public final class IntQueue {
    private final int[] ring;
    private int head;
    private int size;

    /** Creates an empty queue with a given capacity. */
    public IntQueue(int capacity) {
        ring = new int[capacity];
    }

    /** Returns whether nothing is queued. */
    public boolean isEmpty() {
        return size == 0;
    }

    /** Returns how many numbers are queued. */
    public int size() {
        return size;
    }

    /** Adds a number at the end. */
    public void add(int value) {
        if (size == ring.length) {
            throw new IllegalStateException("a slot is queued twice");
        }
        int at = head + size;
        ring[at >= ring.length ? at - ring.length : at] = value;
        size++;
    }

    /** Returns the first number. */
    public int peek() {
        if (size == 0) {
            throw new IllegalStateException("no slot is queued");
        }
        return ring[head];
    }

    /** Removes the first number and returns it. */
    public int remove() {
        int value = peek();
        head = head + 1 == ring.length ? 0 : head + 1;
        size--;
        return value;
    }
}
