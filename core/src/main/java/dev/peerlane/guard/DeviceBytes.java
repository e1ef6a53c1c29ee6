package dev.peerlane.guard;

/** Reads any bytes of a device or a file. */
public interface DeviceBytes {
    /** Returns the length in bytes. */
    long sizeBytes();

    /**
     * Reads bytes.
     *
     * @param offset the first byte; {@code offset + into.length} is at most {@link #sizeBytes}
     * @throws dev.peerlane.PeerlaneException if they can't be read
     */
    void read(long offset, byte[] into);
}
