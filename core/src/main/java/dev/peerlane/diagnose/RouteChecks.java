package dev.peerlane.diagnose;

import dev.peerlane.copy.planning.Fitness;
import dev.peerlane.copy.planning.Oversize;
import dev.peerlane.copy.planning.Unfit;
import dev.peerlane.pci.Acs;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Cpu;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Link;
import dev.peerlane.pci.Machine;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.PciFunction.Kind;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.sysfs.SysfsTree;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/** Checks one leg of a copy. */
final class RouteChecks {
    private static final String ACS_CONTROL = "ECAP_ACS+6";
    private static final String DEVICE_CONTROL = "CAP_EXP+8";
    private static final String DPC_CONTROL = "ECAP_DPC+6";
    private static final int RELAXED_ORDERING = 0x10;

    private final Snapshot snapshot;
    private final Fitness fitness;
    private final Route route;
    private final Direction direction;
    private final PciFunction initiator;
    private final PciFunction owner;
    private final List<PciFunction> way;
    private final List<Finding> out = new ArrayList<>();

    private RouteChecks(
            Snapshot snapshot,
            Diagnosis.Leg leg,
            Fitness fitness,
            PciFunction initiator,
            PciFunction owner) {
        this.snapshot = snapshot;
        this.fitness = fitness;
        this.initiator = initiator;
        this.owner = owner;
        route = leg.route();
        direction = leg.direction();
        way = route.functions(snapshot.machine());
    }

    /** Returns the findings on a leg; none if one of its ends is missing. */
    static List<Finding> of(Snapshot snapshot, Diagnosis.Leg leg, Fitness fitness) {
        Optional<PciFunction> initiator = snapshot.machine().function(leg.route().initiator());
        Optional<PciFunction> owner = snapshot.machine().function(leg.route().owner());
        if (initiator.isEmpty() || owner.isEmpty()) {
            return List.of();
        }
        RouteChecks checks = new RouteChecks(snapshot, leg, fitness, initiator.get(), owner.get());
        if (!initiator.get().bdf().equals(owner.get().bdf())) {
            checks.run();
        }
        return checks.out;
    }

    private void run() {
        unread();
        redirects();
        stopped();
        rootComplex();
        payload();
        segments();
        links();
        relaxedOrdering();
        errors();
        shape();
    }

    private String config(PciFunction f, String register, int value) {
        return "%s %s = %04x".formatted(FunctionPlaces.config(snapshot, f.bdf()), register, value);
    }

    private void unread() {
        way.stream().filter(f -> f.details().asleep() != null).distinct().forEach(this::asleep);
        List<PciFunction> cut = way.stream().filter(f -> f.details().isCut()).toList();
        if (!cut.isEmpty()) {
            PciFunction first = cut.getFirst();
            String read =
                    "%s: %d bytes can be read"
                            .formatted(
                                    FunctionPlaces.config(snapshot, first.bdf()),
                                    first.details().configBytes());
            String all = cut.stream().map(f -> "" + f.bdf()).collect(Collectors.joining(", "));
            out.add(
                    Finding.of(
                            Check.CONFIG_CUT,
                            route.initiator() + " to " + route.owner(),
                            read,
                            "whether it works is unknown: run as root to look at " + all));
        }
    }

    private void asleep(PciFunction f) {
        String control = FunctionPlaces.file(f.bdf(), "power/control");
        String status = FunctionPlaces.file(f.bdf(), "power/runtime_status");
        Finding finding =
                Finding.of(
                        Check.SUSPENDED,
                        "" + f.bdf(),
                        status + ": " + f.details().asleep(),
                        "suspended: not read: " + f.bdf() + " is " + f.details().asleep());
        out.add(fixed(finding, "echo on > " + control, "echo auto > " + control));
    }

