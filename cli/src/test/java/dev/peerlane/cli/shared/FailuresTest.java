package dev.peerlane.cli.shared;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.peerlane.cli.Cli;
import dev.peerlane.cli.harness.Shell;
import dev.peerlane.cli.terminal.Interruption;
import dev.peerlane.cli.terminal.Terminal;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Tests that an unexpected exception is reported as a bug. */
class FailuresTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private Terminal terminal(PrintWriter to) {
        return new Terminal(
                new BufferedReader(new StringReader("")), to, new PrintWriter(err), false, null);
    }

    private int thrown(Throwable e, String command, String... args) {
        Terminal terminal = terminal(new PrintWriter(out));
        Context context =
                new Context(terminal, new Interruption(), List.of(args), LocalSystem.local());
        return Failures.thrown(
                context, e, Cli.program(context).getSubcommands().get(command).getCommand());
    }

    @Test
    void anUnexpectedExceptionIsABugInOneLineAndStatus4() {
        assertThat(thrown(new IllegalStateException("odd"), "list")).isEqualTo(4);
        assertThat(err.toString().lines()).hasSize(1);
        assertThat(err.toString()).contains("bug in Peerlane").contains("odd").contains("Report");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void verboseAddsTheStack() {
        thrown(new IllegalStateException("odd"), "list", "list", "-v");
        assertThat(err.toString()).contains("FailuresTest.verboseAddsTheStack");
    }

    @Test
    void aBugInACopyIsNotReportedAsARefusal() {
        assertThat(thrown(new IllegalStateException("odd"), "copy", "copy", "--json")).isEqualTo(4);
        JsonNode receipt = Shell.parse(out.toString());
        assertThat(receipt.get("result").asText()).isEqualTo("failed");
        assertThat(receipt.get("bytesCopied").isNull()).isTrue();
        assertThat(receipt.get("error").get("code").asText()).isEqualTo("bug");
    }

    @Test
    void anErrorOfTheVirtualMachineIsStatus4Too() {
        PrintWriter failing =
                new PrintWriter(out) {
                    @Override
                    public void write(String text, int offset, int length) {
                        throw new OutOfMemoryError("made for this test");
                    }
                };
        assertThat(new Cli(terminal(failing), new Interruption()).run("--version")).isEqualTo(4);
        assertThat(err.toString()).contains("made for this test");
    }

    @Test
    void theVariableOrTheOptionMakesItVerbose() {
        assertThat(Context.verbose(Map.of(), List.of())).isFalse();
        assertThat(Context.verbose(Map.of("PEERLANE_VERBOSE", "0"), List.of())).isFalse();
        assertThat(Context.verbose(Map.of("PEERLANE_VERBOSE", "1"), List.of())).isTrue();
        assertThat(Context.verbose(Map.of(), List.of("list", "--verbose"))).isTrue();
    }
}
