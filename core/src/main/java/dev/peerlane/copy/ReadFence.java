package dev.peerlane.copy;

/**
 * Tells when the data of Reads into another device's memory has arrived there.
 *
 * <p>The completion of a Read is no arrival: the data goes to the memory of a peer, the completion
 * to host memory, and the completion can overtake the data. Whoever hands the memory on at once
 * hands on old bytes now and then, and every status says success. A fence stands in between:
 *
 * <pre>{@code
 * try (ReadFence fence = session.readFence(source, targetController)) {
 *     source.read(buffer, 0, lba, blocks);  // buffer: a part of the target's CMB
 *     fence.await(lba);                     // now the data is there
 *     target.write(buffer, 0, lba, blocks);
 * }
 * }</pre>
 *
 * <p>It Reads one more block from the same source into a block of the same memory that holds a
 * random word. Posted writes of one requester on one way keep their order while Relaxed Ordering is
 * off (PCIe 5.0, 2.4.1), so when the word has gone, so have all data before it arrived. That holds
 * for every Read of the source whose completion was taken before {@link #arm}, from any queue and
 * into any part of the memory. Where the source owns the memory itself no fence is needed, and this
 * one does nothing.
 *
 * <p>Used by the thread that owns the source's controller. It takes a queue pair of the source and
 * one block of the memory, and gives both back when it is closed. An I/O allocates nothing.
 */
public abstract class ReadFence implements AutoCloseable {
    /** Creates one. */
    protected ReadFence() {}

    /** Returns whether data can come late at all; else {@link #arm} and its like do nothing. */
    public abstract boolean isNeeded();

    /**
     * Begins to look for the data of all Reads that have completed so far.
     *
     * @param lba a block of the source that can be read, best one that was read a moment before
     * @throws IllegalStateException if the data it was armed for before has not arrived yet
     */
    public abstract void arm(long lba);

    /**
     * Returns whether the data of all Reads that had completed when it was armed has arrived. Does
     * not wait: call it again, and let the fabric's clock turn in between.
     *
     * @throws dev.peerlane.PeerlaneException if the source failed or did not answer, or the data
     *     did not arrive within a second ({@code peer-writes-lost}); the fence can only be closed
     *     then
     */
    public abstract boolean hasArrived();

    /** Arms it and waits until the data has arrived; errors as those of both. */
    public abstract void await(long lba);

    /** Gives the queue pair and the block back. A second call does nothing. */
    @Override
    public abstract void close();
}