    private void redirects() {
        boolean allowed = route.verdict(direction).allowed();
        String root =
                snapshot.machine().rootComplexBetween(route.initiator(), route.owner()).source();
        for (PciFunction bridge : route.redirecting()) {
            Acs acs = Objects.requireNonNull(bridge.acs());
            if (bridge.details().asleep() != null) {
                continue; // reported already
            }
            if (!acs.known()) {
                String read =
                        "%s: %d bytes can be read"
                                .formatted(
                                        FunctionPlaces.config(snapshot, bridge.bdf()),
                                        bridge.details().configBytes());
                String detail = bridge.bdf() + " may redirect peer traffic; its ACS was not read";
                add(Finding.of(Check.ACS_UNREADABLE, "" + bridge.bdf(), read, detail), allowed);
                continue;
            }
            String detail =
                    "%s has %s set, so the traffic goes through the root complex: %s"
                            .formatted(bridge.bdf(), acs.redirectWords(), root);
            redirect(bridge, acs, Acs.REQUEST_REDIRECT, Check.ACS_REQUEST, detail, allowed);
            redirect(bridge, acs, Acs.COMPLETION_REDIRECT, Check.ACS_COMPLETION, detail, allowed);
            redirect(bridge, acs, Acs.EGRESS_CONTROL, Check.ACS_EGRESS, detail, allowed);
            if (acs.directTranslated()) {
                out.add(
                        Finding.of(
                                Check.ACS_TRANSLATED,
                                "" + bridge.bdf(),
                                config(bridge, ACS_CONTROL + ".w", acs.control()),
                                bridge.bdf() + " lets translated requests go straight"));
            }
        }
        paths();
        if (Boolean.TRUE.equals(initiator.details().ats())) {
            out.add(
                    Finding.of(
                            Check.ATS,
                            "" + initiator.bdf(),
                            FunctionPlaces.config(snapshot, initiator.bdf())
                                    + " ECAP_ATS+6.w bit 15 = 1",
                            initiator.bdf() + " may use translated addresses"));
        }
    }

    private void redirect(
            PciFunction bridge, Acs acs, int bit, Check check, String detail, boolean allowed) {
        if ((acs.control() & bit) == 0) {
            return;
        }
        String all =
                route.redirecting().stream()
                        .map(b -> b.bdf().toString())
                        .collect(Collectors.joining(";"));
        Finding finding =
                Finding.of(
                        check,
                        "" + bridge.bdf(),
                        config(bridge, ACS_CONTROL + ".w", acs.control()),
                        detail);
        Finding mended =
                fixed(
                        finding,
                        List.of(
                                disable(),
                                new Action.Line(
                                        "kernel command line: pci=disable_acs_redir=" + all)),
                        List.of(
                                restore(),
                                new Action.Line(
                                        "kernel command line: without pci=disable_acs_redir")));
        add(mended, allowed);
    }

    /**
     * Returns the action that turns redirection off after a check for virtual machines, and saves
     * the old values.
     */
    private Action disable() {
        return new Action.DisableRedirect(route.initiator(), route.owner());
    }

    private Action restore() {
        return new Action.RestoreRedirect(route.initiator(), route.owner());
    }

    private Finding fixed(Finding finding, String line, String undoLine) {
        return fixed(finding, List.of(new Action.Line(line)), List.of(new Action.Line(undoLine)));
    }

    /**
     * Adds actions to a finding on a machine. A finding on a fabric gets none, since its addresses
     * may belong to other devices of this machine.
     */
    private Finding fixed(Finding finding, List<Action> fix, List<Action> undo) {
        return snapshot.host() == null ? finding : finding.mendedBy(fix, undo);
    }

    private void add(Finding finding, boolean allowed) {
        out.add(allowed ? finding.as(Severity.WARNING) : finding);
    }

    /**
     * Checks for packets of one exchange that take different paths, because only some ports
     * redirect, or only requests or only completions are redirected.
     */
    private void paths() {
        List<PciFunction> ports =
                route.redirecting().isEmpty()
                        ? List.of()
                        : snapshot.machine().bridgesAbove(route.initiator()).stream()
                                .filter(b -> b.kind() == Kind.SWITCH_DOWNSTREAM)
                                .limit(1)
                                .collect(Collectors.toCollection(ArrayList::new));
        if (ports.isEmpty()) {
            return;
        }
        snapshot.machine().bridgesAbove(route.owner()).stream()
                .filter(b -> b.kind() == Kind.SWITCH_DOWNSTREAM)
                .findFirst()
                .ifPresent(ports::add);
        List<Integer> bits =
                ports.stream()
                        .map(p -> p.acs() == null ? 0 : p.acs().control() & Acs.REDIRECT_BITS)
                        .distinct()
                        .toList();
        int both = Acs.REQUEST_REDIRECT | Acs.COMPLETION_REDIRECT;
        boolean alike = bits.size() == 1 && ((bits.getFirst() & both) == both);
        if (!alike && ports.stream().allMatch(RouteChecks::isRead)) {
            Finding finding =
                    Finding.of(
                            Check.PATHS,
                            route.initiator() + " to " + route.owner(),
                            acsOf(ports),
                            "the ports of the two ends do not redirect alike");
            out.add(fixed(finding, List.of(disable()), List.of(restore())));
        }
    }

    private static boolean isRead(PciFunction port) {
        Acs acs = port.acs();
        return acs == null || acs.known();
    }

