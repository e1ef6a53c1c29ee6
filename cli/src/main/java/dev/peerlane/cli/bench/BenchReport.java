package dev.peerlane.cli.bench;

import dev.peerlane.cli.bench.BenchDocument.Cell;
import dev.peerlane.cli.bench.BenchDocument.Latency;
import dev.peerlane.cli.terminal.Sizes;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Writes the report of {@code bench}: one self-contained HTML file. */
final class BenchReport {
    private static final String STYLE =
            """
            :root { color-scheme: light dark; --ink: light-dark(#1d2430, #e4e7ec);
              --page: light-dark(#ffffff, #14181f); --soft: light-dark(#5b6472, #9aa4b2);
              --line: light-dark(#dde1e7, #323a46); --bad: light-dark(#b3261e, #ff8a80);
              --heat: light-dark(#2f81d6, #4096f0) }
            body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
              max-width: 1180px; margin: 2rem auto; padding: 0 1rem }
            h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
            p { margin: .4rem 0 } .soft { color: var(--soft) } .bad { color: var(--bad); font-weight: 600 }
            .note { border-left: 3px solid var(--line); padding-left: .8rem }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums }
            th, td { padding: .35rem .7rem; border-bottom: 1px solid var(--line); text-align: left;
              vertical-align: top }
            th { font-weight: 600; color: var(--soft) } td.n { text-align: right }
            .facts td:first-child { color: var(--soft) } .matrix td { min-width: 8.5rem }
            .matrix b { display: block; font-size: 1.05rem } .wide { overflow-x: auto }
            .wide table { font-size: 13px } .wide td, .wide th { white-space: nowrap; padding: .25rem .5rem }
            .wide td.why { white-space: normal; min-width: 16rem }
            .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(460px, 1fr)); gap: 1rem }
            .charts svg { width: 100%; height: auto }
            """;

    private final StringBuilder html = new StringBuilder();
    private final BenchDocument document;

    private BenchReport(BenchDocument document) {
        this.document = document;
    }

    static String html(BenchDocument document) {
        return new BenchReport(document).all();
    }

    private String all() {
        html.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
                .append("<meta name=\"viewport\" content=\"width=device-width\">")
                .append("<title>Peerlane bench</title>\n<style>\n")
                .append(STYLE)
                .append("</style></head><body>\n");
        head();
        facts();
        matrix("write", "Into the memory");
        matrix("read", "Out of the memory");
        List<Cell> copies = document.of(BenchDocument.COPIES);
        if (!copies.isEmpty()) {
            matrix(copies, "Whole copies", copies.getFirst().command());
        }
        charts();
        table();
        return html.append("</body></html>\n").toString();
    }

    private void head() {
        long voids = document.cells().stream().filter(Cell::isVoid).count();
        html.append("<h1>Peer-to-peer DMA</h1>\n<p class=\"soft\">")
                .append(text("peerlane " + document.peerlane() + ", fabric: "))
                .append(text(document.fabric().kind()))
                .append("</p>\n");
        if (voids > 0) {
            html.append(
                    "<p class=\"bad\">%d of %d figures are void: data did not arrive.</p>%n"
                            .formatted(voids, document.cells().size()));
        }
        if (document.error() != null) {
            html.append("<p class=\"bad\">Incomplete: ")
                    .append(text(document.error().message()))
                    .append("</p>\n");
        }
        document.notes().forEach(n -> html.append("<p class=\"note\">" + text(n) + ".</p>\n"));
    }

