package dev.peerlane.block;

/**
 * Moves blocks between one namespace and slots of memory, with many commands in flight.
 *
 * <p>Order of use: {@link #attach} slots; then any number of rounds of submit, {@link #ring} and
 * {@link #poll}; then {@link #quiesce} if commands are still in flight, and {@link #close}.
 * Attaching resolves what a slot needs (addresses, PRP list), so the rounds allocate and translate
 * nothing. A slot has at most one command in flight on a port.
 *
 * <p>Used by one thread, the owner of the device's controller.
 */
public abstract class BlockPort implements AutoCloseable {
    /** The slot of a completion that belongs to no slot: a flush. */
    public static final int NO_SLOT = -1;

    /** The {@linkplain #condition condition} of a device with which nothing is wrong. */
    public static final String READY = "answers and is ready";

    /** Creates a port; called by subclasses. */
    protected BlockPort() {}

    /** Returns the user's name for the namespace, such as {@code emu:ssd0/n1}. */
    public abstract String name();

    /** Returns the limits of the port: sizes, depth, and which commands are supported. */
    public abstract PortLimits limits();

    /**
     * Attaches slots, which are parts of a buffer. Slots are numbered from 0 in the order of
     * attachment, over all calls. So two ports that attach the same slots in the same order use the
     * same numbers.
     *
     * @param buffer the memory; its slots must not be used after it is closed
     * @param offset offset of the first slot in bytes; a multiple of 4
     * @param slotBytes length of a slot; at most {@link PortLimits#maxTransferBytes}
     * @param strideBytes distance from the start of one slot to the start of the next; a multiple
     *     of 4
     * @param count number of slots
     * @return the number of the first slot
     * @throws dev.peerlane.PeerlaneException if there is no memory for PRP lists
     */
    public abstract int attach(
            PeerBuffer buffer, long offset, int slotBytes, int strideBytes, int count);

    /**
     * Posts a Read of blocks into a slot. The device sees nothing before {@link #ring}.
     *
     * <p>If the slot is memory of another device, completion does not mean arrival: the data may
     * still be in flight. A {@link dev.peerlane.copy.ReadFence} tells when it has arrived.
     *
     * @param slot a slot with no command in flight on this port
     * @param lba first block
     * @param blocks number of blocks, at least 1; they must fit into the slot
     * @return false if the queue is full; nothing was posted then
     */
    public abstract boolean submitRead(int slot, long lba, int blocks);

    /**
     * Posts a Write of blocks from a slot. Parameters and result are as for {@link #submitRead}.
     */
    public abstract boolean submitWrite(int slot, long lba, int blocks);

    /**
     * Posts a Compare of a slot with blocks of the medium. Parameters and result are as for {@link
     * #submitRead}.
     */
    public abstract boolean submitCompare(int slot, long lba, int blocks);

    /** Posts a Flush of the volatile write cache. Its completion has {@link #NO_SLOT}. */
    public abstract boolean submitFlush();

    /** Announces all commands posted since the last call to the device, with one doorbell write. */
    public abstract void ring();

    /**
     * Takes completions that have arrived and frees their queue entries, with one doorbell write.
     * Never waits.
     *
     * @param max maximum number of completions to take
     * @param completions called once for each completion
     * @return the number of completions taken
     * @throws dev.peerlane.PeerlaneException if the device is gone, has failed, or sent an invalid
     *     completion
     */
    public abstract int poll(int max, Completions completions);

    /**
     * Returns the number of commands in flight. After a failure they still count until the port is
     * quiesced, because the device may still be executing them.
     */
    public abstract int inFlight();

    /**
     * Asks the device to abort the command of a slot, and waits for the answer for a bounded time.
     * Success does not free the slot: leave it alone until its completion arrives in {@link #poll}
     * or the port is {@linkplain #quiesce quiesced}.
     *
     * @return the outcome, as text for a person
     */
    public abstract String abort(int slot);

    /**
     * Ensures that no command of this port can touch a slot any more. Deletes the port's queue; if
     * that fails, resets the controller. The port takes no commands afterwards.
     *
     * @throws dev.peerlane.PeerlaneException if neither works; the slots must not be touched then
     */
    public abstract void quiesce();

    /** Returns whether a command that ended with this status may succeed on a retry. */
    public abstract boolean mayRetry(int status);

    /** Returns whether this status is that of a Compare whose data differ. */
    public abstract boolean isMiscompare(int status);

    /**
     * Returns the condition of the device, worded to follow "it": {@link #READY}, or what is wrong.
     * Reads a register of the device and never throws. After {@link #quiesce}, returns the
     * condition right before it.
     */
    public abstract String condition();

    /**
     * Checks that the device is not gone, has not failed and was not reset. Does nothing after
     * {@link #quiesce}. Costs a register read, so call it when a command is late or failed, not in
     * every turn.
     *
     * @throws dev.peerlane.PeerlaneException if the check fails; the message says what is wrong
     */
    public abstract void checkHealth();

    /** Returns a status in words: the specification's name, the codes and a hint. */
    public abstract String describe(int status);

    /** Quiesces the port if need be and frees its queue. Closing again has no effect. */
    @Override
    public abstract void close();
}
