package dev.peerlane.diagnose;

import dev.peerlane.PeerlaneException;
import dev.peerlane.copy.planning.Fitness;
import dev.peerlane.copy.planning.Overlap;
import dev.peerlane.copy.planning.Unfit;
import dev.peerlane.pci.Bdf;
import dev.peerlane.pci.PciFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Checks the memory that would carry the data. */
final class CmbChecks {
    private static final long KERNEL_PIECE_BYTES = 2 << 20;

    private CmbChecks() {}

    /**
     * Returns the findings: those of {@link Fitness}, and further notes about the memory.
     *
     * @param found the findings on the legs, which explain a missing route
     */
    static List<Finding> of(Snapshot snapshot, Fitness fitness, List<Finding> found) {
        Bdf owner = fitness.memory().owner();
        String at = "" + owner;
        CmbFacts cmb = snapshot.cmb(owner);
        List<Finding> out = new ArrayList<>();
        Overlap.of(snapshot.machine(), owner).forEach(o -> out.add(collision(o)));
        if (cmb == null) {
            out.add(unknown(snapshot, owner));
        }
        for (Fitness.Reason reason : fitness.against()) {
            Check check = Check.of(reason.unfit());
            boolean said =
                    Stream.concat(found.stream(), out.stream())
                            .filter(f -> f.severity().blocks())
                            .anyMatch(f ->
                                    f.check() == check
                                            || (reason.unfit() == Unfit.ROUTE
                                                    && f.check().isOfARoute()));
            if (!said) {
                out.add(finding(check, reason, fitness, cmb));
            }
        }
        if (cmb == null || cmb.sizeBytes() == 0) {
            return out;
        }
        for (String unknown : fitness.unknown()) {
            out.add(Finding.of(Check.CMB_FIT_UNKNOWN, at, cmb.read(), unknown));
        }
        if ((cmb.sizeBytes() | cmb.offsetBytes()) % KERNEL_PIECE_BYTES != 0) {
            String detail =
                    "size %d and offset %d are not multiples of 2 MiB"
                            .formatted(cmb.sizeBytes(), cmb.offsetBytes());
            out.add(Finding.of(Check.CMB_ALIGNMENT, at, cmb.read(), detail));
        }
        return out;
    }

    private static Finding unknown(Snapshot snapshot, Bdf owner) {
        String driver =
                snapshot.machine().function(owner).map(f -> f.details().driver()).orElse(null);
        return Finding.of(
                Check.CMB_UNKNOWN,
                "" + owner,
                "driver of " + owner + ": " + (driver == null ? "none" : driver),
                "nothing that can be read without driving it describes its CMB");
    }

    private static Finding finding(
            Check check, Fitness.Reason reason, Fitness fitness, @Nullable CmbFacts cmb) {
        String pair = fitness.in().initiator() + " to " + fitness.in().owner();
        String at =
                switch (reason.unfit()) {
                    case ABSENT, NO_WDS, NO_RDS, SMALL, ADDRESSES -> "" + fitness.memory().owner();
                    case ROUTE, UNREAD, ASLEEP, CONTAINED, PAYLOAD, SECOND_WAY, READBACK -> pair;
                    case RELAXED_ORDERING -> "" + fitness.in().initiator();
                    case BLOCKS -> fitness.in().initiator() + " to " + fitness.out().initiator();
                };
        Severity severity =
                reason.unfit().category() == PeerlaneException.Category.REFUSED
                        ? Severity.REFUSED
                        : Severity.CANNOT;
        String read = cmb == null ? fitness.in().reason() : cmb.read();
        return Finding.of(check, at, read, reason.words()).as(severity);
    }

    private static Finding collision(Overlap o) {
        return new Finding(
                Check.ADDRESSES,
                Check.ADDRESSES.severity(),
                "" + o.owner().bdf(),
                List.of(bar(o.owner(), o.mine()), bar(o.other(), o.theirs())),
                o.words(),
                List.of(),
                List.of());
    }

    private static String bar(PciFunction f, PciFunction.BarWindow bar) {
        return "%s: BAR%d at 0x%x"
                .formatted(FunctionPlaces.file(f.bdf(), "resource"), bar.index(), bar.address());
    }
}
