package dev.peerlane.diagnose;

import dev.peerlane.copy.planning.Carrier;
import dev.peerlane.copy.planning.Demand;
import dev.peerlane.copy.planning.Fitness;
import dev.peerlane.copy.planning.Party;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.sysfs.SysfsTree;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether peer-to-peer works on a machine, and explains why not. Whether a memory may carry
 * a copy, and which is best, is decided by {@link Fitness}, as for the plan of a copy. The further
 * findings, about the system and the two namespaces, decide whether a copy could begin at all.
 */
public final class Doctor {
    /** Largest number of controllers for which every pair is examined. */
    public static final int MAX_CONTROLLERS = 128;

    /** Checks whose findings binding a function to vfio-pci fixes. */
    private static final Set<Check> HELD = EnumSet.of(Check.DRIVER, Check.GROUP_NOT_VIABLE);

    private final Snapshot snapshot;

    private Doctor(Snapshot snapshot) {
        this.snapshot = snapshot;
    }

    /**
     * Examines a machine as a whole. The answer is go if data can move from at least one controller
     * to the memory of another. Their drivers are ignored.
     */
    public static Diagnosis examine(Snapshot snapshot) {
        return new Doctor(snapshot).machine();
    }

    /**
     * Examines a copy.
     *
     * @param snapshot the machine
     * @param source the controller that Reads its medium
     * @param target the controller that Writes its medium
     * @param buffer the memory that is to carry the data
     */
    public static Diagnosis examine(Snapshot snapshot, Bdf source, Bdf target, Buffer buffer) {
        return examine(snapshot, new Question(source, target, buffer));
    }

    /** Examines the copy in question. */
    public static Diagnosis examine(Snapshot snapshot, Question question) {
        return new Doctor(snapshot).copy(question);
    }

    /** Returns the fitness of one memory for the copy in question. */
    public static Fitness fitness(Snapshot snapshot, Question question, Bdf owner) {
        return new Doctor(snapshot).fitness(question, owner);
    }

    private Diagnosis machine() {
        List<Finding> findings = new ArrayList<>(HostChecks.of(snapshot));
        List<PciFunction> controllers = snapshot.machine().nvmeFunctions();
        if (snapshot.machine().functions().isEmpty()) {
            findings.add(nothingSeen());
        } else if (controllers.isEmpty()) {
            findings.add(
                    Finding.of(
                            Check.DEVICE_ABSENT,
                            "the system",
                            "/" + SysfsTree.DEVICES,
                            "there is no NVMe controller"));
        }
        List<PciFunction> looked =
                controllers.subList(0, Math.min(controllers.size(), MAX_CONTROLLERS));
        List<Finding> ofPairs = new ArrayList<>();
        List<Finding> ofDevices = new ArrayList<>();
        Set<Bdf> unusable = new HashSet<>();
        for (PciFunction f : looked) {
            List<Finding> itself = HostChecks.of(snapshot, List.of(f), f.bdf());
            if (itself.stream().anyMatch(Doctor::bars)) {
                unusable.add(f.bdf());
            }
            ofDevices.addAll(itself);
        }
        boolean any = looked.size() < 2;
        for (PciFunction from : looked) {
            for (PciFunction to : looked) {
                if (!from.equals(to) || looked.size() < 2) {
                    Question question = new Question(from.bdf(), to.bdf(), Buffer.TARGET);
                    List<Finding> found = found(fitness(question, to.bdf()));
                    found.addAll(ofSides(question));
                    any |= found.stream().noneMatch(Doctor::bars) && usable(unusable, from, to);
                    ofPairs.addAll(found);
                }
            }
        }
        any = any || otherwise(looked.stream().filter(f -> usable(unusable, f, f)).toList());
        ofPairs.addAll(ofDevices);
        for (Finding f : ofPairs) {
            boolean soft = (any && f.severity().blocks()) || HELD.contains(f.check());
            findings.add(soft ? f.as(Severity.WARNING) : f);
        }
        return new Diagnosis(null, null, null, List.of(), tidy(findings), List.of());
    }

    private static boolean usable(Set<Bdf> unusable, PciFunction one, PciFunction other) {
        return !unusable.contains(one.bdf()) && !unusable.contains(other.bdf());
    }

