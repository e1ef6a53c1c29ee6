package dev.peerlane.diagnose;

import dev.peerlane.PeerlaneException.Category;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.Direction;
import dev.peerlane.pci.Route;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The doctor's answer: go or no-go, with the reasons.
 *
 * @param source the source, or null if the whole machine was examined
 * @param target the target, or null
 * @param owner the owner of the CMB that would carry the data, or null
 * @param legs the routes of the data: into the memory, and out of it
 * @param findings the reasons; those that block come first
 * @param rejected why other memory was not chosen, one line each
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
     * @param route the route with its verdicts
     * @param direction what the initiator does
     */
    public record Leg(Route route, Direction direction) {
        /** Returns whether the route permits this direction. */
        public boolean allowed() {
            return route.verdict(direction).allowed();
        }
    }

    /** Copies the lists. */
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
     * Returns the category of the error that a copy would end with: MACHINE if the machine or a
     * device can't do it, REFUSED if the route is not permitted or not safe, null for a go.
     */
    public @Nullable Category against() {
        if (findings.stream().anyMatch(f -> f.severity() == Severity.CANNOT)) {
            return Category.MACHINE;
        }
        return isGo() ? null : Category.REFUSED;
    }

    /** Returns whether a check has a finding. */
    public boolean has(Check check) {
        return findings.stream().anyMatch(f -> f.check() == check);
    }
}
