package dev.peerlane.sim;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * A run of successive seeds and its outcome: one line of a record.
 *
 * @param start the first seed
 * @param count number of seeds
 * @param bad the seeds in which a checker found something
 * @param packets number of packets
 * @param met the covered cells of {@link Coverage#possible}, followed by those of {@link
 *     FeatureCoverage#possible}
 * @param seconds duration of the run
 * @param commit the commit of the sources
 */
record Piece(
        long start,
        long count,
        List<Long> bad,
        long packets,
        BitSet met,
        double seconds,
        String commit) {
    /** The header, which names the fields of a line. */
    static final String HEAD =
            "# start\tcount\tviolations\tpackets\tcovered\tseconds\tcommit\tcells\tseeds";

    private static final int FIELDS = 9;

    /** Parses a line. */
    static Piece parse(String line) {
        String[] fields = line.split("\t", -1);
        if (fields.length != FIELDS) {
            throw new IllegalArgumentException(
                    "%d fields, not %d: %s".formatted(fields.length, FIELDS, line));
        }
        List<Long> bad = new ArrayList<>();
        for (String seed : fields[8].isEmpty() ? new String[0] : fields[8].split(",", -1)) {
            bad.add(Long.valueOf(seed));
        }
        return new Piece(
                Long.parseLong(fields[0]),
                Long.parseLong(fields[1]),
                List.copyOf(bad),
                Long.parseLong(fields[3]),
                BitSet.valueOf(HexFormat.of().parseHex(fields[7])),
                Double.parseDouble(fields[5]),
                fields[6]);
    }

    /** Returns this piece as a line. */
    String line() {
        List<String> seeds = bad.stream().map(String::valueOf).toList();
        return "%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s"
                .formatted(
                        start,
                        count,
                        bad.size(),
                        packets,
                        met.cardinality(),
                        String.format(Locale.ROOT, "%.1f", seconds),
                        commit,
                        HexFormat.of().formatHex(met.toByteArray()),
                        String.join(",", seeds));
    }

    /** Returns the seed after the last one. */
    long end() {
        return start + count;
    }
}
