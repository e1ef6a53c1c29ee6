package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import dev.peerlane.block.PeerBuffer;
import dev.peerlane.hal.DmaDomain;
import dev.peerlane.pci.Bdf;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The data that a killed process left in the CMBs of real devices. While buffers of a CMB are in
 * use, a file lists them: {@code cmb/ADDRESS} in a directory. Its first line is the device's serial
 * number; every other line has offset and length of a buffer, in hexadecimal. Whoever opens the
 * device next overwrites those ranges and removes the file.
 */
final class Leftovers {
    private static final Pattern PIECE = Pattern.compile("([0-9a-f]{1,16}) ([0-9a-f]{1,16})");
    private static final int MAX_BYTES = 1 << 20;

    private final Path directory;

    private Leftovers(Path directory) {
        this.directory = directory;
    }

    /** Returns the leftovers that are listed in a directory, such as {@code /run/peerlane}. */
    static Leftovers in(Path state) {
        return new Leftovers(state.resolve("cmb"));
    }

    private record Piece(long offset, long bytes) {}

    /**
     * Overwrites the ranges that are listed for a controller, and starts to list the buffers of its
     * CMB that are in use.
     *
     * @param cmb the CMB of a controller that was just opened
     * @param bdf the controller's PCI address
     * @param serial its serial number
     * @param dma the domain of the controller's fabric; the CMB is enabled for a moment if
     *     necessary
     * @throws PeerlaneException if the file can't be read or written, or the CMB can't be
     *     overwritten
     */
    void adopt(ControllerMemoryBuffer cmb, Bdf bdf, String serial, DmaDomain dma) {
        Path file = directory.resolve(bdf.toString());
        List<Piece> pieces = read(file, serial);
        if (!pieces.isEmpty()) {
            cmb.enable(dma);
            try {
                wipe(cmb, pieces);
            } finally {
                cmb.disable();
            }
        }
        remove(file);
        cmb.journal(new Journal(file, serial));
    }

    private static void wipe(ControllerMemoryBuffer cmb, List<Piece> pieces) {
        try (PeerBuffer all = cmb.mapWhole()) {
            all.wipeOnClose(false);
            for (Piece piece : pieces) {
                long start = Math.clamp(piece.offset() & -8, 0, all.sizeBytes());
                long most = (all.sizeBytes() - start) & -8;
                long bytes = Math.clamp((piece.bytes() + 7) & -8, 0, most);
                if (bytes == 0) {
                    continue;
                }
                all.fill(start, bytes, 0);
                // Once the read has returned, the posted writes to the same place have arrived.
                long seen = all.load64(start + bytes - 8);
                if (seen != 0) {
                    throw PeerlaneException.io(
                            "cmb-not-wiped",
                            "%s: a killed run left data in its CMB, and byte 0x%x of it reads %016Xh"
                                            .formatted(cmb.owner(), start + bytes - 8, seen)
                                    + " after it was overwritten",
                            "Reset the device, or power it off");
                }
            }
        }
    }

    /**
     * Reads the list. A list with another serial number belongs to a drive that is no longer there.
     */
    private static List<Piece> read(Path file, String serial) {
        List<Piece> pieces = new ArrayList<>();
        if (!Files.isRegularFile(file)) {
            return pieces;
        }
        String text;
        try (var in = Files.newInputStream(file)) {
            text = new String(in.readNBytes(MAX_BYTES), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw unusable(file, e);
        }
        String[] lines = text.split("\n", -1);
        if (!lines[0].equals(serial)) {
            return pieces;
        }
        for (String line : lines) {
            Matcher piece = PIECE.matcher(line);
            if (piece.matches()) {
                pieces.add(
                        new Piece(
                                Long.parseUnsignedLong(piece.group(1), 16),
                                Long.parseUnsignedLong(piece.group(2), 16)));
            }
        }
        return pieces;
    }

    private static void remove(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw unusable(file, e);
        }
    }

    private static PeerlaneException unusable(Path file, IOException e) {
        return new PeerlaneException(
                PeerlaneException.Category.MACHINE,
                "no-record",
                "%s, which records the CMB's data in case this process is killed, can't be used: %s"
                        .formatted(file, e),
                "Run it as root, or give this user the directory " + file.getParent(),
                e);
    }

    /** Maintains the file of one device. */
    private static final class Journal implements CmbJournal {
        private final Path file;
        private final String serial;
        private final List<Piece> pieces = new ArrayList<>();

        Journal(Path file, String serial) {
            this.file = file;
            this.serial = serial;
        }

        @Override
        public void taken(long offset, long sizeBytes) {
            pieces.add(new Piece(offset, sizeBytes));
            try {
                write();
            } catch (IOException e) {
                pieces.removeLast();
                throw unusable(file, e);
            }
        }

        @Override
        public void cleared(long offset, long sizeBytes) {
            pieces.remove(new Piece(offset, sizeBytes));
            try {
                write();
            } catch (IOException e) {
                throw unusable(file, e);
            }
        }

        /** The process may be killed at any time, so the whole file is replaced at once. */
        private void write() throws IOException {
            if (pieces.isEmpty()) {
                Files.deleteIfExists(file);
                return;
            }
            Path directory = file.getParent();
            if (directory == null) {
                throw new IOException("it has no directory");
            }
            Files.createDirectories(directory);
            StringBuilder text = new StringBuilder(serial).append('\n');
            for (Piece piece : pieces) {
                text.append("%x %x\n".formatted(piece.offset(), piece.bytes()));
            }
            Path fresh = directory.resolve("." + file.getFileName());
            Files.writeString(fresh, text, StandardCharsets.UTF_8);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        }
    }
}
