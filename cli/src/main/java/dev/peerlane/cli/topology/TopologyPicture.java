package dev.peerlane.cli.topology;

import dev.peerlane.PeerlaneException;
import java.awt.geom.Rectangle2D;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import org.abego.treelayout.Configuration.AlignmentInLevel;
import org.abego.treelayout.Configuration.Location;
import org.abego.treelayout.NodeExtentProvider;
import org.abego.treelayout.TreeLayout;
import org.abego.treelayout.util.DefaultConfiguration;
import org.abego.treelayout.util.DefaultTreeForTreeLayout;
import org.jspecify.annotations.Nullable;

/**
 * Draws a topology as SVG: the boxes from left to right, placed by TreeLayout, and the matrix
 * below.
 */
final class TopologyPicture {
    private static final double LINE = 15;
    private static final double CHARACTER = 6.7;
    private static final double GAP = 28;
    private static final double CELL = 26;
    private static final double MIN_LABELS = 150;
    private static final int MARGIN = 16;
    private static final double BETWEEN_LEVELS = 34;
    private static final double BETWEEN_BOXES = 10;
    private static final String ROOT = "";
    private static final int MAX_DEPTH = 16;
    private static final int MAX_BOXES = 1000;
    private static final String HEADING =
            "From a row's controller to a column's CMB: left half writes, right half reads;"
                    + " number of bridges on the route";

    private static final Map<String, String> COLOURS = new LinkedHashMap<>();

    static {
        COLOURS.put("direct", "#63c78e");
        COLOURS.put("root-trusted", "#7fb8e6");
        COLOURS.put("root-untrusted", "#f2c14e");
        COLOURS.put("redirected", "#ee8434");
        COLOURS.put("unknown", "#b9a3d6");
        COLOURS.put("refused", "#c9302c");
        COLOURS.put("own", "#e4e7eb");
    }

    private final TopologyDocument topology;
    private final List<TopologyDocument.Node> drives;
    private final double labels;
    private final Map<String, List<TopologyDocument.Node>> byParent;
    private final StringBuilder svg = new StringBuilder();
    private final Map<String, TopologyDocument.Node> shown = new LinkedHashMap<>();
    private final Map<String, List<String>> texts = new HashMap<>();
    private final DefaultTreeForTreeLayout<String> tree = new DefaultTreeForTreeLayout<>(ROOT);

    private TopologyPicture(TopologyDocument topology) {
        this.topology = topology;
        drives = topology.drives();
        byParent = topology.byParent();
        int longest = IntStream.range(0, drives.size()).map(i -> label(i).length()).max().orElse(0);
        labels = Math.max(MIN_LABELS, (longest + 1) * CHARACTER);
    }

    /** Returns a complete SVG document. */
    static String svg(TopologyDocument topology) {
        return new TopologyPicture(topology).draw();
    }

    private String draw() {
        for (TopologyDocument.Node n : topology.functions()) {
            if (!hidden(n)) {
                if (shown.size() >= MAX_BOXES - 1) {
                    throw PeerlaneException.machine(
                            "picture-too-large",
                            "%s has more than %d functions to draw"
                                    .formatted(topology.origin(), MAX_BOXES),
                            "Omit --svg");
                }
                shown.put(n.address(), n);
            }
        }
        texts.put(ROOT, List.of("root complex"));
        shown.forEach((address, n) -> texts.put(address, lines(n)));
        shown.values().forEach(n -> hang(n, new HashSet<>()));
        TreeLayout<String> layout =
                new TreeLayout<>(
                        tree,
                        new Extents(),
                        new DefaultConfiguration<>(
                                BETWEEN_LEVELS,
                                BETWEEN_BOXES,
                                Location.Left,
                                AlignmentInLevel.TowardsRoot));
        Map<String, Rectangle2D.Double> boxes = layout.getNodeBounds();
        boxes.values().forEach(b -> b.setRect(b.x + MARGIN, b.y + MARGIN, b.width, b.height));
        double bottom = layout.getBounds().getHeight() + 2 * MARGIN;
        double side = MARGIN + labels + drives.size() * CELL;
        double right = Math.max(layout.getBounds().getWidth() + MARGIN, side);
        double width = Math.max(right, HEADING.length() * CHARACTER) + MARGIN;
        double top = bottom + GAP;
        double height = top + (drives.isEmpty() ? 0 : 64 + drives.size() * CELL + MARGIN);
        head(width, height);
        shown.values().stream()
                .filter(n -> Objects.equals(tree.getParent(n.address()), above(n)))
                .forEach(n -> edge(box(boxes, above(n)), box(boxes, n.address())));
        node(box(boxes, ROOT), null);
        shown.values().forEach(n -> node(box(boxes, n.address()), n));
        if (!drives.isEmpty()) {
            matrix(top);
        }
        return svg.append("</svg>\n").toString();
    }

