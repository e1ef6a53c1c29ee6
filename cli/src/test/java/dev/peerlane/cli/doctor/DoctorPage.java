package dev.peerlane.cli.doctor;

import dev.peerlane.diagnose.Check;

/** Writes docs/doctor.md from the table of checks and its cures. */
final class DoctorPage {
    private static final String HEAD =
            """
            # What the doctor says

            `peerlane doctor` examines a machine and answers go or no-go, with the reasons. `peerlane
            doctor SOURCE TARGET` asks about one copy. Each reason has a code, which stays the same
            across releases. This page lists every code for people who have met one. A program writes
            it from the doctor's own table.

            | exit status | meaning |
            |---|---|
            | 0 | go |
            | 2 | no-go: the machine or a device can't do it |
            | 3 | no-go: the copy would be refused, because the route is not permitted or not safe |

            A finding is one of: **cannot** and **refused** (no-go), **warning** (it works, but examine
            this), **note**. If there is a way around it, a finding that is marked as refused here is
            reported as a warning.

            The doctor decides with the planner's rule whether a memory may carry the data. If it
            answers no-go with `--buffer NAME`, `copy --buffer NAME` is refused, and its message ends
            with the same code. If it answers go, it names the memory that `copy --dry-run` takes. For a
            capture, or for a machine whose drives nobody has opened, sizes and blocks may be unknown;
            the doctor then says so. For a pair, one line gives the answer for the other direction too.

            `setpci` lines write under a mask (`value:mask`), so they change only the named bits. They
            last until the next reset of the port or the machine; kernel parameters persist. A change
            at run time does not change the IOMMU groups that the kernel has computed, so vfio then
            promises an isolation that no longer exists.
            """;

    private DoctorPage() {}

    /** Returns the page. */
    static String page() {
        StringBuilder page = new StringBuilder(HEAD);
        page.append("\n| code | severity | |\n|---|---|---|\n");
        for (Check check : Check.values()) {
            page.append(
                    "| [`%s`](#%s) | %s | %s |\n"
                            .formatted(check.code(), check.code(), severity(check), check.title()));
        }
        for (Check check : Check.values()) {
            page.append(
                    """

                    ## %s

                    %s (%s). %s

                    * Cure: %s
                    * Undo: %s
                    """
                            .formatted(
                                    check.code(),
                                    check.title(),
                                    severity(check),
                                    check.meaning(),
                                    Cures.cure(check),
                                    Cures.undo(check)));
        }
        return page.toString();
    }

    private static String severity(Check check) {
        return check.severity().name().toLowerCase(java.util.Locale.ROOT);
    }
}
