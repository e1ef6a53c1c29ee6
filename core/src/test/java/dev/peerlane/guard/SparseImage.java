package dev.peerlane.guard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.PeerlaneException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;

/** A device that keeps only the sectors that are not zero. */
public final class SparseImage implements DeviceBytes {
    private final TreeMap<Long, byte[]> pieces = new TreeMap<>();
    private final long sizeBytes;
    private long bad = -1;

    SparseImage(long sizeBytes) {
        this.sizeBytes = sizeBytes;
    }

    /** Reads one of the stored images. */
    public static SparseImage kept(String name) throws IOException {
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(
                                new GZIPInputStream(resource(name + ".gz")),
                                StandardCharsets.US_ASCII))) {
            SparseImage image =
                    new SparseImage(Long.parseLong(lines.readLine().substring("size ".length())));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int blank = line.indexOf(' ');
                image.put(
                        Long.parseLong(line.substring(0, blank)),
                        HexFormat.of().parseHex(line.substring(blank + 1)));
            }
            return image;
        }
    }

    static InputStream resource(String name) {
        return Objects.requireNonNull(
                SparseImage.class.getResourceAsStream("/signatures/" + name), name);
    }

    /** Sets bytes. */
    public SparseImage put(long offset, byte[] bytes) {
        pieces.put(offset, bytes);
        return this;
    }

    SparseImage put(long offset, String hex) {
        return put(offset, HexFormat.of().parseHex(hex));
    }

    /** Makes a byte unreadable. */
    SparseImage bad(long offset) {
        bad = offset;
        return this;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void read(long offset, byte[] into) {
        assertThat(offset).isNotNegative();
        assertThat(offset + into.length).isLessThanOrEqualTo(sizeBytes);
        if (bad >= offset && bad < offset + into.length) {
            throw PeerlaneException.io("io-error", "block is bad", "Look at the drive");
        }
        pieces.forEach((at, piece) -> {
            long from = Math.max(at, offset);
            long to = Math.min(at + piece.length, offset + into.length);
            if (from < to) {
                System.arraycopy(
                        piece, (int) (from - at), into, (int) (from - offset), (int) (to - from));
            }
        });
    }

    /** Writes the image into a file in a folder, for a program to examine. */
    public Path write(Path folder) throws IOException {
        Path file = folder.resolve("image");
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.setLength(0);
            out.setLength(sizeBytes);
            for (Map.Entry<Long, byte[]> piece : pieces.entrySet()) {
                out.seek(piece.getKey());
                out.write(piece.getValue());
            }
        }
        return file;
    }
}
