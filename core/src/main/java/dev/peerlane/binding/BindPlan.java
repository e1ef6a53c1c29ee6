package dev.peerlane.binding;

import dev.peerlane.pci.Bdf;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A plan that moves functions from one driver to another, step by step.
 *
 * @param moves one for each function, in order
 * @param notes what a user should know first, one sentence each
 * @param allowed the refusals that the user overrode
 */
public record BindPlan(List<Move> moves, List<String> notes, Set<Allow> allowed) {
    /** A refusal that a user can override. */
    public enum Allow {
        /** A function that is no NVMe controller. */
        NOT_NVME,
        /** A drive that other controllers or hosts may use. */
        SHARED
    }

    /**
     * The steps for one function.
     *
     * @param bdf the function's address
     * @param from its current driver, or null
     * @param to its new driver, or null for none
     * @param override the current driver_override, or null
     * @param steps the steps in order; empty if the function has the new driver already
     */
    public record Move(
            Bdf bdf,
            @Nullable String from,
            @Nullable String to,
            @Nullable String override,
            List<Step> steps) {
        /** Copies the list. */
        public Move {
            steps = List.copyOf(steps);
        }
    }

    /** One change of the machine. */
    public sealed interface Step {}

    /**
     * Loads a kernel module.
     *
     * @param module the module's name
     */
    public record Load(String module) implements Step {
        @Override
        public String toString() {
            return "modprobe " + module;
        }
    }

    /**
     * Writes a file of sysfs.
     *
     * @param file the file
     * @param text the text without its newline; empty to clear the value
     */
    public record Write(Path file, String text) implements Step {
        @Override
        public String toString() {
            return "echo " + text + (text.isEmpty() ? "> " : " > ") + file;
        }

        /** Returns whether this step unbinds a function from its driver. */
        boolean releases() {
            return file.endsWith("driver/unbind");
        }
    }

    /** Copies the lists. */
    public BindPlan {
        moves = List.copyOf(moves);
        notes = List.copyOf(notes);
        allowed = Set.copyOf(allowed);
    }

    /** Returns each step as a shell command, for a person to read. */
    public List<String> lines() {
        return moves.stream().flatMap(m -> m.steps().stream()).map(Step::toString).toList();
    }
}
