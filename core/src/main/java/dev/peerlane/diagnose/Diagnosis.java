package dev.peerlane.diagnose;

import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Route;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The doctor's answer.
 *
 * @param source where the data is, or null if the whole machine was examined
 * @param target where it is to go, or null
 * @param owner whose CMB would carry it, or null
 * @param legs the routes of the data: into the memory, out of it
 * @param findings the reasons, what blocks first
 * @param rejected why other memory was not taken, one line each
 */
public record Diagnosis(
        @Nullable Bdf source,
        @Nullable Bdf target,
        @Nullable Bdf owner,
        List<Leg> legs,
        List<Finding> findings,
        List<String> rejected) {
    /**
     * A route in one direction.
     *
     * @param route the verdicts on it
     * @param direction what the initiator does
     */
    public record Leg(Route route, Direction direction) {
        /** Returns whether it may be used. */
        public boolean allowed() {
            return route.verdict(direction).allowed();
        }
    }

    /** Keeps its own copies of the lists. */
    public Diagnosis {
        legs = List.copyOf(legs);
        findings = List.copyOf(findings);
        rejected = List.copyOf(rejected);
    }

    /** Returns whether peer-to-peer works here. */
    public boolean isGo() {
        return findings.stream().noneMatch(f -> f.severity().blocks());
    }

    /**
     * Returns the category of the error with which a copy would be refused here: MACHINE if machine
     * or device can't, REFUSED if the way is not permitted or not safe; null for a go.
     */
    public @Nullable Category against() {
        if (findings.stream().anyMatch(f -> f.severity() == Severity.CANNOT)) {
            return Category.MACHINE;
        }
        return isGo() ? null : Category.REFUSED;
    }

    /** Returns whether something was found. */
    public boolean has(Check check) {
        return findings.stream().anyMatch(f -> f.check() == check);
    }
}
