package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import dev.peerlane.spec.CommandSet;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A namespace of an emulated drive.
 *
 * <p>Formats with metadata or protection information, and command sets other than NVM, exist so
 * that tests can check how a driver refuses them. Such a namespace is identified correctly, and its
 * I/O commands end in an error.
 *
 * @param sizeBytes length; 0 for the length of the image file
 * @param image the file that holds the blocks, or null for memory; a missing file is created with
 *     length {@code sizeBytes}
 * @param blockBytes bytes of a logical block; a power of two, 512 to 65,536
 * @param writeProtected whether commands that change the medium are refused
 * @param metadataBytes bytes of metadata of a block, 0 for none
 * @param protectionType type of end-to-end protection, 0 for none, 1 to 3
 * @param commandSet the I/O command set, from {@link CommandSet}
 * @param discards whether the medium keeps nothing, and Read and Write move no data, to measure
 *     what a command costs
 */
public record NamespaceModel(
        long sizeBytes,
        @Nullable Path image,
        int blockBytes,
        boolean writeProtected,
        int metadataBytes,
        int protectionType,
        int commandSet,
        boolean discards) {
    /** Bytes of the shortest block. */
    public static final int MIN_BLOCK_BYTES = 512;

    /** Bytes of the longest block. */
    public static final int MAX_BLOCK_BYTES = 65_536;

    /** Checks the ranges. */
    public NamespaceModel {
        if (Integer.bitCount(blockBytes) != 1
                || blockBytes < MIN_BLOCK_BYTES
                || blockBytes > MAX_BLOCK_BYTES) {
            throw bad("blockBytes " + blockBytes, "Use a power of two from 512 to 65536");
        }
        if (sizeBytes < 0 || sizeBytes % blockBytes != 0) {
            throw bad(
                    "size " + sizeBytes + " with blocks of " + blockBytes,
                    "Make the size a multiple of the block");
        }
        if (sizeBytes == 0 && image == null) {
            throw bad("neither a size nor an image file", "Give one of them");
        }
        if (discards && image != null) {
            throw bad("both an image file and discards", "Leave one of them out");
        }
        if (metadataBytes < 0 || metadataBytes > 0xffff) {
            throw bad("metadataBytes " + metadataBytes, "Use 0 to 65535");
        }
        if (protectionType < 0 || protectionType > 3) {
            throw bad("protectionType " + protectionType, "Use 0 to 3");
        }
        if (protectionType > 0 && metadataBytes < 8) {
            throw bad(
                    "protectionType " + protectionType + " with metadataBytes " + metadataBytes,
                    "Protection information needs 8 bytes of metadata or more");
        }
        if (commandSet < 0 || commandSet > CommandSet.ZONED) {
            throw bad("command set " + commandSet, "Use 0 (nvm), 1 (kv) or 2 (zoned)");
        }
    }

    /** Creates a namespace that keeps what is written to it. */
    public NamespaceModel(
            long sizeBytes,
            @Nullable Path image,
            int blockBytes,
            boolean writeProtected,
            int metadataBytes,
            int protectionType,
            int commandSet) {
        this(
                sizeBytes,
                image,
                blockBytes,
                writeProtected,
                metadataBytes,
                protectionType,
                commandSet,
                false);
    }

    /** Returns a namespace that keeps nothing: Read and Write move no data. */
    public static NamespaceModel discarding(long sizeBytes, int blockBytes) {
        return new NamespaceModel(sizeBytes, null, blockBytes, false, 0, 0, CommandSet.NVM, true);
    }

    /** Returns a namespace in memory. */
    public static NamespaceModel memory(long sizeBytes, int blockBytes) {
        return new NamespaceModel(sizeBytes, null, blockBytes, false, 0, 0, CommandSet.NVM);
    }

    /** Returns a namespace in an existing file, with the length of the file. */
    public static NamespaceModel image(Path image, int blockBytes) {
        return new NamespaceModel(0, image, blockBytes, false, 0, 0, CommandSet.NVM);
    }

    /** Returns this namespace with write protection on or off. */
    public NamespaceModel withWriteProtected(boolean writeProtected) {
        return new NamespaceModel(
                sizeBytes,
                image,
                blockBytes,
                writeProtected,
                metadataBytes,
                protectionType,
                commandSet,
                discards);
    }

    /** Returns this namespace with metadata and end-to-end protection. */
    public NamespaceModel withMetadata(int metadataBytes, int protectionType) {
        return new NamespaceModel(
                sizeBytes,
                image,
                blockBytes,
                writeProtected,
                metadataBytes,
                protectionType,
                commandSet,
                discards);
    }

    /** Returns this namespace with another I/O command set, from {@link CommandSet}. */
    public NamespaceModel withCommandSet(int commandSet) {
        return new NamespaceModel(
                sizeBytes,
                image,
                blockBytes,
                writeProtected,
                metadataBytes,
                protectionType,
                commandSet,
                discards);
    }

    /** Returns whether the blocks can be read and written: NVM command set and no metadata. */
    public boolean isPlain() {
        return commandSet == CommandSet.NVM && metadataBytes == 0;
    }

    private static PeerlaneException bad(String what, String remedy) {
        return PeerlaneException.request("bad-fabric", "namespace with " + what, remedy);
    }
}
