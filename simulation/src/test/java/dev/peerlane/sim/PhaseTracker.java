package dev.peerlane.sim;

import java.util.BitSet;
import java.util.function.Consumer;

/** Derives the phases of one copy from the commands that pass through its ports. */
final class PhaseTracker {
    private static final int UNIT = 512;

    private final Consumer<Phase> entered;
    private final BitSet asked = new BitSet();
    private final BitSet written = new BitSet();
    private final int units;
    private Phase phase = Phase.ATTACH;

    /**
     * Starts before the first command of a copy.
     *
     * @param bytes length of the copy
     * @param entered called with each phase from {@link Phase#FILL} on
     */
    PhaseTracker(long bytes, Consumer<Phase> entered) {
        this.entered = entered;
        units = Math.toIntExact(bytes / UNIT);
    }

    Phase phase() {
        return phase;
    }

    /** Notes a Read that was posted to the source, at an offset in its range. */
    void reading(long offset, long bytes) {
        if (phase == Phase.ATTACH) {
            enter(Phase.FILL);
        }
        mark(asked, offset, bytes);
        if (asked.cardinality() == units) {
            enter(Phase.DRAIN);
        }
    }

    /** Notes a Write that was posted to the target. */
    void writing() {
        if (phase == Phase.FILL) {
            enter(Phase.STEADY);
        }
    }

    /** Notes a Write that ended with success, at an offset in the target's range. */
    void written(long offset, long bytes, boolean flushComes) {
        mark(written, offset, bytes);
        if (!flushComes) {
            flushed();
        }
    }

    /** Notes that the target's Flush ended. */
    void flushed() {
        if (written.cardinality() == units) {
            enter(Phase.VERIFY);
        }
    }

    /** Notes that the copy is over. */
    void over() {
        enter(Phase.CLOSE);
    }

    private void enter(Phase next) {
        if (next.compareTo(phase) > 0) {
            phase = next;
            entered.accept(next);
        }
    }

    private void mark(BitSet set, long offset, long bytes) {
        int from = Math.toIntExact(Math.clamp(offset / UNIT, 0, units));
        set.set(from, Math.toIntExact(Math.clamp((offset + bytes) / UNIT, from, units)));
    }
}