    /**
     * Returns whether there are two controllers between which data can move through the source's
     * memory or a third device's.
     */
    private boolean otherwise(List<PciFunction> looked) {
        for (PciFunction from : looked) {
            for (PciFunction owner : looked) {
                if (!leg(from.bdf(), owner.bdf(), Direction.WRITE).allowed()
                        || isNotSeen(owner, from)) {
                    continue;
                }
                for (PciFunction to : looked) {
                    if (from.equals(to) || !leg(to.bdf(), owner.bdf(), Direction.READ).allowed()) {
                        continue;
                    }
                    Question question = new Question(from.bdf(), to.bdf(), Buffer.AUTO);
                    Fitness fitness = fitness(question, owner.bdf());
                    if (fitness.fits()
                            && ofSides(question).isEmpty()
                            && found(fitness).stream().noneMatch(Doctor::bars)) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /** Returns whether the owner is a third device that is not known to have memory. */
    private boolean isNotSeen(PciFunction owner, PciFunction from) {
        return !owner.equals(from) && !hasMemory(owner);
    }

    private boolean hasMemory(PciFunction f) {
        CmbFacts cmb = snapshot.cmb(f.bdf());
        return cmb != null && cmb.sizeBytes() > 0;
    }

    /** Returns whether a finding rules a device out, whatever its driver is. */
    private static boolean bars(Finding f) {
        return f.severity().blocks() && !HELD.contains(f.check());
    }

    private Finding nothingSeen() {
        return Finding.of(
                Check.NO_SYSFS,
                snapshot.origin(),
                "/" + SysfsTree.DEVICES + " is empty or not there",
                "nothing is known of the devices of " + snapshot.origin());
    }

    private Diagnosis copy(Question question) {
        Bdf source = question.source();
        Bdf target = question.target();
        List<Finding> absent = new ArrayList<>();
        if (snapshot.machine().functions().isEmpty()) {
            absent.add(nothingSeen());
        } else {
            TreeSet<Bdf> named = new TreeSet<>(List.of(source, target));
            Bdf third = question.buffer().third();
            if (third != null) {
                named.add(third);
            }
            named.forEach(bdf -> require(bdf, absent));
        }
        if (!absent.isEmpty()) {
            absent.addAll(HostChecks.of(snapshot));
            return new Diagnosis(source, target, null, List.of(), tidy(absent), List.of());
        }
        List<Diagnosis> tried = new ArrayList<>();
        owners(question).stream()
                .map(owner -> fitness(question, owner))
                .sorted(Fitness.BEST_FIRST)
                .forEach(fitness -> tried.add(with(question, fitness)));
        if (tried.isEmpty()) {
            Finding none =
                    Finding.of(
                            Check.CMB_ABSENT,
                            "the system",
                            "/" + SysfsTree.DEVICES,
                            "there is no third NVMe controller");
            return new Diagnosis(source, target, null, List.of(), List.of(none), List.of());
        }
        Diagnosis best =
                tried.stream().filter(Diagnosis::isGo).findFirst().orElse(tried.getFirst());
        List<String> rejected = new ArrayList<>();
        for (Diagnosis each : tried) {
            if (!each.equals(best)) {
                each.findings().stream()
                        .filter(f -> f.severity().blocks())
                        .findFirst()
                        .ifPresent(f ->
                                rejected.add(
                                        "%s: %s (%s)"
                                                .formatted(label(each), f.detail(), f.code())));
            }
        }
        return new Diagnosis(source, target, best.owner(), best.legs(), best.findings(), rejected);
    }

    private static String label(Diagnosis d) {
        if (d.target() != null && d.target().equals(d.owner())) {
            return "CMB of the target";
        }
        return d.source() != null && d.source().equals(d.owner())
                ? "CMB of the source"
                : "CMB of " + d.owner();
    }

    private void require(Bdf bdf, List<Finding> absent) {
        PciFunction f = snapshot.machine().function(bdf).orElse(null);
        if (f == null) {
            absent.add(
                    Finding.of(
                            Check.DEVICE_ABSENT,
                            "" + bdf,
                            "/" + SysfsTree.directory(bdf) + " is not there",
                            "there is no function " + bdf));
        } else if (!f.isNvme()) {
            absent.add(
                    Finding.of(
                            Check.NOT_NVME,
                            "" + bdf,
                            "%s = 0x%06x"
                                    .formatted(FunctionPlaces.file(bdf, "class"), f.classCode()),
                            bdf + " is of class %06xh".formatted(f.classCode())));
        }
    }

    /** Returns the functions whose memory could carry the copy. */
    private List<Bdf> owners(Question question) {
        List<Bdf> sides = List.of(question.target(), question.source());
        List<Bdf> thirds =
                snapshot.machine().nvmeFunctions().stream()
                        .filter(f -> !sides.contains(f.bdf()) && hasMemory(f))
                        .map(PciFunction::bdf)
                        .limit(MAX_CONTROLLERS)
                        .toList();
        Bdf third = question.buffer().third();
        return switch (question.buffer().kind()) {
            case TARGET -> List.of(question.target());
            case SOURCE -> List.of(question.source());
            case THIRD -> third == null ? thirds : List.of(third);
            case AUTO -> Stream.concat(sides.stream(), thirds.stream()).distinct().toList();
        };
    }

    private Fitness fitness(Question q, Bdf owner) {
        Demand demand =
                new Demand(
                        party(q.source(), q.sourceNsid()),
                        party(q.target(), q.targetNsid()),
                        q.fence(),
                        0,
                        0);
        CmbFacts cmb = snapshot.cmb(owner);
        Carrier memory =
                cmb == null
                        ? Carrier.unknown(name(owner), owner)
                        : new Carrier(
                                name(owner),
                                owner,
                                cmb.freeBytes(),
                                cmb.rds(),
                                cmb.wds(),
                                cmb.loadsOvertakeWrites());
        return Fitness.of(snapshot.machine(), demand, memory);
    }

    /**
     * Returns one side of the copy. Its block size is known only if all namespaces in question have
     * the same one.
     */
    private Party party(Bdf bdf, @Nullable Integer nsid) {
        List<NamespaceFacts> meant =
                meant(bdf, nsid).stream().filter(n -> n.unusable() == null).toList();
        boolean alike = meant.stream().map(NamespaceFacts::blockBytes).distinct().count() == 1;
        boolean relaxed =
                snapshot.machine().function(bdf).map(PciFunction::relaxedOrdering).orElse(true);
        return new Party(
                name(bdf),
                bdf,
                alike ? meant.getFirst().blockBytes() : 0,
                alike ? meant.getFirst().maxTransferBytes() : 0,
                alike && meant.getFirst().canCompare(),
                (relaxed && !snapshot.isOpen()) ? null : relaxed);
    }

    private List<NamespaceFacts> meant(Bdf bdf, @Nullable Integer nsid) {
        return snapshot.namespaces().stream()
                .filter(n -> n.owner().equals(bdf) && (nsid == null || n.nsid() == nsid))
                .toList();
    }

    /**
     * Returns the findings that prevent reading the source or writing the target, whatever memory
     * is used.
     */
    private List<Finding> ofSides(Question q) {
        List<Finding> found = new ArrayList<>(ofSide(q.source(), q.sourceNsid(), Direction.READ));
        found.addAll(ofSide(q.target(), q.targetNsid(), Direction.WRITE));
        return found;
    }

    /**
     * Returns a side's findings: none if at least one of the namespaces in question can be used.
     */
    private List<Finding> ofSide(Bdf bdf, @Nullable Integer nsid, Direction direction) {
        List<NamespaceFacts> meant = meant(bdf, nsid);
        List<Finding> found = new ArrayList<>();
        for (NamespaceFacts n : meant) {
            String name = name(bdf) + "/n" + Integer.toUnsignedString(n.nsid());
            if (n.unusable() != null) {
                found.add(Finding.of(Check.NAMESPACE, name, "Identify Namespace", n.unusable()));
            } else if (direction == Direction.WRITE && n.readOnly() != null) {
                String detail = name + " cannot be written: " + n.readOnly();
                found.add(Finding.of(Check.WRITE_PROTECTED, name, "NSATTR, SMART log", detail));
            }
        }
        if (meant.isEmpty() && snapshot.isOpen() && snapshot.cmb(bdf) != null) {
            String which = nsid == null ? "" : " " + Integer.toUnsignedString(nsid);
            String detail = name(bdf) + " has no active namespace" + which;
            found.add(Finding.of(Check.NAMESPACE, name(bdf), "Active Namespace ID list", detail));
        }
        return found.size() >= meant.size() ? found : List.of();
    }

    private String name(Bdf bdf) {
        return snapshot.machine().function(bdf).map(PciFunction::name).orElse(bdf.toString());
    }

    private Diagnosis with(Question question, Fitness fitness) {
        Bdf source = question.source();
        Bdf target = question.target();
        Bdf owner = fitness.memory().owner();
        List<Finding> findings = new ArrayList<>(HostChecks.of(snapshot));
        List<PciFunction> members = new ArrayList<>();
        for (Bdf bdf : new TreeSet<>(List.of(source, target, owner))) {
            snapshot.machine().function(bdf).ifPresent(members::add);
        }
        findings.addAll(HostChecks.of(snapshot, members, owner));
        findings.addAll(ofSides(question));
        findings.addAll(found(fitness));
        return new Diagnosis(source, target, owner, legs(fitness), tidy(findings), List.of());
    }

    private static List<Diagnosis.Leg> legs(Fitness fitness) {
        return List.of(
                new Diagnosis.Leg(fitness.in(), Direction.WRITE),
                new Diagnosis.Leg(fitness.out(), Direction.READ));
    }

    /** Returns the findings on a memory and on the routes to it. */
    private List<Finding> found(Fitness fitness) {
        List<Finding> found = new ArrayList<>();
        legs(fitness).forEach(leg -> found.addAll(RouteChecks.of(snapshot, leg, fitness)));
        found.addAll(CmbChecks.of(snapshot, fitness, found));
        return found;
    }

    private Diagnosis.Leg leg(Bdf initiator, Bdf owner, Direction direction) {
        return new Diagnosis.Leg(Route.between(snapshot.machine(), initiator, owner), direction);
    }

    /**
     * Sorts findings so that those that block come first, and merges duplicates into the more
     * severe one.
     */
    private static List<Finding> tidy(List<Finding> findings) {
        Map<String, Finding> byKey = new LinkedHashMap<>();
        for (Finding f : findings) {
            String key = f.code() + " " + f.subject();
            @Nullable Finding known = byKey.get(key);
            if (known == null || f.severity().compareTo(known.severity()) < 0) {
                byKey.put(key, f);
            }
        }
        return byKey.values().stream().sorted(Comparator.comparing(Finding::severity)).toList();
    }
}
