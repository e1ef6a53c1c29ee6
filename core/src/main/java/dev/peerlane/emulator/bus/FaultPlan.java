package dev.peerlane.emulator.bus;

import dev.peerlane.emulator.model.Fault;
import dev.peerlane.emulator.watch.BusWatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The planned faults of one drive or of host memory, and how many occasions each has had. */
public final class FaultPlan {
    private final List<Armed> armed = new ArrayList<>();
    private @Nullable BusWatch watch;

    /** A fault and its count of occasions. */
    private static final class Armed {
        private final Fault fault;
        private int seen;

        Armed(Fault fault) {
            this.fault = fault;
        }

        /** Counts an occasion; returns whether the fault happens now. */
        boolean count() {
            seen++;
            return seen >= fault.occasion() && seen - fault.occasion() < fault.times();
        }
    }

    /** Takes the faults of a drive, or those of host memory if the drive is null. */
    public FaultPlan(List<Fault> faults, @Nullable String drive) {
        for (Fault fault : faults) {
            if (Objects.equals(fault.drive(), drive)) {
                armed.add(new Armed(fault));
            }
        }
    }

    /** Sets the observer of faults; null for none. */
    public void watch(@Nullable BusWatch watcher) {
        watch = watcher;
    }

    /** Adds a fault, whose occasions are counted from now on. */
    public void arm(Fault fault) {
        armed.add(new Armed(fault));
    }

    /** Removes all faults. */
    public void disarm() {
        armed.clear();
    }

    /** Reports that a fault takes effect. */
    public void happens(Fault fault) {
        if (watch != null) {
            watch.happens(fault);
        }
    }

    /** Counts a command; returns the fault that happens to it, or null. */
    public @Nullable Fault command(boolean admin, int opcode) {
        Fault found = null;
        for (int i = 0; i < armed.size(); i++) {
            Fault fault = armed.get(i).fault;
            boolean counts =
                    Occasion.of(fault.kind()) == Occasion.COMMAND
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

    /** Counts an occasion that is not a command; returns the fault that happens, or null. */
    public @Nullable Fault next(Occasion occasion) {
        Fault found = null;
        for (int i = 0; i < armed.size(); i++) {
            if (Occasion.of(armed.get(i).fault.kind()) == occasion && armed.get(i).count()) {
                found = armed.get(i).fault;
                happens(found);
            }
        }
        return found;
    }

    /** Returns whether there is a fault with this occasion. */
    boolean has(Occasion occasion) {
        for (int i = 0; i < armed.size(); i++) {
            if (Occasion.of(armed.get(i).fault.kind()) == occasion) {
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
