package dev.peerlane.guard;

import java.util.Objects;

/**
 * A magic number that was found on a device.
 *
 * @param kind what it announces
 * @param name the format, as libblkid calls it: {@code gpt}, {@code ext4}, {@code LVM2_member}
 * @param offset where the magic number begins, in bytes from the start of the device
 */
public record Signature(Kind kind, String name, long offset) {
    /** What a signature announces. */
    public enum Kind {
        /** A partition table. */
        TABLE("a partition table"),
        /** A file system. */
        FILESYSTEM("a file system"),
        /** A part of a RAID array, a volume group, a pool or another layer of storage. */
        MEMBER("a part of an array, a pool or a volume"),
        /** An encrypted volume. */
        ENCRYPTED("an encrypted volume"),
        /** Swap space, or the image of a system that sleeps. */
        SWAP("swap space");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /** Returns the kind as a noun with its article. */
        public String words() {
            return words;
        }
    }

    /** Checks the parts. */
    public Signature {
        Objects.requireNonNull(kind);
        Objects.requireNonNull(name);
    }

    /** Returns kind, name and place, for a message. */
    @Override
    public String toString() {
        return "%s (%s, at byte %d)".formatted(kind.words(), name, offset);
    }
}