    private static String acsOf(List<PciFunction> ports) {
        return ports.stream()
                .map(p ->
                        "%s: ACS %s".formatted(p.bdf(), p.acs() == null ? "none" : p.acs().words()))
                .collect(Collectors.joining(", "));
    }

    /**
     * Checks for obstacles beyond Linux's rule: packets that are stopped, and successive packets
     * that take different paths.
     */
    private void stopped() {
        String pair = route.initiator() + " to " + route.owner();
        Route.Stop stop = route.stop(direction);
        if (stop != null) {
            Bdf port = stop.port().bdf();
            int bit = stop.bit();
            Acs acs = stop.port().acs();
            int now = acs == null ? 0 : acs.control() & bit;
            Finding finding = Finding.of(Check.ROUTE_STOPPED, pair, acsOf(way), stop.why());
            if (acs == null || (acs.capability() & bit) == 0) {
                out.add(finding); // no bit can be set to fix this
            } else if (now != 0 && (bit & Acs.REDIRECT_BITS) != 0) {
                out.add(fixed(finding, List.of(disable()), List.of(restore())));
            } else {
                String set = SetPci.word(port, ACS_CONTROL, now ^ bit, bit);
                String old = SetPci.word(port, ACS_CONTROL, now, bit);
                out.add(fixed(finding, set, old));
            }
        }
        if (route.splitsWrites()) {
            Finding finding =
                    Finding.of(Check.SECOND_WAY, pair, "the fabric's description", route.reason());
            boolean bars = direction == Direction.WRITE && fitness.has(Unfit.SECOND_WAY);
            out.add(bars ? finding : finding.as(Severity.WARNING));
        }
    }

    private void rootComplex() {
        if (route.stops(direction) || !route.crossesRoot() || !route.redirecting().isEmpty()) {
            return;
        }
        Cpu cpu = snapshot.machine().cpu();
        Optional<PciFunction> from = snapshot.machine().hostBridge(route.initiator());
        Optional<PciFunction> to = snapshot.machine().hostBridge(route.owner());
        String bridges = bridge(from) + ", " + bridge(to);
        String read = cpu == null ? bridges : "/proc/cpuinfo: " + cpu + "; " + bridges;
        String pair = route.initiator() + " to " + route.owner();
        boolean writesOnly =
                route.peerWrites().allowed() && !route.peerReads().allowed() && cpu != null;
        if (writesOnly) {
            Finding finding = Finding.of(Check.WRITES_ONLY, pair, read, route.reason());
            out.add(direction == Direction.WRITE ? finding : finding.as(Severity.REFUSED));
        } else if (!route.verdict(direction).allowed()) {
            boolean listed =
                    from.filter(Machine::isListed).isPresent()
                            && to.filter(Machine::isListed).isPresent();
            Check check = listed ? Check.HOST_BRIDGE_PAIR : Check.HOST_BRIDGE;
            out.add(Finding.of(check, pair, read, route.reason()));
        }
        int here = initiator.details().numaNode();
        int there = owner.details().numaNode();
        if (here >= 0 && there >= 0 && here != there) {
            out.add(
                    Finding.of(
                            Check.SOCKETS,
                            pair,
                            "%s = %d, %s = %d"
                                    .formatted(
                                            FunctionPlaces.file(initiator.bdf(), "numa_node"),
                                            here,
                                            FunctionPlaces.file(owner.bdf(), "numa_node"),
                                            there),
                            "the packets go from node %d to node %d".formatted(here, there)));
        }
    }

    private static String bridge(Optional<PciFunction> f) {
        return f.map(b ->
                        "host bridge %s [%04x:%04x]".formatted(b.bdf(), b.vendorId(), b.deviceId()))
                .orElse("no device stands for the host bridge");
    }

    private void payload() {
        Oversize oversize = Oversize.on(snapshot.machine(), route, direction);
        if (oversize == null) {
            return;
        }
        PciFunction sender = oversize.sender();
        Finding finding =
                new Finding(
                        Check.PAYLOAD,
                        Check.PAYLOAD.severity(),
                        "" + sender.bdf(),
                        List.of(payload(sender), payload(oversize.receiver())),
                        oversize.words(),
                        List.of(),
                        List.of());
        // not with setpci: a device whose payload is lowered fails at its port's first larger
        // packet
        out.add(
                fixed(
                        finding,
                        "kernel command line: pci=pcie_bus_peer2peer",
                        "kernel command line: without pci=pcie_bus_peer2peer"));
    }

    private String payload(PciFunction f) {
        return "%s %s.w bits 7:5: %d bytes"
                .formatted(
                        FunctionPlaces.config(snapshot, f.bdf()),
                        DEVICE_CONTROL,
                        f.details().payloadBytes());
    }

