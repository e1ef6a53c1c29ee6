package dev.peerlane.binding;

import dev.peerlane.pci.Bdf;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What will be done to move functions from one driver to another, step by step.
 *
 * @param moves one for each function, in order
 * @param notes what a user should know before, one sentence each
 * @param allowed what was said to be meant, though it is refused else
 */
public record BindPlan(List<Move> moves, List<String> notes, Set<Allow> allowed) {
    /** What is refused unless it is told. */
    public enum Allow {
        /** A function that is no NVMe controller. */
        NOT_NVME,
        /** A drive that other controllers or hosts may use. */
        SHARED
    }

    /**
     * One function's way.
     *
     * @param bdf the function
     * @param from the driver that has it now, or null
     * @param to the driver that is to have it, or null for none
     * @param override what driver_override says now, or null
     * @param steps what is done, in order; empty if it is there already
     */
    public record Move(
            Bdf bdf,
            @Nullable String from,
            @Nullable String to,
            @Nullable String override,
            List<Step> steps) {
        /** Keeps its own copy of the list. */
        public Move {
            steps = List.copyOf(steps);
        }
    }

    /** One change of the machine. */
    public sealed interface Step {}

    /**
     * A module is loaded.
     *
     * @param module its name
     */
    public record Load(String module) implements Step {
        @Override
        public String toString() {
            return "modprobe " + module;
        }
    }

    /**
     * A file of sysfs is written.
     *
     * @param file which
     * @param text what, without the newline; empty to take it back
     */
    public record Write(Path file, String text) implements Step {
        @Override
        public String toString() {
            return "echo " + text + (text.isEmpty() ? "> " : " > ") + file;
        }

        /** Returns whether this takes a function from its driver. */
        boolean releases() {
            return file.endsWith("driver/unbind");
        }
    }

    /** Keeps its own copies of the lists. */
    public BindPlan {
        moves = List.copyOf(moves);
        notes = List.copyOf(notes);
        allowed = Set.copyOf(allowed);
    }

    /** Returns every step as a shell command, for people. */
    public List<String> lines() {
        return moves.stream().flatMap(m -> m.steps().stream()).map(Step::toString).toList();
    }
}
