package dev.peerlane.cli.terminal;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.IntFunction;

/**
 * Writes text to a terminal without letting the text control it. Device names, models, messages of
 * other processes and arguments are untrusted: an escape sequence in them could clear or change the
 * screen. So a control character is written as a C escape such as {@code \x1b}. A printed line also
 * stays one line: only {@code print} may write line feeds.
 */
public final class VisibleWriter extends PrintWriter {
    private final PrintWriter to;

    /** Creates a writer. The other writer keeps the buffer and the error state. */
    VisibleWriter(PrintWriter to) {
        super(to);
        this.to = to;
    }

    /** Returns the given writer if it is a VisibleWriter, otherwise one that wraps it. */
    static VisibleWriter before(PrintWriter to) {
        return to instanceof VisibleWriter visible ? visible : new VisibleWriter(to);
    }

    /** Returns the wrapped writer. */
    PrintWriter to() {
        return to;
    }

    /**
     * Returns whether a terminal may act on a character instead of showing it, or reorder the text
     * after it. Tabs and line feeds are allowed.
     */
    public static boolean isControl(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL -> character != '\t' && character != '\n';
            case Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
            default -> false;
        };
    }

    /** Returns JSON without control characters, which only its strings can contain. */
    public static String json(String document) {
        return replaced(document, "\\u%04x"::formatted);
    }

    private static String visible(String text) {
        return replaced(text, c -> (c < 0x100 ? "\\x%02x" : "\\u%04x").formatted(c));
    }

    /** Returns text as it appears in one line. */
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

    /** Formats a line or part of a line. */
    @Override
    @SuppressWarnings("AnnotateFormatMethod") // the signature of the standard library
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
