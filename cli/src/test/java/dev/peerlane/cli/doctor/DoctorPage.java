package dev.peerlane.cli.doctor;

import dev.peerlane.diagnose.Check;

/** Writes docs/doctor.md from the table of checks and its cures. */
final class DoctorPage {
    private static final String HEAD =
            """
            # What the doctor says

            `peerlane doctor` looks at a machine and answers go or no-go, with the reasons. `peerlane
            doctor SOURCE TARGET` asks about one copy. Each reason has a code, which stays the same
            from release to release. This page is written from the program's own table.

            | exit status | meaning |
            |---|---|
            | 0 | go |
            | 2 | no-go: the machine or a device can't |
            | 3 | no-go: it would be refused, since the route is not permitted or not safe |

            A finding is one of: **cannot** and **refused** (no-go), **warning** (it works, but look at
            this), **note**. Where a way around exists, what is marked as refused here is a warning.

            Whether a memory may carry the data is the same rule that a copy is planned with: what is no-go
            here with `--buffer NAME` is refused by `copy --buffer NAME` with the same code at the end of
            its message, and the memory of a go is the one that `copy --dry-run` takes. Of a capture, or
            of a machine whose drives nobody opened, sizes and blocks may be unknown; then that is said.
            For a pair, a line tells the answer for the other direction too.

            Lines for `setpci` write under a mask (`value:mask`), so they change the named bits only;
            they last until the next reset of the port or the machine. Kernel parameters last. A change
            at run time does not change IOMMU groups that the kernel has computed: vfio then promises an
            isolation that is gone.
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
