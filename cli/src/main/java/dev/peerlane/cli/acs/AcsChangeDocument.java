package dev.peerlane.cli.acs;

import dev.peerlane.cli.shared.Deed;
import dev.peerlane.diagnose.AcsChange;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON document of {@code acs disable} and {@code acs restore}. */
record AcsChangeDocument(
        String schema,
        String result,
        @Nullable String file,
        List<Changed> bridges,
        List<String> lines,
        List<String> losses) {
    private static final String SCHEMA = "peerlane.acs-change/1";

    /** An ACS Control register of a bridge. {@code before} is null if it was not read. */
    record Changed(String address, @Nullable String before, String after) {}

    static AcsChangeDocument disabled(Deed deed, AcsChange change, List<String> losses, Path save) {
        return new AcsChangeDocument(
                SCHEMA,
                deed.word(),
                deed == Deed.DONE ? save.toString() : null,
                change.bridges().stream()
                        .map(b ->
                                new Changed(b.bdf().toString(), hex(b.control()), hex(b.changed())))
                        .toList(),
                change.bridges().stream().map(AcsChange.Bridge::line).toList(),
                losses);
    }

    static AcsChangeDocument restored(Deed deed, AcsChange change, String file) {
        return new AcsChangeDocument(
                SCHEMA,
                deed.word(),
                file,
                change.bridges().stream()
                        .map(b -> new Changed(b.bdf().toString(), null, hex(b.control())))
                        .toList(),
                change.bridges().stream().map(AcsChange.Bridge::undoLine).toList(),
                List.of());
    }

    private static String hex(int register) {
        return "%04x".formatted(register);
    }
}