    private static Rectangle2D.Double box(Map<String, Rectangle2D.Double> boxes, String id) {
        return Objects.requireNonNull(boxes.get(id));
    }

    private List<String> text(String id) {
        return Objects.requireNonNull(texts.get(id));
    }

    private static String above(TopologyDocument.Node n) {
        String parent = n.parent();
        return parent == null ? ROOT : parent;
    }

    /**
     * Adds a function to the tree, after the bridges above it. If its bridge is not drawn, or its
     * bridges form a cycle (possible in a capture), it is placed beside the root ports.
     */
    private void hang(TopologyDocument.Node n, Set<String> below) {
        if (tree.hasNode(n.address())) {
            return;
        }
        below.add(n.address());
        TopologyDocument.Node bridge = shown.get(above(n));
        boolean circle = bridge != null && below.contains(bridge.address());
        if (bridge != null && !circle) {
            hang(bridge, below);
        }
        tree.addChild(bridge == null || circle ? ROOT : bridge.address(), n.address());
    }

    /** Computes the size of each box from its text. */
    private final class Extents implements NodeExtentProvider<String> {
        @Override
        public double getWidth(String id) {
            int longest = text(id).stream().mapToInt(String::length).max().orElse(1);
            return longest * CHARACTER + 16;
        }

        @Override
        public double getHeight(String id) {
            return text(id).size() * LINE + 10;
        }
    }

    /**
     * Returns whether to hide a function: a bridge with nothing of interest below it only takes
     * space.
     */
    private boolean hidden(TopologyDocument.Node n) {
        return !n.nvme() && !leadsToDrive(n.address(), 0);
    }

    private boolean leadsToDrive(String address, int depth) {
        return depth < MAX_DEPTH
                && byParent.getOrDefault(address, List.of()).stream()
                        .anyMatch(c -> c.nvme() || leadsToDrive(c.address(), depth + 1));
    }

    private List<String> lines(TopologyDocument.Node n) {
        List<String> lines = new java.util.ArrayList<>();
        int number = drives.indexOf(n);
        String kind = n.nvme() ? "[" + number + "] " : "";
        lines.add(kind + (n.name() == null ? n.address() : n.name() + "  " + n.address()));
        lines.add(TopologyView.kind(n));
        StringBuilder facts = new StringBuilder(n.link() == null ? "" : n.link());
        if (n.linkBelowBest()) {
            facts.append(" of ").append(n.bestLink());
        }
        if (n.acs() != null) {
            facts.append(facts.isEmpty() ? "" : ", ").append("ACS ").append(n.acs());
        }
        if (n.nvme() && n.iommuGroup() != null) {
            facts.append(facts.isEmpty() ? "" : ", ").append("group ").append(n.iommuGroup());
        }
        if (!facts.isEmpty()) {
            lines.add(facts.toString());
        }
        return lines;
    }

    private void head(double width, double height) {
        svg.append(
                """
                <svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" \
                viewBox="0 0 %.0f %.0f" font-family="DejaVu Sans Mono, Consolas, monospace" \
                font-size="11">
                <title>PCIe topology of %s</title>
                <rect width="100%%" height="100%%" fill="#ffffff"/>
                """
                        .formatted(width, height, width, height, escaped(topology.origin())));
    }

    /**
     * Draws the line from a bridge to a function below it. All lines of a level bend at the same
     * place.
     */
    private void edge(Rectangle2D.Double from, Rectangle2D.Double to) {
        double turn = to.x - BETWEEN_LEVELS / 2;
        svg.append(
                """
                <path d="M%.1f %.1f H%.1f V%.1f H%.1f" fill="none" stroke="#8a94a0" \
                stroke-width="1.5"/>
                """
                        .formatted(from.getMaxX(), from.getCenterY(), turn, to.getCenterY(), to.x));
    }

