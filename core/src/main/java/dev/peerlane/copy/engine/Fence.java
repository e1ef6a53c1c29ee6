package dev.peerlane.copy.engine;

/**
 * Stands between the completion of a Read and the use of its data.
 *
 * <p>The data of a Read goes to a peer's memory, its completion entry to host memory: two ways, and
 * the completion can overtake the data. A fence holds arrived slots back until their data is known
 * to be there.
 */
abstract class Fence {
    /**
     * How long data may be under way after the completion of its Read, far above what any fabric
     * takes. Nothing is Read again then: what is only late would take away the next canary, and
     * with it the proof that the data of the second Read has arrived.
     */
    static final long PATIENCE_NANOS = 1_000_000_000L;

    /**
     * A slot is about to be Read into.
     *
     * @param bytes how much of it
     */
    abstract void reading(int slot, int bytes);

    /** Takes a slot whose Read has completed with success. */
    abstract void arrived(int slot, long lba);

    /**
     * Moves the fence on.
     *
     * @param now the clock
     * @param ready takes the slots whose data has arrived
     * @return whether anything happened
     * @throws dev.peerlane.PeerlaneException if data did not arrive within {@link #PATIENCE_NANOS}
     */
    abstract boolean step(long now, IntQueue ready);

    /** Returns whether no arrived slot waits any more for its data. */
    abstract boolean idle();

    /** Takes the completion of a slot that is the fence's own. */
    abstract void completed(int slot, int status);

    /** Returns whether a command of the fence's own was given up and may still touch memory. */
    abstract boolean quarantined();

    /** Returns the name for receipts. */
    abstract String label();

    /** No fence: the owner of the memory writes it itself, or it is host memory. */
    static final class None extends Fence {
        private final IntQueue arrived;

        None(int slots) {
            arrived = new IntQueue(slots);
        }

        @Override
        void reading(int slot, int bytes) {}

        @Override
        void arrived(int slot, long lba) {
            arrived.add(slot);
        }

        @Override
        boolean step(long now, IntQueue ready) {
            boolean moved = !arrived.isEmpty();
            while (!arrived.isEmpty()) {
                ready.add(arrived.remove());
            }
            return moved;
        }

        @Override
        boolean idle() {
            return arrived.isEmpty();
        }

        @Override
        void completed(int slot, int status) {
            throw new IllegalStateException("slot " + slot + " belongs to no fence");
        }

        @Override
        boolean quarantined() {
            return false;
        }

        @Override
        String label() {
            return "none";
        }
    }
}
