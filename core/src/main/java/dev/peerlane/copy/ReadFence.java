package dev.peerlane.copy;

/**
 * Tells when the data of Reads into another device's memory has arrived there.
 *
 * <p>The completion of such a Read does not mean that its data has arrived: the data goes to the
 * memory of a peer, the completion to host memory, and the completion can overtake the data. A
 * program that uses the memory at once sometimes uses old bytes, although every status says
 * success. A fence prevents that:
 *
 * <pre>{@code
 * try (ReadFence fence = session.readFence(source, targetController)) {
 *     source.read(buffer, 0, lba, blocks);  // buffer: a part of the target's CMB
 *     fence.await(lba);                     // now the data is there
 *     target.write(buffer, 0, lba, blocks);
 * }
 * }</pre>
 *
 * <p>The fence Reads one more block from the same source into a block of the same memory that holds
 * a random word. Posted writes of one requester on one route stay in order while Relaxed Ordering
 * is off (PCIe 5.0, 2.4.1). So once the word has been overwritten, all data sent before has
 * arrived. That holds for every Read of the source whose completion was taken before {@link #arm},
 * from any queue and into any part of the memory. If the source itself owns the memory, no fence is
 * needed and this one does nothing.
 *
 * <p>Used by the thread that owns the source's controller. A fence holds a queue pair of the source
 * and one block of the memory until it is closed. It allocates nothing per I/O.
 */
public abstract class ReadFence implements AutoCloseable {
    /** Creates a fence; for subclasses. */
    protected ReadFence() {}

    /**
     * Returns whether data can arrive late at all. If not, {@link #arm}, {@link #hasArrived} and
     * {@link #await} do nothing.
     */
    public abstract boolean isNeeded();

    /**
     * Starts to watch for the data of all Reads that have completed so far.
     *
     * @param lba a readable block of the source, best one that was just read
     * @throws IllegalStateException if the fence is armed and its data has not arrived yet
     */
    public abstract void arm(long lba);

    /**
     * Returns whether the data of all Reads that had completed when the fence was armed has
     * arrived. Does not wait: call this method again, and let the fabric's clock turn in between.
     *
     * @throws dev.peerlane.PeerlaneException if the source failed or did not answer, or if the data
     *     did not arrive within a second ({@code peer-writes-lost}); the fence can only be closed
     *     then
     */
    public abstract boolean hasArrived();

    /**
     * Arms the fence and waits until the data has arrived. Throws what {@link #arm} and {@link
     * #hasArrived} throw.
     */
    public abstract void await(long lba);

    /** Releases the queue pair and the block. Closing again has no effect. */
    @Override
    public abstract void close();
}
