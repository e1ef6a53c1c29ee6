package dev.peerlane.cli.bench;

import dev.peerlane.cli.bench.BenchDocument.Cell;
import dev.peerlane.cli.bench.BenchDocument.Latency;
import dev.peerlane.cli.terminal.Sizes;
import dev.peerlane.cli.terminal.Table;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Prints {@link BenchDocument} as text and as CSV. */
final class BenchViews {
    private BenchViews() {}

    static void text(PrintWriter out, BenchDocument document) {
        BenchDocument.MachineFacts m = document.machine();
        new Table()
                .row("machine", "%s, %d processors".formatted(m.cpu(), m.processors()))
                .row("system", m.kernel() + ", " + m.jdk())
                .row("IOMMU", m.iommus().isEmpty() ? "none" : String.join(", ", m.iommus()))
                .row("fabric", document.fabric().kind())
                .print(out, "");
        Table devices = new Table().row("DEVICE", "MODEL", "SERIAL", "LINK", "CMB");
        for (BenchDocument.DeviceFacts d : document.devices()) {
            devices.row(
                    d.locator(),
                    d.model(),
                    d.serial(),
                    or(d.link(), "-"),
                    d.cmbAddress() == null
                            ? "-"
                            : Sizes.text(d.cmbBytes()) + " at " + d.cmbAddress());
        }
        out.println();
        devices.print(out, "");
        document.notes().forEach(note -> out.println("Note: " + note + "."));
        group(out, document, BenchDocument.MATRIX, "Every way");
        group(out, document, BenchDocument.COPIES, "Copies into the scratch range");
        group(out, document, BenchDocument.SIZES, "By size");
        group(out, document, BenchDocument.DEPTHS, "By depth");
        out.flush();
    }

    private static void group(PrintWriter out, BenchDocument document, String group, String title) {
        List<Cell> cells = document.of(group);
        if (cells.isEmpty()) {
            return;
        }
        out.println();
        out.println(title);
        Table table =
                new Table()
                        .row(
                                "DEVICE",
                                "",
                                "MEMORY",
                                "ADDRESS",
                                "COMMAND",
                                "SIZE",
                                "DEPTH",
                                "RATE",
                                "IOPS",
                                "p50 us",
                                "p99 us",
                                "p99.9 us",
                                "CPU s/GiB",
                                "COMPILER s");
        for (Cell c : cells) {
            List<String> row =
                    new ArrayList<>(
                            List.of(
                                    c.initiator(),
                                    direction(c),
                                    c.memory(),
                                    or(c.address(), "-"),
                                    c.command(),
                                    Sizes.text(c.chunkBytes()),
                                    Integer.toString(c.depth())));
            Latency l = c.latencyMicros();
            if (c.bytesPerSecond() != null) {
                row.addAll(
                        List.of(
                                Sizes.rate(c.bytesPerSecond()),
                                number("%.0f", c.iops()),
                                number("%.1f", l == null ? null : l.p50()),
                                number("%.1f", l == null ? null : l.p99()),
                                number("%.1f", l == null ? null : l.p999()),
                                number("%.3f", c.cpuSecondsPerGib()),
                                number("%.3f", c.compilerSeconds())));
            } else {
                row.add((c.isVoid() ? "VOID: " : "skipped: ") + c.reason());
            }
            table.row(row.toArray(new String[0]));
        }
        table.print(out, "  ");
    }

    private static String direction(Cell cell) {
        return switch (cell.direction()) {
            case "write" -> "writes to";
            case "read" -> "reads from";
            default -> "copies by";
        };
    }

    static String csv(BenchDocument document) {
        StringBuilder csv = new StringBuilder();
        csv.append(
                        "group,initiator,namespace,memory,direction,command,address,route,chunkBytes,depth,")
                .append(
                        "outcome,reason,canaries,bytesPerSecond,iops,meanMicros,p50Micros,p90Micros,")
                .append(
                        "p99Micros,p999Micros,maxMicros,cpuSecondsPerGib,compilerSeconds,seconds\n");
        for (Cell c : document.cells()) {
            Latency l = c.latencyMicros();
            List<@Nullable Object> fields = new ArrayList<>();
            fields.addAll(
                    Arrays.asList(
                            c.group(),
                            c.initiator(),
                            c.namespace(),
                            c.memory(),
                            c.direction(),
                            c.command(),
                            c.address(),
                            c.route(),
                            c.chunkBytes(),
                            c.depth(),
                            c.outcome(),
                            c.reason(),
                            c.canaries(),
                            c.bytesPerSecond(),
                            c.iops()));
            fields.addAll(
                    l == null
                            ? Collections.nCopies(6, null)
                            : List.of(l.mean(), l.p50(), l.p90(), l.p99(), l.p999(), l.max()));
            fields.add(c.cpuSecondsPerGib());
            fields.add(c.compilerSeconds());
            fields.add(c.seconds());
            csv.append(fields.stream().map(BenchViews::field).collect(Collectors.joining(",")))
                    .append('\n');
        }
        return csv.toString();
    }

    private static String field(@Nullable Object value) {
        String text = value == null ? "" : value.toString();
        return text.matches("[^\",\n\r]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
    }

    static String number(String form, @Nullable Double value) {
        return value == null ? "" : String.format(Locale.ROOT, form, value);
    }

    private static String or(@Nullable String text, String otherwise) {
        return text == null ? otherwise : text;
    }
}
