package dev.peerlane.sim;

import dev.peerlane.copy.BufferKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Counts which features copies had, with the data in which memory. */
final class FeatureCoverage {
    /**
     * A combination to cover.
     *
     * @param feature a feature of a copy that has a plan
     * @param buffer the memory that carries the data
     */
    record Cell(Feature feature, BufferKind buffer) {
        @Override
        public String toString() {
            return feature + " through " + buffer.label();
        }
    }

    private final Map<Cell, Integer> met = new LinkedHashMap<>();

    /** Returns the cells that can be covered, always in the same order. */
    static List<Cell> possible() {
        List<Cell> cells = new ArrayList<>();
        for (Feature feature : Feature.values()) {
            for (BufferKind buffer : BufferKind.values()) {
                if (feature.reason(buffer).isEmpty()) {
                    cells.add(new Cell(feature, buffer));
                }
            }
        }
        return List.copyOf(cells);
    }

    /** Adds the cells that a seed has covered. */
    void add(Collection<Cell> cells) {
        cells.forEach(cell -> met.merge(cell, 1, Integer::sum));
    }

    /** Adds the counts of another object. */
    void add(FeatureCoverage other) {
        other.met.forEach((cell, times) -> met.merge(cell, times, Integer::sum));
    }

    /** Returns which of the possible cells were covered, by their position in the order. */
    BitSet met() {
        BitSet set = new BitSet();
        List<Cell> cells = possible();
        for (int i = 0; i < cells.size(); i++) {
            set.set(i, met.containsKey(cells.get(i)));
        }
        return set;
    }

    /**
     * Returns what is wrong: possible cells that were not covered, and impossible ones that were.
     */
    List<String> problems() {
        List<String> problems = new ArrayList<>();
        for (Cell cell : possible()) {
            if (!met.containsKey(cell)) {
                problems.add("never met: " + cell);
            }
        }
        for (Cell cell : met.keySet()) {
            String reason = cell.feature().reason(cell.buffer());
            if (!reason.isEmpty()) {
                problems.add("met, but listed as impossible (%s): %s".formatted(reason, cell));
            }
        }
        return problems;
    }

    /** Returns a table with a row for each feature: how often it occurred with each memory. */
    List<String> table() {
        List<String> lines = new ArrayList<>();
        StringBuilder head = new StringBuilder("%-22s".formatted("feature \\ buffer"));
        Arrays.stream(BufferKind.values())
                .forEach(buffer -> head.append("%16s".formatted(buffer.label())));
        lines.add(head.toString());
        for (Feature feature : Feature.values()) {
            StringBuilder line = new StringBuilder("%-22s".formatted(feature));
            for (BufferKind buffer : BufferKind.values()) {
                int times = met.getOrDefault(new Cell(feature, buffer), 0);
                line.append("%16s".formatted(times == 0 ? "-" : times));
            }
            lines.add(line.toString());
        }
        lines.add(
                "%d of %d cells (feature, buffer) met"
                        .formatted(met().cardinality(), possible().size()));
        return lines;
    }
}
