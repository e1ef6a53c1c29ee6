package dev.peerlane;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The root of all errors that Peerlane throws. All are unchecked.
 *
 * <p>The message names the object and the value that are wrong. {@link #remedy()} says what to do,
 * in the terms of this library. {@link #code()} is stable from release to release, so programs can
 * act on it. A program that shows a command line as the remedy builds it from the code and {@link
 * #values()}.
 */
public class PeerlaneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What an error is about, and so who can fix it. */
    public enum Category {
        /** The request is wrong: syntax, no such namespace, a range past the end. */
        REQUEST,
        /** The machine or the device can't do it: absent, unsupported, or denied by the system. */
        MACHINE,
        /** Peerlane could, but refuses: a guard, no confirmation, or no permitted route. */
        REFUSED,
        /** A device failed during I/O, or the verification found a difference. */
        IO,
        /** The user stopped the operation. */
        INTERRUPTED
    }

    private final Category category;
    private final String code;
    private final String remedy;
    private final LinkedHashMap<String, String> values = new LinkedHashMap<>();

    /**
     * Creates an error.
     *
     * @param category what the error is about
     * @param code a stable name in lower case with dashes, such as {@code range-past-end}
     * @param message the object and the value that are wrong, one sentence without a full stop
     * @param remedy what to do about the error, one sentence without a full stop
     */
    public PeerlaneException(Category category, String code, String message, String remedy) {
        this(category, code, message, remedy, null);
    }

    /**
     * Creates an error with a cause. If the cause has the same code, its values are copied. The
     * other arguments are the same as without a cause.
     */
    public PeerlaneException(
            Category category,
            String code,
            String message,
            String remedy,
            @Nullable Throwable cause) {
        super(Objects.requireNonNull(message), cause);
        this.category = Objects.requireNonNull(category);
        this.code = Objects.requireNonNull(code);
        this.remedy = Objects.requireNonNull(remedy);
        if (cause instanceof PeerlaneException same && same.code.equals(code)) {
            values.putAll(same.values);
        }
    }

    /** Returns an error of category {@link Category#REQUEST}. */
    public static PeerlaneException request(String code, String message, String remedy) {
        return new PeerlaneException(Category.REQUEST, code, message, remedy);
    }

    /** Returns an error of category {@link Category#MACHINE}. */
    public static PeerlaneException machine(String code, String message, String remedy) {
        return new PeerlaneException(Category.MACHINE, code, message, remedy);
    }

    /** Returns an error of category {@link Category#REFUSED}. */
    public static PeerlaneException refused(String code, String message, String remedy) {
        return new PeerlaneException(Category.REFUSED, code, message, remedy);
    }

    /** Returns an error of category {@link Category#IO}. */
    public static PeerlaneException io(String code, String message, String remedy) {
        return new PeerlaneException(Category.IO, code, message, remedy);
    }

    /** Returns the error of a cancelled operation, of category {@link Category#INTERRUPTED}. */
    public static PeerlaneException interrupted(String message) {
        return new PeerlaneException(
                Category.INTERRUPTED, "interrupted", message, "Start it again");
    }

    /** Returns the category. */
    public Category category() {
        return category;
    }

    /** Returns the stable name of this kind of error, such as {@code range-past-end}. */
    public String code() {
        return code;
    }

    /** Returns what to do about the error. */
    public String remedy() {
        return remedy;
    }

    /**
     * Adds a value that the remedy needs.
     *
     * @param name a word in lower case, such as {@code function}
     * @return this error
     */
    public PeerlaneException with(String name, String value) {
        values.put(Objects.requireNonNull(name), Objects.requireNonNull(value));
        return this;
    }

    /**
     * Returns the values that the remedy needs, by name, in the order in which they were added: the
     * function to bind, the kind of buffer to use. Most errors have none.
     */
    public Map<String, String> values() {
        return Collections.unmodifiableMap(values);
    }

    /** Returns the message and the remedy as two sentences. */
    public String explain() {
        return explain(remedy);
    }

    /** Returns the message and a replacement for the remedy as two sentences. */
    public String explain(String otherRemedy) {
        return sentence(String.valueOf(getMessage())) + " " + sentence(otherRemedy);
    }

    /**
     * Returns a text with a full stop at its end. A text from a device or the system may have one
     * already.
     */
    private static String sentence(String words) {
        return words.endsWith(".") ? words : words + ".";
    }
}
