package dev.peerlane.cli.terminal;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.IntFunction;

/**
 * Writes text to a terminal that may show it and not obey it. Device names, models, messages of
 * other processes and arguments come from strangers: an escape sequence in one of them would clear
 * the screen or change what stands there. So a control character is written as {@code \x1b} would
 * be in C. What is printed as a line stays one, too: only {@code print} may have line feeds in it.
 */
public final class VisibleWriter extends PrintWriter {
    private final PrintWriter to;

    /** Creates it; errors and what is buffered stay with the other writer. */
    VisibleWriter(PrintWriter to) {
        super(to);
        this.to = to;
    }

    /** Returns a writer that is one of these: the given one, or one before it. */
    static VisibleWriter before(PrintWriter to) {
        return to instanceof VisibleWriter visible ? visible : new VisibleWriter(to);
    }

    /** Returns what it writes to. */
    PrintWriter to() {
        return to;
    }

    /**
     * Returns whether a terminal may do something else with a character than show it, or show what
     * follows in another order. Tabs and line feeds are ours.
     */
    public static boolean isControl(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL -> character != '\t' && character != '\n';
            case Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
            default -> false;
        };
    }

    /** Returns JSON whose text has no control characters; only strings can have had some. */
    public static String json(String document) {
        return replaced(document, "\\u%04x"::formatted);
    }

    private static String visible(String text) {
        return replaced(text, c -> (c < 0x100 ? "\\x%02x" : "\\u%04x").formatted(c));
    }

    /** Returns a text as one line shows it. */
    static String line(String text) {
        return visible(text).replace("\n", "\\x0a");
    }

    private static String replaced(String text, IntFunction<String> words) {
        if (text.chars().noneMatch(VisibleWriter::isControl)) {
            return text;
        }
        StringBuilder shown = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (isControl(c)) {
                shown.append(words.apply(c));
            } else {
                shown.append(c);
            }
        }
        return shown.toString();
    }

    @Override
    public void write(int character) {
        write(String.valueOf((char) character));
    }

    @Override
    public void write(char[] text, int offset, int length) {
        write(new String(text, offset, length));
    }

    @Override
    public void write(String text, int offset, int length) {
        String shown = visible(text.substring(offset, offset + length));
        super.write(shown, 0, shown.length());
    }

    @Override
    public void println(String text) {
        print(line(String.valueOf(text)));
        println();
    }

    @Override
    public void println(Object what) {
        println(String.valueOf(what));
    }

    /** Formats one line, or a part of one. */
    @Override
    @SuppressWarnings("AnnotateFormatMethod") // it is the standard library's signature
    public PrintWriter format(Locale locale, String format, Object... values) {
        String end = System.lineSeparator();
        String text = String.format(locale, format, values);
        if (text.endsWith(end)) {
            println(text.substring(0, text.length() - end.length()));
        } else {
            print(line(text));
        }
        return this;
    }

    @Override
    @SuppressWarnings("AnnotateFormatMethod") // likewise
    public PrintWriter format(String format, Object... values) {
        return format(Locale.getDefault(Locale.Category.FORMAT), format, values);
    }
}
