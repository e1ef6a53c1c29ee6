package dev.peerlane.nvme;

import dev.peerlane.PeerlaneException;
import org.jspecify.annotations.Nullable;

/**
 * A controller that is gone, has failed, does not answer, or sent an invalid answer. The message
 * has the locator, what was expected and what was read.
 *
 * <p>Codes: {@code controller-gone}, {@code controller-fatal}, {@code controller-not-ready}, {@code
 * controller-unsupported}, {@code controller-nonsense}, {@code controller-timeout}, {@code
 * controller-reset}, {@code controller-stopped}, {@code controller-stuck}, {@code cmb-refused},
 * {@code cmb-not-wiped}.
 */
public final class ControllerFault extends PeerlaneException {
    private static final long serialVersionUID = 1L;

    /** The kinds of faults, each with a code and a category. */
    enum Kind {
        GONE(Category.IO, "controller-gone"),
        FATAL(Category.IO, "controller-fatal"),
        NOT_READY(Category.IO, "controller-not-ready"),
        UNSUPPORTED(Category.MACHINE, "controller-unsupported"),
        NONSENSE(Category.IO, "controller-nonsense"),
        TIMEOUT(Category.IO, "controller-timeout"),
        RESET_BY_OTHERS(Category.IO, "controller-reset"),
        STOPPED(Category.IO, "controller-stopped"),
        STUCK(Category.IO, "controller-stuck"),
        CMB_REFUSED(Category.MACHINE, "cmb-refused"),
        CMB_NOT_WIPED(Category.IO, "cmb-not-wiped");

        private final Category category;
        private final String code;

        Kind(Category category, String code) {
            this.category = category;
            this.code = code;
        }
    }

    private final Kind kind;
    private final String locator;
    private boolean told;

    ControllerFault(
            Kind kind, String locator, String what, String remedy, @Nullable Throwable cause) {
        super(kind.category, kind.code, locator + ": " + what, remedy, cause);
        this.kind = kind;
        this.locator = locator;
    }

    /** Returns the kind of the fault. */
    Kind kind() {
        return kind;
    }

    /** Returns the user's name for the controller. */
    public String locator() {
        return locator;
    }

    /**
     * Marks the fault as reported already: the driver itself caused it, so it is not an incident.
     */
    private ControllerFault expected() {
        told = true;
        return this;
    }

    /**
     * Returns whether the fault is an incident that was not reported yet, and marks it as reported.
     */
    boolean isNews() {
        boolean news = !told;
        told = true;
        return news;
    }

    /**
     * Creates the fault for registers that read as all ones: the device is unplugged, powered off,
     * or its link is down.
     */
    static ControllerFault gone(String locator, String when) {
        return new ControllerFault(
                Kind.GONE,
                locator,
                "the controller is gone: registers read FFFFFFFFh " + when,
                "check the device, its power and its link; the system log may name the cause",
                null);
    }

    /** Creates the fault for CSTS.CFS = 1. */
    static ControllerFault fatal(String locator, int csts, String when) {
        return new ControllerFault(
                Kind.FATAL,
                locator,
                "the controller reports a fatal error: CSTS %08Xh %s".formatted(csts, when),
                "reset it; if that does not help, power it off and on",
                null);
    }

    /** Creates the fault for a CSTS.RDY that went from 1 to 0 without the driver's doing. */
    static ControllerFault resetByOthers(String locator, int csts, String when) {
        return new ControllerFault(
                Kind.RESET_BY_OTHERS,
                locator,
                "somebody else reset or disabled the controller: CSTS %08Xh %s"
                        .formatted(csts, when),
                "find the cause: another program, or the kernel's error recovery; then try again",
                null);
    }

    static ControllerFault notReady(String locator, int csts, boolean wanted, long timeoutNanos) {
        return new ControllerFault(
                Kind.NOT_READY,
                locator,
                "CSTS.RDY did not become %d within %d ms: CSTS %08Xh"
                        .formatted(wanted ? 1 : 0, timeoutNanos / 1_000_000, csts),
                "reset the function or power it off and on",
                null);
    }

    static ControllerFault unsupported(String locator, String what, String remedy) {
        return new ControllerFault(Kind.UNSUPPORTED, locator, what, remedy, null);
    }

    static ControllerFault nonsense(String locator, String what) {
        return new ControllerFault(
                Kind.NONSENSE,
                locator,
                what,
                "reset the controller and look for newer firmware; what it says can't be trusted",
                null);
    }

    static ControllerFault timeout(String locator, String what, long timeoutNanos) {
        return new ControllerFault(
                Kind.TIMEOUT,
                locator,
                "%s was not answered within %d ms".formatted(what, timeoutNanos / 1_000_000),
                "reset the controller; its error log may say more",
                null);
    }

    static ControllerFault stopped(String locator, String why) {
        return new ControllerFault(
                        Kind.STOPPED,
                        locator,
                        "the controller takes no commands: " + why,
                        "reset the controller or open it again",
                        null)
                .expected();
    }

    static ControllerFault stuck(String locator, String what, @Nullable Throwable cause) {
        return new ControllerFault(
                Kind.STUCK,
                locator,
                what,
                "power the device off; its queue memory stays allocated until this process ends",
                cause);
    }

    static ControllerFault cmbRefused(String locator, String what, String remedy) {
        return new ControllerFault(Kind.CMB_REFUSED, locator, what, remedy, null);
    }

    static ControllerFault notWiped(String locator, long offset, long seen) {
        return new ControllerFault(
                Kind.CMB_NOT_WIPED,
                locator,
                "the CMB at 0x%x was overwritten with zeroes but reads %016Xh"
                        .formatted(offset, seen),
                "treat the data in it as readable until the device is powered off",
                null);
    }
}
