package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import dev.peerlane.pci.Route;
import dev.peerlane.pci.SysfsTree;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Says whether peer-to-peer works on a machine, and why not. The verdicts on routes are {@link
 * Route}'s, the same that a copy is planned with.
 */
public final class Doctor {
    /** The most controllers of which every pair is looked at. */
    public static final int MAX_CONTROLLERS = 128;

    private static final int VMD_SEGMENT = 0x10000;

    /** What 'peerlane bind' mends. */
    private static final Set<Check> HELD = EnumSet.of(Check.DRIVER, Check.GROUP_NOT_VIABLE);

    private final Snapshot snapshot;

    private Doctor(Snapshot snapshot) {
        this.snapshot = snapshot;
    }

    /**
     * Examines a machine as a whole: go, if data can go from any controller to the memory of any
     * other. Which driver holds them is left aside.
     */
    public static Diagnosis examine(Snapshot snapshot) {
        return new Doctor(snapshot).machine();
    }

    /**
     * Examines a copy.
     *
     * @param snapshot the machine
     * @param source who Reads
     * @param target who Writes
     * @param buffer whose memory is to carry the data
     */
    public static Diagnosis examine(Snapshot snapshot, Bdf source, Bdf target, Buffer buffer) {
        return new Doctor(snapshot).copy(source, target, buffer);
    }

    /** Returns where the configuration space of a function was read, for a person. */
    static String config(Snapshot snapshot, Bdf bdf) {
        return snapshot.host() == null ? "configuration space of " + bdf : file(bdf, "config");
    }

    /** Returns the path of a file of a function. */
    static String file(Bdf bdf, String name) {
        return "/" + SysfsTree.directory(bdf) + "/" + name;
    }

    /** Returns whether a function is in a domain that Intel VMD makes: those past 16 bits. */
    static boolean isBehindVmd(Bdf bdf) {
        return Integer.compareUnsigned(bdf.segment(), VMD_SEGMENT) >= 0;
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
        Set<Bdf> unsuited = new HashSet<>();
        for (PciFunction f : looked) {
            List<Finding> itself = HostChecks.of(snapshot, List.of(f), f.bdf());
            List<Finding> memory = new ArrayList<>(CmbChecks.collisions(snapshot, f));
            memory.addAll(CmbChecks.of(snapshot, f, false, true));
            if (itself.stream().anyMatch(Doctor::bars)) {
                unusable.add(f.bdf());
            }
            if (memory.stream().anyMatch(m -> m.severity().blocks())) {
                unsuited.add(f.bdf());
            }
            ofDevices.addAll(memory);
            ofDevices.addAll(itself);
        }
        boolean any = looked.size() < 2;
        for (PciFunction from : looked) {
            for (PciFunction to : looked) {
                if (!from.equals(to)) {
                    Diagnosis.Leg leg = leg(from.bdf(), to.bdf(), true);
                    List<Finding> found = RouteChecks.of(snapshot, leg);
                    any |=
                            leg.allowed()
                                    && !unusable.contains(from.bdf())
                                    && !unusable.contains(to.bdf())
                                    && !unsuited.contains(to.bdf())
                                    && found.stream().noneMatch(f -> f.severity().blocks());
                    ofPairs.addAll(found);
                }
            }
        }
        ofPairs.addAll(ofDevices);
        for (Finding f : ofPairs) {
            boolean soft = (any && f.severity().blocks()) || HELD.contains(f.check());
            findings.add(soft ? f.as(Severity.WARNING) : f);
        }
        return new Diagnosis(null, null, null, List.of(), tidy(findings), List.of());
    }

    /** Whether a finding keeps a device out, whoever holds it. */
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

    private Diagnosis copy(Bdf source, Bdf target, Buffer buffer) {
        List<Finding> absent = new ArrayList<>();
        if (snapshot.machine().functions().isEmpty()) {
            absent.add(nothingSeen());
        } else {
            TreeSet<Bdf> named = new TreeSet<>(List.of(source, target));
            Bdf third = buffer.third();
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
        for (Bdf owner : owners(source, target, buffer)) {
            tried.add(with(source, target, owner));
        }
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
                            "%s = 0x%06x".formatted(file(bdf, "class"), f.classCode()),
                            bdf + " is of class %06xh".formatted(f.classCode())));
        }
    }

    /** Whose memory may carry it, in the order of a copy's plan. */
    private List<Bdf> owners(Bdf source, Bdf target, Buffer buffer) {
        List<Bdf> thirds = new ArrayList<>();
        for (PciFunction f : snapshot.machine().nvmeFunctions()) {
            CmbFacts cmb = snapshot.cmb(f.bdf());
            boolean itself = f.bdf().equals(source) || f.bdf().equals(target);
            if (!itself && cmb != null && cmb.sizeBytes() > 0 && thirds.size() < MAX_CONTROLLERS) {
                thirds.add(f.bdf());
            }
        }
        Bdf third = buffer.third();
        return switch (buffer.kind()) {
            case TARGET -> List.of(target);
            case SOURCE -> List.of(source);
            case THIRD -> third == null ? thirds : List.of(third);
            case AUTO -> {
                List<Bdf> all = new ArrayList<>(List.of(target, source));
                all.addAll(thirds);
                yield all;
            }
        };
    }

    private Diagnosis with(Bdf source, Bdf target, Bdf owner) {
        List<Finding> findings = new ArrayList<>(HostChecks.of(snapshot));
        List<PciFunction> members = new ArrayList<>();
        for (Bdf bdf : new TreeSet<>(List.of(source, target, owner))) {
            snapshot.machine().function(bdf).ifPresent(members::add);
        }
        findings.addAll(HostChecks.of(snapshot, members, owner));
        List<Diagnosis.Leg> legs = List.of(leg(source, owner, true), leg(target, owner, false));
        legs.forEach(leg -> findings.addAll(RouteChecks.of(snapshot, leg)));
        PciFunction memory = snapshot.machine().function(owner).orElseThrow();
        findings.addAll(CmbChecks.collisions(snapshot, memory));
        findings.addAll(CmbChecks.of(snapshot, memory, owner.equals(source), owner.equals(target)));
        return new Diagnosis(source, target, owner, legs, tidy(findings), List.of());
    }

    private Diagnosis.Leg leg(Bdf initiator, Bdf owner, boolean write) {
        return new Diagnosis.Leg(Route.between(snapshot.machine(), initiator, owner), write);
    }

    /** What blocks first; what was found twice once, as the worse of the two. */
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
