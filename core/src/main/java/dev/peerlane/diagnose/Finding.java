package dev.peerlane.diagnose;

import java.util.List;

/**
 * One thing that the doctor found.
 *
 * @param check what it is
 * @param severity what it does to the answer here
 * @param subject what it was found at: an address, or the system
 * @param read each file with the value that was read
 * @param detail what it means here, one sentence
 * @param fix what changes it, each by itself; empty where no action does
 * @param undo what goes back, in the order of {@code fix}
 */
public record Finding(
        Check check,
        Severity severity,
        String subject,
        List<String> read,
        String detail,
        List<Action> fix,
        List<Action> undo) {
    /** Keeps its own copies of the lists. */
    public Finding {
        read = List.copyOf(read);
        fix = List.copyOf(fix);
        undo = List.copyOf(undo);
    }

    /** Makes one with the usual severity and without actions. */
    static Finding of(Check check, String subject, String read, String detail) {
        List<String> evidence = read.isEmpty() ? List.of() : List.of(read);
        return new Finding(
                check, check.severity(), subject, evidence, detail, List.of(), List.of());
    }

    /** Returns it with lines of the system. */
    Finding fixedBy(String line, String undoLine) {
        return mendedBy(List.of(new Action.Line(line)), List.of(new Action.Line(undoLine)));
    }

    /** Returns it with actions. */
    Finding mendedBy(List<Action> actions, List<Action> undoing) {
        return new Finding(check, severity, subject, read, detail, actions, undoing);
    }

    /** Returns it with another severity. */
    Finding as(Severity other) {
        return new Finding(check, other, subject, read, detail, fix, undo);
    }

    /** Returns the stable name of what it is. */
    public String code() {
        return check.code();
    }
}
