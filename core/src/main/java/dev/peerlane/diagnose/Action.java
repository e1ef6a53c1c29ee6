package dev.peerlane.diagnose;

import dev.peerlane.pci.Bdf;
import java.util.List;

/** An action on a machine that fixes a finding of the doctor, or undoes such a fix. */
public sealed interface Action {
    /**
     * A command for a shell, or a change to the kernel command line.
     *
     * @param text the line to type
     */
    record Line(String text) implements Action {}

    /**
     * Binds functions to vfio-pci, after a check for users.
     *
     * @param functions the functions, bound together
     */
    record Bind(List<Bdf> functions) implements Action {
        /** Copies the list. */
        public Bind {
            functions = List.copyOf(functions);
        }
    }

    /**
     * Gives functions back to the drivers that they had.
     *
     * @param functions the functions, bound together
     */
    record Unbind(List<Bdf> functions) implements Action {
        /** Copies the list. */
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
