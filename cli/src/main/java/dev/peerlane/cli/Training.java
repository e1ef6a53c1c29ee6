package dev.peerlane.cli;

import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.Writer;
import java.util.List;

/**
 * Runs what people run, on emulated drives alone and with no output, so that the ahead-of-time
 * cache which the launcher makes of this process holds the classes and profiles of all of it.
 */
final class Training {
    /** The launcher sets this property for the process that it makes the cache of. */
    static final String PROPERTY = "peerlane.training";

    private static final List<String> RUNS =
            List.of(
                    "--version",
                    "help",
                    "list emu:ssd0 emu:ssd1",
                    "identify emu:ssd0",
                    "cmb emu:ssd0",
                    "doctor emu:ssd0 emu:ssd1",
                    "copy emu:ssd0@0+2048 emu:ssd1 --dry-run",
                    "copy emu:ssd0@0+2048 emu:ssd1 --yes",
                    "demo --size 1MiB --json");

    private Training() {}

    /** Runs all of it; returns the first exit status that is not 0, else 0. */
    static int run() {
        int status = 0;
        for (String line : RUNS) {
            Terminal nowhere =
                    new Terminal(
                            new BufferedReader(Reader.nullReader()),
                            new PrintWriter(Writer.nullWriter()),
                            new PrintWriter(Writer.nullWriter()),
                            false,
                            null);
            int ended = new Cli(nowhere, new Interruption()).run(line.split(" "));
            status = status == 0 ? ended : status;
        }
        return status;
    }
}
