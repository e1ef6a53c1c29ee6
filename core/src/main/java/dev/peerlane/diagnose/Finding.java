package dev.peerlane.diagnose;

import java.util.List;

/**
 * A finding of the doctor.
 *
 * @param check the check that found it
 * @param severity its effect on the answer here
 * @param subject where it was found: an address, or the system
 * @param read the files with the values that were read
 * @param detail its meaning here, one sentence
 * @param fix alternative actions, each of which fixes the finding; empty if no action does
 * @param undo the actions that undo them, in the order of {@code fix}
 */
public record Finding(
        Check check,
        Severity severity,
        String subject,
        List<String> read,
        String detail,
        List<Action> fix,
        List<Action> undo) {
    /** Copies the lists. */
    public Finding {
        read = List.copyOf(read);
        fix = List.copyOf(fix);
        undo = List.copyOf(undo);
    }

    /** Creates a finding with the check's usual severity and without actions. */
    static Finding of(Check check, String subject, String read, String detail) {
        List<String> evidence = read.isEmpty() ? List.of() : List.of(read);
        return new Finding(
                check, check.severity(), subject, evidence, detail, List.of(), List.of());
    }

    /** Returns this finding with a line that fixes it and one that undoes the fix. */
    Finding fixedBy(String line, String undoLine) {
        return mendedBy(List.of(new Action.Line(line)), List.of(new Action.Line(undoLine)));
    }

    /** Returns this finding with actions. */
    Finding mendedBy(List<Action> actions, List<Action> undoing) {
        return new Finding(check, severity, subject, read, detail, actions, undoing);
    }

    /** Returns this finding with another severity. */
    Finding as(Severity other) {
        return new Finding(check, other, subject, read, detail, fix, undo);
    }

    /** Returns the stable name of the check. */
    public String code() {
        return check.code();
    }
}
