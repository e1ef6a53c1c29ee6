package dev.peerlane.cli.bench;

import dev.peerlane.cli.bench.BenchDocument.Cell;
import dev.peerlane.cli.bench.BenchDocument.Latency;
import java.awt.BasicStroke;
import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws the charts of {@code bench}'s report as inline SVG. Text takes the colour of the page. */
final class BenchCharts {
    private static final int WIDTH = 560;
    private static final int HEIGHT = 380;

    /** Placeholder for the page's text colour until the SVG is written. */
    private static final Color INK = new Color(1, 2, 3);

    private static final Color GRID = new Color(128, 128, 128, 90);
    private static final Color CLEAR = new Color(0, 0, 0, 0);

    /** Distinct on white and on black, and for colour-blind readers. */
    private static final Color[] SERIES = {
        new Color(0x2f, 0x81, 0xd6),
        new Color(0xe0, 0x7b, 0x1a),
        new Color(0x2a, 0x9d, 0x6f),
        new Color(0xc0, 0x4f, 0xa0),
        new Color(0x8a, 0x7a, 0x2e),
        new Color(0x7b, 0x6c, 0xd9)
    };

    /** The scale of the value axis. */
    private enum Scale {
        LINEAR,
        LOGARITHMIC
    }

    /** Titles and value scale of a chart. */
    private record Frame(String title, String xTitle, String yTitle, Scale scale) {}

    private BenchCharts() {}

    static String rateBySize(BenchDocument document) {
        return lines(
                document.of(BenchDocument.SIZES),
                new Frame("Rate by size of a transfer", "KiB", "MB/s", Scale.LINEAR),
                c -> c.chunkBytes() / 1024.0,
                c -> value(c.bytesPerSecond()) / 1e6);
    }

    static String rateByDepth(BenchDocument document) {
        return lines(
                document.of(BenchDocument.DEPTHS),
                new Frame(
                        "Transfers a second by depth",
                        "queue depth",
                        "thousand a second",
                        Scale.LINEAR),
                c -> c.depth(),
                c -> value(c.iops()) / 1e3);
    }

    static String latencyByDepth(BenchDocument document) {
        return lines(
                document.of(BenchDocument.DEPTHS),
                new Frame(
                        "99th percentile of the latency by depth",
                        "queue depth",
                        "µs",
                        Scale.LOGARITHMIC),
                c -> c.depth(),
                c -> {
                    Latency l = c.latencyMicros();
                    return l == null ? 0 : l.p99();
                });
    }

    /** Draws the latencies of the matrix from the median up; the axis counts nines. */
    static String percentiles(BenchDocument document) {
        Map<String, double[][]> series = new LinkedHashMap<>();
        for (Cell c : document.of(BenchDocument.MATRIX)) {
            Latency l = c.latencyMicros();
            if (l == null || c.initiator().equals(c.memory()) || series.size() == SERIES.length) {
                continue;
            }
            List<BenchDocument.Percentile> points =
                    l.percentiles().stream()
                            .filter(p -> p.percentile() >= 50 && p.percentile() < 100)
                            .toList();
            double[] x = new double[points.size()];
            double[] y = new double[points.size()];
            for (int i = 0; i < x.length; i++) {
                x[i] = 100 / (100 - points.get(i).percentile());
                y[i] = points.get(i).micros();
            }
            series.put(name(c), new double[][] {x, y});
        }
        return draw(
                series,
                new Frame(
                        "Latency exceeded by one transfer in N (matrix)",
                        "N",
                        "µs",
                        Scale.LOGARITHMIC));
    }

    private static double value(@Nullable Double number) {
        return number == null ? 0 : number;
    }

    private static String name(Cell c) {
        String arrow = c.direction().equals("write") ? " → " : " ← ";
        return c.initiator() + arrow + c.memory() + " (" + c.command() + ")";
    }

    private static String lines(
            List<Cell> cells, Frame frame, ToDoubleFunction<Cell> x, ToDoubleFunction<Cell> y) {
        Map<String, List<Cell>> byWay = new LinkedHashMap<>();
        cells.stream()
                .filter(Cell::measured)
                .forEach(c -> byWay.computeIfAbsent(name(c), k -> new ArrayList<>()).add(c));
        Map<String, double[][]> series = new LinkedHashMap<>();
        byWay.forEach((way, own) -> {
            if (series.size() < SERIES.length) {
                series.put(
                        way,
                        new double[][] {
                            own.stream().mapToDouble(x).toArray(),
                            own.stream().mapToDouble(y).toArray()
                        });
            }
        });
        return draw(series, frame);
    }

    private static String draw(Map<String, double[][]> series, Frame frame) {
        if (series.isEmpty()) {
            return "";
        }
        XYChart chart =
                new XYChartBuilder()
                        .width(WIDTH)
                        .height(HEIGHT)
                        .title(frame.title())
                        .xAxisTitle(frame.xTitle())
                        .yAxisTitle(frame.yTitle())
                        .build();
        var style = chart.getStyler();
        style.setChartBackgroundColor(CLEAR)
                .setPlotBackgroundColor(CLEAR)
                .setLegendBackgroundColor(CLEAR)
                .setChartFontColor(INK)
                .setSeriesColors(SERIES)
                .setLegendBorderColor(CLEAR)
                .setPlotBorderVisible(false)
                .setLegendPosition(LegendPosition.OutsideS)
                .setLegendLayout(LegendLayout.Vertical);
        style.setAxisTickLabelsColor(INK)
                .setAxisTickMarksColor(GRID)
                .setPlotGridLinesColor(GRID)
                .setXAxisTitleColor(INK)
                .setYAxisTitleColor(INK);
        style.setXAxisLogarithmic(true);
        style.setYAxisLogarithmic(frame.scale() == Scale.LOGARITHMIC);

        if (frame.scale() == Scale.LINEAR) {
            style.setYAxisMin(0.0);
        }
        style.setMarkerSize(6);
        series.forEach((name, points) ->
                chart.addSeries(name, points[0], points[1])
                        .setMarker(SeriesMarkers.CIRCLE)
                        .setLineStyle(new BasicStroke(2)));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            VectorGraphicsEncoder.saveVectorGraphic(chart, out, VectorGraphicsFormat.SVG);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String svg = out.toString(StandardCharsets.UTF_8);
        return svg.substring(svg.indexOf("<svg"))
                .replaceAll("rgb\\(\\s*1\\s*,\\s*2\\s*,\\s*3\\s*\\)|#010203", "currentColor");
    }
}
