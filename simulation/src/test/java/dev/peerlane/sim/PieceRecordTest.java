package dev.peerlane.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests a long run in pieces: no seed runs twice, none is left out, and the sums are correct. */
class PieceRecordTest {
    @TempDir Path folder;

    private static Piece piece(long start, long count, String commit, Long... bad) {
        BitSet met = new BitSet();
        met.set((int) (start % 500));
        return new Piece(start, count, List.of(bad), 7 * count, met, 0.5, commit);
    }

    private PieceRecord open() throws IOException {
        return PieceRecord.open(folder.resolve("runs.tsv"), "abc");
    }

    @Test
    void aLineIsReadAsItWasWritten() {
        for (Piece piece : List.of(piece(7, 9, "abc"), piece(499, 1, "x", 499L, 3L))) {
            assertThat(Piece.parse(piece.line())).isEqualTo(piece);
            assertThat(piece.line().split("\t", -1)).hasSameSizeAs(Piece.HEAD.split("\t", -1));
        }
        assertThatThrownBy(() -> Piece.parse("1\t2\t3"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3 fields, not 9: 1\t2\t3");
    }

    @Test
    void recordedPiecesAreNotRunAgainAndGapsAreFilled() throws IOException {
        PieceRecord first = open();
        first.add(piece(120, 10, "abc"));
        first.add(piece(100, 10, "abc", 105L));
        first.add(piece(110, 10, "another"));
        PieceRecord again = open();
        assertThat(again.others()).isOne();
        assertThat(again.next(90)).isEqualTo(90);
        assertThat(again.gap(90, 50)).isEqualTo(10);
        assertThat(again.next(100)).isEqualTo(110);
        assertThat(again.gap(110, 5)).isEqualTo(5);
        assertThat(again.gap(110, 50)).isEqualTo(10);
        again.add(piece(110, 10, "abc"));
        assertThat(again.next(100)).isEqualTo(130);
        Piece sum = open().sum(100, 20);
        assertThat(sum.count()).isEqualTo(20);
        assertThat(sum.bad()).containsExactly(105L);
        assertThat(sum.packets()).isEqualTo(140);
        assertThat(sum.met().cardinality()).isEqualTo(2);
    }

    @Test
    void theProgramResumesARunWhereItEnded() throws IOException {
        Path file = folder.resolve("runs.tsv");
        assertThat(output("--seeds", "2", "--start", "9000000", "--record", file.toString()))
                .contains("2 seeds from 9000000");
        String all = output("--seeds", "3", "--start", "9000000", "--record", file.toString());
        assertThat(all)
                .contains("1 seeds from 9000002")
                .contains("All of it")
                .contains("3 seeds from 9000000")
                .contains("cells (fault, phase, buffer; feature, buffer) met");
        assertThat(Files.readAllLines(file)).hasSize(3).first().isEqualTo(Piece.HEAD);
    }

    private static String output(String... arguments) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            assertThat(Sim.run(arguments, out)).isZero();
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
