package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import java.util.List;

/** Something to do to a machine, which changes what the doctor found, or goes back. */
public sealed interface Action {
    /**
     * A line of the system: for a shell, or what to change on the kernel command line.
     *
     * @param text the line as it is typed
     */
    record Line(String text) implements Action {}

    /**
     * Binds functions to vfio-pci, with a look at who uses them.
     *
     * @param functions which ones, together
     */
    record Bind(List<Bdf> functions) implements Action {
        /** Keeps its own copy of the list. */
        public Bind {
            functions = List.copyOf(functions);
        }
    }

    /**
     * Gives functions back to the drivers that they had.
     *
     * @param functions which ones, together
     */
    record Unbind(List<Bdf> functions) implements Action {
        /** Keeps its own copy of the list. */
        public Unbind {
            functions = List.copyOf(functions);
        }
    }

    /**
     * Turns redirection off on the bridges between two functions, with a look at virtual machines
     * below them, and keeps the old values.
     *
     * @param one the one end of the route
     * @param other its other end
     */
    record DisableRedirect(Bdf one, Bdf other) implements Action {}

    /**
     * Sets the values that {@link DisableRedirect} of the same two functions has kept.
     *
     * @param one the one end of the route
     * @param other its other end
     */
    record RestoreRedirect(Bdf one, Bdf other) implements Action {}

    /** Returns lines of the system as actions. */
    static List<Action> lines(List<String> texts) {
        return texts.stream().<Action>map(Line::new).toList();
    }
}
