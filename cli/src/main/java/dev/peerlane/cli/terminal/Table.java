package dev.peerlane.cli.terminal;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows of text whose columns line up. */
public final class Table {
    /** A longer cell stands out of its column rather than making it wide. */
    private static final int MAX_COLUMN = 48;

    private final List<String[]> rows = new ArrayList<>();

    /** Adds a row; rows may differ in length. Columns are as wide as their cells are shown. */
    public Table row(String... cells) {
        rows.add(Arrays.stream(cells).map(VisibleWriter::line).toArray(String[]::new));
        return this;
    }

    /** Adds lines under one label, which stands before the first of them only. */
    public Table lines(String label, List<String> lines) {
        String name = label;
        for (String line : lines) {
            row(name, line);
            name = "";
        }
        return this;
    }

    /** Prints the rows; the last cell of a row is never padded. */
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
