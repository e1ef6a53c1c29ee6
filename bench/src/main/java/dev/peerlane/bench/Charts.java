package dev.peerlane.bench;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.style.Styler;

/** Draws the charts of docs/performance.md: bars, each with the spread between the quartiles. */
final class Charts {
    private static final Color[] COLOURS = {
        new Color(0x1f, 0x5f, 0x8b), new Color(0xd9, 0x8b, 0x2b), new Color(0x7a, 0x7a, 0x7a)
    };
    private static final int WIDTH = 760;
    private static final int HEIGHT = 380;

    private Charts() {}

    /** Draws the cost of a command in nanoseconds, by batch and program. */
    static CategoryChart driver(List<DriverCost.Line> lines) {
        CategoryChart chart = chart("Submit and poll: time for a command", "", "ns");
        List<String> programs = lines.stream().map(DriverCost.Line::program).distinct().toList();
        for (String program : programs) {
            List<DriverCost.Line> own =
                    lines.stream().filter(line -> line.program().equals(program)).toList();
            add(
                    chart,
                    program,
                    own.stream().map(line -> inDoorbell(line.batch())).toList(),
                    own.stream().map(DriverCost.Line::nanos).toList(),
                    1);
        }
        return chart;
    }

    private static String inDoorbell(int batch) {
        return batch == 1 ? "a doorbell each" : batch + " to a doorbell";
    }

    /** Draws reads per second of the served drive. */
    static CategoryChart served(List<ServedCost.Line> lines) {
        CategoryChart chart =
                chart(
                        "Reads of a drive that another process serves",
                        "size × reads in flight",
                        "million a second");
        chart.getStyler().setLegendVisible(false);
        add(
                chart,
                "reads",
                lines.stream().map(line -> line.measured().label()).toList(),
                lines.stream().map(ServedCost.Line::perSecond).toList(),
                1e-6);
        return chart;
    }

    private static CategoryChart chart(String title, String x, String y) {
        CategoryChart chart =
                new CategoryChartBuilder()
                        .width(WIDTH)
                        .height(HEIGHT)
                        .title(title)
                        .xAxisTitle(x)
                        .yAxisTitle(y)
                        .build();
        chart.getStyler()
                .setLegendPosition(Styler.LegendPosition.InsideNE)
                .setChartBackgroundColor(Color.WHITE)
                .setPlotBorderVisible(false)
                .setSeriesColors(COLOURS);
        chart.getStyler().setYAxisMin(0.0);
        chart.getStyler().setAvailableSpaceFill(0.8);
        return chart;
    }

    private static void add(
            CategoryChart chart, String name, List<String> x, List<Spread> spreads, double unit) {
        List<Double> medians = new ArrayList<>();
        List<Double> spread = new ArrayList<>();
        for (Spread one : spreads) {
            medians.add(one.median() * unit);
            spread.add((one.high() - one.low()) / 2 * unit);
        }
        chart.addSeries(name, x, medians, spread);
    }

    /** Writes a chart as SVG, and optionally as PNG too. */
    static void write(CategoryChart chart, Path file, boolean png) throws IOException {
        String name = file.toString();
        VectorGraphicsEncoder.saveVectorGraphic(
                chart, name, VectorGraphicsEncoder.VectorGraphicsFormat.SVG);
        if (png) {
            BitmapEncoder.saveBitmap(chart, name, BitmapEncoder.BitmapFormat.PNG);
        }
    }
}