    private void segments() {
        if (initiator.bdf().segment() != owner.bdf().segment()) {
            out.add(
                    Finding.of(
                            Check.SEGMENTS,
                            route.initiator() + " to " + route.owner(),
                            "the domains of their addresses: %04x and %04x"
                                    .formatted(initiator.bdf().segment(), owner.bdf().segment()),
                            "they have no bridge in common"));
        }
        for (PciFunction f : List.of(initiator, owner)) {
            if (FunctionPlaces.isBehindVmd(f.bdf())) {
                out.add(
                        Finding.of(
                                Check.VMD,
                                "" + f.bdf(),
                                "/" + SysfsTree.directory(f.bdf()),
                                f.bdf() + " is in a domain that Intel VMD made"));
            }
        }
    }

    private void links() {
        for (PciFunction f : way) {
            Link link = f.link();
            boolean downLink = f.kind() == Kind.SWITCH_DOWNSTREAM || f.kind() == Kind.ROOT_PORT;
            PciFunction above =
                    f.parent() == null
                            ? null
                            : snapshot.machine().function(f.parent()).orElse(null);
            if (link == null || downLink || above == null || !way.contains(above)) {
                continue;
            }
            Link other = above.link();
            Link best = other == null ? link.bestWith(link) : link.bestWith(other);
            if (link.isUp() && link.bytesPerSecond() < best.bytesPerSecond()) {
                out.add(
                        Finding.of(
                                Check.LINK,
                                "" + f.bdf(),
                                "%s = %s, best of both ends %s"
                                        .formatted(
                                                FunctionPlaces.file(
                                                        f.bdf(), "current_link_{speed,width}"),
                                                link.now(),
                                                best.now()),
                                "%s carries %s, and could carry %s"
                                        .formatted(f.bdf(), link.now(), best.now())));
            }
        }
    }

    private void relaxedOrdering() {
        if (direction == Direction.WRITE && initiator.relaxedOrdering()) {
            Bdf sender = initiator.bdf();
            Finding finding =
                    Finding.of(
                            Check.RELAXED_ORDERING,
                            "" + sender,
                            FunctionPlaces.config(snapshot, sender) + " CAP_EXP+8.w bit 4 = 1",
                            sender + " may let its writes overtake each other");
            int bit = RELAXED_ORDERING;
            boolean bars = fitness.has(Unfit.RELAXED_ORDERING);
            out.add(
                    fixed(
                            bars ? finding.as(Severity.CANNOT) : finding,
                            SetPci.word(sender, DEVICE_CONTROL, 0, bit),
                            SetPci.word(sender, DEVICE_CONTROL, bit, bit)));
        }
    }

    private void errors() {
        for (PciFunction f : way) {
            var details = f.details();
            if (details.hasErrors()) {
                out.add(
                        Finding.of(
                                Check.ERRORS,
                                "" + f.bdf(),
                                "%s: TOTAL_ERR sum %d; ECAP_AER+4.l = %s, +10.l = %s"
                                        .formatted(
                                                FunctionPlaces.file(f.bdf(), "aer_dev_*"),
                                                Math.max(details.errorTotal(), 0),
                                                status(details.uncorrectable()),
                                                status(details.correctable())),
                                f.bdf() + " has errors on record"));
            }
            if (details.isContained()) {
                out.add(
                        Finding.of(
                                Check.DPC_TRIGGERED,
                                "" + f.bdf(),
                                config(f, "ECAP_DPC+8.w", details.dpcStatus()),
                                f.bdf() + " holds its link down"));
            }
            if (details.containsErrors()) {
                out.add(
                        Finding.of(
                                Check.DPC_ARMED,
                                "" + f.bdf(),
                                config(f, DPC_CONTROL + ".w", details.dpcControl()),
                                f.bdf() + " takes its link down at an error"));
            }
        }
    }

    private static String status(int raw) {
        return raw == -1 ? "not read" : "%08x".formatted(raw);
    }

    private void shape() {
        List<PciFunction> switches =
                route.bridges().stream()
                        .filter(b -> b.kind() == Kind.SWITCH_UPSTREAM)
                        .distinct()
                        .toList();
        if (switches.size() > 1) {
            String all =
                    switches.stream()
                            .map(b -> b.bdf().toString())
                            .collect(Collectors.joining(", "));
            out.add(
                    Finding.of(
                            Check.SWITCHES,
                            route.initiator() + " to " + route.owner(),
                            "upstream ports on the way: " + all,
                            "the packets cross %d switches".formatted(switches.size())));
        }
    }
}
