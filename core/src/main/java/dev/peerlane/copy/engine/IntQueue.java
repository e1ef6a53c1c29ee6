package dev.peerlane.copy.engine;

/** A bounded first-in-first-out queue of slot numbers that allocates nothing after it is made. */
final class IntQueue {
    private final int[] ring;
    private int head;
    private int size;

    IntQueue(int capacity) {
        ring = new int[capacity];
    }

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    void add(int value) {
        if (size == ring.length) {
            throw new IllegalStateException("a slot is queued twice");
        }
        int at = head + size;
        ring[at >= ring.length ? at - ring.length : at] = value;
        size++;
    }

    int peek() {
        if (size == 0) {
            throw new IllegalStateException("no slot is queued");
        }
        return ring[head];
    }

    int remove() {
        int value = peek();
        head = head + 1 == ring.length ? 0 : head + 1;
        size--;
        return value;
    }
}
