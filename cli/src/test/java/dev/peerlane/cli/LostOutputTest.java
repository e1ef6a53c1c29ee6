package dev.peerlane.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.peerlane.cli.harness.Drives;
import dev.peerlane.cli.shared.Context;
import dev.peerlane.cli.shared.LocalSystem;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.ResultWriter;
import dev.peerlane.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests standard output that can't be written: no command reports success without its output. */
class LostOutputTest {
    private static final String FULL = "No space left on device";

    /** Commands that need functions of this machine, and one that prints only while it serves. */
    private static final Set<String> ELSEWHERE =
            Set.of("acs", "bind", "unbind", "capture", "serve");

    @TempDir private Path folder;
    private Drives drives;
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void makeDrives() throws IOException {
        drives = new Drives(folder);
    }

    /** An output that is full after some bytes. */
    private static final class Full extends OutputStream {
        private final String message;
        private int room;

        Full(String message, int room) {
            this.message = message;
            this.room = room;
        }

        @Override
        public void write(int b) throws IOException {
            if (room-- <= 0) {
                throw new IOException(message);
            }
        }
    }

    private int run(OutputStream to, ResultWriter.Sink sink, String... args) {
        err.getBuffer().setLength(0);
        Terminal terminal =
                new Terminal(
                        new BufferedReader(new StringReader("")),
                        new ResultWriter(to, StandardCharsets.UTF_8, sink),
                        new PrintWriter(err),
                        false,
                        null);
        return new Cli(terminal, new Interruption()).run(args);
    }

    private Map<String, List<String[]>> commands() throws IOException {
        Map<String, List<String[]>> all = new TreeMap<>();
        String fabric = drives.usual();
        List<String[]> some =
                List.of(
                        new String[] {"--version"},
                        new String[] {"--help"},
                        new String[] {"help", "copy"},
                        new String[] {"completion", "bash"},
                        new String[] {"list", "--help"},
                        Drives.with(fabric, "list"),
                        Drives.with(fabric, "list", "--json"),
                        Drives.with(fabric, "identify", "emu:a"),
                        Drives.with(fabric, "identify", "emu:a", "--json"),
                        Drives.with(fabric, "cmb", "emu:a"),
                        Drives.with(fabric, "cmb", "emu:a", "--json"),
                        Drives.with(fabric, "topology"),
                        Drives.with(fabric, "topology", "--json"),
                        Drives.with(fabric, "doctor", "emu:a", "emu:b"),
                        Drives.with(fabric, "doctor", "emu:a", "emu:b", "--json"),
                        Drives.with(fabric, "copy", "emu:a", "emu:b", "--dry-run"),
                        Drives.with(fabric, "copy", "emu:a", "emu:b", "--dry-run", "--json"),
                        Drives.with(fabric, "copy", "emu:a", "emu:b", "--yes", "--json"),
                        Drives.with(fabric, "copy", "emu:a", "emu:b", "--yes"),
                        Drives.with(
                                fabric,
                                "cmb-copy",
                                "-r",
                                "emu:a-1-0-8",
                                "-w",
                                "emu:b-1-0-8",
                                "-c",
                                "emu:b",
                                "--yes"),
                        Drives.with(
                                fabric,
                                "litmus",
                                "emu:a",
                                "emu:b",
                                "--scratch=64+256",
                                "--slots=1000",
                                "--yes"),
                        Drives.with(
                                fabric,
                                "bench",
                                "emu:a",
                                "--time=0.001",
                                "--size=4KiB",
                                "--depth=1"),
                        new String[] {"demo", "--scenario", "list"},
                        new String[] {"demo", "--scenario", "acs", "--print-fabric"},
                        new String[] {"demo", "--scenario", "acs", "--json"});
        for (String[] args : some) {
            all.computeIfAbsent(args[0], name -> new ArrayList<>()).add(args);
        }
        return all;
    }

    @Test
    void noCommandSucceedsWithoutItsOutput() throws IOException {
        Map<String, List<String[]>> all = commands();
        Set<String> named = new TreeSet<>(all.keySet());
        named.addAll(ELSEWHERE);
        Context context =
                new Context(
                        new Terminal(
                                new BufferedReader(new StringReader("")),
                                new PrintWriter(err),
                                new PrintWriter(err),
                                false,
                                null),
                        new Interruption(),
                        List.of(),
                        LocalSystem.local());
        assertThat(named).containsAll(Cli.program(context).getSubcommands().keySet());
        for (List<String[]> forms : all.values()) {
            for (String[] args : forms) {
                for (int room : new int[] {0, 20}) {
                    String what = Arrays.toString(args);
                    assertThat(run(new Full(FULL, room), ResultWriter.Sink.OTHER, args))
                            .as(what)
                            .isEqualTo(2);
                    assertThat(err.toString())
                            .as(what)
                            .contains("peerlane: can't write to standard output: " + FULL + ". ");
                }
            }
        }
    }

    @Test
    void aCopyWhoseReceiptIsLostSaysWhatItDid() throws IOException {
        String[] args =
                Drives.with(drives.usual(), "copy", "emu:a@0+8", "emu:b", "--yes", "--json");
        assertThat(run(new Full(FULL, 0), ResultWriter.Sink.OTHER, args)).isEqualTo(2);
        assertThat(err.toString())
                .contains("peerlane: Copied 4 KiB from emu:a/n1 to emu:b/n1 in ")
                .contains("and verified it.");
    }

    @Test
    void aClosedPipeEndsTheProgramSilently() throws IOException {
        String[] args = Drives.with(drives.usual(), "list");
        assertThat(run(new Full("Broken pipe", 20), ResultWriter.Sink.OTHER, args)).isEqualTo(141);
        assertThat(err.toString()).isEmpty();
        assertThat(run(new Full("in another language", 20), ResultWriter.Sink.PIPE, args))
                .isEqualTo(141);
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void anErrorKeepsItsStatus() throws IOException {
        String[] args = Drives.with(drives.usual(), "copy", "emu:a", "emu:x", "--yes", "--json");
        int status = run(OutputStream.nullOutputStream(), ResultWriter.Sink.OTHER, args);
        assertThat(status).isPositive();
        assertThat(run(new Full(FULL, 0), ResultWriter.Sink.OTHER, args)).isEqualTo(status);
        assertThat(err.toString()).contains(FULL).contains("emu:x");
        assertThat(run(new Full("Broken pipe", 0), ResultWriter.Sink.OTHER, args))
                .isEqualTo(status);
    }
}
