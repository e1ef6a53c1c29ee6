package dev.peerlane.cli.topology;

import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import dev.peerlane.copy.planning.Unfit;
import dev.peerlane.pci.Direction;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Prints a topology as text: the tree, then a matrix for each direction. */
final class TopologyView {
    private static final int WIDE_CELLS = 6;
    private static final int MAX_DEPTH = 64;

    private final PrintWriter out;
    private final TopologyDocument topology;
    private final Map<String, List<TopologyDocument.Node>> byParent;
    private final Map<String, Integer> numbers = new LinkedHashMap<>();

    private TopologyView(PrintWriter out, TopologyDocument topology) {
        this.out = out;
        this.topology = topology;
        byParent = topology.byParent();
        topology.drives().forEach(d -> numbers.put(d.address(), numbers.size()));
    }

    static void print(PrintWriter out, TopologyDocument topology) {
        new TopologyView(out, topology).print();
    }

    private void print() {
        out.println(topology.origin());
        Table tree = new Table();
        children("", "", 0, tree);
        tree.print(out, "");
        if (!numbers.isEmpty()) {
            out.println();
            matrix(Direction.WRITE);
            out.println();
            matrix(Direction.READ);
            out.println();
            legend();
        }
        topology.notes().forEach(out::println);
        out.flush();
    }

    private void children(String parent, String indent, int depth, Table tree) {
        List<TopologyDocument.Node> below = byParent.getOrDefault(parent, List.of());
        for (int i = 0; i < below.size() && depth < MAX_DEPTH; i++) {
            TopologyDocument.Node n = below.get(i);
            boolean last = i == below.size() - 1;
            String branch = parent.isEmpty() ? "" : last ? "└─ " : "├─ ";
            tree.row(indent + branch + label(n), kind(n), facts(n));
            String deeper = parent.isEmpty() ? "" : last ? "   " : "│  ";
            children(n.address(), indent + deeper, depth + 1, tree);
        }
    }

    private String label(TopologyDocument.Node n) {
        Integer number = numbers.get(n.address());
        String name = n.name() == null ? n.address() : n.name() + " " + n.address();
        return number == null ? name : "[" + number + "] " + name;
    }

    static String kind(TopologyDocument.Node n) {
        return n.nvme()
                ? n.cmbBytes() == null
                        ? "NVMe, CMB not seen"
                        : n.cmbBytes() == 0
                                ? "NVMe, no CMB"
                                : "NVMe, CMB " + Sizes.text(n.cmbBytes())
                : n.kind().replace('-', ' ');
    }

    private static String facts(TopologyDocument.Node n) {
        List<String> facts = new ArrayList<>();
        if (n.link() != null) {
            boolean best = n.bestLink() == null || n.link().equals(n.bestLink());
            facts.add(
                    n.link()
                            + (best ? "" : " of " + n.bestLink())
                            + (n.linkBelowBest() ? "!" : ""));
        }
        if (n.acs() != null) {
            facts.add("ACS " + n.acs() + (n.redirects() ? "!" : ""));
        }
        if (n.payloadBytes() != null) {
            facts.add("MPS " + n.payloadBytes());
        }
        if (n.nvme() && n.relaxedOrdering() != null) {
            facts.add("RO " + (n.relaxedOrdering() ? "on" : "off"));
        }
        if (n.iommuGroup() != null) {
            facts.add("group " + n.iommuGroup());
        }
        if (n.numaNode() != null) {
            facts.add("node " + n.numaNode());
        }
        if (n.driver() != null) {
            facts.add(n.driver());
        }
        return String.join(", ", facts);
    }

