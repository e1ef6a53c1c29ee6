package dev.peerlane.fuzz;

import dev.peerlane.Extent;
import dev.peerlane.Locator;
import dev.peerlane.PeerlaneException;
import dev.peerlane.cli.Cli;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.List;

/**
 * Fuzzes locators, ranges and the arguments of {@code cmb-copy}. Each is parsed or refused, a
 * parsed one survives a round trip, and the program ends with a documented status and reports no
 * bug. Only emulated devices are opened.
 */
public final class NamesTarget {
    private static final int MOST_STATUS = 4;

    private NamesTarget() {}

    /** Runs one input, which consists of lines. */
    public static void fuzzerTestOneInput(byte[] data) {
        Input input = new Input(data);
        String read = input.line();
        String written = input.line();
        String carrier = input.line();
        locator(read);
        extent(read);
        boolean emulated = isEmulated(cmbCopy(read)) && isEmulated(cmbCopy(written));
        locator(carrier);
        if (emulated && (carrier.isEmpty() || carrier.startsWith("emu:"))) {
            program(read, written, carrier, input.line());
        }
    }

    private static void locator(String text) {
        try {
            Locator locator = Locator.parse(text);
            if (!Locator.parse(locator.text()).equals(locator)) {
                throw new AssertionError(text + " is read as " + locator);
            }
        } catch (PeerlaneException e) {
            Refusals.check(e);
        }
    }

    private static void extent(String text) {
        try {
            Extent extent = Extent.parse(text);
            if (!Extent.parse(extent.toString()).equals(extent)) {
                throw new AssertionError(text + " is read as " + extent);
            }
        } catch (PeerlaneException e) {
            Refusals.check(e);
        }
    }

    private static Extent cmbCopy(String text) {
        try {
            return Extent.parseCmbCopy(text);
        } catch (PeerlaneException e) {
            Refusals.check(e);
            return Extent.of("emu:none");
        }
    }

    private static boolean isEmulated(Extent extent) {
        return extent.device().startsWith("emu:");
    }

    private static void program(String read, String written, String carrier, String more) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        Terminal terminal =
                new Terminal(
                        new BufferedReader(new StringReader("")),
                        new PrintWriter(out),
                        new PrintWriter(err),
                        false,
                        null);
        List<String> arguments =
                more.startsWith("--json") || more.equals("--dry-run")
                        ? List.of("cmb-copy", "-r", read, "-w", written, "-c", carrier, more)
                        : List.of("cmb-copy", "-r", read, "-w", written, "-c", carrier);
        int status = new Cli(terminal, new Interruption()).run(arguments.toArray(String[]::new));
        if (status < 1
                || status > MOST_STATUS
                || err.toString().startsWith("peerlane: This is a bug")) {
            throw new AssertionError("exit status " + status + ": " + err);
        }
    }
}
