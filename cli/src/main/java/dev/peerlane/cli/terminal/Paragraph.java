package dev.peerlane.cli.terminal;

import java.io.PrintWriter;

/** Prints text that spans several lines. */
public final class Paragraph {
    private static final int COLUMNS = 100;

    private Paragraph() {}

    /**
     * Prints a label and wrapped text. Further lines are aligned with the first word of the text.
     */
    public static void print(PrintWriter out, String label, String text) {
        StringBuilder line = new StringBuilder(label);
        for (String word : text.split(" ", -1)) {
            if (line.length() + word.length() > COLUMNS) {
                out.println(line.toString().stripTrailing());
                line.setLength(0);
                line.repeat(' ', label.length());
            }
            line.append(word).append(' ');
        }
        out.println(line.toString().stripTrailing());
    }
}
