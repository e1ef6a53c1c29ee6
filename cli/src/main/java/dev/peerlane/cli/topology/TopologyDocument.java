package dev.peerlane.cli.topology;

import dev.peerlane.diagnose.Buffer;
import dev.peerlane.diagnose.CmbFacts;
import dev.peerlane.diagnose.Doctor;
import dev.peerlane.diagnose.Question;
import dev.peerlane.diagnose.Snapshot;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Link;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The JSON document of {@code topology}: the PCIe tree and its verdicts. */
record TopologyDocument(
        String schema,
        String origin,
        String rootComplex,
        List<Node> functions,
        List<Verdicts> routes,
        List<String> notes) {
    static final String SCHEMA = "peerlane.topology/1";

    /** A larger matrix would be unreadable. */
    static final int MAX_MATRIX = 64;

    /** One function. */
    record Node(
            String address,
            @Nullable String parent,
            String kind,
            @Nullable String name,
            String id,
            String classCode,
            @Nullable String link,
            @Nullable String bestLink,
            boolean linkBelowBest,
            @Nullable Integer numaNode,
            @Nullable Integer iommuGroup,
            @Nullable String driver,
            @Nullable String acs,
            boolean redirects,
            @Nullable Integer payloadBytes,
            @Nullable Boolean relaxedOrdering,
            boolean nvme,
            @Nullable Long cmbBytes) {
        String label() {
            return name == null ? address : name;
        }
    }

    /**
     * The verdicts from one initiator to one owner.
     *
     * @param writeUnfit doctor codes for why the owner's CMB can't carry a copy from the initiator
     *     to the owner
     * @param readUnfit doctor codes for why it can't carry a copy from the owner to the initiator
     */
    record Verdicts(
            String initiator,
            String owner,
            String write,
            boolean writeAllowed,
            String read,
            boolean readAllowed,
            boolean kernelAllows,
            int hops,
            long bytesPerSecond,
            @Nullable String narrowest,
            String reason,
            List<String> writeUnfit,
            List<String> readUnfit) {}

    static TopologyDocument of(Snapshot snapshot) {
        Machine machine = snapshot.machine();
        List<Node> nodes = new ArrayList<>();
        TreeSet<Bdf> shown = new TreeSet<>();
        for (PciFunction f : machine.functions()) {
            if (f.isBridge() || f.isNvme()) {
                shown.add(f.bdf());
                machine.bridgesAbove(f.bdf()).forEach(b -> shown.add(b.bdf()));
            }
        }
        for (PciFunction f : machine.functions()) {
            if (shown.contains(f.bdf())) {
                nodes.add(node(snapshot, f));
            }
        }
        List<String> notes = new ArrayList<>();
        if (machine.functions().isEmpty()) {
            notes.add(
                    "No PCI functions found: /sys/bus/pci/devices is empty or missing. Mount"
                            + " sysfs, or examine a capture with --from.");
        } else if (machine.nvmeFunctions().isEmpty()) {
            notes.add("There are no NVMe controllers.");
        }
        if (machine.functions().stream().anyMatch(TopologyDocument::isCutShort)) {
            notes.add(
                    "Configuration space is truncated: the effects of ACS, payload size and"
                            + " errors on a route are unknown. Run as root, or examine a capture"
                            + " that was made as root.");
        }
        int others = machine.functions().size() - nodes.size();
        if (others > 0) {
            notes.add(
                    others == 1
                            ? "1 other function is not shown."
                            : "%d other functions are not shown.".formatted(others));
        }
        List<PciFunction> drives = machine.nvmeFunctions();
        if (drives.size() > MAX_MATRIX) {
            notes.add("The matrix shows only the first %d controllers.".formatted(MAX_MATRIX));
            drives = drives.subList(0, MAX_MATRIX);
        }
        List<Verdicts> pairs = new ArrayList<>();
        for (PciFunction from : drives) {
            for (PciFunction to : drives) {
                pairs.add(pair(snapshot, from.bdf(), to.bdf()));
            }
        }
        String root =
                drives.size() < 2
                        ? machine.rootComplex().source()
                        : machine.rootComplexBetween(
                                        drives.getFirst().bdf(), drives.getLast().bdf())
                                .source();
        return new TopologyDocument(SCHEMA, snapshot.origin(), root, nodes, pairs, notes);
    }

    private static boolean isCutShort(PciFunction f) {
        Acs acs = f.acs();
        return acs != null && !acs.known();
    }

    private static Node node(Snapshot snapshot, PciFunction f) {
        Link link = f.link();
        Acs acs = f.acs();
        var d = f.details();
        CmbFacts cmb = snapshot.cmb(f.bdf());
        Bdf parent = f.parent();
        PciFunction above =
                parent == null ? null : snapshot.machine().function(parent).orElse(null);
        boolean upward =
                f.kind() == PciFunction.Kind.ENDPOINT
                        || f.kind() == PciFunction.Kind.SWITCH_UPSTREAM;
        Link best = link;
        if (link != null && upward && above != null && above.link() != null) {
            best = link.bestWith(above.link());
        }
        return new Node(
                f.bdf().toString(),
                parent == null ? null : parent.toString(),
                f.kind().name().toLowerCase(java.util.Locale.ROOT).replace('_', '-'),
                f.name(),
                "%04x:%04x".formatted(f.vendorId(), f.deviceId()),
                "%06x".formatted(f.classCode()),
                link == null ? null : link.now(),
                link == null || link.maxBytesPerSecond() == 0 ? null : link.best(),
                upward
                        && link != null
                        && best != null
                        && link.isUp()
                        && link.bytesPerSecond() < best.maxBytesPerSecond(),
                d.numaNode() < 0 ? null : d.numaNode(),
                d.iommuGroup() < 0 ? null : d.iommuGroup(),
                d.driver(),
                acs == null ? null : acs.words(),
                acs != null && acs.known() && acs.redirects(),
                d.payloadBytes() < 0 ? null : d.payloadBytes(),
                d.configBytes() <= 64 ? null : f.relaxedOrdering(),
                f.isNvme(),
                cmb == null ? null : cmb.sizeBytes());
    }

    private static List<String> unfit(Snapshot snapshot, Bdf source, Bdf target, Bdf owner) {
        Question question = new Question(source, target, Buffer.third(owner));
        return Doctor.fitness(snapshot, question, owner).against().stream()
                .map(reason -> reason.unfit().code())
                .distinct()
                .toList();
    }

    private static Verdicts pair(Snapshot snapshot, Bdf from, Bdf to) {
        Route r = Route.between(snapshot.machine(), from, to);
        PciFunction narrowest = r.narrowest();
        return new Verdicts(
                r.initiator().toString(),
                r.owner().toString(),
                name(r, Direction.WRITE),
                r.peerWrites().allowed(),
                name(r, Direction.READ),
                r.peerReads().allowed(),
                r.kernelAllows(),
                r.hops(),
                r.bytesPerSecond(),
                narrowest == null ? null : narrowest.bdf().toString(),
                r.reason(),
                unfit(snapshot, from, to, to),
                unfit(snapshot, to, from, to));
    }

    private static String name(Route r, Direction direction) {
        return r.verdict(direction).name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }

    /** Returns the functions directly below each address; those on root buses are below "". */
    Map<String, List<Node>> byParent() {
        Map<String, List<Node>> below = new HashMap<>();
        for (Node n : functions) {
            String parent = n.parent();
            below.computeIfAbsent(parent == null ? "" : parent, p -> new ArrayList<>()).add(n);
        }
        return below;
    }

    /** Returns the NVMe controllers of the matrix, in order. */
    List<Node> drives() {
        return functions.stream().filter(Node::nvme).limit(MAX_MATRIX).toList();
    }

    /** Returns the verdicts of a row and a column of the matrix. */
    Verdicts pair(int row, int column) {
        return routes.get(row * drives().size() + column);
    }
}
