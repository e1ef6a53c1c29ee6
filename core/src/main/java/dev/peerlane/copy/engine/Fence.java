package dev.peerlane.copy.engine;

/**
 * Stands between the completion of a Read and the use of its data.
 *
 * <p>The data of a Read goes to a peer's memory, its completion entry to host memory. These are two
 * routes, and the completion can overtake the data. A fence holds back slots whose Read has
 * completed until their data is known to be there.
 */
abstract class Fence {
    /**
     * How long the data may take to arrive after the completion of its Read; far longer than on any
     * real fabric. The fence does not Read again then: data that is merely late would overwrite the
     * next canary, and the canary could no longer prove that the data of the second Read has
     * arrived.
     */
    static final long PATIENCE_NANOS = 1_000_000_000L;

    /**
     * Prepares a slot that is about to be Read into.
     *
     * @param bytes how much of the slot
     */
    abstract void reading(int slot, int bytes);

    /** Takes a slot whose Read has completed with success. */
    abstract void arrived(int slot, long lba);

    /**
     * Moves the fence on.
     *
     * @param now the time of the clock
     * @param ready receives the slots whose data has arrived
     * @return whether anything happened
     * @throws dev.peerlane.PeerlaneException if data did not arrive within {@link #PATIENCE_NANOS}
     */
    abstract boolean step(long now, IntQueue ready);

    /** Returns whether no slot is waiting for its data. */
    abstract boolean idle();

    /** Takes the completion of a slot that belongs to the fence itself. */
    abstract void completed(int slot, int status);

    /** Returns whether a command of the fence itself was given up and may still access memory. */
    abstract boolean quarantined();

    /** Returns the name that receipts use. */
    abstract String label();

    /** No fence, because the owner of the memory writes it itself, or because it is host memory. */
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