    private void node(Rectangle2D.Double box, TopologyDocument.@Nullable Node n) {
        boolean memory = n != null && n.cmbBytes() != null && n.cmbBytes() > 0;
        String fill = n == null ? "#dfe5ec" : memory ? "#d6f0df" : n.nvme() ? "#f3f4f6" : "#eef3fa";
        boolean wrong = n != null && n.redirects();
        boolean narrow = n != null && n.linkBelowBest();
        String stroke = wrong ? "#ee8434" : narrow ? "#d9a400" : memory ? "#2e9e5b" : "#8a94a0";
        svg.append(
                """
                <rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="4" fill="%s" stroke="%s" \
                stroke-width="%s"/>
                """
                        .formatted(
                                box.x,
                                box.y,
                                box.width,
                                box.height,
                                fill,
                                stroke,
                                wrong || narrow || memory ? "2" : "1"));
        List<String> lines = text(n == null ? ROOT : n.address());
        for (int i = 0; i < lines.size(); i++) {
            text(
                    box.x + 8,
                    box.y + 15 + i * LINE,
                    lines.get(i),
                    i == 0 ? "font-weight=\"bold\"" : "fill=\"#3b4652\"");
        }
    }

    private void matrix(double top) {
        text(MARGIN, top + 4, HEADING, "font-weight=\"bold\"");
        double x = MARGIN;
        for (Map.Entry<String, String> colour : COLOURS.entrySet()) {
            rectangle(x, top + 16, 12, 12, colour.getValue());
            String words =
                    colour.getKey().equals("own") ? "itself" : colour.getKey().replace('-', ' ');
            text(x + 17, top + 26, words, "");
            x += 17 + words.length() * CHARACTER + 18;
        }
        double left = MARGIN + labels;
        double first = top + 60;
        for (int i = 0; i < drives.size(); i++) {
            text(left + i * CELL + (CELL - CHARACTER * digits(i)) / 2, first - 6, "" + i, "");
            text(MARGIN, first + i * CELL + 17, label(i), "");
            for (int j = 0; j < drives.size(); j++) {
                cell(left + j * CELL, first + i * CELL, topology.pair(i, j));
            }
        }
    }

    private String label(int drive) {
        return "[" + drive + "] " + drives.get(drive).label();
    }

    private static int digits(int number) {
        return ("" + number).length();
    }

    private void cell(double x, double y, TopologyDocument.Verdicts pair) {
        double half = (CELL - 2) / 2;
        svg.append(
                "<g><title>%s to %s. Writes: %s. Reads: %s. Narrowest link %.1f GB/s. %s</title>\n"
                        .formatted(
                                pair.initiator(),
                                pair.owner(),
                                pair.write(),
                                pair.read(),
                                pair.bytesPerSecond() / 1e9,
                                escaped(pair.reason())));
        rectangle(x + 1, y + 1, half, CELL - 2, COLOURS.getOrDefault(pair.write(), "#000"));
        rectangle(x + 1 + half, y + 1, half, CELL - 2, COLOURS.getOrDefault(pair.read(), "#000"));
        svg.append("</g>\n");
        if (!pair.write().equals("own")) {
            String hops = "" + pair.hops();
            text(x + (CELL - CHARACTER * hops.length()) / 2, y + 17, hops, "fill=\"#10202c\"");
        }
    }

    private void rectangle(double x, double y, double width, double height, String fill) {
        svg.append(
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n"
                        .formatted(x, y, width, height, fill));
    }

    private void text(double x, double y, String text, String attributes) {
        svg.append(
                "<text x=\"%.1f\" y=\"%.1f\" xml:space=\"preserve\" %s>%s</text>\n"
                        .formatted(x, y, attributes, escaped(text)));
    }

    private static String escaped(String text) {
        StringBuilder safe = new StringBuilder();
        text.codePoints()
                .forEach(c -> {
                    switch (c) {
                        case '<' -> safe.append("&lt;");
                        case '>' -> safe.append("&gt;");
                        case '&' -> safe.append("&amp;");
                        case '"' -> safe.append("&quot;");
                        default -> safe.appendCodePoint(c < 0x20 || c > 0xfffd ? '?' : c);
                    }
                });
        return safe.toString();
    }
}
