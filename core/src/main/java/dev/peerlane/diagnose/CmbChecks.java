package dev.peerlane.diagnose;

import dev.peerlane.pci.PciFunction;
import java.util.ArrayList;
import java.util.List;

/** What there is to say of the memory that would carry the data. */
final class CmbChecks {
    /** A page for data, and one for the fence beside it. */
    private static final long LEAST_BYTES = 8 << 10;

    private static final long KERNEL_PIECE_BYTES = 2 << 20;

    private CmbChecks() {}

    /**
     * Returns what is found.
     *
     * @param readsIntoIt whether the owner Reads into its own CMB
     * @param writesFromIt whether the owner Writes from its own CMB
     */
    static List<Finding> of(
            Snapshot snapshot, PciFunction owner, boolean readsIntoIt, boolean writesFromIt) {
        CmbFacts cmb = snapshot.cmb(owner.bdf());
        String at = "" + owner.bdf();
        if (cmb == null) {
            String driver = owner.details().driver();
            return List.of(
                    Finding.of(
                            Check.CMB_UNKNOWN,
                            at,
                            "driver of " + at + ": " + (driver == null ? "none" : driver),
                            "nothing that can be read without driving it tells of its CMB"));
        }
        if (cmb.sizeBytes() == 0) {
            return List.of(Finding.of(Check.CMB_ABSENT, at, cmb.read(), at + " has no CMB"));
        }
        List<Finding> out = new ArrayList<>();
        if (cmb.sizeBytes() < LEAST_BYTES) {
            String detail =
                    "it has %d bytes, and %d are the least".formatted(cmb.sizeBytes(), LEAST_BYTES);
            out.add(Finding.of(Check.CMB_SMALL, at, cmb.read(), detail));
        }
        if (readsIntoIt && !cmb.rds()) {
            out.add(Finding.of(Check.CMB_RDS, at, cmb.read(), "CMBSZ.RDS is 0 at " + at));
        }
        if (writesFromIt && !cmb.wds()) {
            out.add(Finding.of(Check.CMB_WDS, at, cmb.read(), "CMBSZ.WDS is 0 at " + at));
        }
        if ((cmb.sizeBytes() | cmb.offsetBytes()) % KERNEL_PIECE_BYTES != 0) {
            String detail =
                    "size %d and offset %d are not multiples of 2 MiB"
                            .formatted(cmb.sizeBytes(), cmb.offsetBytes());
            out.add(Finding.of(Check.CMB_ALIGNMENT, at, cmb.read(), detail));
        }
        return out;
    }

    /** Returns BARs of others that lie where this function's do, in whatever segment. */
    static List<Finding> collisions(Snapshot snapshot, PciFunction owner) {
        List<Finding> out = new ArrayList<>();
        for (PciFunction f : snapshot.machine().functions()) {
            if (f.bdf().equals(owner.bdf())) {
                continue;
            }
            for (PciFunction.BarWindow mine : owner.bars()) {
                f.bars().stream()
                        .filter(theirs -> overlap(mine, theirs))
                        .findFirst()
                        .ifPresent(theirs -> out.add(collision(owner, mine, f, theirs)));
            }
        }
        return out;
    }

    private static boolean overlap(PciFunction.BarWindow a, PciFunction.BarWindow b) {
        return Long.compareUnsigned(a.address(), b.address() + b.sizeBytes()) < 0
                && Long.compareUnsigned(b.address(), a.address() + a.sizeBytes()) < 0;
    }

    private static Finding collision(
            PciFunction owner,
            PciFunction.BarWindow mine,
            PciFunction other,
            PciFunction.BarWindow theirs) {
        return new Finding(
                Check.ADDRESSES,
                Check.ADDRESSES.severity(),
                "" + owner.bdf(),
                List.of(
                        "%s: BAR%d at 0x%x"
                                .formatted(
                                        Doctor.file(owner.bdf(), "resource"),
                                        mine.index(),
                                        mine.address()),
                        "%s: BAR%d at 0x%x"
                                .formatted(
                                        Doctor.file(other.bdf(), "resource"),
                                        theirs.index(),
                                        theirs.address())),
                "BARs of %s and %s overlap".formatted(owner.bdf(), other.bdf()),
                List.of(),
                List.of());
    }
}
