package dev.peerlane.copy;

import org.jspecify.annotations.Nullable;

/**
 * The options of a copy. Start from {@link #DEFAULTS} and use the {@code with} methods.
 *
 * @param buffer the memory that carries the data
 * @param fence the fence between Read and Write
 * @param verify how the result is verified
 * @param chunkBytes bytes of one slot, or 0 for the planner's choice
 * @param slots number of slots, or 0 for the planner's choice
 * @param commandTimeoutNanos time after which a command is given up
 * @param retries how often a command is tried again whose status allows it
 * @param wipe whether the memory that held data is overwritten afterwards
 * @param overwrite whether a target may be written that carries a partition table, a file system or
 *     the like; a copy is refused otherwise
 * @param seed of the random words that the fence and the verification plant; null for fresh ones
 */
public record CopyOptions(
        BufferChoice buffer,
        FenceChoice fence,
        VerifyMode verify,
        int chunkBytes,
        int slots,
        long commandTimeoutNanos,
        int retries,
        boolean wipe,
        boolean overwrite,
        @Nullable Long seed) {
    private static final long DEFAULT_TIMEOUT_NANOS = 30_000_000_000L;

    /** The planner chooses, the result is verified, 30 s for a command, three retries, wiped. */
    public static final CopyOptions DEFAULTS =
            new CopyOptions(
                    BufferChoice.AUTO,
                    FenceChoice.AUTO,
                    VerifyMode.AUTO,
                    0,
                    0,
                    DEFAULT_TIMEOUT_NANOS,
                    3,
                    true,
                    false,
                    null);

    /** Returns these options with another buffer. */
    public CopyOptions withBuffer(BufferChoice choice) {
        return new CopyOptions(
                choice,
                fence,
                verify,
                chunkBytes,
                slots,
                commandTimeoutNanos,
                retries,
                wipe,
                overwrite,
                seed);
    }

    /** Returns these options with another fence. */
    public CopyOptions withFence(FenceChoice choice) {
        return new CopyOptions(
                buffer,
                choice,
                verify,
                chunkBytes,
                slots,
                commandTimeoutNanos,
                retries,
                wipe,
                overwrite,
                seed);
    }

    /** Returns these options with another verification. */
    public CopyOptions withVerify(VerifyMode mode) {
        return new CopyOptions(
                buffer,
                fence,
                mode,
                chunkBytes,
                slots,
                commandTimeoutNanos,
                retries,
                wipe,
                overwrite,
                seed);
    }

    /** Returns these options with a chunk size in bytes and a number of slots, 0 for automatic. */
    public CopyOptions withSlots(int bytes, int count) {
        return new CopyOptions(
                buffer,
                fence,
                verify,
                bytes,
                count,
                commandTimeoutNanos,
                retries,
                wipe,
                overwrite,
                seed);
    }

    /** Returns these options with another command time-out. */
    public CopyOptions withCommandTimeoutNanos(long nanos) {
        return new CopyOptions(
                buffer, fence, verify, chunkBytes, slots, nanos, retries, wipe, overwrite, seed);
    }

    /** Returns these options with another number of retries. */
    public CopyOptions withRetries(int count) {
        return new CopyOptions(
                buffer,
                fence,
                verify,
                chunkBytes,
                slots,
                commandTimeoutNanos,
                count,
                wipe,
                overwrite,
                seed);
    }

    /** Returns these options with wiping on or off. */
    public CopyOptions withWipe(boolean on) {
        return new CopyOptions(
                buffer,
                fence,
                verify,
                chunkBytes,
                slots,
                commandTimeoutNanos,
                retries,
                on,
                overwrite,
                seed);
    }

    /** Returns these options with leave to write over what the target carries, or without. */
    public CopyOptions withOverwrite(boolean allowed) {
        return new CopyOptions(
                buffer,
                fence,
                verify,
                chunkBytes,
                slots,
                commandTimeoutNanos,
                retries,
                wipe,
                allowed,
                seed);
    }

    /** Returns these options with a seed, for runs that can be repeated. */
    public CopyOptions withSeed(long value) {
        return new CopyOptions(
                buffer,
                fence,
                verify,
                chunkBytes,
                slots,
                commandTimeoutNanos,
                retries,
                wipe,
                overwrite,
                value);
    }
}