    private void matrix(Direction direction) {
        int n = numbers.size();
        boolean wide = n <= WIDE_CELLS;
        out.println(
                direction == Direction.WRITE
                        ? "Peer writes: a row's controller Reads its medium into a column's CMB"
                        : "Peer reads: a row's controller Writes its medium from a column's CMB");
        Table table = new Table();
        String[] head = new String[n + 1];
        head[0] = "";
        for (int i = 0; i < n; i++) {
            head[i + 1] = "[" + i + "]";
        }
        table.row(head);
        for (int row = 0; row < n; row++) {
            String[] cells = new String[n + 1];
            cells[0] = "[" + row + "]";
            for (int column = 0; column < n; column++) {
                TopologyDocument.Verdicts pair = topology.pair(row, column);
                cells[column + 1] = wide ? wide(pair, direction) : narrow(pair, direction);
            }
            table.row(cells);
        }
        table.print(out, "  ");
    }

    private static String verdict(TopologyDocument.Verdicts pair, Direction direction) {
        return direction == Direction.WRITE ? pair.write() : pair.read();
    }

    private static String narrow(TopologyDocument.Verdicts pair, Direction direction) {
        String verdict = verdict(pair, direction);
        return symbol(verdict) + (verdict.equals("own") ? "" : pair.hops());
    }

    private static String wide(TopologyDocument.Verdicts pair, Direction direction) {
        String verdict = verdict(pair, direction);
        if (verdict.equals("own")) {
            return "own";
        }
        String rate =
                pair.bytesPerSecond() == 0
                        ? ""
                        : String.format(Locale.ROOT, ", %.1f GB/s", pair.bytesPerSecond() / 1e9);
        String unfit =
                (direction == Direction.WRITE ? pair.writeUnfit() : pair.readUnfit())
                        .stream()
                                .filter(code -> !code.equals(Unfit.ROUTE.code()))
                                .findFirst()
                                .map(code -> ", " + code)
                                .orElse("");
        return "%s, %d hops%s%s".formatted(word(verdict), pair.hops(), rate, unfit);
    }

    /** Returns the letter of a verdict. */
    static String symbol(String verdict) {
        return switch (verdict) {
            case "own" -> "·";
            case "direct" -> "D";
            case "root-trusted" -> "R";
            case "root-untrusted" -> "u";
            case "redirected" -> "a";
            case "unknown" -> "?";
            default -> "x";
        };
    }

    /** Returns a short phrase for a verdict. */
    static String word(String verdict) {
        return switch (verdict) {
            case "root-trusted" -> "root, trusted";
            case "root-untrusted" -> "root, UNTRUSTED";
            case "redirected" -> "ACS REDIRECTS";
            case "unknown" -> "UNKNOWN: run as root";
            case "refused" -> "REFUSED";
            default -> verdict;
        };
    }

    private void legend() {
        if (numbers.size() > WIDE_CELLS) {
            out.println(
                    "D direct over a switch, R through a root complex that is trusted; not allowed:"
                            + " u root complex untrusted,");
            out.println(
                    "a redirected by ACS, ? unknown, x refused. The number counts the bridges on"
                            + " the route.");
            narrowest();
        }
        if (numbers.size() <= WIDE_CELLS
                && topology.routes().stream()
                        .anyMatch(p -> !p.initiator().equals(p.owner()) && isUnfit(p))) {
            out.println(
                    "A code in a cell is the reason why that CMB can't carry the copy:"
                            + " docs/doctor.md.");
        }
        if (topology.functions().stream().anyMatch(n -> n.redirects() || n.linkBelowBest())) {
            out.println(
                    "! a link slower than both of its ends support, or a port whose ACS"
                            + " redirects; 'peerlane doctor' shows the fix.");
        }
        out.println("Root complex: " + topology.rootComplex());
    }

    private static boolean isUnfit(TopologyDocument.Verdicts pair) {
        return Stream.concat(pair.writeUnfit().stream(), pair.readUnfit().stream())
                .anyMatch(code -> !code.equals(Unfit.ROUTE.code()));
    }

    private void narrowest() {
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (TopologyDocument.Verdicts pair : topology.routes()) {
            if (pair.narrowest() != null) {
                String rate = String.format(Locale.ROOT, "%.1f GB/s", pair.bytesPerSecond() / 1e9);
                counts.merge(rate, 1, Integer::sum);
            }
        }
        counts.forEach(
                (rate, count) -> out.println("Narrowest link " + rate + ": " + count + " pairs"));
    }
}
