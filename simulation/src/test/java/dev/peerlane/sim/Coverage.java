package dev.peerlane.sim;

import dev.peerlane.copy.BufferKind;
import dev.peerlane.emulator.model.Fault.Kind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Counts which fault happened in which phase, with the data in which memory. */
final class Coverage {
    /**
     * A combination to cover.
     *
     * @param kind the fault
     * @param phase the phase of the copy
     * @param buffer the memory that carries the data
     */
    record Cell(Kind kind, Phase phase, BufferKind buffer) {
        @Override
        public String toString() {
            return kind + " in " + phase + " through " + buffer.label();
        }
    }

    /** Cells that are impossible, each group with its reason. */
    private record Impossible(
            Set<Kind> kinds, Set<Phase> phases, Set<BufferKind> buffers, String reason) {
        boolean holds(Cell cell) {
            return kinds.contains(cell.kind())
                    && phases.contains(cell.phase())
                    && buffers.contains(cell.buffer());
        }
    }

    private static final Set<BufferKind> EVERY = EnumSet.allOf(BufferKind.class);
    private static final Set<Phase> MOVING = EnumSet.of(Phase.FILL, Phase.STEADY, Phase.DRAIN);

    /** Faults of writes to a peer's memory. */
    static final Set<Kind> PEER_WRITES =
            EnumSet.of(Kind.DROPPED_WRITE, Kind.DELAYED_WRITE, Kind.DUPLICATED_WRITE);

    /** Faults that no copy has: together with another fault they would void its promises. */
    static final Set<Kind> UNDRAWN = EnumSet.of(Kind.COMPARE_LIES, Kind.CMB_HOLE);

    private static final List<Impossible> TABLE =
            List.of(
                    new Impossible(
                            EnumSet.of(Kind.BAD_BLOCKS, Kind.LATE_DATA),
                            EnumSet.of(Phase.ATTACH, Phase.CLOSE),
                            EVERY,
                            "no command names blocks"),
                    new Impossible(
                            PEER_WRITES,
                            EnumSet.of(Phase.ATTACH, Phase.CLOSE),
                            EVERY,
                            "no data goes to a peer"),
                    new Impossible(
                            PEER_WRITES,
                            MOVING,
                            EnumSet.of(BufferKind.SOURCE_CMB, BufferKind.HOST),
                            "the source writes its own memory, or the host's"),
                    new Impossible(
                            UNDRAWN,
                            EnumSet.allOf(Phase.class),
                            EVERY,
                            "a wrong byte takes a second lie, and then nothing can find it"),
                    new Impossible(
                            EnumSet.of(Kind.MAPPING),
                            EnumSet.complementOf(EnumSet.of(Phase.ATTACH)),
                            EVERY,
                            "CMBs are mapped when they are enabled, which a restart keeps"));

    /** Cells that some worlds cover, though no seed is sure to. */
    private static final List<Impossible> BY_CHANCE =
            List.of(
                    new Impossible(
                            EnumSet.of(Kind.LATE_DATA),
                            EnumSet.of(Phase.DRAIN),
                            EnumSet.of(BufferKind.SOURCE_CMB, BufferKind.HOST),
                            "no sentinel is Read; the last Reads of data may still wait there"));

    private final Map<Cell, Integer> met = new LinkedHashMap<>();

    /** Returns the cells that must be covered, always in the same order. */
    static List<Cell> possible() {
        List<Cell> cells = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            for (Phase phase : Phase.values()) {
                for (BufferKind buffer : BufferKind.values()) {
                    Cell cell = new Cell(kind, phase, buffer);
                    if (reason(cell).isEmpty()
                            && BY_CHANCE.stream().noneMatch(c -> c.holds(cell))) {
                        cells.add(cell);
                    }
                }
            }
        }
        return List.copyOf(cells);
    }

    /** Returns why a cell can't be covered; empty if it can. */
    static String reason(Cell cell) {
        for (Impossible impossible : TABLE) {
            if (impossible.holds(cell)) {
                return impossible.reason();
            }
        }
        return "";
    }

    /** Adds the counts of another object. */
    void add(Coverage other) {
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

    /** Adds the cells that a seed has covered. */
    void add(Collection<Cell> cells) {
        cells.forEach(cell -> met.merge(cell, 1, Integer::sum));
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
            if (!reason(cell).isEmpty()) {
                problems.add(
                        "met, but listed as impossible (%s): %s".formatted(reason(cell), cell));
            }
        }
        return problems;
    }

    /** Returns a table with a row for each fault: how often it happened in each phase. */
    List<String> table() {
        List<String> lines = new ArrayList<>();
        StringBuilder head = new StringBuilder("%-22s".formatted("fault \\ phase"));
        for (Phase phase : Phase.values()) {
            head.append("%8s".formatted(phase));
        }
        lines.add(head.toString());
        for (Kind kind : Kind.values()) {
            StringBuilder line = new StringBuilder("%-22s".formatted(kind));
            for (Phase phase : Phase.values()) {
                int times =
                        met.entrySet().stream()
                                .filter(e -> e.getKey().kind() == kind)
                                .filter(e -> e.getKey().phase() == phase)
                                .mapToInt(Map.Entry::getValue)
                                .sum();
                line.append("%8s".formatted(times == 0 ? "-" : times));
            }
            lines.add(line.toString());
        }
        long reached = possible().stream().filter(met::containsKey).count();
        lines.add(
                "%d of %d cells (fault, phase, buffer) met".formatted(reached, possible().size()));
        return lines;
    }
}
