package dev.peerlane.cli;

import dev.peerlane.PeerlaneException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.eclipse.elk.alg.layered.LayeredLayoutProvider;
import org.eclipse.elk.alg.layered.options.FixedAlignment;
import org.eclipse.elk.alg.layered.options.LayeredMetaDataProvider;
import org.eclipse.elk.alg.layered.options.LayeredOptions;
import org.eclipse.elk.alg.layered.options.OrderingStrategy;
import org.eclipse.elk.core.data.LayoutMetaDataService;
import org.eclipse.elk.core.math.ElkPadding;
import org.eclipse.elk.core.options.CoreOptions;
import org.eclipse.elk.core.options.Direction;
import org.eclipse.elk.core.options.EdgeRouting;
import org.eclipse.elk.core.util.BasicProgressMonitor;
import org.eclipse.elk.graph.ElkBendPoint;
import org.eclipse.elk.graph.ElkEdge;
import org.eclipse.elk.graph.ElkEdgeSection;
import org.eclipse.elk.graph.ElkNode;
import org.eclipse.elk.graph.util.ElkGraphUtil;
import org.jspecify.annotations.Nullable;

/** A topology as SVG: ELK's layered algorithm lays the tree out, the matrix stands below it. */
final class TopologyPicture {
    private static final double LINE = 15;
    private static final double CHARACTER = 6.7;
    private static final double GAP = 28;
    private static final double CELL = 26;
    private static final double LABELS = 150;
    private static final int MARGIN = 16;
    private static final String ROOT = "";
    private static final int MAX_DEPTH = 16;
    private static final int MAX_BOXES = 1000;
    private static final String HEADING =
            "From a row's controller to a column's CMB: left half writes, right half reads; number"
                    + " of bridges on the way";

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

    private final Topology topology;
    private final List<Topology.Node> drives;
    private final Map<String, List<Topology.Node>> byParent;
    private final StringBuilder svg = new StringBuilder();
    private final Map<String, ElkNode> nodes = new LinkedHashMap<>();

    private TopologyPicture(Topology topology) {
        this.topology = topology;
        drives = topology.drives();
        byParent = topology.byParent();
    }

    /** Returns a whole SVG document. */
    static String svg(Topology topology) {
        return new TopologyPicture(topology).draw();
    }

    private String draw() {
        ElkNode graph = ElkGraphUtil.createGraph();
        graph.setProperty(CoreOptions.DIRECTION, Direction.RIGHT);
        graph.setProperty(CoreOptions.EDGE_ROUTING, EdgeRouting.ORTHOGONAL);
        graph.setProperty(CoreOptions.PADDING, new ElkPadding(MARGIN));
        graph.setProperty(CoreOptions.SPACING_NODE_NODE, 10.0);
        graph.setProperty(LayeredOptions.SPACING_NODE_NODE_BETWEEN_LAYERS, 34.0);
        graph.setProperty(LayeredOptions.MERGE_EDGES, true);
        graph.setProperty(
                LayeredOptions.NODE_PLACEMENT_BK_FIXED_ALIGNMENT, FixedAlignment.BALANCED);
        graph.setProperty(
                LayeredOptions.CONSIDER_MODEL_ORDER_STRATEGY, OrderingStrategy.NODES_AND_EDGES);
        box(graph, ROOT, List.of("root complex"));
        for (Topology.Node n : topology.functions()) {
            if (!hidden(n)) {
                if (nodes.size() >= MAX_BOXES) {
                    throw PeerlaneException.machine(
                            "picture-too-large",
                            "%s has more than %d functions to draw"
                                    .formatted(topology.origin(), MAX_BOXES),
                            "Leave --svg out");
                }
                box(graph, n.address(), lines(n));
            }
        }
        for (Topology.Node n : topology.functions()) {
            ElkNode child = nodes.get(n.address());
            ElkNode parent = nodes.get(n.parent() == null ? ROOT : n.parent());
            if (child != null && parent != null) {
                ElkGraphUtil.createSimpleEdge(parent, child);
            }
        }
        // registers the types of its options, which the algorithm copies
        LayoutMetaDataService.getInstance()
                .registerLayoutMetaDataProviders(new LayeredMetaDataProvider());
        new LayeredLayoutProvider().layout(graph, new BasicProgressMonitor());
        double side = MARGIN + LABELS + drives.size() * CELL;
        double width =
                Math.max(graph.getWidth(), Math.max(side, HEADING.length() * CHARACTER) + MARGIN);
        double top = graph.getHeight() + GAP;
        double height = top + (drives.isEmpty() ? 0 : 64 + drives.size() * CELL + MARGIN);
        head(width, height);
        graph.getContainedEdges().forEach(this::edge);
        node(ROOT, null);
        topology.functions().stream()
                .filter(n -> nodes.containsKey(n.address()))
                .forEach(n -> node(n.address(), n));
        if (!drives.isEmpty()) {
            matrix(top);
        }
        return svg.append("</svg>\n").toString();
    }

