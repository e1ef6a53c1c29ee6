package dev.peerlane.guard;

import java.util.Objects;

/**
 * A magic number that was found on a device.
 *
 * @param kind what the magic number indicates
 * @param name libblkid's name of the format: {@code gpt}, {@code ext4}, {@code LVM2_member}
 * @param offset offset of the magic number in bytes from the start of the device
 */
public record Signature(Kind kind, String name, long offset) {
    /** What a signature indicates. */
    public enum Kind {
        /** A partition table. */
        TABLE("a partition table"),
        /** A file system. */
        FILESYSTEM("a file system"),
        /** A member of a RAID array, a volume group, a pool or another layer of storage. */
        MEMBER("a part of an array, a pool or a volume"),
        /** An encrypted volume. */
        ENCRYPTED("an encrypted volume"),
        /** Swap space, or the image of a hibernated system. */
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

    /** Checks the components. */
    public Signature {
        Objects.requireNonNull(kind);
        Objects.requireNonNull(name);
    }

    /** Returns kind, name and offset, for a message. */
    @Override
    public String toString() {
        return "%s (%s, at byte %d)".formatted(kind.words(), name, offset);
    }
}
