package dev.peerlane.cli.terminal;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A text table with aligned columns. */
public final class Table {
    /** A longer cell overflows its column instead of widening it. */
    private static final int MAX_COLUMN = 48;

    private final List<String[]> rows = new ArrayList<>();

    /** Adds a row. Rows may differ in length. Columns are as wide as their cells when displayed. */
    public Table row(String... cells) {
        rows.add(Arrays.stream(cells).map(VisibleWriter::line).toArray(String[]::new));
        return this;
    }

    /** Adds lines with one label, which is printed only before the first line. */
    public Table lines(String label, List<String> lines) {
        String name = label;
        for (String line : lines) {
            row(name, line);
            name = "";
        }
        return this;
    }

    /** Prints the rows. The last cell of a row is never padded. */
    public void print(PrintWriter out, String indent) {
        int[] widths = new int[rows.stream().mapToInt(r -> r.length).max().orElse(0)];
        for (String[] row : rows) {
            for (int i = 0; i < row.length - 1; i++) {
                if (row[i].length() <= MAX_COLUMN) {
                    widths[i] = Math.max(widths[i], row[i].length());
                }
            }
        }
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder(indent);
            for (int i = 0; i < row.length - 1; i++) {
                line.append(row[i]).repeat(' ', Math.max(0, widths[i] - row[i].length()) + 2);
            }
            line.append(row[row.length - 1]);
            out.println(line.toString().stripTrailing());
        }
    }
}