    /** A bridge with nothing of interest below it would only take room. */
    private boolean hidden(Topology.Node n) {
        return !n.nvme() && !leadsToDrive(n.address(), 0);
    }

    private boolean leadsToDrive(String address, int depth) {
        return depth < MAX_DEPTH
                && byParent.getOrDefault(address, List.of()).stream()
                        .anyMatch(c -> c.nvme() || leadsToDrive(c.address(), depth + 1));
    }

    private void box(ElkNode graph, String id, List<String> lines) {
        ElkNode node = ElkGraphUtil.createNode(graph);
        int longest = lines.stream().mapToInt(String::length).max().orElse(1);
        node.setDimensions(longest * CHARACTER + 16, lines.size() * LINE + 10);
        nodes.put(id, node);
    }

    private List<String> lines(Topology.Node n) {
        List<String> lines = new java.util.ArrayList<>();
        int number = drives.indexOf(n);
        String kind = n.nvme() ? "[" + number + "] " : "";
        lines.add(kind + (n.name() == null ? n.address() : n.name() + "  " + n.address()));
        lines.add(TopologyText.kind(n));
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

    private void edge(ElkEdge edge) {
        for (ElkEdgeSection s : edge.getSections()) {
            StringBuilder path =
                    new StringBuilder("M%.1f %.1f".formatted(s.getStartX(), s.getStartY()));
            for (ElkBendPoint p : s.getBendPoints()) {
                path.append(" L%.1f %.1f".formatted(p.getX(), p.getY()));
            }
            path.append(" L%.1f %.1f".formatted(s.getEndX(), s.getEndY()));
            svg.append(
                    "<path d=\"%s\" fill=\"none\" stroke=\"#8a94a0\" stroke-width=\"1.5\"/>\n"
                            .formatted(path));
        }
    }

    private void node(String id, Topology.@Nullable Node n) {
        ElkNode box = Objects.requireNonNull(nodes.get(id));
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
                                box.getX(),
                                box.getY(),
                                box.getWidth(),
                                box.getHeight(),
                                fill,
                                stroke,
                                wrong || narrow || memory ? "2" : "1"));
        List<String> lines = n == null ? List.of("root complex") : lines(n);
        for (int i = 0; i < lines.size(); i++) {
            text(
                    box.getX() + 8,
                    box.getY() + 15 + i * LINE,
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
        double left = MARGIN + LABELS;
        double first = top + 60;
        for (int i = 0; i < drives.size(); i++) {
            text(left + i * CELL + (CELL - CHARACTER * digits(i)) / 2, first - 6, "" + i, "");
            String label = "[" + i + "] " + drives.get(i).label();
            text(MARGIN, first + i * CELL + 17, label, "");
            for (int j = 0; j < drives.size(); j++) {
                cell(left + j * CELL, first + i * CELL, topology.pair(i, j));
            }
        }
    }

    private static int digits(int number) {
        return ("" + number).length();
    }

    private void cell(double x, double y, Topology.Pair pair) {
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
