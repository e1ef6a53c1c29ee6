package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.watch.BusWatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The faults of one drive or of the host's memory, and how often each had its occasion. */
public final class FaultPlan {
    private final List<Armed> armed = new ArrayList<>();
    private @Nullable BusWatch watch;

    /** One fault, and what it has seen. */
    private static final class Armed {
        private final Fault fault;
        private int seen;

        Armed(Fault fault) {
            this.fault = fault;
        }

        /** Counts an occasion; true if it happens now. */
        boolean count() {
            seen++;
            return seen >= fault.occasion() && seen - fault.occasion() < fault.times();
        }
    }

    /** Takes the faults of a drive, or with null those of the host's memory. */
    public FaultPlan(List<Fault> faults, @Nullable String drive) {
        for (Fault fault : faults) {
            if (Objects.equals(fault.drive(), drive)) {
                armed.add(new Armed(fault));
            }
        }
    }

    /** Sets the watcher of faults that happen; null for none. */
    public void watch(@Nullable BusWatch watcher) {
        watch = watcher;
    }

    /** Adds a fault, whose occasions count from now on. */
    public void arm(Fault fault) {
        armed.add(new Armed(fault));
    }

    /** Forgets all faults. */
    public void disarm() {
        armed.clear();
    }

    /** A fault takes effect. */
    public void happens(Fault fault) {
        if (watch != null) {
            watch.happens(fault);
        }
    }

    /** Counts a command; returns what happens to it. */
    public @Nullable Fault command(boolean admin, int opcode) {
        Fault found = null;
        for (int i = 0; i < armed.size(); i++) {
            Fault fault = armed.get(i).fault;
            boolean counts =
                    fault.kind().occasion() == Fault.Occasion.COMMAND
                            && (fault.opcode() == Fault.ANY_OPCODE || fault.opcode() == opcode)
                            && switch (fault.queue()) {
                                case ANY -> true;
                                case ADMIN -> admin;
                                case IO -> !admin;
                            };
            if (counts && armed.get(i).count()) {
                found = fault;
            }
        }
        return found;
    }

    /** Counts an occasion that is no command; returns what happens. */
    public @Nullable Fault next(Fault.Occasion occasion) {
        Fault found = null;
        for (int i = 0; i < armed.size(); i++) {
            if (armed.get(i).fault.kind().occasion() == occasion && armed.get(i).count()) {
                found = armed.get(i).fault;
                happens(found);
            }
        }
        return found;
    }

    /** Returns whether there is any fault of this occasion. */
    boolean has(Fault.Occasion occasion) {
        for (int i = 0; i < armed.size(); i++) {
            if (armed.get(i).fault.kind().occasion() == occasion) {
                return true;
            }
        }
        return false;
    }

    /** Returns the faults that have happened. */
    public List<Fault> happened() {
        return armed.stream().filter(a -> a.seen >= a.fault.occasion()).map(a -> a.fault).toList();
    }
}
