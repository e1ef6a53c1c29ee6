package dev.peerlane;

import java.util.Objects;

/**
 * The root of the one family of errors that Peerlane throws. All are unchecked.
 *
 * <p>The message names the object and the value that are wrong; {@link #remedy()} says what to do.
 * {@link #code()} is stable from release to release, so programs can act on it. The {@linkplain
 * Category category} decides the exit status of the program.
 */
public class PeerlaneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Whose fault it is, and so the exit status of the program. */
    public enum Category {
        /** The request is wrong: syntax, no such namespace, a range past the end. */
        REQUEST(1),
        /**
         * The machine or the device can't do it: absent, unsupported, not permitted by the system.
         */
        MACHINE(2),
        /** Peerlane could, but won't: a guard, no confirmation, no permitted route. */
        REFUSED(3),
        /** A device failed at an I/O, or verification found a difference. */
        IO(4),
        /** The user stopped it. */
        INTERRUPTED(130);

        private final int exitStatus;

        Category(int exitStatus) {
            this.exitStatus = exitStatus;
        }

        /** Returns the exit status of a program that ends with such an error. */
        public int exitStatus() {
            return exitStatus;
        }
    }

    private final Category category;
    private final String code;
    private final String remedy;

    /**
     * Creates an error.
     *
     * @param category whose fault it is
     * @param code a stable name in lower case with dashes, such as {@code range-past-end}
     * @param message the object and the value that are wrong, one sentence without a full stop
     * @param remedy what to do about it, one sentence without a full stop
     */
    public PeerlaneException(Category category, String code, String message, String remedy) {
        this(category, code, message, remedy, null);
    }

    /** Creates an error with a cause; the other arguments as above. */
    public PeerlaneException(
            Category category,
            String code,
            String message,
            String remedy,
            @org.jspecify.annotations.Nullable Throwable cause) {
        super(Objects.requireNonNull(message), cause);
        this.category = Objects.requireNonNull(category);
        this.code = Objects.requireNonNull(code);
        this.remedy = Objects.requireNonNull(remedy);
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

    /** Returns whose fault it is. */
    public Category category() {
        return category;
    }

    /** Returns the stable name of this kind of error, such as {@code range-past-end}. */
    public String code() {
        return code;
    }

    /** Returns what to do about it. */
    public String remedy() {
        return remedy;
    }

    /** Returns message and remedy as the program prints them. */
    public String explain() {
        return sentence(String.valueOf(getMessage())) + " " + sentence(remedy);
    }

    /** Returns the words with a full stop. Words of a device or the system may come with one. */
    private static String sentence(String words) {
        return words.endsWith(".") ? words : words + ".";
    }
}
