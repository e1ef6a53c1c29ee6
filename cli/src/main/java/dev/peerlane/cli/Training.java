package dev.peerlane.cli;

import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.Writer;
import java.util.List;

/**
 * Runs typical commands on emulated drives, without output. The launcher builds the ahead-of-time
 * cache from this process, so the cache holds the classes and profiles of those commands.
 */
final class Training {
    /** The launcher sets this property in the process from which it builds the cache. */
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

    /** Runs all commands and returns the first exit status that is not 0, otherwise 0. */
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
