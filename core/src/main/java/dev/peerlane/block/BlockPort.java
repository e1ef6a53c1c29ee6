package dev.peerlane.block;

/**
 * Moves blocks between one namespace and slots of memory, many commands at a time.
 *
 * <p>Life: {@link #attach} slots; then any number of rounds of submit, {@link #ring}, {@link
 * #poll}; then {@link #quiesce} if commands are still out, and {@link #close}. What a slot needs
 * (addresses, PRP list) is resolved at attach, so that the rounds allocate and translate nothing. A
 * slot has at most one command in flight on a port. One thread owns a port and makes every call.
 */
public abstract class BlockPort implements AutoCloseable {
    /** The slot of a completion that belongs to no slot: a flush. */
    public static final int NO_SLOT = -1;

    /** The {@linkplain #condition condition} of a device with which nothing is wrong. */
    public static final String READY = "answers and is ready";

    /** Creates a port; called by subclasses. */
    protected BlockPort() {}

    /** Returns the name by which a user calls what is behind it, such as {@code emu:ssd0/n1}. */
    public abstract String name();

    /** Returns what it can do. */
    public abstract PortLimits limits();

    /**
     * Makes slots of a buffer known. Slots are numbered in the order of attachment, from 0, over
     * all calls; two ports that attach the same slots in the same order agree on their numbers.
     *
     * @param buffer the memory; after it is closed its slots are not used any more
     * @param offset first byte of the first slot; a multiple of 4
     * @param slotBytes length of a slot; at most {@link PortLimits#maxTransferBytes}
     * @param strideBytes from one slot to the next; a multiple of 4
     * @param count how many
     * @return the number of the first one
     * @throws dev.peerlane.PeerlaneException if there is no memory for PRP lists
     */
    public abstract int attach(
            PeerBuffer buffer, long offset, int slotBytes, int strideBytes, int count);

    /**
     * Posts a read of blocks into a slot; nothing reaches the device before {@link #ring}.
     *
     * <p>Where the slot is memory of another device, the completion is no arrival: the data may
     * still be under way. A {@link dev.peerlane.copy.ReadFence} tells when it is there.
     *
     * @param slot a slot with no command in flight on this port
     * @param lba first block
     * @param blocks how many, at least 1, no longer than the slot
     * @return false if the queue is full; nothing was posted then
     */
    public abstract boolean submitRead(int slot, long lba, int blocks);

    /** Posts a write of blocks from a slot; otherwise as {@link #submitRead}. */
    public abstract boolean submitWrite(int slot, long lba, int blocks);

    /** Posts a compare of a slot with blocks of the medium; otherwise as {@link #submitRead}. */
    public abstract boolean submitCompare(int slot, long lba, int blocks);

    /** Posts a flush of the volatile write cache. Its completion has {@link #NO_SLOT}. */
    public abstract boolean submitFlush();

    /** Tells the device of all commands posted since the last call, with one doorbell write. */
    public abstract void ring();

    /**
     * Takes completions that have arrived and frees their places in the queue, with one doorbell
     * write.
     *
     * @param max how many at most
     * @return how many there were
     * @throws dev.peerlane.PeerlaneException if the device is gone, has failed, or answered
     *     nonsense
     */
    public abstract int poll(int max, Completions completions);

    /**
     * Returns how many commands are in flight: also of a port that has failed, until it is stopped,
     * for the device may still be at work on them.
     */
    public abstract int inFlight();

    /**
     * Asks the device to give up the command of a slot, waiting for the answer to the abort for a
     * bounded time. Its success frees nothing: the slot stays untouchable until its completion
     * arrives by {@link #poll} or the port is {@linkplain #quiesce quiesced}.
     *
     * @return what the device said, for a person
     */
    public abstract String abort(int slot);

    /**
     * Makes sure that no command of this port can touch a slot any more: deletes its queue, or
     * where that fails resets the controller. The port then takes no more commands.
     *
     * @throws dev.peerlane.PeerlaneException if neither works; the slots stay untouchable then
     */
    public abstract void quiesce();

    /** Returns whether a command that ended so may succeed when it is tried again. */
    public abstract boolean mayRetry(int status);

    /** Returns whether a compare ended so because the data differ. */
    public abstract boolean isMiscompare(int status);

    /**
     * Returns in what condition the device is, in words that go on after "it": {@link #READY}, or
     * what is wrong. Looks at the device and never throws; for a port that was quiesced, it is the
     * condition right before.
     */
    public abstract String condition();

    /**
     * Looks whether the device is gone, has failed or was reset, and returns if nothing is wrong
     * with it, or if the port was quiesced. Costs a read of a register of the device: for when a
     * command is late or failed, not for every turn.
     *
     * @throws dev.peerlane.PeerlaneException with what is wrong
     */
    public abstract void checkHealth();

    /** Returns a status in words, with the specification's name, its codes and a hint. */
    public abstract String describe(int status);

    /** Quiesces the port if need be and frees its queue. Closing again has no effect. */
    @Override
    public abstract void close();
}
