package dev.peerlane.emulator.model;

import dev.peerlane.PeerlaneException;
import dev.peerlane.spec.CommandSet;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * One namespace of an emulated drive.
 *
 * <p>Formats with metadata or protection information, and command sets other than NVM, are there so
 * that their refusal can be tested: such a namespace is identified as what it is, and its I/O
 * commands end in an error.
 *
 * @param sizeBytes its length; 0 for an image file means the file's length
 * @param image the file that holds its blocks, or null for memory; a file that is missing is made
 *     when {@code sizeBytes} says how long
 * @param blockBytes length of a logical block; a power of two, 512 to 65,536
 * @param writeProtected whether commands that change it are refused
 * @param metadataBytes metadata of a block, 0 for none
 * @param protectionType type of end-to-end protection, 0 for none, 1 to 3
 * @param commandSet its I/O command set, from {@link CommandSet}
 * @param discards whether it keeps nothing and Read and Write move no data: for measuring what a
 *     command costs
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
    /** The shortest block. */
    public static final int MIN_BLOCK_BYTES = 512;

    /** The longest block. */
    public static final int MAX_BLOCK_BYTES = 65_536;

    /** Checks the ranges. */
    public NamespaceModel {
        if (Integer.bitCount(blockBytes) != 1
                || blockBytes < MIN_BLOCK_BYTES
                || blockBytes > MAX_BLOCK_BYTES) {
            throw bad("blockBytes " + blockBytes, "Take a power of two from 512 to 65536");
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
            throw bad("an image file though it discards", "Leave one of them out");
        }
        if (metadataBytes < 0 || metadataBytes > 0xffff) {
            throw bad("metadataBytes " + metadataBytes, "Take 0 to 65535");
        }
        if (protectionType < 0 || protectionType > 3) {
            throw bad("protectionType " + protectionType, "Take 0 to 3");
        }
        if (protectionType > 0 && metadataBytes < 8) {
            throw bad(
                    "protectionType " + protectionType + " with metadataBytes " + metadataBytes,
                    "Protection information needs 8 bytes of metadata or more");
        }
        if (commandSet < 0 || commandSet > CommandSet.ZONED) {
            throw bad("command set " + commandSet, "Take 0 (nvm), 1 (kv) or 2 (zoned)");
        }
    }

    /** A namespace that keeps what is written to it. */
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

    /** A namespace that keeps nothing: its Read and Write move no data. */
    public static NamespaceModel discarding(long sizeBytes, int blockBytes) {
        return new NamespaceModel(sizeBytes, null, blockBytes, false, 0, 0, CommandSet.NVM, true);
    }

    /** A namespace in memory. */
    public static NamespaceModel memory(long sizeBytes, int blockBytes) {
        return new NamespaceModel(sizeBytes, null, blockBytes, false, 0, 0, CommandSet.NVM);
    }

    /** A namespace in an existing file, as long as the file. */
    public static NamespaceModel image(Path image, int blockBytes) {
        return new NamespaceModel(0, image, blockBytes, false, 0, 0, CommandSet.NVM);
    }

    /** The same namespace, write protected or not. */
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

    /** The same namespace with metadata and end-to-end protection. */
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

    /** The same namespace under another I/O command set, from {@link CommandSet}. */
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

    /** Whether its blocks can be read and written here: NVM command set and no metadata. */
    public boolean isPlain() {
        return commandSet == CommandSet.NVM && metadataBytes == 0;
    }

    private static PeerlaneException bad(String what, String remedy) {
        return PeerlaneException.request("bad-fabric", "namespace with " + what, remedy);
    }
}
