package dev.peerlane.sim;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A file with a line for each piece of a long run, so that the run can be stopped at any time and
 * resumed. Pieces of other commits stay in the file but do not count, because they ran another
 * program.
 */
final class PieceRecord {
    private final Path file;
    private final String commit;
    private final List<Piece> pieces = new ArrayList<>();
    private int others;

    private PieceRecord(Path file, String commit) {
        this.file = file;
        this.commit = commit;
    }

    /**
     * Reads the file.
     *
     * @throws IllegalArgumentException if a line is not that of a record
     */
    static PieceRecord open(Path file, String commit) throws IOException {
        PieceRecord record = new PieceRecord(file, commit);
        if (!Files.exists(file)) {
            Files.writeString(file, Piece.HEAD + "\n");
        }
        for (String line : Files.readAllLines(file)) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            Piece piece = Piece.parse(line);
            if (piece.commit().equals(commit)) {
                record.pieces.add(piece);
            } else {
                record.others++;
            }
        }
        return record;
    }

    /** Returns the number of pieces of other commits. */
    int others() {
        return others;
    }

    /** Returns the first seed, from a given one on, that is in no piece. */
    long next(long seed) {
        long next = seed;
        boolean found = true;
        while (found) {
            found = false;
            for (Piece piece : pieces) {
                if (next >= piece.start() && next < piece.end()) {
                    next = piece.end();
                    found = true;
                }
            }
        }
        return next;
    }

    /**
     * Returns how many successive seeds, from a given one on and up to a limit, are in no piece.
     */
    long gap(long seed, long most) {
        long end = seed + most;
        for (Piece piece : pieces) {
            if (piece.start() > seed) {
                end = Math.min(end, piece.start());
            }
        }
        return end - seed;
    }

    /** Appends a piece to the file. */
    void add(Piece piece) throws IOException {
        Files.writeString(file, piece.line() + "\n", StandardOpenOption.APPEND);
        pieces.add(piece);
    }

    /** Returns the sum of all pieces that begin in a range of seeds. */
    Piece sum(long start, long count) {
        long seeds = 0;
        long packets = 0;
        double seconds = 0;
        BitSet met = new BitSet();
        List<Long> bad = new ArrayList<>();
        for (Piece piece : pieces) {
            if (piece.start() >= start && piece.start() < start + count) {
                seeds += piece.count();
                packets += piece.packets();
                seconds += piece.seconds();
                met.or(piece.met());
                bad.addAll(piece.bad());
            }
        }
        return new Piece(start, seeds, List.copyOf(bad), packets, met, seconds, commit);
    }
}
