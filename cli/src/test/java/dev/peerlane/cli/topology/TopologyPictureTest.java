package dev.peerlane.cli.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.topology.TopologyDocument.Node;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TopologyPictureTest {
    private static final Pattern BOX = Pattern.compile("<rect x=\"([0-9.]+)\" [^>]* rx=");
    private static final Pattern CELL = Pattern.compile("</title>\\s*<rect x=\"([0-9.]+)\"");
    private static final Pattern LINE = Pattern.compile("<path ");

    private static Node node(String address, @Nullable String parent, boolean drive) {
        return node(address, parent, drive, null);
    }

    private static Node node(
            String address, @Nullable String parent, boolean drive, @Nullable String name) {
        return new Node(
                address,
                parent,
                drive ? "endpoint" : "root-port",
                name,
                "1234:5678",
                drive ? "010802" : "060400",
                null,
                null,
                false,
                null,
                null,
                null,
                null,
                false,
                null,
                null,
                drive,
                null);
    }

    private static String svg(Node... nodes) {
        TopologyDocument.Verdicts self =
                new TopologyDocument.Verdicts(
                        "", "", "own", true, "own", true, true, 0, 0, null, "", List.of(),
                        List.of());
        return TopologyPicture.svg(
                new TopologyDocument(
                        "", "a capture", "", List.of(nodes), List.of(self), List.of()));
    }

    private static List<Double> left(String svg) {
        return BOX.matcher(svg).results().map(m -> Double.valueOf(m.group(1))).toList();
    }

    private static long lines(String svg) {
        return LINE.matcher(svg).results().map(MatchResult::start).count();
    }

    @Test
    void whatIsBelowABridgeIsToItsRight() {
        String svg = svg(node("a", null, false), node("b", "a", true));
        assertThat(left(svg)).hasSize(3).isSorted().doesNotHaveDuplicates();
        assertThat(lines(svg)).isEqualTo(2);
    }

    @Test
    void bridgesInACircleAreDrawnOnceEach() {
        String svg = svg(node("a", "b", false), node("b", "a", false), node("c", "a", true));
        assertThat(left(svg)).hasSize(4);
        assertThat(lines(svg)).as("none from the root, since no function is at it").isEqualTo(2);
    }

    @Test
    void aBridgeThatIsItsOwnParentIsDrawnOnce() {
        String svg = svg(node("a", "a", false), node("b", "a", true));
        assertThat(left(svg)).hasSize(3);
        assertThat(lines(svg)).isEqualTo(1);
    }

    @Test
    void aLongNameIsNotBelowTheMatrix() {
        String name = "emu:the-drive-in-the-third-slot-from-the-left";
        String svg = svg(node("a", null, true, name));
        double cell =
                CELL.matcher(svg)
                        .results()
                        .mapToDouble(m -> Double.parseDouble(m.group(1)))
                        .findFirst()
                        .orElseThrow();
        assertThat(cell).isGreaterThan(16 + 6.6 * ("[0] " + name).length());
    }
}