    private void facts() {
        BenchDocument.MachineFacts m = document.machine();
        html.append("<h2>Machine</h2>\n<table class=\"facts\">");
        fact("Processor", "%s, %d processors".formatted(m.cpu(), m.processors()));
        fact("System", m.product() == null ? "unknown" : m.product());
        fact("Kernel", m.kernel());
        fact("Java", m.jdk());
        fact("IOMMU", m.iommus().isEmpty() ? "none" : String.join(", ", m.iommus()));
        html.append("</table>\n<h2>Devices</h2>\n<div class=\"wide\"><table><tr>");
        Stream.of(
                        "Device",
                        "Address",
                        "Model",
                        "Serial",
                        "Firmware",
                        "Link",
                        "Block",
                        "MDTS",
                        "CMB")
                .forEach(h -> html.append("<th>" + h + "</th>"));
        html.append("</tr>\n");
        for (BenchDocument.DeviceFacts d : document.devices()) {
            html.append("<tr>");
            Stream.of(
                            d.locator(),
                            d.bdf(),
                            d.model(),
                            d.serial(),
                            d.firmware(),
                            d.link() == null ? "–" : d.link(),
                            Sizes.text(d.blockBytes()),
                            Sizes.text(d.maxTransferBytes()),
                            d.cmbAddress() == null
                                    ? "none"
                                    : Sizes.text(d.cmbBytes()) + " at " + d.cmbAddress())
                    .forEach(v -> html.append("<td>" + text(v) + "</td>"));
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
    }

    private void fact(String name, String value) {
        html.append("<tr><td>" + name + "</td><td>" + text(value) + "</td></tr>");
    }

    private void matrix(String direction, String title) {
        List<Cell> cells =
                document.of(BenchDocument.MATRIX).stream()
                        .filter(c -> c.direction().equals(direction))
                        .toList();
        for (String command : cells.stream().map(Cell::command).distinct().toList()) {
            matrix(
                    cells.stream().filter(c -> c.command().equals(command)).toList(),
                    title,
                    command);
        }
    }

    private void matrix(List<Cell> cells, String title, String command) {
        List<String> memories = cells.stream().map(Cell::memory).distinct().toList();
        List<String> initiators = cells.stream().map(Cell::initiator).distinct().toList();
        double best =
                cells.stream()
                        .map(Cell::bytesPerSecond)
                        .filter(Objects::nonNull)
                        .mapToDouble(Double::doubleValue)
                        .max()
                        .orElse(1);
        html.append(
                "<h2>"
                        + title
                        + ", by "
                        + command
                        + "</h2>\n<table class=\"matrix\"><tr><th></th>");
        memories.forEach(m ->
                html.append("<th>")
                        .append(m.equals(BenchDocument.HOST) ? "host memory" : text("CMB of " + m))
                        .append("</th>"));
        html.append("</tr>\n");
        for (String initiator : initiators) {
            html.append("<tr><th>" + text(initiator) + "</th>");
            for (String memory : memories) {
                Optional<Cell> cell =
                        cells.stream()
                                .filter(c -> c.initiator().equals(initiator))
                                .filter(c -> c.memory().equals(memory))
                                .findFirst();
                html.append(cell.map(c -> heat(c, best)).orElse("<td></td>"));
            }
            html.append("</tr>\n");
        }
        html.append("</table>\n");
    }

    private static String heat(Cell c, double best) {
        Latency l = c.latencyMicros();
        Double rate = c.bytesPerSecond();
        if (rate == null) {
            String kind = c.isVoid() ? "<b class=\"bad\">void</b>" : "<b class=\"soft\">–</b>";
            return "<td>" + kind + "<span class=\"soft\">" + text(c.reason()) + "</span></td>";
        }
        return String.format(
                Locale.ROOT,
                "<td style=\"background: color-mix(in srgb, var(--heat) %.0f%%,"
                        + " transparent)\"><b>%s</b>%s<br>"
                        + "<span class=\"soft\">%s × %d, %s</span></td>",
                6 + 34 * rate / best,
                Sizes.rate(rate),
                l == null ? processor(c) : micros(l.p50()) + " p50, " + micros(l.p99()) + " p99",
                Sizes.text(c.chunkBytes()),
                c.depth(),
                text(c.route()));
    }

    private static String processor(Cell c) {
        Double seconds = c.cpuSecondsPerGib();
        return seconds == null ? "" : String.format(Locale.ROOT, "%.2f CPU s/GiB", seconds);
    }

    private static String micros(double micros) {
        return micros < 1000
                ? String.format(Locale.ROOT, micros < 10 ? "%.1f µs" : "%.0f µs", micros)
                : String.format(Locale.ROOT, "%.1f ms", micros / 1000);
    }

    private void charts() {
        html.append("<h2>Sweeps and latencies</h2>\n<div class=\"charts\">\n");
        Stream.of(
                        BenchCharts.rateBySize(document),
                        BenchCharts.rateByDepth(document),
                        BenchCharts.latencyByDepth(document),
                        BenchCharts.percentiles(document))
                .filter(svg -> !svg.isEmpty())
                .forEach(svg -> html.append("<div>").append(svg).append("</div>\n"));
        html.append("</div>\n");
    }

    private void table() {
        html.append("<h2>All figures</h2>\n<div class=\"wide\"><table><tr>");
        Stream.of(
                        "Device",
                        "",
                        "Memory",
                        "Address",
                        "Command",
                        "Size",
                        "Depth",
                        "Rate",
                        "IOPS",
                        "p50",
                        "p90",
                        "p99",
                        "p99.9",
                        "max",
                        "CPU s/GiB",
                        "Compiler s",
                        "Canaries")
                .forEach(h -> html.append("<th>" + h + "</th>"));
        html.append("</tr>\n");
        for (Cell c : document.cells()) {
            html.append("<tr>");
            Stream.of(
                            c.initiator(),
                            arrow(c),
                            c.memory(),
                            c.address() == null ? "–" : c.address(),
                            c.command(),
                            Sizes.text(c.chunkBytes()),
                            Integer.toString(c.depth()))
                    .forEach(v -> html.append("<td>" + text(v) + "</td>"));
            Latency l = c.latencyMicros();
            if (c.bytesPerSecond() == null) {
                html.append(
                        "<td colspan=\"10\" class=\"why%s\">%s</td></tr>%n"
                                .formatted(
                                        c.isVoid() ? " bad" : " soft",
                                        text((c.isVoid() ? "void: " : "skipped: ") + c.reason())));
                continue;
            }
            Stream.of(
                            Sizes.rate(c.bytesPerSecond()),
                            BenchViews.number("%,.0f", c.iops()),
                            l == null ? "" : micros(l.p50()),
                            l == null ? "" : micros(l.p90()),
                            l == null ? "" : micros(l.p99()),
                            l == null ? "" : micros(l.p999()),
                            l == null ? "" : micros(l.max()),
                            BenchViews.number("%.3f", c.cpuSecondsPerGib()),
                            BenchViews.number("%.3f", c.compilerSeconds()),
                            Integer.toString(c.canaries()))
                    .forEach(v -> html.append("<td class=\"n\">" + v + "</td>"));
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
    }

    private static String arrow(Cell cell) {
        return switch (cell.direction()) {
            case "write" -> "→";
            case "read" -> "←";
            default -> "copies by";
        };
    }

    /** Escapes text: names and messages come from devices. */
    private static String text(@Nullable String value) {
        return value == null
                ? ""
                : value.replace("&", "&amp;")
                        .replace("<", "&lt;")
                        .replace(">", "&gt;")
                        .replace("\"", "&quot;");
    }
}
