package dev.peerlane.guard;

/** Reads bytes at any offset of a device or a file. */
public interface DeviceBytes {
    /** Returns the length of the device in bytes. */
    long sizeBytes();

    /**
     * Reads bytes.
     *
     * @param offset offset of the first byte; {@code offset + into.length} is at most {@link
     *     #sizeBytes}
     * @param into the destination, which is filled
     * @throws dev.peerlane.PeerlaneException if the bytes can't be read
     */
    void read(long offset, byte[] into);
}
